/* test_pipeline_properties.c - what must hold for any fleet, graph and proposal.
 *
 * Cases are made from a seed, which is printed when one fails. */
#include "planner_random.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

#include <math.h>
#include <stdio.h>

static struct job *random_pipeline(struct kit_random *r, const struct snapshot *s)
{
    struct job *j = job_new(NULL);
    size_t n = (size_t)kit_range(r, 1, 14);
    char name[16], after[16];

    assert_non_null(j);
    j->format_version = 1;
    assert_int_equal(text_set(&j->job_id, "graph", NULL), 0);
    j->pipeline = pipeline_job_new(NULL);
    assert_non_null(j->pipeline);
    for (size_t i = 0; i < n; i++) {
        struct stage *st;

        snprintf(name, sizeof name, "s%zu", i);
        st = kit_stage(j, name, (int)kit_range(r, 0, 9), NULL, exp(kit_uniform(r, 20, 36)),
                       kit_uniform(r, 0, 24), kit_uniform(r, 0, 2));
        st->needs_metal = (int)kit_range(r, -1, 1);
        for (size_t k = 0; k < i; k++) {
            if (!kit_chance(r, 0.25))
                continue;
            snprintf(after, sizeof after, "s%zu", k);
            assert_int_equal(texts_add(&st->after, &st->after_count, after, NULL), 0);
        }
        if (kit_chance(r, 0.05))
            assert_int_equal(
                text_set(&st->device_id,
                         s->clients[kit_range(r, 0, (int64_t)s->clients_count - 1)].device_id,
                         NULL),
                0);
    }
    if (kit_chance(r, 0.4)) {
        j->pipeline->cost = pipeline_cost_new(NULL);
        assert_non_null(j->pipeline->cost);
        j->pipeline->cost->max_devices = maybe(r, 1, 5);
        j->pipeline->cost->max_device_seconds =
            kit_chance(r, 0.3) ? kit_uniform(r, 1, 1e5) : UNKNOWN_F64;
    }
    return j;
}

static void hostile_text(struct kit_random *r, char **field, const char *prefix, int64_t most)
{
    char text[16];

    snprintf(text, sizeof text, "%s%d", prefix, (int)kit_range(r, 0, most));
    if (kit_chance(r, 0.9))
        assert_int_equal(text_set(field, kit_chance(r, 0.95) ? text : "\x01\xfe", NULL), 0);
}

static struct pipeline_proposal *hostile_pipeline(struct kit_random *r)
{
    struct pipeline_proposal *p = pipeline_proposal_new(NULL);

    assert_non_null(p);
    p->pipeline_architecture = pipeline_architecture_new(NULL);
    assert_non_null(p->pipeline_architecture);
    p->pipeline_architecture->max_devices = hostile_i64(r, 1, 6);
    for (int i = (int)kit_range(r, 0, 3); i > 0; i--) {
        struct stage_group *g = records_add(&stage_group_type, &p->pipeline_architecture->colocate,
                                            &p->pipeline_architecture->colocate_count, NULL);

        assert_non_null(g);
        for (int k = (int)kit_range(r, 0, 4); k > 0; k--) {
            char text[16];

            snprintf(text, sizeof text, "s%d", (int)kit_range(r, 0, 15));
            assert_int_equal(texts_add(&g->stages, &g->stages_count, text, NULL), 0);
        }
    }
    for (int i = (int)kit_range(r, 0, 16); i > 0; i--) {
        struct stage_schedule *c = records_add(&stage_schedule_type, &p->resource_scheduling,
                                               &p->resource_scheduling_count, NULL);

        assert_non_null(c);
        hostile_text(r, &c->stage, "s", 15);
        hostile_text(r, &c->client_class, "c", 12);
        c->priority = hostile_i64(r, 0, 20);
    }
    for (int i = (int)kit_range(r, 0, 12); i > 0; i--) {
        struct monitor_rule *m = records_add(&monitor_rule_type, &p->monitoring_strategy,
                                             &p->monitoring_strategy_count, NULL);

        assert_non_null(m);
        hostile_text(r, &m->stage, "s", 15);
        m->metric = hostile_enum(r, 6);
        m->warn = hostile_f64(r, 0, 100);
        m->page = hostile_f64(r, 0, 100);
        m->window_seconds = hostile_f64(r, 1, 100);
    }
    for (int i = (int)kit_range(r, 0, 20); i > 0; i--) {
        struct deploy_step *d =
            records_add(&deploy_step_type, &p->deployment_plan, &p->deployment_plan_count, NULL);

        assert_non_null(d);
        hostile_text(r, &d->stage, "s", 15);
        d->order = hostile_i64(r, 1, 40);
        d->action = hostile_enum(r, 7);
    }
    return p;
}

