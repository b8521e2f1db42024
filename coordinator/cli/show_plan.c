/* show_plan.c - a plan as a person wants to see it: what it is, who does what, what it will cost
 * beside what one configuration for all would have cost, and what to mind. */
#include "coordinator/cli/show.h"

#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- header ---- */

static const char *word(const struct enum_names *names, int value)
{
    const char *name = value ? enum_name(names, value) : NULL;

    return name ? name : "?";
}

static void header_privacy(struct page *p, const struct federated_plan *f)
{
    char epsilon[FORMAT_MAX], noise[FORMAT_MAX], clip[FORMAT_MAX];

    if (!known_f64(f->epsilon))
        return;
    page_pair(p, "privacy", "epsilon %s after all rounds at delta %.1g: noise %s, clip %s%s",
              format_amount(f->epsilon, epsilon), f->delta,
              format_amount(f->noise_multiplier, noise), format_amount(f->clip_norm, clip),
              known_f64(f->accounted_rate) && f->accounted_rate < 1
                  ? ", amplified by random sampling"
                  : "");
}

static void header_secure(struct page *p, const struct secure_plan *s)
{
    char a[FORMAT_MAX], b[FORMAT_MAX];

    if (!s)
        return;
    page_pair(p, "masks",
              "%s: %s shares open one, each client shares with %s, %" PRId64
              "-bit values in a ring of %" PRId64,
              word(&secure_protocol_names, s->protocol), format_integer(s->threshold, a),
              format_integer(s->neighbours, b), s->value_bits, s->ring_bits);
}

static void header_server(struct page *p, const struct server_rule *r)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX], d[FORMAT_MAX];

    if (r && known_i64(r->buffer_size))
        page_pair(p, "buffer",
                  "%s updates of %s clients at a time, %s server updates/s, missing %s "
                  "in the mean, dropped past %" PRId64,
                  format_integer(r->buffer_size, a), format_integer(r->concurrency, b),
                  format_amount(r->updates_per_second, c), format_amount(r->staleness_expected, d),
                  r->staleness_max);
    if (r && known_f64(r->beta1))
        page_pair(p, "server", "beta1 %s, beta2 %s, adaptivity %s", format_amount(r->beta1, a),
                  format_amount(r->beta2, b), format_amount(r->adaptivity, c));
}

static void header_selection(struct page *p, const struct federated_plan *f)
{
    char rate[FORMAT_MAX];

    if (f->selection <= SELECTION_ALL)
        return;
    if (known_f64(f->sampling_rate))
        page_pair(p, "selection",
                  "%s: each client serves in a round with a chance of %s, seed "
                  "%" PRId64,
                  word(&selection_names, f->selection), format_amount(f->sampling_rate, rate),
                  f->selection_seed);
    else if (known_i64(f->selection_seed))
        page_pair(p, "selection", "%s, seed %" PRId64, word(&selection_names, f->selection),
                  f->selection_seed);
    else
        page_pair(p, "selection", "%s", word(&selection_names, f->selection));
}

static void header_federated(struct page *p, const struct federated_plan *f)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX], span[FORMAT_MAX];

    page_pair(p, "aggregation", "%s%s%s", word(&aggregation_names, f->aggregation),
              f->aggregation_reason ? ": " : "",
              f->aggregation_reason ? f->aggregation_reason : "");
    if (known_i64(f->rank))
        page_pair(p, "adapters", "%s%srank %s%s on %s layers: %s parameters, uploaded as %s",
                  f->adapters > ADAPTERS_NAIVE ? word(&adapters_names, f->adapters) : "",
                  f->adapters > ADAPTERS_NAIVE ? ", " : "", known_i64(f->rank_min) ? "up to " : "",
                  format_integer(f->rank, a), format_integer(f->layers, b),
                  known_i64(f->trainable_parameters)
                      ? format_amount((double)f->trainable_parameters, c)
                      : "?",
                  word(&upload_format_names, f->upload_format));
    else
        page_pair(
            p, "training", "%s layers: %s parameters, uploaded as %s", format_integer(f->layers, b),
            known_i64(f->trainable_parameters) ? format_amount((double)f->trainable_parameters, c)
                                               : "?",
            word(&upload_format_names, f->upload_format));
    page_pair(p, "rounds", "%s, each within %s, void with fewer than %s reports",
              format_integer(f->rounds, a), format_seconds(f->deadline_seconds, span),
              format_integer(f->min_reports, b));
    header_selection(p, f);
    header_server(p, f->server);
    header_privacy(p, f);
    header_secure(p, f->secure);
}

