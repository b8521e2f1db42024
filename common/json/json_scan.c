/* json_scan.c - see json_scan.h.
 *
 * One pass over the text by recursive descent (depth is limited), without building anything. Only
 * the places of the keys of open objects are kept, for the check that none is repeated: when an
 * object ends, its keys are sorted and neighbours compared, so n keys cost n log n whatever they
 * are. Keys compare as what they mean: "a" and "\u0061" are one key. */
#include "common/json/json_scan.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 63 /* characters; cJSON's parser reads no more of a number */
#define SHOWN_MAX 40  /* of a key or number in an error */

/* What stands between the quotes of a key. */
struct key {
    const char *p;
    size_t len;
    bool escaped; /* holds a backslash */
};

struct scan {
    const char *start;
    const char *at; /* not yet read */
    const char *end;
    int depth;
    struct key *keys; /* of all open objects, the outermost first */
    size_t key_count;
    size_t key_cap;
    struct err *err;
};

static int scan_value(struct scan *s);

/* "line:column: " and the text; columns count characters. Always -1. */
__attribute__((format(printf, 4, 5))) static int scan_fail(struct scan *s, enum err_code code,
                                                           const char *where, const char *fmt, ...)
{
    char what[ERR_TEXT_MAX];
    size_t line = 1, column = 1;
    va_list args;

    for (const char *p = s->start; p < where; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xC0) != 0x80) {
            column++;
        }
    }
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return err_set(s->err, code, "%zu:%zu: %s", line, column, what);
}

