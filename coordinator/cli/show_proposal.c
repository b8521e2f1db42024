/* show_proposal.c - what the engine proposed and what became of it: the field table of the planner
 * (coordinator/planner/fields.h) with a line per proposed value, then what it cost and what it
 * said. */
#include "coordinator/cli/show.h"

#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"
#include "coordinator/planner/device_fields.h"

#include <stdio.h>
#include <string.h>

#define FIELD_COLUMNS 44 /* the longest proposal field has 41 */

/* Subject and plan field are left out where a page speaks of one client. */
static struct table *decisions_table(bool whole_plan)
{
    static const struct column all[] = {
        {.title = "proposed field", .most = FIELD_COLUMNS, .least = FIELD_COLUMNS},
        {.title = "for", .most = 24},
        {.title = "fills", .most = FIELD_COLUMNS, .least = FIELD_COLUMNS, .keep = 1},
        {.title = "from", .keep = 2},
        {.title = "proposed", .right = true, .most = 24},
        {.title = "used", .right = true, .most = 24},
        {.title = "outcome", .whole = true},
        {.title = "why"},
    };
    struct column few[] = {all[0], all[3], all[4], all[5], all[6], all[7]};

    return whole_plan ? table_new(all, sizeof all / sizeof all[0])
                      : table_new(few, sizeof few / sizeof few[0]);
}

static enum style outcome_style(int outcome)
{
    return outcome == OUTCOME_REPAIRED   ? STYLE_WARN
           : outcome == OUTCOME_REJECTED ? STYLE_BAD
           : outcome == OUTCOME_MISSING  ? STYLE_FAINT
                                         : STYLE_PLAIN;
}

static void decision_row(struct table *t, const struct decision *d, bool whole_plan)
{
    const char *bound =
        d->constraint > CONSTRAINT_NONE ? enum_name(&constraint_names, d->constraint) : NULL;

    table_cell(t, STYLE_PLAIN, "%s", d->field ? d->field : "?");
    if (whole_plan) {
        table_cell(t, STYLE_PLAIN, "%s", d->subject ? d->subject : "all");
        table_cell(t, STYLE_FAINT, "%s", d->plan_field ? d->plan_field : "-");
    }
    table_cell(t, STYLE_PLAIN, "%s", d->engine ? enum_name(&engine_kind_names, d->engine) : "?");
    table_cell(t, STYLE_PLAIN, "%s", d->proposed ? d->proposed : "-");
    table_cell(t, STYLE_PLAIN, "%s", d->used ? d->used : "-");
    table_cell(t, outcome_style(d->outcome), "%s",
               d->outcome ? enum_name(&outcome_names, d->outcome) : "?");
    table_span(t, STYLE_PLAIN, "%s%s%s", bound ? bound : "", bound && d->reason ? ": " : "",
               d->reason ? d->reason : "");
    table_row(t);
}

size_t show_decisions(struct page *p, const struct plan *plan, const char *const *subjects,
                      size_t count)
{
    struct table *t = decisions_table(false);
    size_t shown = 0;

    for (size_t i = 0; i < plan->decisions_count; i++) {
        const struct decision *d = &plan->decisions[i];

        for (size_t k = 0; d->subject && k < count; k++) {
            if (subjects[k] && strcmp(d->subject, subjects[k]) == 0) {
                decision_row(t, d, false);
                shown++;
                break;
            }
        }
    }
    if (shown > 0)
        table_print(t, p);
    table_free(t);
    return shown;
}

/* ---- the table of fields ---- */

struct fields {
    const struct field_map *rows;
    size_t count;
};

static struct fields fields_of(const struct plan *plan)
{
    if (plan->kind == PLAN_KIND_PIPELINE)
        return (struct fields){pipeline_field_map, pipeline_field_map_count};
    if (plan->kind == PLAN_KIND_LORA)
        return (struct fields){lora_field_map, lora_field_map_count};
    if (plan->kind == PLAN_KIND_DIFFUSION)
        return (struct fields){diffusion_field_map, diffusion_field_map_count};
    return (struct fields){federated_field_map, federated_field_map_count};
}

static bool speaks_of(const struct decision *d, const struct field_map *f)
{
    return d->field && strcmp(d->field, f->proposal_field) == 0;
}

static bool is_known(const struct fields *fields, const struct decision *d)
{
    for (size_t i = 0; i < fields->count; i++)
        if (speaks_of(d, &fields->rows[i]))
            return true;
    return false;
}

