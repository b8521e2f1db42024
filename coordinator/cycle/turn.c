/* turn.c - job and snapshot to plan, with or without a model's word. */
#include "coordinator/cycle/turn.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/cycle/program.h"
#include "coordinator/cycle/prompt_device.h"
#include "coordinator/cycle/prompt_fleet.h"
#include "coordinator/cycle/prompt_inputs.h"
#include "coordinator/lm/lm.h"
#include "coordinator/planner/diffusion.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"
#include "coordinator/planner/lora.h"
#include "coordinator/planner/pipeline.h"
#include "coordinator/signature/answer.h"
#include "coordinator/signature/signature.h"

#include <stdio.h>
#include <string.h>

#define REPLY_KEPT_MAX (1 << 20) /* the row of proposal.reply */
#define NOTE_KEPT_MAX 512        /* the row of proposal.notes */

static int verify(const struct turn_tools *tools, const struct snapshot *s, const struct job *job,
                  enum engine_kind engine, const struct proposal *p, struct plan **out,
                  struct err *err)
{
    struct envelope *e;
    int rc;

    if (job->pipeline)
        return pipeline_verify(s, job, &tools->policy, engine, p ? p->pipeline : NULL, out, err);
    if (job->lora)
        return lora_verify(s, job, &tools->policy, engine, p ? p->lora : NULL, out, err);
    if (job->diffusion)
        return diffusion_verify(s, job, &tools->policy, engine, p ? p->diffusion : NULL, out, err);
    if (!(e = envelope_build(s, job, &tools->policy, err)))
        return -1;
    rc = federated_verify(s, job, e, engine, p ? p->federated : NULL, out, err);
    envelope_free(e);
    return rc;
}

static int propose(const struct turn_tools *tools, const struct snapshot *s, const struct job *job,
                   struct proposal *p, struct err *err)
{
    struct envelope *e;
    int rc;

    if (job->pipeline)
        return pipeline_propose(s, job, &tools->policy, &p->pipeline, err);
    if (job->lora)
        return lora_propose(s, job, &tools->policy, &p->lora, err);
    if (job->diffusion)
        return diffusion_propose(s, job, &tools->policy, &p->diffusion, err);
    if (!(e = envelope_build(s, job, &tools->policy, err)))
        return -1;
    rc = federated_propose(s, job, e, &p->federated, err);
    envelope_free(e);
    return rc;
}

int turn_plan(const struct turn_tools *tools, const struct snapshot *s, const struct job *job,
              struct plan **out, struct err *err)
{
    struct proposal *p = proposal_new(err);
    struct plan *plan = NULL;
    int rc = -1;

    if (!p)
        return -1;
    p->engine = ENGINE_KIND_ANALYTIC;
    if (propose(tools, s, job, p, err) < 0 ||
        verify(tools, s, job, ENGINE_KIND_ANALYTIC, p, &plan, err) < 0)
        goto out;
    plan->engine_asked = ENGINE_KIND_ANALYTIC;
    if (!plan->engine_text && text_set(&plan->engine_text, "analytic: every field", err) < 0)
        goto out;
    proposal_free(plan->proposal);
    plan->proposal = p;
    p = NULL;
    *out = plan;
    plan = NULL;
    rc = 0;
out:
    plan_free(plan);
    proposal_free(p);
    return rc;
}

static const struct program *program_of(const struct turn_tools *tools, const struct job *job)
{
    return job->pipeline    ? tools->pipeline
           : job->lora      ? tools->lora
           : job->diffusion ? tools->diffusion
                            : tools->federated;
}

static int keep_notes(struct proposal *p, const struct notes *notes, struct err *err)
{
    for (size_t i = 0; i < notes->count; i++) {
        char *note = answer_prose(notes->items[i], strlen(notes->items[i]), NOTE_KEPT_MAX, err);
        int rc;

        if (!note)
            return -1;
        for (char *c = note; *c; c++)
            if (*c == '\n' || *c == '\t' || *c == '\r')
                *c = ' ';
        rc = texts_add(&p->notes, &p->notes_count, note, err);
        mem_free(note);
        if (rc < 0)
            return -1;
    }
    return notes_ok(notes, err);
}

/* The classes a question about a federated job speaks of: the envelope's. Texts are borrowed from
 * it; yours to mem_free. */
static struct class_summary *envelope_summaries(const struct envelope *e, struct err *err)
{
    size_t count = envelope_classes(e);
    struct class_summary *classes = mem_calloc(count + 1, sizeof *classes);

    if (!classes)
        err_set(err, ERR_NOMEM, "%zu classes", count);
    for (size_t i = 0; classes && i < count; i++)
        classes[i] = *envelope_summary(e, i);
    return classes;
}

