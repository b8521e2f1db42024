/* prompt_inputs.c - the texts, line by line. */
#include "coordinator/cycle/prompt_inputs.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "coordinator/cycle/prompt_fleet.h"
#include "coordinator/cycle/prompt_text.h"
#include "coordinator/signature/prompt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_TEXT_MAX                                                         \
    ID_TEXT_MAX /* bytes: what an answer must repeat to be understood is whole \
                 */

/* ---- the fleet ---- */

/* The table of classes; where some share a row the notes say so. */
static int add_table(struct buf *b, const struct class_summary *classes, size_t count, bool fit,
                     size_t tokens_max, struct notes *notes, struct err *err)
{
    struct fleet_rows f;

    if (fleet_rows_make(classes, count, fit, tokens_max, &f, err) < 0)
        return -1;
    prompt_fleet_add(b, &f, fit);
    if (f.count < count)
        note_add(notes,
                 "fleet: %zu classes would cost more than the prompt's budget; joined, the nearest "
                 "first, into %zu rows of about %zu tokens, each with the bounds of its weakest",
                 count, f.count, f.tokens);
    fleet_rows_clear(&f);
    return 0;
}

/* The fleet in a few words. */
static void add_overview(struct buf *b, const struct class_summary *classes, size_t count)
{
    const struct prompt_range none = {UNKNOWN_F64, UNKNOWN_F64};
    struct prompt_range memory = none, limit = none;
    int64_t devices = 0, fitting = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t n = known_i64(classes[i].devices) ? classes[i].devices : 0;

        devices += n;
        if (!known_i64(classes[i].configurations) || classes[i].configurations > 0)
            fitting += n;
        prompt_range_take(&memory, prompt_scaled(classes[i].memory_bytes, 1e9));
        prompt_range_take(&limit, prompt_scaled(classes[i].memory_limit_bytes, 1e9));
    }
    buf_addf(b, "%lld Macs in %zu classes, unified memory", (long long)devices, count);
    prompt_range_add(b, "each", &memory, "GB");
    prompt_range_add(b, "of which usable", &limit, "GB");
    buf_addf(b, "; %lld of them fit some configuration\n", (long long)fitting);
}

/* ---- one input ---- */

int prompt_inputs_keep(struct prompt_inputs *in, const char *name, struct buf *b, struct err *err)
{
    char *text;

    while (!b->failed && b->len > 0 && b->data[b->len - 1] == '\n')
        b->len--;
    if (b->len == 0)
        buf_adds(b, "nothing was said");
    if (!(text = buf_take(b, NULL, err)))
        return err_prefix(err, "%s", name);
    in->items[in->count].name = name;
    in->items[in->count++].text = text;
    buf_init(b, PROMPT_INPUT_MAX);
    return 0;
}

void prompt_inputs_clear(struct prompt_inputs *in)
{
    if (!in)
        return;
    for (size_t i = 0; i < in->count; i++)
        mem_free(in->items[i].text);
    notes_clear(&in->notes);
    memset(in, 0, sizeof *in);
}

size_t prompt_inputs_values(const struct prompt_inputs *in, struct prompt_value *values)
{
    for (size_t i = 0; i < in->count; i++) {
        values[i].name = in->items[i].name;
        values[i].text = in->items[i].text;
        values[i].json = NULL;
    }
    return in->count;
}

/* ---- federated ---- */

void prompt_model_add(struct buf *b, const struct model_spec *m)
{
    if (!m)
        return;
    buf_adds(b, "model ");
    prompt_name(b, m->name, NAMED_TEXT_MAX);
    if (m->shape) {
        buf_adds(b, ", parameters ");
        prompt_number(b, prompt_whole(m->shape->parameters));
        buf_adds(b, ", blocks ");
        prompt_number(b, prompt_whole(m->shape->layers));
        buf_adds(b, ", hidden size ");
        prompt_number(b, prompt_whole(m->shape->hidden_size));
    }
    buf_adds(b, "\nformats allowed, wanted first:");
    for (size_t i = 0; i < m->variants_count; i++) {
        const char *word = enum_name(&model_format_names, m->variants[i].format);

        buf_addf(b, " %s", word ? word : "?");
    }
    buf_addc(b, '\n');
}

