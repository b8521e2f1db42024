/* test_pipeline.c - pipelines placed: never worse than one device, never over a limit. */
#include "coordinator/planner/pipeline.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

#include <math.h>
#include <stdio.h>

static void stages_go_where_they_end_first(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct policy policy = policy_default();
    struct pipeline_proposal *p = NULL;
    struct plan *plan = NULL;
    const struct pipeline_plan *q;

    (void)state;
    assert_int_equal(pipeline_propose(s, j, &policy, &p, NULL), 0);
    assert_int_equal(pipeline_verify(s, j, &policy, ENGINE_KIND_ANALYTIC, p, &plan, NULL), 0);

    q = plan->pipeline;
    assert_int_equal(q->stages_count, 3);
    assert_string_equal(q->stages[0].stage, "load");
    assert_string_equal(q->stages[1].device_id, "mac-4"); /* training: the fastest, and it fits */
    assert_true(q->makespan_seconds <= q->single_device_seconds);
    assert_true(q->lower_bound_seconds <= q->makespan_seconds);
    assert_int_equal(kit_assignment(plan, "mac-4")->participate, TRI_TRUE);
    assert_non_null(strstr(kit_assignment(plan, "mac-1")->reason, "not needed"));
    assert_int_equal(q->stages[1].inputs_count, 1);
    assert_int_equal(kit_assignment(plan, "mac-4")->stages[0].monitors_count, 3);
    plan_free(plan);
    pipeline_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void the_own_proposal_changes_nothing(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct policy policy = policy_default();
    struct pipeline_proposal *p = NULL;
    struct plan *with, *without;
    char *a, *b;

    (void)state;
    assert_int_equal(pipeline_propose(s, j, &policy, &p, NULL), 0);
    with = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, p, NULL);
    without = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(with);
    assert_non_null(without);
    a = kit_dump(&pipeline_plan_type, with->pipeline);
    b = kit_dump(&pipeline_plan_type, without->pipeline);
    assert_string_equal(a, b);
    mem_free(a);
    mem_free(b);
    plan_free(with);
    plan_free(without);
    pipeline_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

/* The paper's scheduler inside the whole: a wide graph uses several Macs and beats one. */
static void a_wide_graph_is_spread(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct plan *plan;
    char name[16];

    (void)state;
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "part-%d", i);
        kit_stage(j, name, STAGE_KIND_PREPROCESSING, "load", 5e14, 1, 0.001);
    }
    plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_true(plan->forecast->clients > 1);
    assert_true(plan->pipeline->makespan_seconds < 0.9 * plan->pipeline->single_device_seconds);
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct err err = {0};
    struct job *j;

    (void)state;
#define REFUSED(change, code_, says)                                            \
    do {                                                                        \
        j = kit_pipeline();                                                     \
        change;                                                                 \
        assert_null(kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err)); \
        if (!strstr(err.text, says))                                            \
            fail_msg("\"%s\" does not say \"%s\"", err.text, says);             \
        assert_int_equal(err.code, code_);                                      \
        job_free(j);                                                            \
    } while (0)
    struct stage *st;

    REFUSED(kit_stage(j, "train", 0, NULL, 1, 1, 0), ERR_INVALID, "\"train\" is used twice");
    REFUSED(kit_stage(j, "more", 0, "nothing", 1, 1, 0), ERR_INVALID, "\"nothing\" is no stage");
    REFUSED((st = &j->pipeline->stages[0], texts_add(&st->after, &st->after_count, "deploy", NULL)),
            ERR_INVALID, "waits for itself");
    REFUSED((st = &j->pipeline->stages[0], texts_add(&st->after, &st->after_count, "load", NULL)),
            ERR_INVALID, "\"load\" waits for itself");
    REFUSED(text_set(&j->pipeline->stages[1].device_id, "mac-9", NULL), ERR_INFEASIBLE,
            "mac-9 is not in the fleet");
    REFUSED(text_set(&j->pipeline->stages[1].device_id, "mac-1", NULL), ERR_INFEASIBLE,
            "the nearest that fits there");
    REFUSED(j->pipeline->stages[1].memory_bytes = 1LL << 40, ERR_INFEASIBLE,
            "stage train: memory_bytes 1.10 TB");
    REFUSED(
        (j->pipeline->cost = pipeline_cost_new(NULL), j->pipeline->cost->max_device_seconds = 1),
        ERR_INFEASIBLE, "max_device_seconds: 1, the nearest that can be met is");
    REFUSED((j->pipeline->cost = pipeline_cost_new(NULL), j->pipeline->cost->max_devices = 1,
             text_set(&j->pipeline->stages[0].device_id, "mac-1", NULL)),
            ERR_INFEASIBLE, "max_devices");
    REFUSED((s->clients[3].liveness = LIVENESS_OFFLINE,
             text_set(&j->pipeline->stages[1].device_id, "mac-4", NULL)),
            ERR_INFEASIBLE, "mac-4 is left out: offline");
    REFUSED(s->clients[0].liveness = s->clients[1].liveness = s->clients[2].liveness =
                LIVENESS_OFFLINE,
            ERR_INFEASIBLE, "no device of 4");
    snapshot_unref(s);
}

