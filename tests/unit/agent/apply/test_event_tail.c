/* test_event_tail.c - a file that somebody else is writing, read across restarts. */
#include "agent/apply/event_tail.h"
#include "agent/apply/event_line.h"
#include "common/model/agent_message.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

/* Append to the events of a folder. */
static void add(const char *dir, const char *text)
{
    char *path = file_path(NULL, "%s/events.jsonl", dir);
    FILE *f = fopen(path, "a");

    fputs(text, f);
    fclose(f);
    mem_free(path);
}

/* The next event's sequence, 0 when there is none; its iteration through `out`, unless NULL. */
static int64_t next(struct event_tail *t, bool ended, int64_t *iteration)
{
    struct measurement *m = NULL;
    int64_t sequence = 0;
    int rc = event_tail_next(t, ended, 100, &m, NULL);

    assert_true(rc >= 0);
    if (rc == 1) {
        sequence = m->sequence;
        if (iteration)
            *iteration = m->iteration;
    }
    measurement_free(m);
    return sequence;
}

static void lines_come_as_they_are_finished(void **state)
{
    char *dir = folder_make();
    struct event_tail *t = event_tail_new(dir, NULL);
    int64_t iteration = 0;

    (void)state;
    assert_int_equal(next(t, false, NULL), 0); /* no file yet */
    assert_true(event_tail_is_done(t));
    add(dir, "{\"step\":10}\n{\"step\"");
    assert_int_equal(next(t, false, &iteration), 1);
    assert_int_equal(iteration, 10);
    assert_int_equal(next(t, false, NULL), 0);
    add(dir, ":20}\n{\"step\":30}");
    assert_int_equal(next(t, false, &iteration), 2);
    assert_int_equal(iteration, 20);
    assert_int_equal(next(t, false, NULL), 0);
    assert_int_equal(next(t, true, &iteration), 3); /* the last one needs no newline */
    assert_int_equal(iteration, 30);
    assert_false(event_tail_is_done(t));
    for (int64_t i = 1; i <= 3; i++)
        event_tail_settle(t, i);
    assert_true(event_tail_is_done(t));
    event_tail_free(t);
    folder_remove(dir);
}

static void what_is_settled_is_not_read_again_after_a_restart(void **state)
{
    char *dir = folder_make();
    struct event_tail *t = event_tail_new(dir, NULL);

    (void)state;
    add(dir, "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n");
    for (int64_t i = 1; i <= 4; i++)
        assert_int_equal(next(t, false, NULL), i);
    event_tail_settle(t, 1);
    event_tail_settle(t, 3); /* out of order: 2 is still open */
    assert_int_equal(event_tail_save(t, NULL), 0);
    event_tail_free(t);

    t = event_tail_new(dir, NULL);
    for (int64_t i = 2; i <= 4; i++) /* under the same numbers */
        assert_int_equal(next(t, true, NULL), i);
    for (int64_t i = 2; i <= 4; i++)
        event_tail_settle(t, i);
    event_tail_settle(t, 4); /* twice */
    event_tail_settle(t, 99);
    assert_int_equal(event_tail_save(t, NULL), 0);
    event_tail_free(t);

    t = event_tail_new(dir, NULL);
    assert_int_equal(next(t, true, NULL), 0);
    assert_true(event_tail_is_done(t));
    event_tail_free(t);
    folder_remove(dir);
}

static void garbage_is_counted_and_keeps_its_number(void **state)
{
    char *dir = folder_make();
    struct event_tail *t = event_tail_new(dir, NULL);

    (void)state;
    add(dir, "hello\n\n{\"step\":1}\r\n[]\n{\"step\":2}\n");
    assert_int_equal(next(t, false, NULL), 3);
    assert_int_equal(next(t, false, NULL), 5);
    assert_int_equal(next(t, false, NULL), 0);
    assert_int_equal(event_tail_counts(t).lines, 5);
    assert_int_equal(event_tail_counts(t).garbage, 2); /* an empty line is none */
    event_tail_settle(t, 5);
    event_tail_settle(t, 3);
    assert_true(event_tail_is_done(t));
    event_tail_free(t);
    folder_remove(dir);
}

static void a_line_without_end_is_passed_over(void **state)
{
    char *dir = folder_make(), chunk[4001];
    struct event_tail *t = event_tail_new(dir, NULL);

    (void)state;
    memset(chunk, 'x', sizeof chunk - 1);
    chunk[sizeof chunk - 1] = '\0';
    for (int i = 0; i < 20; i++) { /* 80 kB */
        add(dir, chunk);
        assert_int_equal(next(t, false, NULL), 0);
    }
    add(dir, "\n{\"step\":1}\n");
    assert_int_equal(next(t, false, NULL), 2);
    assert_int_equal(event_tail_counts(t).oversize, 1);
    event_tail_settle(t, 2);
    assert_true(event_tail_is_done(t));
    event_tail_free(t);
    folder_remove(dir);
}

