/* datum_json.c - see datum_json.h. Reading walks the tree, which is checked, beside the text, which
 * still knows 1 from 1.0. */
#include "coordinator/signature/datum_json.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/json/json.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/raw_json.h"

#include <inttypes.h>
#include <string.h>

/* ---- reading ---- */

static int read_value(const struct json *v, struct raw_value raw, int depth, struct datum *out,
                      struct err *err);

static bool is_fraction(struct raw_value raw)
{
    for (const char *p = raw.text; p < raw.end; p++)
        if (*p == '.' || *p == 'e' || *p == 'E')
            return true;
    return false;
}

static int read_items(const struct json *v, struct raw_value raw, int depth, struct datum *out,
                      struct err *err)
{
    struct raw_json walk;
    struct raw_value part;

    raw_json_open(&walk, raw.text);
    for (const struct json *item = json_first(v); item && raw_json_next(&walk, &part);
         item = json_next(item)) {
        struct datum *d = records_add(&datum_type, &out->items, &out->items_count, err);

        if (!d || read_value(item, part, depth + 1, d, err) < 0)
            return -1;
    }
    return 0;
}

static int read_members(const struct json *v, struct raw_value raw, int depth,
                        struct named_datum **out, size_t *count, struct err *err)
{
    struct raw_json walk;
    struct raw_value part;

    raw_json_open(&walk, raw.text);
    for (const struct json *m = json_first(v); m && raw_json_next(&walk, &part); m = json_next(m)) {
        struct named_datum *d = records_add(&named_datum_type, out, count, err);

        if (!d || text_set(&d->name, json_name(m), err) < 0 || !(d->value = datum_new(err)) ||
            read_value(m, part, depth + 1, d->value, err) < 0)
            return -1;
    }
    return 0;
}

static int read_value(const struct json *v, struct raw_value raw, int depth, struct datum *out,
                      struct err *err)
{
    if (depth > VALUE_DEPTH_MAX)
        return err_set(err, ERR_TOO_BIG, "nested more than %d deep", VALUE_DEPTH_MAX);
    switch (json_type_of(v)) {
    case JSON_NULL:
        out->form = VALUE_FORM_NULL;
        return 0;
    case JSON_BOOL:
        out->form = VALUE_FORM_TRUTH;
        out->truth = json_bool_value(v) ? TRI_TRUE : TRI_FALSE;
        return 0;
    case JSON_NUMBER:
        out->form = is_fraction(raw) ? VALUE_FORM_NUMBER : VALUE_FORM_INTEGER;
        if (out->form == VALUE_FORM_NUMBER)
            out->number = json_number(v);
        else
            out->integer = json_integer(v);
        return 0;
    case JSON_STRING:
        out->form = VALUE_FORM_TEXT;
        return text_set(&out->text, json_text(v), err);
    case JSON_ARRAY:
        out->form = VALUE_FORM_LIST;
        return read_items(v, raw, depth, out, err);
    case JSON_OBJECT:
        break;
    }
    out->form = VALUE_FORM_MAP;
    return read_members(v, raw, depth, &out->members, &out->members_count, err);
}

int datum_read(const char *text, size_t len, struct datum *out, struct err *err)
{
    struct json *v = json_parse(text, len, err);
    struct raw_value raw = {text, text + len};
    int rc = v ? read_value(v, raw, 0, out, err) : -1;

    json_free(v);
    return rc;
}

void named_data_free(struct named_datum *data, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_clear(&named_datum_type, &data[i]);
    mem_free(data);
}

int named_data_read(const char *what, const char *text, size_t len, struct named_datum **out,
                    size_t *count, struct err *err)
{
    struct json *v = json_parse(text, len, err);
    struct raw_value raw = {text, text + len};
    struct named_datum *data = NULL;
    size_t n = 0;
    int rc = -1;

    if (v && json_type_of(v) != JSON_OBJECT)
        err_set(err, ERR_INVALID, "%s, wanted a JSON object of values by name",
                json_type_name(json_type_of(v)));
    else if (v)
        rc = read_members(v, raw, 0, &data, &n, err);
    json_free(v);
    if (rc < 0) {
        named_data_free(data, n);
        return err_prefix(err, "%s", what);
    }
    *out = data;
    *count = n;
    return 0;
}

