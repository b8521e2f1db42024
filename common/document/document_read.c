/* document_read.c - JSON into a record: one walk over the members, by the rows.
 *
 * Each value is read into its place and checked against its row at once, so an error names the
 * value as it was written. A lenient reading differs in two places: what a scalar may look like
 * (document_lenient.c), and that a refusal becomes a note (forgive). */
#include "common/document/document.h"
#include "common/document/document_reader.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/model/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int read_record(struct reading *r, const struct record_type *type, const struct json *v,
                       void *record, const char *path);

/* The value at hand was refused, why is in r->err: 0 when that is forgiven and noted. */
static int forgive(struct reading *r, const char *what)
{
    char why[ERR_TEXT_MAX];

    if (!r->notes || r->err.code == ERR_NOMEM)
        return -1;
    memcpy(why, r->err.text, sizeof why);
    return reader_note(r->notes, &r->err, "%s: %s", why, what);
}

/* The value is not what the row takes; memory that ran out while trying stays the reason. */
static int refuse(struct reading *r, const struct field *f, const struct json *v, const char *path)
{
    return r->err.code == ERR_NOMEM ? -1 : document_refuse(v, f, path, &r->err);
}

static int read_i64(struct reading *r, const struct field *f, const struct json *v, int64_t *out,
                    const char *path)
{
    double number;

    if (json_is_integer(v)) {
        *out = json_integer(v);
        return 0;
    }
    if (!r->notes || json_type_of(v) != JSON_STRING || lenient_number(r, v, path, &number) < 0 ||
        number != floor(number) || fabs(number) > 0x1p53)
        return refuse(r, f, v, path);
    *out = (int64_t)number;
    return 0;
}

static int read_f64(struct reading *r, const struct field *f, const struct json *v, double *out,
                    const char *path)
{
    if (json_type_of(v) == JSON_NUMBER) {
        *out = json_number(v);
        return 0;
    }
    if (!r->notes || lenient_number(r, v, path, out) < 0)
        return refuse(r, f, v, path);
    return 0;
}

static int read_bool(struct reading *r, const struct field *f, const struct json *v, int *out,
                     const char *path)
{
    if (json_type_of(v) == JSON_BOOL) {
        *out = json_bool_value(v) ? TRI_TRUE : TRI_FALSE;
        return 0;
    }
    if (!r->notes || lenient_bool(r, v, path, out) < 0)
        return refuse(r, f, v, path);
    return 0;
}

static int read_enum(struct reading *r, const struct field *f, const struct json *v, int *out,
                     const char *path)
{
    const char *word = json_text(v);

    for (size_t i = 0; word && i < f->names->count; i++) {
        if (strcmp(f->names->values[i].name, word) == 0) {
            *out = f->names->values[i].value;
            return 0;
        }
    }
    if (!r->notes || !word || lenient_enum(r, f, word, path, out) < 0)
        return refuse(r, f, v, path);
    return 0;
}

static int read_text(struct reading *r, const struct field *f, const struct json *v, char **out,
                     const char *path)
{
    char *text = NULL;

    if (r->notes) {
        if (lenient_text(r, v, path, &text) < 0)
            return refuse(r, f, v, path);
    } else if (!json_text(v)) {
        return refuse(r, f, v, path);
    } else if (text_set(&text, json_text(v), &r->err) < 0) {
        return -1;
    }
    mem_free(*out);
    *out = text;
    return 0;
}

/* Afterwards the field is as in a new record. For the kinds that read_scalar reads. */
static void unset(const struct field *f, void *base)
{
    void *at = field_at(f, base);

    if (f->type == FIELD_I64)
        *(int64_t *)at = UNKNOWN_I64;
    else if (f->type == FIELD_F64)
        *(double *)at = UNKNOWN_F64;
    else if (f->type == FIELD_BOOL)
        *(int *)at = TRI_UNKNOWN;
    else if (f->type == FIELD_ENUM)
        *(int *)at = 0;
    else
        text_set((char **)at, NULL, NULL);
}

/* A number, truth value, word or text into its place in base, checked; on failure the place is
 * unset. */
