/* signature.c - fields in their order, and the derivations. */
#include "coordinator/signature/signature.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/record.h"
#include "coordinator/signature/shape.h"
#include "coordinator/signature/value_type.h"

#include <string.h>

/* Python's keywords: a field becomes an argument there. */
static const char *const python_keywords[] = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield",
};

/* The first six break a DSPy signature, the next three are taken by its calls, the last by the end
 * marker. */
static const char *const reserved_names[] = {
    "instructions", "fields", "signature", "input_fields", "output_fields",
    "model_config", "demos",  "config",    "lm",           "completed",
};

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

/* Letters beyond ASCII are taken as letters without asking which. */
static bool is_identifier(const char *name)
{
    if (!name[0] || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (const char *p = name; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') &&
            *p != '_' && (unsigned char)*p < 0x80)
            return false;
    return true;
}

int signature_check_field_name(const char *name, struct err *err)
{
    if (!name || strlen(name) > ID_TEXT_MAX || !text_utf8_valid(name, strlen(name)) ||
        !is_identifier(name))
        return err_set(
            err, ERR_INVALID,
            "field \"%.80s\": want letters, digits and _, no digit first, at most %d bytes",
            name ? name : "", ID_TEXT_MAX);
    if (name[0] == '_')
        return err_set(err, ERR_INVALID, "field \"%s\": may not start with _", name);
    if (is_one_of(name, python_keywords, sizeof python_keywords / sizeof python_keywords[0]))
        return err_set(err, ERR_INVALID, "field \"%s\": is a keyword of Python", name);
    if (is_one_of(name, reserved_names, sizeof reserved_names / sizeof reserved_names[0]))
        return err_set(err, ERR_INVALID, "field \"%s\": the name is reserved", name);
    return 0;
}

int signature_check_name(const char *name, struct err *err)
{
    if (!name || strlen(name) > NAME_TEXT_MAX || !text_utf8_valid(name, strlen(name)) ||
        !is_identifier(name) ||
        is_one_of(name, python_keywords, sizeof python_keywords / sizeof python_keywords[0]))
        return err_set(err, ERR_INVALID,
                       "signature name \"%.80s\": want letters, digits and _, no digit first, no "
                       "keyword of Python, at most %d bytes",
                       name ? name : "", NAME_TEXT_MAX);
    return 0;
}

static void field_free(struct signature_field *f)
{
    mem_free(f->name);
    mem_free(f->description);
    mem_free(f->prefix);
    mem_free(f->constraints);
    mem_free(f->fallback);
    value_type_free(f->type);
}

/* NULL stays NULL. */
static int text_copy(char **out, const char *text)
{
    *out = text ? mem_strdup(text) : NULL;
    return text && !*out ? -1 : 0;
}

static int field_copy(struct signature_field *out, const struct signature_field *f)
{
    struct signature_field copy = *f;
    int lost;

    copy.type = f->type ? value_type_dup(f->type, NULL) : NULL;
    copy.name = mem_strdup(f->name);
    lost = text_copy(&copy.description, f->description) + text_copy(&copy.prefix, f->prefix) +
           text_copy(&copy.constraints, f->constraints) + text_copy(&copy.fallback, f->fallback);
    if (!copy.name || lost < 0 || (f->type && !copy.type)) {
        field_free(&copy);
        return -1;
    }
    *out = copy;
    return 0;
}

void signature_field_add_type(struct buf *b, const struct signature_field *f)
{
    if (f->row)
        shape_add_name(b, f->row);
    else
        value_type_add_name(b, f->type);
}

bool signature_field_same(const struct signature_field *a, const struct signature_field *b)
{
    const char *x = a->description ? a->description : "";
    const char *y = b->description ? b->description : "";

    return a->direction == b->direction && a->row == b->row && value_type_equal(a->type, b->type) &&
           strcmp(x, y) == 0;
}

void signature_free(struct signature *sig)
{
    if (!sig)
        return;
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        field_free(&sig->fields[i]);
    mem_free(sig->fields);
    mem_free(sig->name);
    mem_free(sig->base);
    mem_free(sig->instructions);
    mem_free(sig->no_context);
    mem_free(sig);
}

struct signature *signature_new(const char *name, const char *instructions, struct err *err)
{
    struct signature *sig = mem_zalloc(sizeof *sig);

    if (!sig || !(sig->name = mem_strdup(name)) ||
        !(sig->instructions = mem_strdup(instructions))) {
        signature_free(sig);
        err_set(err, ERR_NOMEM, "signature %s", name);
        return NULL;
    }
    sig->category = SIGNATURE_CATEGORY_OPTIMIZATION;
    return sig;
}

static size_t field_index(const struct signature *sig, const char *name)
{
    size_t i = 0;

    while (i < sig->inputs + sig->outputs && strcmp(sig->fields[i].name, name) != 0)
        i++;
    return i;
}

const struct signature_field *signature_field(const struct signature *sig, const char *name)
{
    size_t i = field_index(sig, name);

    return i < sig->inputs + sig->outputs ? &sig->fields[i] : NULL;
}

static void field_take_out(struct signature *sig, size_t at)
{
    field_free(&sig->fields[at]);
    memmove(&sig->fields[at], &sig->fields[at + 1],
            (sig->inputs + sig->outputs - at - 1) * sizeof *sig->fields);
    if (at < sig->inputs)
        sig->inputs--;
    else
        sig->outputs--;
}

/* Into its section, by order of declaration. There is room for it. */
static void field_put_in(struct signature *sig, const struct signature_field *f)
{
    bool input = f->direction == SIGNATURE_INPUT;
    size_t at = input ? 0 : sig->inputs;
    size_t end = input ? sig->inputs : sig->inputs + sig->outputs;

    while (at < end && sig->fields[at].order < f->order)
        at++;
    memmove(&sig->fields[at + 1], &sig->fields[at],
            (sig->inputs + sig->outputs - at) * sizeof *sig->fields);
    sig->fields[at] = *f;
    if (input)
        sig->inputs++;
    else
        sig->outputs++;
}

/* A copy of f under this order, replacing whatever has its name. */
static int field_place(struct signature *sig, const struct signature_field *f, unsigned order,
                       struct err *err)
{
    size_t count = sig->inputs + sig->outputs, old = field_index(sig, f->name);
    struct signature_field copy, *fields;

    if (old == count && count == SIGNATURE_FIELDS_MAX)
        return err_set(err, ERR_TOO_BIG, "signature %s: more than %d fields", sig->name,
                       SIGNATURE_FIELDS_MAX);
    if (field_copy(&copy, f) < 0)
        return err_set(err, ERR_NOMEM, "signature %s: field %s", sig->name, f->name);
    if (!(fields = mem_realloc_array(sig->fields, count + 1, sizeof *fields))) {
        field_free(&copy);
        return err_set(err, ERR_NOMEM, "signature %s: field %s", sig->name, f->name);
    }
    copy.order = order;
    sig->fields = fields;
    if (old < count)
        field_take_out(sig, old);
    field_put_in(sig, &copy);
    return 0;
}

int signature_put_field(struct signature *sig, const struct signature_field *field, struct err *err)
{
    const struct signature_field *old;
    bool is_new;

    if (signature_check_field_name(field->name, err) < 0)
        return -1;
    old = signature_field(sig, field->name);
    is_new = !old;
    if (field_place(sig, field, old ? old->order : sig->declared + 1, err) < 0)
        return -1;
    sig->declared += is_new;
    return 0;
}

struct signature *signature_dup(const struct signature *sig, struct err *err)
{
    struct signature *copy = signature_new(sig->name, sig->instructions, err);

    if (!copy)
        return NULL;
    copy->category = sig->category;
    copy->typed = sig->typed;
    copy->is_typed = sig->is_typed;
    copy->declared = sig->declared;
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        if (field_place(copy, &sig->fields[i], sig->fields[i].order, err) < 0)
            goto fail;
    if (text_copy(&copy->base, sig->base) < 0 ||
        text_copy(&copy->no_context, sig->no_context) < 0) {
        err_set(err, ERR_NOMEM, "signature %s", sig->name);
        goto fail;
    }
    return copy;
fail:
    signature_free(copy);
    return NULL;
}

static int make_typed(struct signature *sig, struct err *err)
{
    if (!sig->typed)
        return err_set(err, ERR_UNSUPPORTED, "signature %s has no typed form", sig->name);
    for (size_t i = sig->inputs; i < sig->inputs + sig->outputs; i++) {
        sig->fields[i].row = record_field(sig->typed, sig->fields[i].name);
        if (!sig->fields[i].row)
            return err_set(err, ERR_INVALID, "signature %s: %s has no field %s", sig->name,
                           sig->typed->name, sig->fields[i].name);
    }
    sig->is_typed = true;
    return 0;
}

static int add_reasoning(struct signature *sig, struct err *err)
{
    char name[] = "reasoning";
    struct signature_field f = {
        .name = name, .direction = SIGNATURE_OUTPUT, .role = SIGNATURE_ROLE_REASONING};

    if (signature_field(sig, name))
        return err_set(err, ERR_EXISTS,
                       "signature %s has a field reasoning: a chain of thought would give the name "
                       "two meanings",
                       sig->name);
    return field_place(sig, &f, 0, err);
}

struct signature *signature_derive(const struct signature *sig, unsigned derivations,
                                   struct err *err)
{
    struct signature *derived = signature_dup(sig, err);

    if (!derived || ((derivations & SIGNATURE_TYPED) && make_typed(derived, err) < 0) ||
        ((derivations & SIGNATURE_CHAIN_OF_THOUGHT) && add_reasoning(derived, err) < 0)) {
        signature_free(derived);
        return NULL;
    }
    return derived;
}
