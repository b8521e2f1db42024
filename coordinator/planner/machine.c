/* machine.c - rates, memory limit and slowness of one class. */
#include "coordinator/planner/machine.h"

#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GIB 1073741824LL

/* The lowest share of memory that macOS was seen to grant the GPU, by size: newer systems grant
 * more. */
#define WORKING_SET_SHARE_SMALL (2.0 / 3)
#define WORKING_SET_SHARE_LARGE 0.75
#define WORKING_SET_SMALL_BYTES (32 * GIB)

#define CPU_MEMORY_SHARE 0.8 /* MLX's own limit on a CPU */

/* Time factors: assumptions until measured step times replace them. */
#define SLOW_FAIR 1.1
#define SLOW_SERIOUS 1.5
#define SLOW_LOW_POWER 1.6

static int64_t memory_of(const struct profile *p)
{
    if (known_i64(p->memory_usable_bytes) &&
        (!known_i64(p->memory_bytes) || p->memory_usable_bytes < p->memory_bytes))
        return p->memory_usable_bytes;
    return p->memory_bytes;
}

/* What the GPU may keep resident; UNKNOWN_I64 where neither Metal nor the memory size is known. */
static int64_t working_set(const struct profile *p, const char **how, bool *is_assumed)
{
    int64_t memory = memory_of(p);
    double share;

    if (p->metal && known_i64(p->metal->working_set_bytes)) {
        *how = "Metal's working set";
        return p->metal->working_set_bytes;
    }
    if (p->metal && known_i64(p->wired_limit_bytes) && p->wired_limit_bytes > 0) {
        *how = "the owner's wired limit";
        return p->wired_limit_bytes;
    }
    if (!known_i64(memory))
        return UNKNOWN_I64;
    if (machine_metal(p) == TRI_FALSE) {
        *how = "0.8 of memory, MLX's limit on a CPU";
        return (int64_t)((double)memory * CPU_MEMORY_SHARE);
    }
    share = memory <= WORKING_SET_SMALL_BYTES ? WORKING_SET_SHARE_SMALL : WORKING_SET_SHARE_LARGE;
    *how = memory <= WORKING_SET_SMALL_BYTES ? "0.667 of memory, assumed for its working set"
                                             : "0.75 of memory, assumed for its working set";
    *is_assumed = true;
    return (int64_t)((double)memory * share);
}

/* Memory that could be had now, before the reserve. */
static int64_t available(const struct profile *p, const struct state *s,
                         const struct policy *policy, bool *is_assumed)
{
    int64_t memory = memory_of(p);
    int64_t bytes;

    if (s && known_i64(s->memory_available_bytes)) {
        bytes = s->memory_available_bytes;
        if (known_i64(s->plan_memory_bytes))
            bytes += s->plan_memory_bytes; /* ours to use again */
        return known_i64(memory) && bytes > memory ? memory : bytes;
    }
    if (!known_i64(memory))
        return UNKNOWN_I64;
    *is_assumed = true;
    return (int64_t)((double)memory * (1 - policy->system_share));
}

static void limit_of(const struct profile *p, const struct state *s, const struct policy *policy,
                     struct machine *out)
{
    const char *how = "";
    bool assumed_set = false, assumed_free = false;
    int64_t set = working_set(p, &how, &assumed_set);
    int64_t have = available(p, s, policy, &assumed_free);
    char a[NUM_BYTES_TEXT_MAX], b[NUM_BYTES_TEXT_MAX];
    int64_t left;

    out->limit_bytes = UNKNOWN_I64;
    out->limit_assumed = false;
    if (!known_i64(set) || !known_i64(have)) {
        snprintf(out->limit_text, sizeof out->limit_text, "unknown: neither memory size nor %s",
                 known_i64(have) ? "working set" : "available memory");
        return;
    }
    left = have > policy->reserve_bytes ? have - policy->reserve_bytes : 0;
    if (set <= left) {
        out->limit_bytes = set;
        out->limit_assumed = assumed_set;
        snprintf(out->limit_text, sizeof out->limit_text, "%s", how);
        return;
    }
    out->limit_bytes = left;
    out->limit_assumed = assumed_free;
    snprintf(out->limit_text, sizeof out->limit_text, "%s %s less a reserve of %s",
             num_format_bytes(have, a),
             assumed_free ? "assumed available (memory less the system's share)" : "available",
             num_format_bytes(policy->reserve_bytes, b));
}

static double slowness(const struct state *s)
{
    double slow = 1;

    if (!s)
        return slow;
    if (s->thermal == THERMAL_FAIR)
        slow = SLOW_FAIR;
    if (s->thermal >= THERMAL_SERIOUS)
        slow = SLOW_SERIOUS;
    return s->low_power_mode == TRI_TRUE ? slow * SLOW_LOW_POWER : slow;
}

static bool metal_listed_unknown(const struct profile *p)
{
    for (size_t i = 0; i < p->unknown_count; i++)
        if (p->unknown[i].field && strcmp(p->unknown[i].field, "metal") == 0)
            return true;
    return false;
}

enum tristate machine_metal(const struct profile *p)
{
    bool apple = p->chip && strncmp(p->chip, "Apple ", 6) == 0;

    if (p->metal)
        return TRI_TRUE;
    if (p->origin == DEVICE_ORIGIN_LINUX || (p->chip && !apple))
        return TRI_FALSE;
    if (!apple)
        return TRI_UNKNOWN;
    /* a Mac that looked and found none, in a virtual machine say; a recording need not have looked
     */
    return p->origin == DEVICE_ORIGIN_MAC && !metal_listed_unknown(p) ? TRI_FALSE : TRI_TRUE;
}

void machine_of(const struct device_class *c, const struct chip_table *t, const struct policy *p,
                struct machine *out)
{
    memset(out, 0, sizeof *out);
    out->backend = machine_metal(c->profile) == TRI_FALSE ? COST_CPU : COST_METAL;
    chip_rates_find(t, c->profile, out->backend == COST_METAL, &out->rates);
    for (int i = 0; i < 2; i++)
        out->learned[i] = (struct learned){.activation_factor = 1, .step_factor = 1};
    out->slow = slowness(c->state);
    limit_of(c->profile, c->state, p, out);
}

int64_t machine_limit(const struct machine *m, int64_t committed_bytes)
{
    if (!known_i64(m->limit_bytes))
        return UNKNOWN_I64;
    return m->limit_bytes > committed_bytes ? m->limit_bytes - committed_bytes : 0;
}
