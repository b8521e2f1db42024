/* cmd_plan.c - plans that are there: show one, why, watch, cancel. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/deliveries.h"
#include "coordinator/cli/plan_input.h"
#include "coordinator/cli/show.h"

#include <string.h>

/* The part of the plan that is the device's; said where it has none. */
static const struct assignment *part_of(struct cli *c, const struct plan *plan, const char *word,
                                        const char *id)
{
    const struct assignment *a = show_assignment(plan, id);

    if (!a)
        cli_say(c, "not_found: plan %s has no client %s", plan->plan_id ? plan->plan_id : "", word);
    return a;
}

typedef void show_part_fn(struct page *p, const struct plan_reply *reply,
                          const struct assignment *a);

static void part_why(struct page *p, const struct plan_reply *reply, const struct assignment *a)
{
    show_why(p, reply->plan, a);
}

/* One client's part of a plan, shown in one way or another. */
static int show_part(struct cli *c, const char *plan_id, const char *word, bool proposal,
                     show_part_fn *fn)
{
    const struct assignment *a;
    struct response *r = NULL;
    char *id = NULL;
    struct page p;
    int rc = cli_device(c, word, &id);

    if (rc != CLI_OK)
        return rc;
    rc = plan_input_ask(c, plan_id, id, proposal, &r);
    if (rc == CLI_OK && c->json) {
        rc = cli_json(c, &plan_reply_type, r->plan);
    } else if (rc == CLI_OK && !(a = part_of(c, r->plan->plan, word, id))) {
        rc = CLI_REFUSED;
    } else if (rc == CLI_OK) {
        cli_page(c, &p);
        fn(&p, r->plan, a);
        if (proposal) {
            page_blank(&p);
            show_proposal(&p, r->plan->plan);
        }
        rc = cli_show(c, &p);
    }
    response_free(r);
    mem_free(id);
    return rc;
}

int cmd_plan_show(struct cli *c, const char *const *words, size_t count)
{
    const char *client = c->args.value[OPTION_CLIENT];
    bool proposal = args_has(&c->args, OPTION_PROPOSAL);
    struct response *r = NULL;
    struct page p;
    int rc;

    (void)count;
    if (client)
        return show_part(c, words[0], client, proposal, show_client);
    rc = plan_input_ask(c, words[0], NULL, proposal, &r);
    if (rc != CLI_OK)
        return rc;
    if (c->json) {
        rc = cli_json(c, &plan_reply_type, r->plan);
    } else {
        cli_page(c, &p);
        if (proposal)
            show_proposal(&p, r->plan->plan);
        else
            show_plan(&p, r->plan, false);
        rc = cli_show(c, &p);
    }
    response_free(r);
    return rc;
}

int cmd_plan_why(struct cli *c, const char *const *words, size_t count)
{
    (void)count;
    return show_part(c, words[0], words[1], false, part_why);
}

int cmd_plan_watch(struct cli *c, const char *const *words, size_t count)
{
    struct deliveries_reply *deliveries = NULL;
    struct page p;
    int rc, shown = CLI_OK;

    (void)count;
    rc = deliveries_watch(c, words[0], true, c->args.timeout_ms, &deliveries);
    if (deliveries && c->json) {
        shown = cli_json(c, &deliveries_reply_type, deliveries);
    } else if (deliveries) {
        cli_page(c, &p);
        show_deliveries(&p, deliveries);
        shown = cli_show(c, &p);
    }
    deliveries_reply_free(deliveries);
    return shown != CLI_OK ? shown : rc;
}

int cmd_plan_cancel(struct cli *c, const char *const *words, size_t count)
{
    struct plan_cancel_request asked;
    struct request request;
    struct response *r = NULL;
    struct page p;
    int rc;

    (void)count;
    record_init(&plan_cancel_request_type, &asked);
    record_init(&request_type, &request);
    asked.plan_id = (char *)(uintptr_t)words[0]; /* borrowed, both */
    asked.reason = (char *)(uintptr_t)c->args.value[OPTION_REASON];
    request.plan_cancel = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, done), CLI_LOOK_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    if (rc != CLI_OK)
        return rc;
    if (c->json) {
        rc = cli_json(c, &done_reply_type, r->done);
    } else {
        cli_page(c, &p);
        page_line(&p, STYLE_PLAIN, "plan %s: %s", r->done->id ? r->done->id : words[0],
                  r->done->text ? r->done->text : "cancelled");
        rc = cli_show(c, &p);
    }
    response_free(r);
    return rc;
}
