/* chat.h - a signature as chat messages with [[ ## field ## ]] markers, and the reply read back.
 *
 * The layout is that of DSPy's chat adapter: a system message that lists the fields, shows the
 * structure and states the objective; a user message that gives each input under its marker and
 * reminds of the outputs. Values are strangers' text: whatever in one looks like a marker is broken
 * up, so that no value can end its field or open another.
 *
 * A reply is a stranger's bytes too. It is read as DSPy reads it, and more leniently where that
 * finds less; each leniency leaves a note. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_CHAT_H
#define COORDINATOR_SIGNATURE_CHAT_H

#include "coordinator/signature/prompt.h"
#include "coordinator/signature/reply.h"

#include <stddef.h>

struct err;
struct signature;
struct framing;

/* Refused: a value that names no input, or a name twice. On success *out holds the messages;
 * prompt_clear frees them. */
int chat_render(const struct signature *sig, const struct framing *framing,
                const struct prompt_content *content, struct prompt *out, struct err *err);

/* Which text belongs to which output. ERR_MALFORMED when the reply holds none of them, ERR_TOO_BIG
 * past REPLY_TEXT_MAX. answer_clear frees *out. */
int chat_parse(const struct signature *sig, const char *reply, size_t len, struct answer *out,
               struct err *err);

#endif
