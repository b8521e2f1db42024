#include "common/net/keys.h"
#include "common/core/err.h"

#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* The pair that the specification of CURVE in libzmq's manual shows. */
#define CLIENT_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define CLIENT_SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

static void a_pair_is_made_and_its_halves_belong_together(void **state)
{
    struct net_keys a;
    struct net_keys b;
    char derived[NET_KEY_CHARS + 1];

    (void)state;
    assert_int_equal(net_keys_make(&a, NULL), 0);
    assert_int_equal(net_keys_make(&b, NULL), 0);
    assert_string_not_equal(a.secret_key, b.secret_key);
    assert_int_equal(net_key_check(a.public_key, NULL), 0);
    assert_int_equal(net_keys_derive_public(a.secret_key, derived, NULL), 0);
    assert_string_equal(derived, a.public_key);
}

static void the_public_half_is_the_one_others_derive(void **state)
{
    char derived[NET_KEY_CHARS + 1];

    (void)state;
    assert_int_equal(net_keys_derive_public(CLIENT_SECRET, derived, NULL), 0);
    assert_string_equal(derived, CLIENT_PUBLIC);
}

static void wiped_keys_hold_nothing(void **state)
{
    const struct net_keys nothing = {"", ""};
    struct net_keys keys;

    (void)state;
    assert_int_equal(net_keys_make(&keys, NULL), 0);
    net_keys_wipe(&keys);
    net_keys_wipe(NULL);
    assert_memory_equal(&keys, &nothing, sizeof keys);
}

static void what_is_no_key_is_refused_with_a_reason(void **state)
{
    const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {NULL, "absent"},
        {"", "0 characters"},
        {"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI", "39 characters"},
        {CLIENT_PUBLIC "x", "41 characters"},
        {"~ne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "not Z85"},
        {"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{h\nD", "not Z85"},
        {"#####w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "not Z85"}, /* 85^5 - 1 needs 33 bits */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {ERR_NONE, ""};
        char derived[NET_KEY_CHARS + 1] = "as it was";
        char id[ID_TEXT_MAX + 1] = "as it was";

        assert_int_equal(net_key_check(rows[i].text, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        if (!strstr(err.text, rows[i].says))
            print_error("row %zu: %s\n", i, err.text);
        assert_non_null(strstr(err.text, rows[i].says));
        assert_int_equal(net_keys_derive_public(rows[i].text, derived, NULL), -1);
        assert_string_equal(derived, "as it was");
        assert_int_equal(net_device_id(rows[i].text, id, NULL), -1);
        assert_string_equal(id, "as it was");
    }
}

static void an_error_about_a_secret_key_does_not_show_it(void **state)
{
    struct err err = {ERR_NONE, ""};
    char derived[NET_KEY_CHARS + 1];

    (void)state;
    assert_int_equal(net_keys_derive_public("D:)Q[IlAW!ahhC2ac:9*", derived, &err), -1);
    assert_null(strstr(err.text, "D:)Q"));
}

static void a_device_id_depends_on_the_key_alone_and_never_changes(void **state)
{
    struct net_keys keys;
    char id[ID_TEXT_MAX + 1];
    char other[ID_TEXT_MAX + 1];

    (void)state;
    assert_int_equal(net_device_id(CLIENT_PUBLIC, id, NULL), 0);
    assert_string_equal(id, "dgsc0q3n64k7qhp4q");
    assert_int_equal(net_keys_make(&keys, NULL), 0);
    assert_int_equal(net_device_id(keys.public_key, other, NULL), 0);
    assert_int_equal(strlen(other), NET_DEVICE_ID_CHARS);
    assert_int_equal(other[0], 'd');
    assert_int_equal(strspn(other + 1, "0123456789abcdefghjkmnpqrstvwxyz"),
                     NET_DEVICE_ID_CHARS - 1);
    assert_string_not_equal(id, other);
}

/* Every bit of the hash that is used takes part: ids of many keys use each character at each place.
 */
static void device_ids_use_their_whole_alphabet_everywhere(void **state)
{
    unsigned seen[NET_DEVICE_ID_CHARS] = {0};
    char id[ID_TEXT_MAX + 1];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char key[NET_KEY_CHARS + 1];

        snprintf(key, sizeof key, "%05d00000000000000000000000000000000000", i);
        assert_int_equal(net_device_id(key, id, NULL), 0);
        for (int at = 1; at < NET_DEVICE_ID_CHARS; at++)
            seen[at] |= 1u << (strchr("0123456789abcdefghjkmnpqrstvwxyz", id[at]) -
                               strchr("0123456789abcdefghjkmnpqrstvwxyz", '0'));
    }
    /* 1000 draws leave a given one of 32 out once in 6e13 */
    for (int at = 1; at < NET_DEVICE_ID_CHARS; at++)
        assert_int_equal(seen[at], 0xffffffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_made_and_its_halves_belong_together),
        cmocka_unit_test(the_public_half_is_the_one_others_derive),
        cmocka_unit_test(wiped_keys_hold_nothing),
        cmocka_unit_test(what_is_no_key_is_refused_with_a_reason),
        cmocka_unit_test(an_error_about_a_secret_key_does_not_show_it),
        cmocka_unit_test(a_device_id_depends_on_the_key_alone_and_never_changes),
        cmocka_unit_test(device_ids_use_their_whole_alphabet_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
