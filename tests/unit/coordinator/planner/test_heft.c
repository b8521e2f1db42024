/* test_heft.c - the scheduler against the example of the paper that introduced it. */
#include "coordinator/planner/heft.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <math.h>

/* Ten tasks on three processors; an edge costs the same between any two. */
static const double paper_seconds[] = {14, 16, 9, 13, 19, 18, 11, 13, 19, 13, 8,  17, 12, 13, 10,
                                       13, 16, 9, 7,  15, 11, 5,  11, 14, 18, 12, 20, 21, 7,  16};
static const struct heft_edge paper_edges[] = {
    {0, 1, 18, 0}, {0, 2, 12, 0}, {0, 3, 9, 0},  {0, 4, 11, 0}, {0, 5, 14, 0},
    {1, 7, 19, 0}, {1, 8, 16, 0}, {2, 6, 23, 0}, {3, 7, 27, 0}, {3, 8, 23, 0},
    {4, 8, 13, 0}, {5, 7, 15, 0}, {6, 9, 17, 0}, {7, 9, 11, 0}, {8, 9, 13, 0}};

static struct heft_problem paper(void)
{
    return (struct heft_problem){.tasks = 10,
                                 .devices = 3,
                                 .seconds = paper_seconds,
                                 .edges = paper_edges,
                                 .edges_count = sizeof paper_edges / sizeof paper_edges[0]};
}

static void the_papers_graph_is_scheduled_as_published(void **state)
{
    static const double ranks[] = {108, 77, 80, 80, 69, 63.333, 42.667, 35.667, 44.333, 14.667};
    static const struct {
        size_t device;
        double start, finish;
    } places[] = {{2, 0, 9},   {0, 27, 40}, {2, 9, 28},  {1, 18, 26}, {2, 28, 38},
                  {1, 26, 42}, {2, 38, 49}, {0, 57, 62}, {1, 56, 68}, {1, 73, 80}};
    struct heft_problem p = paper();
    struct heft_schedule *s = heft_schedule(&p, NULL, NULL);
    double bound;

    (void)state;
    assert_non_null(s);
    assert_true(s->makespan == 80);
    assert_int_equal(s->devices_used, 3);
    for (size_t i = 0; i < 10; i++) {
        kit_close(s->rank[i], ranks[i], 0.001);
        assert_int_equal(s->device[i], places[i].device);
        assert_true(s->start[i] == places[i].start && s->finish[i] == places[i].finish);
    }
    assert_int_equal(heft_lower_bound(&p, &bound, NULL), 0);
    assert_true(bound <= 80 && bound > 0);
    heft_schedule_free(s);
}

static void fewer_devices_are_kept_to(void **state)
{
    struct heft_problem p = paper();

    (void)state;
    for (size_t most = 1; most <= 3; most++) {
        struct heft_schedule *s;

        p.max_devices = most;
        s = heft_schedule(&p, NULL, NULL);
        assert_non_null(s);
        assert_true(s->devices_used <= most);
        assert_true(s->makespan >= 80);
        heft_schedule_free(s);
    }
}

static void groups_share_a_device_and_priorities_go_first(void **state)
{
    static const size_t group[] = {
        HEFT_NO_GROUP, 0, HEFT_NO_GROUP, 0, 0, HEFT_NO_GROUP, HEFT_NO_GROUP, 0, HEFT_NO_GROUP,
        HEFT_NO_GROUP};
    static const int64_t priority[] = {0, 0, 0, 0, 0, 9, 0, 0, 0, 0};
    struct heft_problem p = paper();
    struct heft_schedule *s;

    (void)state;
    p.group = group;
    p.groups = 1;
    p.priority = priority;
    s = heft_schedule(&p, NULL, NULL);
    assert_non_null(s);
    assert_int_equal(s->device[1], s->device[3]);
    assert_int_equal(s->device[1], s->device[4]);
    assert_int_equal(s->device[1], s->device[7]);
    assert_int_equal(s->order[0], 0); /* it needs no priority: nothing else is ready */
    assert_int_equal(s->order[1], 5);
    heft_schedule_free(s);
}

