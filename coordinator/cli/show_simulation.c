/* show_simulation.c - policies side by side. */
#include "coordinator/cli/show.h"

#include "common/core/unknown.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"
#include "coordinator/planner/simulate.h"

#include <inttypes.h>
#include <string.h>

static const struct column columns[] = {
    {.title = "policy", .whole = true},
    {.title = "clients", .right = true, .keep = 2},
    {.title = "median", .right = true},
    {.title = "p95", .right = true},
    {.title = "same work", .right = true, .keep = 7},
    {.title = "useful", .right = true},
    {.title = "tokens/s", .right = true, .keep = 6},
    {.title = "void", .right = true, .keep = 5},
    {.title = "moved", .right = true, .keep = 4},
    {.title = "energy", .right = true, .keep = 3},
    {.title = "fair", .right = true, .keep = 1},
};

/* A pipeline has no tokens, and no clients that take turns. */
static const struct column pipeline_columns[] = {
    {.title = "policy", .whole = true},           {.title = "devices", .right = true, .keep = 2},
    {.title = "median", .right = true},           {.title = "p95", .right = true},
    {.title = "useful", .right = true},           {.title = "void", .right = true, .keep = 5},
    {.title = "moved", .right = true, .keep = 4}, {.title = "energy", .right = true, .keep = 3},
};

static void row(struct table *t, const struct simulated_policy *p)
{
    bool tokens = known_f64(p->tokens_per_second);
    char text[FORMAT_MAX];

    table_cell(t, STYLE_STRONG, "%s", p->name);
    table_cell(t, STYLE_PLAIN, "%.4g", p->clients);
    table_cell(t, STYLE_PLAIN, "%s", format_seconds(p->round_seconds_median, text));
    table_cell(t, STYLE_PLAIN, "%s", format_seconds(p->round_seconds_p95, text));
    if (tokens)
        table_cell(t, STYLE_PLAIN, "%s",
                   known_f64(p->same_work_seconds) ? format_seconds(p->same_work_seconds, text)
                                                   : "never");
    table_cell(t, STYLE_PLAIN, "%s", format_share(p->utilisation, text));
    if (tokens)
        table_cell(t, STYLE_PLAIN, "%s", format_amount(p->tokens_per_second, text));
    table_cell(t, p->void_rounds ? STYLE_WARN : STYLE_PLAIN, "%" PRId64, p->void_rounds);
    table_cell(t, STYLE_PLAIN, "%s", format_bytes((int64_t)p->bytes_per_round, text));
    if (p->energy_wh_per_round < 1000)
        table_cell(t, STYLE_PLAIN, "%.3g Wh", p->energy_wh_per_round);
    else
        table_cell(t, STYLE_PLAIN, "%.4g kWh", p->energy_wh_per_round / 1000);
    if (tokens)
        table_cell(t, STYLE_PLAIN, "%.2f", p->fairness);
    table_row(t);
}

static void gain(struct page *p, const struct simulation *s)
{
    const struct simulated_policy *plan = &s->policies[0];

    for (size_t i = 1; i < s->policies_count; i++) {
        const struct simulated_policy *o = &s->policies[i];
        char time[FORMAT_MAX], useful[FORMAT_MAX], energy[FORMAT_MAX];
        bool work = known_f64(plan->same_work_seconds) && known_f64(o->same_work_seconds);

        format_change(work ? plan->same_work_seconds : plan->round_seconds_median,
                      work ? o->same_work_seconds : o->round_seconds_median, time);
        format_change(plan->utilisation, o->utilisation, useful);
        format_change(work ? plan->same_work_wh : plan->energy_wh_per_round,
                      work ? o->same_work_wh : o->energy_wh_per_round, energy);
        page_line(p, STYLE_PLAIN, "  against %-12s %s %s, energy %s, utilisation %s", o->name,
                  work ? "for the same tokens time" : "median time", *time ? time : "alike",
                  *energy ? energy : "alike", *useful ? useful : "alike");
    }
}

void show_simulation(struct page *p, const struct simulation *s)
{
    bool tokens = s->policies_count > 0 && known_f64(s->policies[0].tokens_per_second);
    struct table *t =
        tokens ? table_new(columns, sizeof columns / sizeof columns[0])
               : table_new(pipeline_columns, sizeof pipeline_columns / sizeof pipeline_columns[0]);

    page_wrap(p, 0, STYLE_STRONG, "Job %s, %" PRId64 " rounds on %s; %" PRId64 " take part",
              s->job_id ? s->job_id : "?", s->policies_count ? s->policies[0].rounds : 0,
              s->fleet ? s->fleet : "a fleet", s->taking_part);
    page_blank(p);
    for (size_t i = 0; i < s->policies_count; i++)
        row(t, &s->policies[i]);
    table_print(t, p);
    show_hidden(p, t);
    table_free(t);
    page_blank(p);
    if (s->policies_count > 1) {
        page_line(p, STYLE_PLAIN, "The plan");
        gain(p, s);
        page_blank(p);
    }
    for (size_t i = 0; i < s->policies_count; i++)
        page_pair(p, s->policies[i].name, "%s", s->policies[i].text ? s->policies[i].text : "");
    page_blank(p);
    page_wrap(p, 0, STYLE_FAINT,
              "Simulated: times are the planner's predictions, jitter %.3g and availability (%s) "
              "are synthetic, seed %" PRId64 ". Watts: %s.",
              s->jitter, s->availability ? s->availability : "?", s->seed,
              s->energy_source ? s->energy_source : "?");
    for (size_t i = 0; i < s->warnings_count && i < 5; i++)
        page_wrap(p, 0, STYLE_WARN, "! %s", s->warnings[i]);
}
