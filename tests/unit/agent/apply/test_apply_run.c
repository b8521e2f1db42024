/* test_apply_run.c - plans that run the owner's command: a stand-in for mlx_lm.lora. */
#include "agent/apply/plan_folder.h"
#include "common/core/clock.h"
#include "tests/unit/agent/apply/apply_lab.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

static char *const train[] = {FAKE_TRAINER, "-c", "lora.yaml", NULL};
static char *const hang[] = {FAKE_TRAINER, "-c", "lora.yaml", "--hang", NULL};

static void a_plan_runs_to_its_end_and_is_measured(void **state)
{
    const struct measurement *m = NULL;
    struct lab lab;
    char *text;

    (void)state;
    lab_start(&lab, train);
    lab_assign(&lab, lab_assignment(5));
    lab_wait(&lab, 5, DELIVERY_STATE_RUNNING);
    assert_int_equal(lab_wait(&lab, 5, DELIVERY_STATE_DONE)->exit_code, 0);
    LAB_UNTIL(&lab, lab_measurements(&lab, 5) == 1); /* iters 6, reported every 6 */
    for (size_t i = 0; i < lab.told_count; i++) {
        if (lab.told[i]->measurement)
            m = lab.told[i]->measurement;
    }
    if (!m) {
        fail_msg("no measurement among what was told");
        return;
    }
    assert_string_equal(m->plan_id, "plan-1");
    assert_string_equal(m->job_id, "job-1");
    assert_int_equal(m->sequence, 1);
    assert_string_equal(m->event, "train");
    assert_int_equal(m->iteration, 6);
    assert_float_equal(m->step_seconds, 0.4, 1e-9);
    assert_int_equal(m->peak_bytes, 3210000000);
    assert_true(folder_has(lab.folder, "plans/job-1/5/adapters/adapters.safetensors"));
    text = folder_get(lab.folder, "plans/job-1/5/output");
    assert_non_null(strstr(text, "Trainable parameters"));
    mem_free(text);
    LAB_UNTIL(&lab, apply_due(lab.apply) == INT64_MAX);
    lab_stop(&lab);
}

static void both_dialects_are_kept_as_printed(void **state)
{
    static const char *const marks[] = {"Tokens/sec 1235.000", "\x1b[36mval 2.811"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        char *const argv[] = {FAKE_TRAINER, "-c", "lora.yaml", "--dialect", i ? "b" : "a", NULL};
        struct lab lab;
        char *text;

        lab_start(&lab, argv);
        lab_assign(&lab, lab_assignment(1));
        lab_wait(&lab, 1, DELIVERY_STATE_DONE);
        text = folder_get(lab.folder, "plans/job-1/1/output");
        assert_non_null(strstr(text, marks[i]));
        mem_free(text);
        lab_stop(&lab);
    }
}

static void garbage_among_the_events_is_counted(void **state)
{
    char *const argv[] = {FAKE_TRAINER, "-c", "lora.yaml", "--garbage", "--no-newline", NULL};
    struct assignment *a = lab_assignment(1);
    struct lab lab;

    (void)state;
    lab_start(&lab, argv);
    a->training->iters = 20; /* two reports */
    lab_assign(&lab, a);
    lab_wait(&lab, 1, DELIVERY_STATE_DONE);
    LAB_UNTIL(&lab, apply_due(lab.apply) == INT64_MAX);
    assert_int_equal(lab_measurements(&lab, 1), 2);
    assert_int_equal(apply_counters(lab.apply).event_lines, 10);
    assert_int_equal(apply_counters(lab.apply).event_garbage, 6);
    lab_stop(&lab);
}

