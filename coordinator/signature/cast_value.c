/* cast_value.c - what pydantic takes for a type when it is lax, and no more. */
#include "coordinator/signature/cast_value.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/cast_text.h"
#include "coordinator/signature/notes.h"
#include "coordinator/signature/value.h"
#include "coordinator/signature/value_type.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_SHOWN 120

static int refuse(struct cast *c, const struct value_type *t, const char *path, const char *seen)
{
    char quote[NOTE_QUOTE_MAX + 4];
    struct buf name;

    buf_init(&name, VALUE_TYPE_TEXT_MAX);
    value_type_add_name(&name, t);
    err_set(c->err, ERR_MALFORMED, "%s: \"%s\", wanted %.80s", path,
            note_quote(quote, seen, strlen(seen)), name.data ? name.data : "another type");
    buf_clear(&name);
    return -1;
}

static int refuse_value(struct cast *c, const struct value_type *t, const char *path,
                        const struct json *v)
{
    char *text = v ? json_print(v, false, NULL) : NULL;
    int rc = json_text(v) ? refuse(c, t, path, json_text(v)) : refuse(c, t, path, text ? text : "");

    mem_free(text);
    return rc;
}

static void number_text(const struct json *v, struct raw_value raw, char out[CAST_NUMBER_MAX])
{
    char *printed;

    if (raw.text && cast_number(raw.text, (size_t)(raw.end - raw.text), false, out))
        return;
    printed = json_print(v, false, NULL);
    snprintf(out, CAST_NUMBER_MAX, "%s", printed ? printed : "0");
    mem_free(printed);
}

static void note_read(struct cast *c, const char *path, const char *text, const char *as)
{
    char quote[NOTE_QUOTE_MAX + 4];

    note_add(c->notes, "%s: \"%s\" read as %s", path, note_quote(quote, text, strlen(text)), as);
}

static int cast_a_number(struct cast *c, const struct value_type *t, const char *path,
                         const struct json *v, struct raw_value raw)
{
    char number[CAST_NUMBER_MAX] = "", whole[CAST_NUMBER_MAX];
    const char *text = json_text(v);

    if (json_type_of(v) == JSON_NUMBER)
        number_text(v, raw, number);
    else if (json_type_of(v) == JSON_BOOL)
        snprintf(number, sizeof number, "%d", json_bool_value(v));
    else if (!text || !cast_number(text, strlen(text), true, number))
        return refuse_value(c, t, path, v);
    if (t->kind == VALUE_INT && !cast_integer(number, whole))
        return refuse_value(c, t, path, v);
    if (t->kind == VALUE_FLOAT &&
        !cast_float(number, whole)) /* an integer past what a float holds */
        return refuse_value(c, t, path, v);
    if (text || json_type_of(v) == JSON_BOOL)
        note_read(c, path, text ? text : json_bool_value(v) ? "true" : "false", whole);
    buf_adds(c->out, whole);
    return 0;
}

static int cast_a_truth(struct cast *c, const struct value_type *t, const char *path,
                        const struct json *v)
{
    const char *text = json_text(v);
    int truth = -1;

    if (json_type_of(v) == JSON_BOOL)
        truth = json_bool_value(v);
    else if (json_type_of(v) == JSON_NUMBER && (json_number(v) == 0 || json_number(v) == 1))
        truth = json_number(v) == 1;
    else if (text)
        truth = cast_truth(text);
    if (truth < 0)
        return refuse_value(c, t, path, v);
    if (text)
        note_read(c, path, text, truth ? "true" : "false");
    buf_adds(c->out, truth ? "true" : "false");
    return 0;
}

/* Python's ==: True is 1. */
static bool is_word(const struct json *word, const struct json *v)
{
    enum json_type a = json_type_of(word), b = json_type_of(v);

    if (a == JSON_STRING && b == JSON_STRING)
        return strcmp(json_text(word), json_text(v)) == 0;
    if ((a == JSON_NUMBER || a == JSON_BOOL) && (b == JSON_NUMBER || b == JSON_BOOL)) {
        double x = a == JSON_NUMBER ? json_number(word) : json_bool_value(word);
        double y = b == JSON_NUMBER ? json_number(v) : json_bool_value(v);

        return x == y;
    }
    return a == JSON_NULL && b == JSON_NULL;
}

static void add_whole(struct buf *out, const struct json *v)
{
    char *text = json_print(v, false, NULL);

    if (text)
        buf_adds(out, text);
    else
        out->failed = out->no_memory = true;
    mem_free(text);
}

static int cast_a_word(struct cast *c, const struct value_type *t, const char *path,
                       const struct json *v)
{
    for (const struct json *w = json_first(t->words); w; w = json_next(w))
        if (is_word(w, v)) {
            add_whole(c->out, w);
            return 0;
        }
    return refuse_value(c, t, path, v);
}

static int cast_items(struct cast *c, const struct value_type *t, const char *path,
                      const struct json *v, struct raw_value raw)
{
    bool list = t->kind == VALUE_LIST;
    struct raw_value part = {NULL, NULL};
    char where[PATH_MAX_SHOWN];
    struct raw_json r;
    size_t i = 0;

    if (json_type_of(v) != (list ? JSON_ARRAY : JSON_OBJECT))
        return refuse_value(c, t, path, v);
    if (raw.text)
        raw_json_open(&r, raw.text);
    buf_addc(c->out, list ? '[' : '{');
    for (const struct json *m = json_first(v); m; m = json_next(m), i++) {
        if (raw.text && !raw_json_next(&r, &part))
            part.text = NULL;
        buf_adds(c->out, i ? "," : "");
        if (list) {
            snprintf(where, sizeof where, "%.100s[%zu]", path, i);
        } else {
            snprintf(where, sizeof where, "%.60s.%.50s", path, json_name(m));
            value_add_quoted(c->out, json_name(m));
            buf_addc(c->out, ':');
        }
        if (cast_value(c, t->item, where, m, part) < 0)
            return -1;
    }
    buf_addc(c->out, list ? ']' : '}');
    return 0;
}

static int cast_any(struct cast *c, const struct json *v, struct raw_value raw)
{
    if (raw.text)
        raw_json_add(c->out, raw);
    else
        add_whole(c->out, v);
    return 0;
}

/* t NULL: of a bare list or dict, anything. */
int cast_value(struct cast *c, const struct value_type *t, const char *path, const struct json *v,
               struct raw_value raw)
{
    if (!t)
        return cast_any(c, v, raw);
    switch (t->kind) {
    case VALUE_STR:
        if (!json_text(v))
            return refuse_value(c, t, path, v);
        value_add_quoted(c->out, json_text(v));
        return 0;
    case VALUE_INT:
    case VALUE_FLOAT:
        return cast_a_number(c, t, path, v, raw);
    case VALUE_BOOL:
        return cast_a_truth(c, t, path, v);
    case VALUE_LITERAL:
        return cast_a_word(c, t, path, v);
    case VALUE_OPTIONAL:
        if (json_type_of(v) != JSON_NULL)
            return cast_value(c, t->item, path, v, raw);
        buf_adds(c->out, "null");
        return 0;
    case VALUE_LIST:
    case VALUE_DICT:
        return cast_items(c, t, path, v, raw);
    case VALUE_ANY:
    case VALUE_HISTORY:
        break;
    }
    return cast_any(c, v, raw);
}