static void limits_are_kept(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct plan *plan;
    char name[16];

    (void)state;
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "part-%d", i);
        kit_stage(j, name, STAGE_KIND_PREPROCESSING, "load", 5e14, 1, 0.001);
    }
    j->pipeline->cost = pipeline_cost_new(NULL);
    j->pipeline->performance = pipeline_performance_new(NULL);
    assert_non_null(j->pipeline->cost);
    assert_non_null(j->pipeline->performance);
    for (int64_t most = 1; most <= 4; most++) {
        j->pipeline->cost->max_devices = most;
        plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
        assert_non_null(plan);
        assert_true(plan->forecast->clients <= most);
        plan_free(plan);
    }
    j->pipeline->performance->makespan_seconds = 1;
    plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_true(kit_warned(plan, "performance.makespan_seconds"));
    plan_free(plan);
    j->pipeline->performance->memory_headroom_share = 0.5; /* train: 20 GiB of 36 GiB - no longer */
    plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    for (size_t i = 0; i < plan->pipeline->stages_count; i++) {
        const struct stage_part *part = &plan->pipeline->stages[i];

        assert_true((double)part->memory_bytes <=
                    0.5 * (double)kit_assignment(plan, part->device_id)->memory_limit_bytes);
    }
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static struct stage_schedule *schedule_for(struct pipeline_proposal *p, const char *stage,
                                           const char *class_id)
{
    struct stage_schedule *r = records_add(&stage_schedule_type, &p->resource_scheduling,
                                           &p->resource_scheduling_count, NULL);

    assert_non_null(r);
    assert_int_equal(text_set(&r->stage, stage, NULL), 0);
    assert_int_equal(text_set(&r->client_class, class_id, NULL), 0);
    return r;
}

