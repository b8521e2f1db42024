/* cmd_signature_ask.c - the exact messages of a question; and the question asked. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/show_signature.h"
#include "coordinator/cli/signature_args.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/signature_info.h"

#include <stddef.h>
#include <string.h>

static int render(struct cli *c, const struct signature_render_request *asked,
                  struct prompt_reply **out, struct err *err)
{
    struct catalog *catalog = signature_args_catalog(&c->args, err);
    struct framing *framing = framing_builtin(err);
    int rc = catalog && framing ? inquiry_render(catalog, framing, asked, out, err) : -1;

    framing_free(framing);
    catalog_free(catalog);
    return rc;
}

int cmd_signature_render(struct cli *c, const char *const *words, size_t count)
{
    struct signature_render_request asked;
    struct prompt_reply *reply = NULL;
    struct err err = {0};
    struct page p;
    int rc = -1;

    (void)count;
    record_init(&signature_render_request_type, &asked);
    if ((asked.question = signature_question_new(&err)) &&
        signature_args_question(&c->args, words[0], asked.question, &err) == 0)
        rc = render(c, &asked, &reply, &err);
    record_clear(&signature_render_request_type, &asked);
    if (rc < 0)
        return cli_refuse(c, &err);
    if (c->json) {
        rc = cli_json(c, &prompt_reply_type, reply);
    } else {
        cli_page(c, &p);
        show_prompt(&p, reply);
        rc = cli_show(c, &p);
    }
    prompt_reply_free(reply);
    return rc;
}

/* ---- run ---- */

/* A signature of the user's own folder is sent along: the coordinator may not have it. */
static int send_own(struct cli *c, struct signature_choice *choice, struct err *err)
{
    struct catalog *catalog;
    const struct signature *sig;
    int rc = 0;

    if (!args_has(&c->args, OPTION_FOLDER) || strstr(choice->name, "->"))
        return 0;
    if (!(catalog = signature_args_catalog(&c->args, err)))
        return -1;
    if (!(sig = catalog_find(catalog, choice->name)))
        rc = err_set(err, ERR_NOT_FOUND, "there is no signature \"%.80s\"", choice->name);
    else if (choice->typed != TRI_TRUE) { /* the typed form is the coordinator's own */
        choice->defined = signature_info_of(sig, err);
        rc = choice->defined ? text_set(&choice->name, NULL, err) : -1;
    }
    catalog_free(catalog);
    return rc;
}

static int show_run_reply(struct cli *c, const struct signature_run_reply *reply)
{
    struct page p;
    int rc;

    if (c->json) {
        rc = cli_json(c, &signature_run_reply_type, reply);
    } else {
        cli_page(c, &p);
        show_run(&p, reply);
        rc = cli_show(c, &p);
    }
    return rc == CLI_OK && reply->failure ? CLI_REFUSED : rc;
}

int cmd_signature_run(struct cli *c, const char *const *words, size_t count)
{
    struct signature_run_request asked;
    struct request request;
    struct response *r = NULL;
    struct err err = {0};
    int rc;

    (void)count;
    record_init(&signature_run_request_type, &asked);
    record_init(&request_type, &request);
    asked.retry = args_has(&c->args, OPTION_NO_RETRY) ? TRI_FALSE : TRI_TRUE;
    asked.fallback = args_has(&c->args, OPTION_NO_FALLBACK) ? TRI_FALSE : TRI_TRUE;
    if (!(asked.question = signature_question_new(&err)) ||
        signature_args_question(&c->args, words[0], asked.question, &err) < 0 ||
        send_own(c, asked.question->signature, &err) < 0) {
        record_clear(&signature_run_request_type, &asked);
        return cli_refuse(c, &err);
    }
    request.signature_run = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, signature_run), CLI_PLAN_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    record_clear(&signature_run_request_type, &asked);
    if (rc != CLI_OK)
        return rc;
    rc = show_run_reply(c, r->signature_run);
    response_free(r);
    return rc;
}
