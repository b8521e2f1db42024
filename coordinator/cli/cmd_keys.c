/* cmd_keys.c - who may come in: let a key in, shut one out, list them. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/tool_message.h"
#include "common/net/keys.h"
#include "coordinator/cli/table.h"

#include <string.h>

/* Ask for something that answers with a DoneReply, and say what was done. */
static int carry_out(struct cli *c, struct request *request)
{
    struct response *r;
    struct page p;
    int rc = cli_ask(c, request, offsetof(struct response, done), CLI_LOOK_MS, &r);

    text_set(&request->request_id, NULL, NULL);
    if (rc != CLI_OK)
        return rc;
    if (c->json) {
        rc = cli_json(c, &done_reply_type, r->done);
    } else {
        cli_page(c, &p);
        page_line(&p, STYLE_PLAIN, "%s: %s", r->done->id ? r->done->id : "?",
                  r->done->text ? r->done->text : "done");
        rc = cli_show(c, &p);
    }
    response_free(r);
    return rc;
}

int cmd_devices_allow(struct cli *c, const char *const *words, size_t count)
{
    struct key_allow_request asked;
    struct request request;
    const char *role = c->args.value[OPTION_TOOL];
    struct err err = {0};

    (void)count;
    record_init(&key_allow_request_type, &asked);
    record_init(&request_type, &request);
    if (net_key_check(words[0], &err) < 0) {
        cli_say(c, "%s", err.text);
        return CLI_USAGE;
    }
    asked.public_key = (char *)(uintptr_t)words[0]; /* borrowed, here and below */
    asked.kind = role ? KEY_KIND_TOOL : KEY_KIND_AGENT;
    if (role)
        asked.role = strcmp(role, "operator") == 0 ? ROLE_OPERATOR : ROLE_VIEWER;
    asked.name = (char *)(uintptr_t)c->args.value[OPTION_NAME];
    asked.device_id = (char *)(uintptr_t)c->args.value[OPTION_DEVICE];
    request.key_allow = &asked;
    return carry_out(c, &request);
}

int cmd_devices_forget(struct cli *c, const char *const *words, size_t count)
{
    struct key_forget_request asked;
    struct request request;

    (void)count;
    record_init(&key_forget_request_type, &asked);
    record_init(&request_type, &request);
    asked.id = (char *)(uintptr_t)words[0];
    request.key_forget = &asked;
    return carry_out(c, &request);
}

static void show_keys(struct page *p, const struct keys_reply *reply)
{
    static const struct column columns[] = {
        {.title = "public key", .whole = true},
        {.title = "kind"},
        {.title = "role"},
        {.title = "device", .most = 24, .whole = true},
        {.title = "name", .most = 40},
    };
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

    for (size_t i = 0; i < reply->keys_count; i++) {
        const struct key *k = &reply->keys[i];

        table_cell(t, STYLE_PLAIN, "%s", k->public_key);
        table_cell(t, STYLE_PLAIN, "%s", enum_name(&key_kind_names, k->kind));
        table_cell(t, STYLE_PLAIN, "%s", k->role ? enum_name(&role_names, k->role) : "-");
        table_cell(t, STYLE_PLAIN, "%s", k->device_id ? k->device_id : "-");
        table_cell(t, STYLE_PLAIN, "%s", k->name ? k->name : "");
        table_row(t);
    }
    if (reply->keys_count > 0)
        table_print(t, p);
    else
        page_line(p, STYLE_PLAIN, "No key is let in yet: espalier devices allow KEY");
    table_free(t);
}

int cmd_devices_keys(struct cli *c, const char *const *words, size_t count)
{
    struct keys_request asked;
    struct request request;
    struct response *r;
    struct page p;
    int rc;

    (void)words;
    (void)count;
    record_init(&keys_request_type, &asked);
    record_init(&request_type, &request);
    request.keys = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, keys), CLI_LOOK_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    if (rc != CLI_OK)
        return rc;
    if (c->json) {
        rc = cli_json(c, &keys_reply_type, r->keys);
    } else {
        cli_page(c, &p);
        show_keys(&p, r->keys);
        rc = cli_show(c, &p);
    }
    response_free(r);
    return rc;
}
