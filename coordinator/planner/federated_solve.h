/* federated_solve.h - settings in, every client's part out.
 *
 * Room-internal. Settings are what an engine decides, checked and complete; a solution is what
 * follows from them: who takes part, with which set-up, how many steps, how long, how many tokens.
 * The analytic plan and a proposal's plan come from the same function, so they compare fairly. */
#ifndef COORDINATOR_PLANNER_FEDERATED_SOLVE_H
#define COORDINATOR_PLANNER_FEDERATED_SOLVE_H

#include "coordinator/planner/federated_fit.h"
#include "coordinator/planner/federated_link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct roster;

/* One class's part of the settings. */
struct class_settings {
    bool participate;
    struct fit_ask ask;
    int64_t local_steps; /* at most; UNKNOWN_I64: as many as finish together with the others */
};

struct federated_settings {
    int64_t rank, layers;
    double memory_share;
    int upload_format;
    double learning_rate;
    int lr_schedule;
    int64_t warmup_steps, steps_max;
    double server_learning_rate, proximal_mu;
    int adapters;                   /* enum adapters: what updates are made of; never auto */
    bool by_link;                   /* clients may differ in upload format */
    bool mix_ranks;                 /* and in rank */
    double mask_factor;             /* bytes of an update under its masks, over those without; 1 */
    size_t stacked_clients;         /* whose adapters FLoRA sends to all; 1 otherwise */
    struct class_settings *classes; /* as the snapshot's */
    size_t classes_count;
};

/* Why a client has no part. */
enum client_out {
    CLIENT_IN,
    OUT_RULE,      /* the roster says why */
    OUT_ENGINE,    /* the proposal left its class out */
    OUT_MEMORY,    /* nothing fits */
    OUT_DATA,      /* too few examples for the fewest steps */
    OUT_LINK,      /* its upload takes too much of the round */
    OUT_DEADLINE,  /* too few steps before the deadline */
    OUT_SELECTION, /* others were chosen */
};

struct client_part {
    enum client_out out;
    struct fit fit;          /* valid where it fits */
    struct link_option link; /* its rank, upload format and bytes */
    double fixed_seconds;    /* transfers and warm-up */
    double upload_seconds;
    int64_t steps;
    int64_t steps_cap;            /* by local_steps_max, the proposal and the data */
    int why_steps;                /* enum constraint: what bound the steps */
    double round_seconds, tokens; /* tokens of one round */
};

struct federated_solution {
    double horizon_seconds;  /* T*: all that take part finish by then */
    double deadline_seconds; /* what clients are given */
    double parameters;       /* trained, of one client of the common rank */
    double sent_parameters;  /* of them in an update */
    double update_bytes;     /* of the best form in which one may travel */
    double upload_bytes;     /* of all updates of a round */
    size_t clients;          /* that take part */
    size_t selectable;       /* that could, before the selection; 0: there was none */
    double sampling_rate; /* of them in a round, each by its own coin; 1: all serve in all rounds */
    int64_t selection_seed; /* UNKNOWN_I64: nothing was drawn */
    int tier;               /* that was drawn */
    int64_t rank_least, rank_most;
    struct link_option best_link; /* the largest update that any client sends */
    bool top_k, quantised;        /* some client's */
    double round_seconds, tokens, busy_seconds;
    int64_t steps_least, steps_most;
    bool goal_missed;
    struct client_part *parts; /* as the snapshot's clients */
};

struct federated_settings *federated_settings_new(size_t classes, struct err *err);
struct federated_settings *federated_settings_dup(const struct federated_settings *s,
                                                  struct err *err);
void federated_settings_free(struct federated_settings *s); /* NULL is fine */

struct federated_solution *federated_solve(const struct roster *r,
                                           const struct federated_settings *s, struct err *err);
void federated_solution_free(struct federated_solution *s); /* NULL is fine */

/* How many clients memory, link and deadline allow at these common values, without solving. */
size_t federated_count(const struct roster *r, const struct federated_settings *s);

/* The planner's own settings for this job and fleet. */
struct federated_settings *federated_choose(const struct roster *r, struct err *err);

/* Clients that serve in one round, expected. */
double federated_clients_per_round(const struct federated_solution *s);

/* The shortest update that this client could be given: one sequence of the shortest length. What a
 * nearest feasible deadline is reckoned from. */
double federated_quickest_step(const struct roster *r, const struct federated_settings *s,
                               size_t client, const struct client_part *p);

/* Where a client stands in memory under these settings. */
struct fit_place federated_place(const struct roster *r, const struct federated_settings *s,
                                 size_t client);

#endif
