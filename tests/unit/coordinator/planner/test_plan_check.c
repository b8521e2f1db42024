/* test_plan_check.c - a person's proposal becomes a plan or is told why not; plans compared. */
#include "coordinator/planner/plan_check.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/plan_diff.h"
#include "coordinator/planner/policy.h"

static struct plan_check *checked(const struct snapshot *s, const struct job *j,
                                  const struct proposal *p)
{
    struct policy policy = policy_default();
    struct plan_check *c = NULL;
    struct err err = {0};

    if (plan_check(s, j, &policy, p, &c, &err) < 0)
        fail_msg("%s", err.text);
    if (record_check(&plan_check_type, c, &err) < 0)
        fail_msg("%s", err.text);
    return c;
}

static const struct decision *change_of(const struct plan_check *c, const char *field)
{
    for (size_t i = 0; i < c->changed_count; i++)
        if (strcmp(c->changed[i].field, field) == 0)
            return &c->changed[i];
    fail_msg("%s did not change", field);
    return NULL;
}

/* A batch for the smallest Mac, and the class it is in. */
static struct proposal *ask_batch(const struct snapshot *s, int64_t batch)
{
    struct proposal *p = proposal_new(NULL);
    struct client_optimization *o;

    assert_non_null(p);
    p->federated = federated_proposal_new(NULL);
    assert_non_null(p->federated);
    o = records_add(&client_optimization_type, &p->federated->client_optimization,
                    &p->federated->client_optimization_count, NULL);
    assert_non_null(o);
    assert_int_equal(text_set(&o->client_class, s->classes[s->clients[0].class_index].id, NULL), 0);
    o->batch_size = batch;
    return p;
}

static void a_value_that_does_not_fit_is_moved_to_the_nearest_that_does(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct proposal *p = ask_batch(s, 512);
    struct plan_check *c = checked(s, j, p);
    const struct decision *d = change_of(c, "client_optimization[].batch_size");

    (void)state;
    assert_string_equal(c->verdict, "repaired");
    assert_string_equal(d->proposed, "512");
    assert_int_equal(d->engine, ENGINE_KIND_PERSON);
    assert_int_equal(d->outcome, OUTCOME_REPAIRED);
    assert_non_null(d->used);
    assert_non_null(d->reason);
    assert_true(c->forecast->round_seconds > 0 && c->own->round_seconds > 0);
    plan_check_free(c);
    proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void the_planners_own_plan_fits_when_it_is_proposed(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *federated = kit_job(KIT_LLAMA_1B), *line = kit_pipeline();
    struct job *jobs[] = {federated, line};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct plan *own = i == 0 ? kit_plan(s, jobs[i], ENGINE_KIND_ANALYTIC, NULL, NULL)
                                  : kit_pipeline_plan(s, jobs[i], ENGINE_KIND_ANALYTIC, NULL, NULL);
        struct plan_diff *diff = NULL;
        struct proposal *p = NULL;
        struct plan_check *c;
        size_t unknown = 9;

        assert_non_null(own);
        assert_int_equal(plan_to_proposal(s, own, &p, &unknown, NULL), 0);
        assert_int_equal(unknown, 0);
        c = checked(s, jobs[i], p);
        assert_string_equal(c->verdict, "fits");
        assert_int_equal(c->changed_count, 0);
        assert_true(c->used > 3);
        assert_int_equal(plan_diff(own, c->plan, &diff, NULL), 0);
        for (size_t k = 0; k < diff->changes_count; k++)
            print_error("%s: %s\n", diff->changes[k].subject ? diff->changes[k].subject : "plan",
                        diff->changes[k].field);
        assert_int_equal(diff->changes_count, 0);
        plan_diff_free(diff);
        plan_check_free(c);
        proposal_free(p);
        plan_free(own);
        job_free(jobs[i]);
    }
    snapshot_unref(s);
}

