/* cmd_plans.c - the plans, newest first, page by page. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/show.h"
#include "coordinator/cli/table.h"

#include <string.h>

#define PAGES_MAX 10000 /* a million plans; more is a list without end */

static int ask_page(struct cli *c, const char *after, struct response **out)
{
    struct plans_request asked;
    struct request request;
    int rc;

    record_init(&plans_request_type, &asked);
    record_init(&request_type, &request);
    asked.after = (char *)(uintptr_t)after; /* borrowed */
    request.plans = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, plans), CLI_LOOK_MS, out);
    text_set(&request.request_id, NULL, NULL);
    return rc;
}

static struct table *plans_table(void)
{
    static const struct column columns[] = {
        {.title = "plan", .whole = true},
        {.title = "job", .most = 32},
        {.title = "kind", .keep = 2},
        {.title = "state"},
        {.title = "engine", .keep = 1},
        {.title = "made (UTC)", .keep = 5, .whole = true},
        {.title = "clients", .right = true},
        {.title = "left out", .right = true, .keep = 3},
        {.title = "round", .right = true, .keep = 4},
        {.title = "deliveries", .whole = true},
    };

    return table_new(columns, sizeof columns / sizeof columns[0]);
}

static const char *word(const struct enum_names *names, int value)
{
    const char *name = value ? enum_name(names, value) : NULL;

    return name ? name : "?";
}

static void deliveries_cell(struct table *t, const struct plan_summary *s)
{
    char open[FORMAT_MAX], done[FORMAT_MAX], failed[FORMAT_MAX];

    table_cell(
        t, known_i64(s->deliveries_failed) && s->deliveries_failed > 0 ? STYLE_BAD : STYLE_PLAIN,
        "%s done, %s open, %s failed", format_integer(s->deliveries_done, done),
        format_integer(s->deliveries_open, open), format_integer(s->deliveries_failed, failed));
}

static void plan_row(struct table *t, const struct plan_summary *s)
{
    char text[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s", s->plan_id);
    table_cell(t, STYLE_PLAIN, "%s", s->job_id ? s->job_id : "?");
    table_cell(t, STYLE_PLAIN, "%s", word(&plan_kind_names, s->kind));
    table_cell(t, s->state == PLAN_STATE_ACTIVE ? STYLE_GOOD : STYLE_FAINT, "%s",
               word(&plan_state_names, s->state));
    table_cell(t, STYLE_PLAIN, "%s", word(&engine_kind_names, s->engine_asked));
    table_cell(t, STYLE_PLAIN, "%.16s", format_when(s->created_ms, text)); /* to the minute */
    table_cell(t, STYLE_PLAIN, "%s", format_integer(s->clients, text));
    table_cell(t, STYLE_PLAIN, "%s", format_integer(s->left_out, text));
    table_cell(t, STYLE_PLAIN, "%s", format_seconds(s->round_seconds, text));
    deliveries_cell(t, s);
    table_row(t);
}

static int add_json(struct cli *c, struct page *p, const struct plan_summary *s, bool first)
{
    struct err err = {0};
    char *text = document_print(&plan_summary_type, s, false, &err);

    if (!text)
        return cli_fail(c, &err);
    buf_addf(&p->text, "%s\n    %s", first ? "" : ",", text);
    mem_free(text);
    return CLI_OK;
}

static int add_page(struct cli *c, struct page *p, struct table *t, const struct plans_reply *reply,
                    size_t *shown)
{
    for (size_t i = 0; i < reply->plans_count; i++, (*shown)++) {
        if (!c->json)
            plan_row(t, &reply->plans[i]);
        else if (add_json(c, p, &reply->plans[i], *shown == 0) != CLI_OK)
            return CLI_BROKEN;
    }
    if (!c->json && reply->plans_count > 0)
        table_print(t, p);
    return cli_show(c, p);
}

/* Every page; *shown is how many plans there were. */
static int list_pages(struct cli *c, struct page *p, struct table *t, size_t *shown)
{
    char *after = NULL;
    int rc = CLI_OK;

    for (size_t pages = 0; rc == CLI_OK && pages < PAGES_MAX; pages++) {
        struct response *r = NULL;

        rc = ask_page(c, after, &r);
        mem_free(after);
        after = NULL;
        if (rc == CLI_OK && pages == 0 && c->json)
            buf_adds(&p->text, "{\n  \"plans\": [");
        if (rc == CLI_OK)
            rc = add_page(c, p, t, r->plans, shown);
        if (rc == CLI_OK && r->plans->next && !(after = mem_strdup(r->plans->next)))
            rc = CLI_BROKEN;
        response_free(r);
        if (!after)
            break;
    }
    mem_free(after);
    return rc;
}

int cmd_plans(struct cli *c, const char *const *words, size_t count)
{
    struct table *t = plans_table();
    struct page p;
    size_t shown = 0;
    int rc;

    (void)words;
    (void)count;
    cli_page(c, &p);
    rc = list_pages(c, &p, t, &shown);
    if (rc == CLI_OK && c->json) {
        buf_adds(&p.text, shown > 0 ? "\n  ]\n}\n" : "]\n}\n");
    } else if (rc == CLI_OK && shown == 0) {
        page_line(&p, STYLE_PLAIN, "No plan yet: espalier plan federated JOB.json");
    } else if (rc == CLI_OK) {
        show_hidden(&p, t);
    }
    if (rc == CLI_OK)
        rc = cli_show(c, &p);
    table_free(t);
    page_clear(&p);
    return rc;
}
