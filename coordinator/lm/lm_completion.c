/* lm_completion.c - the request's body written, the response's body read. */
#include "coordinator/lm/lm_completion.h"

#include "common/core/buf.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/json/json.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_error.h"
#include "coordinator/lm/lm_stream.h"

#include <stdio.h>
#include <string.h>

#define TOKENS_MAX ((int64_t)1 << 40) /* as a plan's usage has it */
#define SHOWN_MAX 120                 /* bytes of a stranger's text in an error */

/* ---- writing ---- */

static int add_messages(struct json *root, const struct lm_request *request)
{
    struct json *messages = json_set_array(root, "messages");

    for (size_t i = 0; messages && i < request->count; i++) {
        struct json *m = json_append_object(messages);

        if (!m || json_set_text(m, "role", request->messages[i].role) < 0 ||
            json_set_text(m, "content", request->messages[i].content) < 0)
            return -1;
    }
    return messages ? 0 : -1;
}

/* {"type": "json_schema", "json_schema": {"name", "strict", "schema"}}, or the type alone. */
static int add_format(struct json *root, const struct lm_request *request, enum lm_format format)
{
    struct json *outer, *inner, *schema;

    if (format == LM_FORMAT_NONE)
        return 0;
    if (!(outer = json_set_object(root, "response_format")) ||
        json_set_text(outer, "type", lm_format_name(format)) < 0)
        return -1;
    if (format != LM_FORMAT_SCHEMA)
        return 0;
    if (!(inner = json_set_object(outer, "json_schema")) ||
        json_set_text(inner, "name", request->schema_name) < 0 ||
        json_set_bool(inner, "strict", true) < 0)
        return -1;
    schema = json_parse(request->schema, strlen(request->schema), NULL);
    return json_set(inner, "schema", &schema);
}

char *lm_completion_write(const char *model, const struct lm_request *request, double temperature,
                          unsigned refused, struct err *err)
{
    const char *limit = refused & LM_REFUSAL_MAX_TOKENS ? "max_completion_tokens" : "max_tokens";
    struct json *root = json_object();
    char *text = NULL;

    if (known_f64(request->temperature))
        temperature = request->temperature;
    if (!root || json_set_text(root, "model", model) < 0 || add_messages(root, request) < 0 ||
        json_set_i64(root, limit, request->max_tokens) < 0 ||
        (known_f64(temperature) && !(refused & LM_REFUSAL_TEMPERATURE) &&
         json_set_f64(root, "temperature", temperature) < 0) ||
        (known_i64(request->seed) && !(refused & LM_REFUSAL_SEED) &&
         json_set_i64(root, "seed", request->seed) < 0) ||
        add_format(root, request, lm_refusal_format(request->format, refused)) < 0)
        err_set(err, ERR_NOMEM, "request to a model");
    else
        text = json_print(root, false, err);
    json_free(root);
    return text;
}

/* ---- reading ---- */

struct reading {
    struct lm_reply *reply;
    const char *key;   /* NULL: none that must be struck out */
    unsigned mentions; /* of an error */
    bool no_memory;
};

/* The text with the key struck out; NULL without memory. */
static char *struck(struct reading *r, const char *text, size_t len)
{
    size_t key_len = r->key ? strlen(r->key) : 0;
    const char *end = text + len;
    struct buf b;
    char *out;

    buf_init(&b, JSON_TEXT_MAX);
    if (!key_len)
        buf_add(&b, text, len);
    for (const char *p = text; key_len && p < end;) {
        if ((size_t)(end - p) >= key_len && memcmp(p, r->key, key_len) == 0) {
            buf_adds(&b, "[key]");
            p += key_len;
        } else {
            buf_addc(&b, *p++);
        }
    }
    out = buf_take(&b, NULL, NULL);
    if (!out)
        r->no_memory = true;
    return out;
}

static void set_text(struct reading *r, char **out, const char *text, size_t len)
{
    char *copy = text ? struck(r, text, len) : NULL;

    if (!copy)
        return;
    mem_free(*out);
    *out = copy;
}

