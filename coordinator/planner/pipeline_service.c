/* pipeline_service.c - replicas of the stages that answer requests: as few as keep the job's
 * promise.
 *
 * Replicas stand on the stage's own device, then on the fastest others with room for it beside what
 * else runs there. All are reckoned as fast as the slowest of them (Erlang's formulas are for equal
 * servers), so what is promised is on the safe side. For other than Poisson arrivals and
 * exponential times the wait is stretched by (ca^2 + cs^2) / 2, as the mean is in the G/G/c
 * approximation. */
#include "coordinator/planner/pipeline_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/queueing.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When to change their number, with hysteresis: assumptions until a service was watched. */
#define SCALE_UP_LOAD 0.8
#define SCALE_UP_WINDOWS 3
#define SCALE_DOWN_LOAD 0.5
#define SCALE_DOWN_WINDOWS 10
#define WINDOW_SECONDS 60
#define WAIT_SHARE 0.95

struct candidate {
    double seconds; /* to answer one request */
    size_t site;
};

struct service {
    struct pipeline_turn *t;
    size_t stage;
    const struct stage_service *want;
    double late_share, wait; /* allowed; the wait over the stretch */
    double stretch;          /* (ca^2 + cs^2) / 2 */
    struct candidate *list;
    size_t count, most; /* candidates; how many may be used */
    size_t chosen;
};

static int candidate_compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return x->site < y->site ? -1 : x->site > y->site;
}

static double bytes_of(const struct stage *s)
{
    return known_i64(s->memory_bytes) ? (double)s->memory_bytes : 0;
}

/* Memory that the site's stages and other services need beside this stage. */
static double taken(const struct service *v, size_t site)
{
    const struct heft_schedule *s = pipeline_schedule(v->t);
    double most = 0;

    for (size_t i = 0; i < v->t->pipeline->stages_count; i++)
        if (i != v->stage && s->device[i] == site)
            most = fmax(most, bytes_of(&v->t->pipeline->stages[i]));
    return most + v->t->replica_bytes[site];
}

/* A device that nothing runs on counts against the job's limit of devices. */
static bool is_new(const struct service *v, size_t site)
{
    const struct heft_schedule *s = pipeline_schedule(v->t);

    if (v->t->replica_bytes[site] > 0 || v->t->is_replica[site])
        return false;
    for (size_t i = 0; i < v->t->pipeline->stages_count; i++)
        if (s->device[i] == site)
            return false;
    return true;
}

static void candidates_find(struct service *v)
{
    const struct pipeline_cost *c = v->t->pipeline->cost;
    const struct stage *stage = &v->t->pipeline->stages[v->stage];
    size_t own = pipeline_schedule(v->t)->device[v->stage], kept = 1, room = SIZE_MAX;

    v->list[v->count++] =
        (struct candidate){v->t->seconds[v->stage * v->t->sites_count + own], own};
    for (size_t d = 0; d < v->t->sites_count; d++) {
        double seconds = v->t->seconds[v->stage * v->t->sites_count + d];

        if (d != own && !isinf(seconds) && taken(v, d) + bytes_of(stage) <= v->t->sites[d].room)
            v->list[v->count++] = (struct candidate){seconds, d};
    }
    if (v->count > 2)
        qsort(v->list + 1, v->count - 1, sizeof *v->list, candidate_compare);
    if (c && known_i64(c->max_devices))
        room = (size_t)c->max_devices - pipeline_devices(v->t);
    for (size_t i = 1; i < v->count; i++) { /* without those that there is no room for */
        if (is_new(v, v->list[i].site) && room == 0)
            continue;
        room -= is_new(v, v->list[i].site) && room != SIZE_MAX;
        v->list[kept++] = v->list[i];
    }
    v->count = kept;
    v->most = v->count;
    if (known_i64(v->want->max_replicas) && (size_t)v->want->max_replicas < v->most)
        v->most = (size_t)v->want->max_replicas;
}

/* Requests per second of each of the first n: the slowest counts. */
static double rate_of(const struct service *v, size_t n)
{
    double slowest = 1e-9;

    for (size_t i = 0; i < n; i++)
        slowest = fmax(slowest, v->list[i].seconds);
    return 1 / slowest;
}

