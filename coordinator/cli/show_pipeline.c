/* show_pipeline.c - a pipeline plan: stages in the order in which they start, when each device is
 * busy, what is watched, and how it is deployed. */
#include "coordinator/cli/show.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHART_MIN 20         /* columns of time under which a chart says nothing */
#define CHART_MAX 100        /* and over which it says no more */
#define CHART_STAGES_MAX 200 /* lines that somebody looks at */
#define UNUSED_NAMES_MAX 12  /* devices named for one reason; --json has all */
#define UNUSED_REASONS_MAX 20

static const char *word(const struct enum_names *names, int value)
{
    const char *name = value ? enum_name(names, value) : NULL;

    return name ? name : "?";
}

/* ---- stages ---- */

/* "load from mac-1 (6 GB)": what a stage waits for; what is on its own device costs nothing. */
static char *inputs_text(const struct plan *plan, const struct stage_part *s)
{
    struct buf b;
    char number[FORMAT_MAX];

    buf_init(&b, PAGE_TEXT_MAX);
    for (size_t i = 0; i < s->inputs_count; i++) {
        const struct stage_input *in = &s->inputs[i];

        buf_addf(&b, "%s%s", i ? ", " : "", in->stage);
        if (strcmp(in->device_id, s->device_id) != 0 && known_i64(in->bytes))
            buf_addf(&b, " (%s from %s)", format_bytes(in->bytes, number),
                     show_device_name(plan, in->device_id));
    }
    buf_adds(&b, "");
    return buf_take(&b, NULL, NULL);
}

static void stage_row(struct page *p, struct table *t, const struct plan_reply *reply,
                      const struct stage_part *s, bool deliveries)
{
    const struct plan *plan = reply->plan;
    const struct assignment *a = show_assignment(plan, s->device_id);
    const struct class_summary *k = a ? show_class(plan, a->client_class) : NULL;
    char text[FORMAT_MAX];
    char *inputs = inputs_text(plan, s);

    table_cell(t, STYLE_PLAIN, "%s", format_seconds(s->start_seconds, text));
    table_cell(t, STYLE_PLAIN, "%s", s->stage);
    table_cell(t, STYLE_PLAIN, "%s", word(&stage_kind_names, s->kind));
    table_cell(t, STYLE_PLAIN, "%s", show_device_name(plan, s->device_id));
    table_cell(t, STYLE_PLAIN, "%s", format_chip(k ? k->chip : NULL));
    table_cell(t, STYLE_PLAIN, "%s", format_seconds(s->finish_seconds - s->start_seconds, text));
    if (a && known_i64(a->memory_limit_bytes))
        table_cell(t, STYLE_PLAIN, "%s", format_used(s->memory_bytes, a->memory_limit_bytes, text));
    else
        table_cell(t, STYLE_PLAIN, "%s", format_bytes(s->memory_bytes, text));
    if (deliveries) {
        const struct delivery *d = show_delivery(reply, s->device_id);

        table_cell(t, show_delivery_style(d), "%s", show_delivery_word(d, text, sizeof text));
    }
    table_span(t, STYLE_PLAIN, "%s", inputs && *inputs ? inputs : "-");
    if (!inputs)
        page_lost(p);
    table_row(t);
    mem_free(inputs);
}

static void show_stages(struct page *p, const struct plan_reply *reply, bool deliveries)
{
    static const struct column all[] = {
        {.title = "start", .right = true},
        {.title = "stage", .most = 32},
        {.title = "kind", .keep = 1},
        {.title = "device", .most = 32, .least = NAME_LEAST},
        {.title = "chip", .keep = 2},
        {.title = "takes", .right = true},
        {.title = "memory", .right = true, .keep = 3},
        {.title = "delivery", .keep = 4},
        {.title = "waits for"},
    };
    struct column used[sizeof all / sizeof all[0]];
    const struct pipeline_plan *l = reply->plan->pipeline;
    struct table *t;
    size_t count = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (deliveries || strcmp(all[i].title, "delivery") != 0)
            used[count++] = all[i];
    t = table_new(used, count);
    for (size_t i = 0; i < l->stages_count; i++)
        stage_row(p, t, reply, &l->stages[i], deliveries);
    page_blank(p);
    table_print(t, p);
    show_hidden(p, t);
    table_free(t);
}

