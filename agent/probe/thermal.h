/* thermal.h - whether heat holds it back.
 *
 * Fills state.thermal
 *
 * Linux: nothing; it states temperatures, and what they mean differs with the machine.
 * macOS: notify key com.apple.system.thermalpressurelevel: 0 nominal, 1 moderate (fair), 2 heavy
 * (serious), 3 trapping and 4 sleeping (critical). */
#ifndef AGENT_PROBE_THERMAL_H
#define AGENT_PROBE_THERMAL_H

struct darwin_source;
struct err;
struct linux_source;
struct state;

int thermal_linux_state(struct linux_source *source, struct state *s, struct err *err);
int thermal_darwin_state(struct darwin_source *source, struct state *s, struct err *err);
/* Register with the system once, and take that back. */
void thermal_darwin_open(struct darwin_source *source);
void thermal_darwin_close(struct darwin_source *source);

#endif
