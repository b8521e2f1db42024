/* turn.h - the work of one planning turn, without threads: the cycle's actor calls these.
 *
 * A turn is a job on its way to a plan. turn_plan answers with the planner alone; with a model,
 * turn_module makes what is asked, call after call, and turn_answer reads what came of it, maps its
 * classes to those of the newer snapshot and verifies. Pure but for the clock that nobody here
 * reads. */
#ifndef COORDINATOR_CYCLE_TURN_H
#define COORDINATOR_CYCLE_TURN_H

#include "common/model/enums.h"
#include "coordinator/planner/policy.h"
#include "coordinator/signature/module.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct framing;
struct job;
struct lm_reply;
struct plan;
struct program;
struct proposal;
struct snapshot;

/* What every turn of a cycle shares; borrowed by the calls below. */
struct turn_tools {
    /* the signatures as asked */
    const struct program *federated, *pipeline, *lora, *diffusion;
    const struct framing *framing;
    enum module_layout layout; /* the first that a model is asked in */
    bool retry;                /* show it once what was wrong with its answer */
    struct policy policy;
    size_t fleet_tokens; /* what the table of the fleet may cost in a prompt; 0: its default */
};

/* The analytic plan. */
int turn_plan(const struct turn_tools *tools, const struct snapshot *s, const struct job *job,
              struct plan **out, struct err *err);

/* What a model is to be asked about this job, and the notes made on the way, into proposal->notes.
 */
int turn_module(const struct turn_tools *tools, const struct snapshot *s, const struct job *job,
                struct module **out, struct proposal *proposal, struct err *err);

/* One reply's cost, on top of those before it, into proposal->usage. */
int turn_count(struct proposal *proposal, const struct lm_reply *reply, const char *model,
               struct err *err);

/* A verified plan from the module's answer. `asked` is the snapshot of the question, `now` the
 * newer one. Where there is no answer (module NULL: it could not be asked) the plan is the analytic
 * one and its proposal.failure says why. Fails only where the analytic engine would. */
int turn_answer(const struct turn_tools *tools, const struct module *module,
                const struct snapshot *asked, const struct snapshot *now, const struct job *job,
                struct proposal **proposal, struct plan **out, struct err *err);

/* Class ids of a proposal made for the classes of `asked`, rewritten to those of `now`: a class
 * whose members are spread over several new ones is given to each of them. */
int turn_remap(struct proposal *proposal, const struct snapshot *asked, const struct snapshot *now,
               struct err *err);

#endif
