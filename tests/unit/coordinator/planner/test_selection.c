/* test_selection.c - coins, Oort's utilities and its traps, tiers. */
#include "coordinator/planner/selection.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT 100

/* Loss and speed as of a fleet: the first fast and learnt, the last slow and not. */
static void fill(struct candidate c[COUNT])
{
    for (int i = 0; i < COUNT; i++)
        c[i] = (struct candidate){.seconds = 10 + i,
                                  .examples = 100,
                                  .mean_square_loss = 1 + i * 0.01,
                                  .last_round = 1,
                                  .picks = 1};
}

static size_t chosen(const struct candidate *c, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += c[i].chosen;
    return n;
}

static void oort_weighs_loss_against_speed(void **state)
{
    struct candidate c[COUNT];
    struct oort o = {.preferred_seconds = 40, .round = 400, .seed = 1};

    (void)state;
    fill(c);
    assert_int_equal(selection_oort(c, COUNT, 20, &o, NULL), 0);
    assert_int_equal(chosen(c, COUNT), 20);
    /* |B| sqrt(loss), sqrt(0.1 ln R / L) of it for staleness; (D / t)^2 where it is slow */
    kit_close(c[20].utility, 100 * sqrt(1.2) * (1 + sqrt(0.1 * log(400))), 1e-9);
    kit_close(c[70].utility, 100 * sqrt(1.7) * (1 + sqrt(0.1 * log(400))) * (40. * 40) / (80 * 80),
              1e-9);
    /* the five largest are clipped to the 95th percentile: 99 counts as 95 does, but for its speed
     */
    kit_close(c[99].utility * 109 * 109, c[95].utility * 105 * 105, 1e-6);
    for (int i = 60; i < COUNT; i++)
        assert_false(c[i].chosen); /* too slow for what they promise */
}

static void oort_explores_what_it_does_not_know(void **state)
{
    struct candidate c[COUNT];
    struct oort o = {.preferred_seconds = 1000, .round = 1, .seed = 3};
    size_t unknown = 0;

    (void)state;
    fill(c);
    for (int i = 50; i < COUNT; i++)
        c[i].mean_square_loss = UNKNOWN_F64;
    assert_int_equal(selection_oort(c, COUNT, 20, &o, NULL), 0);
    for (int i = 50; i < COUNT; i++)
        unknown += c[i].chosen;
    assert_int_equal(chosen(c, COUNT), 20);
    assert_int_equal(unknown, 17); /* 0.9 x 0.98 of 20 */
}

/* exploitLen equal to the list's length: the published code reads one past the end. */
static void oort_takes_all_it_knows(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 5; count++) {
        for (size_t wanted = 0; wanted <= 6; wanted++) {
            struct oort o = {.preferred_seconds = 10, .round = 1000, .seed = 5};
            struct candidate *c = mem_calloc(count + 1, sizeof *c); /* ASan watches its ends */

            assert_non_null(c);
            for (size_t i = 0; i < count; i++)
                c[i] = (struct candidate){.seconds = 5,
                                          .examples = 1,
                                          .mean_square_loss = 1,
                                          .last_round = 1,
                                          .picks = (int64_t)i * 4};
            assert_int_equal(selection_oort(c, count, wanted, &o, NULL), 0);
            assert_int_equal(chosen(c, count), wanted < count ? wanted : count);
            mem_free(c);
        }
    }
}

static void ten_picks_are_enough(void **state)
{
    struct candidate c[COUNT];
    struct oort o = {.preferred_seconds = 1000, .round = 400, .seed = 1};

    (void)state;
    fill(c);
    for (int i = 0; i < 50; i++)
        c[i].picks = OORT_PICKS_MAX;
    assert_int_equal(selection_oort(c, COUNT, 50, &o, NULL), 0);
    for (int i = 0; i < 50; i++)
        assert_false(c[i].chosen);
    assert_int_equal(selection_oort(c, COUNT, 60, &o, NULL), 0);
    assert_int_equal(chosen(c, COUNT), 60); /* they fill up where others lack */
}

