/* on_inspect.c - requests that only look. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/tool_message.h"
#include "coordinator/config/config.h"
#include "coordinator/fleet/fleet.h"
#include "coordinator/front/keyring.h"
#include "coordinator/lm/lm_endpoint.h"
#include "coordinator/store/store.h"

#include <stdio.h>
#include <string.h>

#define DEVICES_PAGE 1000     /* as tool.proto says */
#define PLANS_PAGE 100        /* likewise */
#define MEASUREMENTS_PAGE 100 /* likewise */
#define WATCH_MAX_MS 60000    /* the row of deliveries.wait_ms */

static void answer_nomem(struct coordinator *c, struct pending *p)
{
    struct err err = {0};

    err_set(&err, ERR_NOMEM, "no memory for the answer");
    answer_error(c, p, &err, NULL);
}

#define SHOWN_URL_MAX 512 /* as tool.proto says */

/* Who is asked, without what an address may hold of secrets. */
static int describe_model(const struct coordinator *c, struct status_reply *s, struct err *err)
{
    const char *model = c->config->lm_model, *shown = c->config->lm_replay;
    struct lm_endpoint e = {0};
    char cut[SHOWN_URL_MAX + 1];
    int rc = -1;

    if (shown)
        model = "a recording";
    else if (!c->config->lm_url)
        return 0;
    else if (lm_endpoint_parse(c->config->lm_url, &e, err) < 0)
        return -1;
    else
        shown = e.display;
    snprintf(cut, text_utf8_fit(shown, strlen(shown), SHOWN_URL_MAX) + 1, "%s", shown);
    if (text_set(&s->lm_url, cut, err) == 0)
        rc = text_set(&s->lm_model, model, err);
    lm_endpoint_clear(&e);
    return rc;
}

static int fill_status(struct coordinator *c, struct status_reply *s, struct err *err)
{
    struct front_counters counters = front_counters(c->front);
    struct fleet_counts fleet = fleet_counts(c->fleet);
    struct delivery_counts deliveries = delivery_counts_all(c->deliveries);

    s->protocol_version = PROTOCOL_VERSION;
    s->uptime_seconds = (double)(c->now_ms - c->started_ms) / 1000.0;
    s->devices_online = (int64_t)fleet.online;
    s->devices_late = (int64_t)fleet.late;
    s->devices_offline = (int64_t)fleet.offline;
    s->classes = (int64_t)fleet.classes;
    s->plans_active = (int64_t)map_count(c->active);
    s->deliveries_open = (int64_t)deliveries.open;
    s->messages_in = counters.agent_messages;
    s->messages_refused = counters.refused;
    s->messages_dropped = counters.dropped;
    s->unknown_values = counters.unknown_values;
    if (text_set(&s->version, ESPALIER_VERSION, err) < 0 ||
        text_set(&s->coordinator_id, c->coordinator_id, err) < 0 || describe_model(c, s, err) < 0 ||
        text_set(&s->agents_endpoint, front_agents_endpoint(c->front), err) < 0 ||
        text_set(&s->tools_endpoint, front_tools_endpoint(c->front), err) < 0 ||
        text_set(&s->events_endpoint, front_events_endpoint(c->front), err) < 0 ||
        text_set(&s->public_key, c->keys.public_key, err) < 0)
        return -1;
    return 0;
}

void show_status(struct coordinator *c, struct pending *p)
{
    struct response response;
    struct err err = {0};

    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    if (!(response.status = status_reply_new(&err)) || fill_status(c, response.status, &err) < 0) {
        record_clear(&response_type, &response);
        answer_error(c, p, &err, NULL);
        return;
    }
    answer(c, p, &response);
}

static int add_device(struct coordinator *c, const struct fleet_device *d,
                      struct devices_reply *reply, struct err *err)
{
    struct device *copy = NULL, *item;

    if (fleet_device_to_model(c->fleet, d, c->now_ms, &copy, err) < 0)
        return -1;
    copy->plans_open = (int64_t)delivery_open_for_device(c->deliveries, d->id);
    if (!(item = records_add(&device_type, &reply->devices, &reply->devices_count, err))) {
        device_free(copy);
        return -1;
    }
    *item = *copy;
    mem_free(copy);
    return 0;
}

void show_devices(struct coordinator *c, struct pending *p)
{
    const struct devices_request *asked = p->request->devices;
    int64_t limit = asked->limit == UNKNOWN_I64 ? DEVICES_PAGE : asked->limit;
    struct response response;
    const struct fleet_device *d;
    struct err err = {0};
    const char *last = NULL;

    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    if (!(response.devices = devices_reply_new(&err)))
        goto fail;
    response.devices->total = (int64_t)fleet_counts(c->fleet).enrolled;
    d = asked->device_id ? fleet_next_match(c->fleet, asked->after, asked->device_id)
                         : fleet_next(c->fleet, asked->after);
    if (!d && asked->device_id && !asked->after) {
        err_set(&err, ERR_NOT_FOUND, "devices.device_id: no device's id or name starts with \"%s\"",
                asked->device_id);
        goto fail;
    }
    while (d && limit-- > 0) {
        if (add_device(c, d, response.devices, &err) < 0)
            goto fail;
        last = d->id;
        d = asked->device_id ? fleet_next_match(c->fleet, d->id, asked->device_id)
                             : fleet_next(c->fleet, d->id);
    }
    if (d && text_set(&response.devices->next, last, &err) < 0)
        goto fail;
    answer(c, p, &response);
    return;
fail:
    record_clear(&response_type, &response);
    answer_error(c, p, &err, "devices.device_id");
}