/* ---- printing ---- */

static void add_text(struct buf *b, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    buf_addc(b, '"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\') {
            buf_addc(b, '\\');
            buf_addc(b, *p);
        } else if (c == '\n') {
            buf_adds(b, "\\n");
        } else if (c < 0x20) {
            buf_addf(b, "\\u00%c%c", hex[c >> 4], hex[c & 15]);
        } else {
            buf_addc(b, *p);
        }
    }
    buf_addc(b, '"');
}

static void add_number(struct buf *b, double value)
{
    char text[NUM_F64_TEXT_MAX];

    num_format_f64(value, text);
    buf_addf(b, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static int add_value(struct buf *b, const struct datum *d, int depth, struct err *err);

static int add_members(struct buf *b, const struct named_datum *data, size_t count, int depth,
                       struct err *err)
{
    buf_addc(b, '{');
    for (size_t i = 0; i < count; i++) {
        if (!data[i].name || !data[i].value)
            return err_set(err, ERR_INVALID, "member %zu has no name or no value", i);
        for (size_t k = 0; k < i && depth == 0; k++) /* deeper ones: json_parse finds them */
            if (strcmp(data[k].name, data[i].name) == 0)
                return err_set(err, ERR_INVALID, "%.80s is given twice", data[i].name);
        if (i)
            buf_addc(b, ',');
        add_text(b, data[i].name);
        buf_addc(b, ':');
        if (add_value(b, data[i].value, depth + 1, err) < 0)
            return -1;
    }
    buf_addc(b, '}');
    return 0;
}

static int add_items(struct buf *b, const struct datum *d, int depth, struct err *err)
{
    buf_addc(b, '[');
    for (size_t i = 0; i < d->items_count; i++) {
        if (i)
            buf_addc(b, ',');
        if (add_value(b, &d->items[i], depth + 1, err) < 0)
            return -1;
    }
    buf_addc(b, ']');
    return 0;
}

static int no_value(const char *form, struct err *err)
{
    return err_set(err, ERR_INVALID, "of form %s, and without it", form);
}

static int add_value(struct buf *b, const struct datum *d, int depth, struct err *err)
{
    if (depth > VALUE_DEPTH_MAX)
        return err_set(err, ERR_TOO_BIG, "nested more than %d deep", VALUE_DEPTH_MAX);
    switch ((enum value_form)d->form) {
    case VALUE_FORM_TEXT:
        if (!d->text)
            return no_value("text", err);
        add_text(b, d->text);
        return 0;
    case VALUE_FORM_INTEGER:
        if (!known_i64(d->integer))
            return no_value("integer", err);
        buf_addf(b, "%" PRId64, d->integer);
        return 0;
    case VALUE_FORM_NUMBER:
        if (!known_f64(d->number))
            return no_value("number", err);
        add_number(b, d->number);
        return 0;
    case VALUE_FORM_TRUTH:
        if (d->truth == TRI_UNKNOWN)
            return no_value("truth", err);
        buf_adds(b, d->truth == TRI_TRUE ? "true" : "false");
        return 0;
    case VALUE_FORM_NULL:
        buf_adds(b, "null");
        return 0;
    case VALUE_FORM_LIST:
        return add_items(b, d, depth, err);
    case VALUE_FORM_MAP:
        return add_members(b, d->members, d->members_count, depth, err);
    case VALUE_FORM_UNSET:
        break;
    }
    return err_set(err, ERR_INVALID, "of no form");
}

static char *take(struct buf *b, int rc, const char *what, struct err *err)
{
    char *text = NULL;

    if (rc == 0)
        text = buf_take(b, NULL, err);
    else
        buf_clear(b);
    if (!text)
        err_prefix(err, "%s", what);
    return text;
}

char *datum_print(const char *what, const struct datum *d, struct err *err)
{
    struct buf b;

    buf_init(&b, JSON_TEXT_MAX);
    return take(&b, add_value(&b, d, 0, err), what, err);
}

char *named_data_print(const char *what, const struct named_datum *data, size_t count,
                       struct err *err)
{
    struct buf b;

    buf_init(&b, JSON_TEXT_MAX);
    return take(&b, add_members(&b, data, count, 0, err), what, err);
}
