/* desk.h - questions about signatures, answered beside the planning turns.
 *
 * The desk of the cycle's actor: what needs no model is answered at once, here; desk_run.h has what
 * asks one. Pure. */
#ifndef COORDINATOR_CYCLE_DESK_H
#define COORDINATOR_CYCLE_DESK_H

struct catalog;
struct err;
struct framing;
struct request;
struct response;

/* What the desk works with; borrowed. */
struct desk {
    const struct catalog *catalog;
    const struct framing *framing;
};

/* The answer to a request that is about signatures and no run, whose code is OK and which holds a
 * body; yours to response_free. The error names the field of the request. */
struct response *desk_answer(const struct desk *desk, const struct request *asked, struct err *err);

#endif
