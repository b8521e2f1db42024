/* wire_convert.h - a record <-> the struct that protobuf-c packs and unpacks. Inside common/wire
 * only. */
#ifndef COMMON_WIRE_WIRE_CONVERT_H
#define COMMON_WIRE_WIRE_CONVERT_H

#include "common/wire/wire.h"

#include <protobuf-c/protobuf-c.h>

struct wire_arena;
struct wire_type;

/* A message that borrows the record's texts; it and its parts live in the arena. NULL without
 * memory. */
ProtobufCMessage *wire_write(const struct wire_type *type, const void *record,
                             struct wire_arena *arena);

/* A record of its own, copied from an unpacked message; its ranges are not yet checked. */
void *wire_read(const struct wire_type *type, const ProtobufCMessage *from, enum wire_mode mode,
                struct wire_stats *stats, struct err *err);

/* Where a field's value, and its has_x, n_x or case, stand in a protobuf-c struct. */
static inline void *wire_value(const ProtobufCFieldDescriptor *pb, const void *message)
{
    return (char *)(uintptr_t)message + pb->offset;
}

static inline void *wire_quantifier(const ProtobufCFieldDescriptor *pb, const void *message)
{
    return (char *)(uintptr_t)message + pb->quantifier_offset;
}

#endif
