/* test_command.c - a command in its own group, its limits, and what is left of it. */
#include "agent/apply/command.h"
#include "agent/apply/command_spawn.h"
#include "common/core/clock.h"
#include "tests/unit/agent/apply/apply_lab.h"
#include "tests/unit/agent/folder.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 20000

static int64_t marked; /* the group that `started` was told */

static int started(void *arg, int64_t group, struct err *err)
{
    marked = group;
    return arg ? err_set(err, ERR_IO, "no room for it") : 0;
}

static struct command *start(const char *dir, char *const *argv, struct command_settings *settings,
                             struct err *err)
{
    static const char *const env[] = {"ESPALIER_JOB=job-1", NULL};
    static const char *const owned[] = {NULL};
    struct command_run run = {
        .folder = dir, .env = env, .owned = owned, .now_ms = clock_mono_ms(), .started = started};

    settings->argv = argv;
    if (settings->output_max_bytes == 0)
        settings->output_max_bytes = 65536;
    return command_start(settings, &run, err);
}

static struct command_end wait_end(struct command *c)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    struct command_end end;

    while (!command_poll(c, clock_mono_ms(), &end)) {
        if (clock_mono_ms() > until)
            fail_msg("the command did not end in time");
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return end;
}

static bool group_lives(int64_t group)
{
    return kill((pid_t)-group, 0) == 0 || errno != ESRCH;
}

static void a_command_runs_and_its_output_is_kept(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "echo $ESPALIER_JOB; pwd; echo to stderr >&2; exit 3", NULL};
    struct command_settings settings = {.grace_ms = 100};
    char *dir = folder_make(), *text, *real = realpath(dir, NULL);
    struct command_end end;
    struct command *c;

    (void)state;
    assert_non_null(c = start(dir, argv, &settings, NULL));
    assert_int_equal(marked, command_group(c));
    end = wait_end(c);
    assert_int_equal(end.why, COMMAND_EXITED);
    assert_int_equal(end.exit_code, 3);
    assert_int_equal(end.signal, 0);
    text = folder_get(dir, "output");
    assert_memory_equal(text, "job-1\n", 6);
    assert_non_null(strstr(text, real));
    assert_non_null(strstr(text, "to stderr"));
    mem_free(text);
    command_free(c);
    free(real);
    folder_remove(dir);
}

static void settings_of_the_agent_do_not_reach_it(void **state)
{
    char *argv[] = {"/usr/bin/env", NULL};
    struct command_settings settings = {.grace_ms = 100};
    char *dir = folder_make(), *text;
    struct command *c;

    (void)state;
    setenv("ESPALIER_AGENT_SERVER_KEY", "secret", 1);
    setenv("OTHER", "kept", 1);
    assert_non_null(c = start(dir, argv, &settings, NULL));
    wait_end(c);
    text = folder_get(dir, "output");
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "OTHER=kept"));
    mem_free(text);
    command_free(c);
    folder_remove(dir);
}

/* No shell: what looks like shell is a word. */
static void words_stay_words(void **state)
{
    char *argv[] = {"echo", "$(id)", "a;b", "*", "", NULL};
    struct command_settings settings = {.grace_ms = 100};
    char *dir = folder_make(), *text;
    struct command *c;

    (void)state;
    assert_non_null(c = start(dir, argv, &settings, NULL));
    wait_end(c);
    text = folder_get(dir, "output");
    assert_string_equal(text, "$(id) a;b * \n");
    mem_free(text);
    command_free(c);
    folder_remove(dir);
}

static void no_descriptor_of_ours_reaches_it_but_the_lock(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "for f in /proc/self/fd/*; do readlink $f; done", NULL};
    struct command_settings settings = {.grace_ms = 100};
    char *dir = folder_make(), *path = file_path(NULL, "%s/secret", dir), *text;
    FILE *secret = fopen(path, "w"); /* not close-on-exec */
    struct command *c;

    (void)state;
    assert_non_null(c = start(dir, argv, &settings, NULL));
    wait_end(c);
    text = folder_get(dir, "output");
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "/running"));
    fclose(secret);
    mem_free(text);
    mem_free(path);
    command_free(c);
    folder_remove(dir);
}