/* Everything on the slowest Mac is feasible, and clearly worse. */
static void what_is_clearly_worse_is_replaced(void **state)
{
    static const struct kit_mac macs[] = {{"mac-1", "Apple M1", 8, 64, 0, 1000, 1000, 0},
                                          {"mac-2", "Apple M2 Ultra", 76, 64, 0, 1000, 1000, 0}};
    struct snapshot *s = kit_fleet(macs, 2);
    struct job *j = kit_pipeline();
    struct proposal *p = proposal_new(NULL);
    struct stage_schedule *r;
    struct plan_check *c;

    (void)state;
    p->pipeline = pipeline_proposal_new(NULL);
    assert_non_null(p->pipeline);
    r = records_add(&stage_schedule_type, &p->pipeline->resource_scheduling,
                    &p->pipeline->resource_scheduling_count, NULL);
    assert_int_equal(text_set(&r->stage, "train", NULL), 0);
    assert_int_equal(text_set(&r->client_class, s->classes[s->clients[0].class_index].id, NULL), 0);
    c = checked(s, j, p);
    assert_string_equal(c->verdict, "replaced");
    assert_non_null(strstr(c->reason, "the planner's own"));
    assert_true(c->forecast->round_seconds == c->own->round_seconds);
    plan_check_free(c);
    proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void no_plan_at_all_is_no_check(void **state)
{
    static const struct kit_mac tiny[] = {{"mac", "Apple M1", 8, 2, 0, 0, 0, 0}};
    struct snapshot *s = kit_fleet(tiny, 1);
    struct job *j = kit_pipeline();
    struct policy policy = policy_default();
    struct proposal *p = proposal_new(NULL);
    struct plan_check *c = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(plan_check(s, j, &policy, p, &c, &err), -1);
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_null(c);
    pipeline_job_free(j->pipeline); /* the job of one Mac has neither */
    j->pipeline = NULL;
    assert_int_equal(plan_check(s, j, &policy, p, &c, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void devices_that_are_gone_are_counted(void **state)
{
    static const struct kit_mac other[] = {{"mac-9", "Apple M2 Ultra", 76, 192, 0, 0, 0, 0}};
    struct snapshot *s = kit_fleet_mixed(), *now = kit_fleet(other, 1);
    struct job *j = kit_pipeline();
    struct plan *plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    struct proposal *p = NULL;
    size_t unknown = 0;

    (void)state;
    assert_int_equal(plan_to_proposal(now, plan, &p, &unknown, NULL), 0);
    assert_int_equal(unknown, 3); /* stages */
    assert_null(p->pipeline->resource_scheduling[0].client_class);
    proposal_free(p);
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
    snapshot_unref(now);
}

/* ---- differences ---- */

static void a_changed_job_shows_field_by_field(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct plan *a = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL), *b;
    struct plan_diff *d = NULL;
    size_t ranks = 0, steps = 0, forecasts = 0;

    (void)state;
    j->federated->tuning->rank = 16;
    j->federated->round->deadline_seconds = 300;
    b = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_int_equal(plan_diff(a, b, &d, NULL), 0);
    assert_int_equal(record_check(&plan_diff_type, d, NULL), 0);
    for (size_t i = 0; i < d->changes_count; i++) {
        const struct plan_change *c = &d->changes[i];

        if (strcmp(c->field, "training.rank") == 0) {
            assert_string_equal(c->before, "8");
            assert_string_equal(c->after, "16");
            assert_int_equal(c->others, 3); /* all four alike are one line */
            ranks++;
        }
        steps += strcmp(c->field, "training.local_steps") == 0;
        forecasts += strcmp(c->field, "forecast.round_seconds") == 0;
    }
    assert_int_equal(ranks, 1);
    assert_int_equal(steps, 4);
    assert_int_equal(forecasts, 1);
    plan_diff_free(d);
    plan_free(a);
    plan_free(b);
    job_free(j);
    snapshot_unref(s);
}

static void a_stage_that_moves_or_goes_shows(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline(), *line = kit_pipeline();
    struct plan *a = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL), *b;
    struct plan_diff *d = NULL;
    bool moved = false, added = false;

    (void)state;
    assert_int_equal(text_set(&line->pipeline->stages[1].device_id, "mac-3", NULL), 0);
    kit_stage(line, "archive", STAGE_KIND_DATA_LOADING, "deploy", 1e12, 1, 0);
    b = kit_pipeline_plan(s, line, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(b);
    assert_int_equal(plan_diff(a, b, &d, NULL), 0);
    for (size_t i = 0; i < d->changes_count; i++) {
        const struct plan_change *c = &d->changes[i];
        const char *of = c->subject ? c->subject : "";

        if (strcmp(c->field, "device_id") != 0)
            continue;
        moved = moved || (strcmp(of, "train") == 0 && strcmp(c->after, "mac-3") == 0 && c->before);
        added = added || (strcmp(of, "archive") == 0 && !c->before && c->after);
    }
    assert_true(moved && added);
    plan_diff_free(d);
    plan_free(a);
    plan_free(b);
    job_free(j);
    job_free(line);
    snapshot_unref(s);
}

static void plans_of_two_kinds_do_not_compare(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline(), *f = kit_job(KIT_LLAMA_1B);
    struct plan *a = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    struct plan *b = kit_plan(s, f, ENGINE_KIND_ANALYTIC, NULL, NULL);
    struct plan_diff *d = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(plan_diff(a, b, &d, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(d);
    plan_free(a);
    plan_free(b);
    job_free(j);
    job_free(f);
    snapshot_unref(s);
}

static void lost_memory_is_survived(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct policy policy = policy_default();
    struct plan *a = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL), *b;
    struct proposal *p = ask_batch(s, 64);
    int rc, nth = 0;

    (void)state;
    do {
        struct plan_check *c = NULL;

        mem_fail_at(++nth);
        rc = plan_check(s, j, &policy, p, &c, NULL);
        assert_true((rc == 0) == (c != NULL));
        plan_check_free(c);
    } while (rc < 0 && nth < 5000);
    mem_fail_at(0);
    assert_in_range(nth, 50, 4999);
    j->federated->tuning->rank = 16;
    b = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    nth = 0;
    do {
        struct plan_diff *d = NULL;

        mem_fail_at(++nth);
        rc = plan_diff(a, b, &d, NULL);
        assert_true((rc == 0) == (d != NULL));
        plan_diff_free(d);
    } while (rc < 0 && nth < 5000);
    mem_fail_at(0);
    assert_in_range(nth, 5, 4999);
    nth = 0;
    do {
        struct proposal *q = NULL;
        size_t unknown;

        mem_fail_at(++nth);
        rc = plan_to_proposal(s, a, &q, &unknown, NULL);
        assert_true((rc == 0) == (q != NULL));
        proposal_free(q);
    } while (rc < 0 && nth < 5000);
    mem_fail_at(0);
    assert_in_range(nth, 5, 4999);
    plan_free(a);
    plan_free(b);
    proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_does_not_fit_is_moved_to_the_nearest_that_does),
        cmocka_unit_test(the_planners_own_plan_fits_when_it_is_proposed),
        cmocka_unit_test(what_is_clearly_worse_is_replaced),
        cmocka_unit_test(no_plan_at_all_is_no_check),
        cmocka_unit_test(devices_that_are_gone_are_counted),
        cmocka_unit_test(a_changed_job_shows_field_by_field),
        cmocka_unit_test(a_stage_that_moves_or_goes_shows),
        cmocka_unit_test(plans_of_two_kinds_do_not_compare),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
