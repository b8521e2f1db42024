/* map.c - see map.h.
 *
 * Entries stand in one array in the order of insertion; a table of slots, at least twice as long,
 * holds their places, found by linear probing. A removed entry leaves a hole in the array and a
 * grave in its slot. When the array is full the map is rebuilt: holes are closed, and it doubles if
 * more than half was in use; it shrinks when three quarters are holes. Used slots (graves too)
 * never exceed the array's length, so half the slots are free and probing ends.
 *
 * Keys come from peers, hence SipHash-1-3 with a seed drawn once per process. */
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/random.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define CAP_FIRST 8u
#define SLOT_FREE 0u  /* never used */
#define SLOT_GRAVE 1u /* its entry was removed */
#define SLOT_BASE 2u  /* slot - SLOT_BASE is the place of the entry */
#define CAP_MAX (UINT32_MAX / 4)

struct stored {
    struct map_entry entry; /* key NULL: a hole */
    uint64_t hash;
};

struct map {
    struct stored *entries; /* cap of them, `used` in use or holes */
    uint32_t *slots;        /* 2 * cap of them, cap a power of 2 */
    size_t cap;
    size_t used;
    size_t count; /* without holes */
    size_t max;
};

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void seed_draw(void)
{
    /* Without the system's generator (a kernel from before it) an address will have to do. */
    if (random_bytes(seed, sizeof seed, NULL) < 0)
        seed[0] = (uint64_t)(uintptr_t)&seed;
}

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* Four words that stay in registers once this is inlined: every message of an agent is looked up
 * three times by a key of some 30 characters. */
static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* SipHash-1-3 (Aumasson and Bernstein); its constants spell "somepseudorandomlygeneratedbytes". */
static uint64_t key_hash(const char *key)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575ULL, seed[1] ^ 0x646f72616e646f6dULL,
                     seed[0] ^ 0x6c7967656e657261ULL, seed[1] ^ 0x7465646279746573ULL};
    size_t len = strlen(key), i;
    uint64_t word;

    for (i = 0; i + 8 <= len; i += 8) {
        memcpy(&word, key + i, 8);
        sip_word(v, word);
    }
    word = (uint64_t)len << 56;
    for (int shift = 0; i < len; i++, shift += 8)
        word |= (uint64_t)(unsigned char)key[i] << shift;
    sip_word(v, word);
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static size_t slot_mask(const struct map *m)
{
    return 2 * m->cap - 1;
}

/* The slot of key, or SIZE_MAX when absent. */
static size_t slot_find(const struct map *m, const char *key, uint64_t hash)
{
    for (size_t i = hash & slot_mask(m); m->slots[i] != SLOT_FREE; i = (i + 1) & slot_mask(m)) {
        const struct stored *s;

        if (m->slots[i] == SLOT_GRAVE)
            continue;
        s = &m->entries[m->slots[i] - SLOT_BASE];
        if (s->hash == hash && strcmp(s->entry.key, key) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* Point a free slot at the entry in `place`. Graves are left: a rebuild clears them. */
static void slot_put(struct map *m, size_t place)
{
    size_t i = m->entries[place].hash & slot_mask(m);

    while (m->slots[i] != SLOT_FREE)
        i = (i + 1) & slot_mask(m);
    m->slots[i] = (uint32_t)place + SLOT_BASE;
}

/* Close the holes, in arrays of cap entries. */
static int map_rebuild(struct map *m, size_t cap)
{
    struct stored *entries = mem_calloc(cap, sizeof *entries);
    uint32_t *slots = mem_calloc(2 * cap, sizeof *slots);
    size_t used = 0;

    if (!entries || !slots) {
        mem_free(entries);
        mem_free(slots);
        return -1;
    }
    for (size_t i = 0; i < m->used; i++)
        if (m->entries[i].entry.key)
            entries[used++] = m->entries[i];
    mem_free(m->entries);
    mem_free(m->slots);
    m->entries = entries;
    m->slots = slots;
    m->cap = cap;
    m->used = used;
    for (size_t i = 0; i < used; i++)
        slot_put(m, i);
    return 0;
}

/* Mostly holes: close them, so that a walk costs what is there. Without memory it stays. */
static void map_shrink(struct map *m)
{
    size_t cap = m->cap;

    if (m->count >= m->used / 4 || m->cap == CAP_FIRST)
        return;
    while (cap > CAP_FIRST && m->count < cap / 4)
        cap /= 2;
    (void)map_rebuild(m, cap);
}

struct map *map_new(size_t max_entries)
{
    struct map *m = mem_zalloc(sizeof *m);

    assert(max_entries > 0);
    pthread_once(&seeded, seed_draw);
    if (!m)
        return NULL;
    m->max = max_entries < CAP_MAX ? max_entries : CAP_MAX;
    if (map_rebuild(m, CAP_FIRST) < 0) {
        mem_free(m);
        return NULL;
    }
    return m;
}

void map_free(struct map *m, void (*free_value)(void *value))
{
    if (!m)
        return;
    for (size_t i = 0; i < m->used; i++) {
        if (!m->entries[i].entry.key)
            continue;
        if (free_value)
            free_value(m->entries[i].entry.value);
        mem_free((char *)m->entries[i].entry.key);
    }
    mem_free(m->entries);
    mem_free(m->slots);
    mem_free(m);
}

static int map_add(struct map *m, const char *key, uint64_t hash, void *value)
{
    char *copy;

    if (map_is_full(m))
        return -1;
    if (!(copy = mem_strdup(key)))
        return -1;
    if (m->used == m->cap && map_rebuild(m, m->count > m->cap / 2 ? 2 * m->cap : m->cap) < 0) {
        mem_free(copy);
        return -1;
    }
    m->entries[m->used] = (struct stored){{copy, value}, hash};
    slot_put(m, m->used++);
    m->count++;
    return 0;
}

int map_put(struct map *m, const char *key, void *value, void **old)
{
    uint64_t hash = key_hash(key);
    size_t slot = slot_find(m, key, hash);
    void *was = NULL;

    assert(value);
    if (slot == SIZE_MAX) {
        if (map_add(m, key, hash, value) < 0)
            return -1;
    } else {
        struct map_entry *e = &m->entries[m->slots[slot] - SLOT_BASE].entry;

        was = e->value;
        e->value = value;
    }
    if (old)
        *old = was;
    return 0;
}

void *map_get(const struct map *m, const char *key)
{
    size_t slot = m ? slot_find(m, key, key_hash(key)) : SIZE_MAX;

    return slot == SIZE_MAX ? NULL : m->entries[m->slots[slot] - SLOT_BASE].entry.value;
}

void *map_remove(struct map *m, const char *key)
{
    size_t slot = slot_find(m, key, key_hash(key));
    struct map_entry *e;
    void *value;

    if (slot == SIZE_MAX)
        return NULL;
    e = &m->entries[m->slots[slot] - SLOT_BASE].entry;
    value = e->value;
    mem_free((char *)e->key);
    *e = (struct map_entry){NULL, NULL};
    m->slots[slot] = SLOT_GRAVE;
    m->count--;
    map_shrink(m);
    return value;
}

size_t map_count(const struct map *m)
{
    return m ? m->count : 0;
}

bool map_is_full(const struct map *m)
{
    return m->count >= m->max;
}

const struct map_entry *map_next(const struct map *m, size_t *cursor)
{
    while (m && *cursor < m->used) {
        const struct map_entry *e = &m->entries[(*cursor)++].entry;

        if (e->key)
            return e;
    }
    return NULL;
}
