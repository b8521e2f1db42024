/* cmd_devices.c - the fleet, page by page, or one device. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/show.h"
#include "coordinator/cli/table.h"

#include <inttypes.h>
#include <string.h>

/* A list under way, over all its pages. */
struct listing {
    struct cli *cli;
    const char *word; /* of the user; NULL: all devices */
    struct table *table;
    struct page page;
    size_t shown, late, offline;
    bool synthetic;
    int64_t total;
};

static int ask_page(struct listing *l, const char *after, struct response **out)
{
    struct devices_request asked;
    struct request request;
    int rc;

    record_init(&devices_request_type, &asked);
    record_init(&request_type, &request);
    asked.device_id = (char *)(uintptr_t)l->word; /* borrowed, both */
    asked.after = (char *)(uintptr_t)after;
    request.devices = &asked;
    rc = cli_ask(l->cli, &request, offsetof(struct response, devices), CLI_LOOK_MS, out);
    text_set(&request.request_id, NULL, NULL);
    return rc;
}

static int add_json(struct listing *l, const struct device *d)
{
    struct err err = {0};
    char *text = document_print(&device_type, d, false, &err);

    if (!text)
        return cli_fail(l->cli, &err);
    buf_addf(&l->page.text, "%s\n    %s", l->shown > 0 ? "," : "", text);
    mem_free(text);
    return CLI_OK;
}

static int add_page(struct listing *l, const struct devices_reply *reply)
{
    if (known_i64(reply->total))
        l->total = reply->total;
    for (size_t i = 0; i < reply->devices_count; i++) {
        const struct device *d = &reply->devices[i];

        if (l->cli->json) {
            if (add_json(l, d) != CLI_OK)
                return CLI_BROKEN;
        } else {
            show_devices_row(l->table, d);
        }
        l->shown++;
        l->late += d->liveness == LIVENESS_LATE;
        l->offline += d->liveness == LIVENESS_OFFLINE;
        l->synthetic = l->synthetic || show_devices_synthetic(d);
    }
    if (!l->cli->json && reply->devices_count > 0)
        table_print(l->table, &l->page);
    return cli_show(l->cli, &l->page);
}

static int end_list(struct listing *l)
{
    struct page *p = &l->page;

    if (l->cli->json) {
        buf_adds(&p->text, l->shown > 0 ? "\n  ]" : "]");
        if (known_i64(l->total))
            buf_addf(&p->text, ",\n  \"total\": %" PRId64, l->total);
        buf_adds(&p->text, "\n}\n");
    } else if (l->shown == 0) {
        page_wrap(p, 0, STYLE_PLAIN,
                  "No device is enrolled yet: espalier devices allow KEY, with the key that "
                  "`espalier-agent key` prints on the Mac.");
    } else {
        show_hidden(p, l->table);
        page_line(p, STYLE_PLAIN, "%zu %s: %zu online, %zu late, %zu offline%s", l->shown,
                  l->shown == 1 ? "device" : "devices", l->shown - l->late - l->offline, l->late,
                  l->offline, l->synthetic ? "; * its state is made up (synthetic)" : "");
    }
    return cli_show(l->cli, p);
}

/* Pages until there is no next; ids rise, so one that does not would go on for ever. */
static int list_pages(struct listing *l, struct response *first)
{
    struct response *r = first;
    char *after = NULL, *next = NULL;
    int rc = CLI_OK;

    if (l->cli->json)
        buf_adds(&l->page.text, "{\n  \"devices\": [");
    for (;;) {
        rc = add_page(l, r->devices);
        if (rc == CLI_OK && r->devices->next && !(next = mem_strdup(r->devices->next)))
            rc = CLI_BROKEN;
        if (next && strcmp(next, after ? after : "") <= 0) {
            cli_say(l->cli, "the coordinator's list has no end");
            rc = CLI_UNREACHED;
        }
        response_free(r);
        r = NULL;
        if (rc == CLI_OK && next)
            rc = ask_page(l, next, &r);
        mem_free(after);
        after = next;
        next = NULL;
        if (!r) {
            mem_free(after);
            return rc == CLI_OK ? end_list(l) : rc;
        }
    }
}

int cmd_devices(struct cli *c, const char *const *words, size_t count)
{
    struct listing l = {.cli = c, .word = count ? words[0] : NULL, .total = UNKNOWN_I64};
    const struct device *device;
    struct response *r;
    int rc = ask_page(&l, NULL, &r);

    if (rc != CLI_OK)
        return rc;
    cli_page(c, &l.page);
    device = l.word && !c->json ? cli_meant(r->devices, l.word) : NULL;
    if (device) {
        show_device(&l.page, device);
        rc = cli_show(c, &l.page);
        response_free(r);
        return rc;
    }
    l.table = show_devices_table();
    rc = list_pages(&l, r);
    table_free(l.table);
    page_clear(&l.page);
    return rc;
}