static int service_refuse(const struct service *v, struct err *err)
{
    double best = 0;

    for (size_t n = 1; n <= v->most; n++)
        best = fmax(best, queueing_arrivals(rate_of(v, n), v->wait, v->late_share, (int64_t)n));
    return err_set(err, ERR_INFEASIBLE,
                   "stage %.40s: service.arrivals_per_second %.4g, the nearest that %zu devices "
                   "can keep is %.4g",
                   v->t->pipeline->stages[v->stage].name, v->want->arrivals_per_second, v->most,
                   best);
}

static int service_choose(struct service *v, struct err *err)
{
    for (size_t n = 1; n <= v->most; n++)
        if (queueing_late_chance(v->want->arrivals_per_second, rate_of(v, n), (int64_t)n,
                                 v->wait) <= v->late_share) {
            v->chosen = n;
            return 0;
        }
    return service_refuse(v, err);
}

static int service_write(const struct service *v, struct stage_part *part, struct err *err)
{
    struct service_part *p = part->service = service_part_new(err);
    double rate = rate_of(v, v->chosen), a = v->want->arrivals_per_second;
    int64_t n = (int64_t)v->chosen;

    if (!p)
        return -1;
    for (size_t i = 0; i < v->chosen; i++) {
        const struct site *site = &v->t->sites[v->list[i].site];

        if (texts_add(&p->replicas, &p->replicas_count,
                      v->t->snapshot->clients[site->client].device_id, err) < 0)
            return -1;
    }
    p->requests_per_second = rate;
    p->load = a / (rate * (double)n);
    p->late_share = queueing_late_chance(a, rate, n, v->wait);
    p->mean_wait_seconds = queueing_mean_wait(a, rate, n, 1, 1) * v->stretch;
    p->scale_up_load = SCALE_UP_LOAD;
    p->scale_up_windows = SCALE_UP_WINDOWS;
    p->scale_down_load = SCALE_DOWN_LOAD;
    p->scale_down_windows = SCALE_DOWN_WINDOWS;
    p->window_seconds = WINDOW_SECONDS;
    return text_setf(
        &p->reason, err,
        "the fewest that take up %.4g %% of %.4g requests/s within %.4g s, each "
        "answering %.4g/s; with one fewer %.3g %% would wait longer",
        100 * (1 - v->late_share), a, v->want->wait_seconds, rate,
        100 * (n > 1 ? queueing_late_chance(a, rate_of(v, v->chosen - 1), n - 1, v->wait) : 1));
}

static int service_plan(struct pipeline_turn *t, size_t stage, struct stage_part *part,
                        struct err *err)
{
    const struct stage_service *w = t->pipeline->stages[stage].service;
    struct service v = {.t = t, .stage = stage, .want = w};
    int rc = -1;

    v.stretch = ((known_f64(w->arrival_cv2) ? w->arrival_cv2 : 1) +
                 (known_f64(w->service_cv2) ? w->service_cv2 : 1)) /
                2;
    v.wait = v.stretch > 0 ? w->wait_seconds / v.stretch : INFINITY;
    v.late_share = 1 - (known_f64(w->wait_share) ? w->wait_share : WAIT_SHARE);
    if (!(v.list = mem_calloc(t->sites_count + 1, sizeof *v.list)))
        return err_set(err, ERR_NOMEM, "%zu candidates", t->sites_count);
    candidates_find(&v);
    if (service_choose(&v, err) == 0)
        rc = service_write(&v, part, err);
    for (size_t i = 0; rc == 0 && i < v.chosen; i++) {
        t->extra += is_new(&v, v.list[i].site);
        t->is_replica[v.list[i].site] = true;
        t->replica_bytes[v.list[i].site] += bytes_of(&t->pipeline->stages[stage]);
    }
    mem_free(v.list);
    return rc;
}

size_t pipeline_devices(const struct pipeline_turn *t)
{
    return pipeline_schedule(t)->devices_used + t->extra;
}

int pipeline_services(struct pipeline_turn *t, struct plan *plan, struct err *err)
{
    t->is_replica = mem_calloc(t->sites_count + 1, sizeof *t->is_replica);
    t->replica_bytes = mem_calloc(t->sites_count + 1, sizeof *t->replica_bytes);
    if (!t->is_replica || !t->replica_bytes)
        return err_set(err, ERR_NOMEM, "%zu devices", t->sites_count);
    for (size_t i = 0; i < t->pipeline->stages_count; i++) /* parts are in the job's order still */
        if (t->pipeline->stages[i].service &&
            service_plan(t, i, &plan->pipeline->stages[i], err) < 0)
            return -1;
    return 0;
}
