/* definition.c - the reader of a signature's data file. */
#include "coordinator/signature/definition.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/json/json_pick.h"
#include "common/model/proposal.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <stdio.h>
#include <string.h>

/* The records that typed outputs may be read into. */
static const struct record_type *const typed_records[] = {
    &federated_proposal_type, &pipeline_proposal_type, &lora_proposal_type,
    &diffusion_proposal_type};

static const struct record_type *typed_record(const char *name)
{
    for (size_t i = 0; i < sizeof typed_records / sizeof typed_records[0]; i++)
        if (strcmp(typed_records[i]->name, name) == 0)
            return typed_records[i];
    return NULL;
}

static int pick_word(const struct json *object, const char *where, const char *name,
                     const struct enum_names *words, int *out, struct err *err)
{
    char path[NAME_TEXT_MAX];
    const char *word = NULL;

    if (json_may_text(object, where, name, NAME_TEXT_MAX, &word, err) < 0)
        return -1;
    snprintf(path, sizeof path, "%s%s%s", where, *where ? "." : "", name);
    return word ? enum_parse(words, word, out, path, err) : 0;
}

static int text_dup(char **out, const char *text)
{
    *out = text ? mem_strdup(text) : NULL;
    return text && !*out ? -1 : 0;
}

/* The strings of the file become those of a field, which is put into sig. */
static int put_field(struct signature *sig, const char *const texts[5], struct signature_field f,
                     const char *where, struct err *err)
{
    const struct signature_field *old;
    int rc = -1;

    if (text_dup(&f.name, texts[0]) + text_dup(&f.description, texts[1]) +
            text_dup(&f.fallback, texts[3]) + text_dup(&f.constraints, texts[4]) <
        0) {
        err_set(err, ERR_NOMEM, "%s", where);
        goto out;
    }
    if (texts[2] && !(f.type = value_type_read(texts[2], strlen(texts[2]), err))) {
        err_prefix(err, "%s", where);
        goto out;
    }
    old = signature_field(sig, f.name);
    if (old && (old->direction != f.direction || !value_type_equal(old->type, f.type)))
        err_set(err, ERR_EXISTS, "%s: %.64s has another %s in the base, %.80s", where, f.name,
                old->direction == f.direction ? "type" : "direction", sig->base);
    else
        rc = signature_put_field(sig, &f, err);
out:
    mem_free(f.name);
    mem_free(f.description);
    mem_free(f.fallback);
    mem_free(f.constraints);
    value_type_free(f.type);
    return rc;
}

static int read_field(struct signature *sig, const struct json *item, const char *where,
                      struct err *err)
{
    static const char *const names[] = {"name", "direction", "role",        "description",
                                        "type", "default",   "constraints", NULL};
    const char *texts[5] = {NULL}; /* name, description, type, default, constraints */
    int direction = 0, role = SIGNATURE_ROLE_OTHER;
    struct signature_field f = {0};

    if (json_only(item, where, names, err) < 0 ||
        json_want_text(item, where, "name", ID_TEXT_MAX, &texts[0], err) < 0 ||
        pick_word(item, where, "direction", &signature_direction_names, &direction, err) < 0 ||
        pick_word(item, where, "role", &signature_role_names, &role, err) < 0 ||
        json_may_text(item, where, "description", TEXT_MAX, &texts[1], err) < 0 ||
        json_may_text(item, where, "type", VALUE_TYPE_TEXT_MAX, &texts[2], err) < 0 ||
        json_may_text(item, where, "default", TEXT_MAX, &texts[3], err) < 0 ||
        json_may_text(item, where, "constraints", TEXT_MAX, &texts[4], err) < 0)
        return -1;
    if (direction == 0)
        return err_set(err, ERR_INVALID, "%s.direction: missing, wanted input or output", where);
    if (texts[3] && direction == SIGNATURE_OUTPUT)
        return err_set(err, ERR_INVALID, "%s.default: an output has none", where);
    f.direction = (enum signature_direction)direction;
    f.role = (enum signature_role)role;
    return put_field(sig, texts, f, where, err);
}

/* Two fields of one name in one file are a slip of its author, not a redeclaration. */
static int check_repeated(const struct json *fields, struct err *err)
{
    for (const struct json *a = json_first(fields); a; a = json_next(a)) {
        const char *name = json_text(json_member(a, "name"));

        for (const struct json *b = json_next(a); name && b; b = json_next(b)) {
            const char *other = json_text(json_member(b, "name"));

            if (other && strcmp(name, other) == 0)
                return err_set(err, ERR_INVALID, "fields: %.80s stands there twice", name);
        }
    }
    return 0;
}

