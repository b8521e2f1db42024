/* heft.c - upward ranks, orders, bounds; the placing is heft_place.c's. */
#include "coordinator/planner/heft.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "coordinator/planner/heft_place.h"

#include <math.h>
#include <string.h>

/* What is left waits for itself: from any such task, walking back ends in a cycle. */
static size_t cycle_find(const struct heft_problem *p, const struct heft_links *l,
                         const size_t *left)
{
    size_t t = 0;

    while (left[t] == SIZE_MAX)
        t++;
    for (size_t steps = 0; steps < p->tasks; steps++)
        for (size_t k = l->in_at[t]; k < l->in_at[t + 1]; k++)
            if (left[p->edges[l->in[k]].from] != SIZE_MAX) {
                t = p->edges[l->in[k]].from;
                break;
            }
    return t;
}

static int topological(const struct heft_problem *p, const struct heft_links *l, size_t *left,
                       size_t *order, size_t *in_cycle, struct err *err)
{
    for (size_t t = 0; t < p->tasks; t++)
        left[t] = l->in_at[t + 1] - l->in_at[t];
    for (size_t done = 0; done < p->tasks; done++) {
        size_t t = 0;

        while (t < p->tasks && left[t] != 0)
            t++;
        if (t == p->tasks) {
            *in_cycle = cycle_find(p, l, left);
            return err_set(err, ERR_INVALID, "task %zu waits for itself", *in_cycle);
        }
        order[done] = t;
        left[t] = SIZE_MAX;
        for (size_t k = l->out_at[t]; k < l->out_at[t + 1]; k++)
            left[p->edges[l->out[k]].to]--;
    }
    return 0;
}

int heft_topological(const struct heft_problem *p, size_t *order, size_t *in_cycle, struct err *err)
{
    size_t *left = mem_calloc(p->tasks + 1, sizeof *left), where = SIZE_MAX;
    struct heft_links l = {0};
    int rc = -1;

    if (!left || !heft_links_make(p, &l))
        err_set(err, ERR_NOMEM, "order of %zu tasks", p->tasks);
    else
        rc = topological(p, &l, left, order, &where, err);
    if (in_cycle)
        *in_cycle = where;
    heft_links_clear(&l);
    mem_free(left);
    return rc;
}

/* Seconds of one bit between average devices. */
static double mean_inverse_rate(const struct heft_problem *p)
{
    double sum = 0;

    if (!p->out_bps || p->devices < 2)
        return 0;
    for (size_t d = 0; d < p->devices - p->gangs; d++)
        sum += 1 / fmin(p->out_bps[d], p->in_bps[d]);
    return sum / (double)(p->devices - p->gangs);
}

static double seconds_at(const struct heft_problem *p, size_t task, size_t device)
{
    return p->seconds[task * p->devices + device];
}

static double seconds_mean(const struct heft_problem *p, size_t task)
{
    double sum = 0;
    size_t n = 0;

    for (size_t d = 0; d < p->devices; d++) {
        if (isinf(seconds_at(p, task, d)))
            continue;
        sum += seconds_at(p, task, d);
        n++;
    }
    return n ? sum / (double)n : 0;
}

static double seconds_least(const struct heft_problem *p, size_t task)
{
    double least = INFINITY;

    for (size_t d = 0; d < p->devices; d++)
        least = fmin(least, seconds_at(p, task, d));
    return least;
}

static void ranks_find(const struct heft_problem *p, const struct heft_links *l,
                       const size_t *order, double *rank)
{
    double inverse = mean_inverse_rate(p);

    for (size_t i = p->tasks; i-- > 0;) {
        size_t t = order[i];
        double longest = 0;

        for (size_t k = l->out_at[t]; k < l->out_at[t + 1]; k++) {
            const struct heft_edge *e = &p->edges[l->out[k]];
            double across = p->devices > 1 ? e->latency_seconds + e->bits * inverse : 0;

            longest = fmax(longest, across + rank[e->to]);
        }
        rank[t] = seconds_mean(p, t) + longest;
    }
}

struct heft_schedule *heft_schedule(const struct heft_problem *p, size_t *stuck, struct err *err)
{
    struct heft_placing g;
    struct heft_schedule *s = NULL;

    if (!heft_placing_make(&g, p)) {
        err_set(err, ERR_NOMEM, "schedule of %zu tasks", p->tasks);
    } else if (heft_topological(p, g.s->order, NULL, err) == 0) {
        ranks_find(p, &g.links, g.s->order, g.s->rank);
        if (heft_place_all(&g, stuck, err) == 0) {
            s = g.s;
            g.s = NULL;
        }
    }
    heft_placing_clear(&g);
    return s;
}

struct heft_schedule *heft_schedule_fixed(const struct heft_problem *p, const size_t *device,
                                          const size_t *order, struct err *err)
{
    struct heft_placing g;
    struct heft_schedule *s = NULL;

    if (!heft_placing_make(&g, p)) {
        err_set(err, ERR_NOMEM, "schedule of %zu tasks", p->tasks);
    } else if (heft_place_fixed(&g, device, order)) {
        s = g.s;
        g.s = NULL;
    } else {
        err_set(err, ERR_INFEASIBLE, "a task may not run where it is told");
    }
    heft_placing_clear(&g);
    return s;
}

int heft_lower_bound(const struct heft_problem *p, double *out, struct err *err)
{
    size_t *order = mem_calloc(p->tasks + 1, sizeof *order);
    double *longest = mem_calloc(p->tasks + 1, sizeof *longest);
    struct heft_links l = {0};
    double path = 0, work = 0;
    int rc = -1;

    if (!order || !longest || !heft_links_make(p, &l))
        err_set(err, ERR_NOMEM, "bound of %zu tasks", p->tasks);
    else
        rc = heft_topological(p, order, NULL, err);
    for (size_t i = 0; rc == 0 && i < p->tasks; i++) { /* in order: what comes before is final */
        size_t t = order[i];

        longest[t] += seconds_least(p, t);
        work += seconds_least(p, t);
        path = fmax(path, longest[t]);
        for (size_t k = l.out_at[t]; k < l.out_at[t + 1]; k++) {
            size_t to = p->edges[l.out[k]].to;

            longest[to] = fmax(longest[to], longest[t]);
        }
    }
    if (rc == 0)
        *out = fmax(path, work / (double)(p->devices > p->gangs ? p->devices - p->gangs : 1));
    heft_links_clear(&l);
    mem_free(order);
    mem_free(longest);
    return rc;
}