static void header_pipeline(struct page *p, const struct plan *plan)
{
    const struct pipeline_plan *l = plan->pipeline;
    char span[FORMAT_MAX], bound[FORMAT_MAX], single[FORMAT_MAX], change[FORMAT_MAX];

    page_pair(p, "makespan", "%s; no placement can be shorter than %s",
              format_seconds(l->makespan_seconds, span),
              format_seconds(l->lower_bound_seconds, bound));
    if (known_f64(l->single_device_seconds)) {
        format_change(l->makespan_seconds, l->single_device_seconds, change);
        page_pair(p, "on one device", "%s, all on %s (this plan: %s)",
                  format_seconds(l->single_device_seconds, single),
                  show_device_name(plan, l->single_device_id),
                  strcmp(change, "same") == 0 ? "about the same" : change);
    }
}

/* The text says who gave what; the name is not said twice. */
static void header_engine(struct page *p, const struct plan *plan)
{
    const char *name = word(&engine_kind_names, plan->engine_asked), *text = plan->engine_text;

    if (text && strncmp(text, name, strlen(name)) == 0)
        page_pair(p, "engine", "%s", text);
    else
        page_pair(p, "engine", "%s%s%s", name, text ? ": " : "", text ? text : "");
}

/* What the model cost. */
static void header_usage(struct page *p, const struct usage *u)
{
    char calls[FORMAT_MAX], prompt[FORMAT_MAX], completion[FORMAT_MAX], span[FORMAT_MAX];
    const char *model = u->model ? u->model : "the model";

    if (u->calls == 0 && known_i64(u->cache_hits) && u->cache_hits > 0)
        page_pair(p, "cost", "%s: nothing, it was asked the same before", model);
    else if (!known_i64(u->prompt_tokens) && !known_i64(u->completion_tokens))
        page_pair(p, "cost", "%s: %s %s, tokens not counted, %s", model,
                  format_integer(u->calls, calls), u->calls == 1 ? "call" : "calls",
                  format_seconds(u->seconds, span));
    else
        page_pair(p, "cost", "%s: %s %s, %s prompt and %s completion tokens, %s", model,
                  format_integer(u->calls, calls), u->calls == 1 ? "call" : "calls",
                  format_integer(u->prompt_tokens, prompt),
                  format_integer(u->completion_tokens, completion),
                  format_seconds(u->seconds, span));
    if (known_i64(u->cached_tokens) && u->cached_tokens > 0)
        page_pair(p, "", "%s of the prompt tokens were known to the endpoint",
                  format_integer(u->cached_tokens, prompt));
    if (u->calls > 0 && known_i64(u->cache_hits) && u->cache_hits > 0)
        page_pair(p, "", "and %s %s that it had given before", format_integer(u->cache_hits, calls),
                  u->cache_hits == 1 ? "answer" : "answers");
}

void show_plan_header(struct page *p, const struct plan *plan)
{
    char when[FORMAT_MAX];

    if (plan->state == PLAN_STATE_DRY_RUN || !plan->plan_id)
        page_line(p, STYLE_STRONG, "Dry run of job %s: nothing is stored or delivered",
                  plan->job_id ? plan->job_id : "?");
    else
        page_line(p, STYLE_STRONG, "Plan %s, job %s, %s", plan->plan_id,
                  plan->job_id ? plan->job_id : "?", word(&plan_state_names, plan->state));
    if (plan->job_name)
        page_pair(p, "job", "%s", plan->job_name);
    if (known_i64(plan->created_ms))
        page_pair(p, "made", "%s", format_when(plan->created_ms, when));
    header_engine(p, plan);
    if (plan->proposal && plan->proposal->usage)
        header_usage(p, plan->proposal->usage);
    if (plan->federated)
        header_federated(p, plan->federated);
    if (plan->pipeline)
        header_pipeline(p, plan);
    if (plan->lora)
        show_lora_header(p, plan);
    if (plan->diffusion)
        show_diffusion_header(p, plan);
}

/* ---- forecast ---- */

/* One line of the forecast: this plan, the other, and by how much they differ. */
static void forecast_row(struct table *t, const char *label, const char *now, const char *before,
                         const char *change)
{
    table_cell(t, STYLE_PLAIN, "%s", label);
    table_cell(t, STYLE_PLAIN, "%s", now);
    if (before)
        table_cell(t, STYLE_PLAIN, "%s", before);
    if (before)
        table_cell(t, STYLE_STRONG, "%s", change);
    table_row(t);
}

typedef char *format_f64_fn(double value, char out[FORMAT_MAX]);

static void forecast_f64(struct table *t, const char *label, format_f64_fn *format, double now,
                         const struct forecast *before, double before_value)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], change[FORMAT_MAX];

    if (!known_f64(now) && (!before || !known_f64(before_value)))
        return;
    format_change(now, before ? before_value : UNKNOWN_F64, change);
    forecast_row(t, label, format(now, a), before ? format(before_value, b) : NULL, change);
}

