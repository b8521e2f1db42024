#include "coordinator/lm/lm_stream.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/json/json.h"

#include <string.h>

struct joining {
    struct buf content, reasoning;
    struct json *usage, *finish; /* the last ones; NULL: none */
    struct json *error;          /* the first chunk that holds one; the end */
    bool has_choice;
};

static bool begins(const char *p, const char *end, const char *word)
{
    return (size_t)(end - p) >= strlen(word) && memcmp(p, word, strlen(word)) == 0;
}

bool lm_stream_is(const char *body, size_t len)
{
    const char *p = body, *end = body + len;

    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return begins(p, end, ":") || begins(p, end, "data:") || begins(p, end, "event:") ||
           begins(p, end, "id:") || begins(p, end, "retry:");
}

/* ---- one chunk ---- */

static void add_text(struct buf *b, const struct json *text)
{
    if (json_text(text))
        buf_adds(b, json_text(text));
}

/* The newer value stands; -1 without memory. */
static int keep(struct json **last, const struct json *value)
{
    struct json *copy;

    if (json_type_of(value) == JSON_NULL)
        return 0;
    if (!(copy = json_dup(value)))
        return -1;
    json_free(*last);
    *last = copy;
    return 0;
}

static int add_chunk(struct joining *j, const struct json *chunk)
{
    const struct json *choice = json_first(json_member(chunk, "choices"));
    const struct json *piece = json_member(choice, "delta");
    const struct json *thinking;

    if (!piece)
        piece = json_member(choice, "message");
    if (json_type_of(json_member(chunk, "error")) != JSON_NULL)
        return keep(&j->error, chunk);
    thinking = json_member(piece, "reasoning_content");
    add_text(&j->reasoning, json_text(thinking) ? thinking : json_member(piece, "reasoning"));
    add_text(&j->content, json_member(piece, "content"));
    j->has_choice = j->has_choice || json_type_of(choice) == JSON_OBJECT;
    return keep(&j->finish, json_member(choice, "finish_reason")) < 0
               ? -1
               : keep(&j->usage, json_member(chunk, "usage"));
}

/* ---- all of them ---- */

/* One line; 1: the stream ends here. */
static int add_line(struct joining *j, const char *p, const char *end, struct err *err)
{
    struct json *chunk;
    int rc;

    if (!begins(p, end, "data:"))
        return 0;
    for (p += strlen("data:"); p < end && *p == ' ';)
        p++;
    while (end > p && (end[-1] == '\r' || end[-1] == ' '))
        end--;
    if (p == end)
        return 0;
    if (begins(p, end, "[DONE]"))
        return 1;
    if (!(chunk = json_parse(p, (size_t)(end - p), err)))
        return -1;
    rc = add_chunk(j, chunk);
    json_free(chunk);
    if (rc < 0)
        return err_set(err, ERR_NOMEM, "stream");
    return j->error != NULL;
}

static int set_text(struct json *message, const char *name, const struct buf *b)
{
    return b->len ? json_set_text(message, name, b->data) : 0;
}

static struct json *build(struct joining *j, struct err *err)
{
    struct json *root = json_object(), *choice, *message;
    struct json *choices = root ? json_set_array(root, "choices") : NULL;

    if (!choices || j->content.failed || j->reasoning.failed)
        goto no_memory;
    if (j->has_choice && (!(choice = json_append_object(choices)) ||
                          !(message = json_set_object(choice, "message")) ||
                          set_text(message, "content", &j->content) < 0 ||
                          set_text(message, "reasoning_content", &j->reasoning) < 0 ||
                          (j->finish && json_set(choice, "finish_reason", &j->finish) < 0)))
        goto no_memory;
    if (j->usage && json_set(root, "usage", &j->usage) < 0)
        goto no_memory;
    return root;
no_memory:
    json_free(root);
    err_set(err, ERR_NOMEM, "stream");
    return NULL;
}

struct json *lm_stream_join(const char *body, size_t len, struct err *err)
{
    struct joining j = {0};
    struct json *root = NULL;
    const char *end = body + len;
    int rc = 0;

    buf_init(&j.content, JSON_TEXT_MAX);
    buf_init(&j.reasoning, JSON_TEXT_MAX);
    for (const char *p = body, *next; p < end && rc == 0; p = next) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));

        next = newline ? newline + 1 : end;
        rc = add_line(&j, p, newline ? newline : end, err);
    }
    if (rc >= 0 && j.error) {
        root = j.error;
        j.error = NULL;
    } else if (rc >= 0) {
        root = build(&j, err);
    }
    buf_clear(&j.content);
    buf_clear(&j.reasoning);
    json_free(j.usage);
    json_free(j.finish);
    json_free(j.error);
    return root;
}
