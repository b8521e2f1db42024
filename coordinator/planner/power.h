/* power.h - what a Mac draws from the wall, idle and at most.
 *
 * Apple publishes both for desktops (support pages 102027 and 103253); they are the figures here,
 * each with the machine that it is of. A Mac that is not among them is taken for the nearest older
 * one of its tier (plain, Pro, Max, Ultra), else the nearest newer one, and said to be assumed: the
 * figure of a desktop for a laptop is too high, which is the safe side for a limit. "At most" is a
 * stress of CPU and GPU together; training draws less. Pure. */
#ifndef COORDINATOR_PLANNER_POWER_H
#define COORDINATOR_PLANNER_POWER_H

#include <stdbool.h>

struct profile;

struct power {
    double idle_watts, max_watts;
    bool assumed;       /* of another machine */
    const char *source; /* the machine that the figures are of, and who says so */
};

struct power power_of(const struct profile *p);

/* Watt-hours over `seconds`, of which `busy_seconds` at full load. */
double power_wh(const struct power *p, double seconds, double busy_seconds);

#endif