static void a_failure_says_how(void **state)
{
    char *const exits[] = {FAKE_TRAINER, "-c", "lora.yaml", "--exit", "7", NULL};
    char *const dies[] = {FAKE_TRAINER, "-c", "lora.yaml", "--signal", "9", NULL};
    const struct assignment_status *s;
    struct lab lab;

    (void)state;
    lab_start(&lab, exits);
    lab_assign(&lab, lab_assignment(1));
    s = lab_wait(&lab, 1, DELIVERY_STATE_FAILED);
    assert_int_equal(s->exit_code, 7);
    assert_non_null(strstr(s->reason, "7"));
    lab_stop(&lab);
    lab_start(&lab, dies);
    lab_assign(&lab, lab_assignment(1));
    s = lab_wait(&lab, 1, DELIVERY_STATE_FAILED);
    assert_int_equal(s->exit_code, -1);
    assert_non_null(strstr(s->reason, "signal 9"));
    lab_stop(&lab);
}

static void a_time_limit_is_a_failure(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    lab_close(&lab);
    lab.settings.command.time_limit_ms = 200;
    lab_open(&lab);
    lab_assign(&lab, lab_assignment(1));
    assert_non_null(strstr(lab_wait(&lab, 1, DELIVERY_STATE_FAILED)->reason, "time limit"));
    lab_stop(&lab);
}

static void a_cancel_stops_what_runs(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    lab_assign(&lab, lab_assignment(1));
    lab_wait(&lab, 1, DELIVERY_STATE_RUNNING);
    lab_cancel(&lab, "job-1", "plan-1", 1);
    lab_wait(&lab, 1, DELIVERY_STATE_CANCELLED);
    assert_true(apply_is_idle(lab.apply));
    assert_int_equal(plan_folder_current(lab.folder, "job-1"), 0);
    lab_stop(&lab);
}

static void a_cancel_kills_what_ignores_it_with_its_children(void **state)
{
    char *const argv[] = {FAKE_TRAINER,    "-c",      "lora.yaml", "--hang",
                          "--ignore-term", "--child", NULL};
    int64_t group;
    struct lab lab;

    (void)state;
    lab_start(&lab, argv);
    lab_assign(&lab, lab_assignment(1));
    LAB_UNTIL(&lab, lab_measurements(&lab, 1) == 1); /* its signals are set by now */
    assert_int_equal(apply_groups(lab.apply, &group, 1), 1);
    lab_cancel(&lab, "job-1", "plan-1", 1);
    assert_int_equal(lab_wait(&lab, 1, DELIVERY_STATE_CANCELLED)->exit_code, -1);
    LAB_UNTIL(&lab, kill((pid_t)-group, 0) < 0);
    lab_stop(&lab);
}

static void a_newer_plan_stops_the_older_ones_command_first(void **state)
{
    struct assignment *newer = lab_assignment(2);
    size_t superseded = 0, running = 0;
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    lab_assign(&lab, lab_assignment(1));
    lab_wait(&lab, 1, DELIVERY_STATE_RUNNING);
    /* more than is free, but not once the older one's memory is back */
    newer->training->memory_limit_bytes = LAB_MEMORY + 500000000;
    lab_assign(&lab, newer);
    assert_int_equal(lab_count(&lab, 2, DELIVERY_STATE_APPLIED), 1);
    lab.limits.memory_bytes = LAB_MEMORY + 500000000;
    lab_wait(&lab, 2, DELIVERY_STATE_RUNNING);
    for (size_t i = 0; i < lab.told_count; i++) {
        const struct assignment_status *s = lab.told[i]->status;

        if (s && s->generation == 1 && s->state == DELIVERY_STATE_SUPERSEDED)
            superseded = i;
        if (s && s->generation == 2 && s->state == DELIVERY_STATE_RUNNING)
            running = i;
    }
    assert_true(superseded > 0 && superseded < running);
    lab_stop(&lab);
}

