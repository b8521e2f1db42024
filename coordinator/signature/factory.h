/* factory.h - a signature for a domain: computer vision, speech, whatever has no file of its own.
 *
 * From a domain, the hardware at hand and fields of the caller's own comes
 * `<Domain>OptimizationSignature`. The hardware becomes the default of the input
 * hardware_constraints, so that it is in every prompt until a caller says otherwise; it changes no
 * description, so two fleets share one contract and its optimised prompts. The caller's fields are
 * outputs, after the built-in ones; one that has the name of another is refused. */
#ifndef COORDINATOR_SIGNATURE_FACTORY_H
#define COORDINATOR_SIGNATURE_FACTORY_H

#include <stddef.h>

struct err;
struct json;
struct signature;

#define FACTORY_DOMAIN_MAX 64 /* bytes: the class name holds it twice over */

struct factory_field {
    const char *name;
    const char *description; /* NULL: none */
    const char *type;        /* as value_type_read takes it; NULL: text */
};

/* `hardware`: an object of facts ({"device": "M2_Max", "memory": "64GB"}); NULL or empty: the
 * caller of the signature gives the input himself. The domain is letters, digits and _. */
struct signature *factory_make(const char *domain, const struct json *hardware,
                               const struct factory_field *fields, size_t count, struct err *err);

#endif
