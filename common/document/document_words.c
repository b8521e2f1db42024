/* document_words.c - how errors of a document read: the path, the value, what was wanted. */
#include "common/document/document_words.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "common/model/record.h"

#include <stdio.h>
#include <string.h>

#define KEYS_MAX 120     /* of the list of keys, with the NUL */
#define NAME_COMPARED 40 /* longer keys are not compared: they are nobody's typing error */
#define TYPING_ERRORS 3  /* so many differences still look like the same key */

const char *document_path(const char *where, const char *name, char out[DOCUMENT_PATH_MAX])
{
    char cleaned[DOCUMENT_VALUE_MAX];

    text_clean(cleaned, sizeof cleaned, name);
    snprintf(out, DOCUMENT_PATH_MAX, "%s%s%s", where, where[0] ? "." : "", cleaned);
    return out;
}

const char *document_shown(const struct json *v, char out[DOCUMENT_VALUE_MAX])
{
    char number[NUM_F64_TEXT_MAX];
    const char *text;
    size_t fit;

    switch (json_type_of(v)) {
    case JSON_STRING:
        text = json_text(v);
        fit = text_utf8_fit(text, strlen(text), DOCUMENT_VALUE_MAX - 6); /* quotes, dots, NUL */
        snprintf(out, DOCUMENT_VALUE_MAX, "\"%.*s%s\"", (int)fit, text, text[fit] ? "..." : "");
        break;
    case JSON_NUMBER:
        snprintf(out, DOCUMENT_VALUE_MAX, "%s", num_format_f64(json_number(v), number));
        break;
    case JSON_BOOL:
        snprintf(out, DOCUMENT_VALUE_MAX, "%s", json_bool_value(v) ? "true" : "false");
        break;
    case JSON_NULL:
        snprintf(out, DOCUMENT_VALUE_MAX, "null");
        break;
    case JSON_ARRAY:
        snprintf(out, DOCUMENT_VALUE_MAX, "a list");
        break;
    case JSON_OBJECT:
        snprintf(out, DOCUMENT_VALUE_MAX, "an object");
        break;
    }
    return out;
}

/* Names one after another, as many as fit in size bytes, then dots. */
static void list_names(char *out, size_t size, size_t count,
                       const char *(*name)(const void *, size_t), const void *of)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *word = name(of, i);
        const char *sep = i ? ", " : "";

        if (len + strlen(sep) + strlen(word) + sizeof ", ..." > size) {
            snprintf(out + len, size - len, ", ...");
            return;
        }
        len += (size_t)snprintf(out + len, size - len, "%s%s", sep, word);
    }
}

static const char *enum_word_at(const void *of, size_t i)
{
    return ((const struct enum_names *)of)->values[i].name;
}

static const char *key_at(const void *of, size_t i)
{
    return ((const struct record_type *)of)->fields[i].name;
}

const char *document_wanted(const struct field *f, char out[DOCUMENT_WANTED_MAX])
{
    const char *unit = f->unit ? f->unit : "";
    const char *gap = unit[0] ? " " : "";
    static const char one_of[] = "one of ";

    switch (f->type) {
    case FIELD_I64:
        snprintf(out, DOCUMENT_WANTED_MAX, "an integer from %.0f to %.0f%s%s", f->min, f->max, gap,
                 unit);
        break;
    case FIELD_F64:
        snprintf(out, DOCUMENT_WANTED_MAX, "a number from %g to %g%s%s", f->min, f->max, gap, unit);
        break;
    case FIELD_BOOL:
        snprintf(out, DOCUMENT_WANTED_MAX, "true or false");
        break;
    case FIELD_TEXT:
    case FIELD_PROSE:
        snprintf(out, DOCUMENT_WANTED_MAX, "a text of at most %.0f bytes", f->max);
        break;
    case FIELD_ENUM:
        memcpy(out, one_of, sizeof one_of);
        list_names(out + sizeof one_of - 1, DOCUMENT_WANTED_MAX - sizeof one_of + 1,
                   f->names->count, enum_word_at, f->names);
        break;
    case FIELD_RECORD:
        snprintf(out, DOCUMENT_WANTED_MAX, "an object (%s)", f->record->name);
        break;
    case FIELD_RECORDS:
        snprintf(out, DOCUMENT_WANTED_MAX, "a list of at most %zu objects (%s)", f->items_max,
                 f->record->name);
        break;
    case FIELD_TEXTS:
        snprintf(out, DOCUMENT_WANTED_MAX, "a list of at most %zu texts", f->items_max);
        break;
    case FIELD_I64S:
        snprintf(out, DOCUMENT_WANTED_MAX, "a list of at most %zu integers", f->items_max);
        break;
    }
    return out;
}

int document_refuse(const struct json *v, const struct field *f, const char *path, struct err *err)
{
    char shown[DOCUMENT_VALUE_MAX], wanted[DOCUMENT_WANTED_MAX];

    return err_set(err, ERR_INVALID, "%s: %s, wanted %s", path, document_shown(v, shown),
                   document_wanted(f, wanted));
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Insertions, deletions and replacements that make a into b; b has at most NAME_COMPARED bytes. */
static size_t differences(const char *a, const char *b)
{
    size_t row[NAME_COMPARED + 1], len = strlen(b);

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t above = row[j];

            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[len];
}

/* The key that was likely meant; NULL when none is near. */
static const char *nearest(const struct record_type *type, const char *name)
{
    const char *best = NULL;
    size_t least = TYPING_ERRORS + 1, len = strlen(name);

    if (len > NAME_COMPARED)
        return NULL;
    for (size_t i = 0; i < type->count; i++) {
        size_t d = differences(type->fields[i].name, name);

        if (d < least && d < len) {
            least = d;
            best = type->fields[i].name;
        }
    }
    return best;
}

int document_refuse_key(const struct record_type *type, const char *name, const char *path,
                        struct err *err)
{
    const char *meant = nearest(type, name);
    char keys[KEYS_MAX];

    list_names(keys, sizeof keys, type->count, key_at, type);
    return err_set(err, ERR_INVALID, "%s: no such key%s%s%s; keys here: %s", path,
                   meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "",
                   type->count ? keys : "none");
}