static int read_fields(struct signature *sig, const struct json *root, struct err *err)
{
    const struct json *fields = NULL;
    char where[32];
    size_t i = 0;

    if (json_want_array(root, "", "fields", SIGNATURE_FIELDS_MAX, &fields, err) < 0 ||
        check_repeated(fields, err) < 0)
        return -1;
    for (const struct json *item = json_first(fields); item; item = json_next(item), i++) {
        snprintf(where, sizeof where, "fields[%zu]", i);
        if (read_field(sig, item, where, err) < 0)
            return -1;
    }
    if (sig->inputs == 0 || sig->outputs == 0)
        return err_set(err, ERR_INVALID, "fields: %zu inputs and %zu outputs, wanted one of each",
                       sig->inputs, sig->outputs);
    return 0;
}

static int take_base(struct signature *sig, const struct signature *base, struct err *err)
{
    sig->category = base->category;
    for (size_t i = 0; i < base->inputs + base->outputs; i++)
        if (signature_put_field(sig, &base->fields[i], err) < 0)
            return -1;
    if (text_dup(&sig->base, base->name) < 0 || text_dup(&sig->no_context, base->no_context) < 0)
        return err_set(err, ERR_NOMEM, "base");
    return 0;
}

static int set_reason(struct signature *sig, const char *why, struct err *err)
{
    char *copy;

    if (!*why)
        return err_set(err, ERR_INVALID, "no_context: empty, wanted the reason");
    if (!(copy = mem_strdup(why)))
        return err_set(err, ERR_NOMEM, "no_context");
    mem_free(sig->no_context);
    sig->no_context = copy;
    return 0;
}

static int set_typed(struct signature *sig, const char *record, struct err *err)
{
    struct signature *probe;

    if (!(sig->typed = typed_record(record)))
        return err_set(err, ERR_INVALID, "typed: \"%.80s\" is no record that an answer can fill",
                       record);
    for (size_t i = sig->inputs; i < sig->inputs + sig->outputs; i++)
        if (sig->fields[i].type)
            return err_set(err, ERR_INVALID, "typed: %.64s has a type already",
                           sig->fields[i].name);
    probe = signature_derive(sig, SIGNATURE_TYPED, err); /* names the output that has no field */
    signature_free(probe);
    return probe ? 0 : -1;
}

static struct signature *read_root(const struct json *root, definition_base_fn *find_base,
                                   void *arg, struct err *err)
{
    static const char *const names[] = {"name",  "base",   "category",   "instructions",
                                        "typed", "fields", "no_context", NULL};
    const char *name = NULL, *base_name = NULL, *instructions = NULL, *typed = NULL, *why = NULL;
    const struct signature *base = NULL;
    struct signature *sig = NULL;
    int category = 0;

    if (json_only(root, "", names, err) < 0 ||
        json_want_text(root, "", "name", NAME_TEXT_MAX, &name, err) < 0 ||
        json_may_text(root, "", "base", NAME_TEXT_MAX, &base_name, err) < 0 ||
        pick_word(root, "", "category", &signature_category_names, &category, err) < 0 ||
        json_may_text(root, "", "instructions", TEXT_MAX, &instructions, err) < 0 ||
        json_may_text(root, "", "typed", NAME_TEXT_MAX, &typed, err) < 0 ||
        json_may_text(root, "", "no_context", REASON_TEXT_MAX, &why, err) < 0)
        return NULL;
    if (!*name) {
        err_set(err, ERR_INVALID, "name: empty");
        return NULL;
    }
    if (base_name && !(base = find_base ? find_base(arg, base_name) : NULL)) {
        err_set(err, ERR_NOT_FOUND, "base: there is no signature \"%.80s\"", base_name);
        return NULL;
    }
    if (!instructions && !base) {
        err_set(err, ERR_INVALID, "instructions: missing, and there is no base to have them from");
        return NULL;
    }
    sig = signature_new(name, instructions ? instructions : base->instructions, err);
    if (!sig || (base && take_base(sig, base, err) < 0) || read_fields(sig, root, err) < 0 ||
        (typed && set_typed(sig, typed, err) < 0)) {
        signature_free(sig);
        return NULL;
    }
    if (why && set_reason(sig, why, err) < 0) {
        signature_free(sig);
        return NULL;
    }
    if (category)
        sig->category = (enum signature_category)category;
    return sig;
}

struct signature *definition_read(const char *file, const char *text, size_t len,
                                  definition_base_fn *find_base, void *arg, struct err *err)
{
    struct signature *sig = NULL;
    struct json *root = NULL;

    if (len > DEFINITION_TEXT_MAX)
        err_set(err, ERR_TOO_BIG, "%zu bytes, limit %d", len, DEFINITION_TEXT_MAX);
    else if ((root = json_parse(text, len, err)))
        sig = read_root(root, find_base, arg, err);
    json_free(root);
    if (!sig)
        err_prefix(err, "%s", file);
    return sig;
}