/* No task overlaps another on its device, or starts before its inputs are there. */
static void schedules_are_consistent(void **state)
{
    struct kit_random r = {1};

    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t n = (size_t)kit_range(&r, 1, 24), m = (size_t)kit_range(&r, 1, 6), edges = 0;
        double seconds[24 * 6], out[6], in[6], bound = 0;
        struct heft_edge e[24 * 24];
        struct heft_problem p = {
            .tasks = n, .devices = m, .seconds = seconds, .edges = e, .out_bps = out, .in_bps = in};
        struct heft_schedule *s;

        for (size_t i = 0; i < n * m; i++)
            seconds[i] = kit_uniform(&r, 0, 50);
        for (size_t d = 0; d < m; d++)
            out[d] = kit_uniform(&r, 1, 10), in[d] = kit_uniform(&r, 1, 10);
        for (size_t i = 0; i < n; i++)
            for (size_t k = i + 1; k < n; k++)
                if (kit_chance(&r, 0.2))
                    e[edges++] =
                        (struct heft_edge){i, k, kit_uniform(&r, 0, 1), kit_uniform(&r, 0, 50)};
        p.edges_count = edges;
        s = heft_schedule(&p, NULL, NULL);
        assert_non_null(s);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n; k++)
                if (i != k && s->device[i] == s->device[k])
                    assert_true(s->finish[i] <= s->start[k] || s->finish[k] <= s->start[i] ||
                                s->finish[i] == s->start[i] || s->finish[k] == s->start[k]);
        for (size_t k = 0; k < edges; k++) {
            size_t a = s->device[e[k].from], b = s->device[e[k].to];
            double across = a == b ? 0 : e[k].latency_seconds + e[k].bits / fmin(out[a], in[b]);

            assert_true(s->start[e[k].to] >= s->finish[e[k].from] + across - 1e-9);
        }
        assert_int_equal(heft_lower_bound(&p, &bound, NULL), 0);
        assert_true(bound <= s->makespan + 1e-9);
        heft_schedule_free(s);
    }
}

static void a_cycle_is_refused_and_a_stage_of_it_named(void **state)
{
    static const double seconds[] = {1, 1, 1, 1};
    static const struct heft_edge edges[] = {
        {0, 1, 0, 0}, {1, 2, 0, 0}, {2, 1, 0, 0}, {2, 3, 0, 0}};
    struct heft_problem p = {
        .tasks = 4, .devices = 1, .seconds = seconds, .edges = edges, .edges_count = 4};
    size_t order[4], in_cycle = 9;
    struct err err = {0};

    (void)state;
    assert_int_equal(heft_topological(&p, order, &in_cycle, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_true(in_cycle == 1 || in_cycle == 2);
    assert_null(heft_schedule(&p, NULL, &err));
}

static void a_task_that_fits_nowhere_is_named(void **state)
{
    const double seconds[] = {1, INFINITY, INFINITY, INFINITY};
    struct heft_problem p = {.tasks = 2, .devices = 2, .seconds = seconds};
    size_t stuck = 9;
    struct err err = {0};

    (void)state;
    assert_null(heft_schedule(&p, &stuck, &err));
    assert_int_equal(stuck, 1);
    assert_int_equal(err.code, ERR_INFEASIBLE);
}

static void scheduling_survives_lost_memory(void **state)
{
    struct heft_problem p = paper();
    struct heft_schedule *s = NULL;
    unsigned nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        s = heft_schedule(&p, NULL, NULL);
    } while (!s && nth < 100);
    mem_fail_at(0);
    assert_in_range(nth, 2, 99);
    heft_schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_graph_is_scheduled_as_published),
        cmocka_unit_test(fewer_devices_are_kept_to),
        cmocka_unit_test(groups_share_a_device_and_priorities_go_first),
        cmocka_unit_test(schedules_are_consistent),
        cmocka_unit_test(a_cycle_is_refused_and_a_stage_of_it_named),
        cmocka_unit_test(a_task_that_fits_nowhere_is_named),
        cmocka_unit_test(scheduling_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
