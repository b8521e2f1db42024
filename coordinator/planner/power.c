/* power.c - the published wall figures. */
#include "coordinator/planner/power.h"

#include "common/model/device.h"

#include <stdlib.h>
#include <string.h>

struct figure {
    const char *chip;
    int generation;
    const char *tier;
    double idle_watts, max_watts;
    const char *source;
};

static const struct figure figures[] = {
    {"Apple M1 Max", 1, "Max", 11, 115, "Mac Studio M1 Max, Apple support 102027"},
    {"Apple M1 Ultra", 1, "Ultra", 13, 215, "Mac Studio M1 Ultra, Apple support 102027"},
    {"Apple M2 Max", 2, "Max", 9, 145, "Mac Studio M2 Max, Apple support 102027"},
    {"Apple M2 Ultra", 2, "Ultra", 10, 295, "Mac Studio M2 Ultra, Apple support 102027"},
    {"Apple M4", 4, "", 4, 65, "Mac mini M4, Apple support 103253"},
    {"Apple M4 Pro", 4, "Pro", 5, 140, "Mac mini M4 Pro, Apple support 103253"},
    {"Apple M4 Max", 4, "Max", 6, 145, "Mac Studio M4 Max, Apple support 102027"},
    {"Apple M3 Ultra", 3, "Ultra", 9, 270, "Mac Studio M3 Ultra, Apple support 102027"},
};
#define FIGURES (sizeof figures / sizeof figures[0])

/* "Apple M5 Max": 5 and "Max"; 0 for what is no such name. */
static int generation_of(const char *chip, const char **tier)
{
    char *end;
    long n;

    *tier = "";
    if (!chip || strncmp(chip, "Apple M", 7) != 0)
        return 0;
    n = strtol(chip + 7, &end, 10);
    if (n < 1 || n > 99)
        return 0;
    *tier = *end == ' ' ? end + 1 : "";
    return (int)n;
}

/* How far a figure is from a machine: older ones of its tier are nearer than newer ones. */
static int distance(const struct figure *f, int generation, const char *tier)
{
    int away = generation - f->generation;

    if (strcmp(f->tier, tier) != 0)
        return 1000;
    return away >= 0 ? away : 100 - away;
}

struct power power_of(const struct profile *p)
{
    const char *tier;
    int generation = generation_of(p->chip, &tier);
    const struct figure *nearest = &figures[4]; /* the smallest Mac */
    int least = 999;

    for (size_t i = 0; generation > 0 && i < FIGURES; i++) {
        int d = distance(&figures[i], generation, tier);

        if (d < least) {
            least = d;
            nearest = &figures[i];
        }
    }
    return (struct power){.idle_watts = nearest->idle_watts,
                          .max_watts = nearest->max_watts,
                          .assumed = least != 0,
                          .source = nearest->source};
}

double power_wh(const struct power *p, double seconds, double busy_seconds)
{
    return (p->idle_watts * seconds + (p->max_watts - p->idle_watts) * busy_seconds) / 3600;
}
