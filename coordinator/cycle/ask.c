/* ask.c - between the module's words and the wire's. */
#include "coordinator/cycle/ask.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "coordinator/lm/lm.h"
#include "coordinator/signature/module.h"
#include "coordinator/signature/schema.h"
#include "coordinator/signature/signature.h"

#include <stdio.h>
#include <string.h>

static const enum lm_format formats[] = {[MODULE_FREE] = LM_FORMAT_NONE,
                                         [MODULE_OBJECT] = LM_FORMAT_OBJECT,
                                         [MODULE_SCHEMA] = LM_FORMAT_SCHEMA};

/* Of the bits in a reply's `refused`: a shape that the endpoint did not take. */
#define LOWERED (1u << LM_FORMAT_OBJECT | 1u << LM_FORMAT_SCHEMA)

static unsigned takes(const struct lm *lm)
{
    unsigned bits = 0;

    for (unsigned f = MODULE_FREE; f <= MODULE_SCHEMA; f++)
        bits |= lm_takes(lm, formats[f]) ? 1u << f : 0;
    return bits;
}

static int fill(struct lm_request *r, const struct module_request *from, struct err *err)
{
    for (size_t i = 0; i < from->prompt->count; i++)
        if (lm_request_add(r, from->prompt->messages[i].role, from->prompt->messages[i].text, err) <
            0)
            return -1;
    if (known_f64(from->temperature))
        r->temperature = from->temperature;
    r->rollout = from->rollout;
    return lm_request_shape(r, formats[from->format], from->schema ? SCHEMA_NAME : NULL,
                            from->schema, err);
}

int ask_next(struct lm *lm, struct module *m, const struct ask *how, struct err *err)
{
    struct module_request from;
    struct lm_request *r;
    int rc = module_next(m, takes(lm), &from, err);

    if (rc <= 0)
        return rc;
    if (!(r = lm_request_new(how->tag, module_signature(m)->name, err)))
        return -1;
    r->max_tokens = how->max_tokens;
    r->total_ms = how->total_ms;
    if (fill(r, &from, err) == 0 && lm_submit(lm, &r, err) == 0)
        return 1;
    lm_request_free(r);
    return -1;
}

/* A reply without text is one that cannot be read; every other failure is the endpoint's. */
static int take_failure(struct module *m, const struct lm_reply *reply,
                        const struct module_usage *usage, struct err *err)
{
    char why[ERR_TEXT_MAX + 64];

    if (reply->failure == LM_FAILURE_LENGTH && reply->content)
        return module_reply(m, reply->content, strlen(reply->content), MODULE_CUT, usage, err);
    if (reply->failure == LM_FAILURE_EMPTY)
        return module_reply(m, NULL, 0, MODULE_WHOLE, usage, err);
    snprintf(why, sizeof why, "%s: %s", lm_failure_name(reply->failure), reply->err.text);
    return module_failed(m, why, usage, err);
}

int ask_take(struct module *m, const struct lm_reply *reply, struct err *err)
{
    const struct module_usage usage = {.calls = reply->calls,
                                       .prompt_tokens = reply->prompt_tokens,
                                       .completion_tokens = reply->completion_tokens,
                                       .seconds = reply->seconds};

    for (unsigned f = MODULE_FREE; f <= MODULE_SCHEMA && (reply->refused & LOWERED); f++)
        if (formats[f] == reply->format)
            module_lowered(m, (enum module_format)f);
    if (reply->failure != LM_FAILURE_NONE)
        return take_failure(m, reply, &usage, err);
    return module_reply(m, reply->content, reply->content ? strlen(reply->content) : 0,
                        MODULE_WHOLE, &usage, err);
}
