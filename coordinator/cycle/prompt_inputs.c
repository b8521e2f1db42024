/* prompt_inputs.c - the texts, line by line. Numbers are short: a model needs three digits to
 * decide by. */
#include "coordinator/cycle/prompt_inputs.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "coordinator/signature/chat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_TEXT_MAX (256 * 1024) /* bytes: three times the longest free text, and a table */
#define CHIP_TEXT_MAX 40            /* bytes: the longest known, "Apple M3 Ultra", has 14 */
#define NAMED_TEXT_MAX                                                         \
    ID_TEXT_MAX /* bytes: what an answer must repeat to be understood is whole \
                 */

/* ---- one value ---- */

/* Three digits and no exponent up to a million; "?" where unknown. */
static void add_number(struct buf *b, double v)
{
    bool plain = fabs(v) < 1e6 && (fabs(v) >= 100 || v == floor(v));

    if (!known_f64(v))
        buf_adds(b, "?");
    else
        buf_addf(b, plain ? "%.0f" : "%.3g", v);
}

static double scaled(int64_t v, double unit)
{
    return known_i64(v) ? (double)v / unit : UNKNOWN_F64;
}

static double whole(int64_t v)
{
    return scaled(v, 1);
}

/* A stranger's one-line text: cleaned, cut, and without what parts the columns. */
static void add_name(struct buf *b, const char *text, size_t max)
{
    char clean[NAMED_TEXT_MAX + 1];

    if (!text || !*text) {
        buf_adds(b, "?");
        return;
    }
    text_clean(clean, max + 1, text);
    for (char *p = clean; *p; p++)
        if (*p == '|' || *p == '[' || *p == ']')
            *p = '/';
    buf_adds(b, clean);
}

/* "label value unit; " where the value is known. */
static void add_fact(struct buf *b, const char *label, double v, const char *unit)
{
    if (!known_f64(v))
        return;
    buf_adds(b, label);
    buf_addc(b, ' ');
    add_number(b, v);
    buf_addf(b, "%s%s\n", *unit ? " " : "", unit);
}

static void add_word(struct buf *b, const char *label, const struct enum_names *names, int v)
{
    if (v != 0 && enum_name(names, v))
        buf_addf(b, "%s %s\n", label, enum_name(names, v));
}

static void add_truth(struct buf *b, const char *label, int v)
{
    if (known_tri((enum tristate)v))
        buf_addf(b, "%s %s\n", label, v == TRI_TRUE ? "yes" : "no");
}