static void a_time_limit_ends_the_whole_group(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "sleep 60 & sleep 60", NULL};
    struct command_settings settings = {.grace_ms = 100, .time_limit_ms = 50};
    char *dir = folder_make();
    struct command_end end;
    struct command *c;
    int64_t group;

    (void)state;
    assert_non_null(c = start(dir, argv, &settings, NULL));
    group = command_group(c);
    end = wait_end(c);
    assert_int_equal(end.why, COMMAND_TIME_LIMIT);
    assert_int_equal(end.exit_code, -1);
    assert_int_equal(end.signal, SIGTERM);
    for (int i = 0; i < 1000 && group_lives(group); i++)
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    assert_false(group_lives(group));
    command_free(c);
    folder_remove(dir);
}

static void who_ignores_term_is_killed_after_the_grace(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done", NULL};
    struct command_settings settings = {.grace_ms = 50};
    char *dir = folder_make();
    struct command_end end;
    struct command *c;

    (void)state;
    assert_non_null(c = start(dir, argv, &settings, NULL));
    for (int i = 0; i < 5000; i++) {
        char *text;

        assert_false(command_poll(c, clock_mono_ms(), &end));
        text = folder_get(dir, "output");
        if (text && strstr(text, "ready")) {
            mem_free(text);
            break;
        }
        mem_free(text);
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    assert_true(command_due(c) == INT64_MAX);
    command_stop(c, clock_mono_ms());
    command_stop(c, clock_mono_ms() + 5000); /* does not put the kill off */
    assert_true(command_due(c) < clock_mono_ms() + 1000);
    end = wait_end(c);
    assert_int_equal(end.why, COMMAND_STOPPED);
    assert_int_equal(end.signal, SIGKILL);
    command_free(c);
    folder_remove(dir);
}

static void what_its_leader_leaves_behind_goes_too(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "sleep 60 & echo $!; exit 0", NULL};
    struct command_settings settings = {.grace_ms = 100};
    char *dir = folder_make();
    struct command_end end;
    struct command *c;
    int64_t group;

    (void)state;
    assert_non_null(c = start(dir, argv, &settings, NULL));
    group = command_group(c);
    end = wait_end(c);
    assert_int_equal(end.exit_code, 0);
    for (int i = 0; i < 1000 && group_lives(group); i++)
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    assert_false(group_lives(group));
    command_free(c);
    folder_remove(dir);
}

static void output_has_a_limit_and_its_end_is_kept(void **state)
{
    char *argv[] = {"/bin/sh", "-c",
                    "i=0; while [ $i -lt 400 ]; do echo line $i ...............................; "
                    "i=$((i+1)); done; echo the end",
                    NULL};
    struct command_settings settings = {.grace_ms = 100, .output_max_bytes = 8192};
    char *dir = folder_make(), *now, *before;
    struct command *c;

    (void)state;
    assert_non_null(c = start(dir, argv, &settings, NULL));
    wait_end(c);
    now = folder_get(dir, "output");
    before = folder_get(dir, "output.1");
    assert_non_null(strstr(now, "the end\n"));
    assert_true(strlen(now) <= 4096);
    assert_non_null(before);
    assert_true(strlen(before) <= 4096);
    mem_free(now);
    mem_free(before);
    command_free(c);
    folder_remove(dir);
}

static void a_command_that_is_not_there_says_so(void **state)
{
    char *none[] = {"no-such-command-anywhere", NULL}, *path[] = {"/no/such/command", NULL};
    char *folder_argv[] = {"/tmp", NULL};
    struct command_settings settings = {.grace_ms = 100};
    char *dir = folder_make();
    struct err err;

    (void)state;
    marked = 0;
    assert_null(start(dir, none, &settings, &err));
    assert_non_null(strstr(err.text, "no-such-command-anywhere"));
    assert_null(start(dir, path, &settings, &err));
    assert_int_equal(marked, 0);                           /* nothing was started */
    assert_null(start(dir, folder_argv, &settings, &err)); /* exec itself refuses */
    settings.argv = none;
    assert_int_equal(command_check(&settings, true, &err), -1);
    folder_remove(dir);
}

