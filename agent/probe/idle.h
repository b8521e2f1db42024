/* idle.h - since when nobody touched it.
 *
 * Fills state.user_idle_seconds
 *
 * Linux: nothing; consoles, X11, Wayland and SSH each have their own idea, and none is the
 * system's. macOS: IOHIDSystem HIDIdleTime, in nanoseconds. */
#ifndef AGENT_PROBE_IDLE_H
#define AGENT_PROBE_IDLE_H

struct darwin_source;
struct err;
struct linux_source;
struct state;

int idle_linux_state(struct linux_source *source, struct state *s, struct err *err);
int idle_darwin_state(struct darwin_source *source, struct state *s, struct err *err);

#endif
