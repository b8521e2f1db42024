/* string_form.h - a signature as one line: "a, b: int -> c: float".
 *
 * Each side is a Python parameter list: types after a colon (value_type.h), str without one, a
 * comma too many at the end, line breaks, defaults (not used). Refused, where DSPy drops or mixes
 * fields in silence: one name with two types, and what stands after a `*`. */
#ifndef COORDINATOR_SIGNATURE_STRING_FORM_H
#define COORDINATOR_SIGNATURE_STRING_FORM_H

#include <stddef.h>

struct err;
struct signature;

#define STRING_FORM_NAME "StringSignature" /* what DSPy calls a signature without a name */
#define STRING_FORM_TEXT_MAX 16384         /* bytes: 64 fields with long types */

/* `name` NULL: STRING_FORM_NAME. Without instructions (NULL or "") it gets the default ones. A side
 * may be empty. */
struct signature *string_form_read(const char *name, const char *text, size_t len,
                                   const char *instructions, struct err *err);

/* The line that reads back to the same fields and types, yours to mem_free. Types that are records
 * of the model read as str. */
char *string_form_print(const struct signature *sig, struct err *err);

#endif