static void the_pacer_moves_where_utility_is_flat(void **state)
{
    (void)state;
    kit_close(selection_pacer(100, 50, 60), 100, 0);
    kit_close(selection_pacer(100, 60, 60), 110, 1e-9);
    kit_close(selection_pacer(100, UNKNOWN_F64, 60), 100, 0);
}

static void a_tier_is_of_like_speed(void **state)
{
    struct candidate c[COUNT];
    int tier, times[5] = {0};

    (void)state;
    for (int seed = 0; seed < 300; seed++) {
        fill(c);
        assert_int_equal(selection_tiers(c, COUNT, 20, 5, seed, &tier, NULL), 0);
        assert_int_equal(chosen(c, COUNT), 20);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(c[i].tier, i / 20);
            assert_true(c[i].chosen == (c[i].tier == tier));
        }
        times[tier]++;
    }
    assert_true(times[4] > 2 * times[0] && times[0] > 0); /* the one that learnt least most often */
    assert_int_equal(selection_tiers(c, COUNT, 30, 5, 1, &tier, NULL), 0);
    assert_int_equal(chosen(c, COUNT), 30); /* the neighbours fill up */
    assert_int_equal(selection_tiers(c, 3, 2, 5, 1, &tier, NULL), 0);
    assert_int_equal(chosen(c, 3), 2); /* fewer clients than tiers */
    assert_int_equal(selection_tiers(c, 0, 2, 5, 1, &tier, NULL), 0);
}

static void coins_fall_at_their_rate(void **state)
{
    size_t served = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        char id[16];

        snprintf(id, sizeof id, "d%d", i);
        for (int64_t round = 1; round <= 100; round++)
            served += selection_serves(7, id, round, 0.3);
        assert_true(selection_serves(7, id, 1, 1));
        assert_false(selection_serves(7, id, 1, 0));
        assert_true(selection_serves(7, id, 1, 0.3) == selection_serves(7, id, 1, 0.3));
    }
    assert_in_range(served, 5800, 6200); /* 6000, standard deviation 65 */
    assert_true(selection_seed_of("a", 1) != selection_seed_of("a", 2));
    assert_in_range(selection_seed_of("a", 1), 0, 1LL << 53);
}

/* Enough report with probability 0.95, and a smaller rate would not do; by drawing it out. */
static void the_rate_is_the_smallest(void **state)
{
    uint64_t seed = 9;
    double rate = selection_rate(10, 100, 0.1);
    int enough[2] = {0, 0};

    (void)state;
    kit_close(selection_rate(10, 10, 0), 1, 0);
    kit_close(selection_rate(10, 5, 0), 1, 0);
    assert_true(rate > 0.13 && rate < 0.2);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 4000; i++) {
            int reports = 0;

            for (int k = 0; k < 100; k++)
                reports += selection_uniform(&seed) < (turn ? rate * 0.9 : rate) * 0.9;
            enough[turn] += reports >= 10;
        }
    }
    assert_in_range(enough[0], 3740, 3860); /* 3800, standard deviation 14 */
    assert_true(enough[1] < 3700);
}

static void lost_memory_is_told(void **state)
{
    struct candidate c[COUNT];
    struct oort o = {.preferred_seconds = 1, .round = 1, .seed = 1};
    struct err err = {0};
    int tier;

    (void)state;
    fill(c);
    mem_fail_at(1);
    assert_int_equal(selection_oort(c, COUNT, 5, &o, &err), -1);
    assert_int_equal(err.code, ERR_NOMEM);
    mem_fail_at(1);
    assert_int_equal(selection_tiers(c, COUNT, 5, 5, 1, &tier, &err), -1);
    mem_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oort_weighs_loss_against_speed),
        cmocka_unit_test(oort_explores_what_it_does_not_know),
        cmocka_unit_test(oort_takes_all_it_knows),
        cmocka_unit_test(ten_picks_are_enough),
        cmocka_unit_test(the_pacer_moves_where_utility_is_flat),
        cmocka_unit_test(a_tier_is_of_like_speed),
        cmocka_unit_test(coins_fall_at_their_rate),
        cmocka_unit_test(the_rate_is_the_smallest),
        cmocka_unit_test(lost_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
