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

/* One without sections. */
int answer_init(struct answer *a, const struct signature *sig, struct err *err);

/* For those who cut: sections of `reply` (trimmed, not NULL, len bytes) go into `a`, which has
 * none. */
typedef int answer_cut_fn(const struct signature *sig, const char *reply, size_t len,
                          struct answer *a, struct err *err);

/* Cut a reply (NULL: an empty one) by this layout; the missing are counted and noted. ERR_TOO_BIG
 * past REPLY_TEXT_MAX, ERR_MALFORMED where it has none of the outputs. *out is untouched on
 * failure. */
int answer_parse(const struct signature *sig, const char *reply, size_t len, answer_cut_fn *cut,
                 struct answer *out, struct err *err);
void answer_clear(struct answer *a); /* a zeroed one is fine */

#endif