void show_keys(struct coordinator *c, struct pending *p)
{
    struct response response;
    struct err err = {0};
    size_t count;
    const struct key *keys = keyring_keys(c->keyring, &count);

    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    if (!(response.keys = keys_reply_new(&err)))
        goto fail;
    for (size_t i = 0; i < count; i++) {
        struct key *copy = key_dup(&keys[i], &err);
        struct key *item =
            copy ? records_add(&key_type, &response.keys->keys, &response.keys->keys_count, &err)
                 : NULL;

        if (!item) {
            key_free(copy);
            goto fail;
        }
        *item = *copy;
        mem_free(copy);
    }
    answer(c, p, &response);
    return;
fail:
    record_clear(&response_type, &response);
    answer_error(c, p, &err, NULL);
}

/* Submit a read for p; an operation that could not be filled answers p with the reason. */
static void read_store(struct coordinator *c, struct pending *p, enum pending_kind next,
                       enum store_kind kind, const char *plan_id, const char *device_id,
                       int64_t limit)
{
    struct err err = {0};
    struct store_op *op = store_op_new(kind, 0, c->wall_ms, &err);

    p->kind = next;
    if (!op || text_set(&op->plan_id, plan_id, &err) < 0 ||
        text_set(&op->device_id, device_id, &err) < 0) {
        store_op_free(op);
        answer_error(c, p, &err, NULL);
        return;
    }
    op->limit = limit;
    if (submit(c, &op, p, &err) < 0)
        answer_error(c, p, &err, NULL);
}

void show_plans(struct coordinator *c, struct pending *p)
{
    const struct plans_request *asked = p->request->plans;

    read_store(c, p, PENDING_PLANS, STORE_LIST_PLANS, asked->after, NULL,
               asked->limit == UNKNOWN_I64 ? PLANS_PAGE : asked->limit);
}

void show_plan(struct coordinator *c, struct pending *p)
{
    const struct plan_get_request *asked = p->request->plan_get;

    read_store(c, p, PENDING_PLAN, STORE_GET_PLAN, asked->plan_id, asked->device_id, UNKNOWN_I64);
}

void show_measurements(struct coordinator *c, struct pending *p)
{
    const struct measurements_request *asked = p->request->measurements;

    read_store(c, p, PENDING_MEASUREMENTS, STORE_GET_MEASUREMENTS, asked->plan_id, asked->device_id,
               asked->limit == UNKNOWN_I64 ? MEASUREMENTS_PAGE : asked->limit);
}

int answer_deliveries(struct coordinator *c, struct pending *p, const char *plan_id)
{
    struct response response;
    struct deliveries_reply *reply;
    struct delivery *deliveries = NULL;
    size_t count = 0;

    if (delivery_for_plan(c->deliveries, plan_id, &deliveries, &count, NULL) < 0)
        return -1;
    if (!(reply = deliveries_reply_new(NULL))) {
        for (size_t i = 0; i < count; i++)
            record_clear(&delivery_type, &deliveries[i]);
        mem_free(deliveries);
        answer_nomem(c, p);
        return 0;
    }
    reply->revision = delivery_revision(c->deliveries, plan_id);
    reply->deliveries = deliveries;
    reply->deliveries_count = count;
    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    response.deliveries = reply;
    answer(c, p, &response);
    return 0;
}

void show_deliveries(struct coordinator *c, struct pending *p)
{
    const struct deliveries_request *asked = p->request->deliveries;
    int64_t revision = delivery_revision(c->deliveries, asked->plan_id);
    int64_t wait = asked->wait_ms == UNKNOWN_I64 ? 0 : asked->wait_ms;
    struct err err = {0};

    if (revision == 0) {
        read_store(c, p, PENDING_DELIVERIES, STORE_GET_DELIVERIES, asked->plan_id, NULL,
                   UNKNOWN_I64);
        return;
    }
    if (asked->revision == UNKNOWN_I64 || revision > asked->revision || wait == 0) {
        answer_deliveries(c, p, asked->plan_id);
        return;
    }
    if (text_set(&p->plan_id, asked->plan_id, &err) < 0) {
        answer_error(c, p, &err, NULL);
        return;
    }
    p->kind = PENDING_WATCH;
    p->revision = asked->revision;
    p->deadline_ms = c->now_ms + (wait < WATCH_MAX_MS ? wait : WATCH_MAX_MS);
}
