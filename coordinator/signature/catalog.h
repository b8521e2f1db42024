/* catalog.h - the signatures there are, by name.
 *
 * The built-in ones (definitions/NAME.json) are part of the program and are read when the catalog
 * is made, bases before what extends them. Files of a user's own add more. One that has the name of
 * a built-in one takes its place, and may change words: instructions, descriptions, roles,
 * category. Its base, its fields, their order, directions and types must be the same, since plans,
 * saved programs and other signatures rest on those. A catalog belongs to one thread; what it lends
 * is good until it is freed.
 *
 *     struct catalog *c = catalog_new(err);
 *     const struct signature *sig = catalog_find(c, "FederatedLearningSignature");
 *     struct signature *asked = signature_derive(sig, SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT,
 * err);
 */
#ifndef COORDINATOR_SIGNATURE_CATALOG_H
#define COORDINATOR_SIGNATURE_CATALOG_H

#include <stddef.h>

struct err;
struct catalog;
struct signature;

#define CATALOG_MAX 1000 /* signatures; a user's own included */

/* One definition as text; `file` goes before errors. Borrowed. */
struct catalog_file {
    const char *file;
    const char *text;
    size_t len;
};

struct catalog *catalog_new(struct err *err);
/* With a user's files, in any order. */
struct catalog *catalog_new_with(const struct catalog_file *files, size_t count, struct err *err);
/* With every NAME.json of a folder; the one call here that reads files. */
struct catalog *catalog_new_from_folder(const char *folder, struct err *err);
void catalog_free(struct catalog *c); /* NULL is fine */

/* Read one more definition; its base must be there. A name that is there is refused (ERR_EXISTS),
 * and so is a signature that has neither hardware and performance context nor a reason. */
int catalog_add(struct catalog *c, const char *file, const char *text, size_t len, struct err *err);

/* By its name, or its name without "Signature" at the end; NULL: none. */
const struct signature *catalog_find(const struct catalog *c, const char *name);

/* Start with *cursor = 0, until NULL. */
const struct signature *catalog_next(const struct catalog *c, size_t *cursor);

#endif
