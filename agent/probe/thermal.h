/* thermal.h - whether heat holds it back.
 *
 * Fills state.thermal
 *
 * Linux: nothing; it states temperatures, and what they mean differs with the machine.
 * macOS: notify key com.apple.system.thermalpressurelevel: 0 nominal, 1 fair, 2 serious, 3
 * critical. */
#ifndef AGENT_PROBE_THERMAL_H
#define AGENT_PROBE_THERMAL_H

struct err;
struct linux_source;
struct state;

int thermal_linux_state(struct linux_source *source, struct state *s, struct err *err);

#endif
