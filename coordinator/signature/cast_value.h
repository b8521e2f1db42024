/* cast_value.h - a value of JSON held against a type of Python; for cast.c. */
#ifndef COORDINATOR_SIGNATURE_CAST_VALUE_H
#define COORDINATOR_SIGNATURE_CAST_VALUE_H

#include "coordinator/signature/raw_json.h"

struct buf;
struct err;
struct json;
struct notes;
struct value_type;

/* Where values go, and what is said about them. */
struct cast {
    struct buf *out;
    struct notes *notes;
    struct err *err;
};

/* Add the value to out as JSON. t NULL: anything. `raw` is the value's own text, so that numbers
 * keep their digits; raw.text NULL: the tree is all there is. `path` goes before errors. */
int cast_value(struct cast *c, const struct value_type *t, const char *path, const struct json *v,
               struct raw_value raw);

#endif
