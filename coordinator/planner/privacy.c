/* privacy.c - Renyi accounting in logarithms, and the noise that a target needs. */
#include "coordinator/planner/privacy.h"

#include "common/core/err.h"

#include <inttypes.h>
#include <math.h>

#define NOISE_LOW 0.05 /* less noise than this protects nobody */
#define NOISE_HIGH 10.0
#define NOISE_PRECISION 1e-4

static const int large_orders[] = {72, 80, 96, 128, 192, 256, 384, 512, 1024};

#define ORDERS_SMALL 63 /* 2..64 */
#define ORDERS (ORDERS_SMALL + sizeof large_orders / sizeof large_orders[0])

_Static_assert(ORDERS == PRIVACY_ORDERS, "the header says how many");

int privacy_order(size_t i)
{
    return i < ORDERS_SMALL ? (int)i + 2 : large_orders[i - ORDERS_SMALL];
}

static double log_add(double a, double b)
{
    double high = fmax(a, b), low = fmin(a, b);

    if (isinf(high) && high < 0)
        return high;
    return high + log1p(exp(low - high));
}

double privacy_rdp(double rate, double sigma, int order)
{
    double sum = -INFINITY, choose = 0; /* ln C(order, k) */

    if (rate >= 1)
        return order / (2 * sigma * sigma);
    for (int k = 0; k <= order; k++) {
        double kk = (double)k * k - k;

        if (k > 0)
            choose += log((double)(order - k + 1) / k);
        sum = log_add(sum, choose + (order - k) * log1p(-rate) + k * log(rate) +
                               kk / (2 * sigma * sigma));
    }
    return sum / (order - 1);
}

/* What turns a divergence at this order into an epsilon: added to it. */
static double conversion(double delta, int order)
{
    return log1p(-1.0 / order) - (log(delta) + log(order)) / (order - 1);
}

void privacy_spend(double rate, double sigma, double out[PRIVACY_ORDERS])
{
    for (size_t i = 0; i < ORDERS; i++)
        out[i] = privacy_rdp(rate, sigma, privacy_order(i));
}

void privacy_limit(double epsilon, double delta, double out[PRIVACY_ORDERS])
{
    for (size_t i = 0; i < ORDERS; i++)
        out[i] = epsilon - conversion(delta, privacy_order(i));
}

double privacy_epsilon(double rate, double sigma, int64_t rounds, double delta, int *order)
{
    double best = INFINITY;

    for (size_t i = 0; i < ORDERS; i++) {
        int a = privacy_order(i);
        double epsilon = (double)rounds * privacy_rdp(rate, sigma, a) + conversion(delta, a);

        if (epsilon < best) {
            best = epsilon;
            if (order)
                *order = a;
        }
    }
    return fmax(best, 0);
}

int privacy_noise(double rate, int64_t rounds, double epsilon, double delta, double *sigma,
                  struct err *err)
{
    double low = NOISE_LOW, high = NOISE_HIGH;

    while (privacy_epsilon(rate, high, rounds, delta, NULL) > epsilon) {
        if (high >= PRIVACY_NOISE_MAX)
            return err_set(err, ERR_INFEASIBLE,
                           "privacy.epsilon: %g cannot be kept for %" PRId64
                           " rounds at delta %g; the nearest that can is %.3g",
                           epsilon, rounds, delta,
                           privacy_epsilon(rate, PRIVACY_NOISE_MAX, rounds, delta, NULL));
        high = fmin(high * 2, PRIVACY_NOISE_MAX);
    }
    while (high - low > NOISE_PRECISION) {
        double mid = low + (high - low) / 2;

        if (privacy_epsilon(rate, mid, rounds, delta, NULL) > epsilon)
            low = mid;
        else
            high = mid;
    }
    *sigma = high;
    return 0;
}
