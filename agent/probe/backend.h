/* backend.h - the four calls of a probe's backend.
 *
 * To add one: write a file with its table of facts and one of these, and name it in probe.c. */
#ifndef AGENT_PROBE_BACKEND_H
#define AGENT_PROBE_BACKEND_H

#include <stdint.h>

struct err;
struct probe_options;
struct profile;
struct state;

/* The least time between two readings of the machine: kernels hand out old numbers, or work for
 * nothing, when asked more often. */
#define PROBE_PAUSE_MS 1000

struct probe_backend {
    const char *name;
    int64_t pause_ms; /* a report younger than this is given again instead of a new one */
    int (*open)(const struct probe_options *options, void **source, struct err *err);
    void (*close)(void *source); /* NULL is fine */
    /* Fill a record in which every field is unknown. Fails only for want of memory: what cannot be
     * read becomes an unknown fact. */
    int (*profile)(void *source, struct profile *out, struct err *err);
    int (*state)(void *source, struct state *out, struct err *err);
};

extern const struct probe_backend darwin_backend; /* darwin.c */
extern const struct probe_backend linux_backend;  /* linux.c */
extern const struct probe_backend replay_backend; /* replay.c */

#endif