/* Stages that answer requests, and what a run draws at the wall. */
static void show_services(struct page *p, const struct pipeline_plan *l)
{
    char load[FORMAT_MAX], wait[FORMAT_MAX];

    for (size_t i = 0; i < l->stages_count; i++) {
        const struct service_part *s = l->stages[i].service;

        if (!s)
            continue;
        page_pair(p, l->stages[i].stage,
                  "%zu replicas, %s of their time busy, mean wait %s; one more above %.0f %% for "
                  "%lld windows, one fewer below %.0f %% for %lld",
                  s->replicas_count, format_share(s->load, load),
                  format_seconds(s->mean_wait_seconds, wait), 100 * s->scale_up_load,
                  (long long)s->scale_up_windows, 100 * s->scale_down_load,
                  (long long)s->scale_down_windows);
        if (s->reason)
            page_pair(p, "", "%s", s->reason);
    }
    if (known_f64(l->price))
        page_pair(p, "price", "%.4g, energy and wear by the job's prices", l->price);
    if (known_f64(l->energy_wh))
        page_pair(p, "energy", "%.3g Wh once through (%s)", l->energy_wh,
                  l->energy_source ? l->energy_source : "?");
}

/* ---- chart ---- */

static void chart_bar(struct page *p, size_t columns, double total, const struct stage_part *s)
{
    size_t from = (size_t)floor(s->start_seconds / total * (double)columns);
    size_t to = (size_t)ceil(s->finish_seconds / total * (double)columns);

    if (from >= columns)
        from = columns - 1;
    to = to > columns ? columns : to <= from ? from + 1 : to; /* a short stage has one mark */
    buf_addc(&p->text, '|');
    for (size_t i = 0; i < columns; i++)
        buf_addc(&p->text, i < from || i >= to ? ' ' : '#');
    buf_addc(&p->text, '|');
}

static size_t widest(const struct plan *plan, bool devices)
{
    const struct pipeline_plan *l = plan->pipeline;
    size_t width = 0;

    for (size_t i = 0; i < l->stages_count; i++) {
        const char *name =
            devices ? show_device_name(plan, l->stages[i].device_id) : l->stages[i].stage;
        size_t columns = format_columns(name);

        width = columns > width ? columns : width;
    }
    return width > 20 ? 20 : width;
}

static void chart_label(struct page *p, const char *text, size_t width)
{
    char *clean = page_clean_text(text);

    if (!clean) {
        page_lost(p);
        return;
    }
    clean[format_fit(clean, width)] = '\0';
    page_cell(p, STYLE_PLAIN, clean, width + 2, false);
    mem_free(clean);
}

/* Each stage's time on one line, where the page is wide enough. */
static void show_chart(struct page *p, const struct plan *plan)
{
    const struct pipeline_plan *l = plan->pipeline;
    size_t stage = widest(plan, false), device = widest(plan, true);
    size_t labels = 2 + stage + 2 + device + 2 + 2;
    size_t columns = p->width > labels ? p->width - labels : 0;
    double total = known_f64(l->makespan_seconds) ? l->makespan_seconds : 0;
    char span[FORMAT_MAX];

    for (size_t i = 0; i < l->stages_count; i++)
        total = l->stages[i].finish_seconds > total ? l->stages[i].finish_seconds : total;
    columns = columns > CHART_MAX ? CHART_MAX : columns;
    if (columns < CHART_MIN || total <= 0 || l->stages_count > CHART_STAGES_MAX)
        return;
    page_blank(p);
    for (size_t i = 0; i < l->stages_count; i++) {
        page_spaces(p, 2);
        chart_label(p, l->stages[i].stage, stage);
        chart_label(p, show_device_name(plan, l->stages[i].device_id), device);
        chart_bar(p, columns, total, &l->stages[i]);
        page_end_line(p);
    }
    format_seconds(total, span);
    page_spaces(p, labels - 2);
    page_cell(p, STYLE_FAINT, "0", 0, false);
    page_cell(p, STYLE_FAINT, span, columns + 1, true);
    page_end_line(p);
}

/* ---- watching and deploying ---- */

static void metric_value(double value, int metric, char out[FORMAT_MAX])
{
    if (metric == METRIC_STAGE_SECONDS || metric == METRIC_LATENCY_P95_SECONDS)
        format_seconds(value, out);
    else if (metric == METRIC_ERROR_RATIO)
        format_share(value, out);
    else if (metric == METRIC_MEMORY_HEADROOM_BYTES)
        format_bytes(known_f64(value) ? (int64_t)value : UNKNOWN_I64, out);
    else
        format_amount(value, out);
}