static void an_engines_schedule_is_honoured_where_it_can_be(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct pipeline_proposal *p = pipeline_proposal_new(NULL);
    struct plan *plan;

    (void)state;
    assert_non_null(p);
    schedule_for(p, "deploy", "c3");  /* fine: a little slower */
    schedule_for(p, "train", "c1");   /* does not fit 8 GB */
    schedule_for(p, "load", "c77");   /* no such class */
    schedule_for(p, "nothing", "c1"); /* no such stage */
    schedule_for(p, "deploy", "c4");  /* the second for it */
    plan = kit_pipeline_plan(s, j, ENGINE_KIND_LM, p, NULL);
    assert_non_null(plan);
    assert_string_equal(plan->pipeline->stages[2].device_id, "mac-3");
    assert_int_equal(kit_decision(plan, "deploy", "resource_scheduling[].client_class")->outcome,
                     OUTCOME_USED);
    assert_int_equal(kit_decision(plan, "train", "resource_scheduling[].client_class")->outcome,
                     OUTCOME_REPAIRED);
    assert_string_equal(kit_decision(plan, "train", "resource_scheduling[].client_class")->used,
                        "c4");
    assert_int_equal(kit_decision(plan, "load", "resource_scheduling[].client_class")->outcome,
                     OUTCOME_REJECTED);
    assert_int_equal(kit_decision(plan, "nothing", "resource_scheduling[].stage")->outcome,
                     OUTCOME_REJECTED);
    plan_free(plan);
    pipeline_proposal_free(p);
    p = pipeline_proposal_new(NULL); /* training on the slower of those that fit: much worse */
    schedule_for(p, "train", "c3");
    plan = kit_pipeline_plan(s, j, ENGINE_KIND_LM, p, NULL);
    assert_non_null(plan);
    assert_string_equal(plan->pipeline->stages[1].device_id, "mac-4");
    assert_true(kit_warned(plan, "the proposal was replaced"));
    assert_int_equal(kit_decision(plan, "train", "resource_scheduling[].client_class")->constraint,
                     CONSTRAINT_OBJECTIVE);
    plan_free(plan);
    pipeline_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void deployment_follows_the_graph(void **state)
{
    static const struct {
        int64_t order;
        const char *stage;
        int action;
    } rows[] = {{1, "deploy", DEPLOY_ACTION_START},
                {2, "train", DEPLOY_ACTION_START},
                {3, "load", DEPLOY_ACTION_START},
                {4, "deploy", DEPLOY_ACTION_PROMOTE},
                {5, "elsewhere", DEPLOY_ACTION_START},
                {6, NULL, DEPLOY_ACTION_ROLLBACK_POINT},
                {7, "train", 99}};
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct pipeline_proposal *p = pipeline_proposal_new(NULL);
    struct plan *plan;
    const struct pipeline_plan *q;
    int started = 0;

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct deploy_step *d =
            records_add(&deploy_step_type, &p->deployment_plan, &p->deployment_plan_count, NULL);

        assert_non_null(d);
        d->order = rows[i].order;
        d->action = rows[i].action;
        assert_int_equal(text_set(&d->stage, rows[i].stage, NULL), 0);
        assert_int_equal(text_set(&d->gate, "rm -rf / looks fine", NULL), 0);
    }
    plan = kit_pipeline_plan(s, j, ENGINE_KIND_LM, p, NULL);
    assert_non_null(plan);
    q = plan->pipeline;
    for (size_t i = 0; i < q->deployment_count; i++) {
        static const char *const wanted[] = {"load", "train", "deploy"};

        assert_int_equal(q->deployment[i].order, i + 1);
        if (q->deployment[i].action == DEPLOY_ACTION_START)
            assert_string_equal(q->deployment[i].stage, wanted[started++]);
    }
    assert_int_equal(started, 3);
    /* a model's prose is for people: it reaches no Mac */
    for (size_t i = 0; i < plan->assignments_count; i++)
        for (size_t k = 0; k < plan->assignments[i].stages_count; k++)
            for (size_t m = 0; m < plan->assignments[i].stages[k].deployment_count; m++) {
                const char *gate = plan->assignments[i].stages[k].deployment[m].gate;

                assert_true(!gate || !strstr(gate, "rm -rf"));
            }
    assert_int_equal(kit_decision(plan, "elsewhere", "deployment_plan[].stage")->outcome,
                     OUTCOME_REJECTED);
    plan_free(plan);
    pipeline_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void planning_survives_lost_memory(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct policy policy = policy_default();
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct pipeline_proposal *p = NULL;
        struct plan *plan = NULL;
        struct err err = {0};

        mem_fail_at(++nth);
        rc = pipeline_propose(s, j, &policy, &p, &err);
        assert_true((rc == 0) == (p != NULL));
        if (rc == 0) {
            rc = pipeline_verify(s, j, &policy, ENGINE_KIND_LM, p, &plan, &err);
            assert_true((rc == 0) == (plan != NULL));
        }
        mem_fail_at(0);
        if (rc < 0)
            assert_int_equal(err.code, ERR_NOMEM);
        plan_free(plan);
        pipeline_proposal_free(p);
    } while (rc < 0 && nth < 5000);
    assert_in_range(nth, 100, 4999);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_go_where_they_end_first),
        cmocka_unit_test(the_own_proposal_changes_nothing),
        cmocka_unit_test(a_wide_graph_is_spread),
        cmocka_unit_test(what_cannot_be_is_refused_by_name),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(an_engines_schedule_is_honoured_where_it_can_be),
        cmocka_unit_test(deployment_follows_the_graph),
        cmocka_unit_test(planning_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
