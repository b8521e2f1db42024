/* value_type_read.c - types as Python spells them.
 *
 *     type    = primary { "|" primary }
 *     primary = NAME [ "[" argument { "," argument } [","] "]" ]
 *
 * NAME may be qualified (typing.List). An Optional of an Optional is one, as in Python. */
#include "coordinator/signature/value_type.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/json/json.h"

#include <string.h>

#define WORD_TEXT_MAX 256 /* bytes of one text in a Literal */

struct type_scan {
    const char *p, *end;
    struct err *err;
};

static struct value_type *read_type(struct type_scan *s, int depth, bool *is_none);

static void skip_blanks(struct type_scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r' ||
                             *s->p == '\f' || *s->p == '\v'))
        s->p++;
}

static bool take(struct type_scan *s, char c)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || (unsigned char)c >= 0x80;
}

/* The name at p without the `typing.` before it; its length. */
static size_t take_name(struct type_scan *s, const char **name)
{
    static const char *const modules[] = {"typing.", "dspy."};
    const char *start;

    skip_blanks(s);
    start = s->p;
    while (s->p < s->end && is_name_byte(*s->p))
        s->p++;
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        size_t len = strlen(modules[i]);

        if ((size_t)(s->p - start) > len && memcmp(start, modules[i], len) == 0)
            start += len;
    }
    *name = start;
    return (size_t)(s->p - start);
}

static bool name_is(const char *name, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(name, word, len) == 0;
}

static int what_stands_here(struct type_scan *s, const char *wanted)
{
    char seen[24], raw[20];
    size_t len = (size_t)(s->end - s->p);

    if (len >= sizeof raw)
        len = sizeof raw - 1;
    memcpy(raw, s->p, len);
    raw[len] = '\0';
    text_clean(seen, sizeof seen, raw);
    return *seen ? err_set(s->err, ERR_INVALID, "type: wanted %s before \"%s\"", wanted, seen)
                 : err_set(s->err, ERR_INVALID, "type: ends where %s was wanted", wanted);
}

static struct value_type *type_new(struct type_scan *s, enum value_kind kind)
{
    struct value_type *t = mem_zalloc(sizeof *t);

    if (t)
        t->kind = kind;
    else
        err_set(s->err, ERR_NOMEM, "type");
    return t;
}

/* ---- Literal[...] ---- */

static int lost_words(struct type_scan *s)
{
    return err_set(s->err, ERR_NOMEM, "type: Literal");
}

static int read_word_text(struct type_scan *s, struct json *words)
{
    char quote = *s->p++, text[WORD_TEXT_MAX];
    size_t len = 0;
    struct json *word;

    for (; s->p < s->end && *s->p != quote; s->p++) {
        if ((unsigned char)*s->p < 0x20 || *s->p == 0x7f || len == sizeof text)
            return what_stands_here(s, "the end of a text in Literal");
        if (*s->p == '\\' && ++s->p < s->end && *s->p != '\\' && *s->p != '\'' && *s->p != '"')
            return err_set(s->err, ERR_UNSUPPORTED,
                           "type: Literal: an escape other than \\\\, \\' and \\\"");
        if (s->p < s->end)
            text[len++] = *s->p;
    }
    if (s->p >= s->end)
        return err_set(s->err, ERR_INVALID, "type: Literal: a text without its closing quote");
    s->p++;
    if (!text_utf8_valid(text, len))
        return err_set(s->err, ERR_INVALID, "type: Literal: a text that is not UTF-8");
    word = json_new_text_n(text, len);
    return json_append(words, &word) < 0 ? lost_words(s) : 0;
}

static int read_word_plain(struct type_scan *s, struct json *words)
{
    const char *start = s->p;
    struct json *word = NULL;
    int64_t number;
    size_t len;

    if (*s->p == '-')
        s->p++;
    while (s->p < s->end && is_name_byte(*s->p))
        s->p++;
    len = (size_t)(s->p - start);
    if (name_is(start, len, "True") || name_is(start, len, "False")) {
        word = json_new_bool(*start == 'T');
    } else if (name_is(start, len, "None")) {
        word = json_new_null();
    } else {
        if (num_parse_i64(start, len, -JSON_INTEGER_MAX, JSON_INTEGER_MAX, &number,
                          "type: a word of Literal", s->err) < 0)
            return -1;
        word = json_new_i64(number);
    }
    return json_append(words, &word) < 0 ? lost_words(s) : 0;
}

