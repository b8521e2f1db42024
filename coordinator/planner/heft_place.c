/* heft_place.c - lanes with gaps, tasks into them.
 *
 * A gang's task must find a time at which all members are idle: gap_find goes forward from member
 * to member until none is in the way. */
#include "coordinator/planner/heft_place.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <math.h>
#include <string.h>

void heft_links_clear(struct heft_links *l)
{
    mem_free(l->out_at);
    mem_free(l->in_at);
    mem_free(l->out);
    mem_free(l->in);
    memset(l, 0, sizeof *l);
}

bool heft_links_make(const struct heft_problem *p, struct heft_links *l)
{
    size_t *out_next = mem_calloc(p->tasks + 1, sizeof *out_next);
    size_t *in_next = mem_calloc(p->tasks + 1, sizeof *in_next);

    memset(l, 0, sizeof *l);
    l->out_at = mem_calloc(p->tasks + 2, sizeof *l->out_at);
    l->in_at = mem_calloc(p->tasks + 2, sizeof *l->in_at);
    l->out = mem_calloc(p->edges_count + 1, sizeof *l->out);
    l->in = mem_calloc(p->edges_count + 1, sizeof *l->in);
    if (!out_next || !in_next || !l->out_at || !l->in_at || !l->out || !l->in) {
        heft_links_clear(l);
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

size_t heft_members(const struct heft_problem *p, size_t device, const size_t **members)
{
    size_t gang;

    if (device < p->devices - p->gangs)
        return 1; /* itself: *members is the caller's own */
    gang = device - (p->devices - p->gangs);
    *members = &p->gang_members[p->gang_at[gang]];
    return p->gang_at[gang + 1] - p->gang_at[gang];
}

static double seconds_at(const struct heft_problem *p, size_t task, size_t device)
{
    return p->seconds[task * p->devices + device];
}

static size_t first_member(const struct heft_problem *p, size_t device)
{
    const size_t *members = &device;

    heft_members(p, device, &members);
    return members[0];
}

static size_t last_member(const struct heft_problem *p, size_t device)
{
    const size_t *members = &device;
    size_t n = heft_members(p, device, &members);

    return members[n - 1];
}

static double transfer(const struct heft_problem *p, const struct heft_edge *e, size_t from,
                       size_t to)
{
    if (p->gangs > 0) {
        from = last_member(p, from);
        to = first_member(p, to);
    }
    if (from == to)
        return 0;
    return e->latency_seconds + (e->bits > 0 ? e->bits / fmin(p->out_bps[from], p->in_bps[to]) : 0);
}

static double inputs_ready(const struct heft_placing *g, size_t task, size_t device)
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
static double gap_find(const struct heft_placing *g, size_t device, double ready, double seconds,
                       size_t *slot)
{
    const struct heft_lane *lane = &g->lanes[device];
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

/* The same where every member of the column must be idle. */
static double gap_of_all(const struct heft_placing *g, size_t device, double ready, double seconds)
{
    const size_t *members = &device;
    size_t n = heft_members(g->p, device, &members), agreed = 0, slot;
    double start = ready;

    for (size_t i = 0; agreed < n; i = (i + 1) % n) {
        double at = gap_find(g, members[i], start, seconds, &slot);

        agreed = at > start ? 1 : agreed + 1;
        start = at;
    }
    return start;
}

/* Devices that a task on this column would add to those in use. */
static size_t new_devices(const struct heft_placing *g, size_t device)
{
    const size_t *members = &device;
    size_t n = heft_members(g->p, device, &members), fresh = 0;

    for (size_t i = 0; i < n; i++)
        fresh += !g->lanes[members[i]].used;
    return fresh;
}

static bool device_allowed(const struct heft_placing *g, size_t task, size_t device)
{
    size_t group = g->p->group ? g->p->group[task] : HEFT_NO_GROUP;

    if (isinf(seconds_at(g->p, task, device)))
        return false;
    if (group != HEFT_NO_GROUP && g->group_device[group] != SIZE_MAX)
        return g->group_device[group] == device;
    return g->p->max_devices == 0 ||
           g->s->devices_used + new_devices(g, device) <= g->p->max_devices;
}

static void lanes_use(struct heft_placing *g, size_t device)
{
    const size_t *members = &device;
    size_t n = heft_members(g->p, device, &members);

    for (size_t i = 0; i < n; i++) {
        g->s->devices_used += !g->lanes[members[i]].used;
        g->lanes[members[i]].used = true;
    }
}

static double price_at(const struct heft_problem *p, size_t device)
{
    const size_t *members = &device;

    return p->price ? p->price[device] : (double)heft_members(p, device, &members);
}

static void put(struct heft_placing *g, size_t task, size_t device, double start)
{
    const size_t *members = &device;
    size_t n = heft_members(g->p, device, &members), slot;
    double seconds = seconds_at(g->p, task, device);

    lanes_use(g, device);
    for (size_t i = 0; i < n; i++) {
        struct heft_lane *lane = &g->lanes[members[i]];

        gap_find(g, members[i], start, seconds, &slot);
        memmove(&lane->tasks[slot + 1], &lane->tasks[slot], (lane->count - slot) * sizeof(size_t));
        lane->tasks[slot] = task;
        lane->count++;
    }
    g->s->device[task] = device;
    g->s->start[task] = start;
    g->s->finish[task] = start + seconds;
    g->s->makespan = fmax(g->s->makespan, g->s->finish[task]);
    g->s->busy_seconds += seconds * (double)n;
    g->s->cost += seconds * price_at(g->p, device);
    if (g->p->group && g->p->group[task] != HEFT_NO_GROUP)
        g->group_device[g->p->group[task]] = device;
}

static bool place_task(struct heft_placing *g, size_t task)
{
    size_t best = SIZE_MAX;
    double best_score = INFINITY, best_start = 0;

    for (size_t d = 0; d < g->p->devices; d++) {
        double seconds = seconds_at(g->p, task, d), start, score;

        if (!device_allowed(g, task, d))
            continue;
        start = gap_of_all(g, d, inputs_ready(g, task, d), seconds);
        score = start + seconds;
        if (g->p->busy_weight > 0)
            score += g->p->busy_weight * price_at(g->p, d) * seconds;
        if (score < best_score) {
            best_score = score;
            best = d;
            best_start = start;
        }
    }
    if (best == SIZE_MAX)
        return false;
    put(g, task, best, best_start);
    return true;
}

/* Of the tasks whose inputs are placed: highest priority, then highest rank, then lowest number. */
static size_t next_task(const struct heft_placing *g)
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

/* A task that only one column can run has its devices for sure: they count from the start. */
static void reserve_devices(struct heft_placing *g)
{
    for (size_t t = 0; t < g->p->tasks; t++) {
        size_t only = SIZE_MAX, n = 0;

        for (size_t d = 0; d < g->p->devices && n < 2; d++)
            if (!isinf(seconds_at(g->p, t, d))) {
                only = d;
                n++;
            }
        if (n == 1)
            lanes_use(g, only);
    }
}

int heft_place_all(struct heft_placing *g, size_t *stuck, struct err *err)
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

bool heft_place_fixed(struct heft_placing *g, const size_t *device, const size_t *order)
{
    for (size_t i = 0; i < g->p->tasks; i++) {
        size_t t = order[i], d = device[t];

        if (!device_allowed(g, t, d))
            return false;
        put(g, t, d, gap_of_all(g, d, inputs_ready(g, t, d), seconds_at(g->p, t, d)));
        g->s->order[i] = t;
    }
    return true;
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

struct heft_schedule *heft_schedule_new(size_t tasks)
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

bool heft_placing_make(struct heft_placing *g, const struct heft_problem *p)
{
    size_t lanes = p->devices - p->gangs;

    memset(g, 0, sizeof *g);
    g->p = p;
    if (!(g->s = heft_schedule_new(p->tasks)) || !heft_links_make(p, &g->links) ||
        !(g->lanes = mem_calloc(lanes + 1, sizeof *g->lanes)) ||
        !(g->lane_tasks = mem_calloc(lanes * (p->tasks + 1) + 1, sizeof *g->lane_tasks)) ||
        !(g->waits = mem_calloc(p->tasks + 1, sizeof *g->waits)) ||
        !(g->group_device = mem_calloc(p->groups + 1, sizeof *g->group_device)))
        return false;
    for (size_t d = 0; d < lanes; d++)
        g->lanes[d].tasks = &g->lane_tasks[d * (p->tasks + 1)];
    heft_placing_reset(g);
    return true;
}

void heft_placing_reset(struct heft_placing *g)
{
    for (size_t d = 0; d < g->p->devices - g->p->gangs; d++) {
        g->lanes[d].count = 0;
        g->lanes[d].used = false;
    }
    for (size_t i = 0; i < g->p->groups; i++)
        g->group_device[i] = SIZE_MAX;
    g->s->makespan = g->s->busy_seconds = g->s->cost = 0;
    g->s->devices_used = 0;
}

void heft_placing_clear(struct heft_placing *g)
{
    heft_links_clear(&g->links);
    mem_free(g->lanes);
    mem_free(g->lane_tasks);
    mem_free(g->waits);
    mem_free(g->group_device);
    heft_schedule_free(g->s);
    memset(g, 0, sizeof *g);
}
