/* definition.h - one signature's data file, read.
 *
 *     {
 *       "name": "FederatedLearningSignature",
 *       "base": "AppleSiliconOptimizedSignature",
 *       "category": "training",
 *       "instructions": "...",
 *       "typed": "FederatedProposal",
 *       "fields": [{"name": "...", "direction": "input", "role": "hardware", "description": "..."}]
 *     }
 *
 * base, typed and a field's role and description may be absent; unknown keys are refused by name.
 * Without instructions the base's are inherited. `typed` names a record of the model that has a
 * field for every output, inherited ones too; it is not inherited, since whoever adds an output
 * needs another record. A signature without a record may give its fields a "type" as Python spells
 * it (value_type.h), and its inputs a "default"; what bounds a field may stand in words in its
 * "constraints" ("greater than or equal to: 1"), for the prompt alone. One that asks for no
 * hardware or performance context says why in "no_context". A field of the base may get other
 * words, but no other direction or type: its name would mean two things. */
#ifndef COORDINATOR_SIGNATURE_DEFINITION_H
#define COORDINATOR_SIGNATURE_DEFINITION_H

#include <stddef.h>

struct err;
struct signature;

#define DEFINITION_TEXT_MAX (256 * 1024) /* bytes of one file: ours have 2000 */

/* The signature called `name` that a definition may extend; NULL: there is none. */
typedef const struct signature *definition_base_fn(void *arg, const char *name);

/* NULL with the reason; `file` goes before it. */
struct signature *definition_read(const char *file, const char *text, size_t len,
                                  definition_base_fn *find_base, void *arg, struct err *err);

#endif
