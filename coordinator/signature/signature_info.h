/* signature_info.h - a signature as the protocol says it, and as its data file does. */
#ifndef COORDINATOR_SIGNATURE_SIGNATURE_INFO_H
#define COORDINATOR_SIGNATURE_SIGNATURE_INFO_H

#include <stddef.h>

struct err;
struct signature;
struct signature_field;
struct signature_field_info;
struct signature_info;

/* A record of its own; types by the names a prompt has for them in the typed form, else as Python
 * spells them. */
struct signature_info *signature_info_of(const struct signature *sig, struct err *err);

/* The signature that somebody describes. It must have an input and an output, and either hardware
 * and performance context or a reason for having none; the typed form of a record is not made this
 * way (ERR_UNSUPPORTED). */
struct signature *signature_from_info(const struct signature_info *info, struct err *err);

/* One field; signature_field_clear frees it. `where` goes before the error. */
int signature_field_read(const struct signature_field_info *info, const char *where,
                         struct signature_field *out, struct err *err);
void signature_field_clear(struct signature_field *f);

/* A definition (definition.h) that reads back to the same signature, without a base: its fields are
 * all there. Yours to mem_free. */
char *signature_definition_print(const struct signature *sig, struct err *err);

#endif
