/* lenient_json.c - where a value begins, and what was forgiven in it. */
#include "coordinator/signature/lenient_json.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/json/json.h"
#include "coordinator/signature/lenient_scan.h"
#include "coordinator/signature/notes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Places tried: prose before an answer has a bracket or two. Also keeps the work linear. */
#define STARTS_MAX 16

static const struct {
    enum lenient_kind kind;
    const char *text;
} kinds[] = {
    {LENIENT_AROUND, "text around the JSON, passed over"},
    {LENIENT_QUOTES, "quotes that are not JSON's"},
    {LENIENT_BARE, "words without quotes"},
    {LENIENT_PYTHON, "words of Python"},
    {LENIENT_COMMENT, "comments, passed over"},
    {LENIENT_COMMA, "commas missing or too many"},
    {LENIENT_BREAK, "control characters or escapes that JSON does not have, in a text"},
    {LENIENT_INNER, "quotes inside a text"},
    {LENIENT_CUT, "ends too early: closed where it stopped, a value that was cut is dropped"},
    {LENIENT_CUT_TEXT, "a text that ends too early, kept as far as it goes"},
    {LENIENT_STRAY, "braces, quotes or colons too many or too few"},
    {LENIENT_REPEATED, "a key stands twice, the later value counts"},
    {LENIENT_SEVERAL, "several objects in a row, taken together"},
    {LENIENT_NUMBER, "a number in a form that JSON does not have"},
    {LENIENT_BRACES, "members without braces around them"},
    {LENIENT_NO_VALUE, "a key without a value, dropped"},
};

static void note_kinds(const char *name, unsigned found, struct notes *notes)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (found & kinds[i].kind)
            note_add(notes, "%s: %s", name, kinds[i].text);
}

/* Only blanks and a code fence: what is worth no word of its own in a note is still one. */
static bool is_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p == end;
}

/* Where a value of the kind wanted could begin, from p on; NULL: nowhere. For an array that is a
 * list of things, or an object: "[as you asked]" begins none, and "[1]" only where the text does:
 * elsewhere it is a footnote. */
static const char *find_start(const char *text, const char *p, const char *end,
                              enum lenient_want want)
{
    for (; p < end; p++) {
        const char *next = p + 1;

        if (*p == '{')
            return p;
        if (*p != '[' || want == LENIENT_OBJECT)
            continue;
        while (next < end && (*next == ' ' || *next == '\n' || *next == '\t' || *next == '\r'))
            next++;
        if (next < end &&
            strchr(is_blank(text, p) ? "{]\"'-0123456789" : "{]\"'", *next ? *next : ' '))
            return p;
    }
    return NULL;
}

/* The objects that follow the first with nothing but blanks and commas between. */
static struct json *gather(struct lenient_scan *s, struct json *first, enum lenient_want want)
{
    struct json *all = first, *v = NULL;
    bool listed = false;

    for (;;) {
        const char *back = s->p;

        while (lenient_scan_blanks(s), s->p < s->end && *s->p == ',')
            s->p++;
        if (s->p == s->end || *s->p != '{') {
            s->p = back;
            return all;
        }
        s->kinds |= LENIENT_SEVERAL;
        if (want == LENIENT_ARRAY && !listed) {
            if (!(all = json_array()) || json_append(all, &first) < 0)
                goto no_memory;
            listed = true;
        }
        if (!(v = lenient_scan_container(s)))
            goto fail;
        if (listed && json_append(all, &v) < 0)
            goto no_memory;
        for (const struct json *m = listed ? NULL : json_first(v); m; m = json_next(m)) {
            struct json *copy = json_dup(m);

            if (json_count(all) > LENIENT_MEMBERS_MAX) {
                json_free(copy);
                s->too_much = true;
                goto fail;
            }
            if (json_set(all, json_name(m), &copy) < 0)
                goto no_memory;
        }
        json_free(v);
        v = NULL;
    }
no_memory:
    s->no_memory = true;
fail:
    json_free(v);
    if (all != first)
        json_free(all);
    json_free(first); /* NULL once it is in the list */
    return NULL;
}

/* A value with nothing in it is no find while there may be a better one. */
static struct json *search(struct lenient_scan *s, const char *text, enum lenient_want want)
{
    const char *start = text;

    for (int tries = 0; tries < STARTS_MAX; tries++) {
        struct json *v;

        if (!(start = find_start(text, start, s->end, want)))
            return NULL;
        s->p = start;
        s->kinds = 0;
        v = lenient_scan_container(s);
        if (v && json_first(v)) {
            if (json_type_of(v) == JSON_OBJECT && !(v = gather(s, v, want)))
                return NULL;
            if (!is_blank(text, start) || !is_blank(s->p, s->end))
                s->kinds |= LENIENT_AROUND;
            return v;
        }
        json_free(v);
        if (s->no_memory || s->too_much)
            return NULL;
        start++;
    }
    return NULL;
}