static int read_scalar(struct reading *r, const struct field *f, const struct json *v, void *base,
                       const char *path)
{
    void *at = field_at(f, base);
    int rc;

    r->err.code = ERR_NONE;
    if (f->type == FIELD_I64)
        rc = read_i64(r, f, v, at, path);
    else if (f->type == FIELD_F64)
        rc = read_f64(r, f, v, at, path);
    else if (f->type == FIELD_BOOL)
        rc = read_bool(r, f, v, at, path);
    else if (f->type == FIELD_ENUM)
        rc = read_enum(r, f, v, at, path);
    else
        rc = read_text(r, f, v, at, path);
    if (rc == 0)
        rc = field_check(f, base, path, &r->err);
    if (rc < 0)
        unset(f, base);
    return rc;
}

/* A lenient reading takes a list of one object for the object. */
static const struct json *the_object(struct reading *r, const struct json *v, const char *path)
{
    const struct json *first = json_first(v);

    if (!r->notes || json_type_of(v) != JSON_ARRAY || json_type_of(first) != JSON_OBJECT ||
        json_next(first))
        return v;
    return reader_note(r->notes, &r->err, "%s: a list of one, its item was read", path) < 0 ? NULL
                                                                                            : first;
}

static int read_under(struct reading *r, const struct field *f, const struct json *v, void *base,
                      const char *path)
{
    void **at = field_at(f, base);
    void *record;

    if (!(v = the_object(r, v, path)))
        return -1;
    if (json_type_of(v) != JSON_OBJECT)
        return refuse(r, f, v, path);
    record = record_new(f->record, &r->err);
    if (!record)
        return -1;
    if (read_record(r, f->record, v, record, path) < 0) {
        record_free(f->record, record);
        return -1;
    }
    record_free(f->record, *at);
    *at = record;
    return 0;
}

static int add_record(struct reading *r, const struct field *f, const struct json *v, void *base,
                      const char *path)
{
    size_t *count = (size_t *)((char *)base + f->count_offset);
    void *item;

    if (json_type_of(v) != JSON_OBJECT)
        return refuse(r, f, v, path);
    item = records_add(f->record, field_at(f, base), count, &r->err);
    if (!item)
        return -1;
    if (read_record(r, f->record, v, item, path) < 0) {
        record_clear(f->record, item);
        (*count)--;
        return -1;
    }
    return 0;
}

/* One text or integer at the end of a list: read as a scalar by itself, then moved in. */
static int add_scalar(struct reading *r, const struct field *f, const struct json *v, void *base,
                      const char *path)
{
    size_t *count = (size_t *)((char *)base + f->count_offset);
    struct field one = *f;
    int64_t number = UNKNOWN_I64;
    char *text = NULL;
    void *value = f->type == FIELD_I64S ? (void *)&number : (void *)&text;
    int rc = -1;

    one.type = f->type == FIELD_I64S ? FIELD_I64 : FIELD_TEXT;
    one.offset = 0;
    if (read_scalar(r, &one, v, value, path) < 0)
        return -1;
    if (f->type == FIELD_TEXTS) {
        rc = texts_add(field_at(f, base), count, text, &r->err);
    } else {
        int64_t **block = field_at(f, base);
        int64_t *bigger = mem_realloc_array(*block, *count + 1, sizeof number);

        if (bigger) {
            bigger[*count] = number;
            *block = bigger;
            (*count)++;
            rc = 0;
        } else {
            err_set(&r->err, ERR_NOMEM, "%s: list of %zu integers", path, *count + 1);
        }
    }
    mem_free(text);
    return rc;
}

static int add_item(struct reading *r, const struct field *f, const struct json *v, void *base,
                    const char *where, size_t i)
{
    char path[DOCUMENT_PATH_MAX];
    int rc;

    snprintf(path, sizeof path, "%s[%zu]", where, i);
    if (f->type == FIELD_RECORDS)
        rc = add_record(r, f, v, base, path);
    else
        rc = add_scalar(r, f, v, base, path);
    return rc < 0 ? forgive(r, "the item is dropped") : 0;
}

static int read_list(struct reading *r, const struct field *f, const struct json *v, void *base,
                     const char *path)
{
    size_t count = json_count(v), i = 0;

    if (json_type_of(v) != JSON_ARRAY) {
        bool scalar = json_type_of(v) != JSON_OBJECT && json_type_of(v) != JSON_NULL;

        if (!r->notes || (f->type == FIELD_RECORDS) == scalar)
            return refuse(r, f, v, path);
        if (reader_note(r->notes, &r->err, "%s: no list, read as a list of one", path) < 0)
            return -1;
        return add_item(r, f, v, base, path, 0);
    }
    if (count > f->items_max) {
        err_set(&r->err, ERR_TOO_BIG, "%s: %zu items, wanted at most %zu", path, count,
                f->items_max);
        if (forgive(r, "the rest is dropped") < 0)
            return -1;
    }
    for (v = json_first(v); v && i < f->items_max; v = json_next(v), i++)
        if (add_item(r, f, v, base, path, i) < 0)
            return -1;
    return 0;
}

