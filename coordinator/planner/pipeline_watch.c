/* pipeline_watch.c - thresholds, derived from what is predicted; an engine's own replace them.
 *
 * A stage warns at one and a half times its predicted time and pages at three times (assumptions
 * until it was measured); errors warn at the tolerated share, a burn rate of 1, and page at 14.4,
 * the fast-burn rate usual for a one-hour window; memory headroom warns where the job's share is
 * used up and pages at half of it. */
#include "coordinator/planner/pipeline_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"

#include <math.h>
#include <string.h>

#define WARN_TIMES 1.5
#define PAGE_TIMES 3
#define PAGE_BURN 14.4
#define WINDOW_LEAST 60.0
#define WINDOW_ERRORS 3600.0
#define STAGE_RULES_MAX 64
#define PLAN_RULES_MAX 1000

static struct monitor_rule *rule_add(struct monitor_rule **rules, size_t *count, const char *stage,
                                     int metric, double warn, double page, double window,
                                     struct err *err)
{
    struct monitor_rule *r = records_add(&monitor_rule_type, rules, count, err);

    if (!r || text_set(&r->stage, stage, err) < 0)
        return NULL;
    r->metric = metric;
    r->warn = warn;
    r->page = page;
    r->window_seconds = fmin(fmax(window, 1), 1e7);
    return r;
}

static int own_rules(const struct pipeline_turn *t, size_t i, struct stage_part *part,
                     struct err *err)
{
    const struct heft_schedule *s = pipeline_schedule(t);
    double seconds = fmax(s->finish[i] - s->start[i], 0.001);
    double headroom = t->sites[s->device[i]].room / (1 - t->headroom) * t->headroom;

    if (!rule_add(&part->monitors, &part->monitors_count, part->stage, METRIC_STAGE_SECONDS,
                  WARN_TIMES * seconds, PAGE_TIMES * seconds, fmax(WINDOW_LEAST, seconds), err) ||
        !rule_add(&part->monitors, &part->monitors_count, part->stage, METRIC_ERROR_RATIO,
                  t->error_ratio, fmin(1, PAGE_BURN * t->error_ratio), WINDOW_ERRORS, err))
        return -1;
    if (headroom > 0 &&
        !rule_add(&part->monitors, &part->monitors_count, part->stage, METRIC_MEMORY_HEADROOM_BYTES,
                  floor(headroom), floor(headroom / 2), WINDOW_LEAST, err))
        return -1;
    return 0;
}

/* Of a stage that answers requests: they wait as long as was promised, and no more than that many
 * wait. */
static int service_rules(const struct pipeline_turn *t, size_t i, struct stage_part *part,
                         struct err *err)
{
    const struct stage_service *w = t->pipeline->stages[i].service;
    const struct heft_schedule *s = pipeline_schedule(t);
    double answer, queue;

    if (!w)
        return 0;
    answer = fmax(w->wait_seconds + s->finish[i] - s->start[i], 0.001);
    queue = fmax(w->arrivals_per_second * w->wait_seconds, 1);
    return rule_add(&part->monitors, &part->monitors_count, part->stage, METRIC_LATENCY_P95_SECONDS,
                    answer, PAGE_TIMES * answer, WINDOW_LEAST, err) &&
                   rule_add(&part->monitors, &part->monitors_count, part->stage,
                            METRIC_QUEUE_LENGTH, queue, PAGE_TIMES * queue, WINDOW_LEAST, err)
               ? 0
               : -1;
}

static int own_plan_rules(const struct pipeline_turn *t, struct pipeline_plan *p, struct err *err)
{
    const struct pipeline_performance *f = t->pipeline->performance;
    double target = f && known_f64(f->makespan_seconds) ? f->makespan_seconds : UNKNOWN_F64;
    double span = fmax(p->makespan_seconds, 0.001);
    double warn = known_f64(target) ? fmax(target, span) : WARN_TIMES * span;

    return rule_add(&p->monitors, &p->monitors_count, NULL, METRIC_STAGE_SECONDS, warn,
                    fmax(PAGE_TIMES * span, warn), fmax(WINDOW_LEAST, span), err)
               ? 0
               : -1;
}

static struct monitor_rule *rule_find(struct monitor_rule *rules, size_t count, int metric)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].metric == metric)
            return &rules[i];
    return NULL;
}

/* One threshold; a value out of its row's range keeps the planner's own. */
static void take(struct pipeline_turn *t, const struct monitor_rule *theirs, const char *member,
                 enum pipeline_field id, const char *subject, double *value)
{
    const struct field *f = record_field(&monitor_rule_type, member);
    struct note *n = decision_note(&t->notes, &pipeline_field_map[id], subject, SIZE_MAX);
    double v = *(const double *)field_at(f, theirs);
    char text[NUM_F64_TEXT_MAX];
    struct err err = {0};

