/* agent_limits.h - what a plan may use on this machine now. */
#ifndef AGENT_AGENT_LIMITS_H
#define AGENT_AGENT_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct plan_limits;
struct probe;
struct profile;

/* The smallest limit of memory that is known: the owner's (0: none), Metal's working set, physical
 * memory, what is available now (now_ms is for the probe) with what the process groups of our own
 * plans hold. The reserve that plans leave free is the coordinator's: it is already taken off in
 * the plan, and is our slack for what has changed since. */
void agent_limits(struct probe *probe, const struct profile *p, int64_t owner_bytes,
                  const int64_t *groups, size_t count, int64_t now_ms, struct plan_limits *out);

#endif
