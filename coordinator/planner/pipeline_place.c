/* pipeline_place.c - the best of several schedules: HEFT with and without weight on busy time, with
 * the devices limited to the busiest or the largest, and everything on one device; and what a
 * bounded search makes of it. */
#include "coordinator/planner/pipeline_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t device_limit(const struct pipeline_turn *t, const struct pipeline_ask *ask)
{
    const struct pipeline_cost *c = t->pipeline->cost;
    size_t n = ask ? ask->max_devices : 0;

    if (c && known_i64(c->max_devices) && (n == 0 || (size_t)c->max_devices < n))
        n = (size_t)c->max_devices;
    return n;
}

static double busy_limit(const struct pipeline_turn *t)
{
    const struct pipeline_cost *c = t->pipeline->cost;

    return c && known_f64(c->max_device_seconds) ? c->max_device_seconds : INFINITY;
}

/* Seconds with what the ask forbids made infinite: other classes, sites that a group cannot share.
 */
static double *asked_seconds(const struct pipeline_turn *t, const struct pipeline_ask *ask,
                             struct err *err)
{
    size_t stages = t->pipeline->stages_count, n = stages * t->sites_count;
    double *seconds = mem_dup(t->seconds, n * sizeof *seconds);

    if (!seconds) {
        err_set(err, ERR_NOMEM, "times of %zu stages", stages);
        return NULL;
    }
    for (size_t i = 0; ask && i < stages; i++)
        for (size_t d = 0; d < t->sites_count; d++)
            if (ask->class_of[i] != SIZE_MAX && t->sites[d].class_index != ask->class_of[i])
                seconds[i * t->sites_count + d] = INFINITY;
    for (size_t g = 0; ask && g < ask->groups; g++)
        for (size_t d = 0; d < t->sites_count; d++) {
            bool all = true;

            for (size_t i = 0; i < stages; i++)
                if (ask->group[i] == g && isinf(seconds[i * t->sites_count + d]))
                    all = false;
            for (size_t i = 0; i < stages && !all; i++)
                if (ask->group[i] == g)
                    seconds[i * t->sites_count + d] = INFINITY;
        }
    return seconds;
}

double pipeline_energy(const struct pipeline_turn *t, const struct heft_schedule *s)
{
    double wh = 0;

    memset(t->used_scratch, 0, t->sites_count * sizeof *t->used_scratch);
    for (size_t i = 0; i < t->pipeline->stages_count; i++) {
        size_t d = s->device[i];

        wh += power_wh(&t->sites[d].power, t->used_scratch[d] ? 0 : s->makespan,
                       s->finish[i] - s->start[i]);
        t->used_scratch[d] = true;
    }
    return wh;
}

double pipeline_price(const struct pipeline_turn *t, const struct heft_schedule *s)
{
    const struct pipeline_cost *c = t->pipeline->cost;
    double kwh = c && known_f64(c->price_per_kwh) ? c->price_per_kwh : 0;
    double hour = c && known_f64(c->device_hour_price) ? c->device_hour_price : 0;

    return kwh * pipeline_energy(t, s) / 1000 + hour * (double)s->devices_used * s->makespan / 3600;
}

/* The limits of what it may cost, the one that is passed by most first in an error. */
struct limit {
    const char *field;
    double is, most;
};
#define LIMITS 3

static void limits_of(const struct pipeline_turn *t, const struct heft_schedule *s,
                      struct limit out[LIMITS])
{
    const struct pipeline_cost *c = t->pipeline->cost;

    out[0] = (struct limit){"max_device_seconds", s->busy_seconds, busy_limit(t)};
    out[1] = (struct limit){"max_energy_wh", 0, INFINITY};
    out[2] = (struct limit){"max_price", 0, INFINITY};
    if (c && known_f64(c->max_energy_wh))
        out[1] = (struct limit){"max_energy_wh", pipeline_energy(t, s), c->max_energy_wh};
    if (c && known_f64(c->max_price))
        out[2] = (struct limit){"max_price", pipeline_price(t, s), c->max_price};
}

/* How far it is beyond its limits, each as a share of the limit; 0: within all. */
static double excess(const struct pipeline_turn *t, const struct heft_schedule *s,
                     struct limit *worst)
{
    struct limit limits[LIMITS];
    double sum = 0, most = 0;

    limits_of(t, s, limits);
    for (int i = 0; i < LIMITS; i++) {
        double over =
            limits[i].is > limits[i].most ? limits[i].is / fmax(limits[i].most, 1e-9) - 1 : 0;

        if (worst && over > most)
            *worst = limits[i];
        most = fmax(most, over);
        sum += over;
    }
    return sum;
}

