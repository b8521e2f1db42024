/* value.h - a field's value as it stands in a prompt.
 *
 * Values come as JSON text, so that a number is printed as it was written: 1.0 and 1 are two
 * things to a prompt. What comes out is what a DSPy program would show for the same value: a text
 * as it is, true as True, a list of texts under a text field as numbered blocks, anything that has
 * members as JSON with a blank after each comma and colon. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_VALUE_H
#define COORDINATOR_SIGNATURE_VALUE_H

#include <stdbool.h>

struct buf;
struct err;
struct signature_field;

/* Whether the field's type is text: what it holds is shown and taken as it stands. */
bool value_is_text(const struct signature_field *f);

/* Add the value. `json` is one JSON value as json_parse takes it; ERR_MALFORMED with the field's
 * name when it is not. */
int value_add(struct buf *b, const struct signature_field *f, const char *json, struct err *err);

/* Add the value as JSON: on one line, or with two blanks an indent from the second line on, where
 * `indent` (0 or more) is the depth that it stands at. */
#define VALUE_ONE_LINE (-1)
int value_add_json(struct buf *b, const char *name, const char *json, int indent, struct err *err);

/* Add the value as Python's str() shows it: a text as it is, else {'a': [1, True, None]}. */
int value_add_python(struct buf *b, const char *name, const char *json, struct err *err);

/* A text as a JSON string: only ", \ and control characters are escaped. */
void value_add_quoted(struct buf *b, const char *text);

/* A number as Python writes a float: 1.0, 1e-07, 0.30000000000000004. */
void value_add_float(struct buf *b, double value);

#endif
