/* reply.h - a model's reply cut into the sections of its outputs, whichever layout it was read by.
 */
#ifndef COORDINATOR_SIGNATURE_REPLY_H
#define COORDINATOR_SIGNATURE_REPLY_H

#include "coordinator/signature/notes.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct signature;

#define REPLY_TEXT_MAX (4 * 1024 * 1024) /* bytes of a reply: the limit of coordinator/lm */

/* One entry for each output, in order. */
struct answer {
    char **sections; /* trimmed text; NULL: the reply has no such field */
    bool *is_json;   /* the section is a JSON value that is no string: 3, null, {...} */
    size_t count;    /* outputs of the signature */
    size_t missing;  /* how many are NULL */
    struct notes notes;
};

/* For those who cut: an answer without sections, and what is left to do once they are in: the
 * missing are counted and noted. */
int answer_init(struct answer *a, const struct signature *sig, struct err *err);
int answer_count(struct answer *a, const struct signature *sig, struct err *err);
void answer_clear(struct answer *a); /* a zeroed one is fine */

#endif
