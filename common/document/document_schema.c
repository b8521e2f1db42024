/* document_schema.c - JSON schemas from rows, for the prompts and endpoints of language models.
 *
 * Types are written out where they are used: no model of ours is recursive, and many endpoints do
 * not follow references. Words of one type: endpoints differ in what else they understand. */
#include "common/document/document.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/model/record.h"

#include <stdio.h>
#include <string.h>

#define DESCRIPTION_MAX 512 /* help and unit of a row, well above the longest */

static struct json *schema_of(const struct record_type *type);

/* The constructors and json_set take NULL for "memory is out", so the sums below need one check
 * each. */
static int set_range(struct json *to, const struct field *f)
{
    if (f->type == FIELD_I64 || f->type == FIELD_I64S)
        return json_set_i64(to, "minimum", (int64_t)f->min) < 0 ||
                       json_set_i64(to, "maximum", (int64_t)f->max) < 0
                   ? -1
                   : 0;
    return json_set_f64(to, "minimum", f->min) < 0 || json_set_f64(to, "maximum", f->max) < 0 ? -1
                                                                                              : 0;
}

static int set_words(struct json *to, const struct enum_names *names)
{
    struct json *list = json_set_array(to, "enum");

    if (!list)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        if (json_append_text(list, names->values[i].name) < 0)
            return -1;
    return 0;
}

/* minLength as well as maxLength: a required text may not be empty. */
static int set_lengths(struct json *to, const struct field *f)
{
    if (f->flags & FIELD_REQUIRED && json_set_i64(to, "minLength", 1) < 0)
        return -1;
    return json_set_i64(to, "maxLength", (int64_t)f->max);
}

static struct json *typed(const char *name)
{
    struct json *v = json_object();

    if (v && json_set_text(v, "type", name) == 0)
        return v;
    json_free(v);
    return NULL;
}

/* The schema of a row's value, or of one item of its list. */
static struct json *scalar_of(const struct field *f)
{
    struct json *v;
    int rc = 0;

    switch (f->type) {
    case FIELD_I64:
    case FIELD_I64S:
        if ((v = typed("integer")))
            rc = set_range(v, f);
        break;
    case FIELD_F64:
        if ((v = typed("number")))
            rc = set_range(v, f);
        break;
    case FIELD_BOOL:
        v = typed("boolean");
        break;
    case FIELD_ENUM:
        if ((v = typed("string")))
            rc = set_words(v, f->names);
        break;
    case FIELD_RECORD:
    case FIELD_RECORDS:
        v = schema_of(f->record);
        break;
    default:
        if ((v = typed("string")))
            rc = set_lengths(v, f);
    }
    if (rc == 0)
        return v;
    json_free(v);
    return NULL;
}

static bool is_list(const struct field *f)
{
    return f->type == FIELD_RECORDS || f->type == FIELD_TEXTS || f->type == FIELD_I64S;
}

static struct json *value_of(const struct field *f)
{
    struct json *item = scalar_of(f), *list;

    if (!item || !is_list(f))
        return item;
    list = typed("array");
    if (list && json_set(list, "items", &item) == 0 &&
        json_set_i64(list, "maxItems", (int64_t)f->items_max) == 0 &&
        (!(f->flags & FIELD_REQUIRED) || json_set_i64(list, "minItems", 1) == 0))
        return list;
    json_free(item);
    json_free(list);
    return NULL;
}

static int set_description(struct json *to, const struct field *f)
{
    char text[DESCRIPTION_MAX];
    bool unit = f->unit && f->unit[0];

    snprintf(text, sizeof text, "%s%s%s%s", f->help, unit ? " (" : "", unit ? f->unit : "",
             unit ? ")" : "");
    return json_set_text(to, "description", text);
}

static int set_properties(struct json *to, const struct record_type *type)
{
    struct json *properties = json_set_object(to, "properties");

    if (!properties)
        return -1;
    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];
        struct json *v = value_of(f);

        if (!v || (f->help && f->help[0] && set_description(v, f) < 0)) {
            json_free(v);
            return -1;
        }
        if (json_set(properties, f->name, &v) < 0)
            return -1;
    }
    return 0;
}

static bool has_flag(const struct record_type *type, unsigned flag)
{
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].flags & flag)
            return true;
    return false;
}

static int set_required(struct json *to, const struct record_type *type)
{
    struct json *list;

    if (!has_flag(type, FIELD_REQUIRED))
        return 0;
    list = json_set_array(to, "required");
    if (!list)
        return -1;
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].flags & FIELD_REQUIRED && json_append_text(list, type->fields[i].name))
            return -1;
    return 0;
}

/* Exactly one of the flagged members: oneOf of what each alternative requires. */
static int set_one_required(struct json *to, const struct record_type *type)
{
    struct json *choices, *one;

    if (!has_flag(type, FIELD_ONE_REQUIRED))
        return 0;
    choices = json_set_array(to, "oneOf");
    if (!choices)
        return -1;
    for (size_t i = 0; i < type->count; i++) {
        if (!(type->fields[i].flags & FIELD_ONE_REQUIRED))
            continue;
        one = json_append_object(choices);
        if (!one || !(one = json_set_array(one, "required")) ||
            json_append_text(one, type->fields[i].name) < 0)
            return -1;
    }
    return 0;
}

static struct json *schema_of(const struct record_type *type)
{
    struct json *v = typed("object");

    if (v && set_properties(v, type) == 0 && set_required(v, type) == 0 &&
        set_one_required(v, type) == 0 && json_set_bool(v, "additionalProperties", false) == 0)
        return v;
    json_free(v);
    return NULL;
}

struct json *document_schema(const struct record_type *type, struct err *err)
{
    struct json *v = schema_of(type);

    if (!v)
        err_set(err, ERR_NOMEM, "schema of %s", type->name);
    return v;
}
