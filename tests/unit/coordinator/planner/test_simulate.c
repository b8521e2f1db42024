/* test_simulate.c - rounds and runs played on small fleets. */
#include "coordinator/planner/simulate.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/simulate_pick.h"

#include <math.h>

static struct simulation *played(const struct snapshot *s, const struct job *j,
                                 const struct simulate_settings *set)
{
    struct policy policy = policy_default();
    struct simulation *sim = NULL;
    struct err err = {0};

    if (simulate(s, j, &policy, set, &sim, &err) < 0)
        fail_msg("%s", err.text);
    if (record_check(&simulation_type, sim, &err) < 0)
        fail_msg("%s", err.text);
    return sim;
}

static const struct simulated_policy *named(const struct simulation *s, const char *name)
{
    for (size_t i = 0; i < s->policies_count; i++)
        if (strcmp(s->policies[i].name, name) == 0)
            return &s->policies[i];
    fail_msg("no policy %s", name);
    return NULL;
}

/* Without jitter and with everybody there, the plan's rounds are what the plan says. */
static void a_quiet_fleet_does_what_was_predicted(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct simulate_settings set = {.seed = 1, .rounds = 7, .always_on = true};
    struct simulation *sim = played(s, j, &set);
    struct plan *plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    const struct simulated_policy *p = named(sim, "plan"), *hand = named(sim, "by-hand");

    (void)state;
    assert_ptr_equal(p, &sim->policies[0]);
    assert_int_equal(p->rounds, 7);
    assert_int_equal(p->void_rounds, 0);
    assert_true(p->clients == (double)plan->forecast->clients);
    kit_close(p->round_seconds_median, plan->forecast->round_seconds, 1e-6);
    kit_close(p->round_seconds_p95, plan->forecast->round_seconds, 1e-6);
    kit_close(p->tokens_per_round / plan->forecast->tokens_per_round, 1, 1e-9);
    kit_close(p->utilisation, plan->forecast->utilisation, 0.01);
    kit_close(p->same_work_seconds, plan->forecast->round_seconds, 1e-6);
    kit_close(p->fairness, 1, 1e-12);
    assert_int_equal(p->round_ms_count, 7);
    assert_true(p->bytes_per_round > 0 && p->energy_wh_per_round > 0);
    assert_true(hand->same_work_seconds > p->same_work_seconds);
    assert_true(hand->utilisation < p->utilisation);
    plan_free(plan);
    simulation_free(sim);
    job_free(j);
    snapshot_unref(s);
}

static void the_same_seed_plays_the_same(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B), *line = kit_pipeline();
    struct simulate_settings set = {.seed = 9, .rounds = 30, .jitter = 0.3};
    const struct job *jobs[] = {j, line};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct simulation *one = played(s, jobs[i], &set), *two = played(s, jobs[i], &set), *other;
        char *a = kit_dump(&simulation_type, one), *b = kit_dump(&simulation_type, two), *c;

        assert_string_equal(a, b);
        set.seed++;
        other = played(s, jobs[i], &set);
        c = kit_dump(&simulation_type, other);
        assert_string_not_equal(a, c);
        mem_free(a);
        mem_free(b);
        mem_free(c);
        simulation_free(one);
        simulation_free(two);
        simulation_free(other);
    }
    job_free(j);
    job_free(line);
    snapshot_unref(s);
}

/* Luck spreads rounds; those who go away make some void where all must report. */
static void jitter_and_absence_cost_time(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct simulate_settings quiet = {.seed = 2, .rounds = 60, .always_on = true}, rough = quiet;
    struct simulation *a, *b;
    int64_t lost = 0;

    (void)state;
    rough.jitter = 0.3;
    a = played(s, j, &quiet);
    b = played(s, j, &rough);
    assert_true(b->policies[0].round_seconds_p95 > a->policies[0].round_seconds_p95);
    assert_true(b->policies[0].utilisation < a->policies[0].utilisation);
    simulation_free(a);
    simulation_free(b);
    j->federated->round->min_reports = 4;
    rough.always_on = false;
    for (rough.seed = 1; rough.seed < 12; rough.seed++) {
        b = played(s, j, &rough);
        lost += b->policies[0].void_rounds;
        assert_in_range(b->policies[0].void_rounds, 0, 60);
        simulation_free(b);
    }
    assert_true(lost > 0);
    job_free(j);
    snapshot_unref(s);
}

static void those_who_select_keep_to_the_number(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct simulate_settings set = {.seed = 2, .rounds = 40, .jitter = 0.1, .always_on = true};
    struct simulation *sim;

    (void)state;
    j->federated->round->clients_wanted = 3;
    sim = played(s, j, &set);
    assert_true(named(sim, "random")->clients == 3);
    assert_true(named(sim, "oort")->clients == 3);
    simulation_free(sim);
    job_free(j);
    snapshot_unref(s);
}

