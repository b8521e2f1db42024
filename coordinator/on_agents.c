/* on_agents.c - what agents say, and what is sent to them. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/plan.h"
#include "common/model/tool_message.h"
#include "coordinator/config/config.h"
#include "coordinator/fleet/fleet.h"
#include "coordinator/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void heard(struct coordinator *c, const char *device_id, int came_online)
{
    if (came_online != 1)
        return;
    log_info(device_id, "online");
    publish(c, EVENT_KIND_DEVICE_ONLINE, device_id, NULL, NULL, 0, NULL);
}

void on_device_moved(void *arg, const struct fleet_device *d)
{
    struct coordinator *c = arg;
    int kind = d->liveness == LIVENESS_OFFLINE ? EVENT_KIND_DEVICE_OFFLINE : EVENT_KIND_DEVICE_LATE;

    log_info(d->id, "%s", enum_name(&liveness_names, d->liveness));
    publish(c, kind, d->id, NULL, NULL, 0, NULL);
}

void send_cancel(struct coordinator *c, const struct delivery_item *item)
{
    struct coordinator_message message;
    struct cancel cancel;

    record_init(&coordinator_message_type, &message);
    record_init(&cancel_type, &cancel);
    cancel.plan_id = item->plan_id;
    cancel.job_id = item->job_id;
    cancel.generation = item->generation;
    cancel.reason = item->reason;
    message.cancel = &cancel;
    if (front_send(c->front, item->device_id, &message) == 0)
        log_info(item->device_id, "cancel of %s sent", item->plan_id);
}

void send_receipt(struct coordinator *c, const char *device_id, int64_t sequence)
{
    struct coordinator_message message;
    struct receipt receipt;

    record_init(&coordinator_message_type, &message);
    record_init(&receipt_type, &receipt);
    receipt.sequences = &sequence;
    receipt.sequences_count = 1;
    message.receipt = &receipt;
    front_send(c->front, device_id, &message); /* lost: the agent repeats, and is told again */
}

static void keep_digest(struct coordinator *c, const char *device_id, const char *digest)
{
    char *copy = mem_strdup(digest);
    void *old = NULL;

    if (!copy || map_put(c->digests, device_id, copy, &old) < 0)
        mem_free(
            copy); /* the profile is kept without digest, and asked for again at the next Hello */
    mem_free(old);
}

static void send_welcome(struct coordinator *c, const char *device_id, bool want_profile)
{
    struct coordinator_message message;
    struct welcome welcome;

    record_init(&coordinator_message_type, &message);
    record_init(&welcome_type, &welcome);
    welcome.coordinator_id = c->coordinator_id;
    welcome.device_id = (char *)(uintptr_t)device_id;
    welcome.heartbeat_ms = c->config->state_interval_ms;
    welcome.want_profile = want_profile ? TRI_TRUE : TRI_FALSE;
    welcome.coordinator_version = (char *)(uintptr_t)ESPALIER_VERSION;
    welcome.wall_ms = c->wall_ms;
    message.welcome = &welcome;
    front_send(c->front, device_id, &message);
}

static void raise_generation(struct coordinator *c, const struct fleet_device *d, int64_t highest)
{
    struct store_op *op;

    if (highest == UNKNOWN_I64 || highest <= d->generation)
        return;
    log_warn(d->id, "it holds generation %" PRId64 ", we gave %" PRId64 ": going on from there",
             highest, d->generation);
    fleet_generation_jump(c->fleet, d->id, highest);
    op = store_op_new(STORE_GENERATION, 0, c->wall_ms, NULL);
    if (op && text_set(&op->device_id, d->id, NULL) == 0) {
        op->generation = highest;
        submit_write(c, &op);
    }
    store_op_free(op);
}

