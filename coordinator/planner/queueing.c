/* queueing.c - Erlang B by its recursion, Erlang C from it. */
#include "coordinator/planner/queueing.h"

#include <math.h>

/* B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)): no factorial, so no overflow. */
static double erlang_b(double load, int64_t servers)
{
    double b = 1;

    for (int64_t k = 1; k <= servers; k++)
        b = load * b / ((double)k + load * b);
    return b;
}

static double erlang_c(double load, int64_t servers, double b)
{
    return load >= (double)servers ? 1 : b / (1 - load / (double)servers * (1 - b));
}

double queueing_wait_chance(double arrivals, double service, int64_t servers)
{
    double load = arrivals / service;

    return erlang_c(load, servers, erlang_b(load, servers));
}

double queueing_mean_wait(double arrivals, double service, int64_t servers, double arrival_cv2,
                          double service_cv2)
{
    double spare = (double)servers * service - arrivals;

    if (spare <= 0)
        return INFINITY;
    return queueing_wait_chance(arrivals, service, servers) / spare * (arrival_cv2 + service_cv2) /
           2;
}

static double late(double chance, double spare, double seconds)
{
    return spare <= 0 ? 1 : chance * exp(-spare * seconds);
}

double queueing_late_chance(double arrivals, double service, int64_t servers, double seconds)
{
    return late(queueing_wait_chance(arrivals, service, servers),
                (double)servers * service - arrivals, seconds);
}

int64_t queueing_servers(double arrivals, double service, double seconds, double late_share,
                         int64_t most)
{
    double load = arrivals / service, b = 1;

    for (int64_t c = 1; c <= most; c++) {
        b = load * b / ((double)c + load * b);
        if (late(erlang_c(load, c, b), (double)c * service - arrivals, seconds) <= late_share)
            return c;
    }
    return most + 1;
}

double queueing_arrivals(double service, double seconds, double late_share, int64_t servers)
{
    double low = 0, high = service * (double)servers;

    for (int i = 0; i < 60; i++) { /* the chance rises with the rate */
        double middle = (low + high) / 2;

        if (middle > 0 && queueing_late_chance(middle, service, servers, seconds) <= late_share)
            low = middle;
        else
            high = middle;
    }
    return low;
}