/* Within what it may cost first, then shorter, then fewer devices. */
static bool schedule_better(void *arg, const struct heft_schedule *a, const struct heft_schedule *b)
{
    const struct pipeline_turn *t = arg;
    double over = excess(t, a, NULL), other = excess(t, b, NULL);

    if (over != other)
        return over < other;
    if (a->makespan != b->makespan)
        return a->makespan < b->makespan;
    return a->devices_used < b->devices_used;
}

/* Keep the better of two. */
static void keep_better(const struct pipeline_turn *t, struct heft_schedule **best,
                        struct heft_schedule *s)
{
    if (!s)
        return;
    if (!*best || schedule_better((void *)(uintptr_t)t, s, *best)) {
        heft_schedule_free(*best);
        *best = s;
    } else {
        heft_schedule_free(s);
    }
}

/* A schedule that lost memory must not look like one that does not exist. */
static int try_open(const struct pipeline_turn *t, const struct heft_problem *p,
                    struct heft_schedule **best, struct err *err)
{
    struct err why = {0};
    struct heft_schedule *s = heft_schedule(p, NULL, &why);

    if (!s && why.code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "%s", why.text);
    keep_better(t, best, s);
    return 0;
}

struct site_key {
    double key;
    size_t site;
};

static int site_key_compare(const void *a, const void *b)
{
    const struct site_key *x = a, *y = b;

    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return x->site < y->site ? -1 : x->site > y->site;
}

/* Only the `limit` sites of the highest keys; stages that need another keep theirs. */
static int try_subset(const struct pipeline_turn *t, struct heft_problem *p, struct site_key *keys,
                      size_t limit, struct heft_schedule **best, struct err *err)
{
    size_t stages = p->tasks, n = stages * p->devices;
    double *seconds = mem_dup(p->seconds, n * sizeof *seconds);
    const double *all = p->seconds;
    int rc;

    if (!seconds)
        return err_set(err, ERR_NOMEM, "times of %zu stages", stages);
    qsort(keys, p->devices, sizeof *keys, site_key_compare);
    for (size_t i = 0; i < stages; i++) {
        bool any = false;

        for (size_t k = 0; k < limit && k < p->devices; k++)
            any = any || !isinf(seconds[i * p->devices + keys[k].site]);
        for (size_t k = limit; any && k < p->devices; k++)
            seconds[i * p->devices + keys[k].site] = INFINITY;
    }
    p->seconds = seconds;
    rc = try_open(t, p, best, err);
    p->seconds = all;
    mem_free(seconds);
    return rc;
}

static int try_limited(const struct pipeline_turn *t, struct heft_problem *p,
                       struct heft_schedule **best, struct err *err)
{
    struct site_key *keys = mem_calloc(p->devices + 1, sizeof *keys);
    struct heft_schedule *open;
    size_t limit = p->max_devices;
    struct err why = {0};
    int rc = 0;

    if (!keys)
        return err_set(err, ERR_NOMEM, "%zu candidates", p->devices);
    p->max_devices = 0;
    open = heft_schedule(p, NULL, &why);
    p->max_devices = limit;
    if (!open && why.code == ERR_NOMEM)
        rc = err_set(err, ERR_NOMEM, "%s", why.text);
    if (open) {
        for (size_t d = 0; d < p->devices; d++)
            keys[d] = (struct site_key){0, d};
        for (size_t i = 0; i < p->tasks; i++)
            keys[open->device[i]].key += open->finish[i] - open->start[i];
        rc = try_subset(t, p, keys, limit, best, err);
        for (size_t d = 0; rc == 0 && d < p->devices; d++)
            keys[d] = (struct site_key){t->sites[d].room, d};
        if (rc == 0)
            rc = try_subset(t, p, keys, limit, best, err);
    }
    heft_schedule_free(open);
    mem_free(keys);
    return rc;
}

/* Everything on each site that can hold all; the schedule of the soonest. */
static int try_single(const struct pipeline_turn *t, const struct heft_problem *p,
                      struct heft_schedule **best, double *least, size_t *site, struct err *err)
{
    struct heft_problem one = *p;
    double *seconds;
    int rc;

    *least = INFINITY;
    for (size_t d = 0; d < p->devices; d++) {
        double sum = 0;

        for (size_t i = 0; i < p->tasks; i++)
            sum += p->seconds[i * p->devices + d];
        if (sum < *least) {
            *least = sum;
            *site = d;
        }
    }
    if (isinf(*least) || !best)
        return 0;
    if (!(seconds = mem_dup(p->seconds, p->tasks * p->devices * sizeof *seconds)))
        return err_set(err, ERR_NOMEM, "times of %zu stages", p->tasks);
    for (size_t i = 0; i < p->tasks; i++)
        for (size_t d = 0; d < p->devices; d++)
            if (d != *site)
                seconds[i * p->devices + d] = INFINITY;
    one.seconds = seconds;
    rc = try_open(t, &one, best, err);
    mem_free(seconds);
    return rc;
}

