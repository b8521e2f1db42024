/* chip_rates.h - how fast a machine's GPU is: what it reported, else the table of published
 * figures.
 *
 * The table (chips.csv, embedded) is only the prior. A rate that the device reported always wins; a
 * chip that the table does not know gets the lowest rates per GPU core that it holds, marked
 * assumed, so that a new chip is never refused and never overrated. */
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
    RATE_DERIVED,  /* scaled per core from the same chip's other bin */
    RATE_ASSUMED,  /* nothing published: the lowest per-core value of the table */
};

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
