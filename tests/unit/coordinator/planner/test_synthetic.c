/* test_synthetic.c - made-up Macs are possible ones, say that they are made up, and repeat. */
#include "coordinator/planner/synthetic.h"

#include "planner_kit.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"

static void a_mac_is_a_possible_one_and_says_so(void **state)
{
    struct synthetic *s = synthetic_new(NULL);
    size_t plain = 0, ultra = 0;

    (void)state;
    assert_non_null(s);
    assert_true(synthetic_kinds(s) > 30);
    for (uint64_t i = 0; i < 1000; i++) {
        struct profile *p = NULL;
        struct state *st = NULL;

        assert_int_equal(synthetic_mac(s, 7, i, &p, &st, NULL), 0);
        assert_int_equal(record_check(&profile_type, p, NULL), 0);
        assert_int_equal(record_check(&state_type, st, NULL), 0);
        assert_int_equal(p->origin, DEVICE_ORIGIN_COMPOSED);
        assert_string_equal(p->recording_id, "synthetic");
        assert_int_equal(st->synthetic, TRI_TRUE);
        assert_true(st->memory_available_bytes < p->memory_bytes);
        assert_true(st->up_bps >= 1e6 && st->up_bps <= st->down_bps && st->down_bps <= 1e9);
        plain += strlen(p->chip) == strlen("Apple M1");
        ultra += strstr(p->chip, "Ultra") != NULL;
        profile_free(p);
        state_free(st);
    }
    assert_in_range(plain, 400, 600);
    assert_in_range(ultra, 40, 120);
    synthetic_free(s);
}

static char *mac_text(const struct synthetic *s, uint64_t seed, uint64_t number)
{
    struct profile *p = NULL;
    struct state *st = NULL;
    char *a, *b, *both;

    assert_int_equal(synthetic_mac(s, seed, number, &p, &st, NULL), 0);
    a = kit_dump(&profile_type, p);
    b = kit_dump(&state_type, st);
    both = mem_zalloc(strlen(a) + strlen(b) + 1);
    assert_non_null(both);
    memcpy(both, a, strlen(a));
    memcpy(both + strlen(a), b, strlen(b) + 1);
    mem_free(a);
    mem_free(b);
    profile_free(p);
    state_free(st);
    return both;
}

static void the_same_seed_gives_the_same_mac(void **state)
{
    struct synthetic *s = synthetic_new(NULL);
    char *a = mac_text(s, 1, 5), *b = mac_text(s, 1, 5), *c = mac_text(s, 2, 5);

    (void)state;
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    synthetic_free(s);
}

static void a_mac_survives_lost_memory(void **state)
{
    struct synthetic *s = synthetic_new(NULL);
    int rc, nth = 0;

    (void)state;
    do {
        struct profile *p = NULL;
        struct state *st = NULL;

        mem_fail_at(++nth);
        rc = synthetic_mac(s, 1, 1, &p, &st, NULL);
        assert_true((rc == 0) == (p != NULL) && (rc == 0) == (st != NULL));
        profile_free(p);
        state_free(st);
    } while (rc < 0 && nth < 100);
    mem_fail_at(0);
    assert_in_range(nth, 2, 99);
    synthetic_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mac_is_a_possible_one_and_says_so),
        cmocka_unit_test(the_same_seed_gives_the_same_mac),
        cmocka_unit_test(a_mac_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
