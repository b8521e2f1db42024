/* lm_error.c - errors read by what real servers write; the rows name whose words they are. */
#include "coordinator/lm/lm_error.h"

#include "common/core/unknown.h"
#include "common/json/json.h"

#include <string.h>
#include <strings.h>

/* ---- finding ---- */

static bool is_flat(const struct json *root, long status)
{
    const char *object = json_text(json_member(root, "object"));

    return status >= 400 || (object && strcmp(object, "error") == 0);
}

bool lm_error_find(const struct json *root, long status, struct lm_error *out)
{
    const struct json *error = json_member(root, "error"), *from = error;
    const char *message = json_text(error);
    int64_t code;

    if (!message)
        message = json_text(json_member(error, "message"));
    if (!message && json_type_of(error) == JSON_OBJECT)
        message = "it gave no reason";
    if (!message && is_flat(root, status)) {
        from = root;
        message = json_text(json_member(root, "message"));
        if (!message)
            message = json_text(json_member(root, "detail"));
    }
    if (!message)
        return false;
    code = json_integer(json_member(from, "code"));
    *out = (struct lm_error){.status = status,
                             .message = message,
                             .type = json_text(json_member(from, "type")),
                             .param = json_text(json_member(from, "param")),
                             .word = json_text(json_member(from, "code"))};
    if (status < 400 && known_i64(code) && code >= 400 && code <= 599)
        out->status = (long)code;
    return true;
}

/* ---- meaning ---- */

static bool has(const char *text, const char *part)
{
    size_t len = strlen(part);

    for (const char *p = text ? text : ""; *p; p++)
        if (strncasecmp(p, part, len) == 0)
            return true;
    return false;
}

static bool says(const struct lm_error *e, const char *part)
{
    return has(e->message, part) || has(e->type, part) || has(e->word, part);
}

struct meaning {
    const char *part;
    enum lm_failure failure;
};

static bool find_meaning(const struct lm_error *e, const struct meaning *rows, size_t count,
                         enum lm_failure *out)
{
    for (size_t i = 0; i < count; i++) {
        if (says(e, rows[i].part)) {
            *out = rows[i].failure;
            return true;
        }
    }
    return false;
}

enum lm_failure lm_error_failure(const struct lm_error *e)
{
    /* words that mean the same with every status */
    static const struct meaning always[] = {
        {"exceed_context_size", LM_FAILURE_CONTEXT},     /* llama.cpp, type */
        {"context_length_exceeded", LM_FAILURE_CONTEXT}, /* OpenAI, code */
        {"maximum context length", LM_FAILURE_CONTEXT},  /* vLLM, OpenAI */
        {"available context size", LM_FAILURE_CONTEXT},  /* llama.cpp */
        {"exceed the context", LM_FAILURE_CONTEXT},
        {"context length of only", LM_FAILURE_CONTEXT}, /* LM Studio */
        {"context the overflows", LM_FAILURE_CONTEXT},  /* LM Studio */
        {"context window", LM_FAILURE_CONTEXT},
        {"prompt is too long", LM_FAILURE_CONTEXT},
        {"insufficient_quota", LM_FAILURE_BILLING}, /* OpenAI, with 429 */
        {"billing_hard_limit", LM_FAILURE_BILLING},
        {"invalid_api_key", LM_FAILURE_AUTH},
        {"model_not_found", LM_FAILURE_NOT_FOUND},
    };
    enum lm_failure failure;

    if (e->status == 401 || e->status == 403)
        return LM_FAILURE_AUTH;
    if (e->status == 402)
        return LM_FAILURE_BILLING;
    if (find_meaning(e, always, sizeof always / sizeof always[0], &failure))
        return failure;
    if (e->status == 404)
        return LM_FAILURE_NOT_FOUND;
    if (e->status == 408)
        return LM_FAILURE_TIMEOUT;
    if (e->status == 429 || (e->status < 400 && says(e, "rate_limit")))
        return LM_FAILURE_RATE_LIMIT;
    return e->status >= 500 ? LM_FAILURE_SERVER : LM_FAILURE_REQUEST;
}

unsigned lm_error_mentions(const struct lm_error *e)
{
    static const struct {
        const char *part;
        unsigned mention;
    } rows[] = {
        {"response_format", LM_MENTION_FORMAT},
        {"response format", LM_MENTION_FORMAT},
        {"json_schema", LM_MENTION_FORMAT},
        {"json_object", LM_MENTION_FORMAT},
        {"structured output", LM_MENTION_FORMAT},
        {"schema", LM_MENTION_SCHEMA},
        {"grammar", LM_MENTION_SCHEMA},
        {"resolving ref", LM_MENTION_SCHEMA}, /* llama.cpp */
        {"max_completion_tokens", LM_MENTION_COMPLETION},
        {"temperature", LM_MENTION_TEMPERATURE},
        {"seed", LM_MENTION_SEED},
        {"loading", LM_MENTION_LOADING},
        {"unavailable_error", LM_MENTION_LOADING}, /* llama.cpp, type */
    };
    unsigned mentions = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (says(e, rows[i].part) || has(e->param, rows[i].part))
            mentions |= rows[i].mention;
    return mentions;
}

/* ---- what is not taken ---- */

/* OpenAI's reasoning models take another name for the limit, and no temperature. */
unsigned lm_refusal_of_model(const char *model)
{
    const char *name = strrchr(model, '/') ? strrchr(model, '/') + 1 : model;
    bool reasoning =
        name[0] == 'o' && name[1] && strchr("1345", name[1]) && (name[2] == '\0' || name[2] == '-');

    if (strncmp(name, "gpt-5", 5) == 0 && !strstr(name, "-chat"))
        reasoning = true;
    return reasoning ? LM_REFUSAL_MAX_TOKENS | LM_REFUSAL_TEMPERATURE : 0;
}

enum lm_format lm_refusal_format(enum lm_format wanted, unsigned refused)
{
    int f = wanted;

    while (f > LM_FORMAT_NONE && (refused & 1U << f))
        f--;
    return (enum lm_format)f;
}

unsigned lm_refusal_next(const struct lm_request *request, double temperature, unsigned refused,
                         unsigned mentions, bool *lasting)
{
    enum lm_format format = lm_refusal_format(request->format, refused);

    *lasting = true;
    if (format != LM_FORMAT_NONE && (mentions & (LM_MENTION_FORMAT | LM_MENTION_SCHEMA))) {
        *lasting = mentions & LM_MENTION_FORMAT;
        return 1U << format;
    }
    if ((mentions & LM_MENTION_COMPLETION) && !(refused & LM_REFUSAL_MAX_TOKENS))
        return LM_REFUSAL_MAX_TOKENS;
    if ((mentions & LM_MENTION_TEMPERATURE) && known_f64(temperature) &&
        !(refused & LM_REFUSAL_TEMPERATURE))
        return LM_REFUSAL_TEMPERATURE;
    if ((mentions & LM_MENTION_SEED) && known_i64(request->seed) && !(refused & LM_REFUSAL_SEED))
        return LM_REFUSAL_SEED;
    return 0;
}
