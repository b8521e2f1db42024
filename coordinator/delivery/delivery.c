/* delivery.c - single deliveries: opened, sent, reported, found.
 *
 * An entry hangs in two places: in its plan's array (for lists and counts) and in its device's
 * chain (for Hello, for statuses and to find the job's current one). A device has as many entries
 * as plans that name it, a few dozen, so chains are walked. */
#include "coordinator/delivery/delivery_inner.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/plan.h"
#include "common/model/tool_message.h"

#include <stdlib.h>
#include <string.h>

/* Changes that one millisecond has room for before revisions run ahead of the clock; wall
 * milliseconds times this stay under 2^53 until the year 2248. */
#define REVISIONS_PER_MS 1024

struct delivery_table *delivery_table_new(size_t max_items, int64_t expire_ms, struct err *err)
{
    struct delivery_table *t;

    if (max_items < 1 || max_items > DELIVERY_ITEMS_MAX) {
        err_set(err, ERR_INVALID, "deliveries: %zu, wanted 1 to %d", max_items, DELIVERY_ITEMS_MAX);
        return NULL;
    }
    if (!(t = mem_zalloc(sizeof *t)) || !(t->plans = map_new(max_items)) ||
        !(t->devices = map_new(max_items))) {
        err_set(err, ERR_NOMEM, "table of %zu deliveries", max_items);
        delivery_table_free(t);
        return NULL;
    }
    t->max_items = max_items;
    t->expire_ms = expire_ms;
    return t;
}

void delivery_set_expire(struct delivery_table *t, int64_t expire_ms)
{
    t->expire_ms = expire_ms;
}

static void receiver_free(void *value)
{
    struct delivery_device *d = value;

    if (!d)
        return;
    mem_free(d->device_id);
    mem_free(d);
}

void delivery_table_free(struct delivery_table *t)
{
    if (!t)
        return;
    map_free(t->plans, delivery_plan_free);
    map_free(t->devices, receiver_free);
    mem_free(t);
}

static void entry_free(struct delivery_entry *e)
{
    if (!e)
        return;
    mem_free(e->pub.plan_id);
    mem_free(e->pub.job_id);
    mem_free(e->pub.device_id);
    mem_free(e->pub.device_name);
    mem_free(e->pub.reason);
    assignment_free(e->assignment);
    prediction_free(e->prediction);
    mem_free(e);
}

void delivery_plan_free(void *plan)
{
    struct delivery_plan *p = plan;

    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        entry_free(p->entries[i]);
    mem_free(p->entries);
    mem_free(p->plan_id);
    mem_free(p);
}

/* --- changing one --- */

void delivery_entry_touch(struct delivery_entry *e, int64_t now_ms)
{
    struct delivery_plan *p = e->plan;

    e->pub.updated_ms = now_ms;
    /* no less than the clock, so that it rises over a restart, which forgets it */
    p->revision =
        now_ms > p->revision / REVISIONS_PER_MS ? now_ms * REVISIONS_PER_MS : p->revision + 1;
}

bool delivery_entry_apply(struct delivery_table *t, struct delivery_entry *e,
                          enum delivery_event event, bool newer, int64_t now_ms)
{
    enum delivery_state next = delivery_next(e->pub.state, event, newer);

    if (next == e->pub.state)
        return false;
    e->plan->by_state[e->pub.state]--;
    e->plan->by_state[next]++;
    t->by_state[e->pub.state]--;
    t->by_state[next]++;
    e->pub.state = next;
    if (delivery_is_final(next)) {
        if (e->assignment) { /* its last measurements may come after its end */
            e->prediction = e->assignment->prediction;
            e->assignment->prediction = NULL;
        }
        assignment_free(e->assignment);
        e->assignment = NULL;
        e->pub.assignment = NULL;
    }
    delivery_entry_touch(e, now_ms);
    return true;
}

/* --- making one --- */

static struct delivery_entry *entry_new(const char *plan_id, const char *job_id,
                                        const char *device_id, const char *name, struct err *err)
{
    struct delivery_entry *e = mem_zalloc(sizeof *e);

    if (!e || !(e->pub.plan_id = mem_strdup(plan_id)) || !(e->pub.job_id = mem_strdup(job_id)) ||
        !(e->pub.device_id = mem_strdup(device_id)) ||
        (name && !(e->pub.device_name = mem_strdup(name)))) {
        err_set(err, ERR_NOMEM, "delivery to %s", device_id);
        entry_free(e);
        return NULL;
    }
    e->pub.state = DELIVERY_STATE_PENDING;
    e->pub.exit_code = UNKNOWN_I64;
    e->pub.agent_ms = UNKNOWN_I64;
    return e;
}

