/* pipeline.c - one planning turn: the planner's own schedule, then the proposal's, then the better.
 */
#include "coordinator/planner/pipeline.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/pipeline_turn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Drop what an ask cannot keep, the least binding first: devices, groups, classes. */
static int place_asked(struct pipeline_turn *t, struct pipeline_ask *a, struct err *err)
{
    static const enum pipeline_field drops[] = {PF_MAX_DEVICES, PF_COLOCATE, PF_CLIENT_CLASS};
    struct err why = {0};

    for (size_t i = 0;; i++) {
        t->schedule = pipeline_place(t, a, &why);
        if (t->schedule)
            return 0;
        if (why.code != ERR_INFEASIBLE || i == sizeof drops / sizeof drops[0]) {
            if (why.code == ERR_INFEASIBLE)
                return 0; /* the planner's own schedule stands */
            return err_set(err, why.code, "%s", why.text);
        }
        if (drops[i] == PF_MAX_DEVICES)
            a->max_devices = 0;
        for (size_t k = 0; k < t->pipeline->stages_count; k++) {
            if (drops[i] == PF_COLOCATE)
                a->group[k] = HEFT_NO_GROUP;
            if (drops[i] == PF_CLIENT_CLASS)
                a->class_of[k] = SIZE_MAX;
        }
        for (size_t k = 0; k < t->notes.count; k++) {
            struct note *n = &t->notes.items[k];

            if (n->field == &pipeline_field_map[drops[i]] &&
                (n->outcome == OUTCOME_USED || n->outcome == OUTCOME_REPAIRED))
                note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_SHAPE,
                             "together with the other values no placement exists: %.120s",
                             why.text);
        }
    }
}

static int turn_propose(struct pipeline_turn *t, const struct pipeline_proposal *p, struct err *err)
{
    struct pipeline_ask ask;
    double limit = 1 + t->policy->worse_share;
    int rc;

    if (pipeline_ask_make(t, p, &ask, err) < 0)
        return -1;
    rc = p ? place_asked(t, &ask, err) : 0;
    if (rc == 0 && p && !t->schedule)
        snprintf(t->replaced, sizeof t->replaced, "no placement keeps what it asks");
    if (rc == 0 && t->schedule && t->schedule->makespan > limit * t->own->makespan) {
        snprintf(t->replaced, sizeof t->replaced,
                 "with it the pipeline takes %.4g s, the planner's own %.4g s",
                 t->schedule->makespan, t->own->makespan);
        heft_schedule_free(t->schedule);
        t->schedule = NULL;
    }
    if (rc == 0)
        pipeline_settle(t, &ask);
    if (rc == 0 && t->replaced[0]) /* thresholds and steps, read later, are not in question */
        notes_reject(&t->notes, t->replaced);
    pipeline_ask_clear(&ask);
    return rc;
}

int pipeline_turn_begin(struct pipeline_turn *t, const struct snapshot *s, const struct job *job,
                        const struct policy *policy, const struct pipeline_proposal *p,
                        struct err *err)
{
    if (pipeline_begin(t, s, job, policy, p, err) < 0 || pipeline_single(t, err) < 0)
        return -1;
    t->own = pipeline_place(t, NULL, err);
    return t->own ? 0 : -1;
}

int pipeline_verify(const struct snapshot *s, const struct job *job, const struct policy *policy,
                    enum engine_kind engine, const struct pipeline_proposal *p, struct plan **out,
                    struct err *err)
{
    struct pipeline_turn t;
    struct plan *plan = NULL;
    int rc = -1;

    if (pipeline_turn_begin(&t, s, job, policy, p, err) < 0 || turn_propose(&t, p, err) < 0 ||
        !(plan = plan_new(err)) || pipeline_write(&t, (int)engine, p, plan, err) < 0)
        goto out;
    *out = plan;
    plan = NULL;
    rc = 0;
out:
    plan_free(plan);
    pipeline_clear(&t);
    return rc;
}

/* ---- the analytic answer ---- */

static int propose_schedule(const struct pipeline_turn *t, struct pipeline_proposal *p,
                            struct err *err)
{
    size_t n = t->pipeline->stages_count;

