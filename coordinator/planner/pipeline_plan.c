/* pipeline_plan.c - a turn written down: every stage, an assignment per device, forecast, warnings.
 */
#include "coordinator/planner/pipeline_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/rules.h"
#include "coordinator/planner/plan_warn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *device_of(const struct pipeline_turn *t, size_t stage)
{
    size_t site = pipeline_schedule(t)->device[stage];

    return t->snapshot->clients[t->sites[site].client].device_id;
}

static int write_inputs(const struct pipeline_turn *t, size_t i, struct stage_part *part,
                        struct err *err)
{
    for (size_t e = 0; e < t->edges_count; e++) {
        size_t from = t->edges[e].from;
        struct stage_input *in;

        if (t->edges[e].to != i)
            continue;
        in = records_add(&stage_input_type, &part->inputs, &part->inputs_count, err);
        if (!in || text_set(&in->stage, t->pipeline->stages[from].name, err) < 0 ||
            text_set(&in->device_id, device_of(t, from), err) < 0)
            return -1;
        in->bytes = device_of(t, from) == device_of(t, i) ? 0 : (int64_t)(t->edges[e].bits / 8);
    }
    return 0;
}

/* The part's place among those of its device, by start. */
static int64_t order_on_device(const struct pipeline_turn *t, size_t i)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    int64_t order = 1;

    for (size_t k = 0; k < t->pipeline->stages_count; k++)
        if (k != i && s->device[k] == s->device[i] &&
            (s->start[k] < s->start[i] ||
             (s->start[k] == s->start[i] &&
              (s->finish[k] < s->finish[i] || (s->finish[k] == s->finish[i] && k < i)))))
            order++;
    return order;
}

static int write_stages(const struct pipeline_turn *t, struct pipeline_plan *p, struct err *err)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    size_t n = t->pipeline->stages_count;

    if (!(p->stages = mem_calloc(n + 1, sizeof *p->stages)))
        return err_set(err, ERR_NOMEM, "%zu stages", n);
    for (size_t i = 0; i < n; i++) {
        struct stage_part *part = &p->stages[i];

        record_init(&stage_part_type, part);
        p->stages_count = i + 1;
        if (text_set(&part->stage, t->pipeline->stages[i].name, err) < 0 ||
            text_set(&part->device_id, device_of(t, i), err) < 0 ||
            write_inputs(t, i, part, err) < 0)
            return -1;
        part->kind = t->pipeline->stages[i].kind;
        part->order = order_on_device(t, i);
        part->start_seconds = s->start[i];
        part->finish_seconds = s->finish[i];
        part->memory_bytes = t->pipeline->stages[i].memory_bytes;
    }
    return 0;
}

static int part_compare(const void *a, const void *b)
{
    const struct stage_part *x = a, *y = b;

    if (x->start_seconds != y->start_seconds)
        return x->start_seconds < y->start_seconds ? -1 : 1;
    if (x->finish_seconds != y->finish_seconds)
        return x->finish_seconds < y->finish_seconds ? -1 : 1;
    return strcmp(x->stage, y->stage);
}

/* ---- assignments ---- */

static int reason_add(struct assignment *a, const char *field, int constraint, const char *value,
                      const char *text, struct err *err)
{
    struct reason *r = records_add(&reason_type, &a->reasons, &a->reasons_count, err);

    if (!r || text_set(&r->field, field, err) < 0 || text_set(&r->value, value, err) < 0 ||
        text_set(&r->text, text, err) < 0)
        return -1;
    r->constraint = constraint;
    return 0;
}

static int write_limit(const struct pipeline_turn *t, size_t client, struct assignment *a,
                       struct err *err)
{
    const struct client *c = &t->snapshot->clients[client];
    const struct machine *m = &t->machines[c->class_index];

    a->memory_limit_bytes = machine_limit(m, client_committed_bytes(c, t->job->job_id));
    return text_set(&a->memory_limit_source, m->limit_text, err);
}

