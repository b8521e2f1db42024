/* document_lenient.c - what a lenient reading accepts beyond the strict one, and its notes.
 *
 * Only what has one meaning is accepted: "8" is 8 and "Yes" is true, but "about 8" is nothing. */
#include "common/document/document.h"
#include "common/document/document_reader.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "common/model/record.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void document_notes_free(char **notes, size_t count)
{
    for (size_t i = 0; notes && i < count; i++)
        mem_free(notes[i]);
    mem_free(notes);
}

int reader_note(struct notes *notes, struct err *err, const char *fmt, ...)
{
    char raw[REASON_TEXT_MAX], text[REASON_TEXT_MAX];
    va_list args;

    if (notes->count > DOCUMENT_NOTES_MAX)
        return 0;
    if (notes->count == DOCUMENT_NOTES_MAX)
        return texts_add(&notes->texts, &notes->count, "more was forgiven or dropped", err);
    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_clean(text, sizeof text, raw);
    return texts_add(&notes->texts, &notes->count, text, err);
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Equal when case, blanks, '_' and '-' are passed over. */
static bool same_word(const char *a, const char *b)
{
    static const char separators[] = "_- ";

    for (;; a++, b++) {
        while (*a && strchr(separators, *a))
            a++;
        while (*b && strchr(separators, *b))
            b++;
        if (lower(*a) != lower(*b))
            return false;
        if (!*a)
            return true;
    }
}

const struct field *lenient_field(const struct record_type *type, const char *name)
{
    for (size_t i = 0; i < type->count; i++)
        if (same_word(type->fields[i].name, name))
            return &type->fields[i];
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The text without blanks at its ends: where it starts, and its length. */
static const char *trimmed(const char *text, size_t *len)
{
    size_t n = strlen(text);

    while (n > 0 && is_blank(text[n - 1]))
        n--;
    while (n > 0 && is_blank(*text)) {
        text++;
        n--;
    }
    *len = n;
    return text;
}

int lenient_number(struct reading *r, const struct json *v, const char *path, double *out)
{
    char shown[DOCUMENT_VALUE_MAX], number[NUM_F64_TEXT_MAX];
    const char *text = json_text(v);
    size_t len;

    if (!text)
        return -1;
    text = trimmed(text, &len);
    if (num_parse_f64(text, len, -DBL_MAX, DBL_MAX, out, path, NULL) < 0)
        return -1;
    return reader_note(r->notes, &r->err, "%s: %s read as %s", path, document_shown(v, shown),
                       num_format_f64(*out, number));
}

int lenient_bool(struct reading *r, const struct json *v, const char *path, int *out)
{
    static const struct {
        const char *word;
        int value;
    } words[] = {{"true", TRI_TRUE},   {"yes", TRI_TRUE}, {"on", TRI_TRUE},   {"1", TRI_TRUE},
                 {"false", TRI_FALSE}, {"no", TRI_FALSE}, {"off", TRI_FALSE}, {"0", TRI_FALSE}};
    char shown[DOCUMENT_VALUE_MAX], number[NUM_F64_TEXT_MAX] = "";
    const char *text = json_text(v);
    size_t len = 0;

    if (json_type_of(v) == JSON_NUMBER)
        text = num_format_f64(json_number(v), number);
    if (!text)
        return -1;
    text = trimmed(text, &len);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char word[8] = "";

        if (len >= sizeof word)
            break;
        memcpy(word, text, len);
        if (!text_equals_ci(word, words[i].word))
            continue;
        *out = words[i].value;
        return reader_note(r->notes, &r->err, "%s: %s read as %s", path, document_shown(v, shown),
                           *out == TRI_TRUE ? "true" : "false");
    }
    return -1;
}

int lenient_enum(struct reading *r, const struct field *f, const char *word, const char *path,
                 int *out)
{
    for (size_t i = 0; i < f->names->count; i++) {
        if (!same_word(f->names->values[i].name, word))
            continue;
        *out = f->names->values[i].value;
        return reader_note(r->notes, &r->err, "%s: \"%.40s\" read as %s", path, word,
                           f->names->values[i].name);
    }
    return -1;
}

int lenient_text(struct reading *r, const struct json *v, const char *path, char **out)
{
    char shown[DOCUMENT_VALUE_MAX];
    const char *text = json_text(v);
    size_t len;

    if (!text) {
        if (json_type_of(v) != JSON_NUMBER && json_type_of(v) != JSON_BOOL)
            return -1;
        text = document_shown(v, shown);
        if (reader_note(r->notes, &r->err, "%s: %s read as text", path, text) < 0)
            return -1;
    }
    text = trimmed(text, &len);
    *out = mem_strndup(text, len);
    return *out ? 0 : err_set(&r->err, ERR_NOMEM, "%s: text of %zu bytes", path, len);
}
