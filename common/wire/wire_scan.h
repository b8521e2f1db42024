/* wire_scan.h - a first walk over a message's bytes, before memory is spent on them.
 *
 * Inside common/wire only. protobuf-c copies texts with a NUL in them as if they ended there, and
 * makes a struct of 100 bytes for an item of two; so NULs, counts and framing are checked here. The
 * depth is that of the messages, which hold no cycle. */
#ifndef COMMON_WIRE_WIRE_SCAN_H
#define COMMON_WIRE_WIRE_SCAN_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct wire_path;
struct wire_stats;
struct wire_type;

/* Occurrences of a field that does not repeat: the last counts, and nobody needs more than two. */
#define WIRE_OCCURRENCES_MAX 64

/* `path` is NULL for a whole message. Unknown fields are added to stats. */
int wire_scan(const struct wire_type *type, const uint8_t *buf, size_t len,
              const struct wire_path *path, struct wire_stats *stats, struct err *err);

/* The last integer field of that number before the end, or before the bytes stop being protobuf;
 * `none` where there is none. */
int64_t wire_scan_integer(const uint8_t *buf, size_t len, uint32_t number, int64_t none);

#endif
