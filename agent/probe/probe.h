/* probe.h - what this machine is, and how it is now.
 *
 * A probe has one backend: the machine it runs on, or a file that stands in for one. Facts have a
 * header each (memory.h, gpu.h, power.h, ...) that names the fields it fills and what each backend
 * reads; a backend is a table of them (linux.h, later darwin.h) behind the four calls of backend.h.
 * What cannot be learnt is listed in `unknown` with the reason, and never guessed.
 *
 * One thread. No call waits, except on the kernel's own files. */
#ifndef AGENT_PROBE_PROBE_H
#define AGENT_PROBE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct probe;
struct profile;
struct state;

struct probe_options {
    const char *replay_path; /* recorded or composed machine; NULL: the real one */
    const char *state_path;  /* its live values, in place of those in replay_path; may be NULL */
    const char *volume_path; /* disk_free_bytes is of the volume that holds this folder */
    const char *root; /* before every path of the kernel; NULL is "/", tests have their own */
};

struct probe *probe_open(const struct probe_options *options, struct err *err);
void probe_free(struct probe *p); /* NULL is fine */

/* "linux" or "replay". */
const char *probe_backend_name(const struct probe *p);
bool probe_is_replay(const struct probe *p);

/* Every field is known or stands in `unknown`, but for recording_id, name, agent_version and
 * wired_limit_bytes, which may just be absent. Yours to profile_free. */
int probe_profile(struct probe *p, struct profile **out, struct err *err);

/* Shares "since the last report" are of the time since the call before; the first has none. Yours
 * to state_free. */
int probe_state(struct probe *p, struct state **out, struct err *err);

#endif
