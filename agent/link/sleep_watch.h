/* sleep_watch.h - notices that the machine slept.
 *
 * Two clocks are compared, one that counts sleep and one that does not: what the first gained on
 * the second between two looks was slept. Setting the wall clock changes neither, and a process
 * that was stopped, or a machine under load, slows both. Reads no clock: the caller passes both. */
#ifndef AGENT_LINK_SLEEP_WATCH_H
#define AGENT_LINK_SLEEP_WATCH_H

#include <stdint.h>

/* Shorter ones harm no connection: libzmq's heartbeats allow for some seconds. Far above what two
 * readings of unlike clocks differ by. */
#define SLEEP_WATCH_LEAST_MS 3000

struct sleep_watch {
    int64_t behind_ms; /* all time less time awake, at the last look */
};

/* Clocks as clock_mono_ms and clock_awake_ms give them. */
void sleep_watch_init(struct sleep_watch *w, int64_t mono_ms, int64_t awake_ms);

/* How long it slept since the last look: 0, or SLEEP_WATCH_LEAST_MS and more. Shorter sleeps add up
 * until they are that long. */
int64_t sleep_watch_look(struct sleep_watch *w, int64_t mono_ms, int64_t awake_ms);

#endif
