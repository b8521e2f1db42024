/* report.h - what an agent tells of its machine: the profile, its digest, and states.
 *
 * The profile is probed at the start and again now and then; its digest changes exactly when a fact
 * does, so a coordinator that has it need not be sent it again. A state is a fresh probe with what
 * only the agent knows: memory of its own processes and the rates of its link. One thread; reads no
 * clock: now_ms is for the probe. */
#ifndef AGENT_REPORT_REPORT_H
#define AGENT_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct probe;
struct profile;
struct report;
struct state;

struct report_settings {
    const char *name;          /* for people; NULL: none */
    const char *agent_version; /* NULL: none */
    double up_bps, down_bps;   /* what the owner knows of the link; NaN: unknown */
};

/* Probes the profile once. The probe is borrowed for the report's life. */
struct report *report_new(struct probe *probe, const struct report_settings *settings,
                          int64_t now_ms, struct err *err);
void report_free(struct report *r); /* NULL is fine */

/* Probe the profile again; *changed says whether a fact is another. On failure the old one stands.
 */
int report_refresh(struct report *r, int64_t now_ms, bool *changed, struct err *err);

/* Rates that were timed on this machine, for where the probe knows none; they are in the profile
 * from the next refresh on. NaN: none. `detail` says how they were timed, and is copied. */
int report_measured(struct report *r, double flops, double bandwidth, const char *detail,
                    struct err *err);

const struct profile *report_profile(const struct report *r); /* borrowed until the next refresh */
const char *report_digest(const struct report *r);            /* 16 hexadecimal digits; the same */

/* A state, yours to state_free. `plan_memory_bytes` is what processes of our own hold (UNKNOWN_I64
 * where that means nothing). Notes and reasons are left out unless `full`: once a session is
 * enough. */
int report_state(struct report *r, int64_t plan_memory_bytes, bool full, int64_t now_ms,
                 struct state **out, struct err *err);

#endif
