/* answer.h - the text of an answer's fields, cast to the record of the signature.
 *
 * Text is read leniently, values are cast strictly: each field stands for itself, so one that
 * cannot be used is dropped, with a note, and costs no other. What comes back has passed
 * record_check; whether its numbers fit a fleet is for the planner to say. */
#ifndef COORDINATOR_SIGNATURE_ANSWER_H
#define COORDINATOR_SIGNATURE_ANSWER_H

#include <stddef.h>

struct err;
struct answer;
struct notes;
struct signature;
struct federated_proposal;
struct pipeline_proposal;
struct lora_proposal;
struct diffusion_proposal;

/* *out is a record of sig->typed. ERR_MALFORMED, naming what was wrong, when no typed output holds
 * a single usable value: prose alone is no proposal. Notes are added to `notes` also when it fails.
 */
int answer_read(const struct signature *sig, const struct answer *a, void **out,
                struct notes *notes, struct err *err);

/* answer_read for the signatures that plans use; another signature is refused. */
int answer_read_federated(const struct signature *sig, const struct answer *a,
                          struct federated_proposal **out, struct notes *notes, struct err *err);
int answer_read_pipeline(const struct signature *sig, const struct answer *a,
                         struct pipeline_proposal **out, struct notes *notes, struct err *err);
int answer_read_lora(const struct signature *sig, const struct answer *a,
                     struct lora_proposal **out, struct notes *notes, struct err *err);
int answer_read_diffusion(const struct signature *sig, const struct answer *a,
                          struct diffusion_proposal **out, struct notes *notes, struct err *err);

/* A stranger's text fit to be kept as prose: at most max bytes of UTF-8, '?' for every control
 * character but line breaks and tabs, and for every byte that is not UTF-8. Yours to mem_free. */
char *answer_prose(const char *text, size_t len, size_t max, struct err *err);

#endif
