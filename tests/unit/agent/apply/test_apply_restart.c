/* test_apply_restart.c - agents that end at every moment, and the next ones that find their
 * folders. */
#include "agent/apply/plan_folder.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "tests/unit/agent/apply/apply_lab.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char *const train[] = {FAKE_TRAINER, "-c", "lora.yaml", "--count", "../../../count", NULL};
static char *const hang[] = {FAKE_TRAINER,     "-c", "lora.yaml", "--hang", "--count",
                             "../../../count", NULL};

/* How often the command ran for a generation. */
static int runs(const struct lab *lab, int64_t generation)
{
    char *text = folder_get(lab->folder, "count"), *rest = text, *line;
    int count = 0;

    while ((line = strsep(&rest, "\n"))) {
        if (*line)
            count += strtoll(line, NULL, 10) == generation;
    }
    mem_free(text);
    return count;
}

/* A process of its own takes the assignments up to generation `last` and is killed at once when it
 * has told `state` of that one: an agent that lost its machine. What it told is lost, too. */
static void die_at(struct lab *lab, int64_t last, int state)
{
    pid_t pid;
    int status;

    lab_close(lab);
    if ((pid = fork()) == 0) {
        lab->deaf = true;
        lab_open(lab);
        for (int64_t g = 1; g <= last; g++)
            lab_assign(lab, lab_assignment(g));
        lab_wait(lab, last, state);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void what_was_not_reported_is_told_again(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    die_at(&lab, 3, DELIVERY_STATE_APPLIED);
    lab_open(&lab);
    assert_int_equal(apply_highest_generation(lab.apply), 3);
    lab_turn(&lab);
    assert_int_equal(lab_count(&lab, 3, DELIVERY_STATE_APPLIED), 1);
    lab_close(&lab);
    lab_open(&lab); /* settled now: silence */
    lab_turn(&lab);
    assert_int_equal(lab_count(&lab, 3, DELIVERY_STATE_APPLIED), 1);
    assert_int_equal(plan_folder_current(lab.folder, "job-1"), 3);
    lab_stop(&lab);
}

static void a_run_that_was_interrupted_has_failed_and_is_not_repeated(void **state)
{
    int64_t group = 0;
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    die_at(&lab, 1, DELIVERY_STATE_RUNNING);
    assert_int_equal(plan_folder_read_started(lab.folder, &group, NULL), -1);
    lab_open(&lab);
    assert_non_null(strstr(lab_wait(&lab, 1, DELIVERY_STATE_FAILED)->reason, "interrupted"));
    for (int i = 0; i < 20; i++)
        lab_turn(&lab);
    assert_true(apply_is_idle(lab.apply));
    lab_assign(&lab, lab_assignment(1)); /* the coordinator asks once more: told, not run */
    for (int i = 0; i < 20; i++)
        lab_turn(&lab);
    assert_true(lab_count(&lab, 1, DELIVERY_STATE_RUNNING) <= 1); /* the first run, told late */
    assert_true(runs(&lab, 1) <= 1);
    assert_int_equal(apply_counters(lab.apply).interrupted, 1);
    lab_stop(&lab);
}

static void what_an_earlier_agent_left_running_is_ended(void **state)
{
    char *path;
    int64_t group = 0;
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    die_at(&lab, 1, DELIVERY_STATE_RUNNING);
    path = plan_folder_path(lab.folder, "job-1", 1, NULL);
    assert_int_equal(plan_folder_read_started(path, &group, NULL), 0);
    assert_true(group > 1);
    lab_open(&lab);
    /* nobody reaps it here if it became a child of a process that does not: gone or a zombie */
    assert_false(command_end_orphan(path, group));
    mem_free(path);
    lab_stop(&lab);
}

static void the_owner_may_want_it_run_again(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    die_at(&lab, 1, DELIVERY_STATE_RUNNING);
    lab.settings.rerun_interrupted = true;
    lab.settings.command.argv = train;
    lab_open(&lab);
    lab_wait(&lab, 1, DELIVERY_STATE_DONE);
    LAB_UNTIL(&lab, apply_due(lab.apply) == INT64_MAX);
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_FAILED), 0);
    assert_true(lab_measurements(&lab, 1) >= 1); /* numbers go on where the first run stopped */
    for (size_t i = 0, before = 0; i < lab.told_count; i++) {
        if (lab.told[i]->measurement) {
            assert_true((size_t)lab.told[i]->measurement->sequence > before);
            before = (size_t)lab.told[i]->measurement->sequence;
        }
    }
    lab_stop(&lab);
}

