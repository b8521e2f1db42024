/* document_write.c - a record as JSON: a member for every known field, in the order of the rows. */
#include "common/document/document.h"

#include "common/core/err.h"
#include "common/json/json.h"
#include "common/model/record.h"

#include <string.h>

static struct json *value_of(const struct field *f, const void *base, struct err *err);

static struct json *enum_value(const struct field *f, int value, struct err *err)
{
    const char *word = enum_name(f->names, value);

    if (word)
        return json_new_text(word);
    err_set(err, ERR_INTERNAL, "%s: %d is no value of %s", f->name, value, f->names->name);
    return NULL;
}

static struct json *item_of(const struct field *f, const char *block, size_t i, struct err *err)
{
    if (f->type == FIELD_RECORDS)
        return document_write(f->record, block + i * f->record->size, err);
    if (f->type == FIELD_TEXTS)
        return json_new_text(((char *const *)(const void *)block)[i]);
    return json_new_i64(((const int64_t *)(const void *)block)[i]);
}

static struct json *list_of(const struct field *f, const void *base, struct err *err)
{
    struct json *list = json_array(), *item;
    const char *block = *(char *const *)field_at(f, base);

    for (size_t i = 0; list && i < field_count(f, base); i++) {
        item = item_of(f, block, i, err);
        if (json_append(list, &item) < 0) {
            json_free(list);
            return NULL;
        }
    }
    return list;
}

static struct json *value_of(const struct field *f, const void *base, struct err *err)
{
    const void *at = field_at(f, base);

    switch (f->type) {
    case FIELD_I64:
        return json_new_i64(*(const int64_t *)at);
    case FIELD_F64:
        return json_new_f64(*(const double *)at);
    case FIELD_BOOL:
        return json_new_bool(*(const int *)at == TRI_TRUE);
    case FIELD_ENUM:
        return enum_value(f, *(const int *)at, err);
    case FIELD_TEXT:
    case FIELD_PROSE:
        return json_new_text(*(char *const *)at);
    case FIELD_RECORD:
        return document_write(f->record, *(void *const *)at, err);
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        break;
    }
    return list_of(f, base, err);
}

/* On failure err may hold a reason of a field below; without one it was memory, or a value that
 * JSON cannot hold, which no checked record has. */
static struct json *write_record(const struct record_type *type, const void *record,
                                 struct err *err)
{
    struct json *object = json_object(), *value;

    for (size_t i = 0; object && i < type->count; i++) {
        const struct field *f = &type->fields[i];

        if (!field_is_known(f, record))
            continue;
        value = value_of(f, record, err);
        if (json_set(object, f->name, &value) < 0) {
            if (err && err->code == ERR_NONE)
                err_set(err, ERR_NOMEM, "%s of %s as JSON", f->name, type->name);
            json_free(object);
            return NULL;
        }
    }
    if (!object && err && err->code == ERR_NONE)
        err_set(err, ERR_NOMEM, "%s as JSON", type->name);
    return object;
}

struct json *document_write(const struct record_type *type, const void *record, struct err *err)
{
    struct err why = {ERR_NONE, ""};
    struct json *object = write_record(type, record, &why);

    if (!object)
        err_set(err, why.code, "%s", why.text);
    return object;
}

char *document_print(const struct record_type *type, const void *record, bool pretty,
                     struct err *err)
{
    struct json *object = document_write(type, record, err);
    char *text = object ? json_print(object, pretty, err) : NULL;

    json_free(object);
    return text;
}
