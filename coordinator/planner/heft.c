/* heft.c - upward ranks, then placing. */
#include "coordinator/planner/heft.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Edges by the task they leave and by the task they enter. */
struct links {
    size_t *out_at, *in_at; /* tasks + 1 */
    size_t *out, *in;       /* edge numbers */
};

static void links_clear(struct links *l)
{
    mem_free(l->out_at);
    mem_free(l->in_at);
    mem_free(l->out);
    mem_free(l->in);
    memset(l, 0, sizeof *l);
}

static bool links_make(const struct heft_problem *p, struct links *l)
{
    size_t *out_next = mem_calloc(p->tasks + 1, sizeof *out_next);
    size_t *in_next = mem_calloc(p->tasks + 1, sizeof *in_next);

    memset(l, 0, sizeof *l);
    l->out_at = mem_calloc(p->tasks + 2, sizeof *l->out_at);
    l->in_at = mem_calloc(p->tasks + 2, sizeof *l->in_at);
    l->out = mem_calloc(p->edges_count + 1, sizeof *l->out);
    l->in = mem_calloc(p->edges_count + 1, sizeof *l->in);
    if (!out_next || !in_next || !l->out_at || !l->in_at || !l->out || !l->in) {
        links_clear(l);
        mem_free(out_next);
        mem_free(in_next);
        return false;
    }
    for (size_t i = 0; i < p->edges_count; i++) {
        l->out_at[p->edges[i].from + 1]++;
        l->in_at[p->edges[i].to + 1]++;
    }
    for (size_t t = 0; t < p->tasks; t++) {
        l->out_at[t + 1] += l->out_at[t];
        l->in_at[t + 1] += l->in_at[t];
    }
    for (size_t i = 0; i < p->edges_count; i++) {
        size_t from = p->edges[i].from, to = p->edges[i].to;

        l->out[l->out_at[from] + out_next[from]++] = i;
        l->in[l->in_at[to] + in_next[to]++] = i;
    }
    mem_free(out_next);
    mem_free(in_next);
    return true;
}

/* What is left waits for itself: from any such task, walking back ends in a cycle. */
static size_t cycle_find(const struct heft_problem *p, const struct links *l, const size_t *left)
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

static int topological(const struct heft_problem *p, const struct links *l, size_t *left,
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
    struct links l = {0};
    int rc = -1;

    if (!left || !links_make(p, &l))
        err_set(err, ERR_NOMEM, "order of %zu tasks", p->tasks);
    else
        rc = topological(p, &l, left, order, &where, err);
    if (in_cycle)
        *in_cycle = where;
    links_clear(&l);
    mem_free(left);
    return rc;
}

