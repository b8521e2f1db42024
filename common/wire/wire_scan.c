/* wire_scan.c - see wire_scan.h. The encoding walked here: a message is a row of fields, each a key
 * (number << 3 | wire type) and a value: varint (0), 8 bytes (1), length and bytes (2) or 4 bytes
 * (5). */
#include "common/wire/wire_scan.h"

#include "common/wire/wire.h"
#include "common/wire/wire_map.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { KIND_VARINT = 0, KIND_64BIT = 1, KIND_BYTES = 2, KIND_32BIT = 5 };

#define VARINT_BYTES_MAX 10 /* 64 bits, 7 a byte */

struct walk {
    const uint8_t *at, *end;
    uint32_t number;        /* of the field at hand */
    unsigned kind;          /* its wire type */
    uint64_t integer;       /* of KIND_VARINT */
    const uint8_t *payload; /* of KIND_BYTES */
    size_t payload_len;
};

static int varint_next(struct walk *w, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_BYTES_MAX && w->at < w->end; i++) {
        uint8_t byte = *w->at++;

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *out = value;
            return 0;
        }
    }
    return -1;
}

static int skip(struct walk *w, size_t len)
{
    if ((size_t)(w->end - w->at) < len)
        return -1;
    w->at += len;
    return 0;
}

/* Reads key and value of the next field; -1: the bytes are no protobuf. */
static int field_next(struct walk *w)
{
    uint64_t key, len;

    if (varint_next(w, &key) < 0 || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
        return -1;
    w->number = (uint32_t)(key >> 3);
    w->kind = key & 7;
    switch (w->kind) {
    case KIND_VARINT:
        return varint_next(w, &w->integer);
    case KIND_64BIT:
        return skip(w, 8);
    case KIND_32BIT:
        return skip(w, 4);
    case KIND_BYTES:
        if (varint_next(w, &len) < 0 || len > SIZE_MAX)
            return -1;
        w->payload = w->at;
        w->payload_len = (size_t)len;
        return skip(w, (size_t)len);
    default:
        return -1; /* groups, which nobody sends any more, and two that never were */
    }
}

static unsigned kind_of(const struct wire_field *f)
{
    switch (f->pb->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return KIND_BYTES;
    case PROTOBUF_C_TYPE_DOUBLE:
        return KIND_64BIT;
    default:
        return KIND_VARINT;
    }
}

/* How many integers a packed field holds: each ends in a byte below 0x80. */
static size_t packed_count(const struct walk *w)
{
    size_t count = 0;

    for (size_t i = 0; i < w->payload_len; i++)
        count += w->payload[i] < 0x80;
    return count;
}

static int scan_known(const struct wire_field *f, const struct walk *w, size_t *count,
                      const struct wire_path *up, struct wire_stats *stats, struct err *err)
{
    bool repeated = wire_field_is_repeated(f);
    bool packed = f->row->type == FIELD_I64S && w->kind == KIND_BYTES;
    size_t most = repeated ? f->row->items_max : WIRE_OCCURRENCES_MAX;
    struct wire_path path = {up, f->row->name, repeated ? *count + 1 : 0, up ? up->depth + 1 : 1};
    const uint8_t *nul;

    if (w->kind != kind_of(f) && !packed)
        return wire_fault(&path, err, ERR_MALFORMED, "wire type %u, wanted %u", w->kind,
                          kind_of(f));
    *count += packed ? packed_count(w) : 1;
    if (*count > most) {
        path.item = 0;
        return wire_fault(&path, err, ERR_TOO_BIG, "%zu or more items, wanted at most %zu", *count,
                          most);
    }
    if (f->record && path.depth > WIRE_DEPTH_MAX)
        /* the whole path would fill the error */
        return wire_fault(NULL, err, ERR_TOO_BIG, "%s: nested more than %d deep", f->row->name,
                          WIRE_DEPTH_MAX);
    if (f->record)
        return wire_scan(f->record, w->payload, w->payload_len, &path, stats, err);
    if (f->pb->type == PROTOBUF_C_TYPE_STRING && w->payload_len > 0) {
        nul = memchr(w->payload, 0, w->payload_len);
        if (nul)
            return wire_fault(&path, err, ERR_INVALID, "NUL at byte %zu, wanted text without NUL",
                              (size_t)(nul - w->payload));
    }
    return 0;
}

int wire_scan(const struct wire_type *type, const uint8_t *buf, size_t len,
              const struct wire_path *path, struct wire_stats *stats, struct err *err)
{
    size_t counts[WIRE_FIELDS_MAX] = {0};
    struct walk w = {.at = buf, .end = len ? buf + len : buf};

    while (w.at < w.end) {
        const uint8_t *start = w.at;
        const struct wire_field *f;

        if (field_next(&w) < 0)
            return wire_fault(path, err, ERR_MALFORMED, "%s does not unpack at byte %zu of %zu",
                              type->record->name, (size_t)(start - buf), len);
        f = wire_field_find(type, w.number);
        if (f) {
            if (scan_known(f, &w, &counts[f - type->fields], path, stats, err) < 0)
                return -1;
        } else if (++stats->unknown_fields > WIRE_UNKNOWN_MAX) {
            return wire_fault(path, err, ERR_TOO_BIG, "more than %d fields that v1 does not have",
                              WIRE_UNKNOWN_MAX);
        }
    }
    return 0;
}

int64_t wire_scan_integer(const uint8_t *buf, size_t len, uint32_t number, int64_t none)
{
    struct walk w = {.at = buf, .end = len ? buf + len : buf};
    int64_t found = none;

    while (w.at < w.end && field_next(&w) == 0)
        if (w.number == number && w.kind == KIND_VARINT)
            found = (int64_t)w.integer;
    return found;
}
