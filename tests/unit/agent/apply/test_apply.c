/* test_apply.c - assignments stored, checked, refused; no command runs here. */
#include "agent/apply/plan_folder.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "tests/support/record_fill.h"
#include "tests/unit/agent/apply/apply_lab.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void an_assignment_is_received_applied_and_current(void **state)
{
    struct lab lab;
    char *text;

    (void)state;
    lab_start(&lab, NULL);
    lab_assign(&lab, lab_assignment(5));
    assert_int_equal(lab.told_count, 2);
    assert_int_equal(lab.told[0]->status->state, DELIVERY_STATE_RECEIVED);
    assert_int_equal(lab.told[1]->status->state, DELIVERY_STATE_APPLIED);
    assert_string_equal(lab.told[1]->status->plan_id, "plan-1");
    assert_int_equal(apply_highest_generation(lab.apply), 5);
    text = folder_get(lab.folder, "plans/job-1/current/lora.yaml");
    assert_non_null(strstr(text, "model: \"models/tiny\"\n"));
    assert_non_null(strstr(text, "/plans/job-1/5/adapters\"\n"));
    mem_free(text);
    assert_true(folder_has(lab.folder, "plans/job-1/current/plan.json"));
    assert_true(apply_due(lab.apply) == INT64_MAX); /* nothing to do: the agent may sleep */
    lab_stop(&lab);
}

static void one_that_takes_no_part_is_stored_too(void **state)
{
    struct assignment *a = lab_assignment(1);
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    training_free(a->training);
    a->training = NULL;
    a->participate = TRI_FALSE;
    lab_assign(&lab, a);
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_APPLIED), 1);
    assert_true(folder_has(lab.folder, "plans/job-1/current/plan.json"));
    assert_false(folder_has(lab.folder, "plans/job-1/current/lora.yaml"));
    lab_stop(&lab);
}

static void the_same_again_is_answered_and_changes_nothing(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab_assign(&lab, lab_assignment(5));
    lab_assign(&lab, lab_assignment(5));
    assert_int_equal(lab_count(&lab, 5, DELIVERY_STATE_RECEIVED), 1);
    assert_int_equal(lab_count(&lab, 5, DELIVERY_STATE_APPLIED), 2);
    assert_int_equal(apply_counters(lab.apply).repeated, 1);
    lab_stop(&lab);
}

static void an_older_one_is_superseded_and_another_plans_generation_refused(void **state)
{
    struct assignment *other = lab_assignment(5);
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab_assign(&lab, lab_assignment(5));
    lab_assign(&lab, lab_assignment(4));
    assert_int_equal(lab_count(&lab, 4, DELIVERY_STATE_SUPERSEDED), 1);
    assert_false(folder_has(lab.folder, "plans/job-1/4"));
    text_set(&other->plan_id, "plan-2", NULL);
    lab_assign(&lab, other);
    assert_int_equal(lab_count(&lab, 5, DELIVERY_STATE_REFUSED), 1);
    assert_int_equal(plan_folder_current(lab.folder, "job-1"), 5);
    lab_stop(&lab);
}

static void jobs_do_not_disturb_each_other(void **state)
{
    struct assignment *other = lab_assignment(3);
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab_assign(&lab, lab_assignment(5));
    text_set(&other->job_id, "job-2", NULL); /* a lower number, of another job: newer there */
    lab_assign(&lab, other);
    assert_int_equal(lab_count(&lab, 3, DELIVERY_STATE_APPLIED), 1);
    assert_int_equal(plan_folder_current(lab.folder, "job-1"), 5);
    assert_int_equal(plan_folder_current(lab.folder, "job-2"), 3);
    assert_int_equal(apply_highest_generation(lab.apply), 5);
    lab_stop(&lab);
}

static void what_does_not_fit_is_refused_and_the_old_one_stays(void **state)
{
    struct assignment *big = lab_assignment(6);
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab_assign(&lab, lab_assignment(5));
    big->training->memory_limit_bytes = LAB_MEMORY + 1;
    lab_assign(&lab, big);
    assert_int_equal(lab_count(&lab, 6, DELIVERY_STATE_RECEIVED), 1);
    assert_int_equal(lab_count(&lab, 6, DELIVERY_STATE_REFUSED), 1);
    assert_non_null(strstr(lab.told[lab.told_count - 1]->status->reason, "memory_limit_bytes"));
    assert_int_equal(plan_folder_current(lab.folder, "job-1"), 5);
    lab.limits.disk_free_bytes = 1000;
    lab_assign(&lab, lab_assignment(7));
    assert_int_equal(lab_count(&lab, 7, DELIVERY_STATE_REFUSED), 1);
    assert_int_equal(apply_counters(lab.apply).refused, 2);
    lab_stop(&lab);
}

