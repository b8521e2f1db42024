/* lora.h - a LoRA job planned for one device: an analytic proposal, and a verified plan from any
 * proposal.
 *
 * The analytic answer is the fastest set-up that fits what the device reports, giving way in a
 * fixed order: a format with fewer bits, a smaller batch with more accumulation, checkpointing,
 * fewer layers, shorter sequences, a lower rank. Memory and time are those of cost.h. lora_verify
 * trusts no number of a proposal: what is missing is filled with the analytic answer, what does not
 * fit is moved in the same order, and a plan that needs more time for the same tokens than
 * policy.worse_share allows is replaced by the planner's own.
 *
 * What the job states and an engine may not change: targets, scale, dropout, batch_size,
 * grad_checkpoint, learning_rate, lr_schedule; always: method, optimizer, seed. Between the job's
 * minimum and its wanted value an engine is free: rank, layers, sequence_length, updates.
 *
 * Pure, as federated.h. */
#ifndef COORDINATOR_PLANNER_LORA_H
#define COORDINATOR_PLANNER_LORA_H

#include "common/model/enums.h"
#include "coordinator/planner/policy.h"

struct err;
struct job;
struct lora_proposal;
struct plan;
struct snapshot;

/* ERR_INVALID names a field that contradicts another, ERR_NOT_FOUND the device, ERR_INFEASIBLE what
 * binds and the nearest that could be met. */
int lora_propose(const struct snapshot *s, const struct job *job, const struct policy *policy,
                 struct lora_proposal **out, struct err *err);

/* As federated_verify. */
int lora_verify(const struct snapshot *s, const struct job *job, const struct policy *policy,
                enum engine_kind engine, const struct lora_proposal *p, struct plan **out,
                struct err *err);

#endif
