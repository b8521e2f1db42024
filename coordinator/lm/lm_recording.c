/* lm_recording.c - the lines of a recording, read, chosen and written. */
#include "coordinator/lm/lm_recording.h"

#include "common/core/buf.h"
#include "common/core/hash.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/json/json.h"
#include "common/json/json_pick.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_error.h"

#include <string.h>

struct entry {
    struct json *line; /* checked */
    enum lm_failure failure;
    int format; /* enum lm_format; -1: not said */
    unsigned uses;
};

struct lm_recording {
    struct entry *entries;
    size_t count;
};

static const char *const names[] = {
    "label",   "request",       "content",           "reasoning",     "finish",  "format",
    "refused", "prompt_tokens", "completion_tokens", "cached_tokens", "failure", "error",
    NULL};

char *lm_recording_digest(const struct lm_request *request, char out[LM_DIGEST_SIZE])
{
    uint64_t hash = hash64_init();

    for (size_t i = 0; i < request->count; i++) {
        hash = hash64_add_text(hash, request->messages[i].role);
        hash = hash64_add_text(hash, request->messages[i].content);
    }
    if (request->format != LM_FORMAT_NONE) {
        hash = hash64_add_text(hash, lm_format_name(request->format));
        hash = hash64_add_text(hash, request->schema);
    }
    if (known_i64(request->rollout))
        hash = hash64_add_i64(hash, request->rollout);
    return hash64_hex(hash, out);
}

