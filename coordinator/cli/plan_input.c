/* plan_input.c - see plan_input.h. */
#include "coordinator/cli/plan_input.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/plan.h"
#include "common/model/proposal.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/cli.h"

#include <string.h>

/* ---- from the coordinator ---- */

static int ask_plan(struct cli *c, struct plan_get_request *asked, struct response **out)
{
    struct request request;
    int rc;

    record_init(&request_type, &request);
    request.plan_get = asked;
    rc = cli_ask(c, &request, offsetof(struct response, plan), CLI_LOOK_MS, out);
    text_set(&request.request_id, NULL, NULL);
    return rc;
}

/* The items of a list move to the end of another of the same type. */
static int move_items(const struct record_type *type, void *to, size_t *to_count, void *from,
                      size_t *from_count, struct err *err)
{
    for (size_t i = 0; i < *from_count; i++) {
        void *item = records_add(type, to, to_count, err);

        if (!item)
            return -1;
        memcpy(item, (char *)from + i * type->size, type->size);
        record_init(type, (char *)from + i * type->size);
    }
    *from_count = 0;
    return 0;
}

static int add_page(struct plan_reply *all, struct plan_reply *page, struct err *err)
{
    char *next = page->next;

    page->next = NULL;
    mem_free(all->next);
    all->next = next;
    if (move_items(&assignment_type, &all->plan->assignments, &all->plan->assignments_count,
                   page->plan->assignments, &page->plan->assignments_count, err) < 0)
        return -1;
    return move_items(&delivery_type, &all->deliveries, &all->deliveries_count, page->deliveries,
                      &page->deliveries_count, err);
}

/* The pages after the first, into it. */
static int get_pages(struct cli *c, struct plan_get_request *asked, struct plan_reply *all)
{
    int rc = CLI_OK;

    while (rc == CLI_OK && all->next) {
        struct response *page = NULL;
        struct err err = {0};

        asked->after = all->next;
        rc = ask_plan(c, asked, &page);
        if (rc == CLI_OK && add_page(all, page->plan, &err) < 0) {
            cli_say(c, "%s", err.text);
            rc = CLI_BROKEN;
        }
        response_free(page);
    }
    return rc;
}

int plan_input_ask(struct cli *c, const char *plan_id, const char *device_id, bool proposal,
                   struct response **out)
{
    struct plan_get_request asked;
    int rc;

    record_init(&plan_get_request_type, &asked);
    asked.plan_id = (char *)(uintptr_t)plan_id; /* borrowed, both */
    asked.device_id = (char *)(uintptr_t)device_id;
    if (proposal)
        asked.proposal = TRI_TRUE;
    rc = ask_plan(c, &asked, out);
    if (rc != CLI_OK)
        return rc;
    rc = get_pages(c, &asked, (*out)->plan);
    if (rc != CLI_OK) {
        response_free(*out);
        *out = NULL;
    }
    return rc;
}

/* ---- from a file ---- */

bool plan_input_is_file(const char *word)
{
    size_t len = strlen(word);

    return strchr(word, '/') || (len > 5 && strcmp(word + len - 5, ".json") == 0);
}

int plan_input_json(struct cli *c, const char *path, struct json **out)
{
    struct err err = {0};

    *out = json_read_file(path, &err);
    if (*out)
        return CLI_OK;
    cli_say(c, "%s", err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

/* What `plan show --json` prints has the plan in it. */
const struct json *plan_input_within(const struct json *value)
{
    const struct json *plan = json_member(value, "plan");

    if (plan)
        value = plan;
    return json_member(value, "assignments") && json_member(value, "kind") ? value : NULL;
}

int plan_input_plan(struct cli *c, const char *path, const struct json *value, struct plan **out)
{
    struct err err = {0};
    void *record = NULL;

    if (document_read(&plan_type, value, &record, &err) == 0) {
        *out = record;
        return CLI_OK;
    }
    cli_say(c, "%s: %s", path, err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

static int from_file(struct cli *c, const char *path, struct plan **out)
{
    const struct json *plan;
    struct json *value;
    int rc = plan_input_json(c, path, &value);

    if (rc != CLI_OK)
        return rc;
    plan = plan_input_within(value);
    if (plan) {
        rc = plan_input_plan(c, path, plan, out);
    } else {
        cli_say(c, "%s: no plan; wanted what `espalier plan show ID --json` prints", path);
        rc = CLI_USAGE;
    }
    json_free(value);
    return rc;
}

int plan_input_read(struct cli *c, const char *word, struct plan **out)
{
    struct response *r = NULL;
    int rc;

    if (plan_input_is_file(word))
        return from_file(c, word, out);
    rc = plan_input_ask(c, word, NULL, false, &r);
    if (rc == CLI_OK) {
        *out = r->plan->plan;
        r->plan->plan = NULL;
    }
    response_free(r);
    return rc;
}
