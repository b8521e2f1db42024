/* wire_write.c - a record into the struct that protobuf-c packs. */
#include "common/wire/wire_convert.h"

#include "common/wire/wire_arena.h"
#include "common/wire/wire_map.h"

#include <string.h>

static int write_records(const struct wire_field *f, const void *record, void **out,
                         struct wire_arena *arena)
{
    size_t count = field_count(f->row, record);
    const char *block = *(char *const *)field_at(f->row, record);
    ProtobufCMessage **items = wire_arena_alloc(arena, count * sizeof(ProtobufCMessage *));

    if (!items)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!(items[i] = wire_write(f->record, block + i * f->row->record->size, arena)))
            return -1;
    *out = items;
    return 0;
}

/* A known field: its value, and what says that it is there. */
static int write_field(const struct wire_field *f, const void *record, void *message,
                       struct wire_arena *arena)
{
    const void *from = field_at(f->row, record);
    void *to = wire_value(f->pb, message);
    void *quantifier = wire_quantifier(f->pb, message);

    switch (f->row->type) {
    case FIELD_I64:
    case FIELD_F64:
        memcpy(to, from, 8); /* int64_t and double are the same on both sides */
        *(protobuf_c_boolean *)quantifier = 1;
        return 0;
    case FIELD_BOOL:
    case FIELD_ENUM:
        memcpy(to, from, sizeof(int));
        *(protobuf_c_boolean *)quantifier = 1;
        return 0;
    case FIELD_TEXT:
    case FIELD_PROSE:
        *(char **)to = *(char *const *)from;
        return 0;
    case FIELD_RECORD:
        if (f->pb->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
            *(uint32_t *)quantifier = f->pb->id;
        *(ProtobufCMessage **)to = wire_write(f->record, *(void *const *)from, arena);
        return *(ProtobufCMessage **)to ? 0 : -1;
    case FIELD_RECORDS:
        *(size_t *)quantifier = field_count(f->row, record);
        return write_records(f, record, to, arena);
    case FIELD_TEXTS:
    case FIELD_I64S:
        *(size_t *)quantifier = field_count(f->row, record);
        *(void **)to = *(void *const *)from;
        return 0;
    }
    return -1;
}

ProtobufCMessage *wire_write(const struct wire_type *type, const void *record,
                             struct wire_arena *arena)
{
    ProtobufCMessage *message = wire_arena_alloc(arena, type->pb->sizeof_message);

    if (!message)
        return NULL;
    protobuf_c_message_init(type->pb, message);
    for (size_t i = 0; i < type->count; i++)
        if (field_is_known(type->fields[i].row, record) &&
            write_field(&type->fields[i], record, message, arena) < 0)
            return NULL;
    return message;
}