static int stage_reason(const struct pipeline_turn *t, const struct stage_part *part,
                        const struct assignment *a, char *out, size_t size)
{
    const struct stage *s = &t->pipeline->stages[pipeline_stage(t, part->stage)];
    char need[NUM_BYTES_TEXT_MAX], room[NUM_BYTES_TEXT_MAX];
    int n = snprintf(out, size, "%s %.1f s to %.1f s, where it finishes soonest",
                     s->device_id ? "the job wants it here:" : "runs from", part->start_seconds,
                     part->finish_seconds);

    if (known_i64(s->memory_bytes) && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "; needs %s of %s, %.0f %% of it left free",
                 num_format_bytes(s->memory_bytes, need),
                 num_format_bytes(a->memory_limit_bytes, room), 100 * t->headroom);
    return s->device_id ? CONSTRAINT_RULE : CONSTRAINT_NONE;
}

/* The stage's own device, or one that answers its requests too. */
static bool runs_on(const struct stage_part *part, const char *device_id)
{
    if (strcmp(part->device_id, device_id) == 0)
        return true;
    for (size_t i = 0; part->service && i < part->service->replicas_count; i++)
        if (strcmp(part->service->replicas[i], device_id) == 0)
            return true;
    return false;
}

/* A replica comes after what else the device does. */
static int replica_part(struct stage_part *part, const struct assignment *a, struct err *err)
{
    part->order = (int64_t)a->stages_count;
    return text_set(&part->device_id, a->device_id, err);
}

static int write_member(const struct pipeline_turn *t, const struct pipeline_plan *p,
                        struct assignment *a, struct err *err)
{
    struct prediction *pr = a->prediction = prediction_new(err);
    int64_t memory = 0, in = 0;
    double finish = 0, busy = 0;
    char text[300];

    if (!pr)
        return -1;
    for (size_t i = 0; i < p->stages_count; i++) {
        const struct stage_part *part = &p->stages[i];
        struct stage_part *copy, *slot;
        int constraint;

        if (!runs_on(part, a->device_id))
            continue;
        if (!(copy = stage_part_dup(part, err)))
            return -1;
        slot = records_add(&stage_part_type, &a->stages, &a->stages_count, err);
        if (!slot) {
            stage_part_free(copy);
            return -1;
        }
        *slot = *copy;
        mem_free(copy); /* what it owned is the assignment's now */
        if (strcmp(part->device_id, a->device_id) != 0 && replica_part(slot, a, err) < 0)
            return -1;
        constraint = stage_reason(t, part, a, text, sizeof text);
        if (reason_add(a, "stages", constraint, part->stage, text, err) < 0)
            return -1;
        if (known_i64(part->memory_bytes) && part->memory_bytes > memory)
            memory = part->memory_bytes;
        finish = fmax(finish, part->finish_seconds);
        busy += part->finish_seconds - part->start_seconds;
        for (size_t k = 0; k < part->inputs_count; k++)
            in += part->inputs[k].bytes;
    }
    pr->memory_bytes = memory;
    pr->round_seconds = finish;
    pr->download_bytes = in;
    a->participate = TRI_TRUE;
    return text_setf(&a->reason, err,
                     "takes part: %zu of %zu stages, busy %.1f s, done after %.1f s",
                     a->stages_count, p->stages_count, busy, finish);
}

static int write_assignment(const struct pipeline_turn *t, size_t client, const bool *has_stage,
                            const struct pipeline_plan *p, struct assignment *a, struct err *err)
{
    const struct client *c = &t->snapshot->clients[client];
    char why[VERDICT_TEXT_MAX];
    int constraint;

    a->kind = PLAN_KIND_PIPELINE;
    if (text_set(&a->device_id, c->device_id, err) < 0 ||
        text_set(&a->device_name, c->name, err) < 0 ||
        text_set(&a->job_id, t->job->job_id, err) < 0 ||
        text_set(&a->client_class, t->snapshot->classes[c->class_index].id, err) < 0 ||
        write_limit(t, client, a, err) < 0)
        return -1;
    if (has_stage[client])
        return write_member(t, p, a, err);
    a->participate = TRI_FALSE;
    constraint = pipeline_refusal(t, client, why, sizeof why);
    if (constraint == CONSTRAINT_NONE) {
        constraint = CONSTRAINT_OBJECTIVE;
        snprintf(why, sizeof why,
                 "not needed: no stage would finish sooner here; a faster device or link, or more "
                 "free memory, would change that");
    }
    if (text_setf(&a->reason, err, "left out: %s", why) < 0)
        return -1;
    return reason_add(a, "participate", constraint, "false", why, err);
}

