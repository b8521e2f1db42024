/* availability.h - when a simulated Mac is there, as a trace of intervals that repeats.
 *
 * The form is that of FedScale's client traces {active[], inactive[], finish_time}: a device is
 * there from active[i] to inactive[i], and time counts modulo the period. Patterns: always; away in
 * office hours (a person sits at it); a lid that closes and opens at random. The shares and lengths
 * are assumptions. Pure; drawn from a seed. */
#ifndef COORDINATOR_PLANNER_AVAILABILITY_H
#define COORDINATOR_PLANNER_AVAILABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AVAILABILITY_INTERVALS_MAX 64
#define AVAILABILITY_PERIOD 604800.0 /* s: a week, from Monday 0:00 */

struct availability {
    size_t count; /* 0: always there */
    double active[AVAILABILITY_INTERVALS_MAX], inactive[AVAILABILITY_INTERVALS_MAX];
};

struct availability availability_always(void);
/* `may_close`: it may be a laptop. */
struct availability availability_draw(uint64_t seed, uint64_t number, bool may_close);

/* Seconds from `t` (since the start of a week, any size) until it goes: 0 when it is away at t,
 * INFINITY when it stays. */
double availability_left(const struct availability *a, double t);

#endif