void prompt_tuning_add(struct buf *b, const struct tuning_spec *t)
{
    if (!t)
        return;
    prompt_word(b, "method", &fine_tune_method_names, t->method);
    prompt_fact(b, "wanted rank", prompt_whole(t->rank), "");
    prompt_fact(b, "smallest rank", prompt_whole(t->rank_min), "");
    prompt_fact(b, "wanted blocks trained", prompt_whole(t->layers), "");
    prompt_fact(b, "fewest blocks trained", prompt_whole(t->layers_min), "");
    prompt_fact(b, "wanted batch", prompt_whole(t->batch_size), "");
    prompt_fact(b, "wanted sequences per update", prompt_whole(t->effective_batch), "");
    prompt_fact(b, "wanted sequence length", prompt_whole(t->sequence_length), "tokens");
    prompt_fact(b, "shortest sequence length", prompt_whole(t->sequence_length_min), "tokens");
    prompt_word(b, "optimizer", &optimizer_names, t->optimizer);
    prompt_fact(b, "wanted learning rate", t->learning_rate, "");
}

static void add_round(struct buf *b, const struct round_spec *r)
{
    if (!r)
        return;
    prompt_fact(b, "rounds", prompt_whole(r->rounds), "");
    prompt_fact(b, "a round ends after", r->deadline_seconds, "s");
    prompt_fact(b, "tokens wanted in a round", r->token_goal, "");
    prompt_fact(b, "fewest local steps", prompt_whole(r->local_steps_min), "");
    prompt_fact(b, "most local steps", prompt_whole(r->local_steps_max), "");
    prompt_fact(b, "updates wanted", prompt_whole(r->clients_wanted), "");
}

static void add_communication(struct buf *b, const struct communication_spec *c)
{
    if (!c)
        return;
    prompt_word(b, "wanted update format", &upload_format_names, c->upload_format);
    prompt_fact(b, "upload, where not measured,", c->default_up_bps / 1e6, "Mbit/s");
    prompt_fact(b, "download, where not measured,", c->default_down_bps / 1e6, "Mbit/s");
    prompt_fact(b, "latency", c->latency_seconds, "s");
    prompt_fact(b, "largest share of a round for uploading", c->upload_share_max, "");
}

static void add_privacy(struct buf *b, const struct privacy_spec *p)
{
    if (!p)
        return;
    prompt_fact(b, "epsilon after all rounds", p->epsilon, "");
    prompt_fact(b, "delta", p->delta, "");
    prompt_fact(b, "clip norm", p->clip_norm, "");
    prompt_truth(b, "secure aggregation", p->secure_aggregation);
    prompt_fact(b, "fewest clients in a sum", prompt_whole(p->min_clients), "");
}

static void add_aggregation(struct buf *b, const struct aggregation_spec *a, int resolved)
{
    prompt_word(b, "strategy", &aggregation_names, resolved ? resolved : a ? a->strategy : 0);
    if (!a)
        return;
    prompt_fact(b, "server learning rate", a->server_learning_rate, "");
    prompt_fact(b, "proximal mu", a->proximal_mu, "");
}

static int fill_federated(const struct federated_job *job, const struct class_summary *classes,
                          size_t count, int aggregation, size_t tokens_max,
                          struct prompt_inputs *in, struct buf *b, struct err *err)
{
    add_overview(b, classes, count);
    if (prompt_inputs_keep(in, "hardware_context", b, err) < 0)
        return -1;
    prompt_model_add(b, job->model);
    prompt_tuning_add(b, job->tuning);
    add_round(b, job->round);
    prompt_prose(b, job->performance_target);
    if (prompt_inputs_keep(in, "performance_target", b, err) < 0 ||
        add_table(b, classes, count, true, tokens_max, &in->notes, err) < 0 ||
        prompt_inputs_keep(in, "client_capabilities", b, err) < 0)
        return -1;
    add_communication(b, job->communication);
    prompt_prose(b, job->communication_constraints);
    if (prompt_inputs_keep(in, "communication_constraints", b, err) < 0)
        return -1;
    add_privacy(b, job->privacy);
    prompt_prose(b, job->privacy_requirements);
    if (prompt_inputs_keep(in, "privacy_requirements", b, err) < 0)
        return -1;
    add_aggregation(b, job->aggregation, aggregation);
    if (prompt_inputs_keep(in, "aggregation_strategy", b, err) < 0)
        return -1;
    return notes_ok(&in->notes, err);
}