static int write_assignments(const struct pipeline_turn *t, struct plan *plan, struct err *err)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    size_t n = t->snapshot->clients_count;
    bool *has_stage = mem_calloc(n + 1, sizeof *has_stage);
    int rc = 0;

    plan->assignments = mem_calloc(n + 1, sizeof *plan->assignments);
    if (!has_stage || !plan->assignments) {
        mem_free(has_stage);
        return err_set(err, ERR_NOMEM, "%zu assignments", n);
    }
    for (size_t i = 0; i < t->pipeline->stages_count; i++)
        has_stage[t->sites[s->device[i]].client] = true;
    for (size_t d = 0; d < t->sites_count; d++)
        if (t->is_replica[d])
            has_stage[t->sites[d].client] = true;
    for (size_t i = 0; i < n && rc == 0; i++) {
        record_init(&assignment_type, &plan->assignments[i]);
        plan->assignments_count = i + 1;
        rc = write_assignment(t, i, has_stage, plan->pipeline, &plan->assignments[i], err);
    }
    mem_free(has_stage);
    return rc;
}

/* ---- forecast, classes, warnings ---- */

static int write_forecast(const struct pipeline_turn *t, struct plan *plan, struct err *err)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    struct forecast *f = plan->forecast = forecast_new(err);
    struct forecast *b = plan->baseline = forecast_new(err);
    bool single = !isinf(t->single_seconds);

    if (!f || !b)
        return -1;
    f->clients = (int64_t)pipeline_devices(t);
    f->left_out = (int64_t)(t->snapshot->clients_count - pipeline_devices(t));
    f->round_seconds = s->makespan;
    f->utilisation =
        s->makespan > 0 ? fmin(s->busy_seconds / ((double)s->devices_used * s->makespan), 1) : 0;
    if (text_setf(&f->text, err, "%zu stages on %zu devices, busy %.1f s together",
                  t->pipeline->stages_count, s->devices_used, s->busy_seconds) < 0)
        return -1;
    if (!single)
        return text_set(&b->text, "no single device can run every stage", err);
    b->clients = 1;
    b->left_out = (int64_t)t->snapshot->clients_count - 1;
    b->round_seconds = t->single_seconds;
    b->utilisation = 1;
    return text_setf(&b->text, err, "everything on %.64s, the one device that does it soonest",
                     t->snapshot->clients[t->sites[t->single_site].client].device_id);
}

static int write_class(const struct pipeline_turn *t, size_t k, struct plan *plan, struct err *err)
{
    const struct device_class *c = &t->snapshot->classes[k];
    const struct machine *m = &t->machines[k];
    struct class_summary *s =
        records_add(&class_summary_type, &plan->classes, &plan->classes_count, err);
    struct verdict v;

    if (!s || text_set(&s->client_class, c->id, err) < 0 ||
        text_set(&s->chip, c->profile->chip, err) < 0 ||
        text_set(&s->memory_limit_source, m->limit_text, err) < 0 ||
        text_set(&s->rate_source, m->rates.text, err) < 0)
        return -1;
    s->devices = (int64_t)c->devices;
    s->memory_bytes = c->profile->memory_bytes;
    s->gpu_cores = c->profile->gpu_cores;
    s->memory_limit_bytes = m->limit_bytes;
    s->gpu_flops = m->rates.flops;
    s->memory_bandwidth_bytes_per_s = m->rates.bandwidth;
    if (rules_allow_class(t->rules, c, &v)) {
        s->constraint = CONSTRAINT_NONE;
        return 0;
    }
    s->constraint = v.constraint;
    return text_setf(&s->text, err, "left out: %s", v.text);
}

