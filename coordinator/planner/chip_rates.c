/* chip_rates.c - the embedded table of chips, and the order in which a rate is looked for. */
#include "coordinator/planner/chip_rates.h"

#include "common/core/embed.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/device.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

extern const struct embedded_file planner_files[];
extern const size_t planner_files_count;

#define CHIP_TEXT_MAX 32
#define ROWS_MAX 256 /* chips.csv has 42 */
#define COLUMNS 5    /* before the sources */
#define GIB 1073741824.0

/* What a CPU core is worth where there is no GPU: real MLX runs on two x86-64 cores reached 22
 * tokens/s on a model of 1e8 parameters, 4 FLOP each and token, at the training efficiency of 0.42.
 */
#define CPU_CORE_FLOPS 1e10
#define CPU_BANDWIDTH 1e10 /* one core's share of a desktop's memory: an assumption */

struct chip_row {
    char chip[CHIP_TEXT_MAX];
    struct chip_name name;
    int64_t gpu_cores;       /* UNKNOWN_I64: not published */
    double flops, bandwidth; /* NaN: not published */
    double memory_low_gib;   /* the row holds for machines with at least this much ... */
    double memory_high_gib;  /* ... and at most this much */
};

struct chip_table {
    struct chip_row *rows;
    size_t count;
    double flops_per_core, bandwidth_per_core; /* lowest of the table */
    double flops_lowest, bandwidth_lowest;     /* of a whole chip */
};

struct chip_name chip_name_read(const char *chip)
{
    struct chip_name n = {0, ""};
    size_t i = strlen("Apple M"), digits = 0;

    if (!chip || strncmp(chip, "Apple M", i) != 0)
        return n;
    for (; chip[i] >= '0' && chip[i] <= '9' && digits < 3; i++, digits++)
        n.generation = n.generation * 10 + (chip[i] - '0');
    if (digits == 0 || (chip[i] != '\0' && chip[i] != ' '))
        return (struct chip_name){0, ""};
    if (chip[i] == ' ')
        snprintf(n.tier, sizeof n.tier, "%s", chip + i + 1);
    return n;
}

static double number_or_unknown(const char *text, size_t len, double unit)
{
    double v;

    if (len == 0 || num_parse_f64(text, len, 0, 1e6, &v, "chips.csv", NULL) < 0)
        return UNKNOWN_F64;
    return v * unit;
}

/* "8;16;24": the smallest and the largest. */
static void memory_range(const char *text, size_t len, struct chip_row *row)
{
    row->memory_low_gib = INFINITY;
    row->memory_high_gib = 0;
    while (len > 0) {
        const char *end = memchr(text, ';', len);
        size_t part = end ? (size_t)(end - text) : len;
        double gib = number_or_unknown(text, part, 1);

        if (known_f64(gib)) {
            row->memory_low_gib = fmin(row->memory_low_gib, gib);
            row->memory_high_gib = fmax(row->memory_high_gib, gib);
        }
        text += end ? part + 1 : part;
        len -= end ? part + 1 : part;
    }
}

/* chip,gpu_cores,bandwidth_gb_s,memory_gb,fp32_tflops,source; false for a line that is no row. */
static bool row_read(const char *line, size_t len, struct chip_row *row)
{
    const char *at[COLUMNS], *p = line, *end = line + len;
    size_t size[COLUMNS];
    double cores;

    for (int i = 0; i < COLUMNS; i++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));

        if (!comma)
            return false;
        at[i] = p;
        size[i] = (size_t)(comma - p);
        p = comma + 1;
    }
    if (size[0] == 0 || size[0] >= CHIP_TEXT_MAX)
        return false;
    memcpy(row->chip, at[0], size[0]);
    row->chip[size[0]] = '\0';
    row->name = chip_name_read(row->chip);
    cores = number_or_unknown(at[1], size[1], 1);
    row->gpu_cores = known_f64(cores) ? (int64_t)cores : UNKNOWN_I64;
    row->bandwidth = number_or_unknown(at[2], size[2], 1e9);
    memory_range(at[3], size[3], row);
    row->flops = number_or_unknown(at[4], size[4], 1e12);
    return true;
}