static int read_words(struct type_scan *s, struct json *words)
{
    size_t count = 0;

    do {
        skip_blanks(s);
        if (count && s->p < s->end && *s->p == ']')
            break; /* a comma before the end */
        if (count++ == VALUE_TYPE_WORDS_MAX)
            return err_set(s->err, ERR_TOO_BIG, "type: Literal of more than %d words",
                           VALUE_TYPE_WORDS_MAX);
        if (s->p == s->end || *s->p == ']')
            return what_stands_here(s, "a word of Literal");
        if ((*s->p == '\'' || *s->p == '"' ? read_word_text(s, words) : read_word_plain(s, words)) <
            0)
            return -1;
    } while (take(s, ','));
    return take(s, ']') ? 0 : what_stands_here(s, "]");
}

static struct value_type *read_literal(struct type_scan *s)
{
    struct value_type *t;

    if (!take(s, '[')) {
        err_set(s->err, ERR_INVALID, "type: Literal without its words in [ ]");
        return NULL;
    }
    if (!(t = type_new(s, VALUE_LITERAL)))
        return NULL;
    if (!(t->words = json_array()))
        lost_words(s);
    else if (read_words(s, t->words) == 0)
        return t;
    value_type_free(t);
    return NULL;
}

/* ---- what holds another type ---- */

/* t or null; t is taken. None of None, and of what may be null, is that. */
static struct value_type *make_optional(struct type_scan *s, struct value_type *t)
{
    struct value_type *optional;

    if (!t || t->kind == VALUE_OPTIONAL)
        return t;
    if (!(optional = type_new(s, VALUE_OPTIONAL))) {
        value_type_free(t);
        return NULL;
    }
    optional->item = t;
    return optional;
}

static struct value_type *read_argument(struct type_scan *s, int depth)
{
    bool is_none = false;
    struct value_type *t = read_type(s, depth, &is_none);

    if (is_none)
        err_set(s->err, ERR_UNSUPPORTED, "type: None alone holds no answer");
    return t;
}

/* list and dict, with or without what they hold. */
static struct value_type *read_container(struct type_scan *s, enum value_kind kind, int depth)
{
    struct value_type *t = type_new(s, kind), *key;
    bool keys_are_text;

    if (!t || !take(s, '['))
        return t;
    if (kind == VALUE_DICT) {
        if (!(key = read_argument(s, depth)))
            goto fail;
        keys_are_text = key->kind == VALUE_STR;
        value_type_free(key);
        if (!keys_are_text) {
            err_set(s->err, ERR_UNSUPPORTED, "type: dict with keys other than str");
            goto fail;
        }
        if (!take(s, ',')) {
            what_stands_here(s, "a comma and the type of the dict's values");
            goto fail;
        }
    }
    if (!(t->item = read_argument(s, depth)))
        goto fail;
    take(s, ',');
    if (take(s, ']'))
        return t;
    what_stands_here(s, "]");
fail:
    value_type_free(t);
    return NULL;
}

/* Optional[T], and Union[T, None] in either order. */
static struct value_type *read_union(struct type_scan *s, bool optional, int depth)
{
    struct value_type *t = NULL;
    bool null = optional;

    if (!take(s, '[')) {
        what_stands_here(s, "[");
        return NULL;
    }
    do {
        bool is_none = false;
        struct value_type *next;

        skip_blanks(s);
        if ((t || null) && s->p < s->end && *s->p == ']')
            break;
        if (!(next = read_type(s, depth, &is_none)) && !is_none)
            goto fail;
        if (next && t) {
            value_type_free(next);
            err_set(s->err, ERR_UNSUPPORTED, "type: a union of two types that both hold answers");
            goto fail;
        }
        null |= is_none;
        t = next ? next : t;
    } while (!optional && take(s, ','));
    if (!take(s, ']')) {
        what_stands_here(s, "]");
        goto fail;
    }
    if (!t)
        err_set(s->err, ERR_UNSUPPORTED, "type: None alone holds no answer");
    return null ? make_optional(s, t) : t;
fail:
    value_type_free(t);
    return NULL;
}

