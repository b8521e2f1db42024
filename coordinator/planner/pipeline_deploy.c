/* pipeline_deploy.c - deployment steps: each stage starts after those it needs, with points to go
 * back to.
 *
 * The steps that an engine gives for a stage replace the planner's own for it; a stage always gets
 * a start. Steps keep the engine's order where the graph allows; one that would run too early waits
 * for what it needs, and the decision says so. */
#include "coordinator/planner/pipeline_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 1000 /* what a plan carries */
#define STAGE_STEPS_MAX 64
#define OWN_STEPS_MAX 6  /* of one stage */
#define ORDER_LAST 20000 /* behind every order that a proposal can carry */

struct step {
    size_t stage; /* SIZE_MAX: the whole pipeline */
    int action;
    int64_t order;                    /* the engine's; ORDER_LAST: the planner's own */
    size_t number;                    /* as made: breaks ties */
    const struct deploy_step *theirs; /* NULL: the planner's own */
    bool done, late;
};

struct steps {
    struct pipeline_turn *t;
    struct step *items;
    size_t count, cap;
    bool *started; /* per stage */
    size_t *given; /* per stage: steps of the engine */
    bool *start_given;
};

static void step_add(struct steps *s, size_t stage, int action, int64_t order,
                     const struct deploy_step *theirs)
{
    if (s->count < s->cap) {
        s->items[s->count] = (struct step){
            .stage = stage, .action = action, .order = order, .number = s->count, .theirs = theirs};
        s->count++;
    }
}

/* Copying is a step where an input comes from another device. */
static bool has_far_input(const struct pipeline_turn *t, size_t stage)
{
    const struct heft_schedule *s = pipeline_schedule(t);

    for (size_t i = 0; i < t->edges_count; i++)
        if (t->edges[i].to == stage && s->device[t->edges[i].from] != s->device[stage])
            return true;
    return false;
}

static void own_steps(struct steps *s, size_t stage, bool brief)
{
    bool deploys = s->t->pipeline->stages[stage].kind == STAGE_KIND_DEPLOYMENT;

    if (s->given[stage] > 0) { /* the engine's steps, and the start it forgot */
        if (!s->start_given[stage])
            step_add(s, stage, DEPLOY_ACTION_START, ORDER_LAST, NULL);
        return;
    }
    if (!brief) {
        step_add(s, stage, DEPLOY_ACTION_PREPARE, ORDER_LAST, NULL);
        if (has_far_input(s->t, stage))
            step_add(s, stage, DEPLOY_ACTION_COPY, ORDER_LAST, NULL);
        if (deploys)
            step_add(s, stage, DEPLOY_ACTION_ROLLBACK_POINT, ORDER_LAST, NULL);
    }
    step_add(s, stage, DEPLOY_ACTION_START, ORDER_LAST, NULL);
    if (brief)
        return;
    if (deploys)
        step_add(s, stage, DEPLOY_ACTION_CANARY, ORDER_LAST, NULL);
    step_add(s, stage, DEPLOY_ACTION_VERIFY, ORDER_LAST, NULL);
    if (deploys)
        step_add(s, stage, DEPLOY_ACTION_PROMOTE, ORDER_LAST, NULL);
}

