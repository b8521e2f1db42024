#include "common/net/keys.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct folder {
    char path[64];
    char file[128];
};

static int folder_make(void **state)
{
    static struct folder f;

    snprintf(f.path, sizeof f.path, "/tmp/espalier-keys-XXXXXX");
    if (!mkdtemp(f.path))
        return -1;
    snprintf(f.file, sizeof f.file, "%s/agent.key", f.path);
    *state = &f;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *f = *state;

    return file_remove_tree(f->path, NULL);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void keys_are_made_once_and_then_read(void **state)
{
    struct folder *f = *state;
    struct net_keys made;
    struct net_keys read;
    struct err err = {ERR_NONE, ""};

    assert_int_equal(net_keys_load_or_make(f->file, &made, &err), 0);
    assert_int_equal(mode_of(f->file), 0600);
    assert_int_equal(net_keys_load_or_make(f->file, &read, &err), 0);
    assert_memory_equal(&made, &read, sizeof made);
    memset(&read, 0, sizeof read);
    assert_int_equal(net_keys_load(f->file, &read, &err), 0);
    assert_memory_equal(&made, &read, sizeof made);
}

static void folders_above_are_made_for_the_owner_alone(void **state)
{
    struct folder *f = *state;
    struct net_keys keys;
    char path[256];

    snprintf(path, sizeof path, "%s/a/b/agent.key", f->path);
    assert_int_equal(net_keys_load_or_make(path, &keys, NULL), 0);
    snprintf(path, sizeof path, "%s/a/b", f->path);
    assert_int_equal(mode_of(path), 0700);
}

static void an_absent_file_is_not_found(void **state)
{
    struct folder *f = *state;
    struct net_keys keys = {"as it was", ""};
    struct err err = {ERR_NONE, ""};

    assert_int_equal(net_keys_load(f->file, &keys, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, f->file));
    assert_string_equal(keys.public_key, "as it was");
    assert_false(file_exists(f->file));
}

static void a_file_that_others_may_use_is_refused_with_the_remedy(void **state)
{
    struct folder *f = *state;
    const mode_t bad[] = {0604, 0602, 0640, 0620, 0610, 0644, 0777};
    struct net_keys made;
    struct net_keys keys;
    char remedy[256];

    assert_int_equal(net_keys_load_or_make(f->file, &made, NULL), 0);
    snprintf(remedy, sizeof remedy, "chmod 600 %s", f->file);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {ERR_NONE, ""};

        assert_int_equal(chmod(f->file, bad[i]), 0);
        assert_int_equal(net_keys_load_or_make(f->file, &keys, &err), -1);
        assert_int_equal(err.code, ERR_DENIED);
        assert_non_null(strstr(err.text, remedy));
    }
    assert_int_equal(chmod(f->file, 0400), 0);
    assert_int_equal(net_keys_load_or_make(f->file, &keys, NULL), 0);
    assert_memory_equal(&made, &keys, sizeof made);
}

