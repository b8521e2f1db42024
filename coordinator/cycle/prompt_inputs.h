/* prompt_inputs.h - the inputs of the two planning signatures, from a job and the fleet's classes.
 *
 * Devices enter as classes in a compact table, so the length follows the variety of a fleet and not
 * its size; above a budget the smallest classes share one line, and a note says so. What enters is
 * class ids, what the machines are, what fits them, and the job's own numbers and free text: never
 * a device's name or id, a host, a user, a path, a serial or a key. A chip's name is a stranger's
 * text: it is cleaned and cut. Thread: none, pure functions. */
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

#define PROMPT_INPUTS_MAX 8   /* inputs of one signature: federated has 6 */
#define PROMPT_CLASSES_MAX 48 /* lines of the table, some 35 tokens each */

struct prompt_input {
    const char *name; /* static */
    char *text;
};

struct prompt_inputs {
    struct prompt_input items[PROMPT_INPUTS_MAX];
    size_t count;
    struct notes notes;
};

/* `aggregation`: as the planner resolved it; AGGREGATION_UNSET: what the job says. At most
 * classes_max lines of classes (0: PROMPT_CLASSES_MAX). *out need not be initialised;
 * prompt_inputs_clear frees it. */
int prompt_inputs_federated(const struct federated_job *job, const struct class_summary *classes,
                            size_t count, enum aggregation aggregation, size_t classes_max,
                            struct prompt_inputs *out, struct err *err);
int prompt_inputs_pipeline(const struct pipeline_job *job, const struct class_summary *classes,
                           size_t count, size_t classes_max, struct prompt_inputs *out,
                           struct err *err);
void prompt_inputs_clear(struct prompt_inputs *in);

/* As chat_render takes them, borrowed; room for PROMPT_INPUTS_MAX. Returns how many. */
size_t prompt_inputs_values(const struct prompt_inputs *in, struct prompt_value *values);

#endif
