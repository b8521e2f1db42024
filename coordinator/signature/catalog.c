/* catalog.c - definitions, built in and a user's, read into a map. */
#include "coordinator/signature/catalog.h"

#include "common/core/embed.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/definition.h"
#include "coordinator/signature/lint.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern const struct embedded_file signature_definitions[];
extern const size_t signature_definitions_count;

struct catalog {
    struct map *by_name; /* struct signature * */
};

static void free_signature(void *value)
{
    signature_free(value);
}

void catalog_free(struct catalog *c)
{
    if (!c)
        return;
    map_free(c->by_name, free_signature);
    mem_free(c);
}

static const struct signature *find_base(void *arg, const char *name)
{
    return catalog_find(arg, name);
}

int catalog_add(struct catalog *c, const char *file, const char *text, size_t len, struct err *err)
{
    struct signature *sig = definition_read(file, text, len, find_base, c, err);
    int rc;

    if (!sig)
        return -1;
    if (lint_context(sig, err) < 0)
        rc = err_prefix(err, "%s", file);
    else if (map_get(c->by_name, sig->name))
        rc = err_set(err, ERR_EXISTS, "%s: there is a signature %s already", file, sig->name);
    else if (map_is_full(c->by_name))
        rc = err_set(err, ERR_TOO_BIG, "%s: more than %d signatures", file, CATALOG_MAX);
    else if ((rc = map_put(c->by_name, sig->name, sig, NULL)) < 0)
        err_set(err, ERR_NOMEM, "%s", file);
    if (rc < 0)
        signature_free(sig);
    return rc;
}

/* In rounds, since a base may stand after what extends it: each round adds one at least. `added`
 * has a flag for each file. */
static int add_all(struct catalog *c, const struct catalog_file *files, size_t count, bool *added,
                   struct err *err)
{
    size_t left = count;

    while (left) {
        size_t before = left;
        struct err why = {0}, first = {0};

        for (size_t i = 0; i < count; i++) {
            if (added[i])
                continue;
            if (catalog_add(c, files[i].file, files[i].text, files[i].len, &why) == 0) {
                added[i] = true;
                left--;
            } else if (why.code != ERR_NOT_FOUND) {
                return err_set(err, why.code, "%s", why.text);
            } else if (first.code == ERR_NONE) {
                first = why;
            }
        }
        if (left == before)
            return err_set(err, first.code, "%s", first.text);
    }
    return 0;
}

/* The place of the built-in definition that a file is named after inside; count when none is. */
static size_t replaced_by(const struct catalog_file *f)
{
    struct json *root = f->len <= DEFINITION_TEXT_MAX ? json_parse(f->text, f->len, NULL) : NULL;
    const char *name = json_text(json_member(root, "name"));
    size_t i = 0;

    for (; name && i < signature_definitions_count; i++)
        if (strncmp(signature_definitions[i].name, name, strlen(name)) == 0 &&
            strcmp(signature_definitions[i].name + strlen(name), ".json") == 0)
            break;
    i = name ? i : signature_definitions_count;
    json_free(root);
    return i;
}

static int check_same_field(const struct signature_field *ours,
                            const struct signature_field *theirs, const char *name, struct err *err)
{
    if (strcmp(ours->name, theirs->name) != 0)
        return err_set(err, ERR_INVALID,
                       "%s: field %.64s stands where %.64s must: words may change, "
                       "names may not",
                       name, theirs->name, ours->name);
    if (ours->direction != theirs->direction || !value_type_equal(ours->type, theirs->type))
        return err_set(err, ERR_INVALID,
                       "%s: field %.64s has another direction or type: only words may change", name,
                       theirs->name);
    return 0;
}

