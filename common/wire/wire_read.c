/* wire_read.c - what protobuf-c unpacked into a record.
 *
 * In a report an enum value of a newer protocol is absent. Where the field is required, so is the
 * record that cannot do without it: it is left out, and so on outwards until a place that may be
 * empty. */
#include "common/wire/wire_convert.h"

#include "common/core/mem.h"
#include "common/wire/wire_map.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct reader {
    enum wire_mode mode;
    struct wire_stats *stats;
    struct err *err;
};

enum { READ = 0, READ_ABSENT = 1, READ_FAILED = -1 };

static int read_into(const struct reader *r, const struct wire_type *type,
                     const ProtobufCMessage *from, void *record, const struct wire_path *path);

static int lost_memory(const struct reader *r, const struct wire_path *path)
{
    return wire_fault(path, r->err, ERR_NOMEM, "out of memory while decoding");
}

static bool is_there(const struct wire_field *f, const void *message)
{
    const void *quantifier = wire_quantifier(f->pb, message);

    if (wire_field_is_repeated(f))
        return *(const size_t *)quantifier > 0;
    if (f->pb->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)quantifier == f->pb->id && *(void **)wire_value(f->pb, message);
    if (f->pb->type == PROTOBUF_C_TYPE_STRING || f->pb->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void **)wire_value(f->pb, message) != NULL;
    return *(const protobuf_c_boolean *)quantifier != 0;
}

/* The two numbers that mean "unknown" inside must not come from outside. */
static int read_number(const struct reader *r, const struct field *row, const void *from, void *to,
                       const struct wire_path *path)
{
    if (row->type == FIELD_I64 && *(const int64_t *)from == UNKNOWN_I64)
        return wire_fault(path, r->err, ERR_INVALID,
                          "%" PRId64 ", wanted an integer from %.0f to %.0f", UNKNOWN_I64, row->min,
                          row->max);
    if (row->type == FIELD_F64 && isnan(*(const double *)from))
        return wire_fault(path, r->err, ERR_INVALID, "not a number, wanted one from %g to %g",
                          row->min, row->max);
    memcpy(to, from, 8);
    return READ;
}

static int read_enum(const struct reader *r, const struct field *row, int value, int *to,
                     const struct wire_path *path)
{
    if (value != 0 && enum_name(row->names, value)) {
        *to = value;
        return READ;
    }
    /* Also for a report: it is the reason if the whole message turns out to be absent. */
    wire_fault(path, r->err, ERR_UNSUPPORTED, "%d, wanted a value of %s that v1 has", value,
               row->names->name);
    if (r->mode == WIRE_COMMAND)
        return READ_FAILED;
    r->stats->unknown_values++;
    return row->flags & FIELD_REQUIRED ? READ_ABSENT : READ;
}

static int read_record(const struct reader *r, const struct wire_field *f,
                       const ProtobufCMessage *from, void **to, const struct wire_path *path)
{
    void *part = record_new(f->row->record, NULL);
    int rc;

    if (!part)
        return lost_memory(r, path);
    rc = read_into(r, f->record, from, part, path);
    if (rc == READ) {
        *to = part;
        return READ;
    }
    record_free(f->row->record, part);
    if (rc == READ_ABSENT && !(f->row->flags & (FIELD_REQUIRED | FIELD_ONE_REQUIRED)))
        return READ;
    return rc;
}

/* The count rises item by item, so that record_free frees a half-made list. */
static int read_items(const struct reader *r, const struct wire_field *f, void *const *from,
                      size_t count, void *record, struct wire_path *path)
{
    size_t size = f->row->type == FIELD_RECORDS ? f->row->record->size : sizeof(void *);
    size_t *kept = (size_t *)(void *)((char *)record + f->row->count_offset);
    char *block = mem_calloc(record_room(count), size);

    if (!block)
        return lost_memory(r, path);
    *(void **)field_at(f->row, record) = block;
    for (size_t i = 0; i < count; i++) {
        char *item = block + *kept * size;
        int rc;

        path->item = i + 1;
        if (f->row->type == FIELD_TEXTS) {
            if (!(*(char **)(void *)item = mem_strdup(from[i])))
                return lost_memory(r, path);
            (*kept)++;
            continue;
        }
        record_init(f->row->record, item);
        (*kept)++;
        rc = read_into(r, f->record, from[i], item, path);
        if (rc == READ_FAILED)
            return rc;
        if (rc == READ_ABSENT) {
            record_clear(f->row->record, item);
            (*kept)--;
        }
    }
    return READ;
}