/* Unless its group is on disk it never runs. */
static void without_the_mark_it_never_runs(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "echo ran > ran", NULL};
    static const char *const none[] = {NULL};
    struct command_settings settings = {.argv = argv, .output_max_bytes = 4096};
    char *dir = folder_make();
    struct command_run run = {.folder = dir,
                              .env = none,
                              .owned = none,
                              .now_ms = clock_mono_ms(),
                              .started = started,
                              .arg = &settings /* fails */};
    struct err err;

    (void)state;
    assert_null(command_start(&settings, &run, &err));
    assert_string_equal(err.text, "no room for it");
    assert_false(group_lives(marked));
    assert_false(folder_has(dir, "ran"));
    folder_remove(dir);
}

static void root_is_refused_unless_the_owner_says_so(void **state)
{
    char *argv[] = {"/bin/sh", NULL};
    struct command_settings settings = {.argv = argv};
    struct err err;

    (void)state;
    assert_int_equal(command_check(&settings, true, &err), 0);
    assert_int_equal(command_check(&settings, false, &err), geteuid() == 0 ? -1 : 0);
    settings.user = "root";
    assert_int_equal(command_check(&settings, false, &err), -1);
    settings.user = "no-such-user-here";
    assert_int_equal(command_check(&settings, true, &err), -1);
    assert_non_null(strstr(err.text, "no-such-user-here"));
}

static void root_becomes_another_user_and_cannot_come_back(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "id -u; id -G; echo $HOME; echo mine > owned/file", NULL};
    struct command_settings settings = {.argv = argv, .user = "nobody", .output_max_bytes = 4096};
    char *dir = folder_make(), *owned_path = file_path(NULL, "%s/owned", dir), *text, want[64];
    const char *owned[] = {owned_path, NULL};
    static const char *const none[] = {NULL};
    struct command_run run = {
        .folder = dir, .env = none, .owned = owned, .now_ms = clock_mono_ms(), .started = started};
    struct command_user user = {0};
    struct command *c;

    (void)state;
    if (geteuid() != 0 || command_find_user("nobody", &user, NULL) < 0) {
        mem_free(owned_path);
        folder_remove(dir);
        skip();
    }
    chmod(dir, 0755);
    mkdir(owned_path, 0755);
    assert_int_equal(command_check(&settings, false, NULL), 0);
    assert_non_null(c = command_start(&settings, &run, NULL));
    assert_int_equal(wait_end(c).exit_code, 0);
    text = folder_get(dir, "output");
    snprintf(want, sizeof want, "%u\n", (unsigned)user.uid);
    assert_memory_equal(text, want, strlen(want));
    assert_non_null(strstr(text, user.home));
    assert_true(folder_has(dir, "owned/file"));
    mem_free(text);
    mem_free(owned_path);
    command_free(c);
    folder_remove(dir);
}

static void an_orphan_is_ended_and_nobody_else_is(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "sleep 60", NULL};
    struct command_settings settings = {.grace_ms = 100};
    char *dir = folder_make();
    struct command_end end;
    struct command *c;
    int64_t group;

    (void)state;
    assert_false(
        command_end_orphan(dir, getpgrp())); /* no lock is held: not ours, and left alone */
    assert_non_null(c = start(dir, argv, &settings, NULL));
    group = command_group(c);
    assert_true(command_end_orphan(dir, group));
    end = wait_end(c);
    assert_int_equal(end.signal, SIGTERM);
    assert_false(command_end_orphan(dir, group));
    command_free(c);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_runs_and_its_output_is_kept),
        cmocka_unit_test(settings_of_the_agent_do_not_reach_it),
        cmocka_unit_test(words_stay_words),
        cmocka_unit_test(no_descriptor_of_ours_reaches_it_but_the_lock),
        cmocka_unit_test(a_time_limit_ends_the_whole_group),
        cmocka_unit_test(who_ignores_term_is_killed_after_the_grace),
        cmocka_unit_test(what_its_leader_leaves_behind_goes_too),
        cmocka_unit_test(output_has_a_limit_and_its_end_is_kept),
        cmocka_unit_test(a_command_that_is_not_there_says_so),
        cmocka_unit_test(without_the_mark_it_never_runs),
        cmocka_unit_test(root_is_refused_unless_the_owner_says_so),
        cmocka_unit_test(root_becomes_another_user_and_cannot_come_back),
        cmocka_unit_test(an_orphan_is_ended_and_nobody_else_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
