/* disk.h - room for models, adapters and plans.
 *
 * Fills state.disk_free_bytes
 *
 * Linux: statvfs of the agent's folder, what is free to a user without privileges. macOS: statfs,
 * which has 64 bits where statvfs has 32; what APFS could purge is not counted. */
#ifndef AGENT_PROBE_DISK_H
#define AGENT_PROBE_DISK_H

struct darwin_source;
struct err;
struct linux_source;
struct state;

int disk_linux_state(struct linux_source *source, struct state *s, struct err *err);
int disk_darwin_state(struct darwin_source *source, struct state *s, struct err *err);

#endif