/* What the job's author wrote: as it is, but for control characters that are no line break. */
static void add_prose(struct buf *b, const char *text)
{
    if (!text || !*text)
        return;
    if (b->len > 0)
        buf_adds(b, "In the owner's words:\n");
    for (const char *p = text; *p; p++)
        buf_addc(b,
                 ((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f ? ' ' : *p);
}

/* ---- the table of classes ---- */

struct line {
    const struct class_summary *of;
    size_t place; /* among the classes, as they came */
};

static void add_class(struct buf *b, const struct class_summary *c)
{
    add_name(b, c->client_class, NAMED_TEXT_MAX);
    buf_adds(b, " | ");
    add_number(b, whole(c->devices));
    buf_adds(b, " | ");
    add_name(b, c->chip, CHIP_TEXT_MAX);
    buf_adds(b, " | ");
    add_number(b, scaled(c->memory_bytes, 1e9));
    buf_adds(b, " | ");
    add_number(b, scaled(c->memory_limit_bytes, 1e9));
    buf_adds(b, " | ");
    add_number(b, whole(c->gpu_cores));
    buf_adds(b, " | ");
    add_number(b, c->gpu_flops / 1e12);
    buf_adds(b, " | ");
    add_number(b, c->memory_bandwidth_bytes_per_s / 1e9);
}

/* What of the job fits it. */
static void add_fit(struct buf *b, const struct class_summary *c)
{
    if (known_i64(c->configurations) && c->configurations == 0) {
        const char *why = c->constraint ? enum_name(&constraint_names, c->constraint) : NULL;

        buf_addf(b, " | none fits: %s | -", why ? why : "unknown");
        return;
    }
    buf_adds(b, " | ");
    add_number(b, whole(c->max_batch_size));
    buf_adds(b, " | ");
    add_number(b, c->best_tokens_per_second);
}

struct range {
    double min, max;
};

static void range_take(struct range *r, double v)
{
    if (!known_f64(v))
        return;
    r->min = known_f64(r->min) && r->min < v ? r->min : v;
    r->max = known_f64(r->max) && r->max > v ? r->max : v;
}

static void range_add(struct buf *b, const char *label, const struct range *r, const char *unit)
{
    if (!known_f64(r->min))
        return;
    buf_addf(b, ", %s ", label);
    add_number(b, r->min);
    if (r->max > r->min) {
        buf_adds(b, " to ");
        add_number(b, r->max);
    }
    buf_addf(b, "%s%s", *unit ? " " : "", unit);
}

/* The classes that have no line of their own. */
static void add_others(struct buf *b, const struct line *lines, size_t count)
{
    const struct range none = {UNKNOWN_F64, UNKNOWN_F64};
    struct range memory = none, limit = none, batch = none, speed = none;
    int64_t devices = 0;

    for (size_t i = 0; i < count; i++) {
        const struct class_summary *c = lines[i].of;

        devices += known_i64(c->devices) ? c->devices : 0;
        range_take(&memory, scaled(c->memory_bytes, 1e9));
        range_take(&limit, scaled(c->memory_limit_bytes, 1e9));
        range_take(&batch, whole(c->max_batch_size));
        range_take(&speed, c->best_tokens_per_second);
    }
    buf_addf(b, "and %lld Macs in %zu smaller classes, which you need not answer for",
             (long long)devices, count);
    range_add(b, "memory", &memory, "GB");
    range_add(b, "limit", &limit, "GB");
    range_add(b, "batch", &batch, "");
    range_add(b, "tokens/s", &speed, "");
    buf_addc(b, '\n');
}

/* Largest first; classes of one size stay in their order. */
static int by_size(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->of->devices != y->of->devices)
        return x->of->devices < y->of->devices ? 1 : -1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static int by_place(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return x->place < y->place ? -1 : x->place > y->place;
}

static int add_table(struct buf *b, const struct class_summary *classes, size_t count, bool fit,
                     size_t lines_max, struct notes *notes, struct err *err)
{
    struct line *lines = mem_calloc(count + 1, sizeof *lines);
    size_t shown = count;

    if (!lines)
        return err_set(err, ERR_NOMEM, "%zu classes", count);
    for (size_t i = 0; i < count; i++)
        lines[i] = (struct line){&classes[i], i};
    if (count > lines_max) {
        shown = lines_max - 1; /* the last line is for all the others */
        qsort(lines, count, sizeof *lines, by_size);
        qsort(lines, shown, sizeof *lines, by_place);
        note_add(notes, "fleet: %zu classes, the %zu smallest share one line of the prompt", count,
                 count - shown);
    }
    buf_addf(b, "class | Macs | chip | memory GB | usable GB | GPU cores | TFLOP/s | GB/s%s\n",
             fit ? " | largest batch | best tokens/s" : "");
    for (size_t i = 0; i < shown; i++) {
        add_class(b, lines[i].of);
        if (fit)
            add_fit(b, lines[i].of);
        buf_addc(b, '\n');
    }
    if (shown < count)
        add_others(b, lines + shown, count - shown);
    mem_free(lines);
    return 0;
}

/* The fleet in a few words. */
static void add_overview(struct buf *b, const struct class_summary *classes, size_t count)
{
    const struct range none = {UNKNOWN_F64, UNKNOWN_F64};
    struct range memory = none, limit = none;
    int64_t devices = 0, fitting = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t n = known_i64(classes[i].devices) ? classes[i].devices : 0;

        devices += n;
        if (!known_i64(classes[i].configurations) || classes[i].configurations > 0)
            fitting += n;
        range_take(&memory, scaled(classes[i].memory_bytes, 1e9));
        range_take(&limit, scaled(classes[i].memory_limit_bytes, 1e9));
    }
    buf_addf(b, "%lld Macs in %zu classes, unified memory", (long long)devices, count);
    range_add(b, "each", &memory, "GB");
    range_add(b, "of which usable", &limit, "GB");
    buf_addf(b, "; %lld of them fit some configuration\n", (long long)fitting);
}

/* ---- one input ---- */

static int keep(struct prompt_inputs *in, const char *name, struct buf *b, struct err *err)
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
    buf_init(b, INPUT_TEXT_MAX);
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

static void add_model(struct buf *b, const struct model_spec *m)
{
    if (!m)
        return;
    buf_adds(b, "model ");
    add_name(b, m->name, NAMED_TEXT_MAX);
    if (m->shape) {
        buf_adds(b, ", parameters ");
        add_number(b, whole(m->shape->parameters));
        buf_adds(b, ", blocks ");
        add_number(b, whole(m->shape->layers));
        buf_adds(b, ", hidden size ");
        add_number(b, whole(m->shape->hidden_size));
    }
    buf_adds(b, "\nformats allowed, wanted first:");
    for (size_t i = 0; i < m->variants_count; i++) {
        const char *word = enum_name(&model_format_names, m->variants[i].format);

        buf_addf(b, " %s", word ? word : "?");
    }
    buf_addc(b, '\n');
}

static void add_tuning(struct buf *b, const struct tuning_spec *t)
{
    if (!t)
        return;
    add_word(b, "method", &fine_tune_method_names, t->method);
    add_fact(b, "wanted rank", whole(t->rank), "");
    add_fact(b, "smallest rank", whole(t->rank_min), "");
    add_fact(b, "wanted blocks trained", whole(t->layers), "");
    add_fact(b, "fewest blocks trained", whole(t->layers_min), "");
    add_fact(b, "wanted batch", whole(t->batch_size), "");
    add_fact(b, "wanted sequences per update", whole(t->effective_batch), "");
    add_fact(b, "wanted sequence length", whole(t->sequence_length), "tokens");
    add_fact(b, "shortest sequence length", whole(t->sequence_length_min), "tokens");
    add_word(b, "optimizer", &optimizer_names, t->optimizer);
    add_fact(b, "wanted learning rate", t->learning_rate, "");
}

static void add_round(struct buf *b, const struct round_spec *r)
{
    if (!r)
        return;
    add_fact(b, "rounds", whole(r->rounds), "");
    add_fact(b, "a round ends after", r->deadline_seconds, "s");
    add_fact(b, "tokens wanted in a round", r->token_goal, "");
    add_fact(b, "fewest local steps", whole(r->local_steps_min), "");
    add_fact(b, "most local steps", whole(r->local_steps_max), "");
    add_fact(b, "updates wanted", whole(r->clients_wanted), "");
}

static void add_communication(struct buf *b, const struct communication_spec *c)
{
    if (!c)
        return;
    add_word(b, "wanted update format", &upload_format_names, c->upload_format);
    add_fact(b, "upload, where not measured,", c->default_up_bps / 1e6, "Mbit/s");
    add_fact(b, "download, where not measured,", c->default_down_bps / 1e6, "Mbit/s");
    add_fact(b, "latency", c->latency_seconds, "s");
    add_fact(b, "largest share of a round for uploading", c->upload_share_max, "");
}

static void add_privacy(struct buf *b, const struct privacy_spec *p)
{
    if (!p)
        return;
    add_fact(b, "epsilon after all rounds", p->epsilon, "");
    add_fact(b, "delta", p->delta, "");
    add_fact(b, "clip norm", p->clip_norm, "");
    add_truth(b, "secure aggregation", p->secure_aggregation);
    add_fact(b, "fewest clients in a sum", whole(p->min_clients), "");
}

static void add_aggregation(struct buf *b, const struct aggregation_spec *a, int resolved)
{
    add_word(b, "strategy", &aggregation_names, resolved ? resolved : a ? a->strategy : 0);
    if (!a)
        return;
    add_fact(b, "server learning rate", a->server_learning_rate, "");
    add_fact(b, "proximal mu", a->proximal_mu, "");
}

static int fill_federated(const struct federated_job *job, const struct class_summary *classes,
                          size_t count, int aggregation, size_t lines, struct prompt_inputs *in,
                          struct buf *b, struct err *err)
{
    add_overview(b, classes, count);
    if (keep(in, "hardware_context", b, err) < 0)
        return -1;
    add_model(b, job->model);
    add_tuning(b, job->tuning);
    add_round(b, job->round);
    add_prose(b, job->performance_target);
    if (keep(in, "performance_target", b, err) < 0 ||
        add_table(b, classes, count, true, lines, &in->notes, err) < 0 ||
        keep(in, "client_capabilities", b, err) < 0)
        return -1;
    add_communication(b, job->communication);
    add_prose(b, job->communication_constraints);
    if (keep(in, "communication_constraints", b, err) < 0)
        return -1;
    add_privacy(b, job->privacy);
    add_prose(b, job->privacy_requirements);
    if (keep(in, "privacy_requirements", b, err) < 0)
        return -1;
    add_aggregation(b, job->aggregation, aggregation);
    if (keep(in, "aggregation_strategy", b, err) < 0)
        return -1;
    return notes_ok(&in->notes, err);
}

int prompt_inputs_federated(const struct federated_job *job, const struct class_summary *classes,
                            size_t count, enum aggregation aggregation, size_t classes_max,
                            struct prompt_inputs *out, struct err *err)
{
    size_t lines = classes_max ? classes_max : PROMPT_CLASSES_MAX;
    struct prompt_inputs in = {0};
    struct buf b;
    int rc;

    buf_init(&b, INPUT_TEXT_MAX);
    rc = fill_federated(job, classes, count, (int)aggregation, lines, &in, &b, err);
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

    add_name(b, s->name, NAMED_TEXT_MAX);
    buf_addf(b, " | %s |", kind ? kind : "?");
    for (size_t i = 0; i < s->after_count; i++) {
        buf_adds(b, i ? ", " : " ");
        add_name(b, s->after[i], NAMED_TEXT_MAX);
    }
    buf_adds(b, s->after_count ? " | " : " - | ");
    add_number(b, s->flop / 1e12);
    buf_adds(b, " | ");
    add_number(b, s->bytes_moved / 1e9);
    buf_adds(b, " | ");
    add_number(b, s->fixed_seconds);
    buf_adds(b, " | ");
    add_number(b, scaled(s->memory_bytes, 1e9));
    buf_adds(b, " | ");
    add_number(b, scaled(s->output_bytes, 1e9));
    buf_addf(b, " | %s%s\n", s->needs_metal == TRI_FALSE ? "no" : "yes",
             s->device_id ? " | its place is fixed" : "");
}

static void add_links(struct buf *b, const struct pipeline_links *l)
{
    if (!l)
        return;
    add_fact(b, "links, where not measured,", l->default_bps / 1e6, "Mbit/s");
    add_fact(b, "latency", l->latency_seconds, "s");
}

static int fill_pipeline(const struct pipeline_job *job, const struct class_summary *classes,
                         size_t count, size_t lines, struct prompt_inputs *in, struct buf *b,
                         struct err *err)
{
    buf_adds(b,
             "stage | kind | after | TFLOP | GB moved | fixed s | memory GB | output GB | GPU\n");
    for (size_t i = 0; i < job->stages_count; i++)
        add_stage(b, &job->stages[i]);
    add_prose(b, job->pipeline_description);
    if (keep(in, "pipeline_description", b, err) < 0)
        return -1;
    if (add_table(b, classes, count, false, lines, &in->notes, err) < 0)
        return -1;
    add_links(b, job->links);
    if (keep(in, "hardware_cluster", b, err) < 0)
        return -1;
    if (job->performance) {
        add_fact(b, "whole pipeline within", job->performance->makespan_seconds, "s");
        add_fact(b, "errors tolerated at a stage, share,", job->performance->stage_error_ratio, "");
        add_fact(b, "memory left free, share,", job->performance->memory_headroom_share, "");
    }
    add_prose(b, job->performance_requirements);
    if (keep(in, "performance_requirements", b, err) < 0)
        return -1;
    if (job->cost) {
        add_fact(b, "Macs used at most", whole(job->cost->max_devices), "");
        add_fact(b, "busy time of all Macs at most", job->cost->max_device_seconds, "s");
    }
    add_prose(b, job->cost_constraints);
    if (keep(in, "cost_constraints", b, err) < 0)
        return -1;
    return notes_ok(&in->notes, err);
}

int prompt_inputs_pipeline(const struct pipeline_job *job, const struct class_summary *classes,
                           size_t count, size_t classes_max, struct prompt_inputs *out,
                           struct err *err)
{
    size_t lines = classes_max ? classes_max : PROMPT_CLASSES_MAX;
    struct prompt_inputs in = {0};
    struct buf b;
    int rc;

    buf_init(&b, INPUT_TEXT_MAX);
    rc = fill_pipeline(job, classes, count, lines, &in, &b, err);
    buf_clear(&b);
    if (rc < 0)
        prompt_inputs_clear(&in);
    else
        *out = in;
    return rc;
}
