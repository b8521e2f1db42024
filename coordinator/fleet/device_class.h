/* device_class.h - which devices the planner cannot tell apart.
 *
 * A class is what is left of a profile and a state when they are cut down to the fields of two
 * lists (the tables of device_class.c) and their values are rounded towards the worse: less memory,
 * less disk, less charge, less idle time, more load. Devices with the same rest are one class; the
 * rest itself, as records, is what the planner sees, so a plan that fits it fits every member.
 * Names, ids, data sizes, links, addresses and anything else of one device alone are in no list.
 * What is unknown stays unknown, and is a value of its own in the key.
 *
 * The rounding (the sizes are those of planning decisions, not of measuring):
 * - memory: down to 256 MiB; above 32 GiB to 1/64 of the power of two below it, so that at most
 *   1.6 % is lost and the largest Macs (512 GB) have some 400 steps, not 2,000
 * - disk: down to 1 GiB; above 16 GiB to 1/16 of the power of two below it
 * - charge: down to 5 %
 * - idle time: down to 0, 1, 5, 10, 15, 30 min, 1, 2, 4, 8, 24 h
 * - load: up to 5, 25, 50, 75, 100 %
 * - measured rates: down to 1/16 of the power of two below them
 *
 * Everything else counts as it is.
 *
 * Pure functions. A key is text: "chip=8:Apple M1|memory_bytes=8589934592|...", "?" where unknown.
 */
#ifndef COORDINATOR_FLEET_DEVICE_CLASS_H
#define COORDINATOR_FLEET_DEVICE_CLASS_H

#include <stdbool.h>

struct buf;
struct err;
struct profile;
struct state;

/* Add a record's part of the key; NULL is a record with every field unknown. Failure sticks to the
 * buf. */
void class_key_add_profile(struct buf *key, const struct profile *p);
void class_key_add_state(struct buf *key, const struct state *s);

/* The cut and rounded copy, yours. NULL gives one with every field unknown. */
struct profile *class_profile_new(const struct profile *p, struct err *err);
struct state *class_state_new(const struct state *s, struct err *err);

/* `s` cut and rounded is `cut` (of class_state_new), so its part of the key is the same too. Makes
 * no text: nearly every report leaves a device in its class, and this is what tells. */
bool class_state_is(const struct state *cut, const struct state *s);

#define CLASS_KEY_MAX \
    65536 /* bytes: 16 levels with names of 64 bytes and all texts full are under 4 KiB */

#endif