/* Lines of every length around the limit, each found or passed over, none lost. */
static void lines_at_the_limit(void **state)
{
    char *line = mem_zalloc(EVENT_LINE_MAX + 16);

    (void)state;
    for (size_t len = EVENT_LINE_MAX - 2; len <= EVENT_LINE_MAX + 2; len++) {
        char *dir = folder_make();
        struct event_tail *t = event_tail_new(dir, NULL);

        memset(line, ' ', len);
        memcpy(line, "{\"step\":5}", 10);
        memcpy(line + len, "\n", 2);
        add(dir, line);
        add(dir, "{\"step\":6}\n");
        if (len <= EVENT_LINE_MAX)
            assert_int_equal(next(t, false, NULL), 1);
        assert_int_equal(next(t, false, NULL), 2);
        event_tail_free(t);
        folder_remove(dir);
    }
    mem_free(line);
}

static void only_a_window_is_handed_out(void **state)
{
    char *dir = folder_make();
    struct event_tail *t = event_tail_new(dir, NULL);

    (void)state;
    for (int i = 0; i < EVENT_TAIL_WINDOW + 5; i++)
        add(dir, "{\"step\":1}\n");
    for (int64_t i = 1; i <= EVENT_TAIL_WINDOW; i++)
        assert_int_equal(next(t, true, NULL), i);
    assert_int_equal(next(t, true, NULL), 0);
    assert_false(event_tail_is_done(t));
    event_tail_settle(t, 2); /* not the first: no room yet */
    assert_int_equal(next(t, true, NULL), 0);
    event_tail_settle(t, 1);
    assert_int_equal(next(t, true, NULL), EVENT_TAIL_WINDOW + 1);
    assert_int_equal(next(t, true, NULL), EVENT_TAIL_WINDOW + 2);
    assert_int_equal(next(t, true, NULL), 0);
    event_tail_free(t);
    folder_remove(dir);
}

static void a_file_that_was_cut_goes_on_with_new_numbers(void **state)
{
    char *dir = folder_make();
    struct event_tail *t = event_tail_new(dir, NULL);

    (void)state;
    add(dir, "{\"step\":1}\n{\"step\":2}\n");
    assert_int_equal(next(t, false, NULL), 1);
    assert_int_equal(next(t, false, NULL), 2);
    folder_put(dir, "events.jsonl", "{\"step\":3}\n");
    assert_int_equal(next(t, false, NULL), 3);
    event_tail_free(t);
    folder_remove(dir);
}

static void links_and_devices_are_not_read(void **state)
{
    char *dir = folder_make(), *path = file_path(NULL, "%s/events.jsonl", dir);
    struct event_tail *t = event_tail_new(dir, NULL);
    struct measurement *m = NULL;

    (void)state;
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(event_tail_next(t, false, 0, &m, NULL), -1);
    assert_int_equal(event_file_close_line(dir, NULL), -1);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(event_tail_next(t, false, 0, &m, NULL), -1);
    event_tail_free(t);
    mem_free(path);
    folder_remove(dir);
}

static void a_position_that_does_not_read_starts_anew(void **state)
{
    static const char *const positions[] = {"",
                                            "x",
                                            "{}",
                                            "{\"line\": -1, \"offset\": 4}",
                                            "{\"line\": 1}",
                                            "{\"line\": 1.5, \"offset\": 4}"};

    (void)state;
    for (size_t i = 0; i < sizeof positions / sizeof positions[0]; i++) {
        char *dir = folder_make();
        struct event_tail *t;

        folder_put(dir, "events.position", positions[i]);
        add(dir, "{\"step\":1}\n");
        t = event_tail_new(dir, NULL);
        assert_int_equal(next(t, true, NULL), 1);
        event_tail_free(t);
        folder_remove(dir);
    }
}

static void an_unfinished_line_is_closed_for_another_run(void **state)
{
    char *dir = folder_make(), *text;

    (void)state;
    assert_int_equal(event_file_close_line(dir, NULL), 0); /* no file */
    assert_false(folder_has(dir, "events.jsonl"));
    add(dir, "{\"step\":");
    assert_int_equal(event_file_close_line(dir, NULL), 0);
    assert_int_equal(event_file_close_line(dir, NULL), 0); /* nothing to do */
    text = folder_get(dir, "events.jsonl");
    assert_string_equal(text, "{\"step\":\n");
    mem_free(text);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_as_they_are_finished),
        cmocka_unit_test(what_is_settled_is_not_read_again_after_a_restart),
        cmocka_unit_test(garbage_is_counted_and_keeps_its_number),
        cmocka_unit_test(a_line_without_end_is_passed_over),
        cmocka_unit_test(lines_at_the_limit),
        cmocka_unit_test(only_a_window_is_handed_out),
        cmocka_unit_test(a_file_that_was_cut_goes_on_with_new_numbers),
        cmocka_unit_test(links_and_devices_are_not_read),
        cmocka_unit_test(a_position_that_does_not_read_starts_anew),
        cmocka_unit_test(an_unfinished_line_is_closed_for_another_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
