/* test_pipeline_cost.c - what a pipeline may cost, and the replicas of stages that answer requests.
 */
#include "coordinator/planner/pipeline.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct plan *planned(const struct snapshot *s, const struct job *j)
{
    struct err err = {0};
    struct plan *plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err);

    if (!plan)
        fail_msg("%s", err.text);
    return plan;
}

static void refused(const struct snapshot *s, const struct job *j, struct err *err)
{
    assert_null(kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, err));
    assert_int_equal(err->code, ERR_INFEASIBLE);
}

/* Two stages side by side on an M1 and an Ultra: the Ultra is faster and draws more. */
static struct job *two_trainings(void)
{
    struct job *j = job_new(NULL);

    assert_non_null(j);
    j->format_version = 1;
    assert_int_equal(text_set(&j->job_id, "two", NULL), 0);
    j->pipeline = pipeline_job_new(NULL);
    assert_non_null(j->pipeline);
    kit_stage(j, "one", STAGE_KIND_TRAINING, NULL, 4e15, 2, 0);
    kit_stage(j, "two", STAGE_KIND_TRAINING, NULL, 4e15, 2, 0);
    j->pipeline->cost = pipeline_cost_new(NULL);
    assert_non_null(j->pipeline->cost);
    return j;
}

static void energy_is_reckoned_from_wall_figures(void **state)
{
    static const struct kit_mac one[] = {{"mac", "Apple M4", 10, 16, 0, 0, 0, 0}};
    struct snapshot *s = kit_fleet(one, 1);
    struct job *j = two_trainings();
    struct plan *plan = planned(s, j);
    double seconds = plan->pipeline->makespan_seconds;

    (void)state;
    kit_close(plan->pipeline->energy_wh / (65 * seconds / 3600), 1, 1e-9); /* all of it busy */
    assert_false(known_f64(plan->pipeline->price));
    assert_non_null(strstr(plan->pipeline->energy_source, "0 of 1 devices"));
    plan_free(plan);
    j->pipeline->cost->price_per_kwh = 0.3;
    j->pipeline->cost->device_hour_price = 0.05;
    plan = planned(s, j);
    kit_close(plan->pipeline->price / (0.3 * 65 * seconds / 3.6e6 + 0.05 * seconds / 3600), 1,
              1e-9);
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

/* Less energy than the fastest plan needs: another placement, as long as there is one. */
static void an_energy_limit_is_kept_or_refused_with_the_nearest(void **state)
{
    static const struct kit_mac macs[] = {{"mac-1", "Apple M1", 8, 16, 0, 1000, 1000, 0},
                                          {"mac-2", "Apple M4 Pro", 20, 24, 0, 1000, 1000, 0},
                                          {"mac-3", "Apple M2 Ultra", 76, 64, 0, 1000, 1000, 0}};
    struct snapshot *s = kit_fleet(macs, 3);
    struct job *j = two_trainings();
    struct plan *fast = planned(s, j), *frugal;
    struct err err = {0};
    double nearest;

    (void)state;
    j->pipeline->cost->max_energy_wh = 0.001;
    refused(s, j, &err);
    assert_non_null(strstr(err.text, "pipeline.cost.max_energy_wh: 0.001, the nearest"));
    nearest = strtod(strstr(err.text, "met is ") + 7, NULL);
    assert_true(nearest > 0.001 && nearest <= fast->pipeline->energy_wh * 1.001);
    j->pipeline->cost->max_energy_wh = nearest * 1.001;
    frugal = planned(s, j);
    assert_true(frugal->pipeline->energy_wh <= nearest * 1.001);
    assert_true(frugal->pipeline->makespan_seconds >= fast->pipeline->makespan_seconds - 1e-9);
    plan_free(frugal);
    j->pipeline->cost->max_energy_wh = UNKNOWN_F64;
    j->pipeline->cost->price_per_kwh = 1;
    j->pipeline->cost->max_price = 1e-9;
    refused(s, j, &err);
    assert_non_null(strstr(err.text, "pipeline.cost.max_price"));
    plan_free(fast);
    job_free(j);
    snapshot_unref(s);
}

/* ---- services ---- */

/* So many Macs of one kind. */
static struct snapshot *alike(size_t count)
{
    static char ids[40][8];
    struct kit_mac macs[40];

    assert_true(count <= 40);
    for (size_t i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], "mac-%02zu", i + 1);
        macs[i] = (struct kit_mac){ids[i], "Apple M4", 10, 16, 0, 1000, 1000, i ? 1 : 0};
    }
    return kit_fleet(macs, count);
}

static struct job *served(double arrivals, double seconds, double wait)
{
    struct job *j = job_new(NULL);
    struct stage *s;

    assert_non_null(j);
    j->format_version = 1;
    assert_int_equal(text_set(&j->job_id, "serve", NULL), 0);
    j->pipeline = pipeline_job_new(NULL);
    assert_non_null(j->pipeline);
    s = kit_stage(j, "serve", STAGE_KIND_DEPLOYMENT, NULL, 0, 2, 0);
    s->flop = UNKNOWN_F64;
    s->fixed_seconds = seconds;
    s->service = stage_service_new(NULL);
    assert_non_null(s->service);
    s->service->arrivals_per_second = arrivals;
    s->service->wait_seconds = wait;
    return j;
}

