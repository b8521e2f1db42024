/* probe.h - what this machine is, and how it is now.
 *
 * A probe has one backend: the machine it runs on, or a file that stands in for one. Facts have a
 * header each (memory.h, gpu.h, power.h, ...) that names the fields it fills and what each backend
 * reads; a backend is a table of them (linux.h, darwin.h) behind the four calls of backend.h.
 * What cannot be learnt is listed in `unknown` with the reason, and never guessed.
 *
 * Reading is cheap, and rare: a report that is younger than a second is given again (callers pass
 * the time in), so however often one asks, no fact is read more than once a second.
 *
 * One thread. No call waits, except on the kernel's own files. */
#ifndef AGENT_PROBE_PROBE_H
#define AGENT_PROBE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct darwin_calls;
struct err;
struct probe;
struct probe_backend;
struct profile;
struct state;

struct probe_options {
    const char *replay_path; /* recorded or composed machine; NULL: the real one */
    const char *state_path;  /* its live values, in place of those in replay_path; may be NULL */
    const char *volume_path; /* disk_free_bytes is of the volume that holds this folder */
    const char *root; /* before every path of the kernel; NULL is "/", tests have their own */
    const struct darwin_calls *darwin_calls; /* of a Mac; NULL: its own, tests have their own */
};

struct probe *probe_open(const struct probe_options *options, struct err *err);
/* The same with a backend of the caller's choice (backend.h), for tests of another system's. */
struct probe *probe_open_backend(const struct probe_backend *backend,
                                 const struct probe_options *options, struct err *err);
void probe_free(struct probe *p); /* NULL is fine */

/* "linux", "macOS" or "replay". */
const char *probe_backend_name(const struct probe *p);
bool probe_is_replay(const struct probe *p);

/* Every field is known or stands in `unknown`, but for recording_id, name, agent_version and
 * wired_limit_bytes, which may just be absent. Yours to profile_free. now_ms is of a clock that
 * does not jump. */
int probe_profile(struct probe *p, int64_t now_ms, struct profile **out, struct err *err);

/* Shares "since the last report" are of the time since the call before; the first has none. Yours
 * to state_free. */
int probe_state(struct probe *p, int64_t now_ms, struct state **out, struct err *err);

#endif
