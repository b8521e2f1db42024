/* wire_arena.c - see wire_arena.h. */
#include "common/wire/wire_arena.h"

#include "common/core/mem.h"

#include <stdint.h>

#ifdef __has_feature
#define HAS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

#if HAS_SANITIZER
#define BLOCK_FIRST 0
#define BLOCK_MOST 0
#else
#define BLOCK_FIRST (8 * 1024)   /* a State with its links and notes fits in one */
#define BLOCK_MOST (1024 * 1024) /* beyond this, fewer mallocs no longer show */
#endif

#define ALIGNMENT _Alignof(max_align_t)

struct wire_block {
    struct wire_block *next;
    size_t size; /* of data */
    size_t used;
    max_align_t data[]; /* aligned as the slices must be */
};

void wire_arena_init(struct wire_arena *a)
{
    a->blocks = NULL;
    a->failed = false;
}

void wire_arena_clear(struct wire_arena *a)
{
    struct wire_block *next;

    for (struct wire_block *b = a->blocks; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    wire_arena_init(a);
}

/* A new block with room for `size`, twice as large as the one before. */
static struct wire_block *block_add(struct wire_arena *a, size_t size)
{
    size_t room = a->blocks ? a->blocks->size * 2 : BLOCK_FIRST;
    struct wire_block *b;

    if (room > BLOCK_MOST)
        room = BLOCK_MOST;
    if (room < size)
        room = size;
    b = mem_alloc(sizeof *b + room);
    if (!b)
        return NULL;
    b->size = room;
    b->used = 0;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *wire_arena_alloc(struct wire_arena *a, size_t size)
{
    struct wire_block *b = a->blocks;
    void *slice;

    if (size > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!b || b->size - b->used < size)
        b = block_add(a, size);
    if (!b) {
        a->failed = true;
        return NULL;
    }
    slice = (char *)b->data + b->used;
    b->used += size;
    return slice;
}
