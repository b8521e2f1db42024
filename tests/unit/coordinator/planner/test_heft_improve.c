/* test_heft_improve.c - the search against the true optimum, found by trying everything. */
#include "coordinator/planner/heft.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <math.h>
#include <stdlib.h>

#define TASKS_MAX 8
#define DEVICES 3

static bool shorter(void *arg, const struct heft_schedule *a, const struct heft_schedule *b)
{
    (void)arg;
    return a->makespan < b->makespan;
}

struct random_case {
    double seconds[TASKS_MAX * DEVICES], out[DEVICES], in[DEVICES];
    struct heft_edge edges[TASKS_MAX * TASKS_MAX];
    struct heft_problem p;
};

static void case_draw(struct random_case *c, struct kit_random *r)
{
    size_t n = (size_t)kit_range(r, 3, TASKS_MAX), edges = 0;
    double transfers = kit_uniform(r, 0, 40);

    for (size_t d = 0; d < DEVICES; d++) {
        c->out[d] = kit_uniform(r, 1, 4);
        c->in[d] = kit_uniform(r, 1, 4);
    }
    for (size_t i = 0; i < n; i++) {
        double size = kit_uniform(r, 1, 30);

        for (size_t d = 0; d < DEVICES; d++)
            c->seconds[i * DEVICES + d] =
                kit_chance(r, 0.1) ? INFINITY : size * kit_uniform(r, 0.5, 2);
        c->seconds[i * DEVICES + (size_t)kit_range(r, 0, 2)] = size;
        for (size_t k = 0; k < i; k++)
            if (kit_chance(r, 0.35))
                c->edges[edges++] =
                    (struct heft_edge){k, i, kit_uniform(r, 0, 1), kit_uniform(r, 0, transfers)};
    }
    c->p = (struct heft_problem){.tasks = n,
                                 .devices = DEVICES,
                                 .seconds = c->seconds,
                                 .edges = c->edges,
                                 .edges_count = edges,
                                 .out_bps = c->out,
                                 .in_bps = c->in};
}

/* ---- every order and every device, but those that cannot beat what is known ---- */

struct brute {
    const struct heft_problem *p;
    double tail[TASKS_MAX]; /* shortest way to the end, on the fastest devices */
    double finish[TASKS_MAX], free_at[DEVICES], best;
    size_t device[TASKS_MAX];
    bool done[TASKS_MAX];
};

static double brute_ready(const struct brute *b, size_t task, size_t device, bool *waits)
{
    double ready = b->free_at[device];

    *waits = false;
    for (size_t e = 0; e < b->p->edges_count; e++) {
        const struct heft_edge *edge = &b->p->edges[e];
        double at;

        if (edge->to != task)
            continue;
        *waits = *waits || !b->done[edge->from];
        at = b->finish[edge->from];
        if (b->device[edge->from] != device)
            at += edge->latency_seconds +
                  edge->bits / fmin(b->p->out_bps[b->device[edge->from]], b->p->in_bps[device]);
        ready = fmax(ready, at);
    }
    return ready;
}

static void brute_go(struct brute *b, size_t placed, double makespan)
{
    if (placed == b->p->tasks) {
        b->best = fmin(b->best, makespan);
        return;
    }
    for (size_t t = 0; t < b->p->tasks; t++)
        for (size_t d = 0; d < DEVICES && !b->done[t]; d++) {
            double seconds = b->p->seconds[t * DEVICES + d], before = b->free_at[d], ready;
            double least = INFINITY;
            bool waits;

            for (size_t k = 0; k < DEVICES; k++)
                least = fmin(least, b->p->seconds[t * DEVICES + k]);
            ready = brute_ready(b, t, d, &waits);
            if (waits || isinf(seconds) ||
                fmax(makespan, ready + seconds + b->tail[t] - least) >= b->best)
                continue;
            b->done[t] = true;
            b->device[t] = d;
            b->finish[t] = b->free_at[d] = ready + seconds;
            brute_go(b, placed + 1, fmax(makespan, b->finish[t]));
            b->done[t] = false;
            b->free_at[d] = before;
        }
}

static double brute_force(const struct heft_problem *p, double known)
{
    struct brute b = {.p = p, .best = known * (1 + 1e-9)};

    for (size_t t = p->tasks; t-- > 0;) { /* edges go to higher numbers */
        double least = INFINITY, longest = 0;

        for (size_t d = 0; d < DEVICES; d++)
            least = fmin(least, p->seconds[t * DEVICES + d]);
        for (size_t e = 0; e < p->edges_count; e++)
            if (p->edges[e].from == t)
                longest = fmax(longest, b.tail[p->edges[e].to]);
        b.tail[t] = least + longest;
    }
    brute_go(&b, 0, 0);
    return b.best;
}

