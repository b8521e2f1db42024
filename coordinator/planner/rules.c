/* rules.c - the job's rules, one function each, tried in order; the first that refuses says why. */
#include "coordinator/planner/rules.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rules {
    const struct rule_spec *spec;
    struct rule_spec none; /* what stands for a job without rules */
    const char **include;  /* sorted */
    const char **exclude;
};

static int id_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted_ids(char **ids, size_t count)
{
    const char **sorted = mem_calloc(count + 1, sizeof *sorted);

    if (!sorted)
        return NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = ids[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, id_compare);
    return sorted;
}

static bool id_listed(const char **ids, size_t count, const char *id)
{
    return count > 0 && bsearch(&id, ids, count, sizeof *ids, id_compare);
}

struct rules *rules_new(const struct rule_spec *spec, struct err *err)
{
    struct rules *r = mem_zalloc(sizeof *r);

    if (r) {
        record_init(&rule_spec_type, &r->none);
        r->spec = spec ? spec : &r->none;
        r->include = sorted_ids(r->spec->include, r->spec->include_count);
        r->exclude = sorted_ids(r->spec->exclude, r->spec->exclude_count);
    }
    if (!r || !r->include || !r->exclude) {
        rules_free(r);
        err_set(err, ERR_NOMEM, "rules of a job");
        return NULL;
    }
    return r;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    mem_free(r->include);
    mem_free(r->exclude);
    mem_free(r);
}

/* Always false: the verdict is written, the rule refuses. */
static bool refuse(struct verdict *v, int constraint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct verdict *v, int constraint, const char *fmt, ...)
{
    va_list args;

    v->constraint = constraint;
    va_start(args, fmt);
    vsnprintf(v->text, sizeof v->text, fmt, args);
    va_end(args);
    return false;
}

static bool unknown(const struct rules *r, const char *fact, const char *rule, struct verdict *v)
{
    if (r->spec->unknown == UNKNOWN_POLICY_ALLOW)
        return true;
    return refuse(v, CONSTRAINT_UNKNOWN_FACT,
                  "%s unknown, and rules.%s needs it; rules.unknown \"allow\" would let it in",
                  fact, rule);
}

static bool allow_metal(const struct rules *r, const struct device_class *c, struct verdict *v)
{
    enum tristate metal = machine_metal(c->profile);

    if (metal == TRI_TRUE || r->spec->allow_cpu == TRI_TRUE)
        return true;
    if (metal == TRI_UNKNOWN)
        return unknown(r, "Metal", "allow_cpu", v);
    return refuse(v, CONSTRAINT_METAL, "no Metal device; rules.allow_cpu \"true\" would let it in");
}

static const char *next_part(const char *p, long *value)
{
    *value = 0;
    while (*p >= '0' && *p <= '9' && *value < 100000000)
        *value = *value * 10 + (*p++ - '0');
    while (*p && *p != '.')
        p++;
    return *p == '.' ? p + 1 : p;
}

