/* privacy.h - how much noise keeps a job's promise: Renyi accounting of the sampled Gaussian.
 *
 * One round adds noise of sigma x clip norm to a sum of clipped updates; neighbouring data sets
 * differ by one client. Orders are whole numbers, 2..64 and some above: the bound is then at most 1
 * % above the best for noise that anybody would use, and always an upper bound. Amplification by
 * sampling holds for random (Poisson) sampling only: a plan whose clients are chosen by speed, tier
 * or loss is accounted with rate 1. */
#ifndef COORDINATOR_PLANNER_PRIVACY_H
#define COORDINATOR_PLANNER_PRIVACY_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define PRIVACY_ORDERS 72 /* that are tried, and that the ledger keeps sums of */

#define PRIVACY_NOISE_MAX 1e6 /* the largest noise multiplier that a plan can carry */

/* Renyi divergence of one round at a whole order of 2 or more. rate in (0, 1], sigma > 0. */
double privacy_rdp(double rate, double sigma, int order);

/* Epsilon after `rounds` rounds, never below 0; the order that gave it into *order unless NULL. */
double privacy_epsilon(double rate, double sigma, int64_t rounds, double delta, int *order);

/* The smallest noise multiplier (to 1e-4) that keeps epsilon. ERR_INFEASIBLE where none up to
 * PRIVACY_NOISE_MAX does, naming the smallest epsilon that can be had. */
int privacy_noise(double rate, int64_t rounds, double epsilon, double delta, double *sigma,
                  struct err *err);

int privacy_order(size_t i); /* i below PRIVACY_ORDERS */

/* What the ledger needs: the divergence of one round at every order, and what all rounds together
 * may come to at each. A budget holds as long as the sums stay within the limit at one order. */
void privacy_spend(double rate, double sigma, double out[PRIVACY_ORDERS]);
void privacy_limit(double epsilon, double delta, double out[PRIVACY_ORDERS]);

#endif