static int federated_values(const struct turn_tools *tools, const struct snapshot *s,
                            const struct job *job, struct prompt_inputs *in, struct err *err)
{
    struct envelope *e = envelope_build(s, job, &tools->policy, err);
    struct class_summary *classes = e ? envelope_summaries(e, err) : NULL;
    int aggregation = AGGREGATION_UNSET, rc = -1;
    char why[256];

    if (classes && federated_aggregation(s, job, e, &aggregation, why, sizeof why, err) == 0)
        rc = prompt_inputs_federated(job->federated, classes, envelope_classes(e),
                                     (enum aggregation)aggregation, tools->fleet_tokens, in, err);
    mem_free(classes);
    envelope_free(e);
    return rc;
}

/* What was answered for a row of several classes holds for each of them. */
static int expand(const struct turn_tools *tools, const struct snapshot *asked,
                  const struct job *job, struct proposal *p, struct err *err)
{
    struct envelope *e;
    struct class_summary *classes;
    struct fleet_rows rows = {0};
    int rc = -1;

    if (!p->federated)
        return 0;
    if (!(e = envelope_build(asked, job, &tools->policy, err)))
        return -1;
    classes = envelope_summaries(e, err);
    if (classes &&
        fleet_rows_make(classes, envelope_classes(e), true, tools->fleet_tokens, &rows, err) == 0)
        rc = rows.count < rows.classes ? prompt_fleet_expand(&rows, classes, p->federated, err) : 0;
    fleet_rows_clear(&rows);
    mem_free(classes);
    envelope_free(e);
    return rc;
}

/* The one device of a LoRA or diffusion job: what it reported, and what of the job fits it. */
static int device_values(const struct turn_tools *tools, const struct snapshot *s,
                         const struct job *job, struct prompt_inputs *in, struct err *err)
{
    struct plan *plan = NULL;
    int rc;

    if (turn_plan(tools, s, job, &plan, err) < 0)
        return -1;
    rc = prompt_device_inputs(s, job, plan, in, err);
    plan_free(plan);
    return rc;
}

static int pipeline_values(const struct turn_tools *tools, const struct snapshot *s,
                           const struct job *job, struct prompt_inputs *in, struct err *err)
{
    struct plan *plan = NULL;
    int rc;

    if (turn_plan(tools, s, job, &plan, err) < 0)
        return -1;
    rc = prompt_inputs_pipeline(job->pipeline, plan->classes, plan->classes_count,
                                tools->fleet_tokens, in, err);
    plan_free(plan);
    return rc;
}

static int job_values(const struct turn_tools *tools, const struct snapshot *s,
                      const struct job *job, struct prompt_inputs *in, struct err *err)
{
    if (job->lora || job->diffusion)
        return device_values(tools, s, job, in, err);
    return job->pipeline ? pipeline_values(tools, s, job, in, err)
                         : federated_values(tools, s, job, in, err);
}

int turn_module(const struct turn_tools *tools, const struct snapshot *s, const struct job *job,
                struct module **out, struct proposal *proposal, struct err *err)
{
    const struct program *program = program_of(tools, job);
    struct module_settings settings = module_defaults(program->sig, tools->framing);
    struct prompt_value values[PROMPT_INPUTS_MAX];
    struct prompt_inputs in = {0};
    struct module *m = NULL;
    int rc;

    settings.demos = program->demos;
    settings.demos_count = program->demos_count;
    settings.layout = tools->layout;
    settings.retry = tools->retry;
    if (job_values(tools, s, job, &in, err) < 0)
        return -1;
    rc = keep_notes(proposal, &in.notes, err);
    if (rc == 0 && !(m = module_new(&settings, values, prompt_inputs_values(&in, values), err)))
        rc = -1;
    prompt_inputs_clear(&in);
    if (rc == 0)
        *out = m;
    return rc;
}

/* The answer into the proposal. Its notes were made when the module checked it. */
static int read_answer(const struct module *m, const struct job *job, struct proposal *p,
                       struct err *err)
{
    const struct answer *a = module_answer(m);
    const struct signature *sig = module_signature(m);

    if (keep_notes(p, &a->notes, err) < 0 || keep_notes(p, module_notes(m), err) < 0)
        return -1;
    if (job->pipeline)
        return answer_read_pipeline(sig, a, &p->pipeline, NULL, err);
    if (job->lora)
        return answer_read_lora(sig, a, &p->lora, NULL, err);
    if (job->diffusion)
        return answer_read_diffusion(sig, a, &p->diffusion, NULL, err);
    return answer_read_federated(sig, a, &p->federated, NULL, err);
}

