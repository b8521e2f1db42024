/* gpu.h - what the accelerator says of itself, and what its owner allows it.
 *
 * Fills profile.gpu_cores, profile.wired_limit_bytes, profile.gpu_flops,
 * profile.memory_bandwidth_bytes_per_s; state.gpu_load, state.gpu_memory_used_bytes
 *
 * Linux: nothing, with the reason, also for what metal.h and neural_engine.h fill: no GPU there can
 * run what we plan.
 * macOS: IORegistry AGXAccelerator, else IOAccelerator: gpu-core-count, and PerformanceStatistics
 * with "Device Utilization %" and "In use system memory". All undocumented: a key that is missing
 * is unknown, never 0. sysctl iogpu.wired_limit_mb in MiB, 0 where the system chooses; on macOS 13
 * debug.iogpu.wired_limit, of which it is only reported that it counts bytes: a value of 2^30 or
 * more can be nothing else, a smaller one is unknown. Rates are measured, not read. */
#ifndef AGENT_PROBE_GPU_H
#define AGENT_PROBE_GPU_H

struct darwin_source;
struct err;
struct linux_source;
struct profile;
struct state;

int gpu_linux_profile(struct linux_source *source, struct profile *p, struct err *err);
int gpu_linux_state(struct linux_source *source, struct state *s, struct err *err);
int gpu_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);
int gpu_darwin_state(struct darwin_source *source, struct state *s, struct err *err);

#endif
