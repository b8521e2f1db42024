/* gpu.h - what Metal and the accelerator say of themselves.
 *
 * Fills profile.gpu_cores, profile.neural_engine_cores, profile.metal, profile.wired_limit_bytes,
 * profile.gpu_flops, profile.memory_bandwidth_bytes_per_s; state.gpu_load
 *
 * Linux: nothing, with the reason: no GPU there can run what we plan.
 * macOS: IORegistry AGXAccelerator (gpu-core-count, PerformanceStatistics), MTLCopyAllDevices
 * first, MTLCreateSystemDefaultDevice second; the budget is recommendedMaxWorkingSetSize, never a
 * percentage; sysctl iogpu.wired_limit_mb where it is not 0. Rates are measured, not read. */
#ifndef AGENT_PROBE_GPU_H
#define AGENT_PROBE_GPU_H

struct err;
struct linux_source;
struct profile;
struct state;

int gpu_linux_profile(struct linux_source *source, struct profile *p, struct err *err);
int gpu_linux_state(struct linux_source *source, struct state *s, struct err *err);

#endif
