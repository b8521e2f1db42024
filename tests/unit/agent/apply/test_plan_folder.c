/* test_plan_folder.c - what lies on disk, whole. */
#include "agent/apply/plan_folder.h"
#include "common/core/err.h"
#include "tests/unit/agent/apply/apply_lab.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_plan_is_stored_and_read_back(void **state)
{
    char *dir = folder_make(), *path = plan_folder_path(dir, "job-1", 7, NULL);
    struct assignment *a = lab_assignment(7), *b = NULL;

    (void)state;
    assert_int_equal(plan_folder_store(dir, a, NULL), 0);
    assert_true(folder_has(dir, "plans/job-1/7/plan.json"));
    assert_int_equal(plan_folder_load(path, &b, NULL), 0);
    assert_true(record_equal(&assignment_type, a, b));
    assert_int_equal(plan_folder_store(dir, a, NULL), 0); /* twice is fine */
    assignment_free(b);
    assignment_free(a);
    mem_free(path);
    folder_remove(dir);
}

static void current_is_switched_and_removed(void **state)
{
    char *dir = folder_make(), *text;

    (void)state;
    assert_int_equal(plan_folder_current(dir, "job-1"), 0);
    folder_put(dir, "plans/job-1/7/plan.json", "seven");
    folder_put(dir, "plans/job-1/9/plan.json", "nine");
    assert_int_equal(plan_folder_make_current(dir, "job-1", 7, NULL), 0);
    assert_int_equal(plan_folder_make_current(dir, "job-1", 9, NULL), 0);
    assert_int_equal(plan_folder_current(dir, "job-1"), 9);
    text = folder_get(dir, "plans/job-1/current/plan.json");
    assert_string_equal(text, "nine");
    assert_int_equal(plan_folder_make_current(dir, "job-1", 0, NULL), 0);
    assert_int_equal(plan_folder_make_current(dir, "job-1", 0, NULL), 0);
    assert_int_equal(plan_folder_current(dir, "job-1"), 0);
    mem_free(text);
    folder_remove(dir);
}

static void a_status_is_kept_with_what_goes_with_it(void **state)
{
    struct assignment_status *s = assignment_status_new(NULL), *t = NULL;
    bool start = false, reported = true;
    char *dir = folder_make();
    struct err err;

    (void)state;
    assert_int_equal(plan_folder_read_status(dir, &t, &start, &reported, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    text_set(&s->coordinator_id, "c", NULL);
    text_set(&s->plan_id, "p", NULL);
    text_set(&s->job_id, "j", NULL);
    s->generation = 5;
    s->state = DELIVERY_STATE_FAILED;
    s->exit_code = 3;
    assert_int_equal(plan_folder_write_status(dir, s, true, false, NULL), 0);
    assert_int_equal(plan_folder_read_status(dir, &t, &start, &reported, NULL), 0);
    assert_true(record_equal(&assignment_status_type, s, t));
    assert_true(start);
    assert_false(reported);
    folder_put(dir, "status.json", "{\"start\": true}");
    assert_int_equal(plan_folder_read_status(dir, &t, &start, &reported, NULL), -1);
    assignment_status_free(s);
    assignment_status_free(t);
    folder_remove(dir);
}

static void a_start_is_marked(void **state)
{
    char *dir = folder_make();
    int64_t group = 9;
    struct err err;

    (void)state;
    assert_int_equal(plan_folder_read_started(dir, &group, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(plan_folder_mark_started(dir, 4242, 1, NULL), 0);
    assert_int_equal(plan_folder_read_started(dir, &group, NULL), 0);
    assert_int_equal(group, 4242);
    folder_put(dir, "started", "{\"process_group\": -1}"); /* kill(1), kill(-1): never */
    assert_int_equal(plan_folder_read_started(dir, &group, NULL), 0);
    assert_int_equal(group, 0);
    folder_put(dir, "started", "rubbish");
    assert_int_equal(plan_folder_read_started(dir, &group, NULL), 0);
    assert_int_equal(group, 0);
    assert_int_equal(plan_folder_unmark_started(dir, NULL), 0);
    assert_int_equal(plan_folder_unmark_started(dir, NULL), 0);
    assert_int_equal(plan_folder_read_started(dir, &group, NULL), -1);
    folder_remove(dir);
}

static void generations_come_in_order_and_nothing_else(void **state)
{
    char *dir = folder_make(), **jobs;
    int64_t list[8];
    size_t count;

    (void)state;
    folder_put(dir, "plans/j/10/plan.json", "");
    folder_put(dir, "plans/j/9/plan.json", "");
    folder_put(dir, "plans/j/007/plan.json", "");
    folder_put(dir, "plans/j/-3/plan.json", "");
    folder_put(dir, "plans/j/notes/plan.json", "");
    assert_int_equal(plan_folder_make_current(dir, "j", 9, NULL), 0);
    assert_int_equal(plan_folder_generations(dir, "j", list, 8, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(list[0], 9);
    assert_int_equal(list[1], 10);
    assert_int_equal(plan_folder_remove(dir, "j", 9, NULL), 0);
    assert_int_equal(plan_folder_generations(dir, "j", list, 8, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(plan_folder_jobs(dir, 10, &jobs, &count, NULL), 0);
    assert_int_equal(count, 1);
    file_list_free(jobs, count);
    folder_remove(dir);
}

static void the_highest_generation_is_kept(void **state)
{
    char *dir = folder_make();
    int64_t highest = -1;

    (void)state;
    assert_int_equal(plan_folder_read_highest(dir, &highest, NULL), 0);
    assert_int_equal(highest, 0);
    assert_int_equal(plan_folder_write_highest(dir, 9007199254740991LL, NULL), 0);
    assert_int_equal(plan_folder_read_highest(dir, &highest, NULL), 0);
    assert_int_equal(highest, 9007199254740991LL);
    folder_put(dir, "generation", "many\n");
    assert_int_equal(plan_folder_read_highest(dir, &highest, NULL), -1);
    folder_remove(dir);
}

static void a_plan_that_was_changed_by_hand_does_not_load(void **state)
{
    char *dir = folder_make();
    struct assignment *a = NULL;
    struct err err;

    (void)state;
    folder_put(dir, "plan.json", "{\"device_id\": \"d\", \"kind\": \"federated\", \"batch\": 4}");
    assert_int_equal(plan_folder_load(dir, &a, &err), -1);
    assert_non_null(strstr(err.text, "plan.json"));
    assert_non_null(strstr(err.text, "batch"));
    assert_null(a);
    folder_remove(dir);
}

static void lost_memory_leaves_no_half_plan(void **state)
{
    struct assignment *a = lab_assignment(7);
    char *dir = folder_make();
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        char *text;

        mem_fail_at(++nth);
        rc = plan_folder_store(dir, a, NULL);
        mem_fail_at(0);
        text = folder_get(dir, "plans/job-1/7/plan.json");
        assert_true(!text || text[strlen(text) - 1] == '\n'); /* absent or whole */
        mem_free(text);
    } while (rc < 0 && nth < 5000);
    assert_in_range(nth, 2, 4999);
    assignment_free(a);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_stored_and_read_back),
        cmocka_unit_test(current_is_switched_and_removed),
        cmocka_unit_test(a_status_is_kept_with_what_goes_with_it),
        cmocka_unit_test(a_start_is_marked),
        cmocka_unit_test(generations_come_in_order_and_nothing_else),
        cmocka_unit_test(the_highest_generation_is_kept),
        cmocka_unit_test(a_plan_that_was_changed_by_hand_does_not_load),
        cmocka_unit_test(lost_memory_leaves_no_half_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