static struct delivery_plan *plan_get(struct delivery_table *t, const char *plan_id,
                                      struct err *err)
{
    struct delivery_plan *p = map_get(t->plans, plan_id);

    if (p)
        return p;
    if (!(p = mem_zalloc(sizeof *p)) || !(p->plan_id = mem_strdup(plan_id)) ||
        map_put(t->plans, plan_id, p, NULL) < 0) {
        delivery_plan_free(p);
        err_set(err, ERR_NOMEM, "deliveries of plan %s", plan_id);
        return NULL;
    }
    p->sorted = true;
    return p;
}

static struct delivery_device *device_get(struct delivery_table *t, const char *device_id,
                                          struct err *err)
{
    struct delivery_device *d = map_get(t->devices, device_id);

    if (d)
        return d;
    if (!(d = mem_zalloc(sizeof *d)) || !(d->device_id = mem_strdup(device_id)) ||
        map_put(t->devices, device_id, d, NULL) < 0) {
        receiver_free(d);
        err_set(err, ERR_NOMEM, "deliveries to %s", device_id);
        return NULL;
    }
    return d;
}

static int plan_reserve(struct delivery_plan *p, struct err *err)
{
    size_t cap = p->cap ? p->cap * 2 : 8;
    struct delivery_entry **more;

    if (p->count < p->cap)
        return 0;
    if (!(more = mem_realloc_array(p->entries, cap, sizeof(struct delivery_entry *))))
        return err_set(err, ERR_NOMEM, "deliveries of plan %s", p->plan_id);
    p->entries = more;
    p->cap = cap;
    return 0;
}

/* Plan or device that was made for an entry that failed: they go again. */
static void drop_empty(struct delivery_table *t, struct delivery_plan *p, struct delivery_device *d)
{
    if (p && !p->count)
        delivery_plan_free(map_remove(t->plans, p->plan_id));
    if (d && !d->first)
        receiver_free(map_remove(t->devices, d->device_id));
}

/* Into plan and device; cannot fail once plan_reserve has. */
static void entry_link(struct delivery_table *t, struct delivery_entry *e, struct delivery_plan *p,
                       struct delivery_device *d)
{
    struct delivery_entry **at = &d->first;

    e->plan = p;
    e->device = d;
    p->sorted = p->sorted && (!p->count || strcmp(p->entries[p->count - 1]->pub.device_id,
                                                  e->pub.device_id) < 0);
    p->entries[p->count++] = e;
    p->by_state[e->pub.state]++;
    t->by_state[e->pub.state]++;
    t->items++;
    while (*at && (*at)->pub.generation <= e->pub.generation)
        at = &(*at)->next;
    e->next = *at;
    *at = e;
}

/* Adds the entry (which moves on success only). */
static int entry_add(struct delivery_table *t, struct delivery_entry *e, struct err *err)
{
    struct delivery_plan *p = NULL;
    struct delivery_device *d = NULL;

    if (delivery_room(t, 1, err) < 0)
        return -1;
    if (!(p = plan_get(t, e->pub.plan_id, err)) || !(d = device_get(t, e->pub.device_id, err)) ||
        plan_reserve(p, err) < 0) {
        drop_empty(t, p, d);
        return -1;
    }
    entry_link(t, e, p, d);
    delivery_entry_touch(e, e->pub.updated_ms);
    return 0;
}

static int check_open(const struct delivery_table *t, const struct assignment *a, struct err *err)
{
    const struct delivery_device *d;

    if (!a->plan_id || !a->job_id || !a->device_id || !known_i64(a->generation) ||
        a->generation < 1)
        return err_set(err, ERR_INVALID,
                       "assignment: wanted plan_id, job_id, device_id and a generation from 1");
    d = delivery_device_find(t, a->device_id);
    for (const struct delivery_entry *e = d ? d->first : NULL; e; e = e->next) {
        if (strcmp(e->pub.plan_id, a->plan_id) == 0)
            return err_set(err, ERR_EXISTS, "plan %s has a delivery to %s already", a->plan_id,
                           a->device_id);
        if (strcmp(e->pub.job_id, a->job_id) == 0 && e->pub.generation >= a->generation)
            return err_set(err, ERR_EXISTS, "generation of %s for %s: %lld, wanted more than %lld",
                           a->job_id, a->device_id, (long long)a->generation,
                           (long long)e->pub.generation);
    }
    return 0;
}