static struct heft_problem problem_of(const struct pipeline_turn *t, const struct pipeline_ask *ask,
                                      const double *seconds)
{
    return (struct heft_problem){.tasks = t->pipeline->stages_count,
                                 .devices = t->sites_count,
                                 .seconds = seconds,
                                 .edges = t->edges,
                                 .edges_count = t->edges_count,
                                 .out_bps = t->out_bps,
                                 .in_bps = t->in_bps,
                                 .priority = ask ? ask->priority : NULL,
                                 .group = ask ? ask->group : NULL,
                                 .groups = ask ? ask->groups : 0,
                                 .max_devices = device_limit(t, ask)};
}

struct heft_problem pipeline_problem(const struct pipeline_turn *t)
{
    return problem_of(t, NULL, t->seconds);
}

int pipeline_single(struct pipeline_turn *t, struct err *err)
{
    struct heft_problem p = problem_of(t, NULL, t->seconds);

    return try_single(t, &p, NULL, &t->single_seconds, &t->single_site, err);
}

/* Whether the planner's own schedule does all that is asked: then it stands, as nothing better was
 * found without the ask. */
static bool own_conforms(const struct pipeline_turn *t, const struct heft_problem *p)
{
    const struct heft_schedule *s = t->own;

    if (!s || (p->max_devices > 0 && s->devices_used > p->max_devices))
        return false;
    for (size_t i = 0; i < p->tasks; i++) {
        size_t task = s->order[i];

        if (isinf(p->seconds[task * p->devices + s->device[task]]))
            return false;
        for (size_t k = i + 1; k < p->tasks; k++) { /* nothing more urgent was ready */
            size_t later = s->order[k];
            bool ready = true;

            for (size_t e = 0; e < t->edges_count && ready; e++)
                if (t->edges[e].to == later)
                    for (size_t j = i; j < k && ready; j++)
                        ready = s->order[j] != t->edges[e].from;
            if (ready && p->priority && p->priority[later] > p->priority[task])
                return false;
        }
        for (size_t k = 0; p->group && k < p->tasks; k++)
            if (p->group[task] != HEFT_NO_GROUP && p->group[k] == p->group[task] &&
                s->device[k] != s->device[task])
                return false;
    }
    return true;
}

/* The candidates, then the search from the best of them. */
static int place_best(const struct pipeline_turn *t, struct heft_problem *p,
                      struct heft_schedule **best, struct err *err)
{
    static const double weights[] = {0, 0.5, 2, 8,
                                     1e6}; /* the last: least busy time at any price */
    double least;
    size_t site = 0;

    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        p->busy_weight = weights[i];
        if (i > 0 && *best && excess(t, *best, NULL) == 0)
            break; /* weight on busy time only helps to stay within limits */
        if (try_open(t, p, best, err) < 0)
            return -1;
    }
    p->busy_weight = 0;
    if ((p->max_devices > 0 && try_limited(t, p, best, err) < 0) ||
        try_single(t, p, best, &least, &site, err) < 0)
        return -1;
    return *best ? heft_improve(p, schedule_better, (void *)(uintptr_t)t, heft_budget(p), best, err)
                 : 0;
}

struct heft_schedule *pipeline_place(const struct pipeline_turn *t, const struct pipeline_ask *ask,
                                     struct err *err)
{
    double *seconds = asked_seconds(t, ask, err);
    struct heft_schedule *best = NULL;
    struct heft_problem p = problem_of(t, ask, seconds);
    struct limit worst = {"max_device_seconds", 0, 0};
    int rc = seconds ? 0 : -1;

    if (rc == 0 && ask && own_conforms(t, &p))
        rc = (best = heft_schedule_fixed(&p, t->own->device, t->own->order, err)) ? 0 : -1;
    else if (rc == 0)
        rc = place_best(t, &p, &best, err);
    mem_free(seconds);
    if (rc == 0 && !best)
        err_set(err, ERR_INFEASIBLE,
                "pipeline.cost.max_devices: %zu devices cannot hold every stage", p.max_devices);
    else if (rc == 0 && excess(t, best, &worst) > 0)
        err_set(err, ERR_INFEASIBLE, "pipeline.cost.%s: %.4g, the nearest that can be met is %.4g",
                worst.field, worst.most, worst.is);
    else if (rc == 0)
        return best;
    heft_schedule_free(best);
    return NULL;
}