/* Whether a step of the proposal can be used at all; a refused one is noted. */
static bool step_usable(struct steps *s, const struct deploy_step *d, size_t *stage)
{
    const struct field *f = record_field(&deploy_step_type, "order");
    const char *action = enum_name(&deploy_action_names, d->action);
    struct note *n;
    struct err err = {0};

    *stage = d->stage ? pipeline_stage(s->t, d->stage) : SIZE_MAX;
    if (d->stage && *stage == SIZE_MAX) {
        n = decision_note(&s->t->notes, &pipeline_field_map[PF_DEPLOY_STAGE], d->stage, SIZE_MAX);
        note_proposed(n, "%s", d->stage);
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "no such stage in this job");
        return false;
    }
    if (d->action == DEPLOY_ACTION_UNSET || !action) {
        n = decision_note(&s->t->notes, &pipeline_field_map[PF_DEPLOY_ACTION], d->stage, SIZE_MAX);
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "no action that can be taken");
        return false;
    }
    if (known_i64(d->order) && field_check(f, d, "order", &err) < 0) {
        n = decision_note(&s->t->notes, &pipeline_field_map[PF_DEPLOY_ORDER], d->stage, SIZE_MAX);
        note_proposed(n, "%" PRId64, d->order);
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s", err.text);
        return false;
    }
    if (*stage != SIZE_MAX && s->given[*stage] >= STAGE_STEPS_MAX - 1) {
        n = decision_note(&s->t->notes, &pipeline_field_map[PF_DEPLOY_ACTION], d->stage, SIZE_MAX);
        note_proposed(n, "%s", action);
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "more than %d steps of one stage",
                     STAGE_STEPS_MAX - 1);
        return false;
    }
    return true;
}

static void their_steps(struct steps *s, const struct pipeline_proposal *p)
{
    size_t room = STEPS_MAX - s->t->pipeline->stages_count; /* a start of each must fit */

    for (size_t i = 0; p && i < p->deployment_plan_count && i < room; i++) {
        const struct deploy_step *d = &p->deployment_plan[i];
        size_t stage;

        if (!step_usable(s, d, &stage))
            continue;
        step_add(s, stage, d->action, known_i64(d->order) ? d->order : ORDER_LAST - 1, d);
        if (stage == SIZE_MAX)
            continue;
        s->given[stage]++;
        s->start_given[stage] = s->start_given[stage] || d->action == DEPLOY_ACTION_START;
    }
}

static int step_compare(const void *a, const void *b)
{
    const struct step *x = a, *y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Preparing may come any time; a start waits for the stages before it, what follows for the start.
 */
static bool step_ready(const struct steps *s, const struct step *step)
{
    const struct pipeline_turn *t = s->t;

    if (step->stage == SIZE_MAX || step->action == DEPLOY_ACTION_PREPARE ||
        step->action == DEPLOY_ACTION_COPY || step->action == DEPLOY_ACTION_ROLLBACK_POINT)
        return true;
    if (step->action != DEPLOY_ACTION_START)
        return s->started[step->stage];
    for (size_t i = 0; i < t->edges_count; i++)
        if (t->edges[i].to == step->stage && !s->started[t->edges[i].from])
            return false;
    return true;
}

/* What must hold before the next step, in the planner's own words. */
static void gate_text(const struct pipeline_turn *t, const struct step *step, char *out,
                      size_t size)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    const struct stage *stage = step->stage == SIZE_MAX ? NULL : &t->pipeline->stages[step->stage];
    char need[NUM_BYTES_TEXT_MAX];

    out[0] = '\0';
    if (!stage)
        return;
    switch (step->action) {
    case DEPLOY_ACTION_PREPARE:
        if (known_i64(stage->memory_bytes))
            snprintf(out, size, "%s can be had there", num_format_bytes(stage->memory_bytes, need));
        break;
    case DEPLOY_ACTION_COPY:
        snprintf(out, size, "all inputs are there");
        break;
    case DEPLOY_ACTION_ROLLBACK_POINT:
        snprintf(out, size, "what runs now is kept");
        break;
    case DEPLOY_ACTION_START:
        snprintf(out, size, "predicted to end %.1f s after its start",
                 s->finish[step->stage] - s->start[step->stage]);
        break;
    default:
        snprintf(out, size, "error ratio at most %g", t->error_ratio);
        break;
    }
}

