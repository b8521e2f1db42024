/* cpu_darwin.c - see cpu.h. */
#include "agent/probe/cpu.h"
#include "agent/probe/darwin.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <stdio.h>

#define LEVELS_MAX 16 /* as the rows of the model; M6 has 3 */

/* One number of a level into its record; what is not there, or makes no sense, stays unknown. */
static bool put_number(const struct darwin_source *source, int level, const char *key,
                       struct cpu_level *out, const char *field)
{
    char name[64];
    int64_t value;

    snprintf(name, sizeof name, "hw.perflevel%d.%s", level, key);
    return darwin_sysctl_i64(source, name, &value) == 0 &&
           record_put_i64(&cpu_level_type, out, field, value) == 0;
}

/* 1: there is such a level, and *out holds it; 0: there is none; -1: no memory. */
static int read_level(const struct darwin_source *source, int level, struct cpu_level *out,
                      struct err *err)
{
    char name[64], text[64];
    bool found;

    record_init(&cpu_level_type, out);
    found = put_number(source, level, "physicalcpu", out, "cores");
    found |= put_number(source, level, "l2cachesize", out, "l2_bytes");
    found |= put_number(source, level, "cpusperl2", out, "cpus_per_l2");
    snprintf(name, sizeof name, "hw.perflevel%d.name", level);
    if (darwin_sysctl_text(source, name, text, sizeof text) == 0) { /* absent before macOS 13 */
        found = true;
        if (record_put_text(&cpu_level_type, out, "name", text, err) < 0)
            return -1;
    }
    return found;
}

/* The system counts its levels, fastest first. Where it does not, it still knows each by number. */
static int put_levels(const struct darwin_source *source, struct profile *p, struct err *err)
{
    struct cpu_level level, *added;
    int64_t count = LEVELS_MAX;
    char why[160];
    int found;

    if (darwin_sysctl_i64(source, "hw.nperflevels", &count) < 0) {
        darwin_sysctl_reason("hw.nperflevels", why, sizeof why);
        count = LEVELS_MAX;
    } else {
        snprintf(why, sizeof why, "hw.nperflevels is %" PRId64 ", and no hw.perflevel0 answers",
                 count);
    }
    for (int i = 0; i < count && i < LEVELS_MAX; i++) {
        if ((found = read_level(source, i, &level, err)) < 0)
            return -1;
        if (!found)
            break;
        if (!(added = records_add(&cpu_level_type, &p->cpu_levels, &p->cpu_levels_count, err))) {
            record_clear(&cpu_level_type, &level);
            return -1;
        }
        *added = level;
    }
    if (p->cpu_levels_count == 0)
        return profile_unknown(p, err, "cpu_levels", "%s", why);
    return profile_note(p, err, "cpu_levels", FACT_SOURCE_READ, "sysctl hw.perflevelN");
}

int cpu_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    char why[160];
    int64_t cores;
    int rc;

    if (darwin_sysctl_i64(source, "hw.physicalcpu", &cores) == 0)
        rc = profile_put_i64(p, err, "cpu_cores", cores, "sysctl hw.physicalcpu");
    else
        rc = profile_unknown(p, err, "cpu_cores", "%s",
                             darwin_sysctl_reason("hw.physicalcpu", why, sizeof why));
    return rc < 0 ? -1 : put_levels(source, p, err);
}
