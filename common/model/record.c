/* record.c - the generic half of every struct of the model: life, copying, checking, by its field
 * rows. */
#include "common/model/record.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *block_of(const struct field *f, const void *record)
{
    return *(void **)field_at(f, record);
}

static void set_count(const struct field *f, void *record, size_t count)
{
    *(size_t *)((char *)record + f->count_offset) = count;
}

static void *item_at(const struct field *f, void *block, size_t i)
{
    return (char *)block + i * f->record->size;
}

/* In a record of zeros: the types whose unknown is something else. */
static void field_init(const struct field *f, void *record)
{
    void *at = field_at(f, record);

    if (f->type == FIELD_I64)
        *(int64_t *)at = UNKNOWN_I64;
    else if (f->type == FIELD_F64)
        *(double *)at = UNKNOWN_F64;
    else if (f->type == FIELD_BOOL)
        *(int *)at = TRI_UNKNOWN;
}

void record_init(const struct record_type *type, void *record)
{
    memset(record, 0, type->size);
    for (size_t i = 0; i < type->count; i++)
        field_init(&type->fields[i], record);
}

void *record_new(const struct record_type *type, struct err *err)
{
    void *record = mem_alloc(type->size);

    if (!record) {
        err_set(err, ERR_NOMEM, "%s of %zu bytes", type->name, type->size);
        return NULL;
    }
    record_init(type, record);
    return record;
}

static void fields_free(const struct record_type *type, void *record);

static void field_free(const struct field *f, void *record)
{
    void *block;

    if (f->type <= FIELD_BOOL || f->type == FIELD_ENUM)
        return;
    block = block_of(f, record);
    if (!block)
        return;
    if (f->type == FIELD_RECORD) {
        record_free(f->record, block);
        return;
    }
    if (f->type == FIELD_RECORDS)
        for (size_t i = 0; i < field_count(f, record); i++)
            fields_free(f->record, item_at(f, block, i));
    if (f->type == FIELD_TEXTS)
        for (size_t i = 0; i < field_count(f, record); i++)
            mem_free(((char **)block)[i]);
    mem_free(block);
}

/* What the record owns; its pointers are left as they were. */
static void fields_free(const struct record_type *type, void *record)
{
    for (size_t i = 0; i < type->count; i++)
        field_free(&type->fields[i], record);
}

void record_clear(const struct record_type *type, void *record)
{
    fields_free(type, record);
    record_init(type, record);
}

void record_free(const struct record_type *type, void *record)
{
    if (!record)
        return;
    fields_free(type, record);
    mem_free(record);
}

static int copy_into(const struct record_type *type, void *to, const void *from);

/* `count` of a repeated field in `to` rises item by item, so that record_clear frees a half-made
 * copy. */
static int field_copy_items(const struct field *f, void *to, const void *from)
{
    size_t count = field_count(f, from);
    size_t size = f->type == FIELD_RECORDS ? f->record->size : sizeof(void *);
    void *source = block_of(f, from);
    void *block;

    if (f->type == FIELD_I64S)
        size = sizeof(int64_t);
    if (count == 0)
        return 0;
    block = mem_calloc(record_room(count), size); /* items may be added to a copy */
    if (!block)
        return -1;
    *(void **)field_at(f, to) = block;
    if (f->type == FIELD_I64S) {
        memcpy(block, source, count * size);
        set_count(f, to, count);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (f->type == FIELD_TEXTS) {
            if (!(((char **)block)[i] = mem_strdup(((char **)source)[i])))
                return -1;
        } else {
            record_init(f->record, item_at(f, block, i));
            set_count(f, to, i + 1);
            if (copy_into(f->record, item_at(f, block, i), item_at(f, source, i)) < 0)
                return -1;
        }
        set_count(f, to, i + 1);
    }
    return 0;
}

static int field_copy(const struct field *f, void *to, const void *from)
{
    void *at = field_at(f, to);
    void *source;

    switch (f->type) {
    case FIELD_I64:
        *(int64_t *)at = *(int64_t *)field_at(f, from);
        return 0;
    case FIELD_F64:
        *(double *)at = *(double *)field_at(f, from);
        return 0;
    case FIELD_BOOL:
    case FIELD_ENUM:
        *(int *)at = *(int *)field_at(f, from);
        return 0;
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        return field_copy_items(f, to, from);
    case FIELD_TEXT:
    case FIELD_PROSE:
    case FIELD_RECORD:
        break;
    }
    source = block_of(f, from);
    if (!source)
        return 0;
    if (f->type == FIELD_RECORD)
        *(void **)at = record_dup(f->record, source, NULL);
    else
        *(char **)at = mem_strdup(source);
    return *(void **)at ? 0 : -1;
}

static int copy_into(const struct record_type *type, void *to, const void *from)
{
    for (size_t i = 0; i < type->count; i++)
        if (field_copy(&type->fields[i], to, from) < 0)
            return -1;
    return 0;
}

void *record_dup(const struct record_type *type, const void *record, struct err *err)
{
    void *copy = record_new(type, err);

    if (!copy)
        return NULL;
    if (copy_into(type, copy, record) < 0) {
        record_free(type, copy);
        err_set(err, ERR_NOMEM, "copy of %s", type->name);
        return NULL;
    }
    return copy;
}

static bool f64_equal(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool items_equal(const struct field *f, const void *a, const void *b)
{
    size_t count = field_count(f, a);
    char *x = block_of(f, a), *y = block_of(f, b);

    if (count != field_count(f, b))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (f->type == FIELD_RECORDS &&
            !record_equal(f->record, item_at(f, x, i), item_at(f, y, i)))
            return false;
        if (f->type == FIELD_TEXTS && !text_equal(((char **)(void *)x)[i], ((char **)(void *)y)[i]))
            return false;
        if (f->type == FIELD_I64S && ((int64_t *)(void *)x)[i] != ((int64_t *)(void *)y)[i])
            return false;
    }
    return true;
}

static bool field_equal(const struct field *f, const void *a, const void *b)
{
    const void *x = field_at(f, a), *y = field_at(f, b);

    switch (f->type) {
    case FIELD_I64:
        return *(const int64_t *)x == *(const int64_t *)y;
    case FIELD_F64:
        return f64_equal(*(const double *)x, *(const double *)y);
    case FIELD_BOOL:
    case FIELD_ENUM:
        return *(const int *)x == *(const int *)y;
    case FIELD_TEXT:
    case FIELD_PROSE:
        return text_equal(block_of(f, a), block_of(f, b));
    case FIELD_RECORD:
        if (!block_of(f, a) || !block_of(f, b))
            return block_of(f, a) == block_of(f, b);
        return record_equal(f->record, block_of(f, a), block_of(f, b));
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        return items_equal(f, a, b);
    }
    return false;
}

bool record_equal(const struct record_type *type, const void *a, const void *b)
{
    for (size_t i = 0; i < type->count; i++)
        if (!field_equal(&type->fields[i], a, b))
            return false;
    return true;
}

const struct field *record_field(const struct record_type *type, const char *name)
{
    for (size_t i = 0; i < type->count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}
