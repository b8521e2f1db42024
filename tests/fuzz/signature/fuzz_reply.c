/* A reply to a signature of run-time types, in either layout: the first byte chooses the signature
 * and the layout. What is cast must be JSON of its field's type, and casting it again must give the
 * same. */
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "coordinator/signature/cast.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/string_form.h"
#include "coordinator/signature/value_type.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const lines[] = {
    "q -> a, score: float, k: int, ok: bool",
    "q -> tags: list[str], label: Literal['a', 3, True], note: Optional[str], any: Any",
    "q -> m: dict[str, list[float]], n: Optional[int], l: list, d: dict",
};
#define LINES (sizeof lines / sizeof lines[0])

static struct signature *signatures[LINES];

static void check_notes(const struct notes *n)
{
    for (size_t i = 0; i < n->count; i++)
        if (!text_utf8_valid(n->items[i], strlen(n->items[i])) || strchr(n->items[i], '\n'))
            abort();
}

/* Integers of more digits than a double holds are JSON, but not to our strict reader. */
static void check_value(const struct signature_field *f, const char *json)
{
    struct json *v = json_parse(json, strlen(json), NULL);
    char *again = NULL;

    if (!v)
        return;
    if (value_type_check(f->type, v, f->name, NULL) < 0)
        abort();
    if (json_type_of(v) != JSON_STRING &&
        (cast_section(f, json, true, &again, NULL, NULL) < 0 ||
         (!value_type_is_text(f->type) && strcmp(again, json) != 0)))
        abort();
    mem_free(again);
    json_free(v);
}

static void cast(const struct signature *sig, const struct answer *a)
{
    struct notes notes = {0};
    struct cast_values values;

    for (size_t i = 0; i < a->count; i++) {
        char *json = NULL;

        if (a->sections[i] && cast_section(signature_outputs(sig) + i, a->sections[i],
                                           a->is_json[i], &json, &notes, NULL) == 0)
            check_value(signature_outputs(sig) + i, json);
        mem_free(json);
    }
    if (cast_answer(sig, a, &values, &notes, NULL) == 0)
        cast_values_clear(&values);
    check_notes(&notes);
    check_notes(&a->notes);
    notes_clear(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct signature *sig;
    struct answer a;
    int rc;

    for (size_t i = 0; i < LINES && !signatures[i]; i++)
        signatures[i] = string_form_read(NULL, lines[i], strlen(lines[i]), NULL, NULL);
    if (size == 0)
        return 0;
    sig = signatures[data[0] / 2 % LINES];
    rc = data[0] % 2 ? json_layout_parse(sig, (const char *)data + 1, size - 1, &a, NULL)
                     : chat_parse(sig, (const char *)data + 1, size - 1, &a, NULL);
    if (rc < 0)
        return 0;
    cast(sig, &a);
    answer_clear(&a);
    return 0;
}
