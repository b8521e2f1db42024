/* availability.c - patterns of a week. */
#include "coordinator/planner/availability.h"

#include "coordinator/planner/draw.h"

#include <math.h>

#define HOUR 3600.0
#define DAY 86400.0
#define SHARE_OFFICE 0.25
#define SHARE_LID 0.2
#define OPEN_HOURS 6.0 /* mean time that a lid stays open, and closed */
#define CLOSED_HOURS 3.0

struct availability availability_always(void)
{
    return (struct availability){0};
}

static void add(struct availability *a, double from, double to)
{
    if (a->count == AVAILABILITY_INTERVALS_MAX || to <= from)
        return;
    a->active[a->count] = from;
    a->inactive[a->count] = to;
    a->count++;
}

/* Away from about 9 to about 17 on five days. */
static void office(struct availability *a, struct draw *d)
{
    double from = 0;

    for (int day = 0; day < 5; day++) {
        add(a, from, day * DAY + (9 + draw_share(d) - 0.5) * HOUR);
        from = day * DAY + (17 + draw_share(d) - 0.5) * HOUR;
    }
    add(a, from, AVAILABILITY_PERIOD);
}

/* Exponential times, never under a minute. */
static void lid(struct availability *a, struct draw *d)
{
    double t = 0;

    while (t < AVAILABILITY_PERIOD && a->count < AVAILABILITY_INTERVALS_MAX) {
        double open = fmax(60, -OPEN_HOURS * HOUR * log(1 - draw_share(d)));

        add(a, t, fmin(t + open, AVAILABILITY_PERIOD));
        t += open + fmax(60, -CLOSED_HOURS * HOUR * log(1 - draw_share(d)));
    }
}

struct availability availability_draw(uint64_t seed, uint64_t number, bool may_close)
{
    struct draw d = draw_stream(seed, 0x617661696c, number);
    struct availability a = {0};
    double share = draw_share(&d);

    if (share < SHARE_OFFICE)
        office(&a, &d);
    else if (share < SHARE_OFFICE + SHARE_LID && may_close)
        lid(&a, &d);
    return a;
}

double availability_left(const struct availability *a, double t)
{
    double at = fmod(t, AVAILABILITY_PERIOD);

    if (a->count == 0)
        return INFINITY;
    for (size_t i = 0; i < a->count; i++) {
        if (at < a->active[i] || at >= a->inactive[i])
            continue;
        if (a->inactive[i] < AVAILABILITY_PERIOD || a->active[0] > 0)
            return a->inactive[i] - at;
        return AVAILABILITY_PERIOD - at + a->inactive[0]; /* on into the next week */
    }
    return 0;
}
