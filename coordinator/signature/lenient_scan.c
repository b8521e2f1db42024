/* lenient_scan.c - containers, numbers and words, forgiving. Every step moves p on or ends, and
 * every value is counted, so the work is bounded by the text. */
#include "coordinator/signature/lenient_scan.h"

#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "coordinator/signature/lenient_json.h"

#include <float.h>
#include <math.h>
#include <string.h>

static struct json *scan_value(struct lenient_scan *s, bool in_object);

static bool at(const struct lenient_scan *s, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(s->end - s->p) >= len && memcmp(s->p, text, len) == 0;
}

static void skip_to(struct lenient_scan *s, const char *text)
{
    while (s->p < s->end && !at(s, text))
        s->p++;
}

void lenient_scan_blanks(struct lenient_scan *s)
{
    while (s->p < s->end) {
        if (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n') {
            s->p++;
        } else if (at(s, "//") || at(s, "#")) {
            s->kinds |= LENIENT_COMMENT;
            skip_to(s, "\n");
        } else if (at(s, "/*")) {
            s->kinds |= LENIENT_COMMENT;
            s->p += 2;
            skip_to(s, "*/");
            s->p += s->p < s->end ? 2 : 0;
        } else {
            return;
        }
    }
}

/* One more value was made, or could not be. */
static struct json *count(struct lenient_scan *s, struct json *v)
{
    if (!v)
        s->no_memory = true;
    if (++s->values > LENIENT_VALUES_MAX)
        s->too_much = true;
    return v;
}

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E' ||
           c == '_';
}

/* The digits as JSON has them: +5, 5., .5, 1_000 and 007 are numbers to people. -1 when it is none.
 */
static int clean_number(const char *p, size_t len, char *out, size_t size, bool *changed)
{
    size_t n = 0, i = 0, digits = 0;

    for (size_t j = 0; j < len; j++)
        digits += p[j] >= '0' && p[j] <= '9';
    if (digits == 0 || len + 3 > size)
        return -1;
    if (p[0] == '+' || p[0] == '-') {
        if (p[0] == '-')
            out[n++] = '-';
        else
            *changed = true;
        i = 1;
    }
    while (i + 1 < len && p[i] == '0' && p[i + 1] >= '0' && p[i + 1] <= '9') {
        *changed = true;
        i++;
    }
    if (i < len && p[i] == '.') {
        out[n++] = '0';
        *changed = true;
    }
    for (; i < len; i++) {
        bool digit_next = i + 1 < len && p[i + 1] >= '0' && p[i + 1] <= '9';
        bool dot_next = i + 1 < len && p[i + 1] == '.';

        if ((p[i] == '_' && digit_next) || (p[i] == '.' && !digit_next && !dot_next))
            *changed = true;
        else
            out[n++] = p[i];
    }
    out[n] = '\0';
    return 0;
}

static int number_value(const char *p, size_t len, bool *changed, double *out)
{
    char text[64];

    if (clean_number(p, len, text, sizeof text, changed) < 0)
        return -1;
    return num_parse_f64(text, strlen(text), -DBL_MAX, DBL_MAX, out, "", NULL);
}

/* Whether the run of number characters from p to `to` stands for itself: "8 GB" and, in an object,
 * "1,000" do not, and stay text for the cast to refuse. */
static bool number_ends(const struct lenient_scan *s, const char *to, bool in_object)
{
    const char *digits_end = to;

    if (in_object && s->end - to > 1 && *to == ',' && to[1] >= '0' && to[1] <= '9')
        return false;
    while (to < s->end && (*to == ' ' || *to == '\t' || *to == '\r'))
        to++;
    if (to < s->end && *to == '"' && to > digits_end)
        return true; /* a comma is missing */
    return to == s->end || strchr(",;}]\n#", *to ? *to : ' ') ||
           (*to == '/' && s->end - to > 1 && (to[1] == '/' || to[1] == '*'));
}

