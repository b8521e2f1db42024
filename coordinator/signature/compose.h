/* compose.h - signatures made from signatures.
 *
 * Every call gives a signature of its own and leaves its arguments as they are. Places are DSPy's:
 * an index counts within the field's own section, inputs or outputs, and a negative one counts from
 * the end, -1 being after the last. What differs on purpose: a name that is there already with
 * another direction, type or description is refused, naming both, where DSPy keeps one of the two
 * in silence; the same field again keeps its slot. */
#ifndef COORDINATOR_SIGNATURE_COMPOSE_H
#define COORDINATOR_SIGNATURE_COMPOSE_H

#include <stddef.h>

struct err;
struct signature;
struct signature_field;

#define COMPOSE_BASES_MAX 16

struct signature *signature_append(const struct signature *sig, const struct signature_field *f,
                                   struct err *err);
struct signature *signature_prepend(const struct signature *sig, const struct signature_field *f,
                                    struct err *err);
struct signature *signature_insert(const struct signature *sig, long index,
                                   const struct signature_field *f, struct err *err);

/* Without the field; a name that is not there changes nothing. */
struct signature *signature_delete(const struct signature *sig, const char *name, struct err *err);

/* More instructions, after a blank line. */
struct signature *signature_append_instructions(const struct signature *sig, const char *text,
                                                struct err *err);

/* A new signature with the fields of its bases, then its own; the order, and the instructions where
 * `instructions` is NULL, are those of a Python class: the last base's come first. Category, and
 * what it says of its missing context, are the first base's. Several bases may share a field that
 * says the same in each. */
struct signature *signature_extend(const char *name, const struct signature *const *bases,
                                   size_t bases_count, const struct signature_field *own,
                                   size_t own_count, const char *instructions, struct err *err);

#endif
