/* lm_stream.h - a response that came as server-sent events, though we ask for none, put together.
 *
 * Some proxies stream whatever was asked, and some servers send comment lines while they work
 * (`: keepalive 12/400`). Ignored: comments, other fields than data, chunks without choices, blank
 * lines; `data: [DONE]` may be missing. Thread: none, pure functions. */
#ifndef COORDINATOR_LM_LM_STREAM_H
#define COORDINATOR_LM_LM_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct json;

/* Whether a body begins as a stream does. */
bool lm_stream_is(const char *body, size_t len);

/* The stream as the response it would have been: choices[0].message with the pieces joined, the
 * last finish_reason and usage; or the first error in it. Yours to json_free; NULL when an event is
 * not JSON, or memory is out. */
struct json *lm_stream_join(const char *body, size_t len, struct err *err);

#endif