static int double_compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void the_search_comes_close_to_the_optimum(void **state)
{
    enum { CASES = 150 };
    double ratio[CASES], list[CASES];
    struct kit_random r = {20};

    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct random_case c;
        struct heft_schedule *s;
        double heft, optimum;

        case_draw(&c, &r);
        s = heft_schedule(&c.p, NULL, NULL);
        assert_non_null(s);
        heft = s->makespan;
        assert_int_equal(heft_improve(&c.p, shorter, NULL, heft_budget(&c.p), &s, NULL), 0);
        assert_true(s->makespan <= heft);
        optimum = brute_force(&c.p, s->makespan);
        ratio[i] = s->makespan / optimum;
        list[i] = heft / optimum;
        heft_schedule_free(s);
    }
    qsort(ratio, CASES, sizeof *ratio, double_compare);
    qsort(list, CASES, sizeof *list, double_compare);
    print_message(
        "over the optimum, median / 95th / worst of %d: search %.3f %.3f %.3f, HEFT alone "
        "%.3f %.3f %.3f\n",
        CASES, ratio[CASES / 2], ratio[CASES * 95 / 100], ratio[CASES - 1], list[CASES / 2],
        list[CASES * 95 / 100], list[CASES - 1]);
    assert_true(ratio[CASES - 1] <= 1.1);
    assert_true(ratio[CASES * 95 / 100] <= 1.02);
}

/* ---- gangs ---- */

/* Two devices and the gang of both; the second task runs only on the gang. */
static void a_gang_keeps_its_members_busy(void **state)
{
    static const double seconds[] = {4, 5, INFINITY, INFINITY, INFINITY, 3, 6, 2, INFINITY};
    static const struct heft_edge edges[] = {{0, 1, 1, 0}};
    static const size_t at[] = {0, 2}, members[] = {0, 1};
    struct heft_problem p = {.tasks = 3,
                             .devices = 3,
                             .seconds = seconds,
                             .edges = edges,
                             .edges_count = 1,
                             .gangs = 1,
                             .gang_at = at,
                             .gang_members = members};
    struct heft_schedule *s = heft_schedule(&p, NULL, NULL);

    (void)state;
    assert_non_null(s);
    assert_int_equal(s->device[0], 0); /* the gang's first: its output needs no way */
    assert_int_equal(s->device[1], 2);
    assert_true(s->start[1] == 4 && s->finish[1] == 7);
    assert_int_equal(s->device[2], 1); /* beside the first task, before the gang */
    assert_true(s->start[2] == 0);
    assert_int_equal(s->devices_used, 2);
    assert_true(s->busy_seconds == 4 + 2 * 3 + 2);
    heft_schedule_free(s);
    p.max_devices = 1;
    assert_null(heft_schedule(&p, NULL, NULL));
}

static void what_is_told_is_placed_or_refused(void **state)
{
    static const double seconds[] = {4, 5, 6, INFINITY};
    static const size_t order[] = {0, 1};
    size_t device[] = {1, 0};
    struct heft_problem p = {.tasks = 2, .devices = 2, .seconds = seconds};
    struct heft_schedule *s = heft_schedule_fixed(&p, device, order, NULL);
    struct err err = {0};

    (void)state;
    assert_non_null(s);
    assert_true(s->makespan == 6 && s->finish[0] == 5);
    heft_schedule_free(s);
    device[1] = 1;
    assert_null(heft_schedule_fixed(&p, device, order, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
}

static void the_search_survives_lost_memory(void **state)
{
    struct kit_random r = {3};
    struct random_case c;
    int rc, nth = 0;

    (void)state;
    case_draw(&c, &r);
    do {
        struct heft_schedule *s = heft_schedule(&c.p, NULL, NULL);
        double before = s->makespan;

        mem_fail_at(++nth);
        rc = heft_improve(&c.p, shorter, NULL, 50, &s, NULL);
        mem_fail_at(0);
        assert_non_null(s);
        assert_true(rc == 0 ? s->makespan <= before : s->makespan == before);
        heft_schedule_free(s);
    } while (rc < 0 && nth < 100);
    assert_in_range(nth, 2, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_comes_close_to_the_optimum),
        cmocka_unit_test(a_gang_keeps_its_members_busy),
        cmocka_unit_test(what_is_told_is_placed_or_refused),
        cmocka_unit_test(the_search_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