/* A share and another differ by points: half of a half is no "-50 %". */
static void forecast_share(struct table *t, const char *label, double now,
                           const struct forecast *before, double before_value)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], change[FORMAT_MAX] = "";
    double points = (now - before_value) * 100;

    if (!known_f64(now))
        return;
    if (before && known_f64(before_value))
        snprintf(change, sizeof change, fabs(points) < 0.5 ? "same" : "%+.0f points", points);
    forecast_row(t, label, format_share(now, a), before ? format_share(before_value, b) : NULL,
                 change);
}

static void forecast_count(struct table *t, const char *label, int64_t now,
                           const struct forecast *before, int64_t before_value)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], change[FORMAT_MAX] = "";

    if (!known_i64(now))
        return;
    if (before && known_i64(before_value))
        snprintf(change, sizeof change, now == before_value ? "same" : "%+" PRId64,
                 now - before_value);
    forecast_row(t, label, format_integer(now, a), before ? format_integer(before_value, b) : NULL,
                 change);
}

static char *bytes_f64(double bytes, char out[FORMAT_MAX])
{
    return format_bytes(known_f64(bytes) ? (int64_t)bytes : UNKNOWN_I64, out);
}

static double f64_of(int64_t value)
{
    return known_i64(value) ? (double)value : unknown_f64();
}

/* The words of a forecast by kind of plan. */
struct forecast_words {
    const char *time;      /* of round_seconds */
    const char *tokens;    /* of tokens_per_round */
    const char *clients;   /* of those that take part */
    const char *other;     /* heading of the baseline */
    const char *other_row; /* and of its text */
    bool by_tokens;        /* more tokens per second are the gain; else less time */
};

static struct forecast_words words_of(const struct plan *plan)
{
    static const struct forecast_words federated = {"round time",  "tokens per round",
                                                    "clients",     "one configuration for all",
                                                    "one for all", true};
    static const struct forecast_words pipeline = {
        "makespan", "tokens per round", "devices", "all on one device", "on one device", false};
    static const struct forecast_words lora = {"training time",     "tokens",       "devices",
                                               "mlx-lm's defaults", "mlx-lm's own", true};
    static const struct forecast_words diffusion = {"all images", "tokens",  "devices",
                                                    "by hand",    "by hand", false};

    return plan->kind == PLAN_KIND_PIPELINE    ? pipeline
           : plan->kind == PLAN_KIND_LORA      ? lora
           : plan->kind == PLAN_KIND_DIFFUSION ? diffusion
                                               : federated;
}

/* The one number that says whether planning was worth it. */
static void show_gain(struct page *p, const struct forecast *f, const struct forecast *b,
                      const struct forecast_words *w)
{
    double now = w->by_tokens ? f->tokens_per_second : f->round_seconds;
    double before = w->by_tokens ? b->tokens_per_second : b->round_seconds;
    char times[FORMAT_MAX];

    if (!known_f64(now) || !known_f64(before) || now <= 0 || before <= 0)
        return;
    if (w->by_tokens && now > before * 1.005)
        page_line(p, STYLE_GOOD, "Gain: %s times the tokens per second of %s.",
                  format_amount(now / before, times), w->other);
    else if (!w->by_tokens && now < before * 0.995)
        page_line(p, STYLE_GOOD, "Gain: done in %s of the time that one device takes.",
                  format_share(now / before, times));
    else
        page_line(p, STYLE_PLAIN, "No gain over %s.", w->by_tokens ? w->other : "one device");
}

void show_plan_forecast(struct page *p, const struct plan *plan)
{
    struct column columns[] = {{.title = "forecast", .whole = true},
                               {.title = "this plan", .right = true},
                               {.right = true},
                               {.title = "change", .right = true}};
    const struct forecast *f = plan->forecast, *b = plan->baseline;
    struct forecast_words w = words_of(plan);
    struct forecast none;
    struct table *t;

    if (!f)
        return;
    columns[2].title = w.other;
    record_init(&forecast_type, &none);
    t = table_new(columns, b ? 4 : 2);
    forecast_f64(t, w.time, format_seconds, f->round_seconds, b, (b ? b : &none)->round_seconds);
    forecast_f64(t, "tokens per second", format_amount, f->tokens_per_second, b,
                 (b ? b : &none)->tokens_per_second);
    forecast_f64(t, w.tokens, format_amount, f->tokens_per_round, b,
                 (b ? b : &none)->tokens_per_round);
    forecast_share(t, "utilisation", f->utilisation, b, (b ? b : &none)->utilisation);
    forecast_count(t, w.clients, f->clients, b, (b ? b : &none)->clients);
    forecast_count(t, "left out", f->left_out, b, (b ? b : &none)->left_out);
    forecast_f64(t, "uploaded per round", bytes_f64, f64_of(f->upload_bytes), b,
                 f64_of((b ? b : &none)->upload_bytes));
    page_blank(p);
    table_print(t, p);
    table_free(t);
    if (f->text)
        page_pair(p, "this plan", "%s", f->text);
    if (b && b->text)
        page_pair(p, w.other_row, "%s", b->text);
    if (b)
        show_gain(p, f, b, &w);
}

