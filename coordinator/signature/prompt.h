/* prompt.h - what is put into a prompt, and the messages that come out.
 *
 * A layout (chat.h, json_layout.h) makes messages of a signature, the words around it
 * (framing.h), the values of its inputs, and examples of good answers. Order: the system message;
 * examples that lack something, then whole ones, each a question and its answer; the turns of a
 * conversation so far, where an input is of type History; the question. */
#ifndef COORDINATOR_SIGNATURE_PROMPT_H
#define COORDINATOR_SIGNATURE_PROMPT_H

#include "coordinator/signature/notes.h"

#include <stddef.h>

struct err;
struct state_demo;

#define PROMPT_TEXT_MAX (1024 * 1024) /* bytes of one message: beyond what any model reads */
#define PROMPT_MESSAGES_MAX 256       /* with 16 examples a prompt has 34 */

/* The value of one input, as text that stands as it is, or as JSON (value.h) where text is NULL.
 * Both NULL: the input is left out of the message. */
struct prompt_value {
    const char *name;
    const char *text;
    const char *json;
};

struct prompt_content {
    const struct prompt_value *values; /* in any order; an input without one takes its default */
    size_t count;
    const struct state_demo *demos; /* examples: fields of the signature, others are passed over */
    size_t demos_count;
};

struct prompt_message {
    const char *role; /* "system", "user" or "assistant" */
    char *text;
};

struct prompt {
    struct prompt_message *messages;
    size_t count;
    struct notes notes;
};

/* One more message; *moved is the prompt's afterwards, also when it fails. */
int prompt_add(struct prompt *p, const char *role, char **moved, struct err *err);
void prompt_clear(struct prompt *p); /* a zeroed one is fine */

#endif
