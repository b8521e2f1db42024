/* datum_json.h - the protocol's Value as JSON text, and back.
 *
 * Integers and other numbers stay two things: 1 is an integer, 1.0 a number, and each is printed as
 * what it is, as prompts and saved programs need it. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_DATUM_JSON_H
#define COORDINATOR_SIGNATURE_DATUM_JSON_H

#include <stddef.h>

struct datum;
struct err;
struct named_datum;

/* How deep lists and maps nest. With what is around it on the wire this stays below the wire's own
 * limit, and below JSON_DEPTH_MAX. */
#define VALUE_DEPTH_MAX 32

/* One JSON value into *out, which must be as after record_init; record_clear frees it, also when
 * this failed. */
int datum_read(const char *text, size_t len, struct datum *out, struct err *err);

/* The members of a JSON object by name, yours to free with named_data_free; `what` goes before the
 * error. */
int named_data_read(const char *what, const char *text, size_t len, struct named_datum **out,
                    size_t *count, struct err *err);
void named_data_free(struct named_datum *data, size_t count);

/* Compact JSON, yours to mem_free. Refused, naming `what`: a form without its value, nesting, a
 * name that stands twice. */
char *datum_print(const char *what, const struct datum *d, struct err *err);

/* The same for an object of these members. */
char *named_data_print(const char *what, const struct named_datum *data, size_t count,
                       struct err *err);

#endif