/* The lowest rates of the table: what a chip that it does not know is taken for. */
static void table_lowest(struct chip_table *t)
{
    t->flops_per_core = t->bandwidth_per_core = INFINITY;
    t->flops_lowest = t->bandwidth_lowest = INFINITY;
    for (size_t i = 0; i < t->count; i++) {
        const struct chip_row *r = &t->rows[i];

        if (known_f64(r->flops))
            t->flops_lowest = fmin(t->flops_lowest, r->flops);
        if (known_f64(r->bandwidth))
            t->bandwidth_lowest = fmin(t->bandwidth_lowest, r->bandwidth);
        if (!known_i64(r->gpu_cores))
            continue;
        if (known_f64(r->flops))
            t->flops_per_core = fmin(t->flops_per_core, r->flops / (double)r->gpu_cores);
        if (known_f64(r->bandwidth))
            t->bandwidth_per_core =
                fmin(t->bandwidth_per_core, r->bandwidth / (double)r->gpu_cores);
    }
}

struct chip_table *chip_table_new(struct err *err)
{
    const struct embedded_file *f = embed_find(planner_files, planner_files_count, "chips.csv");
    struct chip_table *t = mem_zalloc(sizeof *t);
    const char *p = f ? (const char *)f->data : "", *end = p + (f ? f->len : 0);

    if (!t || !(t->rows = mem_calloc(ROWS_MAX, sizeof *t->rows))) {
        chip_table_free(t);
        err_set(err, ERR_NOMEM, "table of chips");
        return NULL;
    }
    p = memchr(p, '\n', (size_t)(end - p)); /* the heading */
    while (p && ++p < end && t->count < ROWS_MAX) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));

        if (row_read(p, (size_t)((line_end ? line_end : end) - p), &t->rows[t->count]))
            t->count++;
        p = line_end;
    }
    table_lowest(t);
    return t;
}

void chip_table_free(struct chip_table *t)
{
    if (!t)
        return;
    mem_free(t->rows);
    mem_free(t);
}

size_t chip_table_rows(const struct chip_table *t)
{
    return t->count;
}

static bool row_is_chip(const struct chip_row *r, const struct profile *p)
{
    return p->chip && strcmp(r->chip, p->chip) == 0;
}

/* The row holds for this amount of memory; some chips have two bandwidths. */
static bool row_has_memory(const struct chip_row *r, const struct profile *p)
{
    double gib = known_i64(p->memory_bytes) ? (double)p->memory_bytes / GIB : 0;

    return gib == 0 || r->memory_high_gib == 0 ||
           (gib >= r->memory_low_gib - 0.5 && gib <= r->memory_high_gib + 0.5);
}

/* One column of the table for this chip: exactly its bin, else scaled from another bin of the chip.
 * The lowest of several, so that a doubt makes a Mac slower, not faster. */
static double column_find(const struct chip_table *t, const struct profile *p, size_t offset,
                          bool scale, enum rate_source *source)
{
    double exact = UNKNOWN_F64, other = UNKNOWN_F64;
    bool cores_known = known_i64(p->gpu_cores);

    for (size_t i = 0; i < t->count; i++) {
        const struct chip_row *r = &t->rows[i];
        double v = *(const double *)((const char *)r + offset);

        if (!row_is_chip(r, p) || !known_f64(v))
            continue;
        if (cores_known && r->gpu_cores == p->gpu_cores && row_has_memory(r, p))
            exact = known_f64(exact) ? fmin(exact, v) : v;
        if (scale && cores_known && known_i64(r->gpu_cores))
            v *= (double)p->gpu_cores / (double)r->gpu_cores;
        other = known_f64(other) ? fmin(other, v) : v;
    }
    *source = known_f64(exact) ? RATE_TABLE : cores_known ? RATE_DERIVED : RATE_ASSUMED;
    return known_f64(exact) ? exact : other;
}

