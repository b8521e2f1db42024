/* plan_check.c - verify, then say what became of it; and a plan read as a proposal. */
#include "coordinator/planner/plan_check.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"
#include "coordinator/planner/pipeline.h"

#include <stdio.h>
#include <string.h>

static const struct field plan_check_fields[] = {
    ROW_TEXT(plan_check, verdict, 16, FIELD_REQUIRED, "fits, repaired or replaced"),
    ROW_TEXT(plan_check, reason, 512, 0, "why, in a sentence"),
    ROW_I64(plan_check, used, 0, 1e9, "values", 0, "stand as proposed"),
    ROW_RECORDS(plan_check, changed, decision, 100000, 0, "repaired and rejected values"),
    ROW_RECORD(plan_check, forecast, forecast, 0, "of the plan that results"),
    ROW_RECORD(plan_check, own, forecast, 0, "of the planner's own plan"),
    ROW_TEXTS(plan_check, notes, 1000, 512, 0, "forgiven or dropped while reading"),
    ROW_RECORD(plan_check, plan, plan, 0, "the plan that results"),
};
RECORD_DEFINE(plan_check, "PlanCheck");

static int verified(const struct snapshot *s, const struct job *job, const struct policy *policy,
                    const struct proposal *p, struct plan **out, struct err *err)
{
    enum engine_kind engine = p ? ENGINE_KIND_PERSON : ENGINE_KIND_ANALYTIC;
    struct envelope *e;
    int rc;

    if (!job->pipeline && !job->federated)
        return err_set(err, ERR_INVALID,
                       "wanted a federated or a pipeline job: one Mac's job has "
                       "no proposal to check against a fleet");
    if (job->pipeline)
        return pipeline_verify(s, job, policy, engine, p ? p->pipeline : NULL, out, err);
    if (!job->federated)
        return err_set(err, ERR_UNSUPPORTED, "job %s: wanted a federated or a pipeline job",
                       job->job_id);
    if (!(e = envelope_build(s, job, policy, err)))
        return -1;
    rc = federated_verify(s, job, e, engine, p ? p->federated : NULL, out, err);
    envelope_free(e);
    return rc;
}

/* Both kinds of verify say it in a warning that begins so. */
static const char *replaced_why(const struct plan *plan)
{
    static const char begins[] = "the proposal was replaced by the planner's own plan: ";

    for (size_t i = 0; i < plan->warnings_count; i++)
        if (strncmp(plan->warnings[i], begins, sizeof begins - 1) == 0)
            return plan->warnings[i] + sizeof begins - 1;
    return NULL;
}

static int changed_add(struct plan_check *c, const struct decision *d, struct err *err)
{
    struct decision *copy = decision_dup(d, err), *slot;

    if (!copy)
        return -1;
    if (!(slot = records_add(&decision_type, &c->changed, &c->changed_count, err))) {
        decision_free(copy);
        return -1;
    }
    *slot = *copy;
    mem_free(copy); /* what it owned is the list's now */
    return 0;
}

static int sort_out(struct plan_check *c, const struct plan *plan, struct err *err)
{
    const char *why = replaced_why(plan);
    size_t repaired = 0, rejected = 0;

    c->used = 0;
    for (size_t i = 0; i < plan->decisions_count; i++) {
        const struct decision *d = &plan->decisions[i];

        repaired += d->outcome == OUTCOME_REPAIRED;
        rejected += d->outcome == OUTCOME_REJECTED;
        c->used += d->outcome == OUTCOME_USED;
        if ((d->outcome == OUTCOME_REPAIRED || d->outcome == OUTCOME_REJECTED) &&
            changed_add(c, d, err) < 0)
            return -1;
    }
    if (why)
        return text_set(&c->verdict, "replaced", err) < 0 || text_set(&c->reason, why, err) < 0 ? -1
                                                                                                : 0;
    if (repaired + rejected == 0)
        return text_set(&c->verdict, "fits", err) < 0 ||
                       text_set(&c->reason, "every proposed value stands", err) < 0
                   ? -1
                   : 0;
    return text_set(&c->verdict, "repaired", err) < 0 ||
                   text_setf(&c->reason, err,
                             "%zu values moved to the nearest that fits, %zu not usable", repaired,
                             rejected) < 0
               ? -1
               : 0;
}

int plan_check(const struct snapshot *s, const struct job *job, const struct policy *policy,
               const struct proposal *p, struct plan_check **out, struct err *err)
{
    struct plan_check *c = plan_check_new(err);
    struct plan *own = NULL;
    int rc = -1;

    if (c && verified(s, job, policy, p, &c->plan, err) == 0 &&
        verified(s, job, policy, NULL, &own, err) == 0 && sort_out(c, c->plan, err) == 0 &&
        (!c->plan->forecast || (c->forecast = forecast_dup(c->plan->forecast, err))) &&
        (!own->forecast || (c->own = forecast_dup(own->forecast, err))))
        rc = 0;
    plan_free(own);
    if (rc == 0)
        *out = c;
    else
        plan_check_free(c);
    return rc;
}

/* ---- a plan as a proposal ---- */

static size_t client_find(const struct snapshot *s, const char *id)
{
    for (size_t i = 0; id && i < s->clients_count; i++)
        if (strcmp(s->clients[i].device_id, id) == 0)
            return i;
    return SIZE_MAX;
}

/* What the class does in the plan: of its members the one with most updates. */
static int class_ask(const struct snapshot *s, size_t k, const struct assignment *const *of_client,
                     struct federated_proposal *p, struct err *err)
{
    const struct assignment *best = NULL;
    struct client_optimization *o;

