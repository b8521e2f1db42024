/* lm_request.c - what is asked: made, shaped, freed; and the words for formats and failures. */
#include "coordinator/lm/lm.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/json/json.h"

#include <string.h>

struct lm_request *lm_request_new(uint64_t tag, const char *label, struct err *err)
{
    struct lm_request *r = mem_zalloc(sizeof *r);

    if (!r || !(r->label = mem_strdup(label ? label : ""))) {
        lm_request_free(r);
        err_set(err, ERR_NOMEM, "request to a model");
        return NULL;
    }
    r->tag = tag;
    r->max_tokens = LM_MAX_TOKENS;
    r->temperature = UNKNOWN_F64;
    r->seed = UNKNOWN_I64;
    r->rollout = UNKNOWN_I64;
    return r;
}

int lm_request_add(struct lm_request *r, const char *role, const char *content, struct err *err)
{
    struct lm_message m = {0}, *messages;

    if (strcmp(role, "system") != 0 && strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0)
        return err_set(err, ERR_INVALID, "role \"%.40s\": wanted system, user or assistant", role);
    if (r->count == LM_MESSAGES_MAX)
        return err_set(err, ERR_TOO_BIG, "more than %d messages", LM_MESSAGES_MAX);
    m.role = mem_strdup(role);
    m.content = m.role ? mem_strdup(content) : NULL;
    messages = m.content ? mem_realloc_array(r->messages, r->count + 1, sizeof m) : NULL;
    if (!messages) {
        mem_free(m.role);
        mem_free(m.content);
        return err_set(err, ERR_NOMEM, "message of %zu bytes", strlen(content));
    }
    r->messages = messages;
    r->messages[r->count++] = m;
    return 0;
}

/* ---- the shape of the answer ---- */

static int check_schema_name(const char *name, struct err *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = name ? strlen(name) : 0;

    if (len < 1 || len > LM_SCHEMA_NAME_MAX || strspn(name, allowed) != len)
        return err_set(err, ERR_INVALID,
                       "schema name \"%.40s\": wanted 1 to %d letters, digits, _ and -",
                       name ? name : "", LM_SCHEMA_NAME_MAX);
    return 0;
}

static int check_schema(const char *schema, struct err *err)
{
    size_t len = schema ? strlen(schema) : 0;
    struct json *root;
    enum json_type type;

    if (len > LM_SCHEMA_MAX)
        return err_set(err, ERR_TOO_BIG, "schema of %zu bytes, limit %d", len, LM_SCHEMA_MAX);
    if (!(root = json_parse(schema ? schema : "", len, err)))
        return err_prefix(err, "schema");
    type = json_type_of(root);
    json_free(root);
    if (type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "schema: %s, wanted an object", json_type_name(type));
    return 0;
}

int lm_request_shape(struct lm_request *r, enum lm_format format, const char *schema_name,
                     const char *schema, struct err *err)
{
    char *name = NULL, *text = NULL;

    if (format == LM_FORMAT_SCHEMA) {
        if (check_schema_name(schema_name, err) < 0 || check_schema(schema, err) < 0)
            return -1;
        name = mem_strdup(schema_name);
        text = name ? mem_strdup(schema) : NULL;
        if (!text) {
            mem_free(name);
            return err_set(err, ERR_NOMEM, "schema");
        }
    }
    mem_free(r->schema_name);
    mem_free(r->schema);
    r->format = format;
    r->schema_name = name;
    r->schema = text;
    return 0;
}

void lm_request_free(struct lm_request *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        mem_free(r->messages[i].role);
        mem_free(r->messages[i].content);
    }
    mem_free(r->messages);
    mem_free(r->schema_name);
    mem_free(r->schema);
    mem_free(r->label);
    lm_reply_free(r->reply);
    mem_free(r);
}

/* ---- words ---- */

const char *lm_format_name(enum lm_format f)
{
    static const char *const names[] = {
        [LM_FORMAT_NONE] = "none",
        [LM_FORMAT_OBJECT] = "json_object",
        [LM_FORMAT_SCHEMA] = "json_schema",
    };

    return (size_t)f < sizeof names / sizeof names[0] ? names[f] : "none";
}

const char *lm_failure_name(enum lm_failure f)
{
    static const char *const names[] = {
        [LM_FAILURE_NONE] = "none",           [LM_FAILURE_ABSENT] = "absent",
        [LM_FAILURE_CONNECT] = "connect",     [LM_FAILURE_TRANSPORT] = "transport",
        [LM_FAILURE_TIMEOUT] = "timeout",     [LM_FAILURE_TOO_BIG] = "too_big",
        [LM_FAILURE_REDIRECT] = "redirect",   [LM_FAILURE_AUTH] = "auth",
        [LM_FAILURE_BILLING] = "billing",     [LM_FAILURE_NOT_FOUND] = "not_found",
        [LM_FAILURE_CONTEXT] = "context",     [LM_FAILURE_RATE_LIMIT] = "rate_limit",
        [LM_FAILURE_REQUEST] = "request",     [LM_FAILURE_SERVER] = "server",
        [LM_FAILURE_MALFORMED] = "malformed", [LM_FAILURE_LENGTH] = "length",
        [LM_FAILURE_THINKING] = "thinking",   [LM_FAILURE_EMPTY] = "empty",
        [LM_FAILURE_INTERNAL] = "internal",
    };

    return (size_t)f < sizeof names / sizeof names[0] ? names[f] : "internal";
}
