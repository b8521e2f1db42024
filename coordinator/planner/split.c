/* split.c - where to cut a model.
 *
 * best(p, l) is the smallest slowest part when the first p devices hold the first l layers; device
 * p holds k..l. A device may hold nothing. */
#include "coordinator/planner/split.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

int split_by_memory(size_t layers, const double *memory, size_t devices, size_t *count,
                    struct err *err)
{
    double sum = 0;
    size_t given = 0;

    for (size_t d = 0; d < devices; d++)
        sum += memory[d];
    if (devices == 0 || layers < devices || sum <= 0)
        return err_set(err, ERR_INVALID, "%zu layers over %zu devices", layers, devices);
    for (size_t d = 0; d < devices; d++) {
        count[d] = (size_t)floor((double)layers * memory[d] / sum);
        given += count[d];
    }
    while (given < layers) {
        size_t most = 0;

        for (size_t d = 1; d < devices; d++)
            if ((double)layers * memory[d] / sum - (double)count[d] >
                (double)layers * memory[most] / sum - (double)count[most])
                most = d;
        count[most]++;
        given++;
    }
    for (size_t d = 0; d < devices; d++) {
        size_t most = 0;

        for (size_t k = 1; count[d] == 0 && k < devices; k++)
            if (count[k] > count[most])
                most = k;
        if (count[d] == 0) { /* the one with most gives one away */
            count[d]++;
            count[most]--;
        }
    }
    return 0;
}

struct table {
    double *work, *bytes; /* prefix sums, layers + 1 */
    double *best;         /* (devices + 1) x (layers + 1) */
    size_t *from, *parts; /* likewise: where the last part starts; devices with layers */
};

static bool table_make(struct table *t, const struct split_problem *p)
{
    size_t n = p->layers + 1, cells = n * (p->devices + 1);

    memset(t, 0, sizeof *t);
    t->work = mem_calloc(n, sizeof *t->work);
    t->bytes = mem_calloc(n, sizeof *t->bytes);
    t->best = mem_calloc(cells, sizeof *t->best);
    t->from = mem_calloc(cells, sizeof *t->from);
    t->parts = mem_calloc(cells, sizeof *t->parts);
    if (!t->work || !t->bytes || !t->best || !t->from || !t->parts)
        return false;
    for (size_t l = 0; l < p->layers; l++) {
        t->work[l + 1] = t->work[l] + p->layer_work[l];
        t->bytes[l + 1] = t->bytes[l] + p->layer_bytes[l];
    }
    return true;
}

static void table_clear(struct table *t)
{
    mem_free(t->work);
    mem_free(t->bytes);
    mem_free(t->best);
    mem_free(t->from);
    mem_free(t->parts);
}

static double part_seconds(const struct split_problem *p, const struct table *t, size_t device,
                           size_t from, size_t to)
{
    if (from == to)
        return 0;
    return (t->work[to] - t->work[from]) / p->speed[device] +
           (from > 0 ? p->hop_seconds[device] : 0);
}

static void table_fill(struct table *t, const struct split_problem *p)
{
    size_t n = p->layers + 1;

    for (size_t l = 1; l < n; l++)
        t->best[l] = INFINITY;
    for (size_t d = 0; d < p->devices; d++)
        for (size_t l = 0; l < n; l++) {
            size_t at = (d + 1) * n + l;

            t->best[at] = t->best[d * n + l]; /* this device holds nothing */
            t->from[at] = l;
            t->parts[at] = t->parts[d * n + l];
            for (size_t k = l; k-- > 0;) {
                size_t before = d * n + k;
                double slowest;

                if (t->bytes[l] - t->bytes[k] > p->room_bytes[d])
                    break; /* from further back it holds still more */
                slowest = fmax(t->best[before], part_seconds(p, t, d, k, l));
                if (slowest < t->best[at] ||
                    (slowest == t->best[at] && t->parts[before] + 1 < t->parts[at])) {
                    t->best[at] = slowest;
                    t->from[at] = k;
                    t->parts[at] = t->parts[before] + 1;
                }
            }
        }
}

/* The most layers, from the first, that all devices hold in this order. */
static size_t layers_held(const struct split_problem *p, const struct table *t)
{
    size_t held = 0;

    for (size_t l = 1; l <= p->layers; l++)
        if (!isinf(t->best[p->devices * (p->layers + 1) + l]))
            held = l;
    return held;
}

int split_balance(const struct split_problem *p, struct split *out, struct err *err)
{
    struct table t;
    size_t n = p->layers + 1, l = p->layers;
    int rc = 0;

    if (!table_make(&t, p)) {
        rc = err_set(err, ERR_NOMEM, "cuts of %zu layers over %zu devices", p->layers, p->devices);
    } else {
        table_fill(&t, p);
        if (isinf(t.best[p->devices * n + p->layers]))
            rc = err_set(err, ERR_INFEASIBLE, "%zu of %zu layers fit %zu devices together",
                         layers_held(p, &t), p->layers, p->devices);
    }
    if (rc == 0) {
        out->slowest = t.best[p->devices * n + p->layers];
        out->parts = t.parts[p->devices * n + p->layers];
        out->sum = 0;
        for (size_t d = p->devices; d-- > 0;) {
            size_t k = t.from[(d + 1) * n + l];

            out->count[d] = l - k;
            out->sum += part_seconds(p, &t, d, k, l);
            l = k;
        }
    }
    table_clear(&t);
    return rc;
}

double split_efficiency(int64_t micro_batches, size_t parts)
{
    return (double)micro_batches / (double)(micro_batches + (int64_t)parts - 1);
}

double split_seconds(const struct split *s, int64_t micro_batches)
{
    return s->sum + (double)(micro_batches - 1) * s->slowest;
}

double split_all_reduce_bytes(size_t devices, double tokens, int64_t hidden)
{
    return 2 * (double)(devices - 1) / (double)devices * tokens * (double)hidden * 2;
}

double split_tensor_seconds(size_t layers, double latency_seconds, double bytes, double bytes_per_s)
{
    return 2 * (double)layers * (latency_seconds + bytes / bytes_per_s);
}
