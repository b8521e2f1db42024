/* signature.h - a typed contract for a language model: instructions, inputs, outputs.
 *
 * A signature is a value: once made it does not change, and whoever wants another derives one. Its
 * fields stand inputs first, then outputs, each in order of declaration, as DSPy's do. The two
 * forms of one name differ only in `row`: in the text form it is NULL for every field; in the typed
 * form an output's row is the field of the same name in the model's record (`typed`), so that the
 * prompt's note, the cast and the protobuf all come from that one declaration. A signature that was
 * made at run time has no record: its fields carry a `type` (value_type.h) or are text.
 *
 * Definitions are read by definition.h and kept by catalog.h. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_SIGNATURE_H
#define COORDINATOR_SIGNATURE_SIGNATURE_H

#include "common/model/enums.h" /* directions, roles, categories */

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct field;
struct record_type;
struct value_type;

#define SIGNATURE_FIELDS_MAX 64 /* inputs and outputs together; ours have at most 12 */

struct signature_field {
    char *name;
    char *description; /* NULL: none, which DSPy writes as ${name} */
    enum signature_direction direction;
    enum signature_role role;
    const struct field *row; /* its type in the model; NULL: `type` says */
    struct value_type *type; /* its type at run time; NULL: text */
    char *prefix;            /* the label a saved program carries; NULL: prefix_infer and ':' */
    char *constraints;       /* its bounds in words, as the list of fields says them; NULL: none */
    char *fallback;          /* an input's text when the caller gives none; NULL: none */
    unsigned order;          /* of declaration, over both directions; signature_put_field sets it */
};

struct signature {
    char *name;
    char *base; /* the signature it extends; NULL: none */
    char *instructions;
    enum signature_category category;
    struct signature_field *fields; /* inputs, then outputs */
    size_t inputs, outputs;
    unsigned declared; /* fields so far: the order of the last; 0 is before all, for reasoning */
    const struct record_type *typed; /* record of its typed outputs; NULL: it has no typed form */
    bool is_typed;                   /* this is that form */
    char *no_context; /* why it asks for no hardware or performance context; NULL: it does */
};

enum signature_derivation {
    SIGNATURE_TYPED = 1,            /* the typed form; refused where there is none */
    SIGNATURE_CHAIN_OF_THOUGHT = 2, /* `reasoning` becomes the first output */
};

/* The signature with these changes, an object of its own. */
struct signature *signature_derive(const struct signature *sig, unsigned derivations,
                                   struct err *err);
void signature_free(struct signature *sig); /* NULL is fine */

struct signature *signature_dup(const struct signature *sig, struct err *err);

/* NULL: no such field. */
const struct signature_field *signature_field(const struct signature *sig, const char *name);

/* The first output; its outputs follow it. NULL where there is no field at all. */
static inline const struct signature_field *signature_outputs(const struct signature *sig)
{
    return sig->fields ? sig->fields + sig->inputs : NULL;
}

/* What a field's type is called in a prompt: str, float, list[str], a record's own name. */
void signature_field_add_type(struct buf *b, const struct signature_field *f);

/* Whether the two say the same of their name: direction, type and description. */
bool signature_field_same(const struct signature_field *a, const struct signature_field *b);

/* For building (definition.c, and whoever composes one): an empty signature, and a field put into
 * it. A name that is there keeps its place in the order of declaration and takes the new direction,
 * description and role, as redeclaring does in DSPy. Refused: names that are no identifier, start
 * with `_`, or that DSPy or the markers need for themselves. */
struct signature *signature_new(const char *name, const char *instructions, struct err *err);
int signature_put_field(struct signature *sig, const struct signature_field *field,
                        struct err *err);
int signature_check_field_name(const char *name, struct err *err);

/* A signature's own name: a Python identifier, since it becomes a class there. */
int signature_check_name(const char *name, struct err *err);

#endif
