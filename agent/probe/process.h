/* process.h - memory that a group of processes holds.
 *
 * Linux: resident pages of every process of the group in /proc; pages that they share count once
 * each, so it errs upwards. macOS: ri_phys_footprint of proc_pid_rusage, which includes Metal's
 * memory; of processes of our own user only. */
#ifndef AGENT_PROBE_PROCESS_H
#define AGENT_PROBE_PROCESS_H

#include <stddef.h>
#include <stdint.h>

struct darwin_calls;
struct err;

/* Bytes held by all processes of these groups; a group that is gone holds 0. Walks all processes:
 * milliseconds, so only while a group runs. */
int process_groups_memory(const int64_t *groups, size_t count, int64_t *out, struct err *err);

/* The same with a Mac's calls, which process_groups_memory gives it on a Mac. */
int process_darwin_groups_memory(const struct darwin_calls *calls, const int64_t *groups,
                                 size_t count, int64_t *out, struct err *err);

#endif
