/* agent_limits.c - see agent_limits.h. */
#include "agent/agent_limits.h"
#include "agent/apply/apply.h"
#include "agent/probe/probe.h"
#include "agent/probe/process.h"
#include "common/core/unknown.h"
#include "common/model/device.h"

#include <stdio.h>

static void take_limit(struct plan_limits *out, int64_t bytes, const char *source)
{
    if (!known_i64(bytes) || (known_i64(out->memory_bytes) && out->memory_bytes <= bytes))
        return;
    out->memory_bytes = bytes;
    snprintf(out->memory_source, sizeof out->memory_source, "%s", source);
}

void agent_limits(struct probe *probe, const struct profile *p, int64_t owner_bytes,
                  const int64_t *groups, size_t count, int64_t now_ms, struct plan_limits *out)
{
    struct state *s = NULL;
    int64_t own = 0;

    *out = (struct plan_limits){.memory_bytes = UNKNOWN_I64, .disk_free_bytes = UNKNOWN_I64};
    if (owner_bytes > 0)
        take_limit(out, owner_bytes, "the owner's memory_limit");
    if (p->metal)
        take_limit(out, p->metal->working_set_bytes, "Metal's working set");
    take_limit(out, p->memory_bytes, "physical memory");
    if (probe_state(probe, now_ms, &s, NULL) < 0)
        return;
    if (!probe_is_replay(probe) && process_groups_memory(groups, count, &own, NULL) < 0)
        own = 0;
    if (known_i64(s->memory_available_bytes))
        take_limit(out, s->memory_available_bytes + own, "memory available now");
    out->disk_free_bytes = s->disk_free_bytes;
    state_free(s);
}