/* Bare text that holds a comma between digits goes on behind it. */
static char *scan_grouped(struct lenient_scan *s, bool *cut)
{
    const char *from = s->p;

    char *text = NULL;

    for (;;) {
        mem_free(text);
        if (!(text = lenient_scan_bare(s, false, cut)))
            return NULL;
        if (s->end - s->p < 2 || *s->p != ',' || s->p[1] < '0' || s->p[1] > '9')
            break;
        s->p++;
    }
    mem_free(text);
    if (!(text = lenient_scan_text(from, (size_t)(s->p - from))))
        s->no_memory = true;
    return text;
}

/* null "k": 3 lacks a comma behind the word; how long the word is, or 0. */
static size_t word_before_quote(const struct lenient_scan *s)
{
    static const char *const words[] = {"null", "true", "false", "None", "True", "False"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]), ahead = len;

        if (!at(s, words[i]))
            continue;
        while ((size_t)(s->end - s->p) > ahead && s->p[ahead] == ' ')
            ahead++;
        if (ahead > len && (size_t)(s->end - s->p) > ahead && s->p[ahead] == '"')
            return len;
    }
    return 0;
}

static char *scan_plain(struct lenient_scan *s, bool *cut)
{
    size_t len = word_before_quote(s);
    char *word;

    if (len == 0)
        return lenient_scan_bare(s, false, cut);
    if (!(word = lenient_scan_text(s->p, len)))
        s->no_memory = true;
    s->p += len;
    return word;
}

static struct json *scan_word(struct lenient_scan *s, bool in_object)
{
    bool cut = false, digit = *s->p >= '0' && *s->p <= '9';
    char *word = in_object && digit ? scan_grouped(s, &cut) : scan_plain(s, &cut);
    struct json *v = NULL;

    if (!word)
        return NULL;
    if (cut && !s->ends_well) {
        s->kinds |= LENIENT_CUT;
    } else if (text_equals_ci(word, "true") || text_equals_ci(word, "false")) {
        if (strcmp(word, "true") != 0 && strcmp(word, "false") != 0)
            s->kinds |= LENIENT_PYTHON;
        v = count(s, json_new_bool(text_equals_ci(word, "true")));
    } else if (text_equals_ci(word, "none") || text_equals_ci(word, "null") ||
               text_equals_ci(word, "nan") || text_equals_ci(word, "undefined") || !*word) {
        s->kinds |= strcmp(word, "null") == 0 ? 0 : LENIENT_PYTHON;
        if (s->keep && *word)
            v = count(s, json_new_null());
    } else {
        s->kinds |= LENIENT_BARE;
        v = count(s, json_new_text(word));
    }
    mem_free(word);
    return v;
}

static bool is_whole(const char *from, const char *to)
{
    from += from < to && *from == '-';
    while (from < to && *from >= '0' && *from <= '9')
        from++;
    return from == to;
}

static struct json *scan_number_or_word(struct lenient_scan *s, bool in_object)
{
    const char *to = s->p, *from;
    bool changed = false;
    double value;

    while (to < s->end && is_number_char(*to))
        to++;
    if (to == s->p || !number_ends(s, to, in_object))
        return scan_word(s, in_object);
    if (to == s->end && !s->ends_well) { /* 1 of a 16 that was cut: no value */
        s->kinds |= LENIENT_CUT;
        s->p = to;
        return NULL;
    }
    if (number_value(s->p, (size_t)(to - s->p), &changed, &value) < 0)
        return scan_word(s, in_object);
    if (changed)
        s->kinds |= LENIENT_NUMBER;
    from = s->p;
    s->p = to;
    if (fabs(value) > (double)JSON_INTEGER_MAX && is_whole(from, to))
        return count(s, json_new_text_n(from, (size_t)(to - from))); /* with all its digits */
    return count(s, json_new_f64(value)); /* a whole one is written as an integer */
}

static struct json *scan_text_value(struct lenient_scan *s)
{
    bool cut = false;
    char *text = lenient_scan_string(s, &cut);
    struct json *v = text && (!cut || s->keep) ? count(s, json_new_text(text)) : NULL;

    if (v && cut)
        s->kinds |= LENIENT_CUT_TEXT;
    mem_free(text);
    return v;
}