/* The unfinished delivery of the job on the device; NULL when there is none. */
static struct delivery_entry *current_of(const struct delivery_table *t, const char *device_id,
                                         const char *job_id)
{
    struct delivery_device *d = delivery_device_find(t, device_id);
    struct delivery_entry *e = d ? d->first : NULL;

    while (e && (delivery_is_final(e->pub.state) || strcmp(e->pub.job_id, job_id) != 0))
        e = e->next;
    return e;
}

int delivery_open(struct delivery_table *t, struct assignment **assignment, int64_t now_ms,
                  struct delivery_change *superseded, struct err *err)
{
    const struct assignment *a = *assignment;
    struct delivery_change change = {0};
    struct delivery_entry *e, *old;
    char *reason = NULL;

    if (check_open(t, a, err) < 0 ||
        !(e = entry_new(a->plan_id, a->job_id, a->device_id, a->device_name, err)))
        return -1;
    old = current_of(t, a->device_id, a->job_id);
    if (old && text_setf(&reason, err, "plan %s took its place", a->plan_id) < 0) {
        entry_free(e);
        return -1;
    }
    e->pub.generation = a->generation;
    e->pub.created_ms = e->pub.updated_ms = now_ms;
    if (entry_add(t, e, err) < 0) {
        entry_free(e);
        mem_free(reason);
        return -1;
    }
    e->assignment = *assignment;
    e->pub.assignment = e->assignment;
    *assignment = NULL;
    if (old) {
        change.item = &old->pub;
        change.before = old->pub.state;
        change.changed = delivery_entry_apply(t, old, DELIVERY_EVENT_SUPERSEDED, false, now_ms);
        mem_free(old->pub.reason);
        old->pub.reason = reason;
    }
    if (superseded)
        *superseded = change;
    return 0;
}

static int check_load(const struct delivery_table *t, const struct delivery *d, struct err *err)
{
    if (!d->plan_id || !d->device_id || !d->job_id || d->generation < 1 ||
        d->state < DELIVERY_STATE_PENDING || d->state > DELIVERY_STATE_EXPIRED)
        return err_set(err, ERR_INVALID, "stored delivery of plan %s to %s: state %d",
                       d->plan_id ? d->plan_id : "?", d->device_id ? d->device_id : "?", d->state);
    if (delivery_find(t, d->plan_id, d->device_id))
        return err_set(err, ERR_EXISTS, "plan %s has a delivery to %s already", d->plan_id,
                       d->device_id);
    return 0;
}

int delivery_load(struct delivery_table *t, const struct delivery *saved, int64_t created_ms,
                  struct assignment **assignment, struct err *err)
{
    struct delivery_entry *e;

    if (check_load(t, saved, err) < 0 ||
        !(e = entry_new(saved->plan_id, saved->job_id, saved->device_id, saved->device_name, err)))
        return -1;
    e->pub.state = saved->state;
    e->pub.generation = saved->generation;
    e->pub.exit_code = saved->exit_code;
    e->pub.created_ms = created_ms;
    e->pub.updated_ms = known_i64(saved->updated_ms) ? saved->updated_ms : created_ms;
    e->pub.attempts = known_i64(saved->attempts) ? saved->attempts : 0;
    if (text_set(&e->pub.reason, saved->reason, err) < 0 || entry_add(t, e, err) < 0) {
        entry_free(e);
        return -1;
    }
    if (assignment && !delivery_is_final(e->pub.state)) {
        e->assignment = *assignment;
        e->pub.assignment = e->assignment;
        *assignment = NULL;
    }
    return 0;
}

/* --- events --- */

static struct delivery_entry *entry_find(const struct delivery_table *t, const char *plan_id,
                                         const char *device_id)
{
    struct delivery_device *d = delivery_device_find(t, device_id);
    struct delivery_entry *e = d ? d->first : NULL;

    while (e && strcmp(e->pub.plan_id, plan_id) != 0)
        e = e->next;
    return e;
}

static void tell(struct delivery_change *out, const struct delivery_entry *e,
                 enum delivery_state before, bool changed)
{
    if (out)
        *out = (struct delivery_change){&e->pub, before, changed};
}

