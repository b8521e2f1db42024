/* backoff.h - how long to wait before the next try, longer each time and never the same for two.
 *
 * The wait doubles from base to max, and half of it is random: a fleet that lost its coordinator at
 * one moment does not come back at one moment. The random number is the caller's, 0 to 1. */
#ifndef AGENT_LINK_BACKOFF_H
#define AGENT_LINK_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t base_ms;
    int64_t max_ms;
    unsigned tries; /* since the last success */
};

static inline void backoff_reset(struct backoff *b)
{
    b->tries = 0;
}

/* base/2..base, then base..2*base, ... max/2..max. */
static inline int64_t backoff_next(struct backoff *b, double random)
{
    int64_t wait = b->base_ms;

    for (unsigned i = 0; i < b->tries && wait < b->max_ms; i++)
        wait *= 2;
    if (wait > b->max_ms)
        wait = b->max_ms;
    if (b->tries < 62)
        b->tries++;
    return (int64_t)((0.5 + random / 2) * (double)wait);
}

#endif
