/* darwin.h - what the facts of a Mac share: its calls, and the last reading of counters.
 *
 * Each fact's *_darwin.c has up to two functions, declared in the fact's header and listed in
 * darwin.c: int memory_darwin_profile(struct darwin_source *source, struct profile *p, struct err
 * *err); int memory_darwin_state(struct darwin_source *source, struct state *s, struct err *err);
 * They set what they can read and give a reason for what they cannot; only want of memory fails.
 * No fact is computed from another one's lack: what a key does not say stays unknown.
 *
 * All calls go through source->calls (darwin_calls.h), so that this code runs anywhere. */
#ifndef AGENT_PROBE_DARWIN_H
#define AGENT_PROBE_DARWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct darwin_calls;

#define DARWIN_TOKEN_NONE (-1)
#define DARWIN_CPU_TICKS 4

struct darwin_source {
    const struct darwin_calls *calls; /* borrowed */
    char *volume;                     /* see probe.h */
    uint32_t host;                    /* asked for once: each call adds a reference to the port */
    int64_t memory_bytes;             /* hw.memsize, which does not change; UNKNOWN_I64 */
    int memory_errno;                 /* why it is unknown */
    bool ticks_known;
    uint32_t ticks[DARWIN_CPU_TICKS];          /* of all CPUs, at the last reading */
    int thermal_token, low_power_token;        /* registered once; DARWIN_TOKEN_NONE: refused */
    uint32_t thermal_status, low_power_status; /* of the registration, for the reason */
};

/* ---- sysctl: 0, or -1 with errno ---- */

/* An integer of 4 or 8 bytes, signed. EOVERFLOW for any other size. */
int darwin_sysctl_i64(const struct darwin_source *source, const char *name, int64_t *out);
/* One of 4 bytes that is unsigned, though sysctl(8) prints it with a sign. */
int darwin_sysctl_u32(const struct darwin_source *source, const char *name, int64_t *out);
/* Text, NUL-terminated; cut to size. ENOENT also when it is empty. */
int darwin_sysctl_text(const struct darwin_source *source, const char *name, char *out,
                       size_t size);
/* Why the last sysctl failed, in words: "sysctl hw.memsize: No such file or directory". Uses errno.
 */
const char *darwin_sysctl_reason(const char *name, char *out, size_t size);

/* ---- the registry of devices; only when calls->registry_missing is NULL ---- */

/* A service of this class or one derived from it; 0 when there is none. To IOObjectRelease. */
uint32_t darwin_service(const struct darwin_source *source, const char *class_name);
/* All of them, one call each: `visit` returns false to stop. */
void darwin_services(const struct darwin_source *source, const char *class_name,
                     bool (*visit)(const struct darwin_source *source, uint32_t entry, void *arg),
                     void *arg);
/* A property; NULL when it is not there. To CFRelease. */
const void *darwin_property(const struct darwin_source *source, uint32_t entry, const char *key);
/* A property that is a number; false when it is not there, or is something else. */
bool darwin_property_i64(const struct darwin_source *source, uint32_t entry, const char *key,
                         int64_t *out);

/* Values of a CoreFoundation object (NULL is none); false when it is of another type. */
bool darwin_cf_i64(const struct darwin_source *source, const void *value, int64_t *out);
bool darwin_cf_bool(const struct darwin_source *source, const void *value, bool *out);
bool darwin_cf_text(const struct darwin_source *source, const void *value, char *out, size_t size);
/* A dictionary's value, borrowed from it; NULL when it has none, or is no dictionary. */
const void *darwin_cf_member(const struct darwin_source *source, const void *dictionary,
                             const char *key);

#endif