/* What stands where something else was wanted. */
static int scan_unexpected(struct scan *s, const char *wanted)
{
    unsigned char c;

    if (s->at == s->end)
        return scan_fail(s, ERR_MALFORMED, s->at, "want %s, found the end of the text", wanted);
    c = (unsigned char)*s->at;
    if (c > 0x20 && c < 0x7F)
        return scan_fail(s, ERR_MALFORMED, s->at, "want %s, found '%c'", wanted, c);
    if (text_utf8_len(s->at, (size_t)(s->end - s->at)) == 0)
        return scan_fail(s, ERR_MALFORMED, s->at, "want %s, found byte 0x%02x", wanted, c);
    if (c < 0x80)
        return scan_fail(s, ERR_MALFORMED, s->at, "want %s, found U+%04X", wanted, c);
    return scan_fail(s, ERR_MALFORMED, s->at, "want %s, found \"%.*s\"", wanted,
                     (int)text_utf8_len(s->at, (size_t)(s->end - s->at)), s->at);
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

/* Take c when it comes next. */
static bool scan_take(struct scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* Four hex digits, or -1. */
static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* \uXXXX, s->at behind the u: a character, or the first half of one that the second must follow. */
static int scan_unicode_escape(struct scan *s)
{
    const char *from = s->at - 2;
    int first = hex4(s->at, s->end), second;

    if (first < 0)
        return scan_fail(s, ERR_MALFORMED, from, "want four hex digits after \\u");
    s->at += 4;
    if (first == 0)
        return scan_fail(s, ERR_MALFORMED, from, "\\u0000 in a string");
    if (first < 0xD800 || first > 0xDFFF)
        return 0;
    second = first <= 0xDBFF && s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u'
                 ? hex4(s->at + 2, s->end)
                 : -1;
    if (second < 0xDC00 || second > 0xDFFF)
        return scan_fail(s, ERR_MALFORMED, from, "\\u%04x is half a character", (unsigned)first);
    s->at += 6;
    return 0;
}

static int scan_escape(struct scan *s)
{
    if (s->at < s->end && *s->at == 'u') {
        s->at++;
        return scan_unicode_escape(s);
    }
    if (s->at == s->end || !memchr("\"\\/bfnrt", *s->at, 8))
        return scan_fail(s, ERR_MALFORMED, s->at - 1, "no such escape in a string");
    s->at++;
    return 0;
}

/* A string; what stands between its quotes into *key unless NULL. */
static int scan_string(struct scan *s, struct key *key)
{
    const char *from = s->at + 1;
    bool escaped = false;
    size_t n;

    s->at++;
    while (!scan_take(s, '"')) {
        if (s->at == s->end)
            return scan_fail(s, ERR_MALFORMED, from - 1, "string without an end");
        if ((unsigned char)*s->at < 0x20)
            return scan_fail(s, ERR_MALFORMED, s->at, "control character 0x%02x in a string",
                             (unsigned char)*s->at);
        if (scan_take(s, '\\')) {
            escaped = true;
            if (scan_escape(s) < 0)
                return -1;
            continue;
        }
        if (!(n = text_utf8_len(s->at, (size_t)(s->end - s->at))))
            return scan_fail(s, ERR_MALFORMED, s->at, "byte 0x%02x is not UTF-8",
                             (unsigned char)*s->at);
        s->at += n;
    }
    if (key)
        *key = (struct key){from, (size_t)(s->at - 1 - from), escaped};
    return 0;
}

static int scan_number(struct scan *s)
{
    const char *from = s->at, *wrong;
    bool integer = true;
    int64_t whole;
    double value;
    size_t len;
    int shown;

    for (; s->at < s->end && memchr("0123456789+-.eE", *s->at, 15); s->at++)
        integer = integer && !memchr(".eE", *s->at, 3);
    len = (size_t)(s->at - from);
    shown = len < SHOWN_MAX ? (int)len : SHOWN_MAX;
    wrong = num_read_f64(from, len, &value);
    if (!wrong && len > NUMBER_MAX)
        wrong = "has too many digits";
    if (!wrong && integer && value != 0 &&
        num_parse_i64(from, len, -JSON_INTEGER_MAX, JSON_INTEGER_MAX, &whole, "", NULL) < 0)
        wrong = "is beyond 2^53, where integers are no longer exact";
    if (wrong)
        return scan_fail(s, ERR_MALFORMED, from, "%.*s %s", shown, from, wrong);
    return 0;
}

static int scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return scan_unexpected(s, "a value");
    s->at += len;
    return 0;
}

static int scan_array(struct scan *s)
{
    s->at++;
    skip_blanks(s);
    if (scan_take(s, ']'))
        return 0;
    do {
        if (scan_value(s) < 0)
            return -1;
        skip_blanks(s);
    } while (scan_take(s, ','));
    return scan_take(s, ']') ? 0 : scan_unexpected(s, "',' or ']'");
}

/* The next character of a key that was found well formed. */
static uint32_t key_next(const char **p)
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    const unsigned char *u = (const unsigned char *)*p;
    uint32_t high;

    if (*u != '\\') {
        size_t n = text_utf8_len(*p, 4);

        *p += n;
        switch (n) {
        case 2:
            return (u[0] & 0x1FU) << 6 | (u[1] & 0x3FU);
        case 3:
            return (u[0] & 0x0FU) << 12 | (u[1] & 0x3FU) << 6 | (u[2] & 0x3FU);
        case 4:
            return (u[0] & 0x07U) << 18 | (u[1] & 0x3FU) << 12 | (u[2] & 0x3FU) << 6 |
                   (u[3] & 0x3FU);
        default:
            return u[0];
        }
    }
    if (u[1] != 'u') {
        *p += 2;
        for (const char *e = escapes; *e; e += 2)
            if ((unsigned char)*e == u[1])
                return (unsigned char)e[1];
        return u[1];
    }
    high = (uint32_t)hex4(*p + 2, *p + 6);
    *p += 6;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    *p += 6;
    return 0x10000 + ((high - 0xD800) << 10) + ((uint32_t)hex4(*p - 4, *p) - 0xDC00);
}