/* A line for each call, unless the first was all there was to it. */
static int keep_calls(struct proposal *p, const struct module *m, struct err *err)
{
    struct notes notes = {0};
    size_t count;
    const struct module_call *calls = module_calls(m, &count);
    int rc;

    for (size_t i = 0; i < count && (count > 1 || !calls[0].used); i++) {
        struct buf b;

        buf_init(&b, TEXT_MAX);
        module_add_call(&b, m, i);
        note_add(&notes, "%s", b.data ? b.data : "a call");
        buf_clear(&b);
    }
    rc = keep_notes(p, &notes, err);
    notes_clear(&notes);
    return rc;
}

static void add_known(int64_t *sum, int64_t n)
{
    if (known_i64(n))
        *sum = known_i64(*sum) ? *sum + n : n;
}

int turn_count(struct proposal *p, const struct lm_reply *reply, const char *model, struct err *err)
{
    if (!p->usage && !(p->usage = usage_new(err)))
        return -1;
    add_known(&p->usage->calls, reply->calls);
    add_known(&p->usage->cache_hits, reply->cached);
    add_known(&p->usage->prompt_tokens, reply->prompt_tokens);
    add_known(&p->usage->completion_tokens, reply->completion_tokens);
    add_known(&p->usage->cached_tokens, reply->cached_tokens);
    p->usage->seconds = (known_f64(p->usage->seconds) ? p->usage->seconds : 0) + reply->seconds;
    return text_set(&p->usage->model, model, err);
}

static int say_failure(struct proposal *p, const struct module *m, struct err *err)
{
    size_t count;
    const struct module_call *calls = module_calls(m, &count);
    const char *why = module_failure(m);

    if (p->failure)
        return 0;
    return text_setf(&p->failure, err, "%s%s",
                     count && calls[count - 1].came ? "the answer could not be used: " : "",
                     why ? why : "it gave no answer");
}

/* 1: the proposal holds an answer; 0: it says why there is none. */
static int take_answer(const struct module *m, const struct job *job, struct proposal *p,
                       struct err *err)
{
    const char *text = module_text(m);

    if (text && !(p->reply = answer_prose(text, strlen(text), REPLY_KEPT_MAX, err)))
        return -1;
    if (keep_calls(p, m, err) < 0)
        return -1;
    if (module_answer(m))
        return read_answer(m, job, p, err) < 0 ? -1 : 1;
    return say_failure(p, m, err);
}

static int fall_back(const struct turn_tools *tools, const struct snapshot *now,
                     const struct job *job, const struct proposal *p, struct plan **out,
                     struct err *err)
{
    struct plan *plan = NULL;

    if (turn_plan(tools, now, job, &plan, err) < 0)
        return -1;
    if (text_setf(&plan->engine_text, err, "analytic: the model was asked, but %s",
                  p->failure ? p->failure : "gave no answer") < 0 ||
        texts_add(&plan->warnings, &plan->warnings_count, plan->engine_text, err) < 0) {
        plan_free(plan);
        return -1;
    }
    *out = plan;
    return 0;
}

/* That classes shared rows of the prompt is the plan's to say, not only the answer's. */
static int say_joined(struct plan *plan, const struct proposal *p, struct err *err)
{
    for (size_t i = 0; i < p->notes_count; i++)
        if (strncmp(p->notes[i], "fleet: ", 7) == 0 &&
            texts_add(&plan->warnings, &plan->warnings_count, p->notes[i], err) < 0)
            return -1;
    return 0;
}

int turn_answer(const struct turn_tools *tools, const struct module *module,
                const struct snapshot *asked, const struct snapshot *now, const struct job *job,
                struct proposal **proposal, struct plan **out, struct err *err)
{
    struct proposal *p = *proposal;
    struct plan *plan = NULL;
    int usable;

    p->engine = ENGINE_KIND_LM;
    usable = module ? take_answer(module, job, p, err) : 0;
    if (usable < 0 ||
        (usable && (expand(tools, asked, job, p, err) < 0 || turn_remap(p, asked, now, err) < 0)))
        return -1;
    if ((usable ? verify(tools, now, job, ENGINE_KIND_LM, p, &plan, err)
                : fall_back(tools, now, job, p, &plan, err)) < 0)
        return -1;
    if (usable && say_joined(plan, p, err) < 0) {
        plan_free(plan);
        return -1;
    }
    plan->engine_asked = ENGINE_KIND_LM;
    proposal_free(plan->proposal);
    plan->proposal = p;
    *proposal = NULL;
    *out = plan;
    return 0;
}
