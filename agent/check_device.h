/* check_device.h - `espalier-agent check`: why this device is not where it should be, and what to
 * do.
 *
 * Goes through what the agent rests on: settings, folder, key, whether it runs, what the machine
 * is, then the way to the coordinator. Changes nothing, but for a key that is made where there is
 * none, and, when no agent runs, a session that begins and ends at once. Takes some 25 s at most.
 */
#ifndef AGENT_CHECK_DEVICE_H
#define AGENT_CHECK_DEVICE_H

struct agent_settings;
struct findings;

/* `file`: the settings file that was read; NULL: none. `dir`: the agent's folder, which is there.
 */
void check_device(struct findings *f, const struct agent_settings *s, const char *file,
                  const char *dir, const char *version);

#endif
