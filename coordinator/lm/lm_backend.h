/* lm_backend.h - what lm.c asks of each backend; nobody outside this room includes it.
 *
 * A backend runs on the actor's thread: `run` is the actor's body, takes `struct lm_request *` from
 * the pipe and answers each with a `struct lm_reply *`, until the pipe says stop. `wake` and
 * `stopping` are called on the owner's thread, after every submission and before the end, for a
 * backend that waits on something else than the pipe; either may be NULL. */
#ifndef COORDINATOR_LM_LM_BACKEND_H
#define COORDINATOR_LM_LM_BACKEND_H

#include "coordinator/lm/lm.h"

struct actor_pipe;

struct lm_backend_ops {
    void *(*open)(const struct lm_settings *settings, struct err *err);
    void (*run)(void *self, struct actor_pipe *pipe);
    void (*wake)(void *self);
    void (*stopping)(void *self);
    const char *(*describe)(const void *self);
    void (*close)(void *self);
};

extern const struct lm_backend_ops lm_none_ops, lm_replay_ops, lm_http_ops;

/* A reply to it with nothing known; NULL without memory. */
struct lm_reply *lm_reply_new(const struct lm_request *request);
/* The reply that lm_submit prepared; the caller's now. */
struct lm_reply *lm_reply_take(struct lm_request *request);

/* Set failure and err, unless one is set already. */
void lm_reply_fail(struct lm_reply *r, enum lm_failure failure, enum err_code code, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));

#endif
