/* prompt_fleet.c - rows, joined while they cost too much, and written. */
#include "coordinator/cycle/prompt_fleet.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/proposal.h"
#include "coordinator/cycle/prompt_text.h"
#include "coordinator/cycle/token_estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROW_TEXT_MAX 1024
#define CHIP_TEXT_MAX 40  /* bytes: the longest known, "Apple M3 Ultra", has 14 */
#define CLASS_TEXT_MAX 64 /* bytes: what an answer must repeat to be understood is whole */
#define PAIRS_MAX 200     /* rows that are compared each with each; more are joined in line first */

#define FAR_CHIP 0.05   /* another chip is as far as a quarter more of one bound */
#define FAR_UNKNOWN 4.0 /* a bound that one of the two does not have: as far as seven times it */
#define MAKER "Apple "
#define TABLE_HEAD "class|Macs|Apple chip|memory GiB|usable GB|GPU cores|TFLOP/s|GB/s"
#define TABLE_FIT "|largest batch|best tokens/s"
#define TABLE_JOINED "a row of several classes gives what the weakest of them has\n"

/* ---- one row ---- */

static void add_fit(struct buf *b, const struct class_summary *c)
{
    if (known_i64(c->configurations) && c->configurations == 0) {
        const char *why = c->constraint ? enum_name(&constraint_names, c->constraint) : NULL;

        buf_addf(b, "|none fits: %s|-", why ? why : "unknown");
        return;
    }
    buf_addc(b, '|');
    prompt_number(b, prompt_whole(c->max_batch_size));
    buf_addc(b, '|');
    prompt_number(b, c->best_tokens_per_second);
}

static void add_row(struct buf *b, const struct fleet_row *r, bool fit)
{
    const struct class_summary *c = &r->low;
    bool maker =
        c->chip && strncmp(c->chip, MAKER, sizeof MAKER - 1) == 0; /* the heading says it */

    prompt_name(b, c->client_class, CLASS_TEXT_MAX);
    buf_addc(b, '|');
    prompt_number(b, prompt_whole(c->devices));
    buf_addc(b, '|');
    prompt_name(b, maker ? c->chip + sizeof MAKER - 1 : c->chip, CHIP_TEXT_MAX);
    if (r->classes > 1)
        buf_addf(b, "%s, %zu classes", r->chips ? " and others" : "", r->classes);
    buf_addc(b, '|');
    prompt_number(b, prompt_scaled(c->memory_bytes, 0x1p30));
    buf_addc(b, '|');
    prompt_number(b, prompt_scaled(c->memory_limit_bytes, 1e9));
    buf_addc(b, '|');
    prompt_number(b, prompt_whole(c->gpu_cores));
    buf_addc(b, '|');
    prompt_number(b, c->gpu_flops / 1e12);
    buf_addc(b, '|');
    prompt_number(b, c->memory_bandwidth_bytes_per_s / 1e9);
    if (fit)
        add_fit(b, c);
    buf_addc(b, '\n');
}

static int row_tokens(const struct fleet_row *r, bool fit, size_t *out, struct err *err)
{
    struct buf b;

    buf_init(&b, ROW_TEXT_MAX);
    add_row(&b, r, fit);
    if (b.failed) {
        buf_clear(&b);
        return err_set(err, ERR_NOMEM, "row of a fleet");
    }
    *out = token_estimate(b.data, b.len);
    buf_clear(&b);
    return 0;
}

void prompt_fleet_add(struct buf *b, const struct fleet_rows *f, bool fit)
{
    buf_addf(b, "%s%s\n", TABLE_HEAD, fit ? TABLE_FIT : "");
    for (size_t i = 0; i < f->count; i++)
        add_row(b, &f->rows[i], fit);
    if (f->count < f->classes)
        buf_adds(b, TABLE_JOINED);
}

/* ---- nearness ---- */

static bool fits_none(const struct fleet_row *r)
{
    return known_i64(r->low.configurations) && r->low.configurations == 0;
}