static void one_that_was_applied_and_not_started_starts(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, train);
    lab_assign(&lab, lab_assignment(1)); /* no turn: applied, not started */
    lab_close(&lab);
    lab_open(&lab);
    lab_wait(&lab, 1, DELIVERY_STATE_DONE);
    assert_int_equal(runs(&lab, 1), 1);
    lab_stop(&lab);
}

static void one_that_is_done_stays_done(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, train);
    lab_assign(&lab, lab_assignment(1));
    lab_wait(&lab, 1, DELIVERY_STATE_DONE);
    LAB_UNTIL(&lab, apply_due(lab.apply) == INT64_MAX);
    lab_close(&lab);
    lab_open(&lab);
    for (int i = 0; i < 20; i++)
        lab_turn(&lab);
    assert_int_equal(runs(&lab, 1), 1);
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_DONE), 1);
    lab_stop(&lab);
}

static void a_folder_without_its_plan_goes_and_others_stay(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, NULL);
    lab_close(&lab);
    folder_put(lab.folder, "plans/job-1/8/.plan.json.new", "{half");
    folder_put(lab.folder, "plans/job-1/9/plan.json", "{half"); /* somebody's: left for people */
    folder_put(lab.folder, "plans/job-1/notes/x", "mine");
    lab_open(&lab);
    assert_false(folder_has(lab.folder, "plans/job-1/8"));
    assert_true(folder_has(lab.folder, "plans/job-1/9/plan.json"));
    assert_true(folder_has(lab.folder, "plans/job-1/notes/x"));
    lab_assign(&lab, lab_assignment(10));
    assert_int_equal(lab_count(&lab, 10, DELIVERY_STATE_APPLIED), 1);
    lab_stop(&lab);
}

/* Stored, and the crash came before anybody was told: goes on as if it had just come. */
static void a_plan_without_a_status_goes_on(void **state)
{
    struct assignment *a = lab_assignment(4);
    struct lab lab;

    (void)state;
    lab_start(&lab, train);
    lab_close(&lab);
    assert_int_equal(plan_folder_store(lab.folder, a, NULL), 0);
    assignment_free(a);
    lab_open(&lab);
    lab_wait(&lab, 4, DELIVERY_STATE_DONE);
    assert_int_equal(lab_count(&lab, 4, DELIVERY_STATE_RECEIVED), 1);
    assert_int_equal(apply_highest_generation(lab.apply), 4);
    lab_stop(&lab);
}

static void events_go_on_where_they_stood(void **state)
{
    struct assignment *a = lab_assignment(1);
    struct lab lab;

    (void)state;
    lab_start(&lab, train);
    lab.deaf = true;
    a->training->iters = 50; /* five reports */
    lab_assign(&lab, a);
    lab_wait(&lab, 1, DELIVERY_STATE_DONE);
    LAB_UNTIL(&lab, lab_measurements(&lab, 1) == 5);
    for (size_t i = 0; i < lab.told_count; i++) { /* two of the five are settled */
        if (lab.told[i]->measurement && lab.told[i]->measurement->sequence <= 2)
            apply_settled(lab.apply, lab.tags[i]);
    }
    lab_close(&lab);
    lab.deaf = false;
    lab_open(&lab);
    LAB_UNTIL(&lab, apply_due(lab.apply) == INT64_MAX);
    assert_int_equal(lab_measurements(&lab, 1), 5 + 3);
    assert_int_equal(lab.told[lab.told_count - 1]->measurement->sequence, 5);
    lab_close(&lab);
    lab_open(&lab);
    for (int i = 0; i < 20; i++)
        lab_turn(&lab);
    assert_int_equal(lab_measurements(&lab, 1), 5 + 3);
    lab_stop(&lab);
}