int delivery_sent(struct delivery_table *t, const char *plan_id, const char *device_id,
                  int64_t now_ms, struct delivery_change *out, struct err *err)
{
    struct delivery_entry *e = entry_find(t, plan_id, device_id);
    enum delivery_state before;
    bool changed;

    if (!e)
        return err_set(err, ERR_NOT_FOUND, "no delivery of plan %s to %s", plan_id, device_id);
    before = e->pub.state;
    e->pub.attempts++;
    changed = delivery_entry_apply(t, e, DELIVERY_EVENT_SENT, false, now_ms);
    tell(out, e, before, changed);
    return 0;
}

/* The event of an agent's word; DELIVERY_EVENTS when the state is not an agent's to report. */
static enum delivery_event event_of_report(int state)
{
    static const enum delivery_event events[DELIVERY_STATE_EXPIRED + 1] = {
        [DELIVERY_STATE_UNSET] = DELIVERY_EVENTS,
        [DELIVERY_STATE_PENDING] = DELIVERY_EVENTS,
        [DELIVERY_STATE_SENT] = DELIVERY_EVENTS,
        [DELIVERY_STATE_RECEIVED] = DELIVERY_EVENT_RECEIVED,
        [DELIVERY_STATE_APPLIED] = DELIVERY_EVENT_APPLIED,
        [DELIVERY_STATE_RUNNING] = DELIVERY_EVENT_RUNNING,
        [DELIVERY_STATE_DONE] = DELIVERY_EVENT_DONE,
        [DELIVERY_STATE_FAILED] = DELIVERY_EVENT_FAILED,
        [DELIVERY_STATE_REFUSED] = DELIVERY_EVENT_REFUSED,
        [DELIVERY_STATE_SUPERSEDED] = DELIVERY_EVENT_SUPERSEDED,
        [DELIVERY_STATE_CANCELLED] = DELIVERY_EVENT_CANCELLED,
        [DELIVERY_STATE_EXPIRED] = DELIVERY_EVENTS,
    };

    return state >= 0 && state <= DELIVERY_STATE_EXPIRED ? events[state] : DELIVERY_EVENTS;
}

int delivery_status(struct delivery_table *t, const char *device_id,
                    const struct assignment_status *status, int64_t now_ms,
                    struct delivery_change *out, struct err *err)
{
    enum delivery_event event = event_of_report(status->state);
    struct delivery_entry *e = status->plan_id ? entry_find(t, status->plan_id, device_id) : NULL;
    enum delivery_state before;
    bool newer, changed;
    char *reason = NULL;

    if (event == DELIVERY_EVENTS)
        return err_set(err, ERR_INVALID, "status.state: %d, wanted received or later",
                       status->state);
    if (!e || e->pub.generation != status->generation)
        return err_set(err, ERR_NOT_FOUND, "no delivery of plan %s, generation %lld, to %s",
                       status->plan_id ? status->plan_id : "?", (long long)status->generation,
                       device_id);
    if (text_set(&reason, status->reason, err) < 0)
        return -1;
    before = e->pub.state;
    newer = known_i64(status->at_ms) &&
            (!known_i64(e->pub.agent_ms) || status->at_ms > e->pub.agent_ms);
    changed = delivery_entry_apply(t, e, event, newer, now_ms);
    if (changed) {
        mem_free(e->pub.reason);
        e->pub.reason = reason;
        e->pub.exit_code = status->exit_code;
        reason = NULL;
    }
    mem_free(reason);
    if (newer) {
        e->agent_ended = false;
        e->pub.agent_ms = status->at_ms;
    }
    e->agent_ended = e->agent_ended || delivery_is_final((enum delivery_state)status->state);
    tell(out, e, before, changed);
    return 0;
}

/* --- finding --- */

struct delivery_device *delivery_device_find(const struct delivery_table *t, const char *device_id)
{
    return map_get(t->devices, device_id);
}

struct delivery_plan *delivery_plan_find(const struct delivery_table *t, const char *plan_id)
{
    return plan_id ? map_get(t->plans, plan_id) : NULL;
}

const struct delivery_item *delivery_find(const struct delivery_table *t, const char *plan_id,
                                          const char *device_id)
{
    const struct delivery_entry *e = entry_find(t, plan_id, device_id);

    return e ? &e->pub : NULL;
}

const struct prediction *delivery_prediction(const struct delivery_item *item)
{
    const struct delivery_entry *e = (const struct delivery_entry *)item;

    return e->assignment ? e->assignment->prediction : e->prediction;
}