/* The textbook's: 8/s at 1/s each within 0.5 s for 95 % take 12; 3/s at 0.5/s within 2 s take 8. */
static void replicas_are_the_fewest_that_keep_the_promise(void **state)
{
    static const struct {
        double arrivals, seconds, wait;
        size_t replicas;
    } rows[] = {{8, 1, 0.5, 12}, {3, 2, 2, 8}};
    struct snapshot *s = alike(20);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct job *j = served(rows[i].arrivals, rows[i].seconds, rows[i].wait);
        struct plan *plan = planned(s, j);
        const struct service_part *p = plan->pipeline->stages[0].service;
        size_t members = 0;

        assert_non_null(p);
        assert_int_equal(p->replicas_count, rows[i].replicas);
        assert_string_equal(p->replicas[0], plan->pipeline->stages[0].device_id);
        assert_true(p->late_share <= 0.05);
        kit_close(p->load, rows[i].arrivals * rows[i].seconds / (double)rows[i].replicas, 1e-9);
        assert_true(p->scale_up_load == 0.8 && p->scale_down_load == 0.5);
        assert_int_equal(p->scale_up_windows, 3);
        assert_int_equal(p->scale_down_windows, 10);
        for (size_t k = 0; k < plan->assignments_count; k++)
            if (plan->assignments[k].participate == TRI_TRUE) {
                assert_int_equal(plan->assignments[k].stages_count, 1);
                assert_string_equal(plan->assignments[k].stages[0].device_id,
                                    plan->assignments[k].device_id);
                members++;
            }
        assert_int_equal(members, rows[i].replicas);
        assert_int_equal(plan->forecast->clients, (int64_t)rows[i].replicas);
        plan_free(plan);
        job_free(j);
    }
    snapshot_unref(s);
}

static void too_few_devices_name_the_rate_that_they_keep(void **state)
{
    struct snapshot *s = alike(9);
    struct job *j = served(8, 1, 0.5);
    struct err err = {0};
    struct plan *plan;
    double rate;

    (void)state;
    refused(s, j, &err);
    assert_non_null(strstr(err.text, "service.arrivals_per_second 8, the nearest that 9 devices"));
    rate = strtod(strstr(err.text, "can keep is ") + 12, NULL);
    assert_true(rate > 3 && rate < 8);
    j->pipeline->stages[0].service->arrivals_per_second = rate * 0.999;
    plan = planned(s, j);
    assert_int_equal(plan->pipeline->stages[0].service->replicas_count, 9);
    plan_free(plan);
    j->pipeline->stages[0].service->max_replicas = 4;
    refused(s, j, &err);
    assert_non_null(strstr(err.text, "4 devices"));
    j->pipeline->stages[0].service->max_replicas = UNKNOWN_I64;
    j->pipeline->cost = pipeline_cost_new(NULL);
    j->pipeline->cost->max_devices = 3;
    refused(s, j, &err);
    assert_non_null(strstr(err.text, "3 devices"));
    job_free(j);
    snapshot_unref(s);
}

/* Steady work needs fewer; bursts need more. */
static void variation_changes_the_number(void **state)
{
    struct snapshot *s = alike(30);
    struct job *j = served(8, 1, 0.5);
    struct stage_service *w = j->pipeline->stages[0].service;
    size_t counts[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct plan *plan;

        w->arrival_cv2 = i == 0 ? 0 : i == 1 ? 1 : 6;
        w->service_cv2 = i == 0 ? 0.2 : 1;
        plan = planned(s, j);
        counts[i] = plan->pipeline->stages[0].service->replicas_count;
        plan_free(plan);
    }
    assert_true(counts[0] < counts[1] && counts[1] < counts[2]);
    job_free(j);
    snapshot_unref(s);
}

static void planning_survives_lost_memory(void **state)
{
    struct snapshot *s = alike(6);
    struct job *j = served(1, 1, 1);
    struct policy policy = policy_default();
    int rc, nth = 0;

    (void)state;
    j->pipeline->cost = pipeline_cost_new(NULL);
    j->pipeline->cost->max_energy_wh = 1000;
    do {
        struct plan *plan = NULL;

        mem_fail_at(++nth);
        rc = pipeline_verify(s, j, &policy, ENGINE_KIND_ANALYTIC, NULL, &plan, NULL);
        assert_true((rc == 0) == (plan != NULL));
        plan_free(plan);
    } while (rc < 0 && nth < 2000);
    mem_fail_at(0);
    assert_in_range(nth, 30, 1999);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energy_is_reckoned_from_wall_figures),
        cmocka_unit_test(an_energy_limit_is_kept_or_refused_with_the_nearest),
        cmocka_unit_test(replicas_are_the_fewest_that_keep_the_promise),
        cmocka_unit_test(too_few_devices_name_the_rate_that_they_keep),
        cmocka_unit_test(variation_changes_the_number),
        cmocka_unit_test(planning_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
