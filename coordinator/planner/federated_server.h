/* federated_server.h - the server's side of a federated plan: what combines updates, and its price.
 *
 * Room-internal. Aggregation and adapters resolved and checked against each other, noise and what
 * it is reckoned with, masks and thresholds, each client's weight. Made once the planner's own
 * solution stands; what depends on who takes part is made again for the plan's. */
#ifndef COORDINATOR_PLANNER_FEDERATED_SERVER_H
#define COORDINATOR_PLANNER_FEDERATED_SERVER_H

#include "coordinator/planner/adapters.h"
#include "coordinator/planner/secure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct federated_solution;
struct federated_turn;
struct federated_want;
struct plan;
struct training;

/* Resolves and refuses: t->aggregation, t->adapters and their reasons, noise and epsilon. */
int federated_server_begin(struct federated_turn *t, struct err *err);

/* For this solution: the fewest reports, the thresholds. ERR_INFEASIBLE where they cannot be met.
 */
int federated_server_terms(const struct federated_turn *t, const struct federated_solution *s,
                           int64_t *min_reports, struct secure_terms *secure, struct err *err);

/* Rates and staleness of an asynchronous plan, from its clients' own rounds. */
int federated_server_buffer(struct federated_turn *t, struct err *err);

/* Sums that weights are made from; once per plan. */
void federated_server_weigh(struct federated_turn *t);

/* Into plan->federated, and one client's part. */
int federated_server_write(const struct federated_turn *t, struct plan *plan, struct err *err);
int federated_server_training(const struct federated_turn *t, size_t client, struct training *r,
                              struct err *err);

/* Warnings on selection, privacy, masks, aggregation. */
int federated_server_warn(const struct federated_turn *t, struct plan *plan, struct err *err);

#endif
