/* federated.h - a federated job planned: an analytic proposal, and a verified plan from any
 * proposal.
 *
 * An engine proposes, federated_verify disposes: it trusts no number of a proposal, fills what is
 * missing with the analytic answer, moves what does not fit to the nearest value that does (in this
 * order: quantise, smaller batch with more accumulation, checkpointing, fewer layers, shorter
 * sequences, lower rank, leave the client out), and writes a decision for every proposed field.
 *
 * What the job states and an engine may not change: batch_size, grad_checkpoint, learning_rate, the
 * aggregation, seed, targets, method, optimizer, dropout, scale. Between the job's minimum and its
 * wanted value an engine is free: rank, layers, sequence_length, local steps. The wanted upload
 * format, the learning-rate schedule, server_learning_rate and proximal_mu are its to set.
 *
 * Pure: no clock, randomness, I/O or log; the same inputs give the same bytes; ties break on the
 * device id. Any thread. */
#ifndef COORDINATOR_PLANNER_FEDERATED_H
#define COORDINATOR_PLANNER_FEDERATED_H

#include "common/model/enums.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/policy.h"

#include <stddef.h>

struct err;
struct snapshot;
struct job;
struct federated_proposal;
struct plan;

/* The analytic engine's answer, every field filled. ERR_INFEASIBLE where no client can take part
 * (the text counts them by reason) or a demand of the job cannot be met (it names the nearest that
 * can). */
int federated_propose(const struct snapshot *s, const struct job *job, const struct envelope *e,
                      struct federated_proposal **out, struct err *err);

/* `auto` resolved, as the signature's input needs it before any engine is asked; and why. */
int federated_aggregation(const struct snapshot *s, const struct job *job, const struct envelope *e,
                          int *aggregation, char *why, size_t why_size, struct err *err);

/* A verified plan from any proposal of `engine`; NULL or a partial one is filled. plan_id,
 * coordinator_id, generations, created_ms and the proposal's text are the caller's to add; state is
 * dry_run until the caller says otherwise. The proposal stays the caller's. */
int federated_verify(const struct snapshot *s, const struct job *job, const struct envelope *e,
                     enum engine_kind engine, const struct federated_proposal *p, struct plan **out,
                     struct err *err);

#endif
