/* diffusion.c - one planning turn: the planner's own images, then the proposal's, then the better
 * ones. */
#include "coordinator/planner/diffusion.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "coordinator/planner/diffusion_turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct image_settings *image_turn_settings(const struct diffusion_turn *t)
{
    return t->proposed ? &t->settings : &t->own;
}

const struct image_solution *image_turn_solution(const struct diffusion_turn *t)
{
    return t->proposed ? &t->solution : &t->own_solution;
}

static int turn_begin(struct diffusion_turn *t, const struct snapshot *s, const struct job *job,
                      const struct policy *policy, struct err *err)
{
    const struct image_want *w = &t->want;

    memset(t, 0, sizeof *t);
    t->diffusion = job->diffusion;
    t->policy = policy;
    if (image_want_read(job->diffusion, &t->want, err) < 0 ||
        device_part_find(s, job, "diffusion", job->diffusion->device_id, job->diffusion->rules,
                         policy, &t->device, err) < 0)
        return -1;
    image_model_read(job->diffusion, &t->model);
    t->own = (struct image_settings){.width = w->width,
                                     .height = w->height,
                                     .batch_size = w->batch_size,
                                     .steps = w->steps,
                                     .sampler = w->sampler,
                                     .guidance = w->guidance,
                                     .memory_share = policy->memory_share,
                                     .offload = TRI_UNKNOWN,
                                     .tiling = TRI_UNKNOWN,
                                     .compile = TRI_TRUE};
    return image_solve(t, &t->own, &t->own_solution, err);
}

/* Seconds of one step's worth of one pixel: what a set-up costs, whatever it is asked to make. */
static double cost_of_work(const struct image_solution *s)
{
    return s->time.image /
           ((double)s->setup.steps * (double)s->setup.width * (double)s->setup.height);
}

/* What the proposal has in common with the planner's own plan has its value for the same reason. */
static void inherit_why(const struct image_solution *own, struct image_solution *s)
{
    const struct image_setup *a = &own->setup, *b = &s->setup;

    if (a->format == b->format)
        s->why_format = own->why_format;
    if (a->width == b->width && a->height == b->height)
        s->why_size = own->why_size;
    if (a->batch_size == b->batch_size)
        s->why_batch = own->why_batch;
    if (a->steps == b->steps)
        s->why_steps = own->why_steps;
    if (a->offload == b->offload)
        s->why_offload = own->why_offload;
    if (a->tiling == b->tiling)
        s->why_tiling = own->why_tiling;
}

static int turn_propose(struct diffusion_turn *t, const struct diffusion_proposal *p,
                        struct err *err)
{
    struct err why = {0};
    double ratio;

    image_merge(t, p);
    if (p && image_solve(t, &t->settings, &t->solution, &why) < 0) {
        if (why.code != ERR_INFEASIBLE)
            return err_set(err, why.code, "%s", why.text);
        snprintf(t->replaced, sizeof t->replaced, "%.190s", why.text);
    } else if (p && t->solution.time.image > t->own_solution.time.image) {
        ratio = cost_of_work(&t->solution) / cost_of_work(&t->own_solution);
        if (ratio > 1 + t->policy->worse_share)
            snprintf(t->replaced, sizeof t->replaced,
                     "an image with it takes %.4g s, the planner's own %.4g s",
                     t->solution.time.image, t->own_solution.time.image);
    }
    t->proposed = p && !t->replaced[0];
    if (t->proposed)
        inherit_why(&t->own_solution, &t->solution);
    image_settle(t);
    if (t->replaced[0])
        notes_reject(&t->notes, t->replaced);
    return 0;
}

int diffusion_verify(const struct snapshot *s, const struct job *job, const struct policy *policy,
                     enum engine_kind engine, const struct diffusion_proposal *p, struct plan **out,
                     struct err *err)
{
    struct diffusion_turn t;
    struct plan *plan = NULL;
    int rc = -1;

    if (turn_begin(&t, s, job, policy, err) < 0 || turn_propose(&t, p, err) < 0 ||
        !(plan = plan_new(err)) || image_write(&t, (int)engine, plan, err) < 0)
        goto out;
    *out = plan;
    plan = NULL;
    rc = 0;
out:
    plan_free(plan);
    decision_notes_clear(&t.notes);
    return rc;
}

/* ---- the analytic answer ---- */

static int propose_images(const struct diffusion_turn *t, struct diffusion_proposal *p,
                          struct err *err)
{
    const struct image_solution *s = &t->own_solution;
    struct diffusion_strategy *o = p->optimization_strategy = diffusion_strategy_new(err);
    struct diffusion_allocation *a = p->resource_allocation = diffusion_allocation_new(err);
    struct diffusion_sampling *g = p->sampling_strategy = diffusion_sampling_new(err);

    if (!o || !a || !g)
        return -1;
    o->model_format = s->setup.format;
    o->width = s->setup.width;
    o->height = s->setup.height;
    a->memory_share = t->own.memory_share;
    a->batch_size = s->setup.batch_size;
    g->sampler = t->own.sampler;
    g->steps = s->setup.steps;
    g->guidance = t->own.guidance;
    if (text_setf(&o->rationale, err, "the first of the job's formats that fits") < 0 ||
        text_setf(&a->rationale, err, "%s", t->device.machine.limit_text) < 0)
        return -1;
    return text_setf(&g->rationale, err, "%.4g s a step", s->time.step);
}

static int propose_layout(const struct diffusion_turn *t, struct diffusion_proposal *p,
                          struct err *err)
{
    const struct image_solution *s = &t->own_solution;
    struct diffusion_layout *l = p->memory_layout = diffusion_layout_new(err);
    struct diffusion_acceleration *c = p->acceleration_techniques = diffusion_acceleration_new(err);

    if (!l || !c)
        return -1;
    l->offload = s->setup.offload ? TRI_TRUE : TRI_FALSE;
    l->vae_tiling = s->setup.tiling ? TRI_TRUE : TRI_FALSE;
    c->compile = t->own.compile;
    if (text_setf(&c->rationale, err, "the same shapes run at every step") < 0)
        return -1;
    return text_setf(&l->rationale, err, "peak %.3g GB of %.3g GB", s->memory.peak / 1e9,
                     (double)t->device.limit_bytes / 1e9);
}

int diffusion_propose(const struct snapshot *s, const struct job *job, const struct policy *policy,
                      struct diffusion_proposal **out, struct err *err)
{
    struct diffusion_turn t;
    struct diffusion_proposal *p = NULL;
    int rc = -1;

    if (turn_begin(&t, s, job, policy, err) < 0 || !(p = diffusion_proposal_new(err)) ||
        propose_images(&t, p, err) < 0 || propose_layout(&t, p, err) < 0 ||
        text_setf(&p->reasoning, err, "%.4g s an image of %" PRId64 " x %" PRId64 " pixels",
                  t.own_solution.time.image, t.own_solution.setup.width,
                  t.own_solution.setup.height) < 0)
        goto out;
    *out = p;
    p = NULL;
    rc = 0;
out:
    diffusion_proposal_free(p);
    return rc;
}
