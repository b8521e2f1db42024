/* cmd_signature.c - signatures listed, shown, made, linted, exported and held against a saved
 * program: nothing here asks a coordinator. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "coordinator/cli/show_signature.h"
#include "coordinator/cli/signature_args.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/definition.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/string_form.h"

#include <stdio.h>
#include <string.h>

/* Print text as it stands: a file for another program. */
static int print_text(struct cli *c, const char *text)
{
    if (fputs(text, c->out) >= 0 && fflush(c->out) == 0)
        return CLI_OK;
    cli_say(c, "output: cannot be written");
    return CLI_BROKEN;
}

int cmd_signature_list(struct cli *c, const char *const *words, size_t count)
{
    struct signature_list_request asked;
    struct signatures_reply *reply = NULL;
    const char *category = c->args.value[OPTION_CATEGORY];
    struct err err = {0};
    struct catalog *catalog = signature_args_catalog(&c->args, &err);
    struct page p;
    int rc;

    (void)words;
    (void)count;
    record_init(&signature_list_request_type, &asked);
    if (!catalog ||
        (category && enum_parse(&signature_category_names, category, &asked.category, "--category",
                                &err) < 0) ||
        inquiry_list(catalog, &asked, &reply, &err) < 0) {
        catalog_free(catalog);
        return cli_refuse(c, &err);
    }
    catalog_free(catalog);
    if (c->json) {
        rc = cli_json(c, &signatures_reply_type, reply);
    } else {
        cli_page(c, &p);
        show_signatures(&p, reply);
        rc = cli_show(c, &p);
    }
    signatures_reply_free(reply);
    return rc;
}

static int show_reply(struct cli *c, const struct signature_reply *reply)
{
    struct page p;

    if (c->json)
        return cli_json(c, &signature_reply_type, reply);
    if (args_has(&c->args, OPTION_PYTHON))
        return print_text(c, reply->python);
    if (args_has(&c->args, OPTION_DEFINITION))
        return print_text(c, reply->definition);
    cli_page(c, &p);
    show_signature(&p, reply);
    return cli_show(c, &p);
}

static int describe(struct cli *c, const char *name, struct signature_reply **out, struct err *err)
{
    struct catalog *catalog = signature_args_catalog(&c->args, err);
    struct signature_show_request asked;
    struct signature_choice choice;
    int rc = -1;

    record_init(&signature_choice_type, &choice);
    record_init(&signature_show_request_type, &asked);
    asked.signature = &choice;
    asked.python = args_has(&c->args, OPTION_PYTHON) ? TRI_TRUE : TRI_FALSE;
    if (catalog && signature_args_choice(&c->args, name, &choice, err) == 0)
        rc = inquiry_show(catalog, &asked, out, err);
    record_clear(&signature_choice_type, &choice);
    catalog_free(catalog);
    return rc;
}

int cmd_signature_show(struct cli *c, const char *const *words, size_t count)
{
    struct signature_reply *reply = NULL;
    struct err err = {0};
    int rc;

    (void)count;
    if (describe(c, words[0], &reply, &err) < 0)
        return cli_refuse(c, &err);
    rc = show_reply(c, reply);
    signature_reply_free(reply);
    return rc;
}

/* DIR/NAME.json, unless there is one. */
static int save(struct cli *c, const struct signature_reply *reply, struct err *err)
{
    char *path = file_path(err, "%s/%s.json", c->args.value[OPTION_SAVE], reply->signature->name);
    int rc = -1;

    if (path && file_exists(path))
        err_set(err, ERR_EXISTS, "--save: %s is there already", path);
    else if (path && file_make_dirs(c->args.value[OPTION_SAVE], 0777, err) == 0)
        rc = file_write_atomic(path, 0666, reply->definition, strlen(reply->definition), err);
    if (rc == 0)
        cli_say(c, "wrote %s", path);
    mem_free(path);
    return rc;
}

int cmd_signature_create(struct cli *c, const char *const *words, size_t count)
{
    struct signature_create_request asked;
    struct signature_reply *reply = NULL;
    struct err err = {0};
    struct catalog *catalog = signature_args_catalog(&c->args, &err);
    int rc = -1;

    record_init(&signature_create_request_type, &asked);
    if (catalog && signature_args_create(&c->args, count ? words[0] : NULL, &asked, &err) == 0)
        rc = inquiry_create(catalog, &asked, &reply, &err);
    record_clear(&signature_create_request_type, &asked);
    catalog_free(catalog);
    if (rc == 0 && args_has(&c->args, OPTION_SAVE))
        rc = save(c, reply, &err);
    rc = rc < 0 ? cli_refuse(c, &err) : show_reply(c, reply);
    signature_reply_free(reply);
    return rc;
}

