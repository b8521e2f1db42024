/* instructions.h - a signature's instructions: tidied as Python tidies a docstring, or made from
 * the names of its fields. */
#ifndef COORDINATOR_SIGNATURE_INSTRUCTIONS_H
#define COORDINATOR_SIGNATURE_INSTRUCTIONS_H

#include <stddef.h>

struct err;
struct signature;

/* Tabs become blanks, the indentation that all lines but the first share goes, and so do empty
 * lines at both ends. At most TEXT_MAX bytes; yours to mem_free. */
char *instructions_clean(const char *text, size_t len, struct err *err);

/* What a signature without instructions says: which fields are given, and which to produce. Yours.
 */
char *instructions_default(const struct signature *sig, struct err *err);

/* Give the signature these (cleaned), or the default ones for NULL. On failure it is as it was. */
int instructions_set(struct signature *sig, const char *text, struct err *err);

#endif
