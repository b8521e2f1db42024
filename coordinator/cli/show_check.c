/* show_check.c - what became of a proposal; what changed between two plans. */
#include "coordinator/cli/show.h"

#include "common/core/unknown.h"
#include "common/model/plan.h"
#include "common/model/proposal.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"
#include "coordinator/planner/plan_check.h"
#include "coordinator/planner/plan_diff.h"

#include <inttypes.h>
#include <string.h>

/* ---- a check ---- */

static void changed_table(struct page *p, const struct plan_check *c)
{
    static const struct column columns[] = {
        {.title = "field", .most = 44},
        {.title = "for", .most = 24},
        {.title = "proposed", .right = true, .most = 24},
        {.title = "becomes", .right = true, .most = 24},
        {.title = "why"},
    };
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

    for (size_t i = 0; i < c->changed_count; i++) {
        const struct decision *d = &c->changed[i];
        const char *bound =
            d->constraint > CONSTRAINT_NONE ? enum_name(&constraint_names, d->constraint) : NULL;

        table_cell(t, STYLE_PLAIN, "%s", d->field ? d->field : "?");
        table_cell(t, STYLE_PLAIN, "%s", d->subject ? d->subject : "all");
        table_cell(t, STYLE_PLAIN, "%s", d->proposed ? d->proposed : "-");
        table_cell(t, d->outcome == OUTCOME_REJECTED ? STYLE_BAD : STYLE_WARN, "%s",
                   d->used ? d->used : "-");
        table_span(t, STYLE_PLAIN, "%s%s%s", bound ? bound : "", bound && d->reason ? ": " : "",
                   d->reason ? d->reason : "");
        table_row(t);
    }
    table_print(t, p);
    show_hidden(p, t);
    table_free(t);
}

static void forecast_line(struct page *p, const char *label, const struct forecast *f)
{
    char round[FORMAT_MAX], tokens[FORMAT_MAX], useful[FORMAT_MAX];

    if (!f)
        return;
    format_seconds(f->round_seconds, round);
    format_share(f->utilisation, useful);
    if (known_f64(f->tokens_per_second))
        page_pair(p, label, "%s, %s tokens/s, %s of the time useful, %" PRId64 " clients", round,
                  format_amount(f->tokens_per_second, tokens), useful, f->clients);
    else
        page_pair(p, label, "%s, %s of the time useful, %" PRId64 " devices", round, useful,
                  f->clients);
}

void show_plan_check(struct page *p, const struct plan_check *c, const char *fleet)
{
    bool fits = strcmp(c->verdict, "fits") == 0, replaced = strcmp(c->verdict, "replaced") == 0;

    page_wrap(p, 0,
              fits       ? STYLE_GOOD
              : replaced ? STYLE_BAD
                         : STYLE_WARN,
              "The proposal %s: %s.",
              fits       ? "fits"
              : replaced ? "is replaced by the planner's own plan"
                         : "was repaired",
              c->reason ? c->reason : "");
    page_wrap(p, 0, STYLE_FAINT, "Checked on %s; %" PRId64 " values stand as proposed.", fleet,
              known_i64(c->used) ? c->used : 0);
    if (c->changed_count > 0) {
        page_blank(p);
        changed_table(p, c);
    }
    page_blank(p);
    forecast_line(p, "it becomes", c->forecast);
    forecast_line(p, "planner's own", c->own);
    for (size_t i = 0; i < c->notes_count; i++)
        page_wrap(p, 0, STYLE_FAINT, "note: %s", c->notes[i]);
    for (size_t i = 0; c->plan && i < c->plan->warnings_count; i++)
        page_wrap(p, 0, STYLE_WARN, "! %s", c->plan->warnings[i]);
}

/* ---- a difference ---- */

static void change_row(struct table *t, const struct plan_change *c)
{
    const char *who = c->name ? c->name : c->subject ? c->subject : "the plan";

    if (known_i64(c->others) && c->others > 0)
        table_cell(t, STYLE_PLAIN, "%s and %" PRId64 " more", who, c->others);
    else
        table_cell(t, c->subject ? STYLE_PLAIN : STYLE_STRONG, "%s", who);
    table_cell(t, STYLE_PLAIN, "%s", c->field ? c->field : "?");
    table_cell(t, STYLE_PLAIN, "%s", c->before ? c->before : "-");
    table_cell(t, STYLE_PLAIN, "%s", c->after ? c->after : "-");
    table_span(t, STYLE_FAINT, "%s", c->reason ? c->reason : "");
    table_row(t);
}

void show_plan_diff(struct page *p, const struct plan_diff *d)
{
    static const struct column columns[] = {
        {.title = "client or stage", .most = 30},
        {.title = "field", .most = 40, .least = 24},
        {.title = "before", .right = true, .most = 24},
        {.title = "after", .right = true, .most = 24},
        {.title = "why"},
    };
    struct table *t;

    page_line(p, STYLE_STRONG, "From %s to %s", d->before ? d->before : "the first plan",
              d->after ? d->after : "the second");
    if (d->job_before && d->job_after && strcmp(d->job_before, d->job_after) != 0)
        page_line(p, STYLE_WARN, "They answer different jobs: %s and %s", d->job_before,
                  d->job_after);
    if (d->changes_count == 0) {
        page_line(p, STYLE_PLAIN, "Nothing changed.");
        return;
    }
    page_blank(p);
    t = table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < d->changes_count; i++)
        change_row(t, &d->changes[i]);
    table_print(t, p);
    show_hidden(p, t);
    table_free(t);
}
