/* queueing.h - how many equal servers a stream of requests needs, and how long they wait.
 *
 * Erlang's formulas for M/M/c (arrivals and service times without memory), and the usual correction
 * of the mean wait for others by their squared coefficients of variation (Allen and Cunneen's
 * G/G/c). Rates in requests per second, times in seconds. Pure; callers check their ranges: rates
 * are positive. */
#ifndef COORDINATOR_PLANNER_QUEUEING_H
#define COORDINATOR_PLANNER_QUEUEING_H

#include <stdint.h>

/* Probability that a request must wait. 1 where the servers cannot keep up. */
double queueing_wait_chance(double arrivals, double service, int64_t servers);

/* Mean wait. INFINITY where the servers cannot keep up. */
double queueing_mean_wait(double arrivals, double service, int64_t servers, double arrival_cv2,
                          double service_cv2);

/* Probability that a request waits longer than `seconds`. */
double queueing_late_chance(double arrivals, double service, int64_t servers, double seconds);

/* The fewest servers with at most `late_share` of the requests waiting longer than `seconds`; most
 * + 1 where `most` are not enough. */
int64_t queueing_servers(double arrivals, double service, double seconds, double late_share,
                         int64_t most);

/* The largest rate of arrivals that so many servers keep that promise at. */
double queueing_arrivals(double service, double seconds, double late_share, int64_t servers);

#endif
