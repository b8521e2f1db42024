/* cpu.h - cores, and the performance levels they come in.
 *
 * Fills profile.cpu_cores, profile.cpu_levels
 *
 * Linux: distinct (package, core) pairs of /sys/devices/system/cpu/cpuN/topology; levels where the
 * kernel has a folder for each kind (/sys/devices/cpu_core, cpu_atom), by those names.
 * macOS: sysctl hw.physicalcpu; hw.perflevelN.{name,physicalcpu,l2cachesize,cpusperl2} for every N
 * below hw.nperflevels: any number, any names (M1 to M4 have Performance and Efficiency, M5 Pro
 * Super and Performance, M6 all three). */
#ifndef AGENT_PROBE_CPU_H
#define AGENT_PROBE_CPU_H

struct darwin_source;
struct err;
struct linux_source;
struct profile;

int cpu_linux_profile(struct linux_source *source, struct profile *p, struct err *err);
int cpu_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);

#endif
