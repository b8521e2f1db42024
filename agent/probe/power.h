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

struct err;
struct linux_source;
struct state;

int power_linux_state(struct linux_source *source, struct state *s, struct err *err);

#endif
