/* inquiry.c - choosing, listing and showing signatures. */
#include "coordinator/signature/inquiry.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/lint.h"
#include "coordinator/signature/python_export.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/signature_info.h"
#include "coordinator/signature/string_form.h"

#include <stdlib.h>
#include <string.h>

static struct signature *defined_or_line(const struct signature_choice *choice, struct err *err)
{
    struct signature *sig;

    if (choice->defined) {
        if (!(sig = signature_from_info(choice->defined, err)))
            err_prefix(err, "signature.defined");
        return sig;
    }
    sig = string_form_read(NULL, choice->name, strlen(choice->name), NULL, err);
    if (sig && text_set(&sig->no_context, choice->no_context, err) == 0 &&
        lint_context(sig, err) == 0)
        return sig;
    signature_free(sig);
    err_prefix(err, "signature.name");
    return NULL;
}

struct signature *inquiry_choose(const struct catalog *c, const struct signature_choice *choice,
                                 struct err *err)
{
    unsigned wanted =
        (choice->typed == TRI_TRUE ? SIGNATURE_TYPED : 0) |
        (choice->module == SIGNATURE_MODULE_CHAIN_OF_THOUGHT ? SIGNATURE_CHAIN_OF_THOUGHT : 0);
    const struct signature *found = NULL;
    struct signature *own = NULL, *derived;

    if (!choice->name == !choice->defined) {
        err_set(err, ERR_INVALID, "signature: wanted one of name and defined");
        return NULL;
    }
    if (choice->defined || strstr(choice->name, "->")) {
        if (!(found = own = defined_or_line(choice, err)))
            return NULL;
    } else if (!(found = catalog_find(c, choice->name))) {
        err_set(err, ERR_NOT_FOUND, "signature.name: there is no signature \"%.80s\"",
                choice->name);
        return NULL;
    }
    derived = signature_derive(found, wanted, err);
    signature_free(own);
    return derived;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct signature_info *)a)->name,
                  ((const struct signature_info *)b)->name);
}

int inquiry_list(const struct catalog *c, const struct signature_list_request *asked,
                 struct signatures_reply **out, struct err *err)
{
    struct signatures_reply *reply = signatures_reply_new(err);
    const struct signature *sig;
    size_t cursor = 0;

    if (!reply)
        return -1;
    while ((sig = catalog_next(c, &cursor))) {
        struct signature_info *info, *item;

        if (asked->category && (int)sig->category != asked->category)
            continue;
        if (!(info = signature_info_of(sig, err)))
            goto fail;
        item = records_add(&signature_info_type, &reply->signatures, &reply->signatures_count, err);
        if (!item) {
            signature_info_free(info);
            goto fail;
        }
        *item = *info;
        mem_free(info);
    }
    if (reply->signatures_count)
        qsort(reply->signatures, reply->signatures_count, sizeof *reply->signatures, by_name);
    *out = reply;
    return 0;
fail:
    signatures_reply_free(reply);
    return -1;
}

static int add_findings(const struct catalog *c, const struct signature *sig,
                        struct signature_reply *reply, struct err *err)
{
    struct lint_report report = {0};
    int rc = lint_signature(sig, c, &report, err);

    for (size_t i = 0; rc == 0 && i < report.count; i++) {
        const struct lint_finding *from = &report.findings[i];
        struct finding *f =
            records_add(&finding_type, &reply->findings, &reply->findings_count, err);

        if (!f || text_set(&f->rule, from->rule->name, err) < 0 ||
            text_set(&f->field, from->field, err) < 0 || text_set(&f->why, from->why, err) < 0 ||
            text_set(&f->what, from->what, err) < 0)
            rc = -1;
        else
            f->level = from->level == LINT_ERROR ? FINDING_LEVEL_ERROR : FINDING_LEVEL_ADVICE;
    }
    lint_clear(&report);
    return rc;
}

int inquiry_describe(const struct catalog *c, const struct signature *sig, bool python,
                     struct signature_reply **out, struct err *err)
{
    struct signature_reply *reply = signature_reply_new(err);

    if (!reply)
        return -1;
    if (!(reply->signature = signature_info_of(sig, err)) ||
        !(reply->line = string_form_print(sig, err)) ||
        (!sig->is_typed && !(reply->definition = signature_definition_print(sig, err))) ||
        (python && !(reply->python = python_export(sig, err))) ||
        (!sig->is_typed && add_findings(c, sig, reply, err) < 0)) {
        signature_reply_free(reply);
        return -1;
    }
    *out = reply;
    return 0;
}

int inquiry_show(const struct catalog *c, const struct signature_show_request *asked,
                 struct signature_reply **out, struct err *err)
{
    struct signature *sig = inquiry_choose(c, asked->signature, err);
    int rc = sig ? inquiry_describe(c, sig, asked->python == TRI_TRUE, out, err) : -1;

    signature_free(sig);
    return rc;
}