static int read_field(struct reading *r, const struct field *f, const struct json *v, void *base,
                      const char *path)
{
    r->err.code = ERR_NONE;
    switch (f->type) {
    case FIELD_RECORD:
        return read_under(r, f, v, base, path);
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        return read_list(r, f, v, base, path);
    default:
        return read_scalar(r, f, v, base, path);
    }
}

/* The row for a member, or NULL with r->err. A lenient reading takes another spelling of a key,
 * where the right one is not there as well. */
static const struct field *find_row(struct reading *r, const struct record_type *type,
                                    const struct json *object, const char *name, const char *path)
{
    const struct field *f = record_field(type, name);

    if (f)
        return f;
    f = r->notes ? lenient_field(type, name) : NULL;
    if (f && !json_member(object, f->name))
        return reader_note(r->notes, &r->err, "%s: read as %s", path, f->name) < 0 ? NULL : f;
    document_refuse_key(type, name, path, &r->err);
    return NULL;
}

static int read_member(struct reading *r, const struct record_type *type, const struct json *object,
                       const struct json *member, void *record, const char *where)
{
    char path[DOCUMENT_PATH_MAX];
    const struct field *f;

    document_path(where, json_name(member), path);
    r->err.code = ERR_NONE;
    f = find_row(r, type, object, json_name(member), path);
    if (!f)
        return -1;
    if (r->notes && json_type_of(member) == JSON_NULL)
        return reader_note(r->notes, &r->err, "%s: null, taken as absent", path);
    if (r->notes && field_is_known(f, record))
        return err_set(&r->err, ERR_INVALID, "%s: given twice", path);
    return read_field(r, f, member, record, path);
}

static int read_record(struct reading *r, const struct record_type *type, const struct json *v,
                       void *record, const char *where)
{
    char path[DOCUMENT_PATH_MAX], wanted[DOCUMENT_WANTED_MAX];

    for (const struct json *m = json_first(v); m; m = json_next(m))
        if (read_member(r, type, v, m, record, where) < 0 && forgive(r, "dropped") < 0)
            return -1;
    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];

        if (f->flags & FIELD_REQUIRED && !field_is_known(f, record))
            return err_set(&r->err, ERR_INVALID, "%s: missing, wanted %s",
                           document_path(where, f->name, path), document_wanted(f, wanted));
    }
    return 0;
}

static int read_whole(struct reading *r, const struct record_type *type, const struct json *v,
                      void **out)
{
    char shown[DOCUMENT_VALUE_MAX];
    void *record;

    if (json_type_of(v) != JSON_OBJECT)
        return err_set(&r->err, ERR_INVALID, "%s: %s, wanted an object", type->name,
                       v ? document_shown(v, shown) : "nothing");
    record = record_new(type, &r->err);
    if (!record)
        return -1;
    if (read_record(r, type, v, record, "") < 0 || record_check(type, record, &r->err) < 0) {
        record_free(type, record);
        return -1;
    }
    *out = record;
    return 0;
}

int document_read(const struct record_type *type, const struct json *value, void **out,
                  struct err *err)
{
    struct reading r = {NULL, {ERR_NONE, ""}};

    if (read_whole(&r, type, value, out) == 0)
        return 0;
    return err_set(err, r.err.code, "%s", r.err.text);
}

int document_read_lenient(const struct record_type *type, const struct json *value, void **out,
                          char ***notes, size_t *notes_count, struct err *err)
{
    struct notes found = {NULL, 0};
    struct reading r = {&found, {ERR_NONE, ""}};

    if (read_whole(&r, type, value, out) < 0) {
        document_notes_free(found.texts, found.count);
        return err_set(err, r.err.code, "%s", r.err.text);
    }
    *notes = found.texts;
    *notes_count = found.count;
    return 0;
}

int document_parse(const struct record_type *type, const char *text, size_t len, void **out,
                   struct err *err)
{
    struct json *v = json_parse(text, len, err);
    int rc = v ? document_read(type, v, out, err) : -1;

    json_free(v);
    return rc;
}