static void a_model_folder_of_the_owner_without_the_model_refuses(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab_close(&lab);
    lab.settings.model_dir = lab.folder;
    lab_open(&lab);
    lab_assign(&lab, lab_assignment(1));
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_REFUSED), 1);
    folder_put(lab.folder, "tiny/config.json", "{}");
    lab_assign(&lab, lab_assignment(2));
    assert_int_equal(lab_count(&lab, 2, DELIVERY_STATE_APPLIED), 1);
    lab_stop(&lab);
}

static void strangers_and_hostile_names_touch_no_disk(void **state)
{
    static const char *const jobs[] = {"../../etc", "..",  "/abs",     "a/b",
                                       ".ssh",      "a b", "x\xc3\xa9"};
    struct assignment *a;
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        a = lab_assignment((int64_t)i + 1);
        text_set(&a->job_id, jobs[i], NULL);
        lab_assign(&lab, a);
        assert_int_equal(lab_count(&lab, (int64_t)i + 1, DELIVERY_STATE_REFUSED), 1);
    }
    a = lab_assignment(20);
    text_set(&a->device_id, "dother", NULL);
    lab_assign(&lab, a);
    a = lab_assignment(21);
    text_set(&a->coordinator_id, "c2", NULL);
    lab_assign(&lab, a);
    assert_int_equal(lab_count(&lab, 20, DELIVERY_STATE_REFUSED), 1);
    assert_int_equal(lab_count(&lab, 21, DELIVERY_STATE_REFUSED), 1);
    a = lab_assignment(22); /* nothing to answer about */
    text_set(&a->job_id, NULL, NULL);
    lab_assign(&lab, a);
    {
        char **names = NULL, *plans = file_path(NULL, "%s/plans", lab.folder);
        size_t count;

        assert_int_equal(file_list(plans, 10, &names, &count, NULL), 0);
        assert_int_equal(count, 0);
        file_list_free(names, count);
        mem_free(plans);
    }
    assert_int_equal(apply_highest_generation(lab.apply), 0);
    lab_stop(&lab);
}

/* Any assignment that is a sound record ends applied, refused or superseded, and is told. */
static void any_assignment_is_answered(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct fill how = {.seed = seed, .sparse = seed % 2};
        struct assignment *a = record_fill(&assignment_type, &how);
        size_t before = lab.told_count;
        int last;

        text_set(&a->coordinator_id, "c1", NULL);
        text_set(&a->device_id, "dtest", NULL);
        text_set(&a->plan_id, "p", NULL);
        text_set(&a->job_id, seed % 3 ? "j" : "k", NULL);
        a->generation = (int64_t)(seed * 7 % 50) + 1;
        lab_assign(&lab, a);
        assert_true(lab.told_count > before);
        last = lab.told[lab.told_count - 1]->status->state;
        assert_true(last == DELIVERY_STATE_APPLIED || last == DELIVERY_STATE_REFUSED ||
                    last == DELIVERY_STATE_SUPERSEDED);
    }
    lab_stop(&lab);
}

static void old_generations_go_and_a_few_stay(void **state)
{
    int64_t list[64];
    struct lab lab;
    size_t count;

    (void)state;
    lab_start(&lab, NULL);
    for (int64_t g = 1; g <= 20; g++)
        lab_assign(&lab, lab_assignment(g));
    assert_int_equal(plan_folder_generations(lab.folder, "job-1", list, 64, &count, NULL), 0);
    assert_true(count >= APPLY_GENERATIONS_KEPT && count <= APPLY_GENERATIONS_KEPT + 1);
    assert_int_equal(list[count - 1], 20);
    assert_int_equal(plan_folder_current(lab.folder, "job-1"), 20);
    lab_stop(&lab);
}

/* What the coordinator has not heard of yet is kept, however old. */
static void what_is_not_reported_is_not_forgotten(void **state)
{
    int64_t list[64];
    struct lab lab;
    size_t count;

    (void)state;
    lab_start(&lab, NULL);
    lab.deaf = true;
    for (int64_t g = 1; g <= 10; g++)
        lab_assign(&lab, lab_assignment(g));
    assert_int_equal(plan_folder_generations(lab.folder, "job-1", list, 64, &count, NULL), 0);
    assert_int_equal(count, 10);
    lab_stop(&lab);
}

