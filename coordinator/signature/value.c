/* value.c - JSON values printed as Python prints them. */
#include "coordinator/signature/value.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/model/record.h"
#include "coordinator/signature/raw_json.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOAT_TEXT_MAX 40      /* a sign, 17 digits, a point, 16 zeros or an exponent */
#define BLOCK_OPEN "\xc2\xab"  /* « */
#define BLOCK_CLOSE "\xc2\xbb" /* » */

bool value_is_text(const struct signature_field *f)
{
    if (f->row)
        return f->row->type == FIELD_TEXT || f->row->type == FIELD_PROSE;
    return value_type_is_text(f->type);
}

/* ---- scalars ---- */

/* Digits and exponent of the shortest text that reads back as `value`, which is finite, not 0:
 * d.ddd x 10^exponent, without the point. Returns the exponent. */
static int shortest_digits(double value, char digits[24])
{
    char text[FLOAT_TEXT_MAX];
    int precision = 0;
    char *e;

    do
        snprintf(text, sizeof text, "%.*e", precision, value);
    while (strtod(text, NULL) != value && ++precision < 17);
    e = strchr(text, 'e');
    *digits = '\0';
    for (const char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9')
            snprintf(digits + strlen(digits), 2, "%c", *p);
    return (int)strtol(e + 1, NULL, 10);
}

static void add_zeros(struct buf *b, int count)
{
    for (int i = 0; i < count; i++)
        buf_addc(b, '0');
}

void value_add_float(struct buf *b, double value)
{
    char digits[24] = "";
    int exponent, count;

    if (isnan(value) || isinf(value)) {
        buf_adds(b, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    if (signbit(value))
        buf_addc(b, '-');
    if (value == 0) {
        buf_adds(b, "0.0");
        return;
    }
    exponent = shortest_digits(fabs(value), digits);
    count = (int)strlen(digits);
    if (exponent < -4 || exponent >= 16) { /* where Python changes to an exponent */
        buf_addc(b, digits[0]);
        if (count > 1)
            buf_addf(b, ".%s", digits + 1);
        buf_addf(b, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    } else if (exponent < 0) {
        buf_adds(b, "0.");
        add_zeros(b, -exponent - 1);
        buf_adds(b, digits);
    } else {
        for (int i = 0; i <= exponent; i++)
            buf_addc(b, i < count ? digits[i] : '0');
        buf_addf(b, ".%s", count > exponent + 1 ? digits + exponent + 1 : "0");
    }
}

/* A number's own text: an integer as written, another as Python would print it. */
static void add_number(struct buf *b, struct raw_value raw)
{
    size_t len = (size_t)(raw.end - raw.text);

    if (memchr(raw.text, '.', len) || memchr(raw.text, 'e', len) || memchr(raw.text, 'E', len))
        value_add_float(b, strtod(raw.text, NULL));
    else if (len == 2 && memcmp(raw.text, "-0", 2) == 0)
        buf_addc(b, '0');
    else
        buf_add(b, raw.text, len);
}

/* The letter behind the backslash; 0: it has none of its own. */
static char escape_letter(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\n':
        return 'n';
    case '\t':
        return 't';
    case '\r':
        return 'r';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return 0;
    }
}

void value_add_quoted(struct buf *b, const char *text)
{
    const char *from = text, *p;

    buf_addc(b, '"');
    for (p = text; *p; p++) {
        char letter;

        if ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
            continue;
        buf_add(b, from, (size_t)(p - from));
        from = p + 1;
        if ((letter = escape_letter(*p)))
            buf_addf(b, "\\%c", letter);
        else
            buf_addf(b, "\\u%04x", (unsigned char)*p);
    }
    buf_add(b, from, (size_t)(p - from));
    buf_addc(b, '"');
}

/* ---- JSON ---- */

static void add_break(struct buf *b, int indent)
{
    buf_addc(b, '\n');
    for (int i = 0; i < indent; i++)
        buf_adds(b, "  ");
}

/* The text is cut in step with the tree: the one knows the numbers, the other the strings. Depth is
 * bounded by json_parse. */
static void add_tree(struct buf *b, const struct json *v, struct raw_value raw, int indent)
{
    enum json_type type = json_type_of(v);
    int inside = indent < 0 ? indent : indent + 1;
    const char *between = "";
    struct raw_value part;
    struct raw_json r;

    if (type == JSON_STRING) {
        value_add_quoted(b, json_text(v));
    } else if (type == JSON_NUMBER) {
        add_number(b, raw);
    } else if (type == JSON_BOOL) {
        buf_adds(b, json_bool_value(v) ? "true" : "false");
    } else if (type == JSON_NULL) {
        buf_adds(b, "null");
    } else {
        buf_addc(b, type == JSON_ARRAY ? '[' : '{');
        raw_json_open(&r, raw.text);
        for (const struct json *m = json_first(v); m && raw_json_next(&r, &part);
             m = json_next(m)) {
            buf_adds(b, between);
            between = indent < 0 ? ", " : ",";
            if (inside >= 0)
                add_break(b, inside);
            if (json_name(m)) {
                value_add_quoted(b, json_name(m));
                buf_adds(b, ": ");
            }
            add_tree(b, m, part, inside);
        }
        if (inside >= 0 && json_first(v))
            add_break(b, indent);
        buf_addc(b, type == JSON_ARRAY ? ']' : '}');
    }
}

static struct json *parse(const char *name, const char *json, struct raw_value *raw,
                          struct err *err)
{
    struct json *v = json_parse(json, strlen(json), err);
    size_t len = strlen(json);

    if (!v) {
        err_prefix(err, "%s", name);
        return NULL;
    }
    raw->text = json + strspn(json, " \t\r\n");
    while (len && strchr(" \t\r\n", json[len - 1]))
        len--;
    raw->end = json + len;
    return v;
}

int value_add_json(struct buf *b, const char *name, const char *json, int indent, struct err *err)
{
    struct raw_value raw;
    struct json *v = parse(name, json, &raw, err);

    if (!v)
        return -1;
    add_tree(b, v, raw, indent);
    json_free(v);
    return 0;
}

/* ---- Python ---- */

/* A text in quotes: ' around it, " where it holds ' and no ". */
static void add_repr_text(struct buf *b, const char *text)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

    buf_addc(b, quote);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (*p == quote || *p == '\\')
            buf_addf(b, "\\%c", *p);
        else if (*p == '\n' || *p == '\r' || *p == '\t')
            buf_addf(b, "\\%c", escape_letter(*p));
        else if (c < 0x20 || c == 0x7f)
            buf_addf(b, "\\x%02x", c);
        else
            buf_addc(b, *p);
    }
    buf_addc(b, quote);
}

static void add_repr(struct buf *b, const struct json *v, struct raw_value raw)
{
    enum json_type type = json_type_of(v);
    const char *between = "";
    struct raw_value part;
    struct raw_json r;

    if (type == JSON_STRING) {
        add_repr_text(b, json_text(v));
    } else if (type == JSON_NUMBER) {
        add_number(b, raw);
    } else if (type == JSON_BOOL) {
        buf_adds(b, json_bool_value(v) ? "True" : "False");
    } else if (type == JSON_NULL) {
        buf_adds(b, "None");
    } else {
        buf_addc(b, type == JSON_ARRAY ? '[' : '{');
        raw_json_open(&r, raw.text);
        for (const struct json *m = json_first(v); m && raw_json_next(&r, &part);
             m = json_next(m), between = ", ") {
            buf_adds(b, between);
            if (json_name(m)) {
                add_repr_text(b, json_name(m));
                buf_adds(b, ": ");
            }
            add_repr(b, m, part);
        }
        buf_addc(b, type == JSON_ARRAY ? ']' : '}');
    }
}

int value_add_python(struct buf *b, const char *name, const char *json, struct err *err)
{
    struct raw_value raw;
    struct json *v = parse(name, json, &raw, err);

    if (!v)
        return -1;
    if (json_text(v))
        buf_adds(b, json_text(v));
    else
        add_repr(b, v, raw);
    json_free(v);
    return 0;
}

/* ---- values ---- */

/* A text in marks that show where it ends; longer ones on lines of their own. */
static void add_block(struct buf *b, const char *text)
{
    if (!strchr(text, '\n') && !strstr(text, BLOCK_OPEN) && !strstr(text, BLOCK_CLOSE)) {
        buf_addf(b, BLOCK_OPEN "%s" BLOCK_CLOSE, text);
        return;
    }
    buf_adds(b, BLOCK_OPEN BLOCK_OPEN BLOCK_OPEN "\n    ");
    for (const char *p = text; *p; p++) {
        buf_addc(b, *p);
        if (*p == '\n')
            buf_adds(b, "    ");
    }
    buf_adds(b, "\n" BLOCK_CLOSE BLOCK_CLOSE BLOCK_CLOSE);
}

/* An item that is no text stands as its JSON. */
static int add_item(struct buf *b, const struct json *item, struct raw_value raw, struct err *err)
{
    struct buf own;
    char *text;

    if (json_text(item)) {
        add_block(b, json_text(item));
        return 0;
    }
    buf_init(&own, b->max);
    add_tree(&own, item, raw, VALUE_ONE_LINE);
    if (!(text = buf_take(&own, NULL, err)))
        return -1;
    add_block(b, text);
    mem_free(text);
    return 0;
}

static int add_items(struct buf *b, const struct json *v, struct raw_value raw, struct err *err)
{
    bool several = json_next(json_first(v)) != NULL;
    struct raw_value part;
    struct raw_json r;
    size_t i = 0;

    if (!json_first(v))
        buf_adds(b, "N/A");
    raw_json_open(&r, raw.text);
    for (const struct json *m = json_first(v); m && raw_json_next(&r, &part); m = json_next(m)) {
        if (several)
            buf_addf(b, "%s[%zu] ", i ? "\n" : "", i + 1);
        i++;
        if (add_item(b, m, part, err) < 0)
            return -1;
    }
    return 0;
}

int value_add(struct buf *b, const struct signature_field *f, const char *json, struct err *err)
{
    struct raw_value raw;
    struct json *v = parse(f->name, json, &raw, err);
    int rc = 0;

    if (!v)
        return -1;
    if (json_type_of(v) == JSON_ARRAY && value_is_text(f))
        rc = add_items(b, v, raw, err);
    else if (json_text(v))
        buf_adds(b, json_text(v));
    else if (json_type_of(v) == JSON_BOOL)
        buf_adds(b, json_bool_value(v) ? "True" : "False");
    else if (json_type_of(v) == JSON_NULL)
        buf_adds(b, "None");
    else
        add_tree(b, v, raw, VALUE_ONE_LINE);
    json_free(v);
    return rc;
}
