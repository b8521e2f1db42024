/* load.h - how busy the machine is.
 *
 * Fills state.cpu_load, state.load_average, state.uptime_seconds
 *
 * Linux: /proc/stat (between two calls), /proc/loadavg, /proc/uptime.
 * macOS: host_statistics(HOST_CPU_LOAD_INFO) between two calls, modulo 2^32; getloadavg;
 * CLOCK_MONOTONIC_RAW, which counts sleep. */
#ifndef AGENT_PROBE_LOAD_H
#define AGENT_PROBE_LOAD_H

struct darwin_source;
struct err;
struct linux_source;
struct state;

int load_linux_state(struct linux_source *source, struct state *s, struct err *err);
int load_darwin_state(struct darwin_source *source, struct state *s, struct err *err);

#endif
