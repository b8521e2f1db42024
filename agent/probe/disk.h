/* disk.h - room for models, adapters and plans.
 *
 * Fills state.disk_free_bytes
 *
 * Linux and macOS: statvfs of the agent's folder, what is free to a user without privileges. */
#ifndef AGENT_PROBE_DISK_H
#define AGENT_PROBE_DISK_H

struct err;
struct linux_source;
struct state;

int disk_linux_state(struct linux_source *source, struct state *s, struct err *err);

#endif
