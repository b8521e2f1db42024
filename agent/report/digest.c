/* digest.c - see digest.h. A field counts with its name, so that unknown differs from every value
 * and a field that a later version adds leaves old digests alone while it is unknown. */
#include "agent/report/digest.h"
#include "common/core/hash.h"
#include "common/model/record.h"

static uint64_t add_record(uint64_t hash, const struct record_type *type, const void *record);

static uint64_t add_items(uint64_t hash, const struct field *f, const void *record)
{
    size_t count = field_count(f, record);
    const void *items = *(void *const *)field_at(f, record);

    hash = hash64_add_i64(hash, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        if (f->type == FIELD_TEXTS)
            hash = hash64_add_text(hash, ((char *const *)items)[i]);
        else if (f->type == FIELD_I64S)
            hash = hash64_add_i64(hash, ((const int64_t *)items)[i]);
        else
            hash = add_record(hash, f->record, (const char *)items + i * f->record->size);
    }
    return hash;
}

static uint64_t add_field(uint64_t hash, const struct field *f, const void *record)
{
    const void *at = field_at(f, record);

    hash = hash64_add_text(hash, f->name);
    switch (f->type) {
    case FIELD_I64:
        return hash64_add_i64(hash, *(const int64_t *)at);
    case FIELD_F64:
        return hash64_add_f64(hash, *(const double *)at);
    case FIELD_BOOL:
    case FIELD_ENUM:
        return hash64_add_i64(hash, *(const int *)at);
    case FIELD_TEXT:
    case FIELD_PROSE:
        return hash64_add_text(hash, *(char *const *)at);
    case FIELD_RECORD:
        return add_record(hash, f->record, *(void *const *)at);
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        break;
    }
    return add_items(hash, f, record);
}

static uint64_t add_record(uint64_t hash, const struct record_type *type, const void *record)
{
    for (size_t i = 0; i < type->count; i++) {
        if (field_is_known(&type->fields[i], record))
            hash = add_field(hash, &type->fields[i], record);
    }
    return hash64_add_text(hash, NULL); /* its end: nested records cannot run into each other */
}

uint64_t record_digest(const struct record_type *type, const void *record)
{
    return add_record(hash64_init(), type, record);
}
