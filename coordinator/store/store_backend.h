/* store_backend.h - what a backend of the store is: store_sqlite.c and store_memory.c.
 *
 * Used by one thread at a time. `apply` carries out one operation inside the open transaction,
 * whole or not at all, and fills the result; after a failure in_transaction says whether the
 * transaction is still there (a full disk may end it). Nothing that apply did counts before commit
 * returned 0. */
#ifndef COORDINATOR_STORE_STORE_BACKEND_H
#define COORDINATOR_STORE_STORE_BACKEND_H

#include "coordinator/store/store.h"

struct store_backend {
    const struct store_backend_type *type;
};

struct store_backend_type {
    const char *name;
    int (*begin)(struct store_backend *b, struct err *err);
    int (*commit)(struct store_backend *b, struct err *err); /* on failure nothing of it happened */
    void (*rollback)(struct store_backend *b);               /* fine without a transaction */
    bool (*in_transaction)(const struct store_backend *b);
    int (*apply)(struct store_backend *b, const struct store_op *op, struct store_result *r,
                 struct err *err);
    int (*load)(struct store_backend *b, struct store_contents *out, struct err *err);
    void (*close)(struct store_backend *b);
};

/* Times as in store_settings, and none of them 0. */
struct store_backend *store_sqlite_open(const struct store_settings *settings, struct err *err);
struct store_backend *store_memory_open(const struct store_settings *settings, struct err *err);

/* Shared by both. */
#define STORE_DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define STORE_PURGE_MS (STORE_DAY_MS / 24) /* old answers are dropped this often */
#define STORE_TELL_MS \
    (30 * STORE_DAY_MS) /* an agent away for longer need not hear of a cancelled plan */
#define STORE_LIST_DEFAULT 100
#define STORE_LIST_MAX 10000

/* The limit of a list: the operation's, within 1 and STORE_LIST_MAX. */
size_t store_limit(const struct store_op *op);

/* What every operation of its kind must bring; names what is missing. */
int store_op_check(const struct store_op *op, struct err *err);

/* Frees what a result found, not its operation; as before apply. */
void store_result_reset(struct store_result *r);

/* A line about a plan, without the counts of its deliveries. */
int store_summary_of(const struct plan *plan, struct plan_summary *out, struct err *err);

/* Adds one delivery's state to the counts of its plan's line. */
void store_summary_count(struct plan_summary *s, int delivery_state, int64_t n);

/* Assignments with a generation become deliveries; the others (clients that are left out) stay in
 * the plan, for showing. */
bool store_is_delivered(const struct assignment *a);
/* A pending delivery for an assignment of the plan. */
int store_delivery_of(const struct plan *plan, const struct assignment *a, int64_t now_ms,
                      struct delivery *out, struct err *err);

#endif
