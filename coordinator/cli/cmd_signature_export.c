/* cmd_signature_export.c - a signature as something that DSPy takes: a class, or a program's state
 * with the words and examples of another one. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "coordinator/cli/signature_args.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/python_export.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/signature_info.h"

#include <stdio.h>
#include <string.h>

/* One predictor on its way out. */
struct outgoing {
    char *path;                       /* owned; NULL: as the module has it */
    struct signature *sig;            /* owned; with the program's words once they are applied */
    struct state_application applied; /* its demos */
};

struct export
{
    struct cli *cli;
    struct catalog *catalog;
    struct program_state *from; /* NULL: none */
    struct outgoing predictors[ARGS_WORDS_MAX];
    size_t count;
};

static void export_clear(struct export *e)
{
    for (size_t i = 0; i < e->count; i++) {
        mem_free(e->predictors[i].path);
        signature_free(e->predictors[i].sig);
        state_application_clear(&e->predictors[i].applied);
    }
    program_state_free(e->from);
    catalog_free(e->catalog);
}

static struct signature *choose(struct export *e, const char *name, int module, struct err *err)
{
    struct signature_choice choice;
    struct signature *sig = NULL;

    record_init(&signature_choice_type, &choice);
    if (signature_args_choice(&e->cli->args, name, &choice, err) == 0) {
        if (!choice.module)
            choice.module = module;
        sig = inquiry_choose(e->catalog, &choice, err);
    }
    record_clear(&signature_choice_type, &choice);
    return sig;
}

/* A program says nothing of its modules: one field more than the signature has is the reasoning. */
static int apply(struct export *e, struct outgoing *o, const char *name, struct err *err)
{
    const struct state_predictor *p = inquiry_predictor(e->from, o->path, err);

    if (!p)
        return -1;
    if (p->fields_count == o->sig->inputs + o->sig->outputs + 1) {
        signature_free(o->sig);
        if (!(o->sig = choose(e, name, SIGNATURE_MODULE_CHAIN_OF_THOUGHT, err)))
            return -1;
    }
    if (program_state_apply(p, o->sig, args_has(&e->cli->args, OPTION_AS_TEXT), &o->applied, err) <
        0)
        return -1;
    signature_free(o->sig);
    o->sig = o->applied.sig;
    o->applied.sig = NULL;
    return o->path ? 0 : text_set(&o->path, p->path, err);
}

/* NAME, or PATH=NAME for a program with several predictors. */
static int add_predictor(struct export *e, const char *word, struct err *err)
{
    const char *equals = strstr(word, "->") ? NULL : strchr(word, '=');
    const char *name = equals ? equals + 1 : word;
    struct outgoing *o = &e->predictors[e->count++];

    if (equals && !(o->path = mem_strndup(word, (size_t)(equals - word))))
        return err_set(err, ERR_NOMEM, "export");
    if (!equals && text_set(&o->path, e->cli->args.value[OPTION_PREDICTOR], err) < 0)
        return -1;
    if (!(o->sig = choose(e, name, SIGNATURE_MODULE_UNSET, err)))
        return -1;
    if (e->from && apply(e, o, name, err) < 0)
        return -1;
    if (!o->path)
        return text_set(&o->path, signature_field(o->sig, "reasoning") ? "predict" : "", err);
    return 0;
}

static int write_state(struct export *e, const char *path, struct err *err)
{
    struct state_export out[ARGS_WORDS_MAX];
    char *text;
    int rc;

    for (size_t i = 0; i < e->count; i++)
        out[i] = (struct state_export){.path = e->predictors[i].path,
                                       .sig = e->predictors[i].sig,
                                       .demos = e->predictors[i].applied.demos,
                                       .demos_count = e->predictors[i].applied.demos_count};
    if (file_exists(path))
        return err_set(err, ERR_EXISTS, "--state: %s is there already", path);
    if (!(text = program_state_print(out, e->count, e->from, err)))
        return -1;
    rc = file_write_atomic(path, 0666, text, strlen(text), err);
    mem_free(text);
    if (rc == 0)
        cli_say(e->cli, "wrote %s", path);
    return rc;
}

static int print_one(struct export *e, struct err *err)
{
    const struct signature *sig = e->predictors[0].sig;
    char *text = args_has(&e->cli->args, OPTION_PYTHON) ? python_export(sig, err)
                                                        : signature_definition_print(sig, err);
    int rc;

    if (!text)
        return -1;
    rc = fputs(text, e->cli->out) < 0 || fflush(e->cli->out) != 0
             ? err_set(err, ERR_INTERNAL, "output: cannot be written")
             : 0;
    mem_free(text);
    return rc;
}

static int check_form(const struct args *a, size_t count, struct err *err)
{
    int forms =
        args_has(a, OPTION_PYTHON) + args_has(a, OPTION_DEFINITION) + args_has(a, OPTION_STATE);

    if (forms != 1)
        return err_set(err, ERR_INVALID, "wanted one of --python, --definition and --state FILE");
    if (args_has(a, OPTION_DEFINITION) && args_has(a, OPTION_TYPED))
        return err_set(err, ERR_INVALID, "--definition is of the text form; it names its record");
    if (count > 1 && !args_has(a, OPTION_STATE))
        return err_set(err, ERR_INVALID, "several signatures go with --state only");
    return 0;
}

static int run_export(struct export *e, const char *const *words, size_t count, struct err *err)
{
    const struct args *a = &e->cli->args;

    if (check_form(a, count, err) < 0 || !(e->catalog = signature_args_catalog(a, err)))
        return -1;
    if (args_has(a, OPTION_FROM) && !(e->from = program_state_load(a->value[OPTION_FROM], err)))
        return err_prefix(err, "--from");
    for (size_t i = 0; i < count; i++)
        if (add_predictor(e, words[i], err) < 0)
            return -1;
    return args_has(a, OPTION_STATE) ? write_state(e, a->value[OPTION_STATE], err)
                                     : print_one(e, err);
}

int cmd_signature_export(struct cli *c, const char *const *words, size_t count)
{
    struct export e = {.cli = c};
    struct err err = {0};
    int rc = run_export(&e, words, count, &err);

    export_clear(&e);
    return rc < 0 ? cli_refuse(c, &err) : CLI_OK;
}
