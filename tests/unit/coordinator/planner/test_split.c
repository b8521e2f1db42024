/* test_split.c - layers over devices. */
#include "coordinator/planner/split.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <math.h>

#define LAYERS 32

static double equal_bytes[LAYERS], equal_work[LAYERS];
static const double no_hops[] = {0, 0, 0, 0};

static struct split_problem equal_layers(const double *room, const double *speed, size_t devices)
{
    for (size_t i = 0; i < LAYERS; i++) {
        equal_bytes[i] = 0.5e9;
        equal_work[i] = 1;
    }
    return (struct split_problem){.layers = LAYERS,
                                  .layer_bytes = equal_bytes,
                                  .layer_work = equal_work,
                                  .devices = devices,
                                  .room_bytes = room,
                                  .speed = speed,
                                  .hop_seconds = no_hops};
}

static void the_slowest_part_is_as_fast_as_can_be(void **state)
{
    static const double room[] = {16e9, 8e9, 4e9}, speed[] = {10.6, 5.3, 2.6};
    struct split_problem p = equal_layers(room, speed, 3);
    size_t count[3];
    struct split s = {.count = count};

    (void)state;
    assert_int_equal(split_balance(&p, &s, NULL), 0);
    assert_int_equal(count[0], 19);
    assert_int_equal(count[1], 9);
    assert_int_equal(count[2], 4);
    kit_close(s.slowest, 1.7925, 5e-5);
    assert_int_equal(s.parts, 3);
    kit_close(split_seconds(&s, 5), s.sum + 4 * s.slowest, 1e-12);
}

static void memory_shares_are_as_exo_makes_them(void **state)
{
    static const double three[] = {64, 32, 16}, four[] = {512, 512, 256, 256}, tiny[] = {1000, 1};
    size_t count[4];

    (void)state;
    assert_int_equal(split_by_memory(32, three, 3, count, NULL), 0);
    assert_true(count[0] == 18 && count[1] == 9 && count[2] == 5);
    assert_int_equal(split_by_memory(80, four, 4, count, NULL), 0);
    assert_true(count[0] == 27 && count[1] == 27 && count[2] == 13 && count[3] == 13);
    assert_int_equal(split_by_memory(10, tiny, 2, count, NULL), 0);
    assert_true(count[0] == 9 && count[1] == 1);
    assert_int_equal(split_by_memory(1, tiny, 2, count, NULL), -1);
    assert_int_equal(split_by_memory(1, tiny, 0, count, NULL), -1);
}

/* A dear hop keeps a model on one device that can hold it; memory drives it apart. */
static void hops_and_memory_pull_apart(void **state)
{
    static const double room[] = {16e9, 16e9}, little[] = {10e9, 16e9}, speed[] = {1, 1};
    static const double dear[] = {0, 40};
    struct split_problem p = equal_layers(room, speed, 2);
    size_t count[2];
    struct split s = {.count = count};

    (void)state;
    p.hop_seconds = dear;
    assert_int_equal(split_balance(&p, &s, NULL), 0);
    assert_true(s.parts == 1 && s.slowest == 32);
    p.hop_seconds = no_hops;
    assert_int_equal(split_balance(&p, &s, NULL), 0);
    assert_true(count[0] == 16 && count[1] == 16);
    p.room_bytes = little;
    p.hop_seconds = dear;
    assert_int_equal(split_balance(&p, &s, NULL), 0);
    assert_true(s.parts == 1 && count[1] == 32); /* all on the second: no hop */
}

static void what_does_not_fit_says_how_much_does(void **state)
{
    static const double room[] = {4e9, 2.2e9}, speed[] = {1, 1};
    struct split_problem p = equal_layers(room, speed, 2);
    size_t count[2] = {7, 7};
    struct split s = {.count = count};
    struct err err = {0};

    (void)state;
    assert_int_equal(split_balance(&p, &s, &err), -1);
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(err.text, "12 of 32"));
    assert_int_equal(count[0], 7); /* untouched */
}