/* The lowest rate per GPU core of one generation; of one tier where that is given. */
static double generation_rate(const struct chip_table *t, int generation, const char *tier,
                              size_t offset)
{
    double lowest = UNKNOWN_F64;

    for (size_t i = 0; i < t->count; i++) {
        const struct chip_row *r = &t->rows[i];
        double v = *(const double *)((const char *)r + offset);

        if (r->name.generation != generation || !known_f64(v) || !known_i64(r->gpu_cores) ||
            (tier && strcmp(tier, r->name.tier) != 0))
            continue;
        v /= (double)r->gpu_cores;
        lowest = known_f64(lowest) ? fmin(lowest, v) : v;
    }
    return lowest;
}

/* From the chip's generation, else the newest older one that has it. Arithmetic goes with the
 * cores of any tier; bandwidth is the tier's own. */
static double relative_find(const struct chip_table *t, const struct profile *p, size_t offset,
                            bool any_tier, enum rate_source *source)
{
    struct chip_name n = chip_name_read(p->chip);
    double v = UNKNOWN_F64;

    if (!known_i64(p->gpu_cores))
        return UNKNOWN_F64;
    for (int g = n.generation; g > 0 && !known_f64(v); g--) {
        v = generation_rate(t, g, any_tier ? NULL : n.tier, offset);
        *source = g == n.generation ? RATE_DERIVED : RATE_ASSUMED;
    }
    return v * (double)p->gpu_cores;
}

static double assumed(const struct profile *p, double per_core, double lowest)
{
    return known_i64(p->gpu_cores) ? per_core * (double)p->gpu_cores : lowest;
}

static void cpu_rates(const struct profile *p, struct chip_rates *out)
{
    double cores = known_i64(p->cpu_cores) ? (double)p->cpu_cores : 1;

    out->flops = CPU_CORE_FLOPS * cores;
    out->bandwidth = CPU_BANDWIDTH;
    out->flops_source = out->bandwidth_source = RATE_ASSUMED;
}

/* How the device learnt what it reported. */
static const char *reported_word(const struct profile *p, const char *field)
{
    for (size_t i = 0; i < p->facts_count; i++) {
        if (!p->facts[i].field || strcmp(p->facts[i].field, field) != 0)
            continue;
        switch (p->facts[i].source) {
        case FACT_SOURCE_MEASURED:
            return "measured on the device";
        case FACT_SOURCE_COMPOSED:
            return "reported, composed from published tables";
        case FACT_SOURCE_STATED:
            return "reported, stated by its recording";
        case FACT_SOURCE_SYNTHETIC:
            return "reported, made up for a demonstration";
        default:
            break;
        }
    }
    return "reported by the device";
}

static const char *source_word(const struct profile *p, enum rate_source s, const char *field)
{
    switch (s) {
    case RATE_REPORTED:
        return reported_word(p, field);
    case RATE_TABLE:
        return "published for this chip";
    case RATE_DERIVED:
        return "scaled from its other bin or generation";
    case RATE_ASSUMED:
        break;
    }
    return "assumed";
}

/* The fewest that the newest older chip of its tier comes with. */
static int64_t predecessor_cores(const struct chip_table *t, const struct profile *p, bool *same)
{
    struct chip_name n = chip_name_read(p->chip);
    int64_t fewest = UNKNOWN_I64;

    *same = false;
    for (int g = n.generation - 1; g > 0 && !known_i64(fewest); g--) {
        for (size_t i = 0; i < t->count; i++) {
            const struct chip_row *r = &t->rows[i];

            if (r->name.generation == g && strcmp(r->name.tier, n.tier) == 0 &&
                known_i64(r->gpu_cores) && (!known_i64(fewest) || r->gpu_cores < fewest))
                fewest = r->gpu_cores;
        }
    }
    return fewest;
}