/* Classes or stages for which nothing was proposed are a row together: `plan why` has each. */
static void missing_row(struct table *t, const struct field_map *f, size_t count)
{
    table_cell(t, STYLE_PLAIN, "%s", f->proposal_field);
    table_cell(t, STYLE_PLAIN, "%zu %s", count, f->scope == SCOPE_STAGE ? "stages" : "classes");
    table_cell(t, STYLE_FAINT, "%s", f->plan_field);
    table_cell(t, STYLE_PLAIN, "%s", enum_name(&engine_kind_names, ENGINE_KIND_ANALYTIC));
    table_cell(t, STYLE_PLAIN, "-");
    table_cell(t, STYLE_PLAIN, "-");
    table_cell(t, outcome_style(OUTCOME_MISSING), "%s", enum_name(&outcome_names, OUTCOME_MISSING));
    table_span(t, STYLE_PLAIN, "not proposed: the planner's own values");
    table_row(t);
}

static void field_rows(struct table *t, const struct plan *plan, const struct field_map *f)
{
    size_t missing = 0;

    for (size_t i = 0; i < plan->decisions_count; i++)
        missing += speaks_of(&plan->decisions[i], f) && plan->decisions[i].subject &&
                   plan->decisions[i].outcome == OUTCOME_MISSING;
    for (size_t i = 0; i < plan->decisions_count; i++) {
        const struct decision *d = &plan->decisions[i];

        if (speaks_of(d, f) && (missing < 2 || !d->subject || d->outcome != OUTCOME_MISSING))
            decision_row(t, d, true);
    }
    if (missing >= 2)
        missing_row(t, f, missing);
}

/* Every decision, in the order of the fields; at the end those of a newer coordinator's fields. */
static void show_decided(struct page *p, const struct plan *plan, const struct fields *fields)
{
    struct table *t = decisions_table(true);

    for (size_t i = 0; i < fields->count; i++)
        field_rows(t, plan, &fields->rows[i]);
    for (size_t k = 0; k < plan->decisions_count; k++)
        if (!is_known(fields, &plan->decisions[k]))
            decision_row(t, &plan->decisions[k], true);
    if (plan->decisions_count > 0) {
        page_blank(p);
        table_print(t, p);
        show_hidden(p, t);
    }
    table_free(t);
}

/* Fields that no decision speaks of: what each would fill, and what bounds it. */
static void show_undecided(struct page *p, const struct plan *plan, const struct fields *fields)
{
    static const struct column columns[] = {
        {.title = "no value proposed", .most = FIELD_COLUMNS, .least = FIELD_COLUMNS},
        {.title = "would fill", .most = FIELD_COLUMNS, .keep = 1},
        {.title = "within"},
    };
    struct table *t = table_new(columns, 3);
    size_t shown = 0;

    for (size_t i = 0; i < fields->count; i++) {
        const struct field_map *f = &fields->rows[i];
        size_t k = 0;

        while (k < plan->decisions_count && !speaks_of(&plan->decisions[k], f))
            k++;
        if (f->prose || k < plan->decisions_count)
            continue;
        table_cell(t, STYLE_FAINT, "%s", f->proposal_field);
        table_cell(t, STYLE_FAINT, "%s", f->plan_field);
        table_span(t, STYLE_FAINT, "%s", f->within);
        table_row(t);
        shown++;
    }
    if (shown > 0) {
        page_blank(p);
        table_print(t, p);
    }
    table_free(t);
}

static void show_fields(struct page *p, const struct plan *plan)
{
    struct fields fields = fields_of(plan);

    show_decided(p, plan, &fields);
    show_undecided(p, plan, &fields);
    page_blank(p);
    page_wrap(p, 0, STYLE_FAINT,
              "Reasoning, rationales and gates are kept with the plan as text and reach no Mac.");
}

/* ---- notes, answer ---- */

static void show_prose(struct page *p, const char *title, const char *text)
{
    if (!text || !*text)
        return;
    page_blank(p);
    page_line(p, STYLE_STRONG, "%s", title);
    page_prose(p, 2, text);
}

static const char *reasoning(const struct proposal *r)
{
    if (r->federated)
        return r->federated->reasoning;
    if (r->lora)
        return r->lora->reasoning;
    if (r->diffusion)
        return r->diffusion->reasoning;
    return r->pipeline ? r->pipeline->reasoning : NULL;
}

void show_proposal(struct page *p, const struct plan *plan)
{
    const struct proposal *r = plan->proposal;

    show_plan_header(p, plan);
    if (r && r->failure)
        page_pair(p, "not used", "%s", r->failure);
    show_fields(p, plan);
    show_plan_notes(p, plan, false);
    if (!r) {
        page_blank(p);
        page_line(p, STYLE_PLAIN, "No answer of an engine is kept with this plan.");
        return;
    }
    if (r->notes_count > 0) {
        page_blank(p);
        page_line(p, STYLE_STRONG, "Forgiven or dropped while reading the answer");
        for (size_t i = 0; i < r->notes_count; i++)
            page_wrap(p, 2, STYLE_PLAIN, "%s", r->notes[i]);
    }
    if (!r->reply)
        show_prose(p, "Its reasoning", reasoning(r));
    show_prose(p, "The answer as it came", r->reply);
}