/* Order by what the keys mean; for UTF-8 the order of bytes is that of characters. */
static int key_compare(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    const char *p = a->p, *q = b->p, *p_end = p + a->len, *q_end = q + b->len;
    int differ;

    if (!a->escaped && !b->escaped) {
        differ = memcmp(p, q, a->len < b->len ? a->len : b->len);
        return differ ? differ : (a->len > b->len) - (a->len < b->len);
    }
    while (p < p_end && q < q_end) {
        uint32_t c = key_next(&p), d = key_next(&q);

        if (c != d)
            return c < d ? -1 : 1;
    }
    return (p < p_end) - (q < q_end);
}

static int keys_add(struct scan *s, const struct key *key)
{
    struct key *more;
    size_t cap;

    if (s->key_count == s->key_cap) {
        cap = s->key_cap ? 2 * s->key_cap : 32;
        if (!(more = mem_realloc_array(s->keys, cap, sizeof *more)))
            return scan_fail(s, ERR_NOMEM, s->at, "no memory for %zu keys", cap);
        s->keys = more;
        s->key_cap = cap;
    }
    s->keys[s->key_count++] = *key;
    return 0;
}

/* Forget the keys from `first` on, which are one object's; refuse when two are the same. */
static int keys_close(struct scan *s, size_t first)
{
    struct key *keys = s->keys + first;
    size_t count = s->key_count - first;

    s->key_count = first;
    if (count < 2)
        return 0;
    qsort(keys, count, sizeof *keys, key_compare);
    for (size_t i = 1; i < count; i++) {
        const struct key *later = keys[i].p > keys[i - 1].p ? &keys[i] : &keys[i - 1];

        if (key_compare(&keys[i - 1], &keys[i]) == 0)
            return scan_fail(s, ERR_MALFORMED, later->p - 1, "repeated key \"%.*s\"",
                             (int)text_utf8_fit(later->p, later->len, SHOWN_MAX), later->p);
    }
    return 0;
}

static int scan_member(struct scan *s)
{
    struct key key = {NULL, 0, false};

    skip_blanks(s);
    if (s->at == s->end || *s->at != '"')
        return scan_unexpected(s, "a key in quotes");
    if (scan_string(s, &key) < 0 || keys_add(s, &key) < 0)
        return -1;
    skip_blanks(s);
    if (!scan_take(s, ':'))
        return scan_unexpected(s, "':'");
    return scan_value(s);
}

static int scan_object(struct scan *s)
{
    size_t first = s->key_count;

    s->at++;
    skip_blanks(s);
    if (scan_take(s, '}'))
        return 0;
    do {
        if (scan_member(s) < 0)
            return -1;
        skip_blanks(s);
    } while (scan_take(s, ','));
    if (!scan_take(s, '}'))
        return scan_unexpected(s, "',' or '}'");
    return keys_close(s, first);
}

static int scan_container(struct scan *s)
{
    int rc;

    if (s->depth == JSON_DEPTH_MAX)
        return scan_fail(s, ERR_TOO_BIG, s->at, "nested deeper than %d", JSON_DEPTH_MAX);
    s->depth++;
    rc = *s->at == '{' ? scan_object(s) : scan_array(s);
    s->depth--;
    return rc;
}

static int scan_value(struct scan *s)
{
    skip_blanks(s);
    if (s->at == s->end)
        return scan_unexpected(s, "a value");
    switch (*s->at) {
    case '{':
    case '[':
        return scan_container(s);
    case '"':
        return scan_string(s, NULL);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return *s->at == '-' || (*s->at >= '0' && *s->at <= '9') ? scan_number(s)
                                                                 : scan_unexpected(s, "a value");
    }
}

int json_scan(const char *text, size_t len, struct err *err)
{
    struct scan s = {.err = err};
    int rc;

    if (len > JSON_TEXT_MAX)
        return err_set(err, ERR_TOO_BIG, "JSON of %zu bytes, limit %d", len, JSON_TEXT_MAX);
    s.start = s.at = len ? text : "";
    s.end = s.start + len;
    rc = scan_value(&s);
    if (rc == 0) {
        skip_blanks(&s);
        if (s.at < s.end)
            rc = scan_unexpected(&s, "the end of the text");
    }
    mem_free(s.keys);
    return rc;
}