/* The agent is asked to stop: its command too, which is then interrupted. */
static void a_stop_in_good_order_tells_what_it_interrupted(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    lab_assign(&lab, lab_assignment(1));
    lab_wait(&lab, 1, DELIVERY_STATE_RUNNING);
    apply_stop(lab.apply, lab_clock(&lab));
    assert_non_null(strstr(lab_wait(&lab, 1, DELIVERY_STATE_FAILED)->reason, "interrupted"));
    assert_true(apply_is_idle(lab.apply));
    lab_assign(&lab, lab_assignment(2)); /* stored, and for the next agent to start */
    lab_turn(&lab);
    assert_int_equal(lab_count(&lab, 2, DELIVERY_STATE_RUNNING), 0);
    lab_close(&lab);
    lab.settings.command.argv = train;
    lab_open(&lab);
    lab_wait(&lab, 2, DELIVERY_STATE_DONE);
    lab_stop(&lab);
}

static void a_stop_leaves_it_to_the_next_agent_where_the_owner_wants_it_run_again(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    lab_close(&lab);
    lab.settings.rerun_interrupted = true;
    lab_open(&lab);
    lab_assign(&lab, lab_assignment(1));
    lab_wait(&lab, 1, DELIVERY_STATE_RUNNING);
    apply_stop(lab.apply, lab_clock(&lab));
    LAB_UNTIL(&lab, apply_is_idle(lab.apply));
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_FAILED), 0);
    lab_close(&lab);
    lab.settings.command.argv = train;
    lab_open(&lab);
    lab_wait(&lab, 1, DELIVERY_STATE_DONE);
    lab_stop(&lab);
}

/* Killed again and again, at whatever moment, with a coordinator that repeats itself: in the end
 * every command ran once at most, each plan has come to an end, and the next one runs. Whether any
 * of those that were killed got so far is the machine's speed, and not asked here. */
static void killed_at_any_moment_nothing_runs_twice(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, train);
    lab_close(&lab);
    for (int round = 0; round < 12; round++) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            lab.deaf = true;
            lab_open(&lab);
            for (int i = 0;; i++) {
                if (i % 8 == 0)
                    lab_assign(&lab, lab_assignment(round + 1));
                lab_turn(&lab);
            }
        }
        nanosleep(&(struct timespec){0, (long)round * 5000000 + 1000000}, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    }
    lab_open(&lab);
    for (int64_t g = 1; g <= 12; g++)
        lab_assign(&lab, lab_assignment(g));
    LAB_UNTIL(&lab, apply_due(lab.apply) == INT64_MAX);
    for (int64_t g = 1; g <= 12; g++)
        assert_true(runs(&lab, g) <= 1);
    assert_int_equal(
        lab_count(&lab, 12, DELIVERY_STATE_DONE) + lab_count(&lab, 12, DELIVERY_STATE_FAILED) > 0,
        1);
    lab_assign(&lab, lab_assignment(13));
    lab_wait(&lab, 13, DELIVERY_STATE_DONE);
    assert_int_equal(runs(&lab, 13), 1);
    lab_stop(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_reported_is_told_again),
        cmocka_unit_test(a_run_that_was_interrupted_has_failed_and_is_not_repeated),
        cmocka_unit_test(what_an_earlier_agent_left_running_is_ended),
        cmocka_unit_test(the_owner_may_want_it_run_again),
        cmocka_unit_test(one_that_was_applied_and_not_started_starts),
        cmocka_unit_test(one_that_is_done_stays_done),
        cmocka_unit_test(a_folder_without_its_plan_goes_and_others_stay),
        cmocka_unit_test(a_plan_without_a_status_goes_on),
        cmocka_unit_test(events_go_on_where_they_stood),
        cmocka_unit_test(a_stop_in_good_order_tells_what_it_interrupted),
        cmocka_unit_test(a_stop_leaves_it_to_the_next_agent_where_the_owner_wants_it_run_again),
        cmocka_unit_test(killed_at_any_moment_nothing_runs_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
