/* compose.c - one field more or less, and inheritance. */
#include "coordinator/signature/compose.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/model/record.h"
#include "coordinator/signature/instructions.h"
#include "coordinator/signature/signature.h"

#include <string.h>

#define MEANING_SHOWN_MAX 90 /* bytes of one meaning in an error: two of them fit */

/* "input str \"the words that describe it\"" */
static void add_meaning(struct buf *b, const struct signature_field *f)
{
    buf_adds(b, f->direction == SIGNATURE_INPUT ? "input " : "output ");
    signature_field_add_type(b, f);
    if (f->description)
        buf_addf(b, " \"%s\"", f->description);
}

static int refuse_meaning(const char *where_a, const struct signature_field *a, const char *where_b,
                          const struct signature_field *b, struct err *err)
{
    struct buf x, y;

    buf_init(&x, TEXT_MAX);
    buf_init(&y, TEXT_MAX);
    add_meaning(&x, a);
    add_meaning(&y, b);
    err_set(err, ERR_EXISTS, "field %.64s has two meanings: in %.40s %.*s; in %.40s %.*s", a->name,
            where_a, MEANING_SHOWN_MAX, x.data ? x.data : "", where_b, MEANING_SHOWN_MAX,
            y.data ? y.data : "");
    buf_clear(&x);
    buf_clear(&y);
    return -1;
}

/* A signature with the name, instructions and all else of `sig`, but no field. */
static struct signature *without_fields(const struct signature *sig, struct err *err)
{
    struct signature *dup = signature_dup(sig, err), *made;

    if (!dup)
        return NULL;
    if ((made = signature_new(sig->name, sig->instructions, err))) {
        made->category = sig->category;
        made->typed = sig->typed;
        made->is_typed = sig->is_typed;
        made->base = dup->base;
        dup->base = NULL;
        made->no_context = dup->no_context;
        dup->no_context = NULL;
    }
    signature_free(dup);
    return made;
}

/* Where an index points in a section of `len`; -1 with err. */
static long place_of(long index, size_t len, const struct signature_field *f, struct err *err)
{
    long count = (long)len, place = index < 0 ? count + 1 + index : index;

    if (place >= 0 && place <= count)
        return place;
    return err_set(err, ERR_INVALID, "field %.64s: index %ld, wanted %ld to %ld for its %s",
                   f->name, index, -count - 1, count,
                   f->direction == SIGNATURE_INPUT ? "inputs" : "outputs");
}

struct signature *signature_insert(const struct signature *sig, long index,
                                   const struct signature_field *f, struct err *err)
{
    bool input = f->direction == SIGNATURE_INPUT;
    const struct signature_field *old;
    struct signature *made;
    size_t before;
    long place;

    if (signature_check_field_name(f->name, err) < 0)
        return NULL;
    if ((place = place_of(index, input ? sig->inputs : sig->outputs, f, err)) < 0)
        return NULL;
    if ((old = signature_field(sig, f->name))) {
        if (signature_field_same(old, f))
            return signature_dup(sig, err);
        refuse_meaning(sig->name, old, "what is added", f, err);
        return NULL;
    }
    if (!input && sig->is_typed && !f->row) {
        err_set(err, ERR_UNSUPPORTED,
                "output %.64s: the typed form of %.80s takes only fields of %s", f->name, sig->name,
                sig->typed->name);
        return NULL;
    }
    if (!(made = without_fields(sig, err)))
        return NULL;
    if (!input && !sig->is_typed)
        made->typed = NULL; /* an output more than its record has */
    before = (size_t)place + (input ? 0 : sig->inputs);
    for (size_t i = 0; i <= sig->inputs + sig->outputs; i++)
        if ((i == before && signature_put_field(made, f, err) < 0) ||
            (i < sig->inputs + sig->outputs &&
             signature_put_field(made, &sig->fields[i], err) < 0)) {
            signature_free(made);
            return NULL;
        }
    return made;
}

struct signature *signature_append(const struct signature *sig, const struct signature_field *f,
                                   struct err *err)
{
    return signature_insert(sig, -1, f, err);
}

struct signature *signature_prepend(const struct signature *sig, const struct signature_field *f,
                                    struct err *err)
{
    return signature_insert(sig, 0, f, err);
}

