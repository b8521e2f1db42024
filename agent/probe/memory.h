/* memory.h - how much memory there is, and how much of it could be had now.
 *
 * Fills profile.memory_bytes, profile.memory_usable_bytes; state.memory_available_bytes,
 * state.memory_free_bytes, state.swap_used_bytes, state.swap_total_bytes, state.memory_pressure,
 * state.memory_wired_bytes, state.memory_compressed_bytes, state.memory_free_percent
 *
 * Linux: online blocks of /sys/devices/system/memory (what is plugged in), /proc/meminfo (MemTotal
 * is less what firmware and kernel keep; MemAvailable is the kernel's estimate of what can be had
 * without swapping). It has stall times, but no word for pressure. macOS: sysctl hw.memsize,
 * hw.memsize_usable, vm.swapusage, kern.memorystatus_vm_pressure_level (1 normal, 2 warn, 4
 * critical), kern.memorystatus_level; available = memory - (internal - purgeable + wire +
 * compressor) of host_statistics64 (what the GPU has wired is in wire), free = free - speculative.
 */
#ifndef AGENT_PROBE_MEMORY_H
#define AGENT_PROBE_MEMORY_H

struct darwin_source;
struct err;
struct linux_source;
struct profile;
struct state;

int memory_linux_profile(struct linux_source *source, struct profile *p, struct err *err);
int memory_linux_state(struct linux_source *source, struct state *s, struct err *err);
int memory_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);
int memory_darwin_state(struct darwin_source *source, struct state *s, struct err *err);

#endif
