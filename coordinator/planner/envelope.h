/* envelope.h - per class of devices: every configuration that fits, with what it would cost.
 *
 * The grid is formats x checkpointing x layers x sequence length x micro-batch (powers of two); the
 * accumulation follows from the wanted sequences per update. Nothing is listed in memory: a cursor
 * walks the grid, so an envelope of many classes stays small. Rank is the wanted one: it moves
 * memory by a few percent only. "Fits" means within policy.memory_share of the class's limit.
 *
 * An envelope borrows the snapshot and the job: both must outlive it. Immutable once built. */
#ifndef COORDINATOR_PLANNER_ENVELOPE_H
#define COORDINATOR_PLANNER_ENVELOPE_H

#include "coordinator/planner/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct envelope;
struct snapshot;
struct job;
struct machine;
struct class_summary;
struct federated_want;
struct rules;
struct verdict;

struct configuration {
    int model_format; /* enum model_format */
    bool grad_checkpoint;
    int64_t layers;
    int64_t sequence_length;
    int64_t batch_size;
    int64_t grad_accumulation;
    int64_t memory_bytes;     /* predicted peak */
    double step_seconds;      /* one optimizer update */
    double tokens_per_second; /* while stepping */
};

/* The job must be a federated one whose model.shape is present. ERR_INVALID names a field that
 * contradicts another; a fleet in which nothing fits is no error here. */
struct envelope *envelope_build(const struct snapshot *s, const struct job *job,
                                const struct policy *policy, struct err *err);
void envelope_free(struct envelope *e); /* NULL is fine */

/* One per class of the snapshot, in its order. Borrowed. */
size_t envelope_classes(const struct envelope *e);
const struct class_summary *envelope_summary(const struct envelope *e, size_t class_index);
const struct machine *envelope_machine(const struct envelope *e, size_t class_index);

/* Why no member of the class may take part, by the job's rules; NULL where the rules allow it. */
const char *envelope_refusal(const struct envelope *e, size_t class_index);

/* The next configuration that fits, in grid order: formats as the job lists them, without before
 * with checkpointing, most layers first, longest first, smallest batch first. Start with *cursor 0;
 * false at the end. */
bool envelope_next(const struct envelope *e, size_t class_index, size_t *cursor,
                   struct configuration *out);

/* Of each row of the grid in turn (a format, with or without checkpointing, layers, length) the
 * smallest batch that does not fit, where one of the grid does not. Its times are what they would
 * be. Start with *cursor 0; false at the end. */
bool envelope_next_over(const struct envelope *e, size_t class_index, size_t *cursor,
                        struct configuration *out);

/* Parts that the rest of the planner works with. */
const struct policy *envelope_policy(const struct envelope *e);
const struct federated_want *envelope_want(const struct envelope *e);
const struct rules *envelope_rules(const struct envelope *e);
const struct verdict *envelope_verdict(const struct envelope *e, size_t class_index);

#endif