/* The dynamic program against every possible cut. */
static double all_cuts(const struct split_problem *p, size_t device, size_t from)
{
    double best = INFINITY, bytes = 0, work = 0;

    if (device == p->devices)
        return from == p->layers ? 0 : INFINITY;
    best = all_cuts(p, device + 1, from);
    for (size_t l = from; l < p->layers; l++) {
        bytes += p->layer_bytes[l];
        work += p->layer_work[l];
        if (bytes > p->room_bytes[device])
            break;
        best = fmin(best, fmax(work / p->speed[device] + (from ? p->hop_seconds[device] : 0),
                               all_cuts(p, device + 1, l + 1)));
    }
    return best;
}

static void no_cut_is_better(void **state)
{
    struct kit_random r = {5};
    int refused = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        double bytes[9], work[9], room[4], speed[4], hop[4], best;
        size_t count[4];
        struct split s = {.count = count};
        struct split_problem p = {.layers = (size_t)kit_range(&r, 1, 9),
                                  .layer_bytes = bytes,
                                  .layer_work = work,
                                  .devices = (size_t)kit_range(&r, 1, 4),
                                  .room_bytes = room,
                                  .speed = speed,
                                  .hop_seconds = hop};

        for (size_t l = 0; l < p.layers; l++) {
            bytes[l] = kit_uniform(&r, 0.1, 2);
            work[l] = kit_uniform(&r, 0, 5);
        }
        for (size_t d = 0; d < p.devices; d++) {
            room[d] = kit_uniform(&r, 0, 8);
            speed[d] = kit_uniform(&r, 0.5, 4);
            hop[d] = kit_uniform(&r, 0, 1);
        }
        best = all_cuts(&p, 0, 0);
        if (split_balance(&p, &s, NULL) < 0) {
            assert_true(isinf(best));
            refused++;
            continue;
        }
        kit_close(s.slowest, best, 1e-9);
        for (size_t d = 0, l = 0; d < p.devices; d++) {
            double held = 0;

            for (size_t k = 0; k < count[d]; k++)
                held += bytes[l++];
            assert_true(held <= room[d] + 1e-12);
            assert_true(d + 1 < p.devices || l == p.layers);
        }
    }
    assert_in_range(refused, 1, 399);
}

static void tensor_parallel_needs_a_quick_network(void **state)
{
    double bytes = split_all_reduce_bytes(2, 1, 4096);

    (void)state;
    kit_close(bytes, 8192, 1e-9);
    kit_close(split_tensor_seconds(32, SPLIT_LATENCY_TCP, 0, 1), 19.2e-3, 1e-12);
    kit_close(split_tensor_seconds(32, SPLIT_LATENCY_RDMA, 0, 1), 3.2e-3, 1e-12);
    assert_true(split_tensor_seconds(32, SPLIT_LATENCY_RDMA, bytes, 5e9) > 3.2e-3);
    kit_close(split_efficiency(4, 3), 4.0 / 6, 1e-12);
}

static void balancing_survives_lost_memory(void **state)
{
    static const double room[] = {16e9, 16e9}, speed[] = {1, 1};
    struct split_problem p = equal_layers(room, speed, 2);
    size_t count[2];
    struct split s = {.count = count};
    int rc, nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = split_balance(&p, &s, NULL);
    } while (rc < 0 && nth < 100);
    mem_fail_at(0);
    assert_in_range(nth, 2, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_part_is_as_fast_as_can_be),
        cmocka_unit_test(memory_shares_are_as_exo_makes_them),
        cmocka_unit_test(hops_and_memory_pull_apart),
        cmocka_unit_test(what_does_not_fit_says_how_much_does),
        cmocka_unit_test(no_cut_is_better),
        cmocka_unit_test(tensor_parallel_needs_a_quick_network),
        cmocka_unit_test(balancing_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
