/* selection.c - coins, utilities and tiers. */
#include "coordinator/planner/selection.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"

#include <math.h>
#include <stdlib.h>

#define REPORT_PROBABILITY 0.95
#define PENALTY 2.0 /* alpha: how hard slowness counts, Oort's own value */
#define EXPLORE_FIRST                                                           \
    0.9 /* share of unknown clients in the first round, its decay and its floor \
         */
#define EXPLORE_DECAY 0.98
#define EXPLORE_FLOOR 0.2
#define CUT_SHARE 0.95 /* of the cut-off utility: whoever reaches it may be drawn */
#define CLIP_QUANTILE                                                           \
    0.95 /* utilities above are clipped: outliers are noise as often as promise \
          */
#define PACER_STEP 1.1

uint64_t selection_next(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double selection_uniform(uint64_t *seed)
{
    return (double)(selection_next(seed) >> 11) * 0x1p-53;
}

static uint64_t text_hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

    for (const char *p = text; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    return h;
}

int64_t selection_seed_of(const char *text, int64_t number)
{
    uint64_t state = text_hash(text) ^ (uint64_t)number;

    return (int64_t)(selection_next(&state) >> 11);
}

/* P(Bin(n, p) >= m), summed from the side with fewer terms; terms as logarithms. */
static double at_least(size_t n, int64_t m, double p)
{
    double odds, term, sum = 0;

    if (m <= 0 || p >= 1)
        return 1;
    if (p <= 0)
        return 0;
    odds = log(p) - log1p(-p);
    term = (double)n * log1p(-p); /* of 0 successes */
    for (int64_t k = 0; k < m; k++) {
        sum += exp(term);
        term += log((double)((int64_t)n - k) / (double)(k + 1)) + odds;
    }
    return fmax(1 - sum, 0);
}

double selection_rate(int64_t wanted, size_t candidates, double dropout)
{
    double low = 0, high = 1;

    if (wanted >= (int64_t)candidates ||
        at_least(candidates, wanted, 1 - dropout) < REPORT_PROBABILITY)
        return 1;
    for (int i = 0; i < 60; i++) {
        double mid = low + (high - low) / 2;

        if (at_least(candidates, wanted, mid * (1 - dropout)) < REPORT_PROBABILITY)
            low = mid;
        else
            high = mid;
    }
    return ceil(high * 1e6) / 1e6; /* a rate that a person can read; never below what is needed */
}

bool selection_serves(int64_t seed, const char *device_id, int64_t round, double rate)
{
    uint64_t state = (uint64_t)seed;

    state = selection_next(&state) ^ text_hash(device_id);
    state = selection_next(&state) ^ (uint64_t)round;
    return selection_uniform(&state) < rate;
}

/* ---- Oort ---- */

struct ranked {
    double value;
    size_t at;
};

static int by_value_down(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static bool passed_over(const struct candidate *c)
{
    return c->picks >= OORT_PICKS_MAX;
}

static void set_utility(struct candidate *c, const struct oort *o, double clip)
{
    double u = fmin(c->examples * sqrt(c->mean_square_loss), clip);

    if (known_i64(c->last_round) && c->last_round > 0)
        u += sqrt(0.1 * log((double)(o->round > 1 ? o->round : 1)) / (double)c->last_round) * u;
    if (c->seconds > o->preferred_seconds)
        u *= pow(o->preferred_seconds / c->seconds, PENALTY);
    c->utility = u;
}

/* The known candidates, most useful first; how many. */
static size_t rank_known(struct candidate *c, size_t count, const struct oort *o,
                         struct ranked *ranked)
{
    size_t known = 0;
    double clip;

    for (size_t i = 0; i < count; i++) {
        c[i].chosen = false;
        c[i].utility = UNKNOWN_F64;
        if (known_f64(c[i].mean_square_loss) && !passed_over(&c[i]))
            ranked[known++] = (struct ranked){c[i].examples * sqrt(c[i].mean_square_loss), i};
    }
    if (known == 0)
        return 0;
    qsort(ranked, known, sizeof *ranked, by_value_down);
    clip = ranked[(size_t)((1 - CLIP_QUANTILE) * (double)(known - 1))].value;
    for (size_t i = 0; i < known; i++) {
        set_utility(&c[ranked[i].at], o, clip);
        ranked[i].value = c[ranked[i].at].utility;
    }
    qsort(ranked, known, sizeof *ranked, by_value_down);
    return known;
}

/* Without replacement, in proportion to value: the largest value^(1/u) keys win (Efraimidis). */
static size_t draw_weighted(struct candidate *c, struct ranked *from, size_t count, size_t wanted,
                            uint64_t *seed)
{
    for (size_t i = 0; i < count; i++) {
        double u = 1 - selection_uniform(seed); /* (0, 1] */

        from[i].value = from[i].value > 0 ? log(u) / from[i].value : -INFINITY;
    }
    if (count > 1)
        qsort(from, count, sizeof *from, by_value_down);
    wanted = wanted < count ? wanted : count;
    for (size_t i = 0; i < wanted; i++)
        c[from[i].at].chosen = true;
    return wanted;
}

/* Known ones: whoever comes within a share of the last that would make it may be drawn. */
static size_t exploit(struct candidate *c, struct ranked *ranked, size_t known, size_t wanted,
                      uint64_t *seed)
{
    size_t pool;
    double cut;

    if (known == 0 || wanted == 0)
        return 0;
    if (wanted >= known) /* nothing to cut: the published code reads past its list here */
        return draw_weighted(c, ranked, known, known, seed);
    cut = CUT_SHARE * ranked[wanted - 1].value;
    for (pool = wanted; pool < known && ranked[pool].value >= cut;)
        pool++;
    return draw_weighted(c, ranked, pool, wanted, seed);
}

/* Those without a loss, the fast ones more often; then whoever is left, the useful ones first. */
static void explore(struct candidate *c, size_t count, struct ranked *ranked, size_t wanted,
                    uint64_t *seed)
{
    for (int pass = 0; pass < 3 && wanted > 0; pass++) {
        size_t n = 0;

        for (size_t i = 0; i < count; i++) {
            bool unknown = !known_f64(c[i].mean_square_loss);

            if (c[i].chosen || (pass == 0 && (!unknown || passed_over(&c[i]))) ||
                (pass == 1 && passed_over(&c[i])))
                continue;
            ranked[n++] = (struct ranked){1 / fmax(c[i].seconds, 1e-9), i};
        }
        wanted -= draw_weighted(c, ranked, n, wanted, seed);
    }
}

int selection_oort(struct candidate *c, size_t count, size_t wanted, const struct oort *o,
                   struct err *err)
{
    struct ranked *ranked = mem_calloc(count + 1, sizeof *ranked);
    double share = fmax(EXPLORE_FIRST * pow(EXPLORE_DECAY, (double)o->round), EXPLORE_FLOOR);
    uint64_t seed = (uint64_t)o->seed;
    size_t known, unknown = 0, explored, used;

    if (!ranked)
        return err_set(err, ERR_NOMEM, "selection of %zu clients", count);
    wanted = wanted < count ? wanted : count;
    known = rank_known(c, count, o, ranked);
    for (size_t i = 0; i < count; i++)
        unknown += !known_f64(c[i].mean_square_loss) && !passed_over(&c[i]);
    explored = (size_t)(share * (double)wanted);
    explored = explored < unknown ? explored : unknown;
    used = exploit(c, ranked, known, wanted - explored, &seed);
    explore(c, count, ranked, wanted - used, &seed);
    mem_free(ranked);
    return 0;
}

double selection_pacer(double preferred_seconds, double utility_before, double utility_last)
{
    bool flat =
        known_f64(utility_before) && known_f64(utility_last) && utility_last <= utility_before;

    return flat ? preferred_seconds * PACER_STEP : preferred_seconds;
}

/* ---- TiFL ---- */

/* Tiers of equal size, the fastest first. */
static void set_tiers(struct candidate *c, struct ranked *ranked, size_t count, int tiers)
{
    for (size_t i = 0; i < count; i++) {
        c[i].chosen = false;
        ranked[i] = (struct ranked){-c[i].seconds, i};
    }
    if (count > 1)
        qsort(ranked, count, sizeof *ranked, by_value_down);
    for (size_t i = 0; i < count; i++)
        c[ranked[i].at].tier = (int)(i * (size_t)tiers / count);
}

/* A tier's weight is its rank by mean loss: the one that learnt least is drawn most often. Tiers
 * without a loss count as the middle. */
static int draw_tier(const struct candidate *c, size_t count, int tiers, struct ranked *ranked,
                     uint64_t *seed)
{
    double all = 0, at;
    int n = 0;

    for (int t = 0; t < tiers; t++) {
        double loss = 0;
        size_t known = 0, members = 0;

        for (size_t i = 0; i < count; i++) {
            if (c[i].tier != t)
                continue;
            members++;
            if (known_f64(c[i].mean_square_loss)) {
                loss += c[i].mean_square_loss;
                known++;
            }
        }
        if (members > 0)
            ranked[n++] = (struct ranked){known ? loss / (double)known : 0, (size_t)t};
    }
    qsort(ranked, (size_t)n, sizeof *ranked, by_value_down);
    for (int i = 0; i < n; i++) {
        bool alike = ranked[0].value == ranked[n - 1].value; /* nothing is known: all alike */

        ranked[i].value = alike ? 1 : n - i;
        all += ranked[i].value;
    }
    at = selection_uniform(seed) * all;
    for (int i = 0; i < n; i++) {
        at -= ranked[i].value;
        if (at < 0)
            return (int)ranked[i].at;
    }
    return (int)ranked[n - 1].at;
}

int selection_tiers(struct candidate *c, size_t count, size_t wanted, int tiers, int64_t seed,
                    int *tier, struct err *err)
{
    struct ranked *ranked = mem_calloc(count + (size_t)tiers + 1, sizeof *ranked);
    uint64_t state = (uint64_t)seed;

    *tier = 0;
    if (!ranked)
        return err_set(err, ERR_NOMEM, "selection of %zu clients", count);
    wanted = wanted < count ? wanted : count;
    if (count > 0) {
        set_tiers(c, ranked, count, tiers);
        *tier = draw_tier(c, count, tiers, ranked, &state);
    }
    for (int away = 0; away < tiers && wanted > 0; away++) {
        size_t n = 0;

        for (size_t i = 0; i < count; i++)
            if (abs(c[i].tier - *tier) == away)
                ranked[n++] = (struct ranked){1, i};
        wanted -= draw_weighted(c, ranked, n, wanted, &state);
    }
    mem_free(ranked);
    return 0;
}