    for (size_t i = 0; i < n; i++) {
        size_t stage = t->own->order[i];
        const struct site *site = &t->sites[t->own->device[stage]];
        struct stage_schedule *r = records_add(&stage_schedule_type, &p->resource_scheduling,
                                               &p->resource_scheduling_count, err);

        if (!r || text_set(&r->stage, t->pipeline->stages[stage].name, err) < 0 ||
            text_set(&r->client_class, t->snapshot->classes[site->class_index].id, err) < 0 ||
            text_setf(&r->rationale, err, "finishes there first, after %.1f s",
                      t->own->finish[stage]) < 0)
            return -1;
        r->priority = (int64_t)(n - i);
    }
    return 0;
}

static int propose_groups(const struct pipeline_turn *t, struct pipeline_architecture *a,
                          struct err *err)
{
    for (size_t d = 0; d < t->sites_count; d++) {
        struct stage_group *g = NULL;
        size_t count = 0;

        for (size_t i = 0; i < t->pipeline->stages_count; i++)
            count += t->own->device[i] == d;
        if (count < 2)
            continue;
        if (!(g = records_add(&stage_group_type, &a->colocate, &a->colocate_count, err)))
            return -1;
        for (size_t i = 0; i < t->pipeline->stages_count; i++)
            if (t->own->device[i] == d &&
                texts_add(&g->stages, &g->stages_count, t->pipeline->stages[i].name, err) < 0)
                return -1;
    }
    return 0;
}

/* The thresholds and steps of the plan itself, moved into the proposal. */
static int propose_rest(struct plan *plan, struct pipeline_proposal *p, struct err *err)
{
    struct pipeline_plan *q = plan->pipeline;

    for (size_t i = 0; i < q->stages_count; i++) {
        for (size_t k = 0; k < q->stages[i].monitors_count; k++) {
            struct monitor_rule *r = NULL, *copy;

            if (p->monitoring_strategy_count >= 1000) /* what a proposal carries */
                break;
            if (!(copy = monitor_rule_dup(&q->stages[i].monitors[k], err)))
                return -1;
            r = records_add(&monitor_rule_type, &p->monitoring_strategy,
                            &p->monitoring_strategy_count, err);
            if (!r) {
                monitor_rule_free(copy);
                return -1;
            }
            *r = *copy;
            mem_free(copy);
        }
    }
    p->deployment_plan = q->deployment; /* moves */
    p->deployment_plan_count = q->deployment_count;
    q->deployment = NULL;
    q->deployment_count = 0;
    return 0;
}

int pipeline_propose(const struct snapshot *s, const struct job *job, const struct policy *policy,
                     struct pipeline_proposal **out, struct err *err)
{
    struct pipeline_turn t;
    struct pipeline_proposal *p = NULL;
    struct plan *plan = NULL;
    int rc = -1;

    if (pipeline_turn_begin(&t, s, job, policy, NULL, err) < 0 ||
        !(p = pipeline_proposal_new(err)) ||
        !(p->pipeline_architecture = pipeline_architecture_new(err)) || !(plan = plan_new(err)) ||
        pipeline_write(&t, ENGINE_KIND_ANALYTIC, NULL, plan, err) < 0)
        goto out;
    p->pipeline_architecture->max_devices = (int64_t)t.own->devices_used;
    if (propose_groups(&t, p->pipeline_architecture, err) < 0 || propose_schedule(&t, p, err) < 0 ||
        propose_rest(plan, p, err) < 0 ||
        text_setf(&p->pipeline_architecture->rationale, err,
                  "each stage runs where it finishes first; %zu devices are worth their transfers",
                  t.own->devices_used) < 0 ||
        text_setf(&p->reasoning, err, "%.4g s in all on %zu devices", t.own->makespan,
                  t.own->devices_used) < 0)
        goto out;
    *out = p;
    p = NULL;
    rc = 0;
out:
    plan_free(plan);
    pipeline_proposal_free(p);
    pipeline_clear(&t);
    return rc;
}
