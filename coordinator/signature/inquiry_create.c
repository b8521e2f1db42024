/* inquiry_create.c - signatures from a domain, a line, or other signatures. */
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/json/json.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/compose.h"
#include "coordinator/signature/datum_json.h"
#include "coordinator/signature/factory.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/instructions.h"
#include "coordinator/signature/lint.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/signature_info.h"
#include "coordinator/signature/string_form.h"

#include <stdio.h>
#include <string.h>

/* What somebody wanted for a field of the factory, and it cannot have. */
static int check_custom(const struct signature_field_info *f, size_t i, struct err *err)
{
    if (f->direction == SIGNATURE_INPUT)
        return err_set(err, ERR_INVALID, "fields[%zu]: %.64s is an input, wanted outputs only", i,
                       f->name);
    if (f->fallback)
        return err_set(err, ERR_INVALID, "fields[%zu].fallback: an output has none", i);
    return 0;
}

static struct signature *from_factory(const struct factory_spec *spec, struct err *err)
{
    struct factory_field *fields = mem_calloc(spec->fields_count + 1, sizeof *fields);
    char *text = named_data_print("hardware", spec->hardware, spec->hardware_count, err);
    struct json *hardware = text ? json_parse(text, strlen(text), err) : NULL;
    struct signature *sig = NULL;
    int rc = 0;

    if (!fields)
        err_set(err, ERR_NOMEM, "factory");
    for (size_t i = 0; fields && rc == 0 && i < spec->fields_count; i++) {
        const struct signature_field_info *f = &spec->fields[i];

        rc = check_custom(f, i, err);
        fields[i] = (struct factory_field){f->name, f->description, f->type};
    }
    if (fields && hardware && rc == 0)
        sig = factory_make(spec->domain, hardware, fields, spec->fields_count, err);
    json_free(hardware);
    mem_free(text);
    mem_free(fields);
    return sig;
}

static struct signature *from_line(const struct line_spec *spec, struct err *err)
{
    if (spec->name && signature_check_name(spec->name, err) < 0)
        return NULL;
    return string_form_read(spec->name, spec->line, strlen(spec->line), spec->instructions, err);
}

/* *sig becomes `next`, which NULL makes a failure. */
static int step(struct signature **sig, struct signature *next)
{
    if (!next)
        return -1;
    signature_free(*sig);
    *sig = next;
    return 0;
}

static struct signature *from_bases(const struct catalog *c, const struct compose_spec *spec,
                                    struct err *err)
{
    const struct signature *bases[COMPOSE_BASES_MAX];

    if (spec->bases_count == 0 || spec->bases_count > COMPOSE_BASES_MAX) {
        err_set(err, ERR_INVALID, "bases: %zu, wanted 1 to %d", spec->bases_count,
                COMPOSE_BASES_MAX);
        return NULL;
    }
    for (size_t i = 0; i < spec->bases_count; i++) {
        if (!(bases[i] = catalog_find(c, spec->bases[i]))) {
            err_set(err, ERR_NOT_FOUND, "bases[%zu]: there is no signature \"%.80s\"", i,
                    spec->bases[i]);
            return NULL;
        }
    }
    if (!spec->name && spec->bases_count > 1) {
        err_set(err, ERR_INVALID, "name: missing, and there are %zu bases", spec->bases_count);
        return NULL;
    }
    if (!spec->name)
        return signature_dup(bases[0], err);
    return signature_extend(spec->name, bases, spec->bases_count, NULL, 0, spec->instructions, err);
}

static int insert_all(struct signature **sig, const struct compose_spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->insertions_count; i++) {
        const struct insertion *in = &spec->insertions[i];
        struct signature_field f = {0};
        char where[32];
        int rc;

        snprintf(where, sizeof where, "insertions[%zu]", i);
        if (signature_field_read(in->field, where, &f, err) < 0)
            return -1;
        rc =
            step(sig, signature_insert(*sig, known_i64(in->index) ? (long)in->index : -1, &f, err));
        signature_field_clear(&f);
        if (rc < 0)
            return err_prefix(err, "%s", where);
    }
    return 0;
}

static struct signature *from_others(const struct catalog *c, const struct compose_spec *spec,
                                     struct err *err)
{
    struct signature *sig = from_bases(c, spec, err);

    if (!sig)
        return NULL;
    for (size_t i = 0; i < spec->without_count; i++) {
        if (!signature_field(sig, spec->without[i])) {
            err_set(err, ERR_NOT_FOUND, "without[%zu]: %s has no field %.64s", i, sig->name,
                    spec->without[i]);
            goto fail;
        }
        if (step(&sig, signature_delete(sig, spec->without[i], err)) < 0)
            goto fail;
    }
    if (insert_all(&sig, spec, err) < 0)
        goto fail;
    if (spec->instructions && instructions_set(sig, spec->instructions, err) < 0)
        goto fail;
    if (spec->append_instructions &&
        step(&sig, signature_append_instructions(sig, spec->append_instructions, err)) < 0)
        goto fail;
    return sig;
fail:
    signature_free(sig);
    return NULL;
}

struct signature *inquiry_make(const struct catalog *c,
                               const struct signature_create_request *asked, struct err *err)
{
    struct signature *sig = asked->factory ? from_factory(asked->factory, err)
                            : asked->line  ? from_line(asked->line, err)
                                           : from_others(c, asked->composition, err);

    if (!sig)
        return NULL;
    if ((asked->no_context && text_set(&sig->no_context, asked->no_context, err) < 0) ||
        lint_context(sig, err) < 0) {
        signature_free(sig);
        return NULL;
    }
    return sig;
}

int inquiry_create(const struct catalog *c, const struct signature_create_request *asked,
                   struct signature_reply **out, struct err *err)
{
    struct signature *sig = inquiry_make(c, asked, err);
    int rc = sig ? inquiry_describe(c, sig, asked->python == TRI_TRUE, out, err) : -1;

    signature_free(sig);
    return rc;
}