static int write_warnings(const struct pipeline_turn *t, struct plan *plan, struct err *err)
{
    const struct pipeline_performance *f = t->pipeline->performance;
    const struct pipeline_plan *p = plan->pipeline;

    if (t->replaced[0] &&
        plan_warn(plan, err, "the proposal was replaced by the planner's own plan: %s",
                  t->replaced) < 0)
        return -1;
    if (f && known_f64(f->makespan_seconds) && p->makespan_seconds > f->makespan_seconds &&
        plan_warn(plan, err,
                  "performance.makespan_seconds: %.4g cannot be kept; the nearest found is %.4g, "
                  "and no placement can be below %.4g",
                  f->makespan_seconds, p->makespan_seconds, p->lower_bound_seconds) < 0)
        return -1;
    for (size_t i = 0; i < t->pipeline->stages_count; i++) {
        const struct stage *s = &t->pipeline->stages[i];

        if (known_f64(s->flop) || known_f64(s->bytes_moved) || known_f64(s->fixed_seconds))
            continue;
        if (plan->warnings_count < 100 &&
            plan_warn(plan, err,
                      "stage %.64s states no flop, bytes_moved or fixed_seconds: planned as taking "
                      "no time",
                      s->name) < 0)
            return -1;
    }
    return 0;
}

/* Energy and price; where a figure is another machine's, that is said. */
static int write_cost(const struct pipeline_turn *t, struct pipeline_plan *p, struct err *err)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    const struct pipeline_cost *c = t->pipeline->cost;
    size_t assumed = 0, used = 0;

    p->energy_wh = pipeline_energy(t, s);
    for (size_t d = 0; d < t->sites_count; d++) {
        used += t->used_scratch[d];
        assumed += t->used_scratch[d] && t->sites[d].power.assumed;
    }
    if (c && (known_f64(c->price_per_kwh) || known_f64(c->device_hour_price)))
        p->price = pipeline_price(t, s);
    return text_setf(&p->energy_source, err,
                     "idle and full load at the wall, Apple support 102027 and 103253; %zu of %zu "
                     "devices are not among them and taken for the nearest of their tier",
                     assumed, used);
}

static int write_common(struct pipeline_turn *t, struct plan *plan, struct err *err)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    const struct pipeline_cost *c = t->pipeline->cost;
    struct pipeline_plan *p = plan->pipeline = pipeline_plan_new(err);
    struct heft_problem h = {.tasks = t->pipeline->stages_count,
                             .devices = t->sites_count,
                             .seconds = t->seconds,
                             .edges = t->edges,
                             .edges_count = t->edges_count};
    double bound;

    if (!p || heft_lower_bound(&h, &bound, err) < 0)
        return -1;
    if (c && known_i64(c->max_devices) && (size_t)c->max_devices < t->sites_count) {
        double work = 0;

        for (size_t i = 0; i < h.tasks; i++) { /* the same work on fewer devices */
            double least = INFINITY;

            for (size_t d = 0; d < h.devices; d++)
                least = fmin(least, t->seconds[i * h.devices + d]);
            work += least;
        }
        bound = fmax(bound, work / (double)c->max_devices);
    }
    p->makespan_seconds = s->makespan;
    if (write_cost(t, p, err) < 0)
        return -1;
    p->lower_bound_seconds = fmin(bound, s->makespan);
    if (!isinf(t->single_seconds)) {
        p->single_device_seconds = t->single_seconds;
        if (text_set(&p->single_device_id,
                     t->snapshot->clients[t->sites[t->single_site].client].device_id, err) < 0)
            return -1;
    }
    return write_stages(t, p, err);
}

int pipeline_write(struct pipeline_turn *t, int engine, const struct pipeline_proposal *p,
                   struct plan *plan, struct err *err)
{
    plan->format_version = 1;
    plan->kind = PLAN_KIND_PIPELINE;
    plan->state = PLAN_STATE_DRY_RUN;
    plan->engine_asked = engine;
    if (text_set(&plan->job_id, t->job->job_id, err) < 0 ||
        text_set(&plan->job_name, t->job->name, err) < 0 || write_common(t, plan, err) < 0 ||
        pipeline_services(t, plan, err) < 0 || pipeline_watch(t, p, plan, err) < 0 ||
        pipeline_deploy(t, p, plan, err) < 0)
        return -1;
    qsort(plan->pipeline->stages, plan->pipeline->stages_count, sizeof *plan->pipeline->stages,
          part_compare);
    if (write_assignments(t, plan, err) < 0 || write_forecast(t, plan, err) < 0)
        return -1;
    for (size_t k = 0; k < t->snapshot->classes_count; k++)
        if (write_class(t, k, plan, err) < 0)
            return -1;
    if (notes_write(&t->notes, engine, plan, err) < 0 || write_warnings(t, plan, err) < 0)
        return -1;
    return decision_notes_say(&t->notes, engine, t->replaced, plan, err);
}