static void one_that_takes_no_part_stops_the_older_one_too(void **state)
{
    struct assignment *out = lab_assignment(2);
    struct lab lab;

    (void)state;
    lab_start(&lab, hang);
    lab_assign(&lab, lab_assignment(1));
    lab_wait(&lab, 1, DELIVERY_STATE_RUNNING);
    out->participate = TRI_FALSE;
    lab_assign(&lab, out);
    lab_wait(&lab, 1, DELIVERY_STATE_SUPERSEDED);
    assert_true(apply_is_idle(lab.apply));
    assert_int_equal(lab_count(&lab, 2, DELIVERY_STATE_RUNNING), 0);
    lab_stop(&lab);
}

/* Applied while there was memory, gone before the start: it waits, then refuses; it never starts.
 */
static void a_start_waits_for_memory_and_then_refuses(void **state)
{
    struct lab lab;

    (void)state;
    lab_start(&lab, train);
    lab_assign(&lab, lab_assignment(1)); /* no turn yet: nothing is started */
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_APPLIED), 1);
    lab.limits.memory_bytes = 1000;
    lab_turn(&lab);
    lab_turn(&lab);
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_REFUSED), 0);
    lab.skew_ms += APPLY_START_PATIENCE_MS;
    lab_wait(&lab, 1, DELIVERY_STATE_REFUSED);
    assert_int_equal(lab_count(&lab, 1, DELIVERY_STATE_RUNNING), 0);
    assert_false(folder_has(lab.folder, "plans/job-1/1/started"));

    lab_assign(&lab, lab_assignment(2)); /* refused at once: it is known not to fit */
    assert_int_equal(lab_count(&lab, 2, DELIVERY_STATE_REFUSED), 1);
    lab_stop(&lab);
}

static void a_command_that_cannot_start_is_a_failure(void **state)
{
    char *const argv[] = {"no-such-command-anywhere", NULL};
    struct lab lab;

    (void)state;
    lab_start(&lab, argv);
    lab_assign(&lab, lab_assignment(1));
    assert_non_null(strstr(lab_wait(&lab, 1, DELIVERY_STATE_FAILED)->reason, "no-such-command"));
    lab_stop(&lab);
}

static void as_many_as_allowed_run_at_once(void **state)
{
    int64_t groups[16];
    struct lab lab;
    char name[16];

    (void)state;
    lab_start(&lab, hang);
    for (int64_t g = 1; g <= APPLY_RUNNING_MAX + 2; g++) {
        struct assignment *a = lab_assignment(g);

        snprintf(name, sizeof name, "job-%lld", (long long)g);
        text_set(&a->job_id, name, NULL);
        lab_assign(&lab, a);
    }
    for (int64_t g = 1; g <= APPLY_RUNNING_MAX; g++)
        lab_wait(&lab, g, DELIVERY_STATE_RUNNING);
    assert_int_equal(apply_groups(lab.apply, groups, 16), APPLY_RUNNING_MAX);
    assert_int_equal(lab_count(&lab, APPLY_RUNNING_MAX + 1, DELIVERY_STATE_RUNNING), 0);
    lab_cancel(&lab, "job-2", "plan-1", 2);
    lab_wait(&lab, APPLY_RUNNING_MAX + 1, DELIVERY_STATE_RUNNING);
    lab_stop(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_runs_to_its_end_and_is_measured),
        cmocka_unit_test(both_dialects_are_kept_as_printed),
        cmocka_unit_test(garbage_among_the_events_is_counted),
        cmocka_unit_test(a_failure_says_how),
        cmocka_unit_test(a_time_limit_is_a_failure),
        cmocka_unit_test(a_cancel_stops_what_runs),
        cmocka_unit_test(a_cancel_kills_what_ignores_it_with_its_children),
        cmocka_unit_test(a_newer_plan_stops_the_older_ones_command_first),
        cmocka_unit_test(one_that_takes_no_part_stops_the_older_one_too),
        cmocka_unit_test(a_start_waits_for_memory_and_then_refuses),
        cmocka_unit_test(a_command_that_cannot_start_is_a_failure),
        cmocka_unit_test(as_many_as_allowed_run_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
