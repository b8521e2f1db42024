/* module_report.c - what the calls of a module came to. */
#include "coordinator/signature/module.h"

#include "common/core/buf.h"
#include "common/core/unknown.h"

#include <inttypes.h>

static void add_tokens(int64_t *sum, int64_t more)
{
    if (more != UNKNOWN_I64)
        *sum = (*sum == UNKNOWN_I64 ? 0 : *sum) + more;
}

struct module_usage module_total(const struct module *m)
{
    struct module_usage sum = {.prompt_tokens = UNKNOWN_I64, .completion_tokens = UNKNOWN_I64};

    const struct module_call *calls;
    size_t count;

    calls = module_calls(m, &count);
    for (size_t i = 0; i < count; i++) {
        const struct module_usage *u = &calls[i].usage;

        sum.calls += u->calls;
        sum.seconds += u->seconds;
        add_tokens(&sum.prompt_tokens, u->prompt_tokens);
        add_tokens(&sum.completion_tokens, u->completion_tokens);
    }
    return sum;
}

static const char *call_form(const struct module_call *c)
{
    static const char *const objects[] = {"one object in free text", "one object",
                                          "one object by its schema"};

    return c->layout == MODULE_CHAT ? "fields under markers" : objects[c->format];
}

void module_add_call(struct buf *b, const struct module *m, size_t i)
{
    size_t count;
    const struct module_call *calls = module_calls(m, &count), *c = &calls[i];

    buf_addf(b, "call %zu", i + 1);
    if (calls[count - 1].attempt > 0)
        buf_addf(b, " (attempt %zu)", c->attempt + 1);
    buf_addf(b, ", %s%s: ", call_form(c), c->retry ? ", shown what was wrong" : "");
    if (c->usage.prompt_tokens != UNKNOWN_I64 && c->usage.completion_tokens != UNKNOWN_I64)
        buf_addf(b, "%" PRId64 " + %" PRId64 " tokens, ", c->usage.prompt_tokens,
                 c->usage.completion_tokens);
    buf_addf(b, "%s%s", c->used ? "used" : "not used: ", c->why ? c->why : "");
}
