/* lm_reply.c - replies, and the backend that has none. */
#include "coordinator/lm/lm_backend.h"

#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/net/actor.h"

#include <stdarg.h>
#include <stdio.h>

struct lm_reply *lm_reply_new(const struct lm_request *request)
{
    struct lm_reply *r = mem_zalloc(sizeof *r);

    if (!r)
        return NULL;
    r->tag = request->tag;
    r->status = UNKNOWN_I64;
    r->prompt_tokens = UNKNOWN_I64;
    r->completion_tokens = UNKNOWN_I64;
    r->cached_tokens = UNKNOWN_I64;
    r->format = request->format;
    return r;
}

struct lm_reply *lm_reply_take(struct lm_request *request)
{
    struct lm_reply *r = request->reply;

    request->reply = NULL;
    r->place = request->place;
    return r;
}

void lm_reply_free(struct lm_reply *r)
{
    if (!r)
        return;
    mem_free(r->content);
    mem_free(r->reasoning);
    mem_free(r->finish);
    mem_free(r);
}

void lm_reply_fail(struct lm_reply *r, enum lm_failure failure, enum err_code code, const char *fmt,
                   ...)
{
    char text[2 * ERR_TEXT_MAX];
    va_list args;

    if (r->failure != LM_FAILURE_NONE)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    r->failure = failure;
    r->err.code = code;
    text_clean(r->err.text, sizeof r->err.text, text);
}

/* ---- none ---- */

static void *none_open(const struct lm_settings *settings, struct err *err)
{
    static char self; /* there is nothing to keep */

    (void)settings;
    (void)err;
    return &self;
}

static void none_run(void *self, struct actor_pipe *pipe)
{
    void *msg;

    (void)self;
    for (int got; (got = pipe_receive(pipe, -1, &msg)) >= 0;) {
        struct lm_request *request = got ? msg : NULL;
        struct lm_reply *reply = request ? lm_reply_take(request) : NULL;

        if (!request)
            continue;
        lm_reply_fail(reply, LM_FAILURE_ABSENT, ERR_NOT_FOUND, "no model endpoint is set");
        lm_request_free(request);
        pipe_send(pipe, reply);
    }
}

static const char *none_describe(const void *self)
{
    (void)self;
    return "none";
}

static void none_close(void *self)
{
    (void)self;
}

const struct lm_backend_ops lm_none_ops = {
    .open = none_open, .run = none_run, .describe = none_describe, .close = none_close};
