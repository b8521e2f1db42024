/* prefix.h - the label that DSPy makes of a field's name: `lora_config` is "Lora Config".
 *
 * No adapter of today prints it, but saved programs carry it beside each description, and it is the
 * only trace there of which field was meant. */
#ifndef COORDINATOR_SIGNATURE_PREFIX_H
#define COORDINATOR_SIGNATURE_PREFIX_H

#include <stdbool.h>

struct err;
struct signature_field;

/* The words of a name, each with a capital: "HTMLParser" is "HTML Parser", "text2number" is
 * "Text 2 Number". Letters beyond ASCII stay as they are. Yours to mem_free. */
char *prefix_infer(const char *name, struct err *err);

/* What a saved program holds for the field: its own prefix, or the inferred one and ':'. Yours. */
char *prefix_of(const struct signature_field *f, struct err *err);

/* Whether a prefix is the one that the name alone gives. */
bool prefix_is_inferred(const char *name, const char *prefix);

#endif