static int refuse_name(struct type_scan *s, const char *name, size_t len)
{
    static const char *const of_python[] = {
        "tuple",    "set",   "frozenset", "complex", "bytes",     "bytearray", "Tuple",    "Set",
        "Sequence", "Type",  "Callable",  "object",  "FrozenSet", "Iterable",  "datetime", "date",
        "Mapping",  "Deque", "Annotated", "Final",   "ClassVar",  "TypedDict", "NoReturn", "type",
    };
    char raw[NAME_TEXT_MAX], shown[NAME_TEXT_MAX];

    if (len == 0)
        return what_stands_here(s, "a type");
    if (len >= sizeof raw)
        len = sizeof raw - 1;
    memcpy(raw, name, len);
    raw[len] = '\0';
    text_clean(shown, sizeof shown, raw);
    for (size_t i = 0; i < sizeof of_python / sizeof of_python[0]; i++)
        if (strcmp(of_python[i], shown) == 0)
            return err_set(s->err, ERR_UNSUPPORTED,
                           "type \"%s\" is not one of ours: want str, int, float, bool, list, "
                           "dict, Literal or Optional",
                           shown);
    return err_set(s->err, ERR_INVALID,
                   "type \"%.80s\" is unknown: want str, int, float, bool, list, dict, Literal or "
                   "Optional",
                   shown);
}

static struct value_type *read_primary(struct type_scan *s, int depth, bool *is_none)
{
    static const struct {
        const char *word;
        enum value_kind kind;
    } names[] = {
        {"str", VALUE_STR},         {"int", VALUE_INT},           {"float", VALUE_FLOAT},
        {"bool", VALUE_BOOL},       {"Any", VALUE_ANY},           {"list", VALUE_LIST},
        {"List", VALUE_LIST},       {"dict", VALUE_DICT},         {"Dict", VALUE_DICT},
        {"Literal", VALUE_LITERAL}, {"Optional", VALUE_OPTIONAL}, {"History", VALUE_HISTORY},
    };
    const char *name;
    size_t len = take_name(s, &name);

    if (name_is(name, len, "None")) {
        *is_none = true;
        return NULL;
    }
    if (name_is(name, len, "Union"))
        return read_union(s, false, depth);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!name_is(name, len, names[i].word))
            continue;
        if (names[i].kind == VALUE_LITERAL)
            return read_literal(s);
        if (names[i].kind == VALUE_OPTIONAL)
            return read_union(s, true, depth);
        if (names[i].kind == VALUE_LIST || names[i].kind == VALUE_DICT)
            return read_container(s, names[i].kind, depth);
        return type_new(s, names[i].kind);
    }
    refuse_name(s, name, len);
    return NULL;
}

/* NULL with *is_none: None alone, which is no error here. */
static struct value_type *read_type(struct type_scan *s, int depth, bool *is_none)
{
    struct value_type *t = NULL;
    bool null = false;

    if (depth >= VALUE_TYPE_DEPTH_MAX) {
        err_set(s->err, ERR_TOO_BIG, "type: nested deeper than %d", VALUE_TYPE_DEPTH_MAX);
        return NULL;
    }
    do {
        bool none_here = false;
        struct value_type *next = read_primary(s, depth + 1, &none_here);

        if (!next && !none_here)
            goto fail;
        if (next && t) {
            value_type_free(next);
            err_set(s->err, ERR_UNSUPPORTED, "type: a union of two types that both hold answers");
            goto fail;
        }
        null |= none_here;
        t = next ? next : t;
    } while (take(s, '|'));
    *is_none = null && !t;
    return null ? make_optional(s, t) : t;
fail:
    value_type_free(t);
    return NULL;
}

struct value_type *value_type_read(const char *text, size_t len, struct err *err)
{
    struct type_scan s = {text, text + len, err};
    struct value_type *t;

    if (len > VALUE_TYPE_TEXT_MAX) {
        err_set(err, ERR_TOO_BIG, "type of %zu bytes, limit %d", len, VALUE_TYPE_TEXT_MAX);
        return NULL;
    }
    if (!(t = read_argument(&s, 0)))
        return NULL;
    skip_blanks(&s);
    if (s.p != s.end) {
        what_stands_here(&s, "the end");
        value_type_free(t);
        return NULL;
    }
    return t;
}
