/* heft_improve.c - iterated local search over where tasks run and in which order they are placed.
 *
 * A state is a device per task and a topological order; placing it costs little, so a state is
 * judged by placing it. Groups move as one. Candidates for a move are the devices in use and a few
 * others at random: on a large fleet most devices are alike, and the few are enough to find one. */
#include "coordinator/planner/heft.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "coordinator/planner/draw.h"
#include "coordinator/planner/heft_place.h"

#include <math.h>
#include <string.h>

#define OTHERS_TRIED 6   /* devices not in use, per task and pass */
#define ALL_TRIED_MAX 16 /* with so few devices each is tried */
#define KICK_MOVES_MAX 3 /* random moves out of a local optimum */
#define STALE_KICKS 60   /* kicks without gain after which the search ends */
#define SEED 0x45535041u /* any: fixed, so that plans are the same everywhere */

struct search {
    const struct heft_problem *p;
    struct heft_placing g;
    heft_better_fn *better;
    void *arg;
    struct heft_schedule *best;    /* of all */
    struct heft_schedule *current; /* where the local search stands */
    size_t *device, *order;        /* the state being tried */
    size_t *position;              /* of each task in `order` */
    bool may_reorder;
    size_t left; /* of the budget */
    struct draw draw;
};

static void schedule_copy(struct heft_schedule *to, const struct heft_schedule *from, size_t tasks)
{
    to->makespan = from->makespan;
    to->busy_seconds = from->busy_seconds;
    to->cost = from->cost;
    to->devices_used = from->devices_used;
    memcpy(to->device, from->device, tasks * sizeof *to->device);
    memcpy(to->start, from->start, tasks * sizeof *to->start);
    memcpy(to->finish, from->finish, tasks * sizeof *to->finish);
    memcpy(to->rank, from->rank, tasks * sizeof *to->rank);
    memcpy(to->order, from->order, tasks * sizeof *to->order);
}

/* The state becomes what `s` holds. */
static void state_from(struct search *x, const struct heft_schedule *s)
{
    memcpy(x->device, s->device, x->p->tasks * sizeof *x->device);
    memcpy(x->order, s->order, x->p->tasks * sizeof *x->order);
    for (size_t i = 0; i < x->p->tasks; i++)
        x->position[x->order[i]] = i;
}

/* Place the state. 1: it may be, and is in g.s; 0: it may not; -1: the budget is used up. */
static int place(struct search *x)
{
    if (x->left == 0)
        return -1;
    x->left--;
    heft_placing_reset(&x->g);
    return heft_place_fixed(&x->g, x->device, x->order);
}

/* Place the state and keep it as current where it is better than that. */
static bool try_state(struct search *x)
{
    struct heft_schedule *s;

    if (place(x) != 1 || !x->better(x->arg, x->g.s, x->current))
        return false;
    s = x->current;
    x->current = x->g.s;
    x->g.s = s;
    return true;
}

static bool grouped(const struct search *x, size_t task)
{
    return x->p->group && x->p->group[task] != HEFT_NO_GROUP;
}

/* A task, or all of its group, to a device; false where one of them may not run there. */
static bool state_move(struct search *x, size_t task, size_t device)
{
    if (!grouped(x, task)) {
        x->device[task] = device;
        return !isinf(x->p->seconds[task * x->p->devices + device]);
    }
    for (size_t t = 0; t < x->p->tasks; t++)
        if (x->p->group[t] == x->p->group[task]) {
            if (isinf(x->p->seconds[t * x->p->devices + device]))
                return false;
            x->device[t] = device;
        }
    return true;
}

/* Where in the order a task may stand: after the last it needs, before the first that needs it. */
static void order_range(const struct search *x, size_t task, size_t *low, size_t *high)
{
    const struct heft_links *l = &x->g.links;

    *low = 0;
    *high = x->p->tasks - 1;
    for (size_t k = l->in_at[task]; k < l->in_at[task + 1]; k++) {
        size_t at = x->position[x->p->edges[l->in[k]].from];

        if (at + 1 > *low)
            *low = at + 1;
    }
    for (size_t k = l->out_at[task]; k < l->out_at[task + 1]; k++) {
        size_t at = x->position[x->p->edges[l->out[k]].to];

        if (at - 1 < *high)
            *high = at - 1;
    }
}

static void state_reorder(struct search *x, size_t task, size_t to)
{
    size_t from = x->position[task];

    for (; from < to; from++) {
        x->order[from] = x->order[from + 1];
        x->position[x->order[from]] = from;
    }
    for (; from > to; from--) {
        x->order[from] = x->order[from - 1];
        x->position[x->order[from]] = from;
    }
    x->order[to] = task;
    x->position[task] = to;
}

static bool in_use(const struct search *x, size_t device)
{
    for (size_t t = 0; t < x->p->tasks; t++)
        if (x->current->device[t] == device)
            return true;
    return false;
}

static bool try_device(struct search *x, size_t task, size_t device)
{
    if (device == x->current->device[task] || isinf(x->p->seconds[task * x->p->devices + device]))
        return false;
    if (state_move(x, task, device) && try_state(x))
        return true;
    state_from(x, x->current);
    return false;
}