static struct json *braceless(struct lenient_scan *s, const char *text)
{
    struct json *v;

    s->p = text;
    s->kinds = LENIENT_BRACES;
    v = lenient_scan_members(s);
    if (v && !json_first(v)) {
        json_free(v);
        return NULL;
    }
    return v;
}

static struct json *nothing(const char *name, const char *text, size_t len,
                            const struct lenient_scan *s, struct err *err)
{
    char quote[NOTE_QUOTE_MAX + 4];

    if (s->no_memory)
        err_set(err, ERR_NOMEM, "%s", name);
    else if (s->too_much)
        err_set(err, ERR_TOO_BIG, "%s: more than %d values, %d members or %d levels", name,
                LENIENT_VALUES_MAX, LENIENT_MEMBERS_MAX, JSON_DEPTH_MAX);
    else
        err_set(err, ERR_MALFORMED, "%s: no JSON in \"%s\"", name, note_quote(quote, text, len));
    return NULL;
}

/* Without one code fence around it. True when there was one. */
static bool strip_fence(const char **text, size_t *len)
{
    const char *p = *text, *end = p + *len, *body;

    while (p < end && is_blank(p, p + 1))
        p++;
    if (end - p < 3 || memcmp(p, "```", 3) != 0 || !(body = memchr(p, '\n', (size_t)(end - p))))
        return false;
    body++;
    while (end > body && is_blank(end - 1, end))
        end--;
    if (end - body >= 3 && memcmp(end - 3, "```", 3) == 0)
        end -= 3;
    *text = body;
    *len = (size_t)(end - body);
    return true;
}

/* [a, b]: a list of bare words, which nothing but its place as the whole text tells from prose in
 * brackets. */
static struct json *whole_list(struct lenient_scan *s, const char *text)
{
    struct json *v;

    const char *last = s->end;

    while (text < last && is_blank(text, text + 1))
        text++;
    while (last > text && is_blank(last - 1, last))
        last--;
    if (last - text < 2 || *text != '[' || last[-1] != ']')
        return NULL;
    s->p = text;
    s->kinds = 0;
    v = lenient_scan_container(s);
    if (v && is_blank(s->p, s->end) && !(s->kinds & LENIENT_CUT))
        return v;
    json_free(v);
    return NULL;
}

static struct json *parse_loose(const char *name, const char *text, size_t len,
                                enum lenient_want want, struct notes *notes, struct err *err)
{
    bool fenced = strip_fence(&text, &len);
    struct lenient_scan s = {.p = text, .end = text + len, .keep = want & LENIENT_KEEP};
    struct json *v;

    want &= ~LENIENT_KEEP;
    v = search(&s, text, want);

    if (!v && !s.no_memory && !s.too_much && want == LENIENT_ARRAY)
        v = whole_list(&s, text);
    if (!v && !s.no_memory && !s.too_much && want == LENIENT_OBJECT &&
        !find_start(text, text, text + len, want))
        v = braceless(&s, text);
    if (!v)
        return nothing(name, text, len, &s, err);
    note_kinds(name, s.kinds | (fenced ? LENIENT_AROUND : 0), notes);
    return v;
}

struct json *lenient_json_parse(const char *name, const char *text, size_t len,
                                enum lenient_want want, struct notes *notes, struct err *err)
{
    struct err why = {0};
    struct json *v, *inner;
    const char *quoted;

    if (!text) {
        text = "";
        len = 0;
    }
    if (len > JSON_TEXT_MAX) {
        err_set(err, ERR_TOO_BIG, "%s: %zu bytes, limit %d", name, len, JSON_TEXT_MAX);
        return NULL;
    }
    v = json_parse(text, len, &why);
    if (v && (json_type_of(v) == JSON_OBJECT ||
              ((want & ~LENIENT_KEEP) == LENIENT_ARRAY && json_type_of(v) == JSON_ARRAY)))
        return v;
    if (!v && why.code == ERR_NOMEM) {
        err_set(err, ERR_NOMEM, "%s", name);
        return NULL;
    }
    if ((quoted = json_text(v))) { /* a text that holds JSON */
        inner = parse_loose(name, quoted, strlen(quoted), want, notes, err);
        if (inner)
            note_add(notes, "%s: JSON inside a text", name);
    } else {
        inner = parse_loose(name, text, len, want, notes, err);
    }
    json_free(v);
    return inner;
}

void lenient_drop_nulls(struct json *v)
{
    const struct json *next;

    for (const struct json *m = json_first(v); m; m = next) {
        next = json_next(m);
        if (json_type_of(m) == JSON_NULL && json_name(m))
            json_free(json_remove(v, json_name(m)));
        else
            lenient_drop_nulls((struct json *)(uintptr_t)m);
    }
}