static const struct stage *stage_named(const struct job *j, const char *name)
{
    for (size_t i = 0; i < j->pipeline->stages_count; i++)
        if (strcmp(j->pipeline->stages[i].name, name) == 0)
            return &j->pipeline->stages[i];
    return NULL;
}

static void check_pipeline(const struct job *j, const struct plan *plan)
{
    const struct pipeline_plan *p = plan->pipeline;
    const struct pipeline_cost *c = j->pipeline->cost;
    double busy = 0;

    holds(p->stages_count == j->pipeline->stages_count);
    holds(p->lower_bound_seconds <= p->makespan_seconds);
    for (size_t i = 0; i < p->stages_count; i++) {
        const struct stage_part *part = &p->stages[i];
        const struct stage *st = stage_named(j, part->stage);
        const struct assignment *a = kit_assignment(plan, part->device_id);

        holds(st);
        holds(a->participate == TRI_TRUE);
        holds((double)part->memory_bytes <= 0.9 * (double)a->memory_limit_bytes + 1);
        holds(!st || !st->device_id || strcmp(st->device_id, part->device_id) == 0);
        holds(part->finish_seconds <= p->makespan_seconds + 1e-9);
        busy += part->finish_seconds - part->start_seconds;
        for (size_t k = 0; k < part->inputs_count; k++)
            for (size_t m = 0; m < p->stages_count; m++)
                if (strcmp(p->stages[m].stage, part->inputs[k].stage) == 0)
                    holds(p->stages[m].finish_seconds <= part->start_seconds + 1e-9);
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->stages[k].device_id, part->device_id) == 0)
                holds(p->stages[k].finish_seconds <= part->start_seconds + 1e-9 ||
                      part->finish_seconds <= p->stages[k].start_seconds + 1e-9);
    }
    if (c && known_i64(c->max_devices))
        holds(plan->forecast->clients <= c->max_devices);
    if (c && known_f64(c->max_device_seconds))
        holds(busy <= c->max_device_seconds * (1 + 1e-9));
}

static void pipelines_keep_every_limit(void **state)
{
    int planned = 0, refused = 0;

    (void)state;
    for (current_seed = 1; current_seed <= 1000; current_seed++) {
        struct kit_random r = {current_seed};
        struct snapshot *s = random_fleet(&r);
        struct job *j = random_pipeline(&r, s);
        struct pipeline_proposal *p = hostile_pipeline(&r);
        struct err err = {0};
        struct plan *own = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err), *plan;

        if (!own) {
            if (err.code != ERR_INFEASIBLE)
                fail_msg("seed %llu: %s", (unsigned long long)current_seed, err.text);
            refused++;
        } else {
            plan = kit_pipeline_plan(s, j, ENGINE_KIND_LM, p, &err);
            if (!plan) {
                fail_msg("seed %llu: %s", (unsigned long long)current_seed, err.text);
                break;
            }
            check_pipeline(j, own);
            check_pipeline(j, plan);
            if (known_f64(own->pipeline->single_device_seconds) &&
                (!j->pipeline->cost || !known_f64(j->pipeline->cost->max_device_seconds)))
                holds(own->pipeline->makespan_seconds <=
                      own->pipeline->single_device_seconds * (1 + 1e-9));
            holds(plan->pipeline->makespan_seconds <= 1.1 * own->pipeline->makespan_seconds + 1e-9);
            plan_free(plan);
            plan_free(own);
            planned++;
        }
        pipeline_proposal_free(p);
        job_free(j);
        snapshot_unref(s);
    }
    print_message("%d planned, %d refused\n", planned, refused);
    assert_true(planned > 300 && refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelines_keep_every_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
