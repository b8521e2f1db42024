/* chip_rates.h - how fast a machine's GPU is: what it reported, else the table of published
 * figures.
 *
 * The table (chips.csv, embedded) is only the prior. A rate that the device reported always wins.
 * What the table does not have of a chip is looked for near by: its other bin, its generation's
 * rate per core (GPU cores of one generation are alike), then the newest older chip of its tier
 * (plain, Pro, Max, Ultra), marked assumed: so far each generation was faster than the one before,
 * so a new chip is never refused and hardly overrated. What is no "Apple M..." gets the lowest
 * rates per GPU core that the table holds. */
#ifndef COORDINATOR_PLANNER_CHIP_RATES_H
#define COORDINATOR_PLANNER_CHIP_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct profile;
struct chip_table;

enum rate_source {
    RATE_REPORTED, /* the device's own report: measured, read, stated or composed */
    RATE_TABLE,    /* published for this chip and number of GPU cores */
    RATE_DERIVED,  /* scaled per core from the chip's other bin, or its generation */
    RATE_ASSUMED,  /* nothing published: its predecessor's, or the lowest of the table, per core */
};

/* "Apple M5 Max": generation 5, tier "Max". */
struct chip_name {
    int generation; /* 0: no Apple M chip */
    char tier[8];   /* "", "Pro", "Max", "Ultra" */
};
struct chip_name chip_name_read(const char *chip); /* NULL is fine */

struct chip_rates {
    double flops;     /* FLOP/s, 16-bit matrix products */
    double bandwidth; /* bytes/s */
    enum rate_source flops_source, bandwidth_source;
    char text[160]; /* how both were found, for people */
};

struct chip_table *chip_table_new(struct err *err);
void chip_table_free(struct chip_table *t); /* NULL is fine */
size_t chip_table_rows(const struct chip_table *t);

/* Never fails: what is unknown of the profile is assumed, and said so. Without a GPU the rates are
 * those of its CPU cores, assumed unless reported. */
void chip_rates_find(const struct chip_table *t, const struct profile *p, bool gpu,
                     struct chip_rates *out);

#endif
