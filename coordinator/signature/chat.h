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

#include "coordinator/signature/notes.h"

#include <stddef.h>

struct err;
struct signature;
struct framing;

#define PROMPT_TEXT_MAX (1024 * 1024)    /* bytes of one message: beyond what any model reads */
#define REPLY_TEXT_MAX (4 * 1024 * 1024) /* bytes of a reply: the limit of coordinator/lm */

/* The text of one input; text NULL: the input is left out of the message. */
struct prompt_value {
    const char *name;
    const char *text;
};

struct prompt {
    char *system;
    char *user;
    struct notes notes;
};

/* Values may come in any order; one that names no input, or a name twice, is refused. On success
 * *out holds the messages; prompt_clear frees them. */
int chat_render(const struct signature *sig, const struct framing *framing,
                const struct prompt_value *values, size_t count, struct prompt *out,
                struct err *err);
void prompt_clear(struct prompt *p);

/* One entry for each output, in order. */
struct answer {
    char **sections; /* trimmed text; NULL: the reply has no such field */
    size_t count;    /* outputs of the signature */
    size_t missing;  /* how many are NULL */
    struct notes notes;
};

/* Which text belongs to which output. ERR_MALFORMED when the reply holds none of them, ERR_TOO_BIG
 * past REPLY_TEXT_MAX. answer_clear frees *out. */
int chat_parse(const struct signature *sig, const char *reply, size_t len, struct answer *out,
               struct err *err);
void answer_clear(struct answer *a);

#endif