/* fail with a stranger's text at the end, struck and cut. */
static void fail_saying(struct reading *r, enum lm_failure failure, enum err_code code,
                        const char *what, const char *text, size_t len)
{
    char shown[SHOWN_MAX + 1] = "";
    char *clean = struck(r, text, len);

    if (clean)
        text_clean(shown, sizeof shown, clean);
    mem_free(clean);
    lm_reply_fail(r->reply, failure, code, "%s%s%s", what, *shown ? ": " : "", shown);
}

static void take_tokens(int64_t *sum, const struct json *usage, const char *name)
{
    int64_t n = json_integer(json_member(usage, name));

    if (known_i64(n) && n >= 0 && n <= TOKENS_MAX)
        *sum = known_i64(*sum) ? *sum + n : n;
}

static enum err_code code_of(enum lm_failure f)
{
    switch (f) {
    case LM_FAILURE_AUTH:
    case LM_FAILURE_BILLING:
        return ERR_DENIED;
    case LM_FAILURE_NOT_FOUND:
        return ERR_NOT_FOUND;
    case LM_FAILURE_CONTEXT:
        return ERR_TOO_BIG;
    case LM_FAILURE_TIMEOUT:
        return ERR_TIMEOUT;
    case LM_FAILURE_RATE_LIMIT:
        return ERR_BUSY;
    case LM_FAILURE_SERVER:
        return ERR_IO;
    default:
        return ERR_INVALID;
    }
}

static void fail_by_error(struct reading *r, const struct lm_error *e)
{
    enum lm_failure failure = lm_error_failure(e);
    char what[48];

    r->mentions = lm_error_mentions(e);
    if (e->status >= 400)
        snprintf(what, sizeof what, "it answered %ld", e->status);
    else
        snprintf(what, sizeof what, "it answered with an error");
    fail_saying(r, failure, code_of(failure), what, e->message, strlen(e->message));
}

/* An error in plain text, or none at all beside its status. */
static void fail_by_text(struct reading *r, long status, const char *text, size_t len)
{
    struct lm_error e = {.status = status};
    char *copy = struck(r, text, len);

    e.message = copy ? copy : "";
    fail_by_error(r, &e);
    mem_free(copy);
}

/* content may be a text or a list of parts of which some are text. */
static char *read_content(struct reading *r, const struct json *content)
{
    const char *text = json_text(content);
    struct buf b;
    char *out;

    buf_init(&b, JSON_TEXT_MAX);
    if (text)
        buf_adds(&b, text);
    for (const struct json *part = json_type_of(content) == JSON_ARRAY ? json_first(content) : NULL;
         part; part = json_next(part))
        if (json_text(part) || json_text(json_member(part, "text")))
            buf_adds(&b, json_text(part) ? json_text(part) : json_text(json_member(part, "text")));
    if (!(out = buf_take(&b, NULL, NULL)))
        r->no_memory = true;
    return out;
}

static size_t skip_blanks(const char *text)
{
    return strspn(text, " \t\r\n");
}

/* One think block at the start goes to reasoning; also when the chat template wrote its opening
 * tag, so that only the closing one is there. Returns where the answer starts. */
static const char *strip_thinking(struct reading *r, const char *content)
{
    static const char open[] = "<think>", close[] = "</think>";
    const char *from = content + skip_blanks(content);
    bool opened = strncmp(from, open, sizeof open - 1) == 0;
    const char *end = strstr(from, close), *marker = strstr(from, "[[ ##");
    size_t len;

    if (opened)
        from += sizeof open - 1;
    else if (!end || (marker && marker < end))
        return content;
    len = end ? (size_t)(end - from) : strlen(from);
    if (!r->reply->reasoning)
        set_text(r, &r->reply->reasoning, from, len);
    return end ? end + sizeof close - 1 : from + len;
}

