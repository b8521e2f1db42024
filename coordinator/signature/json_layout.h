/* json_layout.h - a signature whose answer is one JSON object, and the reply read back.
 *
 * The layout is that of DSPy's JSON adapter: inputs stand under markers as in chat.h, the answer is
 * an object with a member for each output. An endpoint that can hold a model to a schema is sent
 * that of schema.h; others answer as they like, and are read leniently. Thread: none, pure
 * functions. */
#ifndef COORDINATOR_SIGNATURE_JSON_LAYOUT_H
#define COORDINATOR_SIGNATURE_JSON_LAYOUT_H

#include "coordinator/signature/prompt.h"
#include "coordinator/signature/reply.h"

struct framing;
struct json;

/* As chat_render. */
int json_layout_render(const struct signature *sig, const struct framing *framing,
                       const struct prompt_content *content, struct prompt *out, struct err *err);

/* The members of the reply's object that are outputs. ERR_MALFORMED when the reply holds no object,
 * or none of them. */
int json_layout_parse(const struct signature *sig, const char *reply, size_t len,
                      struct answer *out, struct err *err);

/* The members of an object that are outputs, into an answer that has none yet; -1: no memory. Names
 * are compared without case where the exact one is not there, which is noted. `raw` is the object's
 * own text, NUL-terminated, or NULL where it is not JSON. */
int json_layout_take(const struct signature *sig, const struct json *object, const char *raw,
                     struct answer *a, struct err *err);

#endif
