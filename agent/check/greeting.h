/* greeting.h - a session with the coordinator, begun and ended at once, to see whether it can be
 * had.
 *
 * Looks at both keys (the handshake of CURVE), then, with a Hello, at versions and clocks. A device
 * has one session and the newest Hello wins, so beside a running agent only the handshake is done:
 * it takes nothing away. */
#ifndef AGENT_CHECK_GREETING_H
#define AGENT_CHECK_GREETING_H

#include <stdbool.h>
#include <stdint.h>

struct findings;
struct net;
struct net_keys;

#define GREETING_PATIENCE_MS 10000 /* for the handshake, and again for the Welcome */
/* Plans carry durations, not moments, so a clock that is off breaks nothing; times in logs and
 * measurements are then hard to compare. NTP keeps machines within some milliseconds. */
#define GREETING_CLOCK_WARN_MS 10000

struct greeting_options {
    const char *endpoint;
    const char *server_key;
    const struct net_keys *keys;
    const char *agent_version;
    const char *profile_digest;
    bool hello; /* no agent of this device runs */
    int64_t patience_ms;
};

/* Adds "keys", and with a Hello "session", "version" and "clock". */
void greeting_check(struct findings *f, struct net *net, const struct greeting_options *options);

/* Add the finding "clock": ours against the coordinator's, read about now. */
void greeting_clock(struct findings *f, int64_t ours_ms, int64_t theirs_ms);

/* Add the finding "version": ours against the coordinator's ("0.1.0"); theirs may be NULL. */
void greeting_version(struct findings *f, const char *ours, const char *theirs);

#endif
