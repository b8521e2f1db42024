/* catalog.c - the built-in definitions, read into a map. */
#include "coordinator/signature/catalog.h"

#include "common/core/embed.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "coordinator/signature/definition.h"
#include "coordinator/signature/signature.h"

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
    if (map_get(c->by_name, sig->name))
        rc = err_set(err, ERR_EXISTS, "%s: there is a signature %s already", file, sig->name);
    else if (map_is_full(c->by_name))
        rc = err_set(err, ERR_TOO_BIG, "%s: more than %d signatures", file, CATALOG_MAX);
    else if ((rc = map_put(c->by_name, sig->name, sig, NULL)) < 0)
        err_set(err, ERR_NOMEM, "%s", file);
    if (rc < 0)
        signature_free(sig);
    return rc;
}

/* In rounds, since a base may stand after what extends it: each round adds one at least. */
static int add_builtin(struct catalog *c, struct err *err)
{
    size_t added = 0;

    while (added < signature_definitions_count) {
        size_t before = added;

        added = 0;
        for (size_t i = 0; i < signature_definitions_count; i++) {
            const struct embedded_file *f = &signature_definitions[i];
            struct err why = {0};

            if (catalog_add(c, f->name, (const char *)f->data, f->len, &why) == 0 ||
                why.code == ERR_EXISTS) {
                added++;
            } else if (why.code != ERR_NOT_FOUND) {
                return err_set(err, why.code, "%s", why.text);
            }
        }
        if (added == before)
            return err_set(err, ERR_INTERNAL, "a built-in signature lacks its base");
    }
    return 0;
}

struct catalog *catalog_new(struct err *err)
{
    struct catalog *c = mem_zalloc(sizeof *c);

    if (!c || !(c->by_name = map_new(CATALOG_MAX))) {
        err_set(err, ERR_NOMEM, "catalog of signatures");
        catalog_free(c);
        return NULL;
    }
    if (add_builtin(c, err) < 0) {
        catalog_free(c);
        return NULL;
    }
    return c;
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
