/* lm_recording.h - a model's answers in a file, one JSON object a line.
 *
 *     {"label": "FederatedLearningSignature", "request": "0123456789abcdef", "content": "...",
 *      "finish": "stop", "format": "json_object", "refused": 4, "prompt_tokens": 1200,
 *      "completion_tokens": 400, "cached_tokens": 0}
 *
 * A line may instead hold "failure" (a name of lm_failure_name) and "error". `request` is a digest
 * of the messages, of the shape that was asked for and of the rollout: which prompt was answered
 * can be told, not what stood in it. `format` and `refused` are the reply's. Everything but one of
 * content and failure may be absent. The cache keeps the same lines. */
#ifndef COORDINATOR_LM_LM_RECORDING_H
#define COORDINATOR_LM_LM_RECORDING_H

#include <stddef.h>

struct err;
struct lm_recording;
struct lm_reply;
struct lm_request;

#define LM_DIGEST_SIZE 17

#define LM_RECORDING_MAX 10000 /* lines */

/* Unknown keys are refused by name; `file` and the line's number go before an error. */
struct lm_recording *lm_recording_parse(const char *file, const char *text, size_t len,
                                        struct err *err);
void lm_recording_free(struct lm_recording *r); /* NULL is fine */

/* The answer to this request: of the lines with its label or none, one with its digest first, then
 * the one used least, then the first. Fills failure, err, content, finish and tokens;
 * LM_FAILURE_ABSENT where there is none. -1 when memory is out. */
int lm_recording_answer(struct lm_recording *r, const struct lm_request *request,
                        struct lm_reply *out);

/* One line as the answer to this request, which then cost nothing; NULL where it is not the line of
 * a good answer, or memory is out. */
struct lm_reply *lm_recording_recall(const struct lm_request *request, const char *line);

/* The digest of a request. Returns out. */
char *lm_recording_digest(const struct lm_request *request, char out[LM_DIGEST_SIZE]);

/* The line for a reply, with its newline; yours to mem_free. */
char *lm_recording_line(const char *label, const char *digest, const struct lm_reply *reply,
                        struct err *err);

#endif
