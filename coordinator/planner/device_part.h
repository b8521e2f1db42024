/* device_part.h - the one device of a LoRA or diffusion job, and what every such plan says of it.
 *
 * Room-internal. Found once per planning turn: client, class, machine, memory limit, all from the
 * device's own report as the snapshot has it. Borrows the snapshot. */
#ifndef COORDINATOR_PLANNER_DEVICE_PART_H
#define COORDINATOR_PLANNER_DEVICE_PART_H

#include "coordinator/planner/machine.h"

#include <stddef.h>
#include <stdint.h>

struct assignment;
struct class_summary;
struct client;
struct device_class;
struct err;
struct job;
struct plan;
struct policy;
struct rule_spec;
struct snapshot;

struct device_part {
    const struct job *job;
    const struct client *client;
    const struct device_class *of;
    struct machine machine;
    int64_t limit_bytes; /* the class's, less what other jobs hold on this device */
    int64_t held_bytes;  /* what they hold */
};

/* `kind` is the job's member, for errors. ERR_INVALID where the job names no device, ERR_NOT_FOUND
 * where the fleet has none of that id, ERR_INFEASIBLE where rules or facts forbid it: the text says
 * what would let it in. */
int device_part_find(const struct snapshot *s, const struct job *job, const char *kind,
                     const char *device_id, const struct rule_spec *rules,
                     const struct policy *policy, struct device_part *out, struct err *err);

/* The plan's frame: job, kind, engine, the assignment of the device with its limit, and the class
 * with its rates. *a and *c are the plan's. */
int device_part_write(const struct device_part *d, int kind, int engine, struct plan *plan,
                      struct assignment **a, struct class_summary **c, struct err *err);

/* ", 9.25 GB are other jobs'" where some are; for errors. */
const char *device_part_held(const struct device_part *d, char *out, size_t size);

/* One more reason of the assignment; `value` is shown as it is. */
int device_part_say(struct assignment *a, struct err *err, const char *field, int constraint,
                    const char *value, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* A whole number as text, for device_part_say. */
#define DEVICE_NUMBER_MAX 24
const char *device_part_number(int64_t v, char out[DEVICE_NUMBER_MAX]);

/* "wanted 36, at least 8", and where it is less than wanted, that memory made it so, or `less`. */
int device_part_say_range(struct assignment *a, struct err *err, const char *field, int constraint,
                          int64_t value, int64_t wanted, int64_t least, const char *less);

#endif
