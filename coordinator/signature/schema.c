/* schema.c - types as JSON schemas, as pydantic writes those of the exported classes. */
#include "coordinator/signature/schema.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/json/json.h"
#include "common/model/record.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value.h"
#include "coordinator/signature/value_type.h"

#include <math.h>
#include <string.h>

#define RECORDS_DEPTH_MAX 16 /* records in records; ours nest 2 deep */
#define KEYS_MAX 512         /* of one object that is printed in order */

/* ---- rows of the model ---- */

static int set_bound(struct json *schema, const char *name, double value)
{
    return isfinite(value) ? json_set_f64(schema, name, value) : 0;
}

static int set_ref(struct json *schema, const struct record_type *type)
{
    char ref[NAME_TEXT_MAX + 16];
    struct buf b;
    int rc;

    buf_init(&b, sizeof ref);
    buf_addf(&b, "#/$defs/%s", type->name);
    rc = b.data ? json_set_text(schema, "$ref", b.data) : -1;
    buf_clear(&b);
    return rc;
}

static int set_words(struct json *schema, const struct enum_names *names)
{
    struct json *list = names->count == 1 ? NULL : json_set_array(schema, "enum");

    if (names->count == 1)
        return json_set_text(schema, "const", names->values[0].name);
    for (size_t i = 0; list && i < names->count; i++)
        if (json_append_text(list, names->values[i].name) < 0)
            return -1;
    return list ? 0 : -1;
}

static int set_items(struct json *schema, const struct field *row, bool bounded)
{
    struct json *items = json_set_object(schema, "items");
    int rc;

    if (!items)
        return -1;
    if (row->type == FIELD_RECORDS)
        rc = set_ref(items, row->record);
    else
        rc = json_set_text(items, "type", row->type == FIELD_TEXTS ? "string" : "integer");
    if (rc == 0 && bounded)
        rc = json_set_i64(schema, "maxItems", (int64_t)row->items_max);
    return rc;
}

/* A row without what is said around it; `bounded`: with the limits of numbers and lists. */
static struct json *row_schema(const struct field *row, bool bounded)
{
    static const char *const types[] = {
        [FIELD_I64] = "integer",   [FIELD_F64] = "number",   [FIELD_BOOL] = "boolean",
        [FIELD_TEXT] = "string",   [FIELD_PROSE] = "string", [FIELD_ENUM] = "string",
        [FIELD_RECORDS] = "array", [FIELD_TEXTS] = "array",  [FIELD_I64S] = "array",
    };
    bool number = row->type == FIELD_I64 || row->type == FIELD_F64;
    bool list = row->type == FIELD_RECORDS || row->type == FIELD_TEXTS || row->type == FIELD_I64S;
    struct json *schema = json_object();
    int rc = 0;

    if (!schema)
        return NULL;
    if (row->type == FIELD_RECORD)
        rc = set_ref(schema, row->record);
    else if (row->type == FIELD_ENUM)
        rc = set_words(schema, row->names);
    else if (number && bounded)
        rc = set_bound(schema, "maximum", row->max) + set_bound(schema, "minimum", row->min);
    else if (list)
        rc = set_items(schema, row, bounded);
    if (rc == 0 && row->type != FIELD_RECORD)
        rc = json_set_text(schema, "type", types[row->type]);
    if (rc == 0)
        return schema;
    json_free(schema);
    return NULL;
}

/* "batch_size" as "Batch Size": a capital after whatever is no letter. */
static int set_title(struct json *schema, const char *name)
{
    bool inside = false;
    struct buf b;
    int rc;

    buf_init(&b, NAME_TEXT_MAX);
    for (const char *p = name; *p; p++) {
        bool low = *p >= 'a' && *p <= 'z', high = *p >= 'A' && *p <= 'Z';

        if (low && !inside)
            buf_addc(&b, (char)(*p - 'a' + 'A'));
        else if (high && inside)
            buf_addc(&b, (char)(*p - 'A' + 'a'));
        else
            buf_addc(&b, *p == '_' ? ' ' : *p);
        inside = low || high || (unsigned char)*p >= 0x80;
    }
    rc = b.failed || !b.data ? -1 : json_set_text(schema, "title", b.data);
    buf_clear(&b);
    return rc;
}