    for (size_t i = 0; i < s->clients_count; i++) {
        const struct assignment *a = of_client[i];

        if (s->clients[i].class_index != k || !a)
            continue;
        if (!best || (a->training &&
                      (!best->training || a->training->local_steps > best->training->local_steps)))
            best = a;
    }
    if (!best)
        return 0;
    o = records_add(&client_optimization_type, &p->client_optimization,
                    &p->client_optimization_count, err);
    if (!o || text_set(&o->client_class, s->classes[k].id, err) < 0)
        return -1;
    o->participate = best->participate;
    if (!best->training)
        return 0;
    o->model_format = best->training->model_format;
    o->batch_size = best->training->batch_size;
    o->grad_accumulation = best->training->grad_accumulation;
    o->sequence_length = best->training->sequence_length;
    o->grad_checkpoint = best->training->grad_checkpoint;
    o->local_steps = best->training->local_steps;
    return 0;
}

static int common_ask(const struct plan *plan, const struct training *t,
                      struct federated_proposal *p, struct err *err)
{
    const struct federated_plan *f = plan->federated;

    if (!(p->resource_allocation = resource_allocation_new(err)) ||
        !(p->communication_protocol = communication_protocol_new(err)) ||
        !(p->convergence_strategy = convergence_strategy_new(err)))
        return -1;
    p->resource_allocation->rank = f->rank;
    p->resource_allocation->layers = f->layers;
    p->communication_protocol->upload_format = f->upload_format;
    p->convergence_strategy->server_learning_rate = f->server_learning_rate;
    p->convergence_strategy->proximal_mu = f->proximal_mu;
    if (t) {
        p->convergence_strategy->learning_rate = t->learning_rate;
        p->convergence_strategy->lr_schedule = t->lr_schedule;
        p->convergence_strategy->warmup_steps = t->warmup_steps;
    }
    return 0;
}

static int federated_ask(const struct snapshot *s, const struct plan *plan, struct proposal *p,
                         size_t *unknown, struct err *err)
{
    const struct assignment **of_client =
        mem_calloc(s->clients_count + 1, sizeof(struct assignment *));
    const struct training *any = NULL;
    int rc = of_client && (p->federated = federated_proposal_new(err)) ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < plan->assignments_count; i++) {
        size_t c = client_find(s, plan->assignments[i].device_id);

        if (!any)
            any = plan->assignments[i].training;
        if (c == SIZE_MAX)
            ++*unknown;
        else
            of_client[c] = &plan->assignments[i];
    }
    if (rc == 0)
        rc = common_ask(plan, any, p->federated, err);
    for (size_t k = 0; rc == 0 && k < s->classes_count; k++)
        rc = class_ask(s, k, of_client, p->federated, err);
    mem_free(of_client);
    return rc;
}

/* Stages that share a device stay together. */
static int groups_ask(const struct pipeline_plan *q, struct pipeline_architecture *a,
                      struct err *err)
{
    int64_t devices = 0;

    for (size_t i = 0; i < q->stages_count; i++) {
        struct stage_group *g = NULL;
        bool first = true;

        for (size_t k = 0; k < i && first; k++)
            first = strcmp(q->stages[k].device_id, q->stages[i].device_id) != 0;
        devices += first;
        for (size_t k = i + 1; first && k < q->stages_count; k++) {
            if (strcmp(q->stages[k].device_id, q->stages[i].device_id) != 0)
                continue;
            if (!g &&
                (!(g = records_add(&stage_group_type, &a->colocate, &a->colocate_count, err)) ||
                 texts_add(&g->stages, &g->stages_count, q->stages[i].stage, err) < 0))
                return -1;
            if (texts_add(&g->stages, &g->stages_count, q->stages[k].stage, err) < 0)
                return -1;
        }
    }
    a->max_devices = devices > 0 ? devices : UNKNOWN_I64;
    return 0;
}

static int pipeline_ask(const struct snapshot *s, const struct plan *plan, struct proposal *p,
                        size_t *unknown, struct err *err)
{
    const struct pipeline_plan *q = plan->pipeline;

    if (!(p->pipeline = pipeline_proposal_new(err)) ||
        !(p->pipeline->pipeline_architecture = pipeline_architecture_new(err)) ||
        groups_ask(q, p->pipeline->pipeline_architecture, err) < 0)
        return -1;
    for (size_t i = 0; i < q->stages_count; i++) {
        size_t c = client_find(s, q->stages[i].device_id);
        struct stage_schedule *r =
            records_add(&stage_schedule_type, &p->pipeline->resource_scheduling,
                        &p->pipeline->resource_scheduling_count, err);

        if (!r || text_set(&r->stage, q->stages[i].stage, err) < 0)
            return -1;
        r->priority = (int64_t)(q->stages_count - i);
        if (c == SIZE_MAX)
            ++*unknown;
        else if (text_set(&r->client_class, s->classes[s->clients[c].class_index].id, err) < 0)
            return -1;
    }
    return 0;
}

int plan_to_proposal(const struct snapshot *s, const struct plan *plan, struct proposal **out,
                     size_t *unknown, struct err *err)
{
    struct proposal *p = proposal_new(err);
    size_t none = 0;
    int rc = -1;

    if (!p)
        return -1;
    p->engine = ENGINE_KIND_PERSON;
    if (plan->pipeline)
        rc = pipeline_ask(s, plan, p, &none, err);
    else if (plan->federated)
        rc = federated_ask(s, plan, p, &none, err);
    else
        err_set(err, ERR_INVALID, "the plan has neither federated nor pipeline");
    if (rc < 0) {
        proposal_free(p);
        return -1;
    }
    *unknown = none;
    *out = p;
    return 0;
}
