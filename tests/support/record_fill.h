/* record_fill.h - any record of the model, filled with valid, varied values from its rows.
 *
 *     struct fill how = {.seed = 7, .body = "state"};
 *     struct agent_message *m = record_fill(&agent_message_type, &how);
 *
 * The same `how` gives the same record on every machine. What comes out passes record_check; what
 * fields mean to each other (a stage that names another) is not looked at. */
#ifndef TESTS_SUPPORT_RECORD_FILL_H
#define TESTS_SUPPORT_RECORD_FILL_H

#include "common/model/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fill {
    uint64_t seed;
    const char *body; /* which field of the outermost one-of; NULL: by seed. A path of names goes
                         deeper: "response.plan" */
    size_t items;     /* in each list, as far as its row allows; 0: one to three */
    size_t text;      /* bytes of each text, as far as its row allows; 0: a few words */
    bool sparse;      /* leave out what may be left out, half the time */
};

/* Freed with record_free; NULL only without memory. */
void *record_fill(const struct record_type *type, const struct fill *how);

/* The next number of a sequence that depends on *seed alone. */
uint64_t fill_random(uint64_t *seed);

#endif
