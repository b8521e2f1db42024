/* store_fixture.h - what the tests of the store share: plans to put in, calls that wait for their
 * result. */
#ifndef TESTS_UNIT_COORDINATOR_STORE_STORE_FIXTURE_H
#define TESTS_UNIT_COORDINATOR_STORE_STORE_FIXTURE_H

#include "coordinator/store/store.h"

struct store_fixture {
    struct net *net;
    char folder[64];
    char path[96]; /* of the database */
};

void fixture_open(struct store_fixture *fx); /* a net and a fresh folder */
void fixture_close(struct store_fixture *fx);
struct store *fixture_store(const struct store_fixture *fx,
                            bool memory); /* opened; fails the test */

/* The next result, waited for; yours. */
struct store_result *store_next(struct store *s);

/* Submit and wait: the result, yours. */
struct store_result *store_call(struct store *s, struct store_op *op);
/* The same where it must go well; the result is freed. */
void store_expect(struct store *s, struct store_op *op);

struct store_op *op_of(enum store_kind kind);
struct plan *plan_for_test(const char *plan_id, const char *job_id, size_t clients,
                           int64_t generation);
struct job *job_for_test(const char *job_id);
struct store_op *plan_op(const char *plan_id, const char *job_id, size_t clients,
                         int64_t generation);
struct store_op *delivery_op(const char *plan_id, const char *device_id, int state,
                             int64_t attempts);
struct store_op *measurement_op(const char *plan_id, const char *device_id, int64_t first,
                                int64_t count);
struct store_op *get_op(enum store_kind kind, const char *plan_id, const char *device_id);

#endif
