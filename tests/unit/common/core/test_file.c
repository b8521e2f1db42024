#include "common/core/file.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A folder of its own for each test. */
static int folder_new(void **state)
{
    char *dir = strdup("/tmp/espalier-file-XXXXXX");

    *state = dir;
    return dir && mkdtemp(dir) ? 0 : -1;
}

static int folder_free(void **state)
{
    int rc = file_remove_tree(*state, NULL);

    free(*state);
    return rc;
}

static char *in(void **state, const char *name)
{
    char *path = file_path(NULL, "%s/%s", (char *)*state, name);

    assert_non_null(path);
    return path;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(file_write_atomic(path, 0644, text, strlen(text), NULL), 0);
}

static void assert_holds(const char *path, const char *text)
{
    char *data;

    assert_int_equal(file_read(path, 100000, &data, NULL, NULL), 0);
    assert_string_equal(data, text);
    mem_free(data);
}

static size_t entries_in(const char *path)
{
    char **names;
    size_t count;

    assert_int_equal(file_list(path, 1000, &names, &count, NULL), 0);
    file_list_free(names, count);
    return count;
}

static void what_is_written_is_read(void **state)
{
    char *path = in(state, "plan.json"), *data;
    struct stat st;
    size_t len;

    put(path, "one");
    assert_holds(path, "one");
    assert_int_equal(file_write_atomic(path, 0600, "a\0b", 3, NULL), 0);
    assert_int_equal(file_read(path, 3, &data, &len, NULL), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(data, "a\0b\0", 4);
    mem_free(data);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(entries_in(*state), 1); /* nothing is left beside it */
    mem_free(path);
}

static void reading_has_limits(void **state)
{
    char *path = in(state, "f"), *data = (char *)"untouched";
    struct err err;
    size_t len = 7;

    put(path, "four");
    assert_int_equal(file_read(path, 3, &data, &len, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_non_null(strstr(err.text, "is longer than 3 bytes"));
    assert_int_equal(file_write_atomic(path, 0644, "a\0b", 3, NULL), 0);
    assert_int_equal(file_read(path, 100, &data, NULL, &err), -1);
    assert_int_equal(err.code, ERR_MALFORMED);
    assert_string_equal(data, "untouched");
    assert_int_equal(len, 7);
    put(path, "");
    assert_int_equal(file_read(path, 0, &data, &len, NULL), 0);
    assert_int_equal(len, 0);
    mem_free(data);
    mem_free(path);
}

static void what_is_not_there_is_named(void **state)
{
    char *path = in(state, "missing/f"), *data;
    struct err err;

    assert_int_equal(file_read(path, 10, &data, NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "missing/f"));
    assert_int_equal(file_write_atomic(path, 0644, "x", 1, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(file_read(*state, 10, &data, NULL, &err), -1); /* a folder */
    assert_false(file_exists(path));
    assert_true(file_exists(*state));
    mem_free(path);
}

/* A link in the place of the file is replaced, not followed. */
static void writing_does_not_follow_links(void **state)
{
    char *path = in(state, "link"), *target = in(state, "target");

    put(target, "kept");
    assert_int_equal(symlink(target, path), 0);
    put(path, "new");
    assert_holds(target, "kept");
    assert_holds(path, "new");
    mem_free(path);
    mem_free(target);
}

static void a_failed_write_leaves_the_old(void **state)
{
    char *path = in(state, "f"), *inside = in(state, "d/f"), *folder = in(state, "d");
    unsigned nth = 0;
    int rc;

    put(path, "old");
    do {
        mem_fail_at(++nth);
        rc = file_write_atomic(path, 0644, "new", 3, NULL);
        mem_fail_at(0);
        assert_true(file_exists(path));
    } while (rc < 0 && nth < 100);
    assert_in_range(nth, 2, 99);
    assert_int_equal(file_make_dirs(inside, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(folder, 0644, "x", 1, NULL), -1); /* not over a folder */
    assert_int_equal(entries_in(*state), 2);
    mem_free(path);
    mem_free(inside);
    mem_free(folder);
}

static void folders_are_made_all_the_way(void **state)
{
    char *deep = in(state, "a/b//c/"), *file = in(state, "a/f"), *below = in(state, "a/f/x");
    struct err err;

    assert_int_equal(file_make_dirs(deep, 0755, NULL), 0);
    assert_int_equal(file_make_dirs(deep, 0755, NULL), 0);
    put(file, "x");
    assert_int_equal(file_make_dirs(file, 0755, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(file_make_dirs(below, 0755, &err), -1);
    assert_int_equal(file_make_dirs("/", 0755, NULL), 0);
    assert_int_equal(file_make_dirs("", 0755, NULL), -1);
    mem_free(deep);
    mem_free(file);
    mem_free(below);
}

static void paths_have_a_limit(void **state)
{
    struct err err;
    char *path = file_path(NULL, "%0*d", PATH_TEXT_MAX, 1);

    (void)state;
    assert_int_equal(strlen(path), PATH_TEXT_MAX);
    mem_free(path);
    assert_null(file_path(&err, "%0*d", PATH_TEXT_MAX + 1, 1));
    assert_int_equal(err.code, ERR_TOO_BIG);
}

static void lists_are_sorted_and_bounded(void **state)
{
    static const char *const names[] = {"pear", ".hidden", "apple", "plum", "Zebra"};
    char **found = NULL;
    size_t count = 99;
    struct err err;

    assert_int_equal(entries_in(*state), 0);
    for (size_t i = 0; i < 5; i++) {
        char *path = in(state, names[i]);

        put(path, "x");
        mem_free(path);
    }
    assert_int_equal(file_list(*state, 3, &found, &count, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_null(found);
    assert_int_equal(count, 99);
    assert_int_equal(file_list(*state, 4, &found, &count, NULL), 0);
    assert_int_equal(count, 4);
    assert_string_equal(found[0], "Zebra");
    assert_string_equal(found[1], "apple");
    assert_string_equal(found[3], "plum");
    file_list_free(found, count);
    for (unsigned nth = 1; nth <= 5; nth++) {
        mem_fail_at(nth);
        assert_int_equal(file_list(*state, 4, &found, &count, &err), -1);
        mem_fail_at(0);
        assert_int_equal(err.code, ERR_NOMEM);
    }
    file_list_free(NULL, 0);
    assert_int_equal(file_list("/nowhere", 4, &found, &count, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void trees_go_without_what_they_point_at(void **state)
{
    char *tree = in(state, "tree"), *deep = in(state, "tree/a/b"), *link = in(state, "tree/a/link"),
         *outside = in(state, "outside"), *kept = in(state, "outside/kept"),
         *file = in(state, "tree/a/b/f");

    assert_int_equal(file_make_dirs(deep, 0755, NULL), 0);
    assert_int_equal(file_make_dirs(outside, 0755, NULL), 0);
    put(kept, "kept");
    put(file, "x");
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(file_remove_tree(tree, NULL), 0);
    assert_false(file_exists(tree));
    assert_holds(kept, "kept");
    assert_int_equal(file_remove_tree(tree, NULL), 0); /* nothing there is fine */
    assert_int_equal(symlink(outside, tree), 0);
    assert_int_equal(file_remove_tree(tree, NULL), 0); /* the link itself */
    assert_holds(kept, "kept");
    assert_int_equal(file_remove_tree(kept, NULL), 0); /* one file */
    assert_false(file_exists(kept));
    mem_free(tree);
    mem_free(deep);
    mem_free(link);
    mem_free(outside);
    mem_free(kept);
    mem_free(file);
}

static void trees_that_are_too_deep_stay(void **state)
{
    char *top = in(state, "top"), *path = in(state, "top");
    struct err err;

    for (int i = 1; i < FILE_TREE_DEPTH_MAX; i++) { /* with top, as deep as may be */
        char *deeper = file_path(NULL, "%s/d", path);

        mem_free(path);
        path = deeper;
    }
    assert_int_equal(file_make_dirs(path, 0755, NULL), 0);
    assert_int_equal(file_remove_tree(top, NULL), 0);
    assert_false(file_exists(top));
    mem_free(top);

    top = file_path(NULL, "%s/d", path);
    assert_int_equal(file_make_dirs(top, 0755, NULL), 0);
    mem_free(top);
    top = in(state, "top");
    assert_int_equal(file_remove_tree(top, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    mem_free(top);
    top = in(state, "top/d"); /* one less is fine again */
    assert_int_equal(file_remove_tree(top, NULL), 0);
    mem_free(top);
    mem_free(path);
}

static void one_process_holds_a_lock(void **state)
{
    char *path = in(state, "lock"), expect[64];
    struct err err;
    int fd = -1, second = -1;

    assert_int_equal(file_lock(path, &fd, NULL), 0);
    assert_int_equal(file_lock(path, &second, &err), -1);
    assert_int_equal(err.code, ERR_BUSY);
    snprintf(expect, sizeof expect, "held by another process (%ld)", (long)getpid());
    assert_non_null(strstr(err.text, expect));
    assert_int_equal(second, -1);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    file_unlock(fd);
    assert_int_equal(file_lock(path, &second, NULL), 0);
    file_unlock(second);
    file_unlock(-1);
    mem_free(path);
}

/* However its holder ends, a lock is free afterwards. */
static void a_lock_ends_with_its_holder(void **state)
{
    char *path = in(state, "lock");
    int fd, status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(file_lock(path, &fd, NULL) == 0 ? 7 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(file_lock(path, &fd, NULL), 0);
    file_unlock(fd);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(reading_has_limits, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_named, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(writing_does_not_follow_links, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(folders_are_made_all_the_way, folder_new, folder_free),
        cmocka_unit_test(paths_have_a_limit),
        cmocka_unit_test_setup_teardown(lists_are_sorted_and_bounded, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(trees_go_without_what_they_point_at, folder_new,
                                        folder_free),
        cmocka_unit_test_setup_teardown(trees_that_are_too_deep_stay, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(one_process_holds_a_lock, folder_new, folder_free),
        cmocka_unit_test_setup_teardown(a_lock_ends_with_its_holder, folder_new, folder_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
