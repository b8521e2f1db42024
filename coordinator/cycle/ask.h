/* ask.h - what a module (coordinator/signature/module.h) asks, carried to the model and back. */
#ifndef COORDINATOR_CYCLE_ASK_H
#define COORDINATOR_CYCLE_ASK_H

#include <stdint.h>

struct err;
struct lm;
struct lm_reply;
struct module;

/* How a module's requests are sent. */
struct ask {
    uint64_t tag; /* comes back in the replies */
    int64_t max_tokens;
    int64_t total_ms; /* of the one request */
};

/* Send the next request: 1. 0: there is none, the module is done. -1: it could not be sent; the
 * module does not know of it. */
int ask_next(struct lm *lm, struct module *m, const struct ask *how, struct err *err);

/* Tell the module what came. -1: no memory. */
int ask_take(struct module *m, const struct lm_reply *reply, struct err *err);

#endif
