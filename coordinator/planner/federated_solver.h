/* federated_solver.h - what the files of the solver share.
 *
 * federated_solve.c fits clients and writes their parts, federated_horizon.c finds T*,
 * federated_select.c says who serves. Room-internal, theirs alone. */
#ifndef COORDINATOR_PLANNER_FEDERATED_SOLVER_H
#define COORDINATOR_PLANNER_FEDERATED_SOLVER_H

#include "coordinator/planner/federated_link.h"
#include "coordinator/planner/federated_solve.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct federated_want;
struct roster;

/* What a client does before a horizon, in as few bytes as that takes: a search reads them often. */
struct goal_row {
    double earliest; /* no sooner: its upload is then a small enough share */
    double fixed, step, tokens;
    int64_t cap;
};

struct solver {
    const struct roster *roster;
    const struct federated_settings *settings;
    const struct federated_want *want;
    struct federated_solution *solution;
    struct link_options links;
    double goal_scale; /* of the token goal, while more clients are looked at than will serve */
    struct fit *class_fits;
    bool *class_fits_any;
    double *class_horizon;      /* scratch of the default horizon */
    struct goal_row *goal_rows; /* scratch, where there is a goal */
    double *class_quickest;     /* shortest update of a class's members; 0: not sought yet */
};

/* federated_solve.c: steps before the horizon, 0 where they are too few; tokens of use in one. */
int64_t solver_steps_at(const struct solver *v, const struct client_part *p, double horizon);
double solver_useful_tokens(const struct solver *v, const struct client_part *p);

/* federated_horizon.c: T*; says whether the goal is missed. */
double solver_horizon(struct solver *v);

/* federated_select.c: parts that do not serve become OUT_SELECTION. */
int solver_select(struct solver *v, struct err *err);

#endif