static void a_pipeline_is_compared_with_other_placements(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct simulate_settings set = {.seed = 1, .rounds = 20, .always_on = true};
    struct simulation *sim = played(s, j, &set);
    struct plan *plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);

    (void)state;
    kit_close(sim->policies[0].round_seconds_median, plan->pipeline->makespan_seconds, 1e-6);
    kit_close(named(sim, "by-hand")->round_seconds_median, plan->pipeline->single_device_seconds,
              1e-6);
    for (size_t i = 1; i < sim->policies_count; i++)
        assert_true(sim->policies[i].round_seconds_median >=
                    sim->policies[0].round_seconds_median - 1e-6);
    assert_false(known_f64(sim->policies[0].tokens_per_second));
    plan_free(plan);
    simulation_free(sim);
    job_free(j);
    snapshot_unref(s);
}

static void what_cannot_be_planned_cannot_be_played(void **state)
{
    static const struct kit_mac tiny[] = {{"mac", "Apple M1", 8, 2, 0, 0, 0, 0}};
    struct snapshot *s = kit_fleet(tiny, 1);
    struct job *j = kit_job(KIT_LLAMA_8B);
    struct policy policy = policy_default();
    struct simulate_settings set = {.seed = 1, .rounds = 5};
    struct simulation *sim = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(simulate(s, j, &policy, &set, &sim, &err), -1);
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_null(sim);
    job_free(j);
    snapshot_unref(s);
}

/* ---- who is picked ---- */

static void random_picks_are_even(void **state)
{
    size_t times[10] = {0};

    (void)state;
    for (int64_t round = 1; round <= 3000; round++) {
        bool serves[10];
        size_t n = 0;

        for (size_t i = 0; i < 10; i++)
            serves[i] = i != 4; /* away */
        pick_random(5, round, 3, serves, 10);
        for (size_t i = 0; i < 10; i++) {
            n += serves[i];
            times[i] += serves[i];
        }
        assert_int_equal(n, 3);
    }
    assert_int_equal(times[4], 0);
    for (size_t i = 0; i < 10; i++)
        assert_true(i == 4 || (times[i] > 900 && times[i] < 1100));
}

static void oort_prefers_the_useful_and_quick(void **state)
{
    struct pick_client c[12];
    size_t times[12] = {0};

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        pick_reset(&c[i], 1, i, 100, i < 6 ? 10 : 100); /* the second half is slow */
        c[i].loss = i % 2 ? 1 : 3;                      /* every other one has much to learn */
    }
    for (int64_t round = 1; round <= 400; round++) {
        bool serves[12];
        size_t n = 0;

        memset(serves, true, sizeof serves);
        assert_int_equal(pick_oort(c, 1, round, 4, serves, 12, NULL), 0);
        for (size_t i = 0; i < 12; i++) {
            n += serves[i];
            times[i] += serves[i];
            if (serves[i])
                c[i].last_round = round;
        }
        assert_int_equal(n, 4);
    }
    assert_true(times[0] + times[2] + times[4] > times[1] + times[3] + times[5]);
    assert_true(times[0] + times[2] + times[4] > 2 * (times[6] + times[8] + times[10]));
}

static void playing_survives_lost_memory(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B), *line = kit_pipeline();
    const struct job *jobs[] = {j, line};
    struct policy policy = policy_default();
    struct simulate_settings set = {.seed = 1, .rounds = 2, .jitter = 0.1};

    (void)state;
    for (int i = 0; i < 2; i++) {
        int rc, nth = 0;

        do {
            struct simulation *sim = NULL;

            mem_fail_at(++nth);
            rc = simulate(s, jobs[i], &policy, &set, &sim, NULL);
            assert_true((rc == 0) == (sim != NULL));
            simulation_free(sim);
        } while (rc < 0 && nth < 5000);
        mem_fail_at(0);
        assert_in_range(nth, 20, 4999);
    }
    job_free(j);
    job_free(line);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_fleet_does_what_was_predicted),
        cmocka_unit_test(the_same_seed_plays_the_same),
        cmocka_unit_test(jitter_and_absence_cost_time),
        cmocka_unit_test(those_who_select_keep_to_the_number),
        cmocka_unit_test(a_pipeline_is_compared_with_other_placements),
        cmocka_unit_test(what_cannot_be_planned_cannot_be_played),
        cmocka_unit_test(random_picks_are_even),
        cmocka_unit_test(oort_prefers_the_useful_and_quick),
        cmocka_unit_test(playing_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