int rules_version_compare(const char *a, const char *b)
{
    while (*a || *b) {
        long x, y;

        a = next_part(a, &x);
        b = next_part(b, &y);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static bool allow_os(const struct rules *r, const struct device_class *c, struct verdict *v)
{
    const char *want = r->spec->min_os_version;
    const struct profile *p = c->profile;

    if (!want)
        return true;
    if (p->os_name && strcmp(p->os_name, "macOS") != 0)
        return refuse(v, CONSTRAINT_OS,
                      "runs %.32s; rules.min_os_version wants macOS %.32s or newer", p->os_name,
                      want);
    if (!p->os_version)
        return unknown(r, "macOS version", "min_os_version", v);
    if (rules_version_compare(p->os_version, want) >= 0)
        return true;
    return refuse(v, CONSTRAINT_OS, "macOS %.32s; an update to %.32s or newer would let it in",
                  p->os_version, want);
}

static bool on_mains(const struct state *s)
{
    if (s->power_source == POWER_SOURCE_UNSET)
        return s->has_battery == TRI_FALSE; /* no battery: it runs, so it is plugged in */
    return s->power_source != POWER_SOURCE_BATTERY;
}

static bool allow_power(const struct rules *r, const struct state *s, struct verdict *v)
{
    bool unknown_source = s->power_source == POWER_SOURCE_UNSET && s->has_battery != TRI_FALSE;
    double least = r->spec->min_battery_percent;

    if (r->spec->require_ac_power == TRI_TRUE && !on_mains(s)) {
        if (!unknown_source)
            return refuse(v, CONSTRAINT_POWER, "on battery; plugging it in would let it in");
        if (!unknown(r, "power source", "require_ac_power", v))
            return false;
    }
    if (!known_f64(least) || on_mains(s))
        return true;
    if (!known_f64(s->battery_percent))
        return unknown(r, unknown_source ? "power source" : "battery charge", "min_battery_percent",
                       v);
    if (s->battery_percent >= least)
        return true;
    return refuse(v, CONSTRAINT_POWER, "battery at %.0f %%; %.0f %% or a charger would let it in",
                  s->battery_percent, least);
}

static bool allow_heat(const struct rules *r, const struct state *s, struct verdict *v)
{
    int most = r->spec->max_thermal ? r->spec->max_thermal : THERMAL_FAIR;

    if (s->thermal == THERMAL_UNSET)
        return !r->spec->max_thermal || unknown(r, "thermal state", "max_thermal", v);
    if (s->thermal <= most && s->thermal != THERMAL_CRITICAL)
        return true;
    return refuse(v, CONSTRAINT_THERMAL, "thermal state %s; cooling to %s would let it in",
                  enum_name(&thermal_names, s->thermal),
                  enum_name(&thermal_names, most == THERMAL_CRITICAL ? THERMAL_SERIOUS : most));
}

static bool allow_pressure(const struct rules *r, const struct state *s, struct verdict *v)
{
    int most = r->spec->max_memory_pressure ? r->spec->max_memory_pressure : MEMORY_PRESSURE_WARN;

    if (s->memory_pressure == MEMORY_PRESSURE_UNSET)
        return !r->spec->max_memory_pressure ||
               unknown(r, "memory pressure", "max_memory_pressure", v);
    if (s->memory_pressure <= most)
        return true;
    return refuse(v, CONSTRAINT_MEMORY, "memory pressure %s; %s would let it in",
                  enum_name(&memory_pressure_names, s->memory_pressure),
                  enum_name(&memory_pressure_names, most));
}

static bool allow_idle(const struct rules *r, const struct state *s, struct verdict *v)
{
    double least = r->spec->min_user_idle_seconds;

    if (!known_f64(least) || least <= 0)
        return true;
    if (!known_f64(s->user_idle_seconds))
        return unknown(r, "idle time", "min_user_idle_seconds", v);
    if (s->user_idle_seconds >= least)
        return true;
    return refuse(v, CONSTRAINT_IDLE, "somebody used it %.0f s ago; %.0f s of rest would let it in",
                  s->user_idle_seconds, least);
}

static bool allow_disk(const struct rules *r, const struct state *s, struct verdict *v)
{
    char have[NUM_BYTES_TEXT_MAX], want[NUM_BYTES_TEXT_MAX];
    int64_t least = r->spec->min_disk_free_bytes;

    if (!known_i64(least) || least == 0)
        return true;
    if (!known_i64(s->disk_free_bytes))
        return unknown(r, "free disk space", "min_disk_free_bytes", v);
    if (s->disk_free_bytes >= least)
        return true;
    return refuse(v, CONSTRAINT_DISK, "%s of disk free; %s would let it in",
                  num_format_bytes(s->disk_free_bytes, have), num_format_bytes(least, want));
}

static bool allow_low_power(const struct rules *r, const struct state *s, struct verdict *v)
{
    if (r->spec->allow_low_power_mode != TRI_FALSE || s->low_power_mode == TRI_FALSE)
        return true;
    if (s->low_power_mode == TRI_UNKNOWN)
        return unknown(r, "low-power mode", "allow_low_power_mode", v);
    return refuse(v, CONSTRAINT_POWER, "low-power mode is on; switching it off would let it in");
}

bool rules_allow_class(const struct rules *r, const struct device_class *c, struct verdict *out)
{
    struct state never;
    const struct state *s = c->state;

    out->constraint = CONSTRAINT_NONE;
    out->text[0] = '\0';
    if (!s) { /* a class whose members never reported a state: every fact of it is unknown */
        record_init(&state_type, &never);
        s = &never;
    }
    return allow_metal(r, c, out) && allow_os(r, c, out) && allow_power(r, s, out) &&
           allow_heat(r, s, out) && allow_pressure(r, s, out) && allow_idle(r, s, out) &&
           allow_disk(r, s, out) && allow_low_power(r, s, out);
}

bool rules_allow_client(const struct rules *r, const struct client *c, struct verdict *out)
{
    out->constraint = CONSTRAINT_NONE;
    out->text[0] = '\0';
    if (r->spec->include_count > 0 && !id_listed(r->include, r->spec->include_count, c->device_id))
        return refuse(out, CONSTRAINT_RULE, "not in rules.include");
    if (id_listed(r->exclude, r->spec->exclude_count, c->device_id))
        return refuse(out, CONSTRAINT_RULE, "in rules.exclude");
    if (c->liveness == LIVENESS_OFFLINE || c->liveness == LIVENESS_UNSET) {
        if (!known_i64(c->state_age_ms))
            return refuse(out, CONSTRAINT_LIVENESS, "offline; coming online would let it in");
        return refuse(out, CONSTRAINT_LIVENESS,
                      "offline, last state %" PRId64 " s old; coming online would let it in",
                      c->state_age_ms / 1000);
    }
    return true;
}