/* Seconds of one bit between average devices. */
static double mean_inverse_rate(const struct heft_problem *p)
{
    double sum = 0;

    if (!p->out_bps || p->devices < 2)
        return 0;
    for (size_t d = 0; d < p->devices; d++)
        sum += 1 / fmin(p->out_bps[d], p->in_bps[d]);
    return sum / (double)p->devices;
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

static void ranks_find(const struct heft_problem *p, const struct links *l, const size_t *order,
                       double *rank)
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

/* Tasks on one device, by start. */
struct lane {
    size_t *tasks;
    size_t count;
    bool used;
};

struct placing {
    const struct heft_problem *p;
    struct links links;
    struct heft_schedule *s;
    struct lane *lanes;
    size_t *lane_tasks; /* block behind the lanes */
    size_t *waits;      /* predecessors not yet placed; SIZE_MAX: placed itself */
    size_t *group_device;
};

static double transfer(const struct heft_problem *p, const struct heft_edge *e, size_t from,
                       size_t to)
{
    if (from == to)
        return 0;
    return e->latency_seconds + (e->bits > 0 ? e->bits / fmin(p->out_bps[from], p->in_bps[to]) : 0);
}

static double inputs_ready(const struct placing *g, size_t task, size_t device)
{
    double ready = 0;

    for (size_t k = g->links.in_at[task]; k < g->links.in_at[task + 1]; k++) {
        const struct heft_edge *e = &g->p->edges[g->links.in[k]];

        ready =
            fmax(ready, g->s->finish[e->from] + transfer(g->p, e, g->s->device[e->from], device));
    }
    return ready;
}

/* The earliest start at or after `ready` in a gap of the lane; where in it goes to *slot. */
static double gap_find(const struct placing *g, size_t device, double ready, double seconds,
                       size_t *slot)
{
    const struct lane *lane = &g->lanes[device];
    double start = ready;

    for (size_t i = 0; i < lane->count; i++) {
        size_t next = lane->tasks[i];

        if (start + seconds <= g->s->start[next]) {
            *slot = i;
            return start;
        }
        start = fmax(start, g->s->finish[next]);
    }
    *slot = lane->count;
    return start;
}

static bool device_allowed(const struct placing *g, size_t task, size_t device)
{
    size_t group = g->p->group ? g->p->group[task] : HEFT_NO_GROUP;

    if (isinf(seconds_at(g->p, task, device)))
        return false;
    if (group != HEFT_NO_GROUP && g->group_device[group] != SIZE_MAX)
        return g->group_device[group] == device;
    return g->p->max_devices == 0 || g->lanes[device].used ||
           g->s->devices_used < g->p->max_devices;
}

static void lane_use(struct placing *g, size_t device)
{
    if (g->lanes[device].used)
        return;
    g->lanes[device].used = true;
    g->s->devices_used++;
}

static bool place_task(struct placing *g, size_t task)
{
    size_t best = SIZE_MAX, best_slot = 0;
    double best_score = INFINITY, best_start = 0;

    for (size_t d = 0; d < g->p->devices; d++) {
        double seconds = seconds_at(g->p, task, d), start, score;
        size_t slot;

        if (!device_allowed(g, task, d))
            continue;
        start = gap_find(g, d, inputs_ready(g, task, d), seconds, &slot);
        score = start + seconds + g->p->busy_weight * seconds;
        if (score < best_score) {
            best_score = score;
            best = d;
            best_slot = slot;
            best_start = start;
        }
    }
    if (best == SIZE_MAX)
        return false;
    lane_use(g, best);
    memmove(&g->lanes[best].tasks[best_slot + 1], &g->lanes[best].tasks[best_slot],
            (g->lanes[best].count - best_slot) * sizeof(size_t));
    g->lanes[best].tasks[best_slot] = task;
    g->lanes[best].count++;
    g->s->device[task] = best;
    g->s->start[task] = best_start;
    g->s->finish[task] = best_start + seconds_at(g->p, task, best);
    g->s->makespan = fmax(g->s->makespan, g->s->finish[task]);
    g->s->busy_seconds += seconds_at(g->p, task, best);
    if (g->p->group && g->p->group[task] != HEFT_NO_GROUP)
        g->group_device[g->p->group[task]] = best;
    return true;
}

/* Of the tasks whose inputs are placed: highest priority, then highest rank, then lowest number. */
static size_t next_task(const struct placing *g)
{
    size_t best = SIZE_MAX;

    for (size_t t = 0; t < g->p->tasks; t++) {
        int64_t ours = g->p->priority ? g->p->priority[t] : 0, theirs;

        if (g->waits[t] != 0)
            continue;
        theirs = best != SIZE_MAX && g->p->priority ? g->p->priority[best] : 0;
        if (best == SIZE_MAX || ours > theirs ||
            (ours == theirs && g->s->rank[t] > g->s->rank[best]))
            best = t;
    }
    return best;
}

/* A task that only one device can run has that device for sure: it counts from the start. */
static void reserve_devices(struct placing *g)
{
    for (size_t t = 0; t < g->p->tasks; t++) {
        size_t only = SIZE_MAX, n = 0;

        for (size_t d = 0; d < g->p->devices && n < 2; d++)
            if (!isinf(seconds_at(g->p, t, d))) {
                only = d;
                n++;
            }
        if (n == 1)
            lane_use(g, only);
    }
}

static int place_all(struct placing *g, size_t *stuck, struct err *err)
{
    for (size_t t = 0; t < g->p->tasks; t++)
        g->waits[t] = g->links.in_at[t + 1] - g->links.in_at[t];
    if (g->p->max_devices > 0) {
        reserve_devices(g);
        if (g->s->devices_used > g->p->max_devices)
            return err_set(err, ERR_INFEASIBLE, "%zu devices are needed, %zu allowed",
                           g->s->devices_used, g->p->max_devices);
    }
    for (size_t i = 0; i < g->p->tasks; i++) {
        size_t t = next_task(g);

        if (!place_task(g, t)) {
            if (stuck)
                *stuck = t;
            return err_set(err, ERR_INFEASIBLE, "task %zu fits no device that is left", t);
        }
        g->s->order[i] = t;
        g->waits[t] = SIZE_MAX;
        for (size_t k = g->links.out_at[t]; k < g->links.out_at[t + 1]; k++)
            g->waits[g->p->edges[g->links.out[k]].to]--;
    }
    return 0;
}

void heft_schedule_free(struct heft_schedule *s)
{
    if (!s)
        return;
    mem_free(s->device);
    mem_free(s->start);
    mem_free(s->finish);
    mem_free(s->rank);
    mem_free(s->order);
    mem_free(s);
}

static struct heft_schedule *schedule_new(size_t tasks)
{
    struct heft_schedule *s = mem_zalloc(sizeof *s);

    if (!s || !(s->device = mem_calloc(tasks + 1, sizeof *s->device)) ||
        !(s->start = mem_calloc(tasks + 1, sizeof *s->start)) ||
        !(s->finish = mem_calloc(tasks + 1, sizeof *s->finish)) ||
        !(s->rank = mem_calloc(tasks + 1, sizeof *s->rank)) ||
        !(s->order = mem_calloc(tasks + 1, sizeof *s->order))) {
        heft_schedule_free(s);
        return NULL;
    }
    return s;
}

static bool placing_make(struct placing *g, const struct heft_problem *p)
{
    memset(g, 0, sizeof *g);
    g->p = p;
    if (!(g->s = schedule_new(p->tasks)) || !links_make(p, &g->links) ||
        !(g->lanes = mem_calloc(p->devices + 1, sizeof *g->lanes)) ||
        !(g->lane_tasks = mem_calloc(p->devices * (p->tasks + 1) + 1, sizeof *g->lane_tasks)) ||
        !(g->waits = mem_calloc(p->tasks + 1, sizeof *g->waits)) ||
        !(g->group_device = mem_calloc(p->groups + 1, sizeof *g->group_device)))
        return false;
    for (size_t d = 0; d < p->devices; d++)
        g->lanes[d].tasks = &g->lane_tasks[d * (p->tasks + 1)];
    for (size_t i = 0; i < p->groups; i++)
        g->group_device[i] = SIZE_MAX;
    return true;
}

struct heft_schedule *heft_schedule(const struct heft_problem *p, size_t *stuck, struct err *err)
{
    struct placing g;
    struct heft_schedule *s = NULL;

    if (!placing_make(&g, p)) {
        err_set(err, ERR_NOMEM, "schedule of %zu tasks", p->tasks);
    } else if (heft_topological(p, g.s->order, NULL, err) == 0) {
        ranks_find(p, &g.links, g.s->order, g.s->rank);
        if (place_all(&g, stuck, err) == 0) {
            s = g.s;
            g.s = NULL;
        }
    }
    links_clear(&g.links);
    mem_free(g.lanes);
    mem_free(g.lane_tasks);
    mem_free(g.waits);
    mem_free(g.group_device);
    heft_schedule_free(g.s);
    return s;
}

int heft_lower_bound(const struct heft_problem *p, double *out, struct err *err)
{
    size_t *order = mem_calloc(p->tasks + 1, sizeof *order);
    double *longest = mem_calloc(p->tasks + 1, sizeof *longest);
    struct links l = {0};
    double path = 0, work = 0;
    int rc = -1;

    if (!order || !longest || !links_make(p, &l))
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
        *out = fmax(path, work / (double)(p->devices ? p->devices : 1));
    links_clear(&l);
    mem_free(order);
    mem_free(longest);
    return rc;
}
