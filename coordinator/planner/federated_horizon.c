/* federated_horizon.c - T*, the moment by which all that take part have finished.
 *
 * The job's deadline, else the smallest that meets its token goal, else what the slowest client
 * needs for a few steps. */
#include "coordinator/planner/federated_solver.h"

#include "common/core/unknown.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/roster.h"

#include <math.h>
#include <string.h>

#define PRECISION 1e-10 /* of T*: under a microsecond of an hour */

struct goal {
    const struct solver *v;
    struct goal_row *rows;
    size_t count;
};

static void goal_rows(struct goal *g)
{
    const struct solver *v = g->v;

    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++) {
        const struct client_part *p = &v->solution->parts[i];

        if (p->out == CLIENT_IN)
            g->rows[g->count++] = (struct goal_row){p->upload_seconds / v->want->upload_share_max,
                                                    p->fixed_seconds, p->fit.time.step_seconds,
                                                    solver_useful_tokens(v, p), p->steps_cap};
    }
}

/* At this horizon the goal is reached, by enough clients for the round to count. */
static bool goal_reached(const struct goal *g, double horizon)
{
    const struct federated_want *w = g->v->want;
    double rate = g->v->solution->sampling_rate, tokens = 0;
    int64_t clients = 0, needed = w->min_clients;

    if (known_i64(w->min_reports) && w->min_reports > needed)
        needed = w->min_reports;
    for (size_t i = 0; i < g->count; i++) {
        const struct goal_row *r = &g->rows[i];
        int64_t n = r->earliest > horizon ? 0 : cost_steps_within(horizon, r->fixed, r->step);

        if (n < w->steps_min)
            continue;
        clients++;
        tokens += (double)(n < r->cap ? n : r->cap) * r->tokens;
    }
    return tokens * rate >= w->token_goal * g->v->goal_scale &&
           (double)clients * rate >= (double)needed;
}

/* When this client has done `steps`, and its upload is a small enough share. */
static double horizon_for(const struct solver *v, const struct client_part *p, int64_t steps)
{
    double t = p->fixed_seconds + (double)steps * p->fit.time.step_seconds;

    t = fmax(t, p->upload_seconds / v->want->upload_share_max);
    return t * (1 + 1e-12); /* so that dividing it again gives the same number of steps */
}

/* The slowest client does a few steps. A proposal that asks more of a class gets the time for it.
 */
static double horizon_default(const struct solver *v)
{
    const struct snapshot *s = v->roster->snapshot;
    int64_t few = envelope_policy(v->roster->envelope)->default_steps;
    double horizon = 0, *class_least = v->class_horizon;

    few = few < v->want->steps_min ? v->want->steps_min : few;
    memset(class_least, 0, s->classes_count * sizeof *class_least);
    for (size_t i = 0; i < s->clients_count; i++) {
        const struct client_part *p = &v->solution->parts[i];
        size_t k = s->clients[i].class_index;
        double t;

        if (p->out != CLIENT_IN)
            continue;
        horizon = fmax(horizon, horizon_for(v, p, few < p->steps_cap ? few : p->steps_cap));
        if (!known_i64(v->settings->classes[k].local_steps))
            continue;
        t = horizon_for(v, p, p->steps_cap);
        class_least[k] = class_least[k] > 0 ? fmin(class_least[k], t) : t;
    }
    for (size_t k = 0; k < s->classes_count; k++)
        horizon = fmax(horizon, class_least[k]);
    return horizon;
}

/* The smallest T* at which the clients reach the goal together; where none does, the smallest at
 * which all have done what they can. */
static double horizon_goal(struct solver *v)
{
    struct goal g = {.v = v, .rows = v->goal_rows};
    double low = 0, high = 0;

    for (size_t i = 0; i < v->roster->snapshot->clients_count; i++) {
        const struct client_part *p = &v->solution->parts[i];

        if (p->out == CLIENT_IN)
            high = fmax(high, horizon_for(v, p, p->steps_cap));
    }
    goal_rows(&g);
    v->solution->goal_missed = !goal_reached(&g, high);
    while (!v->solution->goal_missed && high - low > PRECISION * high) {
        double mid = low + (high - low) / 2;

        if (goal_reached(&g, mid))
            high = mid;
        else
            low = mid;
    }
    return high;
}

double solver_horizon(struct solver *v)
{
    bool deadline = known_f64(v->want->deadline), goal = known_f64(v->want->token_goal);
    double t;

    v->solution->goal_missed = false;
    if (!goal)
        return deadline ? v->want->deadline : horizon_default(v);
    t = horizon_goal(v);
    if (deadline && t > v->want->deadline) {
        v->solution->goal_missed = true;
        return v->want->deadline;
    }
    return t;
}
