/* store_ledger.h - whether a job's privacy budget bears one more charge.
 *
 * A round of a job runs once, under whichever plan stood then: so it is charged once, and where two
 * plans charged it differently the dearer charge counts. A charge is a vector, the divergence of
 * one round at each order that the accountant tries; a budget holds while the sums over all rounds
 * stay within the limit at one order. Nothing is ever taken off again. The store knows no more of
 * privacy than these sums. */
#ifndef COORDINATOR_STORE_STORE_LEDGER_H
#define COORDINATOR_STORE_STORE_LEDGER_H

#include "coordinator/store/store.h"

#include <stdint.h>

struct err;
struct ledger;

struct ledger *ledger_new(struct err *err);
void ledger_free(struct ledger *l); /* NULL is fine */

/* A charge that stands. A spend of NULL is one from before vectors were kept: its rho stands for
 * it. */
int ledger_add(struct ledger *l, int64_t round_first, int64_t round_last, double rho,
               const double *spend, struct err *err);

/* The new charge, added too; epsilon of all into *spent. ERR_INFEASIBLE where it passes the target:
 * the text names the rounds, what they would come to and what is spent. */
int ledger_charge(struct ledger *l, const char *job_id, const struct store_charge *c, double *spent,
                  struct err *err);

#endif