/* The schema or null. */
static struct json *or_null(struct json *inner)
{
    struct json *schema = json_object(), *any = schema ? json_set_array(schema, "anyOf") : NULL;
    struct json *null;

    if (!any) {
        json_free(inner);
        goto fail;
    }
    if (json_append(any, &inner) < 0 || !(null = json_append_object(any)) ||
        json_set_text(null, "type", "null") < 0)
        goto fail;
    return schema;
fail:
    json_free(schema);
    return NULL;
}

static struct json *member_schema(const struct field *row)
{
    bool required = row->flags & (FIELD_REQUIRED | FIELD_ONE_REQUIRED);
    struct json *schema = row_schema(row, true), *null = json_new_null();

    if (schema && !required)
        schema = or_null(schema);
    if (!schema || (!required && json_set(schema, "default", &null) < 0) ||
        json_set_text(schema, "description", row->help ? row->help : row->name) < 0 ||
        (row->type != FIELD_RECORD && set_title(schema, row->name) < 0)) {
        json_free(schema);
        schema = NULL;
    }
    json_free(null);
    return schema;
}

/* `strict`: every member is asked for, and no other is allowed. */
static struct json *record_schema(const struct record_type *type, bool strict)
{
    struct json *schema = json_object(), *required = NULL;
    struct json *properties = schema ? json_set_object(schema, "properties") : NULL;

    if (!properties || !(required = json_array()))
        goto fail;
    for (size_t i = 0; i < type->count; i++) {
        const struct field *row = &type->fields[i];
        struct json *member = member_schema(row);

        if (json_set(properties, row->name, &member) < 0 ||
            ((strict || (row->flags & (FIELD_REQUIRED | FIELD_ONE_REQUIRED))) &&
             json_append_text(required, row->name) < 0))
            goto fail;
    }
    if (json_first(required) && json_set(schema, "required", &required) < 0)
        goto fail;
    if (json_set_text(schema, "title", type->name) < 0 ||
        json_set_text(schema, "type", "object") < 0 ||
        (strict && json_set_bool(schema, "additionalProperties", false) < 0))
        goto fail;
    json_free(required);
    return schema;
fail:
    json_free(required);
    json_free(schema);
    return NULL;
}

/* The records that a record holds, and itself where `with_self`. */
static int add_defs(struct json *defs, const struct record_type *type, bool with_self, bool strict,
                    int depth)
{
    struct json *schema;

    if (depth > RECORDS_DEPTH_MAX || (with_self && json_member(defs, type->name)))
        return 0;
    if (with_self) {
        schema = record_schema(type, strict);
        if (json_set(defs, type->name, &schema) < 0)
            return -1;
    }
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].record &&
            add_defs(defs, type->fields[i].record, true, strict, depth + 1) < 0)
            return -1;
    return 0;
}

static int set_defs(struct json *schema, struct json **defs)
{
    if (json_first(*defs))
        return json_set(schema, "$defs", defs);
    json_free(*defs);
    *defs = NULL;
    return 0;
}

/* ---- the whole answer ---- */

/* Objects below whose members nobody declared may have none, once the whole is strict. */
static int make_strict(struct json *schema, const struct value_type *t)
{
    while (t && t->kind == VALUE_LIST && t->item) {
        t = t->item;
        schema = (struct json *)(uintptr_t)json_member(schema, "items");
    }
    if (!t || t->kind != VALUE_DICT)
        return 0;
    return json_set_object(schema, "properties") && json_set_array(schema, "required") &&
                   json_set_bool(schema, "additionalProperties", false) == 0
               ? 0
               : -1;
}

static struct json *output_schema(const struct signature_field *f)
{
    struct json *schema = f->row ? row_schema(f->row, false) : value_type_schema(f->type);
    bool titled = !f->row || f->row->type != FIELD_RECORD;

    if (schema && ((titled && set_title(schema, f->name) < 0) ||
                   (!f->row && make_strict(schema, f->type) < 0))) {
        json_free(schema);
        schema = NULL;
    }
    return schema;
}

