/* signature_info.c - see signature_info.h. */
#include "coordinator/signature/signature_info.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/json/json.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/instructions.h"
#include "coordinator/signature/lint.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <stdio.h>
#include <string.h>

/* ---- to the protocol ---- */

/* NULL for text: absent means str. */
static char *type_text(const struct signature_field *f, struct err *err)
{
    struct buf b;

    buf_init(&b, VALUE_TYPE_TEXT_MAX);
    if (f->row)
        signature_field_add_type(&b, f);
    else
        value_type_add_source(&b, f->type);
    return buf_take(&b, NULL, err);
}

static int field_info(const struct signature_field *f, struct signature_field_info *out,
                      struct err *err)
{
    out->direction = f->direction;
    out->role = f->role;
    if (text_set(&out->name, f->name, err) < 0 ||
        text_set(&out->description, f->description, err) < 0 ||
        text_set(&out->fallback, f->fallback, err) < 0 ||
        text_set(&out->constraints, f->constraints, err) < 0)
        return -1;
    if (!f->row && value_type_is_text(f->type))
        return 0;
    return (out->type = type_text(f, err)) ? 0 : -1;
}

struct signature_info *signature_info_of(const struct signature *sig, struct err *err)
{
    struct signature_info *info = signature_info_new(err);

    if (!info)
        return NULL;
    info->category = (int)sig->category;
    info->is_typed = sig->is_typed ? TRI_TRUE : TRI_FALSE;
    if (text_set(&info->name, sig->name, err) < 0 || text_set(&info->extends, sig->base, err) < 0 ||
        text_set(&info->instructions, sig->instructions, err) < 0 ||
        text_set(&info->typed, sig->typed ? sig->typed->name : NULL, err) < 0 ||
        text_set(&info->no_context, sig->no_context, err) < 0)
        goto fail;
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++) {
        struct signature_field_info *f =
            records_add(&signature_field_info_type, &info->fields, &info->fields_count, err);

        if (!f || field_info(&sig->fields[i], f, err) < 0)
            goto fail;
    }
    return info;
fail:
    signature_info_free(info);
    return NULL;
}

/* ---- from the protocol ---- */

void signature_field_clear(struct signature_field *f)
{
    mem_free(f->name);
    mem_free(f->description);
    mem_free(f->fallback);
    mem_free(f->constraints);
    value_type_free(f->type);
    *f = (struct signature_field){0};
}

static int check_field(const struct signature_field_info *info, const char *where, struct err *err)
{
    if (signature_check_field_name(info->name, err) < 0)
        return err_prefix(err, "%s", where);
    if (info->direction == SIGNATURE_DIRECTION_UNSET)
        return err_set(err, ERR_INVALID, "%s.direction: missing, wanted input or output", where);
    if (info->fallback && info->direction == SIGNATURE_OUTPUT)
        return err_set(err, ERR_INVALID, "%s.fallback: an output has none", where);
    return 0;
}

int signature_field_read(const struct signature_field_info *info, const char *where,
                         struct signature_field *out, struct err *err)
{
    struct signature_field f = {.direction = (enum signature_direction)info->direction,
                                .role = info->role ? (enum signature_role)info->role
                                                   : SIGNATURE_ROLE_OTHER};

    if (check_field(info, where, err) < 0)
        return -1;
    if (text_set(&f.name, info->name, err) < 0 ||
        text_set(&f.description, info->description, err) < 0 ||
        text_set(&f.fallback, info->fallback, err) < 0 ||
        text_set(&f.constraints, info->constraints, err) < 0)
        goto fail;
    if (info->type && !(f.type = value_type_read(info->type, strlen(info->type), err))) {
        err_prefix(err, "%s.type", where);
        goto fail;
    }
    *out = f;
    return 0;
fail:
    signature_field_clear(&f);
    return -1;
}

static int put_fields(struct signature *sig, const struct signature_info *info, struct err *err)
{
    char where[32];

    for (size_t i = 0; i < info->fields_count; i++) {
        struct signature_field f = {0};
        int rc;

        snprintf(where, sizeof where, "fields[%zu]", i);
        if (signature_field_read(&info->fields[i], where, &f, err) < 0)
            return -1;
        if (signature_field(sig, f.name))
            rc = err_set(err, ERR_EXISTS, "%s: %.64s stands there twice", where, f.name);
        else
            rc = signature_put_field(sig, &f, err);
        signature_field_clear(&f);
        if (rc < 0)
            return -1;
    }
    if (sig->inputs == 0 || sig->outputs == 0)
        return err_set(err, ERR_INVALID, "fields: %zu inputs and %zu outputs, wanted one of each",
                       sig->inputs, sig->outputs);
    return 0;
}

struct signature *signature_from_info(const struct signature_info *info, struct err *err)
{
    struct signature *sig;

    if (info->is_typed == TRI_TRUE) {
        err_set(err, ERR_UNSUPPORTED,
                "is_typed: a record's form is asked for by the name of its signature");
        return NULL;
    }
    if (signature_check_name(info->name, err) < 0 || !(sig = signature_new(info->name, "", err)))
        return NULL;
    if (put_fields(sig, info, err) < 0 || instructions_set(sig, info->instructions, err) < 0 ||
        text_set(&sig->base, info->extends, err) < 0 ||
        text_set(&sig->no_context, info->no_context, err) < 0 || lint_context(sig, err) < 0) {
        signature_free(sig);
        return NULL;
    }
    if (info->category)
        sig->category = (enum signature_category)info->category;
    return sig;
}

/* ---- the data file ---- */

static int set_word(struct json *o, const char *name, const struct enum_names *names, int value)
{
    const char *word = value ? enum_name(names, value) : NULL;

    return word ? json_set_text(o, name, word) : 0;
}

static int set_text(struct json *o, const char *name, const char *text)
{
    return text ? json_set_text(o, name, text) : 0;
}

static int add_field(struct json *list, const struct signature_field *f, struct err *err)
{
    struct json *o = json_append_object(list);
    char *type = NULL;
    int rc = -1;

    if (!f->row && !value_type_is_text(f->type) && !(type = type_text(f, err)))
        return -1;
    if (!o || set_text(o, "name", f->name) < 0 ||
        set_word(o, "direction", &signature_direction_names, (int)f->direction) < 0 ||
        set_word(o, "role", &signature_role_names, (int)f->role) < 0 ||
        set_text(o, "type", type) < 0 || set_text(o, "description", f->description) < 0 ||
        set_text(o, "default", f->fallback) < 0 || set_text(o, "constraints", f->constraints) < 0)
        err_set(err, ERR_NOMEM, "definition");
    else
        rc = 0;
    mem_free(type);
    return rc;
}

char *signature_definition_print(const struct signature *sig, struct err *err)
{
    struct json *o = json_object(), *list = NULL;
    char *text = NULL;

    if (!o || set_text(o, "name", sig->name) < 0 ||
        set_word(o, "category", &signature_category_names, (int)sig->category) < 0 ||
        set_text(o, "instructions", sig->instructions) < 0 ||
        set_text(o, "typed", sig->typed ? sig->typed->name : NULL) < 0 ||
        set_text(o, "no_context", sig->no_context) < 0 || !(list = json_set_array(o, "fields"))) {
        err_set(err, ERR_NOMEM, "definition");
        goto out;
    }
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        if (sig->fields[i].role != SIGNATURE_ROLE_REASONING || sig->fields[i].order != 0)
            if (add_field(list, &sig->fields[i], err) < 0)
                goto out;
    text = json_print(o, true, err);
out:
    json_free(o);
    return text;
}