static bool may_join(const struct fleet_row *a, const struct fleet_row *b, bool fit)
{
    if (!fit)
        return true;
    return fits_none(a) == fits_none(b) &&
           (!fits_none(a) || a->low.constraint == b->low.constraint);
}

static double apart(double a, double b)
{
    double d;

    if (!known_f64(a) || !known_f64(b))
        return known_f64(a) == known_f64(b) ? 0 : FAR_UNKNOWN;
    d = log(fmax(a, 1)) - log(fmax(b, 1));
    return d * d;
}

static bool same_chip(const struct fleet_row *a, const struct fleet_row *b)
{
    const char *x = a->low.chip, *y = b->low.chip;

    return x == y || (x && y && strcmp(x, y) == 0);
}

static double distance(const struct fleet_row *a, const struct fleet_row *b)
{
    return apart(prompt_whole(a->low.memory_limit_bytes), prompt_whole(b->low.memory_limit_bytes)) +
           apart(a->low.gpu_flops, b->low.gpu_flops) +
           apart(a->low.memory_bandwidth_bytes_per_s, b->low.memory_bandwidth_bytes_per_s) +
           (same_chip(a, b) ? 0 : FAR_CHIP);
}

/* ---- joining ---- */

static int64_t lower_i64(int64_t a, int64_t b)
{
    if (!known_i64(a) || !known_i64(b))
        return UNKNOWN_I64; /* no bound holds for both */
    return a < b ? a : b;
}

static double lower_f64(double a, double b)
{
    return known_f64(a) && known_f64(b) ? fmin(a, b) : UNKNOWN_F64;
}

/* `from` goes into `to`, which keeps its id and chip. */
static void join(struct fleet_row *to, const struct fleet_row *from)
{
    struct class_summary *a = &to->low;
    const struct class_summary *b = &from->low;

    to->chips += from->chips + (same_chip(to, from) ? 0 : 1);
    to->classes += from->classes;
    if (known_i64(a->devices) && known_i64(b->devices))
        a->devices += b->devices;
    a->memory_bytes = lower_i64(a->memory_bytes, b->memory_bytes);
    a->memory_limit_bytes = lower_i64(a->memory_limit_bytes, b->memory_limit_bytes);
    a->gpu_cores = lower_i64(a->gpu_cores, b->gpu_cores);
    a->gpu_flops = lower_f64(a->gpu_flops, b->gpu_flops);
    a->memory_bandwidth_bytes_per_s =
        lower_f64(a->memory_bandwidth_bytes_per_s, b->memory_bandwidth_bytes_per_s);
    a->configurations = lower_i64(a->configurations, b->configurations);
    a->max_batch_size = lower_i64(a->max_batch_size, b->max_batch_size);
    a->best_tokens_per_second = lower_f64(a->best_tokens_per_second, b->best_tokens_per_second);
}

/* Rows at work: `at` is the row's own place, `into` where its classes now are. */
struct joiner {
    struct fleet_row *rows;
    size_t *into; /* SIZE_MAX: itself */
    size_t *tokens;
    size_t count, alive, total;
    bool fit;
};

static int join_pair(struct joiner *j, size_t a, size_t b, struct err *err)
{
    size_t keep = j->rows[a].first < j->rows[b].first ? a : b, drop = keep == a ? b : a;

    join(&j->rows[keep], &j->rows[drop]);
    j->into[drop] = keep;
    j->total -= j->tokens[a] + j->tokens[b];
    if (row_tokens(&j->rows[keep], j->fit, &j->tokens[keep], err) < 0)
        return -1;
    j->total += j->tokens[keep];
    j->alive--;
    return 0;
}

/* The nearest two that may be joined; false where none are left. */
static bool nearest(const struct joiner *j, size_t *a, size_t *b)
{
    double best = INFINITY;

    for (size_t x = 0; x < j->count; x++) {
        for (size_t y = x + 1; j->into[x] == SIZE_MAX && y < j->count; y++) {
            double d;

            if (j->into[y] != SIZE_MAX || !may_join(&j->rows[x], &j->rows[y], j->fit))
                continue;
            d = distance(&j->rows[x], &j->rows[y]);
            if (d < best) {
                best = d;
                *a = x;
                *b = y;
            }
        }
    }
    return best < INFINITY;
}

