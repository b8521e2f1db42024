/* secure.c - thresholds and rings. */
#include "coordinator/planner/secure.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"

#include <inttypes.h>
#include <math.h>

#define VALUE_BITS_MIN 8     /* coarser than int8 with clipping: an assumption */
#define NEIGHBOURS_PER_LOG 6 /* k = 6 log2 n; 60 at 1024 clients: an assumption within O(log n) */

static int64_t threshold_of(int64_t n, bool malicious)
{
    return malicious ? 2 * n / 3 + 1 : n / 2 + 1;
}

/* Neighbours are drawn at random. Where more than the threshold's share of all survive, each
 * neighbourhood keeps its own but for a chance that the size of k makes small. */
static void set_secagg_plus(const struct secure_ask *a, struct secure_terms *t)
{
    int64_t k = NEIGHBOURS_PER_LOG * (int64_t)ceil(log2((double)a->clients));

    t->neighbours = k < a->clients - 1 ? k : a->clients - 1;
    t->threshold = threshold_of(t->neighbours, a->malicious);
    t->min_reports = threshold_of(a->clients, a->malicious);
}

static int set_lightsecagg(const struct secure_ask *a, struct secure_terms *t, struct err *err)
{
    t->neighbours = a->clients - 1;
    t->dropouts = a->clients - a->survivors;
    t->threshold = a->survivors; /* Us: all that is left opens it, which costs the least */
    t->privacy_threshold = threshold_of(a->clients, a->malicious) - 1;
    if (t->privacy_threshold >= t->threshold)
        t->privacy_threshold = t->threshold - 1;
    if (t->privacy_threshold < 1)
        return err_set(err, ERR_INFEASIBLE,
                       "privacy.secure_protocol: lightsecagg wants Tp + Dp < n with Tp >= 1; of "
                       "%" PRId64 " clients %" PRId64 " may be lost; the nearest "
                       "round.dropout_rate would lose at most %" PRId64,
                       a->clients, t->dropouts, a->clients - 2);
    t->min_reports = t->threshold;
    t->offline_share = (double)a->clients / (double)(t->threshold - t->privacy_threshold);
    return 0;
}

/* Bits that hold n values at their largest. */
static int64_t ring_needed(int64_t n, int64_t bits)
{
    return (int64_t)ceil(log2((double)n * (ldexp(1, (int)bits) - 1) + 1));
}

static int set_ring(const struct secure_ask *a, struct secure_terms *t, struct err *err)
{
    t->value_bits = a->value_bits;
    if (!known_i64(t->value_bits)) {
        t->value_bits = SECURE_VALUE_BITS;
        while (t->value_bits > VALUE_BITS_MIN && ring_needed(a->clients, t->value_bits) > 32)
            t->value_bits--;
    }
    t->ring_bits = ring_needed(a->clients, t->value_bits) <= 32 ? 32 : 64;
    if (!known_i64(a->value_bits) && t->ring_bits > 32)
        return err_set(err, ERR_INFEASIBLE,
                       "privacy.secure_aggregation: values of %d bits from %" PRId64
                       " clients pass a ring of 32 bits; round.clients_wanted would select fewer, "
                       "privacy.value_bits take a ring of 64",
                       VALUE_BITS_MIN, a->clients);
    return 0;
}

int secure_terms_of(const struct secure_ask *a, struct secure_terms *t, struct err *err)
{
    struct secure_terms out = {.privacy_threshold = UNKNOWN_I64, .dropouts = UNKNOWN_I64};

    if (a->clients < SECURE_CLIENTS_MIN)
        return err_set(err, ERR_INFEASIBLE,
                       "privacy.secure_aggregation: %" PRId64 " clients, wanted at least %d",
                       a->clients, SECURE_CLIENTS_MIN);
    out.neighbours = a->clients - 1;
    out.threshold = out.min_reports = threshold_of(a->clients, a->malicious);
    if (a->protocol == SECURE_PROTOCOL_SECAGG_PLUS)
        set_secagg_plus(a, &out);
    if (a->protocol == SECURE_PROTOCOL_LIGHTSECAGG && set_lightsecagg(a, &out, err) < 0)
        return -1;
    if (out.threshold < 2)
        out.threshold = 2;
    if (set_ring(a, &out, err) < 0)
        return -1;
    *t = out;
    return 0;
}