static int fill_answer(struct json *root, struct json *defs, const struct signature *sig)
{
    struct json *properties = json_set_object(root, "properties");
    struct json *required = properties ? json_set_array(root, "required") : NULL;

    if (!required)
        return -1;
    for (size_t i = 0; i < sig->outputs; i++) {
        const struct signature_field *f = signature_outputs(sig) + i;
        struct json *schema = output_schema(f);

        if (json_set(properties, f->name, &schema) < 0 || json_append_text(required, f->name) < 0 ||
            (f->row && f->row->record && add_defs(defs, f->row->record, true, true, 0) < 0))
            return -1;
    }
    if (json_set_text(root, "title", SCHEMA_NAME) < 0 || json_set_text(root, "type", "object") < 0)
        return -1;
    return json_set_bool(root, "additionalProperties", false);
}

struct json *schema_answer(const struct signature *sig, struct err *err)
{
    struct json *root = json_object(), *defs = json_object();

    if (root && defs && fill_answer(root, defs, sig) == 0 && set_defs(root, &defs) == 0)
        return root;
    json_free(defs);
    json_free(root);
    err_set(err, ERR_NOMEM, "schema of %s", sig->name);
    return NULL;
}

char *schema_answer_text(const struct signature *sig, struct err *err)
{
    struct json *schema = schema_answer(sig, err);
    char *text = schema ? json_print(schema, false, err) : NULL;

    json_free(schema);
    return text;
}

bool schema_is_open(const struct signature *sig)
{
    for (size_t i = 0; i < sig->outputs; i++) {
        const struct signature_field *f = signature_outputs(sig) + i;

        if (!f->row && f->type && f->type->kind == VALUE_DICT)
            return true;
    }
    return false;
}

/* ---- in a prompt ---- */

static struct json *note_schema(const struct signature_field *f)
{
    struct json *schema, *defs;

    if (!f->row)
        return value_type_schema(f->type);
    schema = f->row->type == FIELD_RECORD ? record_schema(f->row->record, false)
                                          : row_schema(f->row, false);
    defs = json_object();
    if (!schema || !defs ||
        (f->row->record &&
         add_defs(defs, f->row->record, f->row->type != FIELD_RECORD, false, 0) < 0) ||
        set_defs(schema, &defs) < 0) {
        json_free(schema);
        schema = NULL;
    }
    json_free(defs);
    return schema;
}

/* "type" before all others, which stand by their bytes. */
static bool comes_before(const char *a, const char *b)
{
    bool first = strcmp(a, "type") == 0, second = strcmp(b, "type") == 0;

    return first != second ? first : strcmp(a, b) < 0;
}

static size_t sort_members(const struct json *v, const struct json *sorted[KEYS_MAX])
{
    size_t count = 0;

    for (const struct json *m = json_first(v); m && count < KEYS_MAX; m = json_next(m)) {
        size_t at = count++;

        for (; at > 0 && comes_before(json_name(m), json_name(sorted[at - 1])); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = m;
    }
    return count;
}

static void add_number(struct buf *b, double value)
{
    char text[NUM_F64_TEXT_MAX];

    num_format_f64(value, text);
    if (strpbrk(text, ".e"))
        value_add_float(b, value);
    else
        buf_adds(b, text);
}

static void add_sorted(struct buf *b, const struct json *v)
{
    const struct json *members[KEYS_MAX];
    const char *between = "";
    size_t count;

    switch (json_type_of(v)) {
    case JSON_OBJECT:
        count = sort_members(v, members);
        buf_addc(b, '{');
        for (size_t i = 0; i < count; i++) {
            buf_adds(b, i ? ", " : "");
            value_add_quoted(b, json_name(members[i]));
            buf_adds(b, ": ");
            add_sorted(b, members[i]);
        }
        buf_addc(b, '}');
        break;
    case JSON_ARRAY:
        buf_addc(b, '[');
        for (const struct json *m = json_first(v); m; m = json_next(m), between = ", ") {
            buf_adds(b, between);
            add_sorted(b, m);
        }
        buf_addc(b, ']');
        break;
    case JSON_STRING:
        value_add_quoted(b, json_text(v));
        break;
    case JSON_NUMBER:
        add_number(b, json_number(v));
        break;
    case JSON_BOOL:
        buf_adds(b, json_bool_value(v) ? "true" : "false");
        break;
    case JSON_NULL:
        buf_adds(b, "null");
        break;
    }
}

int schema_add_note(struct buf *b, const struct signature_field *f, struct err *err)
{
    struct json *schema = note_schema(f);

    if (!schema)
        return err_set(err, ERR_NOMEM, "%s: schema", f->name);
    add_sorted(b, schema);
    json_free(schema);
    return 0;
}
