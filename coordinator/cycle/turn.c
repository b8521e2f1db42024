/* turn.c - job and snapshot to plan, with or without a model's word. */
#include "coordinator/cycle/turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/cycle/prompt_inputs.h"
#include "coordinator/lm/lm.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"
#include "coordinator/planner/pipeline.h"
#include "coordinator/signature/answer.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/chat.h"
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

struct signature *turn_signature(const struct turn_tools *tools, const struct job *job,
                                 struct err *err)
{
    const char *name =
        job->pipeline ? "MLPipelineOptimizationSignature" : "FederatedLearningSignature";
    const struct signature *sig = catalog_find(tools->catalog, name);

    if (!sig) {
        err_set(err, ERR_NOT_FOUND, "no signature %s", name);
        return NULL;
    }
    return signature_derive(sig, SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT, err);
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

/* The classes a question speaks of: the envelope's for a federated job, the analytic plan's for a
 * pipeline. */
static int federated_values(const struct turn_tools *tools, const struct snapshot *s,
                            const struct job *job, struct prompt_inputs *in, struct err *err)
{
    struct envelope *e = envelope_build(s, job, &tools->policy, err);
    struct class_summary *classes = NULL;
    int aggregation = AGGREGATION_UNSET, rc = -1;
    size_t count;
    char why[256];

    if (!e)
        return -1;
    count = envelope_classes(e);
    if (!(classes = mem_calloc(count + 1, sizeof *classes))) {
        err_set(err, ERR_NOMEM, "%zu classes", count);
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        classes[i] = *envelope_summary(e, i); /* borrowed texts: freed with the envelope */
    if (federated_aggregation(s, job, e, &aggregation, why, sizeof why, err) < 0)
        goto out;
    rc = prompt_inputs_federated(job->federated, classes, count, (enum aggregation)aggregation, 0,
                                 in, err);
out:
    mem_free(classes);
    envelope_free(e);
    return rc;
}

static int pipeline_values(const struct turn_tools *tools, const struct snapshot *s,
                           const struct job *job, struct prompt_inputs *in, struct err *err)
{
    struct plan *plan = NULL;
    int rc;

    if (turn_plan(tools, s, job, &plan, err) < 0)
        return -1;
    rc = prompt_inputs_pipeline(job->pipeline, plan->classes, plan->classes_count, 0, in, err);
    plan_free(plan);
    return rc;
}

int turn_question(const struct turn_tools *tools, const struct signature *sig,
                  const struct snapshot *s, const struct job *job, struct prompt *out,
                  struct proposal *proposal, struct err *err)
{
    struct prompt_value values[PROMPT_INPUTS_MAX];
    struct prompt_content content = {.values = values};
    struct prompt_inputs in = {0};
    int rc;

    rc = job->pipeline ? pipeline_values(tools, s, job, &in, err)
                       : federated_values(tools, s, job, &in, err);
    if (rc < 0)
        return -1;
    content.count = prompt_inputs_values(&in, values);
    rc = chat_render(sig, tools->framing, &content, out, err);
    if (rc == 0 &&
        (keep_notes(proposal, &in.notes, err) < 0 || keep_notes(proposal, &out->notes, err) < 0)) {
        prompt_clear(out);
        rc = -1;
    }
    prompt_inputs_clear(&in);
    return rc;
}

/* Read the reply into the proposal; -1 with the reason when nothing of it can be used. */
static int read_reply(const struct signature *sig, const struct lm_reply *reply, struct proposal *p,
                      struct err *err)
{
    struct answer a = {0};
    struct notes notes = {0};
    size_t len = strlen(reply->content);
    int rc;

    if (chat_parse(sig, reply->content, len, &a, err) < 0)
        return -1;
    rc = keep_notes(p, &a.notes, err);
    if (rc == 0)
        rc = strcmp(sig->name, "FederatedLearningSignature") == 0
                 ? answer_read_federated(sig, &a, &p->federated, &notes, err)
                 : answer_read_pipeline(sig, &a, &p->pipeline, &notes, err);
    if (keep_notes(p, &notes, rc < 0 ? NULL : err) < 0)
        rc = -1;
    notes_clear(&notes);
    answer_clear(&a);
    return rc;
}

static void add_known(int64_t *sum, int64_t n)
{
    if (known_i64(n))
        *sum = known_i64(*sum) ? *sum + n : n;
}

/* What this reply cost, on top of those before it. */
static int keep_usage(struct proposal *p, const struct lm_reply *reply, const char *model,
                      struct err *err)
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

static void say_failure(struct proposal *p, const char *what, const struct err *why)
{
    char text[ERR_TEXT_MAX + 64];

    snprintf(text, sizeof text, "%s: %s", what, why->text);
    text_set(&p->failure, text, NULL);
}

/* An answer that was cut may still hold whole fields. */
static bool is_readable(const struct lm_reply *reply)
{
    return reply->content &&
           (reply->failure == LM_FAILURE_NONE || reply->failure == LM_FAILURE_LENGTH);
}

int turn_answer(const struct turn_tools *tools, const struct signature *sig,
                const struct snapshot *asked, const struct snapshot *now, const struct job *job,
                const struct lm_reply *reply, const char *model, struct proposal **proposal,
                struct plan **out, struct err *err)
{
    struct proposal *p = *proposal;
    struct plan *plan = NULL;
    struct err why = {0};
    bool usable = false;

    p->engine = ENGINE_KIND_LM;
    if (reply) {
        if (keep_usage(p, reply, model, err) < 0)
            return -1;
        if (reply->content &&
            !(p->reply = answer_prose(reply->content, strlen(reply->content), REPLY_KEPT_MAX, err)))
            return -1;
        usable = is_readable(reply) && read_reply(sig, reply, p, &why) == 0;
        if (usable && reply->failure != LM_FAILURE_NONE &&
            texts_add(&p->notes, &p->notes_count,
                      "the answer was cut at the token limit: only whole fields are used", err) < 0)
            return -1;
        if (!usable && reply->failure != LM_FAILURE_NONE)
            say_failure(p, lm_failure_name(reply->failure), &reply->err);
        else if (!usable)
            say_failure(p, "the answer could not be used", &why);
    }
    if (usable && turn_remap(p, asked, now, err) < 0)
        return -1;
    if (!usable) {
        if (turn_plan(tools, now, job, &plan, err) < 0)
            return -1;
        if (text_setf(&plan->engine_text, err, "analytic: the model was asked, but %s",
                      p->failure ? p->failure : "gave no answer") < 0)
            goto fail;
        if (texts_add(&plan->warnings, &plan->warnings_count, plan->engine_text, err) < 0)
            goto fail;
    } else if (verify(tools, now, job, ENGINE_KIND_LM, p, &plan, err) < 0) {
        return -1;
    }
    plan->engine_asked = ENGINE_KIND_LM;
    proposal_free(plan->proposal);
    plan->proposal = p;
    *proposal = NULL;
    *out = plan;
    return 0;
fail:
    plan_free(plan);
    return -1;
}