/* Which bin a chip is whose cores are not known: the fewest that it comes with, at its amount of
 * memory where a row has it. *same: no other bin could be meant. */
static int64_t bin_cores(const struct chip_table *t, const struct profile *p, bool *same)
{
    int64_t fewest = UNKNOWN_I64;

    *same = true;
    for (int by_memory = 1; by_memory >= 0 && !known_i64(fewest); by_memory--) {
        for (size_t i = 0; i < t->count; i++) {
            const struct chip_row *r = &t->rows[i];

            if (!row_is_chip(r, p) || !known_i64(r->gpu_cores) ||
                (by_memory && !row_has_memory(r, p)))
                continue;
            *same = *same && (!known_i64(fewest) || fewest == r->gpu_cores);
            if (!known_i64(fewest) || r->gpu_cores < fewest)
                fewest = r->gpu_cores;
        }
    }
    return known_i64(fewest) ? fewest : predecessor_cores(t, p, same);
}

/* Do all bins of the chip have this rate? */
static bool column_is_one(const struct chip_table *t, const struct profile *p, size_t offset)
{
    double one = UNKNOWN_F64;

    for (size_t i = 0; i < t->count; i++) {
        double v = *(const double *)((const char *)&t->rows[i] + offset);

        if (!row_is_chip(&t->rows[i], p) || !known_f64(v) || !row_has_memory(&t->rows[i], p))
            continue;
        if (known_f64(one) && one != v)
            return false;
        one = v;
    }
    return known_f64(one);
}

static void gpu_rates(const struct chip_table *t, const struct profile *p, struct chip_rates *out)
{
    const size_t flops = offsetof(struct chip_row, flops);
    const size_t bandwidth = offsetof(struct chip_row, bandwidth);
    struct profile q = *p; /* borrows all that it points to */
    bool same = true;

    if (!known_i64(q.gpu_cores))
        q.gpu_cores = bin_cores(t, p, &same);
    out->flops = column_find(t, &q, flops, true, &out->flops_source);
    if (!known_f64(out->flops))
        out->flops = relative_find(t, &q, flops, true, &out->flops_source);
    if (!known_f64(out->flops)) {
        out->flops = assumed(&q, t->flops_per_core, t->flops_lowest);
        out->flops_source = RATE_ASSUMED;
    }
    out->bandwidth = column_find(t, &q, bandwidth, false, &out->bandwidth_source);
    if (!known_f64(out->bandwidth))
        out->bandwidth = relative_find(t, &q, bandwidth, false, &out->bandwidth_source);
    if (!known_f64(out->bandwidth)) {
        out->bandwidth = assumed(&q, t->bandwidth_per_core, t->bandwidth_lowest);
        out->bandwidth_source = RATE_ASSUMED;
    }
    if (!same) {
        out->flops_source = RATE_ASSUMED;
        if (!column_is_one(t, p, bandwidth))
            out->bandwidth_source = RATE_ASSUMED;
    }
}

void chip_rates_find(const struct chip_table *t, const struct profile *p, bool gpu,
                     struct chip_rates *out)
{
    if (!gpu) {
        cpu_rates(p, out);
    } else {
        gpu_rates(t, p, out);
    }
    if (known_f64(p->gpu_flops) && p->gpu_flops > 0) {
        out->flops = p->gpu_flops;
        out->flops_source = RATE_REPORTED;
    }
    if (known_f64(p->memory_bandwidth_bytes_per_s) && p->memory_bandwidth_bytes_per_s > 0) {
        out->bandwidth = p->memory_bandwidth_bytes_per_s;
        out->bandwidth_source = RATE_REPORTED;
    }
    snprintf(out->text, sizeof out->text, "%.3g TFLOP/s %s, %.3g GB/s %s", out->flops / 1e12,
             source_word(p, out->flops_source, "gpu_flops"), out->bandwidth / 1e9,
             source_word(p, out->bandwidth_source, "memory_bandwidth_bytes_per_s"));
}
