/* prompt_fleet.h - the fleet as a table for a prompt: a row per class, or per few classes.
 *
 * The length of the table follows the variety of the fleet, not its size: 8 kinds of Macs cost some
 * 300 tokens, be they 8 or 1,000, where a JSON object per device costs 700 and 90,000
 * (tests/interop, qwen's tokenizer). Columns have no blanks between them: before a digit a blank is
 * a token. Where all classes would
 * cost more tokens than the budget (token_estimate.h) rows are joined, the two nearest first: by
 * usable memory, arithmetic and bandwidth on a scale of ratios, and by chip. A joined row gives the
 * lower of each bound, so that what fits it fits every class of it; classes that fit something and
 * classes that fit nothing are never joined. It goes by the id of its first class, and what an
 * engine answers for that id holds for all of them (prompt_fleet_expand). Thread: none, pure. */
#ifndef COORDINATOR_CYCLE_PROMPT_FLEET_H
#define COORDINATOR_CYCLE_PROMPT_FLEET_H

#include "common/model/plan.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct federated_proposal;

#define PROMPT_FLEET_TOKENS 2000 /* of the table, where the caller gives no budget: 50 classes */

struct fleet_row {
    size_t first;             /* the class that it goes by */
    size_t classes;           /* how many it holds */
    size_t chips;             /* how many of them have another chip than the first */
    struct class_summary low; /* texts borrowed from the first class; numbers are lower bounds */
};

struct fleet_rows {
    struct fleet_row *rows; /* in the order of their first classes */
    size_t count;
    size_t *row_of; /* of each class */
    size_t classes;
    size_t tokens; /* estimate of the table */
};

/* `fit`: with what of the job fits each class. tokens_max 0: PROMPT_FLEET_TOKENS. *out borrows the
 * classes' texts; fleet_rows_clear frees it. */
int fleet_rows_make(const struct class_summary *classes, size_t count, bool fit, size_t tokens_max,
                    struct fleet_rows *out, struct err *err);
void fleet_rows_clear(struct fleet_rows *f);

/* Heading and rows. */
void prompt_fleet_add(struct buf *b, const struct fleet_rows *f, bool fit);

/* An entry about a row's first class is copied to its other classes, unless they have their own. */
int prompt_fleet_expand(const struct fleet_rows *f, const struct class_summary *classes,
                        struct federated_proposal *p, struct err *err);

#endif
