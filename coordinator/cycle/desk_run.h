/* desk_run.h - signatures that tools have run: a module each, until it is over.
 *
 * Owned by the cycle's actor, beside its turns: replies of the model come to both by their tag, the
 * number that the owner gave. */
#ifndef COORDINATOR_CYCLE_DESK_RUN_H
#define COORDINATOR_CYCLE_DESK_RUN_H

#include "common/core/err.h"

#include <stddef.h>
#include <stdint.h>

struct desk;
struct lm;
struct lm_reply;
struct response;
struct signature_run_request;

/* One run; a zeroed one is a free place. */
struct desk_run {
    uint64_t turn; /* 0: free */
    struct desk_question *question;
};

/* How models are asked; borrowed. */
struct desk_lm {
    struct lm *lm;
    const char *model; /* NULL: no name is set */
    int64_t max_tokens;
    int64_t total_ms; /* of all calls of a run together */
};

/* What came of a run. */
struct desk_done {
    struct response *response; /* yours; NULL: err says why */
    struct err err;
};

/* The run of that number, 0 for a free place; NULL: none. */
struct desk_run *desk_run_for(struct desk_run *runs, size_t count, uint64_t turn);

/* Take a free place. 1: the first request went out. 0: it is over, the place is free again, and
 * *done is filled. */
int desk_run_begin(struct desk_run *r, const struct desk *desk, const struct desk_lm *lm,
                   uint64_t turn, const struct signature_run_request *asked,
                   struct desk_done *done);

/* A reply to it; what is returned is as above. */
int desk_run_take(struct desk_run *r, const struct desk_lm *lm, const struct lm_reply *reply,
                  struct desk_done *done);

void desk_run_clear(struct desk_run *r); /* the place is free */

#endif
