/* wire.c - see wire.h.
 *
 * Decoding: walk the bytes (wire_scan), let protobuf-c unpack them, copy into a record (wire_read),
 * check the record. Encoding: check the record, lay it out for protobuf-c (wire_write), pack.
 * protobuf-c frees nothing itself here: all that it allocates is in an arena that goes when the
 * call ends. */
#include "common/wire/wire.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/event.h"
#include "common/model/tool_message.h"
#include "common/wire/wire_arena.h"
#include "common/wire/wire_convert.h"
#include "common/wire/wire_map.h"
#include "common/wire/wire_scan.h"

size_t wire_max(const struct record_type *type)
{
    if (type == &agent_message_type)
        return WIRE_AGENT_MAX;
    if (type == &coordinator_message_type)
        return WIRE_COORDINATOR_MAX;
    if (type == &request_type)
        return WIRE_REQUEST_MAX;
    if (type == &tool_message_type)
        return WIRE_TOOL_MAX;
    if (type == &event_type)
        return WIRE_EVENT_MAX;
    return WIRE_RECORD_MAX;
}

/* The message's bytes from memory of its own. */
static int pack(const struct wire_type *type, const void *record, struct wire_arena *arena,
                uint8_t **out, size_t *len, struct err *err)
{
    ProtobufCMessage *message = wire_write(type, record, arena);
    size_t size;
    uint8_t *bytes;

    if (!message)
        return err_set(err, ERR_NOMEM, "encoding a %s", type->record->name);
    size = protobuf_c_message_get_packed_size(message);
    if (size > wire_max(type->record))
        return err_set(err, ERR_TOO_BIG, "%s of %zu bytes, limit %zu", type->record->name, size,
                       wire_max(type->record));
    if (!(bytes = mem_alloc(size)))
        return err_set(err, ERR_NOMEM, "%s of %zu bytes", type->record->name, size);
    *len = protobuf_c_message_pack(message, bytes);
    *out = bytes;
    return 0;
}

int wire_encode(const struct record_type *type, const void *record, uint8_t **out, size_t *len,
                struct err *err)
{
    const struct wire_type *wire = wire_type_find(type, err);
    struct wire_arena arena;
    int rc;

    if (!wire || record_check(type, record, err) < 0)
        return -1;
    wire_arena_init(&arena);
    rc = pack(wire, record, &arena, out, len, err);
    wire_arena_clear(&arena);
    return rc;
}

static void *arena_alloc(void *arena, size_t size)
{
    return wire_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *slice)
{
    (void)arena;
    (void)slice; /* the whole arena goes at the end */
}

static void *unpack(const struct wire_type *type, enum wire_mode mode, const uint8_t *buf,
                    size_t len, struct wire_arena *arena, struct wire_stats *stats, struct err *err)
{
    ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
    ProtobufCMessage *message = protobuf_c_message_unpack(type->pb, &allocator, len, buf);

    if (message)
        return wire_read(type, message, mode, stats, err);
    if (arena->failed)
        err_set(err, ERR_NOMEM, "decoding a %s of %zu bytes", type->record->name, len);
    else
        err_set(err, ERR_MALFORMED, "%s of %zu bytes does not unpack", type->record->name, len);
    return NULL;
}

int wire_decode(const struct record_type *type, enum wire_mode mode, const uint8_t *buf, size_t len,
                size_t max, void **out, struct wire_stats *stats, struct err *err)
{
    const struct wire_type *wire = wire_type_find(type, err);
    struct wire_stats unread;
    struct wire_arena arena;
    void *record;

    if (!stats)
        stats = &unread;
    *stats = (struct wire_stats){0, 0};
    if (!wire)
        return -1;
    if (len > max)
        return err_set(err, ERR_TOO_BIG, "%s of %zu bytes, limit %zu", type->name, len, max);
    if (wire_scan(wire, buf, len, NULL, stats, err) < 0)
        return -1;
    wire_arena_init(&arena);
    record = unpack(wire, mode, buf, len, &arena, stats, err);
    wire_arena_clear(&arena);
    if (!record)
        return -1;
    if (record_check(type, record, err) < 0) {
        record_free(type, record);
        return -1;
    }
    *out = record;
    return 0;
}

int64_t wire_agent_sequence(const uint8_t *buf, size_t len)
{
    const struct wire_type *wire = wire_type_find(&agent_message_type, NULL);
    const struct field *row = record_field(&agent_message_type, "sequence");
    struct agent_message m;

    if (!wire || len > WIRE_AGENT_MAX)
        return UNKNOWN_I64;
    record_init(&agent_message_type, &m);
    for (size_t i = 0; i < wire->count; i++)
        if (wire->fields[i].row == row)
            m.sequence = wire_scan_integer(buf, len, wire->fields[i].pb->id, UNKNOWN_I64);
    return field_check(row, &m, row->name, NULL) == 0 ? m.sequence : UNKNOWN_I64;
}