static void a_folder_or_pipe_under_that_name_is_refused(void **state)
{
    struct folder *f = *state;
    struct net_keys keys;
    struct err err = {ERR_NONE, ""};

    assert_int_equal(net_keys_load_or_make(f->path, &keys, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(mkfifo(f->file, 0600), 0);
    assert_int_equal(net_keys_load_or_make(f->file, &keys, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

/* Text of a good file into text; its length. */
static size_t good_text(const char *path, char text[256])
{
    struct net_keys keys;
    char *data = NULL;
    size_t len;

    assert_int_equal(net_keys_load_or_make(path, &keys, NULL), 0);
    assert_int_equal(file_read(path, 255, &data, &len, NULL), 0);
    memcpy(text, data, len + 1);
    mem_free(data);
    return len;
}

static void refuse_text(const char *path, const char *text, size_t len)
{
    struct net_keys keys = {"as it was", ""};
    struct err err = {ERR_NONE, ""};

    assert_int_equal(file_write_atomic(path, 0600, text, len, NULL), 0);
    assert_int_equal(net_keys_load_or_make(path, &keys, &err), -1);
    assert_int_equal(err.code, ERR_MALFORMED);
    assert_string_equal(keys.public_key, "as it was");
}

/* A damaged file is never replaced: it may be mended, and new keys would be another device. */
static void every_truncation_is_refused(void **state)
{
    struct folder *f = *state;
    char text[256];
    size_t len = good_text(f->file, text);

    for (size_t cut = 0; cut < len; cut++)
        refuse_text(f->file, text, cut);
    text[len] = '\n';
    refuse_text(f->file, text, len + 1);
}

static void every_flipped_bit_is_refused(void **state)
{
    struct folder *f = *state;
    char text[256];
    size_t len = good_text(f->file, text);
    size_t refused = 0;

    for (size_t bit = 0; bit < 8 * len; bit += 3) { /* each byte, two or three of its bits */
        struct net_keys keys;

        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(file_write_atomic(f->file, 0600, text, len, NULL), 0);
        refused += net_keys_load(f->file, &keys, NULL) < 0;
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    /* X25519 ignores five bits of a secret key, so another text of it may be as good. */
    assert_in_range(refused, (8 * len + 2) / 3 - 5, (8 * len + 2) / 3);
}

static void halves_of_two_pairs_are_refused(void **state)
{
    struct folder *f = *state;
    struct net_keys a;
    struct net_keys b;
    struct err err = {ERR_NONE, ""};
    char text[256];
    int len;

    assert_int_equal(net_keys_make(&a, NULL), 0);
    assert_int_equal(net_keys_make(&b, NULL), 0);
    len = snprintf(text, sizeof text, "espalier-public-key %s\nespalier-secret-key %s\n",
                   a.public_key, b.secret_key);
    assert_int_equal(file_write_atomic(f->file, 0600, text, (size_t)len, NULL), 0);
    assert_int_equal(net_keys_load(f->file, &a, &err), -1);
    assert_non_null(strstr(err.text, "does not belong"));
    assert_null(strstr(err.text, b.secret_key));
}

static void a_large_file_is_refused(void **state)
{
    struct folder *f = *state;
    char text[4096];

    memset(text, 'x', sizeof text);
    refuse_text(f->file, text, sizeof text);
}

static void making_survives_lost_memory(void **state)
{
    struct folder *f = *state;
    struct net_keys keys = {"as it was", ""};
    int nth = 0;
    int rc;

    do {
        mem_fail_at((unsigned)++nth);
        rc = net_keys_load_or_make(f->file, &keys, NULL);
        mem_fail_at(0);
        if (rc < 0)
            assert_string_equal(keys.public_key, "as it was");
        if (rc < 0 && file_exists(f->file)) { /* it failed late: then the file is whole */
            struct net_keys whole;

            assert_int_equal(net_keys_load(f->file, &whole, NULL), 0);
            assert_int_equal(unlink(f->file), 0);
        }
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 2, 999);
}

static void a_folder_that_cannot_be_written_is_an_error(void **state)
{
    struct net_keys keys;
    struct err err = {ERR_NONE, ""};

    (void)state;
    assert_int_equal(net_keys_load_or_make("/dev/null/agent.key", &keys, &err), -1);
    assert_non_null(strstr(err.text, "/dev/null"));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(keys_are_made_once_and_then_read),
        ROW(folders_above_are_made_for_the_owner_alone),
        ROW(an_absent_file_is_not_found),
        ROW(a_file_that_others_may_use_is_refused_with_the_remedy),
        ROW(a_folder_or_pipe_under_that_name_is_refused),
        ROW(every_truncation_is_refused),
        ROW(every_flipped_bit_is_refused),
        ROW(halves_of_two_pairs_are_refused),
        ROW(a_large_file_is_refused),
        ROW(making_survives_lost_memory),
        ROW(a_folder_that_cannot_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
