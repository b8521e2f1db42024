/* reply_reader.c - replies of models read as a run would read them, for comparison with DSPy.
 *
 * stdin: lines {"id", "signature", "adapter", "reply"}. stdout: for each {"id", "values": {...} or
 * null, "why": reason for null, "notes": [...]}. */
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/cast.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/string_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (1 << 20)

static void print_text(const char *text)
{
    struct json *v = json_new_text(text);
    char *json = v ? json_print(v, false, NULL) : NULL;

    fputs(json ? json : "\"\"", stdout);
    mem_free(json);
    json_free(v);
}

static void print_notes(const struct notes *n, bool *first)
{
    for (size_t i = 0; i < n->count; i++, *first = false) {
        if (!*first)
            putchar(',');
        print_text(n->items[i]);
    }
}

static void print_values(const struct signature *sig, const struct cast_values *values)
{
    putchar('{');
    for (size_t i = 0; i < values->count; i++) {
        if (i)
            putchar(',');
        print_text(signature_outputs(sig)[i].name);
        printf(":%s", values->json[i]);
    }
    putchar('}');
}

static void read_reply(const char *id, const struct signature *sig, const char *adapter,
                       const char *reply)
{
    struct answer a = {0};
    struct cast_values values = {0};
    struct notes notes = {0};
    struct err err = {0};
    bool first = true;
    int rc;

    rc = strcmp(adapter, "json") == 0 ? json_layout_parse(sig, reply, strlen(reply), &a, &err)
                                      : chat_parse(sig, reply, strlen(reply), &a, &err);
    if (rc == 0)
        rc = cast_answer(sig, &a, &values, &notes, &err);
    fputs("{\"id\":", stdout);
    print_text(id);
    fputs(",\"values\":", stdout);
    if (rc == 0)
        print_values(sig, &values);
    else
        fputs("null", stdout);
    fputs(",\"why\":", stdout);
    print_text(rc < 0 ? err.text : "");
    fputs(",\"notes\":[", stdout);
    print_notes(&a.notes, &first);
    print_notes(&notes, &first);
    puts("]}");
    answer_clear(&a);
    cast_values_clear(&values);
    notes_clear(&notes);
}

static void read_line(const char *line, size_t number)
{
    struct err err = {0};
    struct json *v = json_parse(line, strlen(line), &err);
    const char *form = json_text(json_member(v, "signature"));
    const char *adapter = json_text(json_member(v, "adapter"));
    const char *reply = json_text(json_member(v, "reply"));
    struct signature *sig = form ? string_form_read(NULL, form, strlen(form), NULL, &err) : NULL;

    if (!sig || !adapter || !reply) {
        fprintf(stderr, "line %zu: %s\n", number, err.text);
        exit(1);
    }
    read_reply(json_text(json_member(v, "id")), sig, adapter, reply);
    signature_free(sig);
    json_free(v);
}

int main(void)
{
    char *line = mem_alloc(LINE_MAX_BYTES);
    size_t number = 0;

    while (line && fgets(line, LINE_MAX_BYTES, stdin))
        read_line(line, ++number);
    mem_free(line);
    return number > 0 && !ferror(stdin) ? 0 : 1;
}