static int parse_failure(const char *name, enum lm_failure *out, struct err *err)
{
    for (int f = LM_FAILURE_ABSENT; f <= LM_FAILURE_INTERNAL; f++) {
        if (strcmp(lm_failure_name((enum lm_failure)f), name) == 0) {
            *out = (enum lm_failure)f;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "failure: there is none called \"%.40s\"", name);
}

static int parse_format(const char *name, struct err *err)
{
    for (int f = LM_FORMAT_NONE; f <= LM_FORMAT_SCHEMA; f++)
        if (strcmp(lm_format_name((enum lm_format)f), name) == 0)
            return f;
    return err_set(err, ERR_INVALID, "format: there is none called \"%.40s\"", name);
}

/* On success the entry holds *line. */
static int entry_read(struct json **line, struct entry *out, struct err *err)
{
    const int64_t tokens_max = (int64_t)1 << 40;
    const char *content = NULL, *failure = NULL, *format = NULL, *text;
    struct entry e = {0};
    int64_t number;
    int shape = LM_FORMAT_NONE;

    if (json_only(*line, "", names, err) < 0 ||
        json_may_text(*line, "", "content", LM_RESPONSE_MAX, &content, err) < 0 ||
        json_may_text(*line, "", "failure", NAME_TEXT_MAX, &failure, err) < 0 ||
        json_may_text(*line, "", "format", NAME_TEXT_MAX, &format, err) < 0 ||
        json_may_i64(*line, "", "refused", 0, LM_REFUSAL_FORMATS, &number, err) < 0 ||
        json_may_i64(*line, "", "prompt_tokens", 0, tokens_max, &number, err) < 0 ||
        json_may_i64(*line, "", "completion_tokens", 0, tokens_max, &number, err) < 0 ||
        json_may_i64(*line, "", "cached_tokens", 0, tokens_max, &number, err) < 0 ||
        json_may_text(*line, "", "label", NAME_TEXT_MAX, &text, err) < 0 ||
        json_may_text(*line, "", "request", ID_TEXT_MAX, &text, err) < 0 ||
        json_may_text(*line, "", "finish", NAME_TEXT_MAX, &text, err) < 0 ||
        json_may_text(*line, "", "error", REASON_TEXT_MAX, &text, err) < 0 ||
        json_may_text(*line, "", "reasoning", LM_RESPONSE_MAX, &text, err) < 0)
        return -1;
    if (!content && !failure)
        return err_set(err, ERR_INVALID, "holds neither content nor failure");
    if ((failure && parse_failure(failure, &e.failure, err) < 0) ||
        (format && (shape = parse_format(format, err)) < 0))
        return -1;
    e.format = format ? shape : -1;
    e.line = *line;
    *line = NULL;
    *out = e;
    return 0;
}

static int add_line(struct lm_recording *r, const char *text, size_t len, struct err *err)
{
    struct entry *entries;
    struct json *line;
    int rc;

    if (r->count == LM_RECORDING_MAX)
        return err_set(err, ERR_TOO_BIG, "more than %d lines", LM_RECORDING_MAX);
    if (!(entries = mem_realloc_array(r->entries, r->count + 1, sizeof *entries)))
        return err_set(err, ERR_NOMEM, "recording");
    r->entries = entries;
    if (!(line = json_parse(text, len, err)))
        return -1;
    rc = entry_read(&line, &r->entries[r->count], err);
    if (rc == 0)
        r->count++;
    json_free(line);
    return rc;
}

struct lm_recording *lm_recording_parse(const char *file, const char *text, size_t len,
                                        struct err *err)
{
    struct lm_recording *r = mem_zalloc(sizeof *r);
    size_t number = 1;

    if (!r) {
        err_set(err, ERR_NOMEM, "%s", file);
        return NULL;
    }
    for (const char *p = text, *end = text + len, *next; p < end; p = next, number++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline : end;

        next = newline ? newline + 1 : end;
        if (stop == p || *p == '\r')
            continue;
        if (add_line(r, p, (size_t)(stop - p), err) < 0) {
            err_prefix(err, "%s:%zu", file, number);
            lm_recording_free(r);
            return NULL;
        }
    }
    if (r->count == 0) {
        err_set(err, ERR_INVALID, "%s: holds no answers", file);
        lm_recording_free(r);
        return NULL;
    }
    return r;
}

void lm_recording_free(struct lm_recording *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        json_free(r->entries[i].line);
    mem_free(r->entries);
    mem_free(r);
}

static struct entry *choose(struct lm_recording *r, const struct lm_request *request)
{
    struct entry *best = NULL;
    bool best_exact = false;
    char id[LM_DIGEST_SIZE];

    lm_recording_digest(request, id);
    for (size_t i = 0; i < r->count; i++) {
        struct entry *e = &r->entries[i];
        const char *label = json_text(json_member(e->line, "label"));
        const char *of = json_text(json_member(e->line, "request"));
        bool exact = of && strcmp(of, id) == 0;

        if (label && strcmp(label, request->label) != 0)
            continue;
        if (!best || (exact && !best_exact) || (exact == best_exact && e->uses < best->uses)) {
            best = e;
            best_exact = exact;
        }
    }
    return best;
}

static int put_text(char **out, const struct json *line, const char *name)
{
    const char *text = json_text(json_member(line, name));

    if (!text)
        return 0;
    *out = mem_strdup(text);
    return *out ? 0 : -1;
}

int lm_recording_answer(struct lm_recording *r, const struct lm_request *request,
                        struct lm_reply *out)
{
    struct entry *e = choose(r, request);
    const char *error;
    int64_t refused;

    if (!e) {
        lm_reply_fail(out, LM_FAILURE_ABSENT, ERR_NOT_FOUND, "the recording has no answer for %s",
                      request->label);
        return 0;
    }
    e->uses++;
    if (put_text(&out->content, e->line, "content") < 0 ||
        put_text(&out->reasoning, e->line, "reasoning") < 0 ||
        put_text(&out->finish, e->line, "finish") < 0) {
        lm_reply_fail(out, LM_FAILURE_INTERNAL, ERR_NOMEM, "recording");
        return -1;
    }
    out->prompt_tokens = json_integer(json_member(e->line, "prompt_tokens"));
    out->completion_tokens = json_integer(json_member(e->line, "completion_tokens"));
    out->cached_tokens = json_integer(json_member(e->line, "cached_tokens"));
    refused = json_integer(json_member(e->line, "refused"));
    out->refused = known_i64(refused) ? (unsigned)refused & LM_REFUSAL_FORMATS : 0;
    if (e->format >= 0)
        out->format = (enum lm_format)e->format;
    error = json_text(json_member(e->line, "error"));
    if (e->failure)
        lm_reply_fail(out, e->failure, ERR_IO, "%s", error ? error : "as recorded");
    return 0;
}

struct lm_reply *lm_recording_recall(const struct lm_request *request, const char *line)
{
    struct lm_recording *rec = lm_recording_parse("cache", line, strlen(line), NULL);
    struct lm_reply *r = rec ? lm_reply_new(request) : NULL;

    if (r && (lm_recording_answer(rec, request, r) < 0 || r->failure != LM_FAILURE_NONE)) {
        lm_reply_free(r);
        r = NULL;
    }
    lm_recording_free(rec);
    if (!r)
        return NULL;
    r->cached = true;
    r->prompt_tokens = r->completion_tokens = r->cached_tokens = 0;
    return r;
}

static int set_if(struct json *line, const char *name, const char *text)
{
    return text ? json_set_text(line, name, text) : 0;
}

static int set_tokens(struct json *line, const char *name, int64_t tokens)
{
    return known_i64(tokens) ? json_set_i64(line, name, tokens) : 0;
}

char *lm_recording_line(const char *label, const char *digest, const struct lm_reply *reply,
                        struct err *err)
{
    bool failed = reply->failure != LM_FAILURE_NONE;
    struct json *line = json_object();
    char *text = NULL, *with_newline = NULL;
    struct buf b;

    if (!line || json_set_text(line, "label", label) < 0 ||
        json_set_text(line, "request", digest) < 0 ||
        set_if(line, "failure", failed ? lm_failure_name(reply->failure) : NULL) < 0 ||
        set_if(line, "error", failed ? reply->err.text : NULL) < 0 ||
        set_if(line, "content", reply->content) < 0 ||
        set_if(line, "reasoning", reply->reasoning) < 0 ||
        set_if(line, "finish", reply->finish) < 0 ||
        set_if(line, "format", reply->format ? lm_format_name(reply->format) : NULL) < 0 ||
        (reply->refused && json_set_i64(line, "refused", reply->refused) < 0) ||
        set_tokens(line, "prompt_tokens", reply->prompt_tokens) < 0 ||
        set_tokens(line, "completion_tokens", reply->completion_tokens) < 0 ||
        set_tokens(line, "cached_tokens", reply->cached_tokens) < 0)
        err_set(err, ERR_NOMEM, "recording");
    else
        text = json_print(line, false, err);
    json_free(line);
    if (text) {
        buf_init(&b, JSON_TEXT_MAX);
        buf_addf(&b, "%s\n", text);
        with_newline = buf_take(&b, NULL, err);
    }
    mem_free(text);
    return with_newline;
}
