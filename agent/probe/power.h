/* power.h - what feeds it.
 *
 * Fills state.power_source, state.battery_percent, state.charging, state.has_battery,
 * state.low_power_mode, state.lid_closed
 *
 * Linux: /sys/class/power_supply (system batteries and mains; those of mice and pens have scope
 * "Device"), /proc/acpi/button/lid.
 * macOS: IOPSGetProvidingPowerSourceType, IOPSGetPowerSourceDescription by Type, not by index;
 * notify key com.apple.system.lowpowermode; AppleClamshellState. */
#ifndef AGENT_PROBE_POWER_H
#define AGENT_PROBE_POWER_H

struct darwin_source;
struct err;
struct linux_source;
struct state;

int power_linux_state(struct linux_source *source, struct state *s, struct err *err);
int power_darwin_state(struct darwin_source *source, struct state *s, struct err *err);
/* The same as thermal_darwin_open and _close, for low-power mode. */
void power_darwin_open(struct darwin_source *source);
void power_darwin_close(struct darwin_source *source);

#endif
