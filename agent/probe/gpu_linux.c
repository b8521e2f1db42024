/* gpu_linux.c - nothing, honestly; see gpu.h. */
#include "agent/probe/gpu.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/model/device.h"

int gpu_linux_profile(struct linux_source *source, struct profile *p, struct err *err)
{
    (void)source;
    if (profile_unknown(p, err, "metal", LINUX_NO_METAL) < 0 ||
        profile_unknown(p, err, "gpu_cores", LINUX_NO_METAL) < 0 ||
        profile_unknown(p, err, "neural_engine_cores", "this is Linux, not a Mac") < 0 ||
        profile_unknown(p, err, "gpu_flops", LINUX_NO_METAL) < 0)
        return -1;
    return profile_unknown(p, err, "memory_bandwidth_bytes_per_s", "not measured on this machine");
}

int gpu_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    (void)source;
    return state_unknown(s, err, "gpu_load", LINUX_NO_METAL);
}