void on_hello(void *arg, const char *device_id, const struct hello *hello)
{
    struct coordinator *c = arg;
    const struct fleet_device *d = fleet_find(c->fleet, device_id);
    const struct delivery_item *item;
    int64_t highest = hello->highest_generation == UNKNOWN_I64 ? 0 : hello->highest_generation;
    int64_t after = 0;
    bool want_profile;

    if (!d) { /* its key was allowed a moment ago, by hand: the list is read at the next tick */
        struct err err = {0};

        if (enrol_allowed(c, &err) < 0 || !(d = fleet_find(c->fleet, device_id))) {
            log_err(device_id, "could not be enrolled: %s", err.text);
            return;
        }
    }
    heard(c, device_id, fleet_heard(c->fleet, device_id, c->now_ms));
    raise_generation(c, d, highest);
    want_profile =
        !d->profile || !d->profile_digest || strcmp(d->profile_digest, hello->profile_digest) != 0;
    if (want_profile)
        keep_digest(c, device_id, hello->profile_digest);
    send_welcome(c, device_id, want_profile);
    for (after = 0; (item = delivery_to_cancel(c->deliveries, device_id, &after));)
        send_cancel(c, item);
    for (after = 0; (item = delivery_due(c->deliveries, device_id, highest, &after));)
        send_assignment(c, item);
}

static void store_profile(struct coordinator *c, const struct fleet_device *d)
{
    struct store_op *op = store_op_new(STORE_PROFILE, 0, c->wall_ms, NULL);

    if (op && text_set(&op->device_id, d->id, NULL) == 0 &&
        text_set(&op->digest, d->profile_digest, NULL) == 0 &&
        (op->profile = profile_dup(d->profile, NULL)))
        submit_write(c, &op);
    store_op_free(op);
}

static void take_profile(struct coordinator *c, const char *device_id, struct profile **profile)
{
    char *digest = map_remove(c->digests, device_id);
    struct err err = {0};
    int rc = fleet_profile(c->fleet, device_id, profile, digest, c->now_ms, &err);

    mem_free(digest);
    if (rc < 0) {
        log_err(device_id, "profile not taken: %s", err.text);
        return;
    }
    heard(c, device_id, rc);
    store_profile(c, fleet_find(c->fleet, device_id));
    publish(c, EVENT_KIND_DEVICE_PROFILE, device_id, NULL, NULL, 0, NULL);
}

static void take_state(struct coordinator *c, const char *device_id, struct state **state)
{
    struct err err = {0};
    int rc = fleet_state(c->fleet, device_id, state, c->now_ms, &err);

    if (rc < 0)
        log_err(device_id, "state not taken: %s", err.text);
    else
        heard(c, device_id, rc);
}

/* Store what must not be lost, and tell the agent once it is. */
static void submit_receipted(struct coordinator *c, const char *device_id, int64_t sequence,
                             struct lesson **lesson, struct store_op **op)
{
    struct err err = {0};
    struct pending *p = pending_new(c, PENDING_RECEIPT, NULL, &err);

    if (p) {
        p->sequence = sequence;
        p->lesson = lesson ? *lesson : NULL;
        if (lesson)
            *lesson = NULL;
    }
    if (!p || text_set(&p->device_id, device_id, &err) < 0 || submit(c, op, p, &err) < 0) {
        log_err(device_id, "its message waits to be repeated: %s", err.text);
        pending_free(c, p);
    }
}

static struct store_op *delivery_op(struct coordinator *c, const struct delivery_item *item)
{
    struct store_op *op = store_op_new(STORE_DELIVERIES, 0, c->wall_ms, NULL);
    struct delivery *d =
        op ? records_add(&delivery_type, &op->deliveries, &op->deliveries_count, NULL) : NULL;

    if (!d || delivery_item_to_model(item, d, NULL) < 0) {
        store_op_free(op);
        return NULL;
    }
    return op;
}

/* Everything that follows from a change but its storing. */
static void tell_change(struct coordinator *c, const struct delivery_change *change)
{
    const struct delivery_item *item = change->item;

    if (!change->changed)
        return;
    if (delivery_is_final(item->state) && item->state != DELIVERY_STATE_SUPERSEDED)
        fleet_release(c->fleet, item->device_id, item->job_id);
    publish(c, EVENT_KIND_DELIVERY, item->device_id, item->plan_id, item->job_id, (int)item->state,
            item->reason);
    wake_watchers(c);
}

