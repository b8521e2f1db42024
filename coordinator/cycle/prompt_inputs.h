/* prompt_inputs.h - the inputs of the two signatures that plan a fleet, from a job and its classes.
 *
 * Devices enter as classes in a compact table (prompt_fleet.h), so the length follows the variety
 * of a fleet and not its size. What enters is class ids, what the machines are, what fits them, and
 * the job's own numbers and free text: never a device's name or id, a host, a user, a path, a
 * serial or a key. Thread: none, pure functions. */
#ifndef COORDINATOR_CYCLE_PROMPT_INPUTS_H
#define COORDINATOR_CYCLE_PROMPT_INPUTS_H

#include "common/model/enums.h"
#include "coordinator/signature/notes.h"

#include <stddef.h>

struct err;
struct class_summary;
struct federated_job;
struct pipeline_job;
struct prompt_value;

#define PROMPT_INPUTS_MAX 8           /* inputs of one signature: federated has 6 */
#define PROMPT_INPUT_MAX (256 * 1024) /* bytes: three times the longest free text, and a table */

struct prompt_input {
    const char *name; /* static */
    char *text;
};

struct prompt_inputs {
    struct prompt_input items[PROMPT_INPUTS_MAX];
    size_t count;
    struct notes notes;
};

/* `aggregation`: as the planner resolved it; AGGREGATION_UNSET: what the job says. The
 * table of classes costs at most tokens_max (0: PROMPT_FLEET_TOKENS). *out need not be initialised;
 * prompt_inputs_clear frees it. */
int prompt_inputs_federated(const struct federated_job *job, const struct class_summary *classes,
                            size_t count, enum aggregation aggregation, size_t tokens_max,
                            struct prompt_inputs *out, struct err *err);
int prompt_inputs_pipeline(const struct pipeline_job *job, const struct class_summary *classes,
                           size_t count, size_t tokens_max, struct prompt_inputs *out,
                           struct err *err);
void prompt_inputs_clear(struct prompt_inputs *in);

/* As chat_render takes them, borrowed; room for PROMPT_INPUTS_MAX. Returns how many. */
size_t prompt_inputs_values(const struct prompt_inputs *in, struct prompt_value *values);

/* For the other makers of inputs (prompt_device.h): what was written becomes the next input, and
 * the buffer is empty again. */
struct buf;
struct model_spec;
struct tuning_spec;
int prompt_inputs_keep(struct prompt_inputs *in, const char *name, struct buf *b, struct err *err);
void prompt_model_add(struct buf *b, const struct model_spec *m);   /* NULL: nothing */
void prompt_tuning_add(struct buf *b, const struct tuning_spec *t); /* NULL: nothing */

#endif
