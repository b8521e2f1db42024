/* report.c - see report.h. */
#include "agent/report/report.h"
#include "agent/probe/fact.h"
#include "agent/probe/probe.h"
#include "agent/report/digest.h"
#include "common/core/err.h"
#include "common/core/hash.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <string.h>

struct report {
    struct probe *probe; /* borrowed */
    char *name;
    char *agent_version;
    double up_bps, down_bps;
    double flops, bandwidth; /* measured; NaN: not */
    char *measured;          /* how */
    struct profile *profile;
    char digest[17];
};

void report_free(struct report *r)
{
    if (!r)
        return;
    mem_free(r->name);
    mem_free(r->agent_version);
    mem_free(r->measured);
    profile_free(r->profile);
    mem_free(r);
}

struct report *report_new(struct probe *probe, const struct report_settings *settings,
                          int64_t now_ms, struct err *err)
{
    struct report *r = mem_zalloc(sizeof *r);
    bool changed;

    if (!r) {
        err_set(err, ERR_NOMEM, "report");
        return NULL;
    }
    r->probe = probe;
    r->up_bps = settings->up_bps;
    r->down_bps = settings->down_bps;
    r->flops = r->bandwidth = UNKNOWN_F64;
    if (text_set(&r->name, settings->name, err) < 0 ||
        text_set(&r->agent_version, settings->agent_version, err) < 0 ||
        report_refresh(r, now_ms, &changed, err) < 0) {
        report_free(r);
        return NULL;
    }
    return r;
}

int report_measured(struct report *r, double flops, double bandwidth, const char *detail,
                    struct err *err)
{
    if (text_set(&r->measured, detail, err) < 0)
        return -1;
    r->flops = flops;
    r->bandwidth = bandwidth;
    return 0;
}

static void forget_reason(struct profile *p, const char *field)
{
    for (size_t i = 0; i < p->unknown_count; i++) {
        if (strcmp(p->unknown[i].field, field) != 0)
            continue;
        record_clear(&unknown_fact_type, &p->unknown[i]);
        p->unknown[i] = p->unknown[--p->unknown_count];
        return;
    }
}

static int fill_measured(const struct report *r, struct profile *p, double *field, const char *name,
                         double value, struct err *err)
{
    if (!known_f64(value) || known_f64(*field))
        return 0;
    *field = value;
    forget_reason(p, name);
    return profile_note(p, err, name, FACT_SOURCE_MEASURED, r->measured);
}

int report_refresh(struct report *r, int64_t now_ms, bool *changed, struct err *err)
{
    struct profile *profile = NULL;
    char digest[17];

    if (probe_profile(r->probe, now_ms, &profile, err) < 0)
        return -1;
    if ((r->name && text_set(&profile->name, r->name, err) < 0) ||
        text_set(&profile->agent_version, r->agent_version, err) < 0 ||
        fill_measured(r, profile, &profile->gpu_flops, "gpu_flops", r->flops, err) < 0 ||
        fill_measured(r, profile, &profile->memory_bandwidth_bytes_per_s,
                      "memory_bandwidth_bytes_per_s", r->bandwidth, err) < 0 ||
        record_check(&profile_type, profile, err) < 0) {
        profile_free(profile);
        return -1;
    }
    hash64_hex(record_digest(&profile_type, profile), digest);
    *changed = !r->profile || strcmp(digest, r->digest) != 0;
    memcpy(r->digest, digest, sizeof digest);
    profile_free(r->profile);
    r->profile = profile;
    return 0;
}

const struct profile *report_profile(const struct report *r)
{
    return r->profile;
}

const char *report_digest(const struct report *r)
{
    return r->digest;
}

/* A rate of the link: the owner's word beats the probe's. */
static int fill_rate(struct state *s, double *field, const char *name, double value,
                     struct err *err)
{
    if (known_f64(value)) {
        *field = value;
        for (size_t i = 0; i < s->unknown_count; i++) {
            if (strcmp(s->unknown[i].field, name) != 0)
                continue;
            record_clear(&unknown_fact_type, &s->unknown[i]);
            s->unknown[i] = s->unknown[--s->unknown_count];
            break;
        }
        return state_note(s, err, name, FACT_SOURCE_STATED, "the agent's settings");
    }
    if (known_f64(*field))
        return 0;
    return state_unknown(s, err, name, "not measured, and not in the agent's settings");
}

static void drop_notes(struct state *s)
{
    for (size_t i = 0; i < s->facts_count; i++)
        record_clear(&fact_note_type, &s->facts[i]);
    for (size_t i = 0; i < s->unknown_count; i++)
        record_clear(&unknown_fact_type, &s->unknown[i]);
    s->facts_count = s->unknown_count = 0;
}

int report_state(struct report *r, int64_t plan_memory_bytes, bool full, int64_t now_ms,
                 struct state **out, struct err *err)
{
    struct state *s = NULL;

    if (probe_state(r->probe, now_ms, &s, err) < 0)
        return -1;
    if (known_i64(plan_memory_bytes))
        s->plan_memory_bytes = plan_memory_bytes;
    if (fill_rate(s, &s->up_bps, "up_bps", r->up_bps, err) < 0 ||
        fill_rate(s, &s->down_bps, "down_bps", r->down_bps, err) < 0 ||
        record_check(&state_type, s, err) < 0) {
        state_free(s);
        return -1;
    }
    if (!full)
        drop_notes(s);
    *out = s;
    return 0;
}