/* ---- lint ---- */

static const struct signature *find_base(void *arg, const char *name)
{
    return catalog_find(arg, name);
}

/* The definition in a file, which need not be good enough for a catalog. */
static struct signature *read_definition(const struct catalog *catalog, const char *path,
                                         struct err *err)
{
    struct signature *sig;
    char *text = NULL;
    size_t len;

    if (file_read(path, DEFINITION_TEXT_MAX, &text, &len, err) < 0)
        return NULL;
    sig = definition_read(path, text, len, find_base, (void *)(uintptr_t)catalog, err);
    mem_free(text);
    return sig;
}

static int lint(struct cli *c, const char *word, struct signature_reply **out, struct err *err)
{
    struct catalog *catalog = signature_args_catalog(&c->args, err);
    struct signature_choice choice;
    struct signature *sig = NULL;
    int rc = -1;

    record_init(&signature_choice_type, &choice);
    choice.name = (char *)(uintptr_t)word; /* borrowed */
    if (catalog && strstr(word, "->"))
        sig = string_form_read(NULL, word, strlen(word), NULL, err);
    else if (catalog)
        sig = strchr(word, '/') || strchr(word, '.') ? read_definition(catalog, word, err)
                                                     : inquiry_choose(catalog, &choice, err);
    if (sig)
        rc = inquiry_describe(catalog, sig, false, out, err);
    signature_free(sig);
    catalog_free(catalog);
    return rc;
}

int cmd_signature_lint(struct cli *c, const char *const *words, size_t count)
{
    struct signature_reply *reply = NULL;
    struct err err = {0};
    bool errors = false;
    struct page p;
    int rc;

    (void)count;
    if (lint(c, words[0], &reply, &err) < 0)
        return cli_refuse(c, &err);
    for (size_t i = 0; i < reply->findings_count; i++)
        errors = errors || reply->findings[i].level == FINDING_LEVEL_ERROR;
    if (c->json) {
        rc = cli_json(c, &signature_reply_type, reply);
    } else {
        cli_page(c, &p);
        show_findings(&p, reply);
        rc = cli_show(c, &p);
    }
    signature_reply_free(reply);
    return rc == CLI_OK && errors ? CLI_REFUSED : rc;
}

/* ---- saved programs ---- */

static int read_state(const char *path, char **out, struct err *err)
{
    struct program_state *probe = program_state_load(path, err); /* names folders and pickles */
    int rc = probe ? file_read(path, SIGNATURE_STATE_MAX, out, NULL, err) : -1;

    program_state_free(probe);
    return rc;
}

static int fill_check(struct cli *c, const char *path, struct signature_check_request *out,
                      struct err *err)
{
    const char *name = c->args.value[OPTION_SIGNATURE];

    if (!name)
        return err_set(err, ERR_INVALID,
                       "--signature: missing, wanted the name: a saved program does not hold it");
    if (args_has(&c->args, OPTION_AS_TEXT))
        out->as_text = TRI_TRUE;
    if (!(out->signature = signature_choice_new(err)) ||
        signature_args_choice(&c->args, name, out->signature, err) < 0 ||
        text_set(&out->state_path, c->args.value[OPTION_PREDICTOR], err) < 0)
        return -1;
    return read_state(path, &out->state, err);
}

int cmd_signature_check(struct cli *c, const char *const *words, size_t count)
{
    struct signature_check_request asked;
    struct signature_check_reply *reply = NULL;
    struct err err = {0};
    struct catalog *catalog = signature_args_catalog(&c->args, &err);
    struct page p;
    int rc = -1;

    (void)count;
    record_init(&signature_check_request_type, &asked);
    if (catalog && fill_check(c, words[0], &asked, &err) == 0 &&
        (rc = inquiry_check(catalog, &asked, &reply, &err)) < 0)
        err_prefix(&err, "%s", words[0]);
    record_clear(&signature_check_request_type, &asked);
    catalog_free(catalog);
    if (rc < 0)
        return cli_refuse(c, &err);
    if (c->json) {
        rc = cli_json(c, &signature_check_reply_type, reply);
    } else {
        cli_page(c, &p);
        show_state_check(&p, reply);
        rc = cli_show(c, &p);
    }
    signature_check_reply_free(reply);
    return rc;
}