static int check_same(const struct signature *ours, const struct signature *theirs, struct err *err)
{
    const char *base = ours->base ? ours->base : "none";
    const char *other = theirs->base ? theirs->base : "none";

    if (strcmp(base, other) != 0)
        return err_set(err, ERR_INVALID, "%s: base %.80s, must be %s", ours->name, other, base);
    if (ours->typed != theirs->typed)
        return err_set(err, ERR_INVALID, "%s: typed must be as built in", ours->name);
    if (ours->inputs != theirs->inputs || ours->outputs != theirs->outputs)
        return err_set(err, ERR_INVALID, "%s: %zu inputs and %zu outputs, must be %zu and %zu",
                       ours->name, theirs->inputs, theirs->outputs, ours->inputs, ours->outputs);
    for (size_t i = 0; i < ours->inputs + ours->outputs; i++)
        if (check_same_field(&ours->fields[i], &theirs->fields[i], ours->name, err) < 0)
            return -1;
    return 0;
}

static struct catalog *catalog_of(const struct catalog_file *files, size_t count, struct err *err)
{
    struct catalog *c = mem_zalloc(sizeof *c);
    bool *added = mem_calloc(count, sizeof *added);

    if (!c || !added || !(c->by_name = map_new(CATALOG_MAX)))
        err_set(err, ERR_NOMEM, "catalog of signatures");
    else if (add_all(c, files, count, added, err) == 0) {
        mem_free(added);
        return c;
    }
    mem_free(added);
    catalog_free(c);
    return NULL;
}

/* A user's words for a built-in signature: nothing else may differ from what `original` has. */
static int check_replacement(const struct catalog *original, const struct catalog_file *f,
                             struct err *err)
{
    struct signature *theirs =
        definition_read(f->file, f->text, f->len, find_base, (void *)original, err);
    int rc = -1;

    if (!theirs)
        return -1;
    if (check_same(catalog_find(original, theirs->name), theirs, err) < 0)
        err_prefix(err, "%s", f->file);
    else
        rc = 0;
    signature_free(theirs);
    return rc;
}

/* The built-in files, with the user's in the place of those they replace and after them. *total is
 * how many there are. */
static int merge_files(struct catalog_file *all, size_t *total, const struct catalog *original,
                       const struct catalog_file *files, size_t count, struct err *err)
{
    size_t builtin = signature_definitions_count;

    *total = builtin;
    for (size_t i = 0; i < builtin; i++)
        all[i] = (struct catalog_file){signature_definitions[i].name,
                                       (const char *)signature_definitions[i].data,
                                       signature_definitions[i].len};
    for (size_t i = 0; i < count; i++) {
        size_t at = replaced_by(&files[i]);

        if (at == builtin) {
            all[(*total)++] = files[i];
            continue;
        }
        if (all[at].text != (const char *)signature_definitions[at].data)
            return err_set(err, ERR_EXISTS, "%.100s and %.100s both define %s", all[at].file,
                           files[i].file, signature_definitions[at].name);
        if (check_replacement(original, &files[i], err) < 0)
            return -1;
        all[at] = files[i];
    }
    return 0;
}

struct catalog *catalog_new_with(const struct catalog_file *files, size_t count, struct err *err)
{
    struct catalog *c = NULL, *original = count ? catalog_new_with(NULL, 0, err) : NULL;
    struct catalog_file *all;
    size_t total;

    if (count && !original)
        return NULL;
    if (!(all = mem_calloc(signature_definitions_count + count, sizeof *all)))
        err_set(err, ERR_NOMEM, "catalog of signatures");
    else if (merge_files(all, &total, original, files, count, err) == 0)
        c = catalog_of(all, total, err);
    mem_free(all);
    catalog_free(original);
    return c;
}

struct catalog *catalog_new(struct err *err)
{
    return catalog_new_with(NULL, 0, err);
}

const struct signature *catalog_find(const struct catalog *c, const char *name)
{
    char full[NAME_TEXT_MAX + sizeof "Signature"];
    const struct signature *sig;

    if (!c || !name || strlen(name) > NAME_TEXT_MAX)
        return NULL;
    if ((sig = map_get(c->by_name, name)))
        return sig;
    snprintf(full, sizeof full, "%sSignature", name);
    return map_get(c->by_name, full);
}

const struct signature *catalog_next(const struct catalog *c, size_t *cursor)
{
    const struct map_entry *e = c ? map_next(c->by_name, cursor) : NULL;

    return e ? e->value : NULL;
}