/* ---- what to mind ---- */

/* How much of a model's answer does not stand. The planner's own is no news. */
static void show_outcomes(struct page *p, const struct plan *plan, bool hint)
{
    size_t repaired = 0, rejected = 0;

    for (size_t i = 0; i < plan->decisions_count; i++) {
        repaired += plan->decisions[i].outcome == OUTCOME_REPAIRED;
        rejected += plan->decisions[i].outcome == OUTCOME_REJECTED;
    }
    if (plan->engine_asked != ENGINE_KIND_LM || repaired + rejected == 0)
        return;
    page_wrap(p, 0, STYLE_WARN,
              "Of the values that the model proposed, %zu %s repaired and %zu "
              "rejected.%s%s%s",
              repaired, repaired == 1 ? "was" : "were", rejected,
              hint ? " espalier plan show " : "", hint ? plan->plan_id : "",
              hint ? " --proposal says which, and why." : "");
}

void show_plan_notes(struct page *p, const struct plan *plan, bool hint)
{
    const char *failure = plan->proposal ? plan->proposal->failure : NULL;

    page_blank(p);
    if (failure)
        page_wrap(p, 0, STYLE_WARN, "The answer of the %s engine was not used: %s",
                  word(&engine_kind_names, plan->proposal->engine), failure);
    show_outcomes(p, plan, hint && plan->plan_id);
    for (size_t i = 0; i < plan->warnings_count; i++)
        page_wrap(p, 0, STYLE_WARN, "Warning: %s", plan->warnings[i]);
}

/* ---- measured ---- */

static void measurement_row(struct table *t, const struct plan *plan,
                            const struct device_measurement *d)
{
    const struct measurement *m = d->measurement;
    char number[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s", show_device_name(plan, d->device_id));
    table_cell(t, STYLE_PLAIN, "%s", m->event ? m->event : "-");
    table_cell(t, STYLE_PLAIN, "%s",
               known_i64(m->iteration) ? format_integer(m->iteration, number) : "-");
    if (known_f64(m->loss))
        table_cell(t, STYLE_PLAIN, "%.4g", m->loss);
    else
        table_cell(t, STYLE_PLAIN, "-");
    table_cell(t, STYLE_PLAIN, "%s",
               known_f64(m->step_seconds) ? format_seconds(m->step_seconds, number) : "-");
    table_cell(t, STYLE_PLAIN, "%s",
               known_f64(m->tokens_per_second) ? format_amount(m->tokens_per_second, number) : "-");
    table_cell(t, STYLE_PLAIN, "%s",
               known_i64(m->peak_bytes) ? format_bytes(m->peak_bytes, number) : "-");
    table_cell(t, STYLE_PLAIN, "%s", m->text ? m->text : "");
    table_row(t);
}

void show_measurements(struct page *p, const struct plan_reply *reply, size_t most)
{
    static const struct column columns[] = {
        {.title = "client", .most = 32},        {.title = "event", .most = 16},
        {.title = "iteration", .right = true},  {.title = "loss", .right = true},
        {.title = "micro-step", .right = true}, {.title = "tokens/s", .right = true},
        {.title = "peak", .right = true},       {.title = "", .most = 40, .keep = 1},
    };
    size_t count = reply->measurements_count, first = count > most ? count - most : 0;
    struct table *t;

    if (count == 0)
        return;
    t = table_new(columns, sizeof columns / sizeof columns[0]);
    page_blank(p);
    page_line(p, STYLE_STRONG, first ? "Measured: the newest %zu of %zu" : "Measured",
              count - first, count);
    for (size_t i = first; i < count; i++)
        if (reply->measurements[i].measurement)
            measurement_row(t, reply->plan, &reply->measurements[i]);
    table_print(t, p);
    table_free(t);
}

void show_plan(struct page *p, const struct plan_reply *reply, bool waiting)
{
    const struct plan *plan = reply->plan;

    show_plan_header(p, plan);
    if (plan->pipeline)
        show_pipeline(p, reply, waiting);
    else if (plan->diffusion)
        show_images(p, reply, waiting);
    else
        show_clients(p, reply, waiting);
    show_plan_forecast(p, plan);
    show_plan_notes(p, plan, true);
    show_measurements(p, reply, 10);
}
