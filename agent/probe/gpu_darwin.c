/* gpu_darwin.c - see gpu.h. */
#include "agent/probe/gpu.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define MIB (1LL << 20)
#define SURELY_BYTES (1LL << 30) /* in MiB this would be 2^50 bytes */

/* The accelerator's entry, to IOObjectRelease; 0 with the reason when there is none. */
static uint32_t accelerator(const struct darwin_source *source, const char **why)
{
    uint32_t entry;

    *why = source->calls->registry_missing;
    if (*why)
        return 0;
    if (!(entry = darwin_service(source, "AGXAccelerator")))
        entry = darwin_service(source, "IOAccelerator");
    if (!entry)
        *why = "the registry has no AGXAccelerator and no IOAccelerator, as in virtual machines";
    return entry;
}

static int put_cores(const struct darwin_source *source, struct profile *p, struct err *err)
{
    const char *why;
    uint32_t entry = accelerator(source, &why);
    int64_t cores;
    bool found;

    if (!entry)
        return profile_unknown(p, err, "gpu_cores", "%s", why);
    found = darwin_property_i64(source, entry, "gpu-core-count", &cores);
    source->calls->IOObjectRelease(entry);
    if (!found)
        return profile_unknown(p, err, "gpu_cores", "the accelerator has no gpu-core-count");
    return profile_put_i64(p, err, "gpu_cores", cores, "ioreg gpu-core-count");
}

/* 0 is the system's own choice: absent, and no unknown. */
static int put_limit(struct profile *p, int64_t value, int64_t unit, const char *from,
                     struct err *err)
{
    if (value == 0)
        return 0;
    if (value < 0 || value > (1LL << 50) / unit)
        return profile_unknown(p, err, "wired_limit_bytes",
                               "%s is %" PRId64 ", which makes no sense", from, value);
    return profile_put_i64(p, err, "wired_limit_bytes", value * unit, from);
}

static int put_wired_limit(const struct darwin_source *source, struct profile *p, struct err *err)
{
    int64_t value;
    char why[160];

    if (darwin_sysctl_i64(source, "iogpu.wired_limit_mb", &value) == 0)
        return put_limit(p, value, MIB, "sysctl iogpu.wired_limit_mb", err);
    darwin_sysctl_reason("iogpu.wired_limit_mb", why, sizeof why);
    if (errno != ENOENT || darwin_sysctl_i64(source, "debug.iogpu.wired_limit", &value) < 0)
        return profile_unknown(p, err, "wired_limit_bytes", "%s", why);
    if (value > 0 && value < SURELY_BYTES)
        return profile_unknown(
            p, err, "wired_limit_bytes",
            "sysctl debug.iogpu.wired_limit is %" PRId64 ", and nobody says in which unit", value);
    return put_limit(p, value, 1, "sysctl debug.iogpu.wired_limit", err);
}

int gpu_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    if (put_cores(source, p, err) < 0 || put_wired_limit(source, p, err) < 0 ||
        profile_unknown(p, err, "gpu_flops", "not measured on this machine") < 0)
        return -1;
    return profile_unknown(p, err, "memory_bandwidth_bytes_per_s", "not measured on this machine");
}

static int put_statistics(const struct darwin_source *source, const void *statistics,
                          struct state *s, struct err *err)
{
    int64_t value;
    int rc;

    if (darwin_cf_i64(source, darwin_cf_member(source, statistics, "Device Utilization %"), &value))
        rc = state_put_f64(s, err, "gpu_load", (double)value / 100, "ioreg Device Utilization %");
    else
        rc = state_unknown(
            s, err, "gpu_load",
            "the accelerator has no PerformanceStatistics with Device Utilization %%");
    if (rc < 0)
        return -1;
    if (darwin_cf_i64(source, darwin_cf_member(source, statistics, "In use system memory"), &value))
        return state_put_i64(s, err, "gpu_memory_used_bytes", value, "ioreg In use system memory");
    return state_unknown(s, err, "gpu_memory_used_bytes",
                         "the accelerator has no PerformanceStatistics with In use system memory");
}

int gpu_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    const void *statistics;
    const char *why;
    uint32_t entry = accelerator(source, &why);
    int rc;

    if (!entry)
        return state_unknown(s, err, "gpu_load", "%s", why) < 0 ||
                       state_unknown(s, err, "gpu_memory_used_bytes", "%s", why) < 0
                   ? -1
                   : 0;
    statistics = darwin_property(source, entry, "PerformanceStatistics");
    rc = put_statistics(source, statistics, s, err);
    if (statistics)
        source->calls->CFRelease(statistics);
    source->calls->IOObjectRelease(entry);
    return rc;
}
