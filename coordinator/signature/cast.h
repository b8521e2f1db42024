/* cast.h - the text of a reply's field cast to the type of the field.
 *
 * For signatures whose types are Python's (value_type.h); answer.h does it for those with a record.
 * Text is read as DSPy and pydantic read it: JSON, then what Python writes, then the bare text; a
 * value is then taken if it is one of the type without loss: "3.0" and "1_000" are integers, "3.5"
 * is none, and neither is "3 items" or "3 %". Values come out as JSON text, an integer with all its
 * digits. What JSON cannot hold, inf and nan, is refused. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_CAST_H
#define COORDINATOR_SIGNATURE_CAST_H

#include <stdbool.h>
#include <stddef.h>

struct answer;
struct err;
struct notes;
struct signature;
struct signature_field;

/* One section (reply.h). *out: the value as JSON, yours to mem_free. ERR_MALFORMED names the field,
 * the text and what was wanted. Leniencies are noted. */
int cast_section(const struct signature_field *f, const char *section, bool is_json, char **out,
                 struct notes *notes, struct err *err);

/* The values of an answer, one for each output, in order. */
struct cast_values {
    char **json;
    size_t count;
};

/* All of them, or the first that fails. A field that is missing is null where its type takes null,
 * else an error. */
int cast_answer(const struct signature *sig, const struct answer *a, struct cast_values *out,
                struct notes *notes, struct err *err);
void cast_values_clear(struct cast_values *v); /* a zeroed one is fine */

#endif
