/* simulate_pick.c - see simulate_pick.h. */
#include "coordinator/planner/simulate_pick.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "coordinator/planner/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXPLORE_FIRST 0.9
#define EXPLORE_FALLS 0.98
#define EXPLORE_LEAST 0.2
#define CUT_OFF 0.95
#define LOSS_FALLS 0.98 /* each time a client serves: an assumption */
#define LOSS_SPREAD 0.5 /* deviation of the logarithm of first losses: an assumption */

void pick_reset(struct pick_client *c, uint64_t seed, uint64_t number, double examples,
                double seconds)
{
    struct draw d = draw_stream(seed, 0x6c6f7373, number);

    *c = (struct pick_client){
        .seconds = seconds, .examples = examples, .loss = exp(LOSS_SPREAD * draw_normal(&d))};
}

void pick_served(struct pick_client *c, int64_t round)
{
    c->last_round = round;
    c->loss *= LOSS_FALLS;
}

void pick_random(uint64_t seed, int64_t round, size_t wanted, bool *serves, size_t count)
{
    struct draw d = draw_stream(seed, 0x7069636b, (uint64_t)round);
    size_t left = 0;

    for (size_t i = 0; i < count; i++)
        left += serves[i];
    for (size_t i = 0; i < count; i++) { /* each with the chance that fills what is left */
        if (!serves[i])
            continue;
        serves[i] = draw_below(&d, left) < wanted;
        wanted -= serves[i];
        left--;
    }
}

static int double_falling(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x > *y ? -1 : *x < *y;
}

/* The n-th largest of the list (from 1), which is sorted by it. */
static double nth(double *scratch, size_t count, size_t n)
{
    qsort(scratch, count, sizeof *scratch, double_falling);
    return scratch[n - 1];
}

/* Draw up to `wanted` of the clients whose utility is set, in proportion; their utility becomes 0.
 * Returns how many. */
static size_t draw_by_utility(struct pick_client *c, size_t count, size_t wanted, struct draw *d,
                              bool *chosen)
{
    size_t got = 0;

    while (got < wanted) {
        double sum = 0, at;
        size_t last = SIZE_MAX;

        for (size_t i = 0; i < count; i++)
            sum += c[i].utility;
        if (!(sum > 0))
            break;
        at = draw_share(d) * sum;
        for (size_t i = 0; i < count; i++) {
            if (c[i].utility <= 0)
                continue;
            last = i;
            if ((at -= c[i].utility) < 0)
                break;
        }
        chosen[last] = true;
        c[last].utility = 0;
        got++;
    }
    return got;
}

/* Utility of the clients that served before, 0 for the others; below the cut-off 0 too. */
static void utilities(struct pick_client *c, const bool *can, size_t count, int64_t round,
                      double preferred, size_t wanted, double *scratch)
{
    double low = INFINITY, high = 0, cut;
    size_t known = 0;

    for (size_t i = 0; i < count; i++) {
        c[i].utility = 0;
        if (!can[i] || c[i].last_round == 0)
            continue;
        low = fmin(low, c[i].examples * c[i].loss);
        high = fmax(high, c[i].examples * c[i].loss);
    }
    for (size_t i = 0; i < count; i++) {
        if (!can[i] || c[i].last_round == 0)
            continue;
        c[i].utility = (c[i].examples * c[i].loss - low) / fmax(high - low, 1e-12) +
                       sqrt(0.1 * log((double)round + 1) / (double)c[i].last_round);
        if (c[i].seconds > preferred)
            c[i].utility *= pow(preferred / c[i].seconds, 2);
        c[i].utility = fmax(c[i].utility, 1e-9);
        scratch[known++] = c[i].utility;
    }
    if (known == 0 || wanted == 0)
        return;
    cut = CUT_OFF * nth(scratch, known, wanted < known ? wanted : known);
    for (size_t i = 0; i < count; i++)
        if (c[i].utility < cut)
            c[i].utility = 0;
}

int pick_oort(struct pick_client *c, uint64_t seed, int64_t round, size_t wanted, bool *serves,
              size_t count, struct err *err)
{
    struct draw d = draw_stream(seed, 0x6f6f7274, (uint64_t)round);
    bool *chosen = mem_calloc(count + 1, sizeof *chosen);
    double *scratch = mem_calloc(count + 1, sizeof *scratch), preferred;
    double share = fmax(EXPLORE_LEAST, EXPLORE_FIRST * pow(EXPLORE_FALLS, (double)round));
    size_t could = 0, fresh = 0, explore, got;

    if (!chosen || !scratch) {
        mem_free(chosen);
        mem_free(scratch);
        return err_set(err, ERR_NOMEM, "utilities of %zu clients", count);
    }
    for (size_t i = 0; i < count; i++)
        if (serves[i]) {
            scratch[could++] = c[i].seconds;
            fresh += c[i].last_round == 0;
        }
    preferred = nth(scratch, could, could / 2 + 1);
    explore = (size_t)fmin(floor(share * (double)wanted), (double)fresh);
    utilities(c, serves, count, round, preferred, wanted - explore, scratch);
    got = draw_by_utility(c, count, wanted - explore, &d, chosen);
    for (int pass = 0; pass < 2 && got < wanted; pass++) { /* the new ones, then whoever is left */
        for (size_t i = 0; i < count; i++)
            c[i].utility = serves[i] && !chosen[i] && (pass == 1 || c[i].last_round == 0)
                               ? 1 / fmax(c[i].seconds, 1e-9)
                               : 0;
        got += draw_by_utility(c, count, wanted - got, &d, chosen);
    }
    memcpy(serves, chosen, count * sizeof *serves);
    mem_free(chosen);
    mem_free(scratch);
    return 0;
}