static int read_integers(const struct reader *r, const struct wire_field *f, const void *from,
                         size_t count, void *record, const struct wire_path *path)
{
    int64_t *block = mem_calloc(record_room(count), sizeof *block);

    if (!block)
        return lost_memory(r, path);
    memcpy(block, from, count * sizeof *block);
    *(int64_t **)field_at(f->row, record) = block;
    *(size_t *)(void *)((char *)record + f->row->count_offset) = count;
    return READ;
}

static int read_field(const struct reader *r, const struct wire_field *f, const void *message,
                      void *record, const struct wire_path *up)
{
    struct wire_path path = {up, f->row->name, 0, 0};
    const void *from = wire_value(f->pb, message);
    size_t count = 0;
    void *to = field_at(f->row, record);

    if (wire_field_is_repeated(f))
        count = *(const size_t *)wire_quantifier(f->pb, message);
    switch (f->row->type) {
    case FIELD_I64:
    case FIELD_F64:
        return read_number(r, f->row, from, to, &path);
    case FIELD_BOOL:
        *(int *)to = *(const protobuf_c_boolean *)from ? TRI_TRUE : TRI_FALSE;
        return READ;
    case FIELD_ENUM:
        return read_enum(r, f->row, *(const int *)from, to, &path);
    case FIELD_TEXT:
    case FIELD_PROSE:
        *(char **)to = mem_strdup(*(char *const *)from);
        return *(char **)to ? READ : lost_memory(r, &path);
    case FIELD_RECORD:
        return read_record(r, f, *(ProtobufCMessage *const *)from, to, &path);
    case FIELD_RECORDS:
    case FIELD_TEXTS:
        return read_items(r, f, *(void *const *const *)from, count, record, &path);
    case FIELD_I64S:
        return read_integers(r, f, *(const void *const *)from, count, record, &path);
    }
    return READ_FAILED;
}

/* A message that must have a body and has none that we know, only fields that we do not know. */
static int body_is_newer(const struct reader *r, const struct wire_type *type,
                         const ProtobufCMessage *from, const void *record,
                         const struct wire_path *path)
{
    if (!type->one_required || from->n_unknown_fields == 0)
        return READ;
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].row->flags & FIELD_ONE_REQUIRED &&
            field_is_known(type->fields[i].row, record))
            return READ;
    return wire_fault(path, r->err, ERR_UNSUPPORTED,
                      "%s has field %" PRIu32 " of a newer protocol and no body that v1 has",
                      type->record->name, from->unknown_fields[0].tag);
}

static int read_into(const struct reader *r, const struct wire_type *type,
                     const ProtobufCMessage *from, void *record, const struct wire_path *path)
{
    int absent = READ;

    for (size_t i = 0; i < type->count; i++) {
        int rc = READ;

        if (is_there(&type->fields[i], from))
            rc = read_field(r, &type->fields[i], from, record, path);
        if (rc == READ_FAILED)
            return rc;
        if (rc == READ_ABSENT)
            absent = rc;
    }
    return absent == READ ? body_is_newer(r, type, from, record, path) : absent;
}

void *wire_read(const struct wire_type *type, const ProtobufCMessage *from, enum wire_mode mode,
                struct wire_stats *stats, struct err *err)
{
    struct err reason = {.code = ERR_NONE};
    struct reader r = {mode, stats, &reason};
    void *record = record_new(type->record, err);

    if (!record)
        return NULL;
    if (read_into(&r, type, from, record, NULL) == READ)
        return record;
    record_free(type->record, record);
    err_set(err, reason.code, "%s", reason.text);
    return NULL;
}