    if (!known_f64(v)) {
        note_outcome(n, OUTCOME_MISSING, CONSTRAINT_NONE, "not proposed");
    } else if (field_check(f, theirs, member, &err) < 0) {
        note_proposed(n, "%g", v);
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s", err.text);
    } else {
        note_proposed(n, "%s", num_format_f64(v, text));
        note_outcome(n, OUTCOME_USED, CONSTRAINT_NONE, "within its range");
        *value = v;
    }
    if (known_f64(*value))
        note_used(n, "%s", num_format_f64(*value, text));
}

/* Headroom and rates are worse when lower; the others when higher. */
static bool lower_is_worse(int metric)
{
    return metric == METRIC_MEMORY_HEADROOM_BYTES || metric == METRIC_TOKENS_PER_SECOND;
}

static void order_thresholds(struct pipeline_turn *t, struct monitor_rule *r, const char *subject)
{
    bool wrong = known_f64(r->warn) && known_f64(r->page) &&
                 (lower_is_worse(r->metric) ? r->page > r->warn : r->page < r->warn);
    struct note *n;
    char text[NUM_F64_TEXT_MAX];

    if (!wrong)
        return;
    n = decision_note(&t->notes, &pipeline_field_map[PF_PAGE], subject, SIZE_MAX);
    note_proposed(n, "%s", num_format_f64(r->page, text));
    r->page = r->warn;
    note_used(n, "%s", num_format_f64(r->page, text));
    note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_VALUE, "a page milder than its warning");
}

static int take_rule(struct pipeline_turn *t, const struct monitor_rule *theirs,
                     struct monitor_rule **rules, size_t *count, size_t most, const char *stage,
                     struct err *err)
{
    struct note *n = decision_note(&t->notes, &pipeline_field_map[PF_METRIC], stage, SIZE_MAX);
    const char *name = enum_name(&metric_names, theirs->metric);
    struct monitor_rule *r;

    if (theirs->metric == METRIC_UNSET || !name) {
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "no metric that can be watched");
        return 0;
    }
    note_proposed(n, "%s", name);
    r = rule_find(*rules, *count, theirs->metric);
    if (!r && *count >= most) {
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "more than %zu rules", most);
        return 0;
    }
    note_outcome(n, OUTCOME_USED, CONSTRAINT_NONE, "%s",
                 r ? "replaces the planner's own rule" : "added");
    note_used(n, "%s", name);
    if (!r && !(r = rule_add(rules, count, stage, theirs->metric, UNKNOWN_F64, UNKNOWN_F64,
                             WINDOW_LEAST, err)))
        return -1;
    take(t, theirs, "warn", PF_WARN, stage, &r->warn);
    take(t, theirs, "page", PF_PAGE, stage, &r->page);
    take(t, theirs, "window_seconds", PF_WINDOW, stage, &r->window_seconds);
    order_thresholds(t, r, stage);
    return 0;
}

static int take_rules(struct pipeline_turn *t, const struct pipeline_proposal *p,
                      struct stage_part *parts, struct pipeline_plan *plan, struct err *err)
{
    for (size_t i = 0; p && i < p->monitoring_strategy_count; i++) {
        const struct monitor_rule *m = &p->monitoring_strategy[i];
        size_t stage = pipeline_stage(t, m->stage);
        int rc;

        if (!m->stage) {
            rc = take_rule(t, m, &plan->monitors, &plan->monitors_count, PLAN_RULES_MAX, NULL, err);
        } else if (stage == SIZE_MAX) {
            struct note *n =
                decision_note(&t->notes, &pipeline_field_map[PF_MONITOR_STAGE], m->stage, SIZE_MAX);

            note_proposed(n, "%s", m->stage);
            note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "no such stage in this job");
            continue;
        } else {
            rc = take_rule(t, m, &parts[stage].monitors, &parts[stage].monitors_count,
                           STAGE_RULES_MAX, parts[stage].stage, err);
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}

int pipeline_watch(struct pipeline_turn *t, const struct pipeline_proposal *p, struct plan *plan,
                   struct err *err)
{
    struct stage_part *parts = plan->pipeline->stages; /* still in the job's order */

    for (size_t i = 0; i < t->pipeline->stages_count; i++)
        if (own_rules(t, i, &parts[i], err) < 0 || service_rules(t, i, &parts[i], err) < 0)
            return -1;
    if (own_plan_rules(t, plan->pipeline, err) < 0)
        return -1;
    return take_rules(t, p, parts, plan->pipeline, err);
}