static int step_write(const struct pipeline_turn *t, const struct step *step, int64_t order,
                      bool for_people, struct deploy_step **list, size_t *count, struct err *err)
{
    struct deploy_step *d = records_add(&deploy_step_type, list, count, err);
    const struct field *f = record_field(&deploy_step_type, "gate");
    char gate[120];

    if (!d || (step->stage != SIZE_MAX &&
               text_set(&d->stage, t->pipeline->stages[step->stage].name, err) < 0))
        return -1;
    d->order = order;
    d->action = step->action;
    if (for_people && step->theirs && step->theirs->gate &&
        field_check(f, step->theirs, "gate", NULL) == 0)
        return text_set(&d->gate, step->theirs->gate, err);
    gate_text(t, step, gate, sizeof gate);
    return gate[0] ? text_set(&d->gate, gate, err) : 0;
}

static void step_note(struct pipeline_turn *t, const struct step *step, int64_t order)
{
    const char *subject = step->stage == SIZE_MAX ? NULL : t->pipeline->stages[step->stage].name;
    struct note *n;

    if (!step->theirs)
        return;
    n = decision_note(&t->notes, &pipeline_field_map[PF_DEPLOY_ACTION], subject, SIZE_MAX);
    note_proposed(n, "%s", enum_name(&deploy_action_names, step->action));
    note_used(n, "%s", enum_name(&deploy_action_names, step->action));
    note_outcome(n, OUTCOME_USED, CONSTRAINT_NONE, "a step of this stage");
    n = decision_note(&t->notes, &pipeline_field_map[PF_DEPLOY_ORDER], subject, SIZE_MAX);
    if (known_i64(step->theirs->order))
        note_proposed(n, "%" PRId64, step->theirs->order);
    note_used(n, "%" PRId64, order);
    if (step->late)
        note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_SHAPE,
                     "it has to wait for the start of what it needs");
    else
        note_outcome(n, OUTCOME_USED, CONSTRAINT_NONE, "its place among the steps");
}

/* Emit steps in order, as often as it takes: each pass starts at least one stage. */
static int steps_write(struct steps *s, struct plan *plan, struct err *err)
{
    struct pipeline_plan *p = plan->pipeline;
    int64_t order = 0;

    for (size_t left = s->count; left > 0;) {
        for (size_t i = 0; i < s->count; i++) {
            struct step *step = &s->items[i];

            if (step->done)
                continue;
            if (!step_ready(s, step)) {
                step->late = true;
                continue;
            }
            step->done = true;
            left--;
            order++;
            if (step->action == DEPLOY_ACTION_START && step->stage != SIZE_MAX)
                s->started[step->stage] = true;
            step_note(s->t, step, order);
            if (step_write(s->t, step, order, true, &p->deployment, &p->deployment_count, err) < 0)
                return -1;
            if (step->stage != SIZE_MAX &&
                step_write(s->t, step, order, false, &p->stages[step->stage].deployment,
                           &p->stages[step->stage].deployment_count, err) < 0)
                return -1;
        }
    }
    return 0;
}

int pipeline_deploy(struct pipeline_turn *t, const struct pipeline_proposal *p, struct plan *plan,
                    struct err *err)
{
    size_t n = t->pipeline->stages_count;
    struct steps s = {.t = t,
                      .cap = STEPS_MAX,
                      .items = mem_calloc(STEPS_MAX, sizeof(struct step)),
                      .started = mem_calloc(n + 1, sizeof(bool)),
                      .given = mem_calloc(n + 1, sizeof(size_t)),
                      .start_given = mem_calloc(n + 1, sizeof(bool))};
    int rc = -1;

    if (!s.items || !s.started || !s.given || !s.start_given) {
        err_set(err, ERR_NOMEM, "deployment of %zu stages", n);
    } else {
        bool brief;

        their_steps(&s, p);
        brief = s.count + n * OWN_STEPS_MAX > STEPS_MAX; /* then starts only: all must fit */
        for (size_t i = 0; i < n; i++)
            own_steps(&s, t->topological[i], brief);
        qsort(s.items, s.count, sizeof *s.items, step_compare);
        rc = steps_write(&s, plan, err);
    }
    mem_free(s.items);
    mem_free(s.started);
    mem_free(s.given);
    mem_free(s.start_given);
    return rc;
}
