/* module.h - what is asked of a model, call after call, until there is an answer that can be used.
 *
 * A state machine: it says what to send, and is told what came back. It sends nothing itself, so
 * that any transport, a recording or a test can drive it:
 *
 *     struct module *m = module_new(&settings, values, count, err);
 *     while (module_next(m, takes, &request, err) == 1) {
 *         ... send request.prompt, request.format ...
 *         module_reply(m, text, len, MODULE_WHOLE, &usage, err);   or module_failed(m, why, ...)
 *     }
 *     answer = module_answer(m);       NULL: module_failure(m) says why
 *
 * It is DSPy's Predict, ChainOfThought and BestOfN with the fallback of its adapters, and one thing
 * more. A reply to the layout with markers that cannot be read is asked for again as a JSON object:
 * held to a schema where the endpoint takes one, then as any object, or as plain text. If that too
 * fails, the model may be shown once its reply and what was wrong with it (`retry`; DSPy does
 * not). An error of the endpoint ends the attempt: asking in another form does not mend it, and
 * neither does it mend a reply that was cut at the token limit. At most 4 calls an attempt, each of
 * which stands in module_calls. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_MODULE_H
#define COORDINATOR_SIGNATURE_MODULE_H

#include "coordinator/signature/prompt.h"
#include "coordinator/signature/reply.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct framing;
struct module;
struct signature;
struct state_demo;

#define MODULE_ATTEMPTS_MAX 64
#define MODULE_CALLS_MAX (4 * MODULE_ATTEMPTS_MAX)
#define MODULE_SHOWN_MAX 8192 /* bytes of its own reply that a model is shown again */

enum module_layout {
    MODULE_CHAT = 1, /* markers: chat.h */
    MODULE_JSON,     /* one object: json_layout.h */
};

/* What the answer is held to; as bits (1 << format), what an endpoint takes. */
enum module_format { MODULE_FREE, MODULE_OBJECT, MODULE_SCHEMA };

/* Whether the answer can be used; notes and the error say what was forgiven or wrong. */
typedef int module_check_fn(void *arg, const struct answer *a, struct notes *notes,
                            struct err *err);
/* How good it is: higher is better. */
typedef double module_reward_fn(void *arg, const struct answer *a);

struct module_settings {
    const struct signature *sig; /* borrowed, and so is the rest: until module_free */
    bool chain_of_thought;       /* ask for `reasoning` first; not where sig has it already */
    const struct framing *framing;
    const struct state_demo *demos; /* of a loaded program */
    size_t demos_count;
    enum module_layout layout; /* of the first call */
    bool fallback;             /* ask for an object where markers cannot be read */
    bool retry;                /* show the model, once, what was wrong */
    module_check_fn *check;    /* NULL: every output casts (cast.h, or answer.h where typed) */
    module_reward_fn *reward;  /* NULL: the first answer is taken */
    void *arg;                 /* of the two */
    size_t attempts;  /* with a reward: so many answers at most, 1 to MODULE_ATTEMPTS_MAX */
    double threshold; /* an answer as good as that ends it */
    int64_t rollout;  /* number of the first attempt, so that a cache tells them apart */
};

/* Chain of thought, fallback and retry, markers first. */
struct module_settings module_defaults(const struct signature *sig, const struct framing *framing);

/* The values are copied. Refused: what the layouts refuse. */
struct module *module_new(const struct module_settings *settings, const struct prompt_value *values,
                          size_t count, struct err *err);
void module_free(struct module *m); /* NULL is fine */

struct module_request {
    const struct prompt *prompt; /* lent until the next call of module_next */
    enum module_layout layout;
    enum module_format format;
    const char *schema; /* MODULE_SCHEMA: the schema of the answer, lent likewise; else NULL */
    double temperature; /* NaN: the endpoint's own; 1 where attempts are to differ */
    int64_t rollout;    /* UNKNOWN_I64 where there is one attempt */
};

/* 1: send *out. 0: it is over. -1: no memory, or a value that cannot be rendered. */
int module_next(struct module *m, unsigned takes, struct module_request *out, struct err *err);

/* What a call cost; unknown tokens are UNKNOWN_I64. */
struct module_usage {
    int64_t calls; /* requests made, those repeated by the transport included */
    int64_t prompt_tokens, completion_tokens;
    double seconds;
};

enum module_end {
    MODULE_WHOLE,
    MODULE_CUT, /* at the token limit: whole fields of it may be used */
};

/* The reply to the request that is out; text NULL: an empty one. -1: no memory. */
int module_reply(struct module *m, const char *text, size_t len, enum module_end end,
                 const struct module_usage *usage, struct err *err);
/* The endpoint gave none. */
int module_failed(struct module *m, const char *why, const struct module_usage *usage,
                  struct err *err);
/* Before either: the request went out held to less than it said, as the endpoint took no more. */
void module_lowered(struct module *m, enum module_format format);
/* No more calls: whoever waits has no more time. What there is stands. */
void module_stop(struct module *m);

/* ---- how it went ---- */

const struct signature *module_signature(const struct module *m); /* as asked */
const struct answer *module_answer(const struct module *m);       /* the one taken; NULL: none */
const struct notes *module_notes(const struct module *m);         /* made while it was checked */
/* The reply it was read from; without an answer the last reply there was; NULL: none came. */
const char *module_text(const struct module *m);
const char *module_failure(const struct module *m); /* why there is no answer; NULL: there is one */
double module_score(const struct module *m);        /* the answer's reward; NaN: none */
struct module_usage module_total(const struct module *m);

struct module_call {
    size_t attempt; /* from 0 */
    enum module_layout layout;
    enum module_format format;
    bool retry; /* the model was shown its reply */
    bool came;  /* there was a reply */
    bool used;  /* its answer could be used */
    char *why;  /* what was wrong; NULL where nothing was */
    struct module_usage usage;
};
const struct module_call *module_calls(const struct module *m, size_t *count);

/* One line for people: "call 2, one object by its schema: 340 + 120 tokens, used". */
void module_add_call(struct buf *b, const struct module *m, size_t i);

#endif
