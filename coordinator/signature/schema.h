/* schema.h - the JSON schema of a signature's answer.
 *
 * Made of the types that also name a field in the prompt and cast its answer, in the shape that
 * DSPy derives from the class that python_export writes: records under $defs, what may be absent as
 * one of its type and null, bounds of numbers and lists. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_SCHEMA_H
#define COORDINATOR_SIGNATURE_SCHEMA_H

#include <stdbool.h>

struct buf;
struct err;
struct json;
struct signature;
struct signature_field;

#define SCHEMA_NAME "DSPyProgramOutputs" /* what servers and DSPy know the whole answer by */

/* The whole answer: an object of all outputs, in order, none of them optional, nothing else beside
 * them. Yours to json_free. */
struct json *schema_answer(const struct signature *sig, struct err *err);

/* The same as compact text, for a request's response_format. Yours to mem_free. */
char *schema_answer_text(const struct signature *sig, struct err *err);

/* Whether an output takes any key (a dict): no schema that is strict can be sent then. */
bool schema_is_open(const struct signature *sig);

/* One field's schema for a prompt: on one line, "type" first, the other keys by name. */
int schema_add_note(struct buf *b, const struct signature_field *f, struct err *err);

#endif
