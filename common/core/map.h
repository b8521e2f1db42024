/* map.h - text key -> pointer, in the order of first insertion.
 *
 * Keys are copied, values are the caller's. Finding, adding and removing take constant time; the
 * hash is keyed with a random seed, so a peer that chooses keys cannot make it slow. It is told its
 * maximum when made. One thread. */
#ifndef COMMON_CORE_MAP_H
#define COMMON_CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map_entry {
    const char *key;
    void *value; /* never NULL */
};

/* At most max_entries keys (1 or more). NULL when memory is out. */
struct map *map_new(size_t max_entries);

/* NULL is fine, for the map and for free_value (values that are not the map's to free). */
void map_free(struct map *m, void (*free_value)(void *value));

/* Store value under key. A value that was there goes to *old (NULL when there was none), which is
 * the caller's to free; `old` may be NULL when values are not owned. -1 when the map is full or
 * memory is out: nothing changed, the value is still the caller's. */
int map_put(struct map *m, const char *key, void *value, void **old);

void *map_get(const struct map *m, const char *key); /* NULL when absent; a NULL map is empty */
void *map_remove(struct map *m, const char *key);    /* the value, now the caller's, or NULL */
size_t map_count(const struct map *m);
bool map_is_full(const struct map *m);

/* Walk in insertion order: start with *cursor = 0, until NULL. Entries are borrowed; no map_put or
 * map_remove may happen between two calls. A replaced value keeps its key's place. */
const struct map_entry *map_next(const struct map *m, size_t *cursor);

#endif
