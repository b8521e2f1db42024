/* darwin.c - the backend that reads the Mac it runs on. */
#include "agent/probe/darwin.h"
#include "agent/probe/backend.h"
#include "agent/probe/chip.h"
#include "agent/probe/cpu.h"
#include "agent/probe/cpu_features.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/disk.h"
#include "agent/probe/fact.h"
#include "agent/probe/gpu.h"
#include "agent/probe/idle.h"
#include "agent/probe/load.h"
#include "agent/probe/memory.h"
#include "agent/probe/metal.h"
#include "agent/probe/network.h"
#include "agent/probe/neural_engine.h"
#include "agent/probe/os.h"
#include "agent/probe/power.h"
#include "agent/probe/probe.h"
#include "agent/probe/rdma.h"
#include "agent/probe/thermal.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <errno.h>

/* One fact: NULL where it has nothing to fill. */
struct darwin_fact {
    int (*profile)(struct darwin_source *source, struct profile *p, struct err *err);
    int (*state)(struct darwin_source *source, struct state *s, struct err *err);
};

static const struct darwin_fact facts[] = {
    {chip_darwin_profile, NULL},
    {memory_darwin_profile, memory_darwin_state},
    {gpu_darwin_profile, gpu_darwin_state},
    {metal_darwin_profile, NULL},
    {neural_engine_darwin_profile, NULL},
    {cpu_darwin_profile, NULL},
    {cpu_features_darwin_profile, NULL},
    {os_darwin_profile, NULL},
    {rdma_darwin_profile, NULL},
    {NULL, load_darwin_state},
    {NULL, thermal_darwin_state},
    {NULL, power_darwin_state},
    {NULL, idle_darwin_state},
    {NULL, disk_darwin_state},
    {NULL, network_darwin_state},
};

#define FACTS (sizeof facts / sizeof facts[0])

static void darwin_close(void *source)
{
    struct darwin_source *s = source;

    if (!s)
        return;
    thermal_darwin_close(s);
    power_darwin_close(s);
    mem_free(s->volume);
    mem_free(s);
}

static int darwin_open(const struct probe_options *options, void **source, struct err *err)
{
    struct darwin_source *s = mem_zalloc(sizeof *s);

    if (!s || !(s->volume = mem_strdup(options->volume_path ? options->volume_path : "/"))) {
        mem_free(s);
        return err_set(err, ERR_NOMEM, "probe of a Mac");
    }
    s->calls = options->darwin_calls;
    s->host = s->calls->mach_host_self();
    s->memory_bytes = UNKNOWN_I64;
    if (darwin_sysctl_i64(s, "hw.memsize", &s->memory_bytes) < 0)
        s->memory_errno = errno;
    thermal_darwin_open(s);
    power_darwin_open(s);
    *source = s;
    return 0;
}

static int darwin_profile(void *source, struct profile *out, struct err *err)
{
    out->origin = DEVICE_ORIGIN_MAC;
    for (size_t i = 0; i < FACTS; i++) {
        if (facts[i].profile && facts[i].profile(source, out, err) < 0)
            return -1;
    }
    return profile_explain_rest(out, "not probed on a Mac", err);
}

static int darwin_state(void *source, struct state *out, struct err *err)
{
    out->synthetic = TRI_FALSE;
    for (size_t i = 0; i < FACTS; i++) {
        if (facts[i].state && facts[i].state(source, out, err) < 0)
            return -1;
    }
    return state_explain_rest(out, "not probed on a Mac", err);
}

const struct probe_backend darwin_backend = {"macOS",      PROBE_PAUSE_MS, darwin_open,
                                             darwin_close, darwin_profile, darwin_state};
