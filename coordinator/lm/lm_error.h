/* lm_error.h - what a server's error means: whose fault, and what to leave out next time.
 *
 * Errors come as {"error": {"message", "type", "param", "code"}}, {"error": "text"},
 * {"message": ...}, {"detail": ...} or plain text, with any status. Some servers put a status into
 * `code`, others a word. Thread: none, pure functions. */
#ifndef COORDINATOR_LM_LM_ERROR_H
#define COORDINATOR_LM_LM_ERROR_H

#include "coordinator/lm/lm.h"

struct json;

/* What the text of an error speaks of: bits. */
enum lm_mention {
    LM_MENTION_FORMAT = 1,      /* response_format, json_schema, json_object */
    LM_MENTION_SCHEMA = 2,      /* a schema or a grammar: perhaps only this one is no good */
    LM_MENTION_COMPLETION = 4,  /* max_completion_tokens instead of max_tokens */
    LM_MENTION_TEMPERATURE = 8, /* some models have but one */
    LM_MENTION_SEED = 16,       /* not every server takes one */
    LM_MENTION_LOADING = 32,    /* the model is being loaded: it will answer later */
};

struct lm_error {
    long status;                     /* HTTP, or a status found in `code` */
    const char *message;             /* borrowed; never NULL */
    const char *type, *param, *word; /* borrowed; NULL where absent; word: `code` as a text */
};

/* The error in a response; false where it holds none. Borrows from the tree. */
bool lm_error_find(const struct json *root, long status, struct lm_error *out);

enum lm_failure lm_error_failure(const struct lm_error *e);
unsigned lm_error_mentions(const struct lm_error *e);

/* ---- what an endpoint does not take ----
 *
 * Bits; those of formats are 1 << enum lm_format, as in a reply. */
enum lm_refusal {
    LM_REFUSAL_OBJECT = 1 << LM_FORMAT_OBJECT,
    LM_REFUSAL_SCHEMA = 1 << LM_FORMAT_SCHEMA,
    LM_REFUSAL_MAX_TOKENS = 1 << 3, /* the name: it wants max_completion_tokens */
    LM_REFUSAL_TEMPERATURE = 1 << 4,
    LM_REFUSAL_SEED = 1 << 5,
};
#define LM_REFUSAL_FORMATS (LM_REFUSAL_OBJECT | LM_REFUSAL_SCHEMA)

/* What a model of this name is known to refuse before it is asked. */
unsigned lm_refusal_of_model(const char *model);

/* The format to ask for: the wanted one, or the highest below it that is not refused. */
enum lm_format lm_refusal_format(enum lm_format wanted, unsigned refused);

/* What to leave out of the next try after an error that mentions these; 0: nothing that the request
 * had. *lasting: it is the endpoint's way, and not this request's fault. */
unsigned lm_refusal_next(const struct lm_request *request, double temperature, unsigned refused,
                         unsigned mentions, bool *lasting);

#endif
