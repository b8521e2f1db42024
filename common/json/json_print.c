/* json_print.c - the writer; see json_print in json.h.
 *
 * Lines are laid out by trying: what may stay on one line is written, and taken back when it passes
 * LINE_WIDTH. Only lists of scalars are tried, so nothing is written more than twice. */
#include "common/json/json.h"
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/num.h"
#include "common/core/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LINE_WIDTH 100
#define INDENT 2

struct printer {
    struct buf out;
    bool pretty;
    size_t line_start; /* where the current line began in out */
    bool too_deep;
};

static void print_value(struct printer *p, const struct json *v, int depth);

static void new_line(struct printer *p, int depth)
{
    if (!p->pretty)
        return;
    buf_addc(&p->out, '\n');
    p->line_start = p->out.len;
    for (int i = 0; i < INDENT * depth; i++)
        buf_addc(&p->out, ' ');
}

/* Bytes, not characters: near enough for where a line breaks. */
static bool past_width(const struct printer *p)
{
    return p->out.len - p->line_start > LINE_WIDTH;
}

static void take_back(struct printer *p, size_t len, size_t line_start)
{
    p->out.len = len;
    p->line_start = line_start;
}

static void print_escape(struct buf *out, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = memchr(plain, c, sizeof plain - 1);

    if (at)
        buf_addf(out, "\\%c", letters[at - plain]);
    else
        buf_addf(out, "\\u%04x", c);
}

/* Bytes at the front that are written as they are, and are characters of their own. */
static size_t plain_run(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] >= 0x20 && text[n] < 0x7F && text[n] != '"' && text[n] != '\\')
        n++;
    return n;
}

/* Control characters are written as escapes, also those that JSON lets stand (U+007F-9F): the text
 * may end up on a terminal. */
static void print_text(struct buf *out, const char *text)
{
    size_t left = strlen(text), n;

    buf_addc(out, '"');
    for (; left > 0; text += n, left -= n) {
        unsigned char c = (unsigned char)*text;

        if ((n = plain_run(text, left)) > 0) {
            buf_add(out, text, n);
            continue;
        }
        n = text_utf8_len(text, left);
        assert(n > 0); /* trees hold nothing else */
        if (n == 2 && c == 0xC2 && (unsigned char)text[1] < 0xA0)
            print_escape(out, (unsigned char)text[1]);
        else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F)
            print_escape(out, c);
        else
            buf_add(out, text, n);
    }
    buf_addc(out, '"');
}

static void print_number(struct buf *out, const struct json *v)
{
    char text[NUM_F64_TEXT_MAX];

    if (json_is_integer(v)) { /* -0 is written 0 */
        buf_addf(out, "%lld", (long long)json_integer(v));
        return;
    }
    buf_adds(out, num_format_f64(json_number(v), text));
    if (!strpbrk(text, ".e")) /* an integer past 2^53, which only a real number may be */
        buf_adds(out, ".0");
}

static bool is_container(const struct json *v)
{
    return json_type_of(v) == JSON_ARRAY || json_type_of(v) == JSON_OBJECT;
}

static bool holds_containers(const struct json *v)
{
    for (const struct json *item = json_first(v); item; item = json_next(item))
        if (is_container(item))
            return true;
    return false;
}

/* One item or member, with its name. */
static void print_item(struct printer *p, const struct json *item, bool named, int depth)
{
    if (named) {
        print_text(&p->out, json_name(item));
        buf_adds(&p->out, p->pretty ? ": " : ":");
    }
    print_value(p, item, depth);
}

/* All on one line; false, and taken back, when that is too long. */
static bool print_inline(struct printer *p, const struct json *v, bool object)
{
    size_t len = p->out.len, line_start = p->line_start;

    buf_addc(&p->out, object ? '{' : '[');
    for (const struct json *item = json_first(v); item; item = json_next(item)) {
        print_item(p, item, object, 0);
        if (json_next(item))
            buf_adds(&p->out, ", ");
        if (past_width(p)) {
            take_back(p, len, line_start);
            return false;
        }
    }
    buf_addc(&p->out, object ? '}' : ']');
    return true;
}

/* An array of scalars that takes several lines, each as full as it may be. */
static void print_filled(struct printer *p, const struct json *v, int depth)
{
    buf_addc(&p->out, '[');
    new_line(p, depth + 1);
    for (const struct json *item = json_first(v); item; item = json_next(item)) {
        size_t len = p->out.len, line_start = p->line_start;

        if (item != json_first(v))
            buf_addc(&p->out, ' ');
        print_item(p, item, false, 0);
        if (past_width(p) && item != json_first(v)) {
            take_back(p, len, line_start);
            new_line(p, depth + 1);
            print_item(p, item, false, 0);
        }
        if (json_next(item))
            buf_addc(&p->out, ',');
    }
    new_line(p, depth);
    buf_addc(&p->out, ']');
}

/* One item or member a line. */
static void print_lines(struct printer *p, const struct json *v, bool object, int depth)
{
    buf_addc(&p->out, object ? '{' : '[');
    for (const struct json *item = json_first(v); item; item = json_next(item)) {
        new_line(p, depth + 1);
        print_item(p, item, object, depth + 1);
        if (json_next(item))
            buf_addc(&p->out, ',');
    }
    new_line(p, depth);
    buf_addc(&p->out, object ? '}' : ']');
}

/* The outermost object always has a line for each member. */
static void print_container(struct printer *p, const struct json *v, int depth)
{
    bool object = json_type_of(v) == JSON_OBJECT, flat;

    if (depth >= JSON_DEPTH_MAX) {
        p->too_deep = true;
        return;
    }
    flat = p->pretty && !holds_containers(v) && (!object || depth > 0);
    if (!json_first(v))
        buf_adds(&p->out, object ? "{}" : "[]");
    else if (flat && print_inline(p, v, object))
        ;
    else if (flat && !object)
        print_filled(p, v, depth);
    else
        print_lines(p, v, object, depth);
}

static void print_value(struct printer *p, const struct json *v, int depth)
{
    switch (json_type_of(v)) {
    case JSON_NULL:
        buf_adds(&p->out, "null");
        break;
    case JSON_BOOL:
        buf_adds(&p->out, json_bool_value(v) ? "true" : "false");
        break;
    case JSON_NUMBER:
        print_number(&p->out, v);
        break;
    case JSON_STRING:
        print_text(&p->out, json_text(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        print_container(p, v, depth);
        break;
    }
}

char *json_print(const struct json *v, bool pretty, struct err *err)
{
    struct printer p = {.pretty = pretty};
    char *text;

    if (!v) {
        err_set(err, ERR_INVALID, "no JSON value to print");
        return NULL;
    }
    buf_init(&p.out, JSON_PRINT_MAX);
    print_value(&p, v, 0);
    if (pretty)
        buf_addc(&p.out, '\n');
    if (p.too_deep) {
        err_set(err, ERR_TOO_BIG, "JSON nested deeper than %d", JSON_DEPTH_MAX);
        buf_clear(&p.out);
        return NULL;
    }
    if (!(text = buf_take(&p.out, NULL, err)))
        err_prefix(err, "JSON");
    return text;
}
