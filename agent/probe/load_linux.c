/* load_linux.c - see load.h. */
#include "agent/probe/load.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/core/num.h"
#include "common/model/device.h"

#include <stdio.h>
#include <string.h>

/* The first number of a file such as /proc/loadavg; NaN when it does not read. */
static double first_number(const struct linux_source *source, const char *path, double max)
{
    double value = UNKNOWN_F64;
    char text[128];

    if (linux_read(source, path, text, sizeof text) > 0)
        num_parse_f64(text, strcspn(text, " "), 0, max, &value, path, NULL);
    return value;
}

/* Ticks of all CPUs since the start: "cpu  user nice system idle iowait irq softirq steal ...".
 * Time given to guests is within user and nice already. */
static int read_ticks(const struct linux_source *source, uint64_t *busy, uint64_t *all)
{
    unsigned long long t[8] = {0};
    char text[512];

    if (linux_read(source, "/proc/stat", text, sizeof text) <= 0 ||
        /* the kernel's own line: eight counters, no range to check */
        sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
               &t[4], &t[5], &t[6], &t[7]) < 4)
        return -1;
    *all = 0;
    for (size_t i = 0; i < 8; i++)
        *all += t[i];
    *busy = *all - t[3] - t[4];
    return 0;
}

static int fill_cpu_load(struct linux_source *source, struct state *s, struct err *err)
{
    uint64_t busy, all, busy_before = source->busy_ticks, all_before = source->all_ticks;

    if (read_ticks(source, &busy, &all) < 0)
        return state_unknown(s, err, "cpu_load", "/proc/stat does not read");
    source->busy_ticks = busy;
    source->all_ticks = all;
    if (all_before == 0 || all <= all_before || busy < busy_before)
        return state_unknown(s, err, "cpu_load", "needs two readings some time apart");
    s->cpu_load = (double)(busy - busy_before) / (double)(all - all_before);
    if (s->cpu_load > 1) /* idle ticks may be taken back by the kernel's rounding */
        s->cpu_load = 1;
    return 0;
}

int load_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    if (fill_cpu_load(source, s, err) < 0)
        return -1;
    s->load_average = first_number(source, "/proc/loadavg", 1e6);
    if (!known_f64(s->load_average) &&
        state_unknown(s, err, "load_average", "/proc/loadavg does not read") < 0)
        return -1;
    s->uptime_seconds = first_number(source, "/proc/uptime", 1e10);
    if (!known_f64(s->uptime_seconds) &&
        state_unknown(s, err, "uptime_seconds", "/proc/uptime does not read") < 0)
        return -1;
    return 0;
}
