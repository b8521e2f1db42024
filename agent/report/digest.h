/* digest.h - one number for all known fields of a record, in all depth. For noticing change only.
 */
#ifndef AGENT_REPORT_DIGEST_H
#define AGENT_REPORT_DIGEST_H

#include <stdint.h>

struct record_type;

/* Equal records have equal digests, on every machine. */
uint64_t record_digest(const struct record_type *type, const void *record);

#endif