static void many_jobs_make_room_for_more(void **state)
{
    struct lab lab;
    char name[32];

    (void)state;
    lab_start(&lab, NULL);
    for (int64_t g = 1; g <= APPLY_PLANS_MAX + 3; g++) {
        struct assignment *a = lab_assignment(g);

        snprintf(name, sizeof name, "job-%lld", (long long)g);
        text_set(&a->job_id, name, NULL);
        lab_assign(&lab, a);
        assert_int_equal(lab_count(&lab, g, DELIVERY_STATE_APPLIED), 1);
    }
    assert_false(folder_has(lab.folder, "plans/job-1"));
    assert_true(folder_has(lab.folder, "plans/job-259/current/plan.json"));
    lab_stop(&lab);
}

static void a_cancel_ends_what_is_held_and_answers_what_is_not(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab_assign(&lab, lab_assignment(5));
    lab_cancel(&lab, "job-1", "plan-1", 5);
    assert_int_equal(lab_count(&lab, 5, DELIVERY_STATE_CANCELLED), 1);
    assert_int_equal(plan_folder_current(lab.folder, "job-1"), 0);
    lab_cancel(&lab, "job-1", "plan-1", 5); /* twice: told again */
    assert_int_equal(lab_count(&lab, 5, DELIVERY_STATE_CANCELLED), 2);
    lab_cancel(&lab, "job-9", "plan-9", 6);
    assert_int_equal(lab_count(&lab, 6, DELIVERY_STATE_CANCELLED), 1);
    lab_cancel(&lab, "../x", "plan-9", 7);
    assert_int_equal(lab_count(&lab, 7, DELIVERY_STATE_CANCELLED), 1);
    lab_stop(&lab);
}

/* A coordinator that never answers, and asks again and again: bounded, and still alive. */
static void a_flood_of_repeats_is_bounded(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab.deaf = true;
    lab_assign(&lab, lab_assignment(5));
    for (int i = 0; i < 200; i++)
        lab_assign(&lab, lab_assignment(5));
    for (int i = 0; i < 200; i++)
        lab_assign(&lab, lab_assignment(1)); /* older */
    assert_true(lab.told_count < 450);
    for (size_t i = 0; i < lab.told_count; i++)
        apply_settled(lab.apply, lab.tags[i]);
    apply_settled(lab.apply, 0xffffffffffffffffULL); /* nobody's */
    lab.deaf = false;
    lab_assign(&lab, lab_assignment(1));
    assert_true(lab_count(&lab, 1, DELIVERY_STATE_SUPERSEDED) > 0);
    lab_stop(&lab);
}

static void lost_memory_refuses_and_loses_nothing(void **state)
{
    struct lab lab;

    (void)state;
    for (unsigned nth = 1; nth < 400; nth += 3) {
        struct assignment *a = lab_assignment(5);

        lab_start(&lab, NULL);
        mem_fail_at(nth);
        apply_assignment(lab.apply, a, lab_clock(&lab));
        mem_fail_at(0);
        lab_close(&lab);
        lab_open(&lab); /* and what an agent finds afterwards is whole */
        apply_assignment(lab.apply, a, lab_clock(&lab));
        lab_turn(&lab);
        assert_true(lab_count(&lab, 5, DELIVERY_STATE_APPLIED) >= 1 ||
                    lab_count(&lab, 5, DELIVERY_STATE_REFUSED) >= 1);
        assignment_free(a);
        lab_stop(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_is_received_applied_and_current),
        cmocka_unit_test(one_that_takes_no_part_is_stored_too),
        cmocka_unit_test(the_same_again_is_answered_and_changes_nothing),
        cmocka_unit_test(an_older_one_is_superseded_and_another_plans_generation_refused),
        cmocka_unit_test(jobs_do_not_disturb_each_other),
        cmocka_unit_test(what_does_not_fit_is_refused_and_the_old_one_stays),
        cmocka_unit_test(a_model_folder_of_the_owner_without_the_model_refuses),
        cmocka_unit_test(strangers_and_hostile_names_touch_no_disk),
        cmocka_unit_test(any_assignment_is_answered),
        cmocka_unit_test(old_generations_go_and_a_few_stay),
        cmocka_unit_test(what_is_not_reported_is_not_forgotten),
        cmocka_unit_test(many_jobs_make_room_for_more),
        cmocka_unit_test(a_cancel_ends_what_is_held_and_answers_what_is_not),
        cmocka_unit_test(a_flood_of_repeats_is_bounded),
        cmocka_unit_test(lost_memory_refuses_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