/* What the order in line goes by: kinds that fit, memory, speed. */
static int by_bounds(const void *x, const void *y)
{
    const struct fleet_row *a = x, *b = y;

    if (fits_none(a) != fits_none(b))
        return fits_none(a) ? 1 : -1;
    if (a->low.memory_limit_bytes != b->low.memory_limit_bytes)
        return a->low.memory_limit_bytes < b->low.memory_limit_bytes ? -1 : 1;
    if (a->low.gpu_flops < b->low.gpu_flops || a->low.gpu_flops > b->low.gpu_flops)
        return a->low.gpu_flops < b->low.gpu_flops ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static int by_f64(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Too many to compare each with each: neighbours in line are joined, the nearest of them. */
static int join_in_line(struct joiner *j, struct err *err)
{
    size_t n = j->count;
    double *gaps = mem_calloc(n + 1, sizeof *gaps), limit;
    int rc = 0;

    if (!gaps)
        return err_set(err, ERR_NOMEM, "%zu classes", n);
    qsort(j->rows, n, sizeof *j->rows, by_bounds);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = row_tokens(&j->rows[i], j->fit, &j->tokens[i], err);
    for (size_t i = 0; i + 1 < n; i++)
        gaps[i] = distance(&j->rows[i], &j->rows[i + 1]);
    qsort(gaps, n - 1, sizeof *gaps, by_f64);
    limit = gaps[n - 1 - PAIRS_MAX];
    for (size_t i = 0, last = 0; rc == 0 && i + 1 < n; i++) {
        bool near = may_join(&j->rows[last], &j->rows[i + 1], j->fit) && j->alive > PAIRS_MAX &&
                    distance(&j->rows[last], &j->rows[i + 1]) <= limit;

        if (near) {
            rc = join_pair(j, last, i + 1, err);
            last = j->into[last] == SIZE_MAX ? last : j->into[last];
        } else {
            last = i + 1;
        }
    }
    mem_free(gaps);
    return rc;
}

static int join_all(struct joiner *j, size_t budget, struct err *err)
{
    size_t a = 0, b = 0;

    if (j->total > budget && j->count > PAIRS_MAX && join_in_line(j, err) < 0)
        return -1;
    while (j->total > budget && j->alive > 1 && nearest(j, &a, &b))
        if (join_pair(j, a, b, err) < 0)
            return -1;
    return 0;
}

/* ---- the rows ---- */

static int by_first(const void *x, const void *y)
{
    const struct fleet_row *a = x, *b = y;

    return (a->first > b->first) - (a->first < b->first);
}

/* The living rows to the front, in order; and for each class its row. */
static int gather(struct joiner *j, struct fleet_rows *out, struct err *err)
{
    size_t *first = mem_calloc(j->count + 1, sizeof *first), n = 0; /* of each class its row's */

    if (!first)
        return err_set(err, ERR_NOMEM, "%zu classes", j->count);
    for (size_t i = 0; i < j->count; i++) {
        size_t at = i, own = j->rows[i].first;

        while (j->into[at] != SIZE_MAX)
            at = j->into[at];
        /* a dropped row's own class is its first: joined rows keep the lower */
        first[own] = j->rows[at].first;
    }
    for (size_t i = 0; i < j->count; i++)
        if (j->into[i] == SIZE_MAX)
            j->rows[n++] = j->rows[i];
    qsort(j->rows, n, sizeof *j->rows, by_first);
    for (size_t k = 0; k < j->count; k++) {
        struct fleet_row key = {.first = first[k]};
        const struct fleet_row *row = bsearch(&key, j->rows, n, sizeof key, by_first);

        out->row_of[k] = row ? (size_t)(row - j->rows) : 0;
    }
    mem_free(first);
    out->count = n;
    return 0;
}

static int make(const struct class_summary *classes, struct joiner *j, size_t budget,
                struct fleet_rows *out, struct err *err)
{
    for (size_t i = 0; i < j->count; i++) {
        j->rows[i] = (struct fleet_row){.first = i, .classes = 1, .low = classes[i]};
        j->into[i] = SIZE_MAX;
        if (row_tokens(&j->rows[i], j->fit, &j->tokens[i], err) < 0)
            return -1;
        j->total += j->tokens[i];
    }
    return join_all(j, budget, err) < 0 ? -1 : gather(j, out, err);
}

int fleet_rows_make(const struct class_summary *classes, size_t count, bool fit, size_t tokens_max,
                    struct fleet_rows *out, struct err *err)
{
    size_t head = token_estimate(TABLE_HEAD TABLE_FIT, sizeof TABLE_HEAD TABLE_FIT) +
                  token_estimate(TABLE_JOINED, sizeof TABLE_JOINED);
    size_t most = tokens_max ? tokens_max : PROMPT_FLEET_TOKENS;
    struct fleet_rows f = {.classes = count};
    struct joiner j = {.count = count, .alive = count, .total = head, .fit = fit};
    int rc = -1;

    f.rows = j.rows = mem_calloc(count + 1, sizeof *j.rows);
    f.row_of = mem_calloc(count + 1, sizeof *f.row_of);
    j.into = mem_calloc(count + 1, sizeof *j.into);
    j.tokens = mem_calloc(count + 1, sizeof *j.tokens);
    if (!f.rows || !f.row_of || !j.into || !j.tokens)
        err_set(err, ERR_NOMEM, "%zu classes", count);
    else
        rc = make(classes, &j, most, &f, err);
    mem_free(j.into);
    mem_free(j.tokens);
    f.tokens = j.total;
    if (rc < 0)
        fleet_rows_clear(&f);
    else
        *out = f;
    return rc;
}

void fleet_rows_clear(struct fleet_rows *f)
{
    mem_free(f->rows);
    mem_free(f->row_of);
    memset(f, 0, sizeof *f);
}

/* ---- the answer ---- */

/* The entry at `place` once more, for another class. */
static int add_copy(struct federated_proposal *p, size_t place, const char *id, struct err *err)
{
    struct client_optimization *copy = client_optimization_dup(&p->client_optimization[place], err),
                               *item;

    if (!copy || text_set(&copy->client_class, id, err) < 0 ||
        !(item = records_add(&client_optimization_type, &p->client_optimization,
                             &p->client_optimization_count, err))) {
        client_optimization_free(copy);
        return -1;
    }
    *item = *copy;
    mem_free(copy);
    return 0;
}

static int expand(const struct fleet_rows *f, const struct class_summary *classes,
                  struct map *places, struct federated_proposal *p, struct err *err)
{
    size_t given = p->client_optimization_count; /* copies are no answer of their own */

    for (size_t i = 0; i < given; i++) {
        const char *id = p->client_optimization[i].client_class;

        if (id && !map_get(places, id) && map_put(places, id, (void *)(i + 1), NULL) < 0)
            return err_set(err, ERR_NOMEM, "answer about %zu classes", f->classes);
    }
    for (size_t k = 0; k < f->classes; k++) {
        size_t first = f->rows[f->row_of[k]].first, place;

        if (first == k || map_get(places, classes[k].client_class))
            continue;
        place = (size_t)map_get(places, classes[first].client_class);
        if (place > 0 && add_copy(p, place - 1, classes[k].client_class, err) < 0)
            return -1;
    }
    return 0;
}

int prompt_fleet_expand(const struct fleet_rows *f, const struct class_summary *classes,
                        struct federated_proposal *p, struct err *err)
{
    struct map *places = map_new(p->client_optimization_count + 1);
    int rc = places ? expand(f, classes, places, p, err)
                    : err_set(err, ERR_NOMEM, "answer about %zu classes", f->classes);

    map_free(places, NULL);
    return rc;
}
