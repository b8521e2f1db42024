/* turn.h - the work of one planning turn, without threads: the cycle's actor calls these.
 *
 * A turn is a job on its way to a plan. turn_plan answers with the planner alone; with a model,
 * turn_question makes the messages, and turn_answer reads the reply, maps its classes to those of
 * the newer snapshot and verifies. Pure but for the clock that nobody here reads. */
#ifndef COORDINATOR_CYCLE_TURN_H
#define COORDINATOR_CYCLE_TURN_H

#include "common/model/enums.h"
#include "coordinator/planner/policy.h"

#include <stddef.h>

struct catalog;
struct err;
struct framing;
struct job;
struct lm_reply;
struct plan;
struct prompt;
struct proposal;
struct signature;
struct snapshot;

/* What every turn of a cycle shares; borrowed by the calls below. */
struct turn_tools {
    const struct catalog *catalog;
    const struct framing *framing;
    struct policy policy;
};

/* The analytic plan. */
int turn_plan(const struct turn_tools *tools, const struct snapshot *s, const struct job *job,
              struct plan **out, struct err *err);

/* The signature that plans this kind of job, typed, with reasoning first; yours to signature_free.
 */
struct signature *turn_signature(const struct turn_tools *tools, const struct job *job,
                                 struct err *err);

/* The messages for a model, and the notes made on the way, into proposal->notes. */
int turn_question(const struct turn_tools *tools, const struct signature *sig,
                  const struct snapshot *s, const struct job *job, struct prompt *out,
                  struct proposal *proposal, struct err *err);

/* A verified plan from the model's reply. `asked` is the snapshot of the question, `now` the newer
 * one. Where the reply cannot be used the plan is the analytic one and its proposal.failure says
 * why. Fails only where the analytic engine would. */
int turn_answer(const struct turn_tools *tools, const struct signature *sig,
                const struct snapshot *asked, const struct snapshot *now, const struct job *job,
                const struct lm_reply *reply, const char *model, struct proposal **proposal,
                struct plan **out, struct err *err);

/* Class ids of a proposal made for the classes of `asked`, rewritten to those of `now`: a class
 * whose members are spread over several new ones is given to each of them. */
int turn_remap(struct proposal *proposal, const struct snapshot *asked, const struct snapshot *now,
               struct err *err);

#endif
