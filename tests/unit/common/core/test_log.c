#include "common/core/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct seen {
    char last[LOG_LINE_MAX + 1];
    size_t len;
    enum log_level level;
    int count;
};

static void see(void *arg, enum log_level level, const char *line, size_t len)
{
    struct seen *seen = arg;

    memcpy(seen->last, line, len + 1);
    seen->len = len;
    seen->level = level;
    seen->count++;
}

/* What follows the time, which is checked for its shape. */
static const char *after_time(const char *line)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

    for (size_t i = 0; shape[i]; i++)
        assert_true(shape[i] == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape[i]);
    return line + strlen(shape);
}

static int listen(void **state)
{
    static struct seen seen;

    memset(&seen, 0, sizeof seen);
    *state = &seen;
    log_set_level(LOGL_INFO);
    log_set_sink(see, &seen);
    return 0;
}

static int hush(void **state)
{
    (void)state;
    log_set_sink(NULL, NULL);
    log_set_level(LOGL_INFO);
    return 0;
}

static void an_event_is_a_line_with_its_peer(void **state)
{
    struct seen *seen = *state;

    log_warn("mac-07", "report is %d s late, asked again", 40);
    assert_string_equal(after_time(seen->last), "WARN mac-07: report is 40 s late, asked again");
    assert_int_equal(seen->level, LOGL_WARN);
    assert_int_equal(seen->len, strlen(seen->last));
    log_info(NULL, "ready");
    assert_string_equal(after_time(seen->last), "INFO ready");
    log_err("disk", "full");
    assert_string_equal(after_time(seen->last), "ERR disk: full");
    assert_int_equal(seen->count, 3);
}

static void levels_hold_back_the_rest(void **state)
{
    struct seen *seen = *state;

    log_debug("x", "hidden");
    assert_int_equal(seen->count, 0);
    log_set_level(LOGL_DEBUG);
    assert_int_equal(log_get_level(), LOGL_DEBUG);
    log_debug("x", "shown");
    assert_string_equal(after_time(seen->last), "DEBUG x: shown");
    log_set_level(LOGL_ERR);
    log_warn("x", "hidden");
    assert_int_equal(seen->count, 1);
    log_err("x", "shown");
    assert_int_equal(seen->count, 2);
}

static void strangers_cannot_forge_lines(void **state)
{
    struct seen *seen = *state;

    log_info("a\nERR b", "%s", "\x1b[31m\t\xff\x7f\xc2\x9b \xc3\xa9");
    assert_string_equal(after_time(seen->last),
                        "INFO a\\nERR b: \\x1b[31m\\t\\xff\\x7f\\xc2\\x9b \xc3\xa9");
}

static void long_lines_are_cut_visibly(void **state)
{
    struct seen *seen = *state;
    char text[4 * LOG_LINE_MAX];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    log_info("peer", "%s", text);
    assert_true(seen->len < LOG_LINE_MAX);
    assert_string_equal(seen->last + seen->len - 4, "x...");
    log_info(text, "lost");
    assert_true(seen->len < LOG_LINE_MAX);
    memset(text, '\n', sizeof text - 1);
    log_info("peer", "%s", text);
    assert_true(seen->len < LOG_LINE_MAX);
    assert_string_equal(seen->last + seen->len - 5, "\\n...");
    log_info("peer", "and on");
    assert_string_equal(after_time(seen->last), "INFO peer: and on");
}

static void levels_have_names(void **state)
{
    enum log_level level = LOGL_WARN;

    (void)state;
    for (int i = LOGL_ERR; i <= LOGL_DEBUG; i++) {
        assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_parse("loud", &level), -1);
    assert_int_equal(log_level_parse("", &level), -1);
    assert_int_equal(log_level_parse(NULL, &level), -1);
    assert_int_equal(level, LOGL_DEBUG);
}

/* Without a sink lines go to stderr, whole. */
static void lines_go_to_stderr(void **state)
{
    char text[256];
    int pipe_fd[2], kept;
    ssize_t n;

    (void)state;
    log_set_sink(NULL, NULL);
    assert_int_equal(pipe(pipe_fd), 0);
    kept = dup(STDERR_FILENO);
    dup2(pipe_fd[1], STDERR_FILENO);
    log_err("peer", "one");
    log_err("peer", "two");
    dup2(kept, STDERR_FILENO);
    n = read(pipe_fd[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "Z ERR peer: one\n"));
    assert_non_null(strstr(text, "Z ERR peer: two\n"));
    close(kept);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

static void *chat(void *arg)
{
    for (int i = 0; i < 500; i++)
        log_info(arg, "%d", i);
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    struct seen *seen = *state;
    char names[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chat, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(seen->count, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_is_a_line_with_its_peer, listen, hush),
        cmocka_unit_test_setup_teardown(levels_hold_back_the_rest, listen, hush),
        cmocka_unit_test_setup_teardown(strangers_cannot_forge_lines, listen, hush),
        cmocka_unit_test_setup_teardown(long_lines_are_cut_visibly, listen, hush),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test_setup_teardown(lines_go_to_stderr, listen, hush),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_lines, listen, hush),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
