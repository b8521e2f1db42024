/* test_log_file.c - lines in a file that is set aside, moved away, removed, or cannot be had. */
#include "common/core/log_file.h"
#include "common/core/err.h"
#include "common/core/log.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

struct lab {
    char *folder, *path;
};

static int start(void **state)
{
    static struct lab lab;

    lab.folder = folder_make();
    lab.path = file_path(NULL, "%s/agent.log", lab.folder);
    log_set_level(LOGL_INFO);
    *state = &lab;
    return lab.path ? 0 : -1;
}

static int stop(void **state)
{
    struct lab *lab = *state;

    log_file_close();
    mem_free(lab->path);
    folder_remove(lab->folder);
    return 0;
}

/* Whether folder/name holds this text somewhere. */
static bool holds(const struct lab *lab, const char *name, const char *text)
{
    char *all = folder_get(lab->folder, name);
    bool is = all && strstr(all, text);

    mem_free(all);
    return is;
}

static size_t size_of(const struct lab *lab, const char *name)
{
    char *all = folder_get(lab->folder, name);
    size_t len = all ? strlen(all) : 0;

    mem_free(all);
    return len;
}

static void lines_go_to_the_file(void **state)
{
    struct lab *lab = *state;
    char *all;

    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, 2, NULL), 0);
    log_info("mac-07", "hello");
    log_warn(NULL, "twice");
    all = folder_get(lab->folder, "agent.log");
    assert_non_null(strstr(all, " INFO mac-07: hello\n"));
    assert_non_null(strstr(all, " WARN twice\n"));
    assert_int_equal(all[strlen(all) - 1], '\n');
    mem_free(all);
}

static void what_was_there_stays(void **state)
{
    struct lab *lab = *state;

    folder_put(lab->folder, "agent.log", "before\n");
    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, 2, NULL), 0);
    log_info(NULL, "after");
    assert_true(holds(lab, "agent.log", "before\n"));
    assert_true(holds(lab, "agent.log", "after\n"));
}

/* No file is ever larger than it may be, no line is lost but with the oldest file, none is cut. */
static void a_full_file_is_set_aside(void **state)
{
    struct lab *lab = *state;
    char line[64];

    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, 2, NULL), 0);
    for (int i = 0; i < 6000; i++)
        log_info(NULL, "line %06d of many, all of them alike", i);
    assert_true(size_of(lab, "agent.log") <= LOG_FILE_MIN_BYTES);
    assert_true(size_of(lab, "agent.log.1") <= LOG_FILE_MIN_BYTES);
    assert_true(size_of(lab, "agent.log.1") > LOG_FILE_MIN_BYTES - 200);
    assert_true(size_of(lab, "agent.log.2") > LOG_FILE_MIN_BYTES - 200);
    assert_int_equal(folder_has(lab->folder, "agent.log.3"), 0);
    for (int i = 4500; i < 6000; i++) {
        snprintf(line, sizeof line, "line %06d of many, all of them alike\n", i);
        if (i % 100 == 0)
            assert_true(holds(lab, "agent.log", line) || holds(lab, "agent.log.1", line) ||
                        holds(lab, "agent.log.2", line));
    }
    assert_true(holds(lab, "agent.log", "line 005999"));
}

static void none_older_are_kept_where_none_are_wanted(void **state)
{
    struct lab *lab = *state;

    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, 0, NULL), 0);
    for (int i = 0; i < 3000; i++)
        log_info(NULL, "line %06d of many, all of them alike", i);
    assert_true(size_of(lab, "agent.log") <= LOG_FILE_MIN_BYTES);
    assert_true(holds(lab, "agent.log", "line 002999"));
    assert_int_equal(folder_has(lab->folder, "agent.log.1"), 0);
}

static void a_file_that_was_moved_or_removed_is_made_anew(void **state)
{
    struct lab *lab = *state;
    char *aside = file_path(NULL, "%s/aside", lab->folder);

    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, 2, NULL), 0);
    log_info(NULL, "first");
    assert_int_equal(rename(lab->path, aside), 0);
    log_info(NULL, "second");
    assert_int_equal(unlink(lab->path), 0);
    log_info(NULL, "third");
    assert_true(holds(lab, "aside", "first\n"));
    assert_false(holds(lab, "aside", "second"));
    assert_true(holds(lab, "agent.log", "third\n"));
    assert_false(holds(lab, "agent.log", "second"));
    mem_free(aside);
}

static void what_cannot_be_had_is_said_and_changes_nothing(void **state)
{
    struct lab *lab = *state;
    char *link = file_path(NULL, "%s/link", lab->folder),
         *nowhere = file_path(NULL, "%s/no/such.log", lab->folder);
    char long_path[5000];
    struct err err;

    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, 2, NULL), 0);
    assert_int_equal(symlink(lab->path, link), 0);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(log_file_open(nowhere, LOG_FILE_MIN_BYTES, 2, &err), -1);
    assert_non_null(strstr(err.text, "no/such.log"));
    assert_int_equal(log_file_open(link, LOG_FILE_MIN_BYTES, 2, &err), -1);
    assert_int_equal(log_file_open(lab->folder, LOG_FILE_MIN_BYTES, 2, &err), -1);
    assert_int_equal(log_file_open(long_path, LOG_FILE_MIN_BYTES, 2, &err), -1);
    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES - 1, 2, &err), -1);
    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, -1, &err), -1);
    assert_int_equal(log_file_open(lab->path, LOG_FILE_MIN_BYTES, LOG_FILES_MAX + 1, &err), -1);
    log_info(NULL, "still here");
    assert_true(holds(lab, "agent.log", "still here\n"));
    mem_free(nowhere);
    mem_free(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_go_to_the_file, start, stop),
        cmocka_unit_test_setup_teardown(what_was_there_stays, start, stop),
        cmocka_unit_test_setup_teardown(a_full_file_is_set_aside, start, stop),
        cmocka_unit_test_setup_teardown(none_older_are_kept_where_none_are_wanted, start, stop),
        cmocka_unit_test_setup_teardown(a_file_that_was_moved_or_removed_is_made_anew, start, stop),
        cmocka_unit_test_setup_teardown(what_cannot_be_had_is_said_and_changes_nothing, start,
                                        stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