static bool improve_device(struct search *x, size_t task)
{
    bool gained = false;

    if (x->p->devices <= ALL_TRIED_MAX) {
        for (size_t d = 0; d < x->p->devices; d++)
            gained = try_device(x, task, d) || gained;
        return gained;
    }
    for (size_t t = 0; t < x->p->tasks; t++) { /* the devices of the others, each once */
        size_t d = x->current->device[t], before = 0;

        while (before < t && x->current->device[before] != d)
            before++;
        if (before == t)
            gained = try_device(x, task, d) || gained;
    }
    for (size_t i = 0; i < OTHERS_TRIED; i++) {
        size_t d = draw_below(&x->draw, x->p->devices);

        if (!in_use(x, d))
            gained = try_device(x, task, d) || gained;
    }
    return gained;
}

static bool improve_order(struct search *x, size_t task)
{
    size_t ends[2];
    bool gained = false;

    order_range(x, task, &ends[0], &ends[1]);
    for (int i = 0; i < 2; i++) {
        if (ends[i] == x->position[task])
            continue;
        state_reorder(x, task, ends[i]);
        if (try_state(x)) {
            gained = true;
            break;
        }
        state_from(x, x->current);
    }
    return gained;
}

/* Until no single move gains, or the budget is gone. The last tasks first: they end the schedule.
 */
static void local_search(struct search *x)
{
    bool gained = true;

    while (gained && x->left > 0) {
        gained = false;
        for (size_t i = x->p->tasks; i-- > 0 && x->left > 0;) {
            size_t task = x->current->order[i];

            gained = improve_device(x, task) || gained;
            if (x->may_reorder)
                gained = improve_order(x, task) || gained;
        }
    }
}

/* Some random moves from the best; the state that results is current, whatever it is worth. */
static void kick(struct search *x)
{
    size_t moves = 1 + draw_below(&x->draw, KICK_MOVES_MAX);

    schedule_copy(x->current, x->best, x->p->tasks);
    state_from(x, x->best);
    for (size_t i = 0; i < moves; i++) {
        size_t task = draw_below(&x->draw, x->p->tasks), low, high;
        size_t device = draw_below(&x->draw, x->p->devices);

        if (x->may_reorder && draw_chance(&x->draw, 0.4)) {
            order_range(x, task, &low, &high);
            state_reorder(x, task, low + draw_below(&x->draw, high - low + 1));
        } else if (!isinf(x->p->seconds[task * x->p->devices + device]) &&
                   !state_move(x, task, device)) {
            state_from(x, x->best); /* half of a group was moved */
        }
    }
    if (place(x) == 1)
        schedule_copy(x->current, x->g.s, x->p->tasks);
    state_from(x, x->current);
}

static bool search_make(struct search *x, const struct heft_schedule *from)
{
    size_t n = x->p->tasks;

    if (!heft_placing_make(&x->g, x->p) || !(x->best = heft_schedule_new(n)) ||
        !(x->current = heft_schedule_new(n)) || !(x->device = mem_calloc(n + 1, sizeof(size_t))) ||
        !(x->order = mem_calloc(n + 1, sizeof(size_t))) ||
        !(x->position = mem_calloc(n + 1, sizeof(size_t))))
        return false;
    schedule_copy(x->best, from, n);
    schedule_copy(x->current, from, n);
    schedule_copy(x->g.s, from, n); /* for the ranks */
    state_from(x, from);
    x->may_reorder = true;
    for (size_t t = 1; x->p->priority && t < n; t++)
        if (x->p->priority[t] != x->p->priority[0])
            x->may_reorder = false; /* the order is what was asked for */
    return true;
}

static void search_clear(struct search *x)
{
    heft_placing_clear(&x->g);
    heft_schedule_free(x->best);
    heft_schedule_free(x->current);
    mem_free(x->device);
    mem_free(x->order);
    mem_free(x->position);
}

size_t heft_budget(const struct heft_problem *p)
{
    double n = (double)p->tasks;
    double steps = n * (8 + n / 4) + 4 * (double)p->edges_count; /* of one placing, about */

    return (size_t)fmin(fmax(2.5e7 / fmax(steps, 1), 32), 1500);
}

int heft_improve(const struct heft_problem *p, heft_better_fn *better, void *arg, size_t budget,
                 struct heft_schedule **s, struct err *err)
{
    struct search x = {.p = p, .better = better, .arg = arg, .left = budget, .draw = {SEED}};

    if (p->tasks == 0 || p->devices < 2)
        return 0;
    if (!search_make(&x, *s)) {
        search_clear(&x);
        return err_set(err, ERR_NOMEM, "search over %zu tasks", p->tasks);
    }
    local_search(&x);
    for (size_t stale = 0; stale < STALE_KICKS && x.left > 0; stale++) {
        if (better(arg, x.current, x.best)) {
            schedule_copy(x.best, x.current, p->tasks);
            stale = 0;
        }
        kick(&x);
        local_search(&x);
    }
    if (better(arg, x.current, x.best))
        schedule_copy(x.best, x.current, p->tasks);
    if (better(arg, x.best, *s)) {
        heft_schedule_free(*s);
        *s = x.best;
        x.best = NULL;
    }
    search_clear(&x);
    return 0;
}