int prompt_inputs_federated(const struct federated_job *job, const struct class_summary *classes,
                            size_t count, enum aggregation aggregation, size_t tokens_max,
                            struct prompt_inputs *out, struct err *err)
{
    struct prompt_inputs in = {0};
    struct buf b;
    int rc;

    buf_init(&b, PROMPT_INPUT_MAX);
    rc = fill_federated(job, classes, count, (int)aggregation, tokens_max, &in, &b, err);
    buf_clear(&b);
    if (rc < 0)
        prompt_inputs_clear(&in);
    else
        *out = in;
    return rc;
}

/* ---- pipeline ---- */

static void add_stage(struct buf *b, const struct stage *s)
{
    const char *kind = s->kind ? enum_name(&stage_kind_names, s->kind) : NULL;

    prompt_name(b, s->name, NAMED_TEXT_MAX);
    buf_addf(b, " | %s |", kind ? kind : "?");
    for (size_t i = 0; i < s->after_count; i++) {
        buf_adds(b, i ? ", " : " ");
        prompt_name(b, s->after[i], NAMED_TEXT_MAX);
    }
    buf_adds(b, s->after_count ? " | " : " - | ");
    prompt_number(b, s->flop / 1e12);
    buf_adds(b, " | ");
    prompt_number(b, s->bytes_moved / 1e9);
    buf_adds(b, " | ");
    prompt_number(b, s->fixed_seconds);
    buf_adds(b, " | ");
    prompt_number(b, prompt_scaled(s->memory_bytes, 1e9));
    buf_adds(b, " | ");
    prompt_number(b, prompt_scaled(s->output_bytes, 1e9));
    buf_addf(b, " | %s%s\n", s->needs_metal == TRI_FALSE ? "no" : "yes",
             s->device_id ? " | its place is fixed" : "");
}

static void add_links(struct buf *b, const struct pipeline_links *l)
{
    if (!l)
        return;
    prompt_fact(b, "links, where not measured,", l->default_bps / 1e6, "Mbit/s");
    prompt_fact(b, "latency", l->latency_seconds, "s");
}

static int fill_pipeline(const struct pipeline_job *job, const struct class_summary *classes,
                         size_t count, size_t tokens_max, struct prompt_inputs *in, struct buf *b,
                         struct err *err)
{
    buf_adds(b,
             "stage | kind | after | TFLOP | GB moved | fixed s | memory GB | output GB | GPU\n");
    for (size_t i = 0; i < job->stages_count; i++)
        add_stage(b, &job->stages[i]);
    prompt_prose(b, job->pipeline_description);
    if (prompt_inputs_keep(in, "pipeline_description", b, err) < 0)
        return -1;
    if (add_table(b, classes, count, false, tokens_max, &in->notes, err) < 0)
        return -1;
    add_links(b, job->links);
    if (prompt_inputs_keep(in, "hardware_cluster", b, err) < 0)
        return -1;
    if (job->performance) {
        prompt_fact(b, "whole pipeline within", job->performance->makespan_seconds, "s");
        prompt_fact(b, "errors tolerated at a stage, share,", job->performance->stage_error_ratio,
                    "");
        prompt_fact(b, "memory left free, share,", job->performance->memory_headroom_share, "");
    }
    prompt_prose(b, job->performance_requirements);
    if (prompt_inputs_keep(in, "performance_requirements", b, err) < 0)
        return -1;
    if (job->cost) {
        prompt_fact(b, "Macs used at most", prompt_whole(job->cost->max_devices), "");
        prompt_fact(b, "busy time of all Macs at most", job->cost->max_device_seconds, "s");
    }
    prompt_prose(b, job->cost_constraints);
    if (prompt_inputs_keep(in, "cost_constraints", b, err) < 0)
        return -1;
    return notes_ok(&in->notes, err);
}

int prompt_inputs_pipeline(const struct pipeline_job *job, const struct class_summary *classes,
                           size_t count, size_t tokens_max, struct prompt_inputs *out,
                           struct err *err)
{
    struct prompt_inputs in = {0};
    struct buf b;
    int rc;

    buf_init(&b, PROMPT_INPUT_MAX);
    rc = fill_pipeline(job, classes, count, tokens_max, &in, &b, err);
    buf_clear(&b);
    if (rc < 0)
        prompt_inputs_clear(&in);
    else
        *out = in;
    return rc;
}
