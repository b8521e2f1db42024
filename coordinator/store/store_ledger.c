/* store_ledger.c - sums over the rounds of a job, the dearest charge of each. */
#include "coordinator/store/store_ledger.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define SLACK 1e-9 /* the planner's own sums, added up in another order */

struct entry {
    int64_t first, last;
    double rho_each; /* of one round */
    bool has_spend;
    double spend[STORE_ORDERS];
};

struct ledger {
    struct entry *entries;
    size_t count;
};

struct ledger *ledger_new(struct err *err)
{
    struct ledger *l = mem_zalloc(sizeof *l);

    if (!l)
        err_set(err, ERR_NOMEM, "privacy ledger");
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    mem_free(l->entries);
    mem_free(l);
}

int ledger_add(struct ledger *l, int64_t round_first, int64_t round_last, double rho,
               const double *spend, struct err *err)
{
    struct entry *e = mem_realloc_array(l->entries, l->count + 1, sizeof *e);

    if (!e)
        return err_set(err, ERR_NOMEM, "privacy ledger of %zu charges", l->count + 1);
    l->entries = e;
    e += l->count++;
    *e = (struct entry){.first = round_first, .last = round_last, .has_spend = spend};
    e->rho_each = rho / (double)(round_last - round_first + 1);
    for (size_t k = 0; spend && k < STORE_ORDERS; k++)
        e->spend[k] = spend[k];
    return 0;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double entry_spend(const struct entry *e, const struct store_charge *c, size_t k)
{
    return e->has_spend ? e->spend[k] : e->rho_each * c->orders[k];
}

/* Rounds between two borders share their charges: the dearest times their number, at one order. */
static double sum_at(const struct ledger *l, const int64_t *borders, const struct store_charge *c,
                     size_t k)
{
    double sum = 0;

    for (size_t i = 0; i + 1 < 2 * l->count; i++) {
        double most = 0;

        if (borders[i] == borders[i + 1])
            continue;
        for (size_t j = 0; j < l->count; j++)
            if (l->entries[j].first <= borders[i] && l->entries[j].last >= borders[i + 1] - 1)
                most = fmax(most, entry_spend(&l->entries[j], c, k));
        sum += most * (double)(borders[i + 1] - borders[i]);
    }
    return sum;
}

/* The least over all orders: epsilon at one is the sum and what converts it, target less limit. */
static int epsilon_of(const struct ledger *l, const struct store_charge *c, double *out,
                      struct err *err)
{
    int64_t *borders = mem_calloc(2 * l->count + 1, sizeof *borders);
    double least = INFINITY;

    if (!borders)
        return err_set(err, ERR_NOMEM, "privacy ledger of %zu charges", l->count);
    for (size_t j = 0; j < l->count; j++) {
        borders[2 * j] = l->entries[j].first;
        borders[2 * j + 1] = l->entries[j].last + 1;
    }
    if (l->count > 0)
        qsort(borders, 2 * l->count, sizeof *borders, by_number);
    for (size_t k = 0; k < STORE_ORDERS; k++)
        least = fmin(least, sum_at(l, borders, c, k) + c->target - c->limit[k]);
    mem_free(borders);
    *out = l->count > 0 ? fmax(least, 0) : 0;
    return 0;
}

int ledger_charge(struct ledger *l, const char *job_id, const struct store_charge *c, double *spent,
                  struct err *err)
{
    double before, after;

    if (epsilon_of(l, c, &before, err) < 0 ||
        ledger_add(l, c->round_first, c->round_last, c->rho, c->spend, err) < 0 ||
        epsilon_of(l, c, &after, err) < 0)
        return -1;
    *spent = after;
    if (after <= c->target + SLACK * fmax(c->target, 1))
        return 0;
    return err_set(err, ERR_INFEASIBLE,
                   "privacy.epsilon: rounds %" PRId64 " to %" PRId64 " would bring job %.32s to "
                   "%.5g, the target is %g; %.5g is spent and is not given back",
                   c->round_first, c->round_last, job_id, after, c->target, before);
}
