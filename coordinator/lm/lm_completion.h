/* lm_completion.h - requests and responses of /chat/completions as text, without a socket.
 *
 * Servers differ in everything but the outline; what each was seen to do is tolerated here and has
 * its test: errors as object, text or flat, also with status 200; content that is null, absent or a
 * list of parts; thinking in a field of its own, in a think block, or in one whose opening tag is
 * missing; usage that is absent or partial; an event stream that nobody asked for. Thread: none,
 * pure functions. */
#ifndef COORDINATOR_LM_LM_COMPLETION_H
#define COORDINATOR_LM_LM_COMPLETION_H

#include <stddef.h>

struct err;
struct lm_reply;
struct lm_request;

/* The body of a request: no member is ever null, and a limit of tokens is always there. Without
 * what is refused (bits of enum lm_refusal); `temperature` is the one for requests without their
 * own, NaN: left out. Yours to mem_free. */
char *lm_completion_write(const char *model, const struct lm_request *request, double temperature,
                          unsigned refused, struct err *err);

/* Read a response into content, reasoning, finish, tokens, failure and err of *out, which keeps
 * what is not there; `key` (NULL: none) is struck out wherever it appears. *mentions: what an error
 * speaks of, bits of enum lm_mention. -1 only when memory is out (failure is then
 * LM_FAILURE_INTERNAL): a response that is no good is a reply that says so. */
int lm_completion_read(long status, const char *body, size_t len, const char *key,
                       struct lm_reply *out, unsigned *mentions);

#endif
