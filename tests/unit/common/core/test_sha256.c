#include "common/core/sha256.h"

#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char *hash_of(const char *text, char out[SHA256_HEX_SIZE])
{
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, text, strlen(text));
    return sha256_hex(&h, out);
}

/* The examples of FIPS 180-4. */
static void the_known_hashes_come_out(void **state)
{
    char out[SHA256_HEX_SIZE];

    (void)state;
    assert_string_equal(hash_of("abc", out),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(hash_of("", out),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", out),
                        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_in_any_pieces(void **state)
{
    static const size_t pieces[] = {1, 3, 63, 64, 65, 1000, 1000000};
    char *a = malloc(1000000), out[SHA256_HEX_SIZE];

    (void)state;
    memset(a, 'a', 1000000);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct sha256 h;

        sha256_init(&h);
        for (size_t left = 1000000; left > 0;) {
            size_t n = pieces[i] < left ? pieces[i] : left;

            sha256_add(&h, a, n);
            left -= n;
        }
        assert_string_equal(sha256_hex(&h, out),
                            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
    free(a);
}

static void texts_do_not_run_together(void **state)
{
    static const char *const pairs[][2] = {{"ab", "c"},   {"a", "bc"}, {"", "abc"},
                                           {NULL, "abc"}, {"abc", ""}, {"abc", NULL}};
    char out[6][SHA256_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct sha256 h;

        sha256_init(&h);
        sha256_add_text(&h, pairs[i][0]);
        sha256_add_text(&h, pairs[i][1]);
        sha256_hex(&h, out[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(out[i], out[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_hashes_come_out),
        cmocka_unit_test(a_million_in_any_pieces),
        cmocka_unit_test(texts_do_not_run_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
