/* cmd_status.c - how the coordinator is. */
#include "coordinator/cli/cli.h"

#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"

#include <inttypes.h>

static void endpoint(struct page *p, const char *label, const char *value)
{
    if (value)
        page_pair(p, label, "%s", value);
}

static void counters(struct page *p, const struct status_reply *s)
{
    char in[FORMAT_MAX], refused[FORMAT_MAX], dropped[FORMAT_MAX], newer[FORMAT_MAX];

    page_pair(
        p, "messages", "%s from agents, %s refused, %s dropped, %s values of a newer protocol",
        format_integer(s->messages_in, in), format_integer(s->messages_refused, refused),
        format_integer(s->messages_dropped, dropped), format_integer(s->unknown_values, newer));
}

static void show(struct page *p, const struct status_reply *s)
{
    char up[FORMAT_MAX], a[FORMAT_MAX], b[FORMAT_MAX], d[FORMAT_MAX], k[FORMAT_MAX];

    page_line(p, STYLE_STRONG, "Coordinator %s, version %s",
              s->coordinator_id ? s->coordinator_id : "?", s->version ? s->version : "?");
    page_pair(p, "running for", "%s", format_seconds(s->uptime_seconds, up));
    page_pair(p, "devices", "%s online, %s late, %s offline; %s classes",
              format_integer(s->devices_online, a), format_integer(s->devices_late, b),
              format_integer(s->devices_offline, d), format_integer(s->classes, k));
    page_pair(p, "plans", "%s active, %s deliveries open", format_integer(s->plans_active, a),
              format_integer(s->deliveries_open, b));
    if (s->lm_url)
        page_pair(p, "model", "%s at %s", s->lm_model ? s->lm_model : "?", s->lm_url);
    else
        page_pair(p, "model", "none: plans are analytic");
    endpoint(p, "agents", s->agents_endpoint);
    endpoint(p, "tools", s->tools_endpoint);
    endpoint(p, "events", s->events_endpoint);
    endpoint(p, "public key", s->public_key);
    counters(p, s);
}

int cmd_status(struct cli *c, const char *const *words, size_t count)
{
    struct status_request asked;
    struct request request;
    struct response *r;
    struct page p;
    int rc;

    (void)words;
    (void)count;
    record_init(&status_request_type, &asked);
    record_init(&request_type, &request);
    request.status = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, status), CLI_LOOK_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    if (rc != CLI_OK)
        return rc;
    if (c->json) {
        rc = cli_json(c, &status_reply_type, r->status);
    } else {
        cli_page(c, &p);
        show(&p, r->status);
        rc = cli_show(c, &p);
    }
    response_free(r);
    return rc;
}