static void read_choice(struct reading *r, const struct json *choice)
{
    const struct json *message = json_member(choice, "message");
    const char *thinking = json_text(json_member(message, "reasoning_content"));
    const char *finish = json_text(json_member(choice, "finish_reason")), *answer;
    const struct json *content = json_member(message, "content");
    bool cut = finish && strcmp(finish, "length") == 0;
    char *whole;

    if (!thinking || !*thinking)
        thinking = json_text(json_member(message, "reasoning"));
    if (thinking && *thinking)
        set_text(r, &r->reply->reasoning, thinking, strlen(thinking));
    if (finish)
        set_text(r, &r->reply->finish, finish, strlen(finish));
    if (!(whole = read_content(r, content ? content : json_member(choice, "text"))))
        return;
    answer = strip_thinking(r, whole);
    answer += skip_blanks(answer);
    if (*answer)
        set_text(r, &r->reply->content, answer, strlen(answer));
    if (cut && !*answer)
        lm_reply_fail(r->reply, LM_FAILURE_THINKING, ERR_TOO_BIG,
                      "thinking used up the tokens it may write: nothing is left for an answer");
    else if (cut)
        lm_reply_fail(r->reply, LM_FAILURE_LENGTH, ERR_TOO_BIG,
                      "the answer was cut at the tokens it may write");
    else if (!*answer)
        lm_reply_fail(r->reply, LM_FAILURE_EMPTY, ERR_MALFORMED, "the answer is empty (%s)",
                      finish ? r->reply->finish ? r->reply->finish : "?" : "no finish_reason");
    mem_free(whole);
}

static void read_root(struct reading *r, const struct json *root, long status)
{
    const struct json *choice = json_first(json_member(root, "choices"));
    const struct json *usage = json_member(root, "usage");
    struct lm_error error;

    take_tokens(&r->reply->prompt_tokens, usage, "prompt_tokens");
    take_tokens(&r->reply->completion_tokens, usage, "completion_tokens");
    take_tokens(&r->reply->cached_tokens, json_member(usage, "prompt_tokens_details"),
                "cached_tokens");
    if (lm_error_find(root, status, &error))
        fail_by_error(r, &error);
    else if (status >= 400)
        fail_by_text(r, status, "", 0);
    else if (json_type_of(choice) != JSON_OBJECT)
        lm_reply_fail(r->reply, LM_FAILURE_MALFORMED, ERR_MALFORMED,
                      "JSON, but no chat completion: it has no choices");
    else
        read_choice(r, choice);
}

int lm_completion_read(long status, const char *body, size_t len, const char *key,
                       struct lm_reply *out, unsigned *mentions)
{
    struct reading r = {.reply = out, .key = key && strlen(key) >= LM_KEY_SECRET_MIN ? key : NULL};
    struct err why = {0};
    struct json *root;

    *mentions = 0;
    if (!body)
        body = ""; /* an empty response leaves none */
    out->failure = LM_FAILURE_NONE;
    out->err = why;
    out->status = status;
    if (status >= 300 && status < 400) {
        lm_reply_fail(out, LM_FAILURE_REDIRECT, ERR_DENIED,
                      "it answered %ld and pointed elsewhere: not followed", status);
        return 0;
    }
    root = lm_stream_is(body, len) ? lm_stream_join(body, len, &why) : json_parse(body, len, &why);
    if (!root && why.code == ERR_NOMEM)
        r.no_memory = true;
    else if (!root && status >= 400)
        fail_by_text(&r, status, body, len);
    else if (!root && len == 0)
        lm_reply_fail(out, LM_FAILURE_TRANSPORT, ERR_IO, "an empty body");
    else if (!root)
        fail_saying(&r, LM_FAILURE_MALFORMED, ERR_MALFORMED, "not JSON, it begins", body, len);
    else
        read_root(&r, root, status);
    json_free(root);
    *mentions = r.mentions;
    if (!r.no_memory)
        return 0;
    out->failure = LM_FAILURE_NONE;
    lm_reply_fail(out, LM_FAILURE_INTERNAL, ERR_NOMEM, "response of %zu bytes", len);
    return -1;
}
