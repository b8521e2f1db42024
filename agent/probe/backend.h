/* backend.h - the four calls of a probe's backend.
 *
 * To add one: write a file with its table of facts and one of these, and name it in probe.c. */
#ifndef AGENT_PROBE_BACKEND_H
#define AGENT_PROBE_BACKEND_H

struct err;
struct probe_options;
struct profile;
struct state;

struct probe_backend {
    const char *name;
    int (*open)(const struct probe_options *options, void **source, struct err *err);
    void (*close)(void *source); /* NULL is fine */
    /* Fill a record in which every field is unknown. Fails only for want of memory: what cannot be
     * read becomes an unknown fact. */
    int (*profile)(void *source, struct profile *out, struct err *err);
    int (*state)(void *source, struct state *out, struct err *err);
};

extern const struct probe_backend linux_backend;  /* linux.c */
extern const struct probe_backend replay_backend; /* replay.c */

#endif
