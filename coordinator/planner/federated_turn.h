/* federated_turn.h - one planning turn's working state, from roster to the plan that is written.
 *
 * Room-internal. `settings` and `solution` are those of the plan: the proposal's, or the planner's
 * own where there is no proposal or it was worse. */
#ifndef COORDINATOR_PLANNER_FEDERATED_TURN_H
#define COORDINATOR_PLANNER_FEDERATED_TURN_H

#include "coordinator/planner/buffered.h"
#include "coordinator/planner/decisions.h"
#include "coordinator/planner/federated_solve.h"
#include "coordinator/planner/secure.h"

#include <stdbool.h>
#include <stdint.h>

struct assignment;
struct err;
struct federated_want;
struct forecast;
struct plan;
struct policy;
struct roster;

/* What was said of a client, for those of its class that are alike: which one, and where its
 * reasons on set-up, rate and link end. */
struct why_memo {
    size_t client_plus_1; /* 0: none */
    size_t setup_end, rate_end, link_end;
};

struct federated_turn {
    const struct snapshot *snapshot;
    const struct envelope *envelope;
    const struct federated_want *want;
    const struct policy *policy;
    struct roster *roster;
    struct federated_settings *own, *settings; /* settings is NULL while own stands */
    struct federated_solution *own_solution, *solution;
    struct notes notes;
    int aggregation, adapters;
    char aggregation_why[320], adapters_why[200];
    int64_t min_reports;
    double noise_multiplier, epsilon_spent, accounted_rate; /* NaN: no differential privacy */
    struct secure_terms secure;                             /* under secure aggregation */
    struct buffered buffered;                               /* under fedbuff */
    bool examples_known;                                    /* of all clients that take part */
    double mass, effective_steps;                           /* what weights are shares of */
    struct why_memo *memos;                                 /* per class */
    char replaced[200]; /* why the proposal's plan was not taken; "": it was */
};

/* What stands. */
const struct federated_settings *turn_settings(const struct federated_turn *t);
const struct federated_solution *turn_solution(const struct federated_turn *t);

/* federated_plan.c: the plan in full. */
int federated_write(struct federated_turn *t, int engine, struct plan *plan, struct err *err);

/* federated_why.c: participate, the one-line reason, and a row per field. */
int federated_why(const struct federated_turn *t, size_t client, struct assignment *a,
                  struct err *err);

/* federated_baseline.c: one configuration for all, sized for the smallest that takes part. */
int federated_baseline(const struct federated_turn *t, struct forecast *out, struct err *err);

#endif