/* NULL also for null and for what was cut, unless they are kept. */
static struct json *scan_value(struct lenient_scan *s, bool in_object)
{
    if (s->p == s->end) {
        s->kinds |= LENIENT_CUT;
        return NULL;
    }
    if (*s->p == '{' || *s->p == '[')
        return lenient_scan_container(s);
    if (lenient_at_quote(s))
        return scan_text_value(s);
    return scan_number_or_word(s, in_object);
}

static bool stopped(const struct lenient_scan *s)
{
    return s->no_memory || s->too_much;
}

static void scan_member(struct lenient_scan *s, struct json *object, size_t *members)
{
    char *key = lenient_scan_key(s);
    struct json *v;

    if (!key) {
        if (s->p < s->end && (*s->p == ':' || *s->p == ']'))
            s->p++; /* so that each step moves on */
        return;
    }
    v = scan_value(s, true);
    if (v && json_member(object, key))
        s->kinds |= LENIENT_REPEATED;
    else if (v && ++*members > LENIENT_MEMBERS_MAX)
        s->too_much = true;
    if (v && !s->too_much && json_set(object, key, &v) < 0)
        s->no_memory = true;
    json_free(v);
    mem_free(key);
}

/* Commas between items, whether there is none or more than one. */
static void scan_comma(struct lenient_scan *s, bool first, char close)
{
    unsigned commas = 0;

    for (; lenient_scan_blanks(s), s->p < s->end && (*s->p == ',' || *s->p == ';'); s->p++)
        commas++;
    if (s->p < s->end && *s->p == close ? commas > 0 : commas != (first ? 0 : 1))
        s->kinds |= s->p < s->end ? LENIENT_COMMA : 0;
}

static void scan_object(struct lenient_scan *s, struct json *object, bool braces)
{
    size_t members = 0;

    for (bool first = true; !stopped(s); first = false) {
        const char *before;

        if (braces) {
            scan_comma(s, first, '}');
        } else {
            while (lenient_scan_blanks(s), s->p < s->end && (*s->p == ',' || *s->p == ';'))
                s->p++;
        }
        if (s->p == s->end) {
            s->kinds |= braces ? LENIENT_CUT : 0;
            return;
        }
        if (*s->p == ']' && braces && s->arrays == 0) { /* nothing that it could close */
            s->kinds |= LENIENT_STRAY;
            s->p++;
            continue;
        }
        if (*s->p == '}' || (*s->p == ']' && braces)) {
            if (*s->p == '}')
                s->p++;
            else
                s->kinds |= LENIENT_CUT;
            return;
        }
        before = s->p;
        scan_member(s, object, &members);
        if (s->p == before)
            s->p++;
    }
}

static void scan_array(struct lenient_scan *s, struct json *array)
{
    for (bool first = true; !stopped(s); first = false) {
        const char *before;
        struct json *v;

        scan_comma(s, first, ']');
        if (s->p == s->end || *s->p == '}' || *s->p == ']') {
            if (s->p < s->end && *s->p == ']')
                s->p++;
            else
                s->kinds |= LENIENT_CUT;
            return;
        }
        before = s->p;
        v = scan_value(s, false);
        if (v && json_append(array, &v) < 0)
            s->no_memory = true;
        if (s->p == before)
            s->p++;
    }
}

struct json *lenient_scan_container(struct lenient_scan *s)
{
    bool object = *s->p == '{';
    struct json *v;

    if (s->depth == JSON_DEPTH_MAX - 1) {
        s->too_much = true;
        return NULL;
    }
    if (!(v = count(s, object ? json_object() : json_array())))
        return NULL;
    s->p++;
    s->depth++;
    s->arrays += !object;
    if (object)
        scan_object(s, v, true);
    else
        scan_array(s, v);
    s->arrays -= !object;
    s->depth--;
    if (stopped(s)) {
        json_free(v);
        return NULL;
    }
    return v;
}

struct json *lenient_scan_members(struct lenient_scan *s)
{
    struct json *v = count(s, json_object());

    s->ends_well = true;
    if (v)
        scan_object(s, v, false);
    if (v && stopped(s)) {
        json_free(v);
        return NULL;
    }
    return v;
}