struct signature *signature_delete(const struct signature *sig, const char *name, struct err *err)
{
    struct signature *made;

    if (!signature_field(sig, name))
        return signature_dup(sig, err);
    if (!(made = without_fields(sig, err)))
        return NULL;
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        if (strcmp(sig->fields[i].name, name) != 0 &&
            signature_put_field(made, &sig->fields[i], err) < 0) {
            signature_free(made);
            return NULL;
        }
    return made;
}

struct signature *signature_append_instructions(const struct signature *sig, const char *text,
                                                struct err *err)
{
    struct signature *made = signature_dup(sig, err);
    struct buf b;
    char *joined;

    if (!made)
        return NULL;
    buf_init(&b, TEXT_MAX);
    buf_addf(&b, "%s%s%s", sig->instructions, *sig->instructions ? "\n\n" : "", text);
    if (!(joined = buf_take(&b, NULL, err)) || instructions_set(made, joined, err) < 0) {
        signature_free(made);
        made = NULL;
    }
    mem_free(joined);
    return made;
}

/* ---- inheritance ---- */

/* The field of `sig` declared next after `order`; NULL after the last. */
static const struct signature_field *declared_after(const struct signature *sig, long order)
{
    const struct signature_field *next = NULL;

    for (size_t i = 0; i < sig->inputs + sig->outputs; i++) {
        const struct signature_field *f = &sig->fields[i];

        if ((long)f->order > order && (!next || f->order < next->order))
            next = f;
    }
    return next;
}

/* The base among the first `count` that has the field. */
static const struct signature *who_has(const struct signature *const *bases, size_t count,
                                       const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (signature_field(bases[i], name))
            return bases[i];
    return NULL;
}

/* From the last base to the first, as a Python class collects them. */
static int take_bases(struct signature *made, const struct signature *const *bases, size_t count,
                      struct err *err)
{
    for (size_t i = count; i-- > 0;) {
        const struct signature_field *f = declared_after(bases[i], -1);

        for (; f; f = declared_after(bases[i], (long)f->order)) {
            const struct signature_field *old = signature_field(made, f->name);

            if (old && !signature_field_same(old, f)) {
                const struct signature *other = who_has(bases + i + 1, count - i - 1, f->name);

                return refuse_meaning(bases[i]->name, f, other ? other->name : "another base", old,
                                      err);
            }
            if (!old && signature_put_field(made, f, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int take_own(struct signature *made, const struct signature *const *bases,
                    size_t bases_count, const struct signature_field *own, size_t count,
                    struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct signature_field *old = NULL;
        const struct signature *base;

        if (signature_check_field_name(own[i].name, err) < 0)
            return -1;
        if ((old = signature_field(made, own[i].name)) && !signature_field_same(old, &own[i])) {
            base = who_has(bases, bases_count, own[i].name);
            return refuse_meaning(base ? base->name : made->name, old, made->name, &own[i], err);
        }
        if (!old && signature_put_field(made, &own[i], err) < 0)
            return -1;
    }
    return 0;
}

struct signature *signature_extend(const char *name, const struct signature *const *bases,
                                   size_t bases_count, const struct signature_field *own,
                                   size_t own_count, const char *instructions, struct err *err)
{
    struct signature *made;

    if (signature_check_name(name, err) < 0)
        return NULL;
    if (bases_count > COMPOSE_BASES_MAX) {
        err_set(err, ERR_TOO_BIG, "signature %.80s: %zu bases, limit %d", name, bases_count,
                COMPOSE_BASES_MAX);
        return NULL;
    }
    if (!(made = signature_new(name, "", err)))
        return NULL;
    if (take_bases(made, bases, bases_count, err) < 0 ||
        take_own(made, bases, bases_count, own, own_count, err) < 0)
        goto fail;
    if (!instructions && bases_count)
        instructions = bases[bases_count - 1]->instructions;
    if (instructions_set(made, instructions, err) < 0)
        goto fail;
    if (bases_count) {
        made->category = bases[0]->category;
        if (!(made->base = mem_strdup(bases[0]->name)) ||
            (bases[0]->no_context && !(made->no_context = mem_strdup(bases[0]->no_context)))) {
            err_set(err, ERR_NOMEM, "signature %.80s", name);
            goto fail;
        }
    }
    return made;
fail:
    signature_free(made);
    return NULL;
}
