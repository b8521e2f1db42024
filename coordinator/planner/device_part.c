/* device_part.c - see device_part.h. */
#include "coordinator/planner/device_part.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct client *find_client(const struct snapshot *s, const char *id)
{
    size_t low = 0, high = s->clients_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(s->clients[mid].device_id, id);

        if (order == 0)
            return &s->clients[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* The client's own rules first, then its class's, then its memory. */
static int check_rules(const struct device_part *d, const char *kind, const struct rule_spec *spec,
                       struct err *err)
{
    struct rules *r = rules_new(spec, err);
    struct verdict v;
    int rc = 0;

    if (!r)
        return -1;
    if (!rules_allow_client(r, d->client, &v) || !rules_allow_class(r, d->of, &v))
        rc = err_set(err, ERR_INFEASIBLE, "%s.device_id: %.64s cannot take part: %s", kind,
                     d->client->device_id, v.text);
    else if (!known_i64(d->limit_bytes))
        rc = err_set(err, ERR_INFEASIBLE, "%s.device_id: %.64s cannot take part: memory %s", kind,
                     d->client->device_id, d->machine.limit_text);
    rules_free(r);
    return rc;
}

int device_part_find(const struct snapshot *s, const struct job *job, const char *kind,
                     const char *device_id, const struct rule_spec *rules,
                     const struct policy *policy, struct device_part *out, struct err *err)
{
    struct device_part d = {.job = job};
    struct chip_table *chips;
    int rc;

    if (!device_id)
        return err_set(err, ERR_INVALID,
                       "%s.device_id: missing, wanted the id of a device of the fleet (--device "
                       "ID)",
                       kind);
    if (!(d.client = find_client(s, device_id)))
        return err_set(err, ERR_NOT_FOUND, "%s.device_id: %.64s, the fleet has no such device",
                       kind, device_id);
    if (!(chips = chip_table_new(err)))
        return -1;
    d.of = &s->classes[d.client->class_index];
    machine_of(d.of, chips, policy, &d.machine);
    d.held_bytes = client_committed_bytes(d.client, job->job_id);
    d.limit_bytes = machine_limit(&d.machine, d.held_bytes);
    rc = check_rules(&d, kind, rules, err);
    chip_table_free(chips);
    if (rc == 0)
        *out = d;
    return rc;
}

static int write_limit(const struct device_part *d, struct assignment *a, struct err *err)
{
    char held[NUM_BYTES_TEXT_MAX];

    a->memory_limit_bytes = d->limit_bytes;
    if (d->held_bytes > 0)
        return text_setf(&a->memory_limit_source, err, "%s, less %s of other jobs",
                         d->machine.limit_text, num_format_bytes(d->held_bytes, held));
    return text_set(&a->memory_limit_source, d->machine.limit_text, err);
}

static int write_class(const struct device_part *d, struct class_summary *c, struct err *err)
{
    c->devices = 1; /* of this plan, whatever the fleet has of its kind */
    c->memory_bytes = d->of->profile->memory_bytes;
    c->gpu_cores = d->of->profile->gpu_cores;
    c->memory_limit_bytes = d->limit_bytes;
    c->gpu_flops = d->machine.rates.flops;
    c->memory_bandwidth_bytes_per_s = d->machine.rates.bandwidth;
    c->constraint = CONSTRAINT_NONE;
    if (text_set(&c->client_class, d->of->id, err) < 0 ||
        text_set(&c->chip, d->of->profile->chip, err) < 0 ||
        text_set(&c->memory_limit_source, d->machine.limit_text, err) < 0)
        return -1;
    return text_set(&c->rate_source, d->machine.rates.text, err);
}

int device_part_write(const struct device_part *d, int kind, int engine, struct plan *plan,
                      struct assignment **out, struct class_summary **summary, struct err *err)
{
    struct assignment *a;
    struct class_summary *c;

    plan->format_version = 1;
    plan->kind = kind;
    plan->state = PLAN_STATE_DRY_RUN;
    plan->engine_asked = engine;
    if (text_set(&plan->job_id, d->job->job_id, err) < 0 ||
        text_set(&plan->job_name, d->job->name, err) < 0 ||
        !(a = records_add(&assignment_type, &plan->assignments, &plan->assignments_count, err)) ||
        !(c = records_add(&class_summary_type, &plan->classes, &plan->classes_count, err)))
        return -1;
    a->kind = kind;
    a->participate = TRI_TRUE;
    if (text_set(&a->device_id, d->client->device_id, err) < 0 ||
        text_set(&a->device_name, d->client->name, err) < 0 ||
        text_set(&a->job_id, d->job->job_id, err) < 0 ||
        text_set(&a->client_class, d->of->id, err) < 0 || write_limit(d, a, err) < 0 ||
        write_class(d, c, err) < 0)
        return -1;
    *out = a;
    *summary = c;
    return 0;
}

const char *device_part_held(const struct device_part *d, char *out, size_t size)
{
    char held[NUM_BYTES_TEXT_MAX];

    out[0] = '\0';
    if (d->held_bytes > 0)
        snprintf(out, size, "; other jobs hold %s of it", num_format_bytes(d->held_bytes, held));
    return out;
}

int device_part_say(struct assignment *a, struct err *err, const char *field, int constraint,
                    const char *value, const char *fmt, ...)
{
    struct reason *r = records_add(&reason_type, &a->reasons, &a->reasons_count, err);
    char text[500];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!r || text_set(&r->field, field, err) < 0 || text_set(&r->value, value, err) < 0 ||
        text_set(&r->text, text, err) < 0)
        return -1;
    r->constraint = constraint ? constraint : CONSTRAINT_NONE;
    return 0;
}

const char *device_part_number(int64_t v, char out[DEVICE_NUMBER_MAX])
{
    snprintf(out, DEVICE_NUMBER_MAX, "%" PRId64, v);
    return out;
}

int device_part_say_range(struct assignment *a, struct err *err, const char *field, int constraint,
                          int64_t value, int64_t wanted, int64_t least, const char *less)
{
    char v[DEVICE_NUMBER_MAX];

    return device_part_say(a, err, field, constraint, device_part_number(value, v),
                           "wanted %" PRId64 ", at least %" PRId64 "%s", wanted, least,
                           value >= wanted                   ? ""
                           : constraint == CONSTRAINT_MEMORY ? ": more does not fit"
                                                             : less);
}
