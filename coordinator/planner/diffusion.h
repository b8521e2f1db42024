/* diffusion.h - a diffusion job planned for one device: an analytic proposal, and a verified plan
 * from any proposal.
 *
 * Memory and time are those of diffusion_cost.h. What does not fit gives way in a fixed order:
 * decoding in tiles, one part in memory at a time (offload), a format with fewer bits, fewer images
 * together, smaller images; what takes too long, fewer steps, then smaller images. diffusion_verify
 * trusts no number of a proposal and writes a decision for every proposed field.
 *
 * What the job states and an engine may not change: sampler, guidance, offload, vae_tiling; always:
 * guided, seed, images. Between the job's minimum and its wanted value an engine is free: width,
 * height, batch_size, steps; model_format is one of the job's variants.
 *
 * Pure, as federated.h. */
#ifndef COORDINATOR_PLANNER_DIFFUSION_H
#define COORDINATOR_PLANNER_DIFFUSION_H

#include "common/model/enums.h"
#include "coordinator/planner/policy.h"

struct diffusion_proposal;
struct err;
struct job;
struct plan;
struct snapshot;

/* ERR_INVALID names a field that contradicts another, ERR_NOT_FOUND the device, ERR_INFEASIBLE what
 * binds and the nearest that could be met. */
int diffusion_propose(const struct snapshot *s, const struct job *job, const struct policy *policy,
                      struct diffusion_proposal **out, struct err *err);

/* As federated_verify. */
int diffusion_verify(const struct snapshot *s, const struct job *job, const struct policy *policy,
                     enum engine_kind engine, const struct diffusion_proposal *p, struct plan **out,
                     struct err *err);

#endif
