/* wire_arena.h - memory that lives as long as one encoding or decoding.
 *
 * protobuf-c wants an allocation per message and text; here they are slices of a few blocks from
 * common/core/mem.h, freed together. Built with a sanitizer every slice is a block of its own, so
 * that a byte beyond one is seen. Thread: whoever made it. */
#ifndef COMMON_WIRE_WIRE_ARENA_H
#define COMMON_WIRE_WIRE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct wire_block;

struct wire_arena {
    struct wire_block *blocks; /* newest first; slices are cut from the newest */
    bool failed;               /* memory ran out once: tells that from bytes that do not parse */
};

void wire_arena_init(struct wire_arena *a);
void wire_arena_clear(struct wire_arena *a);

/* Aligned for anything, not zeroed; NULL without memory. */
void *wire_arena_alloc(struct wire_arena *a, size_t size);

#endif