void send_assignment(struct coordinator *c, const struct delivery_item *item)
{
    struct coordinator_message message;
    struct delivery_change change = {0};
    struct err err = {0};

    record_init(&coordinator_message_type, &message);
    message.assignment = (struct assignment *)(uintptr_t)item->assignment;
    if (!item->assignment || front_send(c->front, item->device_id, &message) < 0)
        return; /* it is due again at the device's next Hello */
    log_info(item->device_id, "assignment %s of job %s sent, generation %" PRId64, item->plan_id,
             item->job_id, item->generation);
    if (delivery_sent(c->deliveries, item->plan_id, item->device_id, c->wall_ms, &change, &err) < 0)
        log_err(item->device_id, "delivery of %s: %s", item->plan_id, err.text);
    else
        tell_change(
            c,
            &change); /* not stored: after a restart it is pending, and sent again all the same */
}

void delivery_changed(void *arg, const struct delivery_change *change)
{
    struct coordinator *c = arg;
    struct store_op *op;

    if (!change->changed)
        return;
    op = delivery_op(c, change->item);
    if (op)
        submit_write(c, &op);
    store_op_free(op);
    tell_change(c, change);
}

static void take_status(struct coordinator *c, const char *device_id, int64_t sequence,
                        const struct assignment_status *status)
{
    struct delivery_change change = {0};
    struct store_op *op;
    struct err err = {0};

    if (delivery_status(c->deliveries, device_id, status, c->wall_ms, &change, &err) < 0) {
        log_info(device_id, "status of %s set aside: %s", status->plan_id, err.text);
        if (sequence != UNKNOWN_I64)
            send_receipt(c, device_id, sequence);
        return;
    }
    if (change.changed)
        log_info(device_id, "%s: %s%s%s", status->plan_id,
                 enum_name(&delivery_state_names, status->state), status->reason ? ", " : "",
                 status->reason ? status->reason : "");
    /* Also a repeated one is written before it is receipted: its first write may still be under
     * way. */
    op = delivery_op(c, change.item);
    if (op && sequence != UNKNOWN_I64)
        submit_receipted(c, device_id, sequence, NULL, &op);
    else if (op)
        submit_write(c, &op);
    store_op_free(op);
    tell_change(c, &change);
}

static void take_measurement(struct coordinator *c, const char *device_id, int64_t sequence,
                             struct measurement **measurement)
{
    const struct measurement *m = *measurement;
    const struct delivery_item *item = delivery_find(c->deliveries, m->plan_id, device_id);
    struct device_measurement *dm;
    struct lesson *lesson;
    struct store_op *op;

    if (!item) {
        log_info(device_id, "measurement of %s set aside: it has no such assignment", m->plan_id);
        if (sequence != UNKNOWN_I64)
            send_receipt(c, device_id, sequence);
        return;
    }
    lesson = lesson_of(item, m); /* now: once the assignment has ended it is gone */
    publish(c, EVENT_KIND_MEASUREMENT, device_id, m->plan_id, m->job_id, 0, m->event);
    op = store_op_new(STORE_MEASUREMENTS, 0, c->wall_ms, NULL);
    dm =
        op ? records_add(&device_measurement_type, &op->measurements, &op->measurements_count, NULL)
           : NULL;
    if (dm && text_set(&dm->device_id, device_id, NULL) == 0) {
        dm->measurement = *measurement;
        *measurement = NULL;
        submit_receipted(c, device_id, sequence, &lesson, &op);
    }
    mem_free(lesson);
    store_op_free(op);
}

static void take_goodbye(struct coordinator *c, const char *device_id,
                         const struct goodbye *goodbye)
{
    front_end_session(c->front, device_id);
    if (fleet_goodbye(c->fleet, device_id, c->now_ms) != 1)
        return;
    log_info(device_id, "goodbye%s%s", goodbye->reason ? ": " : "",
             goodbye->reason ? goodbye->reason : "");
    publish(c, EVENT_KIND_DEVICE_OFFLINE, device_id, NULL, NULL, 0, goodbye->reason);
}

void on_agent(void *arg, const char *device_id, struct agent_message **message)
{
    struct coordinator *c = arg;
    struct agent_message *m = *message;

    if (m->state) {
        take_state(c, device_id, &m->state);
        return;
    }
    heard(c, device_id, fleet_heard(c->fleet, device_id, c->now_ms));
    if (m->profile)
        take_profile(c, device_id, &m->profile);
    else if (m->status)
        take_status(c, device_id, m->sequence, m->status);
    else if (m->measurement)
        take_measurement(c, device_id, m->sequence, &m->measurement);
    else if (m->goodbye)
        take_goodbye(c, device_id, m->goodbye);
}