static void monitor_row(struct table *t, const struct monitor_rule *m)
{
    char text[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s", m->stage ? m->stage : "whole pipeline");
    table_cell(t, STYLE_PLAIN, "%s", word(&metric_names, m->metric));
    metric_value(m->warn, m->metric, text);
    table_cell(t, STYLE_PLAIN, "%s", text);
    metric_value(m->page, m->metric, text);
    table_cell(t, STYLE_PLAIN, "%s", text);
    table_cell(t, STYLE_PLAIN, "%s",
               known_f64(m->window_seconds) ? format_seconds(m->window_seconds, text) : "-");
    table_span(t, STYLE_PLAIN, "%s", m->rationale ? m->rationale : "");
    table_row(t);
}

/* The pipeline's own rules and those of its stages, each once. */
static void show_monitors(struct page *p, const struct pipeline_plan *l)
{
    static const struct column columns[] = {
        {.title = "watched", .most = 32}, {.title = "metric"},
        {.title = "warn", .right = true}, {.title = "page", .right = true},
        {.title = "over", .right = true}, {.title = "why"},
    };
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
    size_t shown = l->monitors_count;

    for (size_t i = 0; i < l->monitors_count; i++)
        monitor_row(t, &l->monitors[i]);
    for (size_t i = 0; l->monitors_count == 0 && i < l->stages_count; i++)
        for (size_t k = 0; k < l->stages[i].monitors_count; k++, shown++)
            monitor_row(t, &l->stages[i].monitors[k]);
    if (shown > 0) {
        page_blank(p);
        table_print(t, p);
    }
    table_free(t);
}

static void step_row(struct table *t, const struct deploy_step *s)
{
    char number[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s", format_integer(s->order, number));
    table_cell(t, STYLE_PLAIN, "%s", s->stage ? s->stage : "-");
    table_cell(t, STYLE_PLAIN, "%s", word(&deploy_action_names, s->action));
    table_span(t, STYLE_PLAIN, "%s", s->gate ? s->gate : "");
    table_row(t);
}

static void show_deployment(struct page *p, const struct pipeline_plan *l)
{
    static const struct column columns[] = {
        {.title = "step", .right = true},
        {.title = "stage", .most = 32},
        {.title = "deployment"},
        {.title = "before the next step"},
    };
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

    for (size_t i = 0; i < l->deployment_count; i++)
        step_row(t, &l->deployment[i]);
    if (l->deployment_count > 0) {
        page_blank(p);
        table_print(t, p);
    }
    table_free(t);
}

/* Who else runs no stage for the reason of assignment `first`: "mac-1, mac-2 and 3 more". */
static void add_names(struct buf *b, const struct plan *plan, size_t first)
{
    size_t named = 0, more = 0;

    for (size_t i = first; i < plan->assignments_count; i++) {
        const struct assignment *a = &plan->assignments[i];

        if (a->participate == TRI_TRUE ||
            strcmp(show_reason(a), show_reason(&plan->assignments[first])) != 0)
            continue;
        if (named == UNUSED_NAMES_MAX) {
            more++;
            continue;
        }
        buf_addf(b, "%s%s", named++ ? ", " : "", show_client_name(a));
    }
    if (more > 0)
        buf_addf(b, " and %zu more", more);
}

/* Was this reason given by an earlier device? */
static bool said_before(const struct plan *plan, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (plan->assignments[i].participate != TRI_TRUE &&
            strcmp(show_reason(&plan->assignments[i]), show_reason(&plan->assignments[at])) == 0)
            return true;
    return false;
}

/* Devices that run no stage, by reason: most of a fleet has the same one. */
static void show_unused(struct page *p, const struct plan *plan)
{
    size_t reasons = 0;

    for (size_t i = 0; i < plan->assignments_count && reasons < UNUSED_REASONS_MAX; i++) {
        struct buf names;
        char *text;

        if (plan->assignments[i].participate == TRI_TRUE || said_before(plan, i))
            continue;
        buf_init(&names, PAGE_TEXT_MAX);
        add_names(&names, plan, i);
        text = buf_take(&names, NULL, NULL);
        if (!text) {
            page_lost(p);
            return;
        }
        if (reasons++ == 0)
            page_blank(p);
        page_wrap(p, 0, STYLE_FAINT, "No stage on %s: %s", text,
                  show_reason(&plan->assignments[i]));
        mem_free(text);
    }
}

void show_pipeline(struct page *p, const struct plan_reply *reply, bool waiting)
{
    const struct pipeline_plan *l = reply->plan->pipeline;

    show_stages(p, reply, !waiting && reply->deliveries_count > 0);
    show_chart(p, reply->plan);
    show_services(p, l);
    show_monitors(p, l);
    show_deployment(p, l);
    show_unused(p, reply->plan);
}
