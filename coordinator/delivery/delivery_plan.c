/* delivery_plan.c - deliveries of a plan or a device as a whole: closing, expiring, what is due,
 * counts, lists. */
#include "coordinator/delivery/delivery_inner.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/plan.h"
#include "common/model/tool_message.h"

#include <stdlib.h>
#include <string.h>

/* --- room --- */

static void device_unlink(struct delivery_table *t, struct delivery_entry *e)
{
    struct delivery_device *d = e->device;
    struct delivery_entry **at = &d->first;

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    if (!d->first) {
        map_remove(t->devices, d->device_id);
        mem_free(d->device_id);
        mem_free(d);
    }
}

void delivery_plan_drop(struct delivery_table *t, struct delivery_plan *plan)
{
    map_remove(t->plans, plan->plan_id);
    for (size_t i = 0; i < plan->count; i++) {
        device_unlink(t, plan->entries[i]);
        t->by_state[plan->entries[i]->pub.state]--;
    }
    t->items -= plan->count;
    delivery_plan_free(plan);
}

static struct delivery_counts counts_of(const size_t by_state[DELIVERY_STATE_EXPIRED + 1])
{
    struct delivery_counts c = {0};

    for (int s = DELIVERY_STATE_PENDING; s <= DELIVERY_STATE_EXPIRED; s++) {
        size_t n = by_state[s];

        c.by_state[s] = n;
        c.total += n;
        if (!delivery_is_final((enum delivery_state)s))
            c.unfinished += n;
        switch ((enum delivery_state)s) {
        case DELIVERY_STATE_PENDING:
        case DELIVERY_STATE_SENT:
        case DELIVERY_STATE_RECEIVED:
            c.open += n;
            break;
        case DELIVERY_STATE_APPLIED:
        case DELIVERY_STATE_RUNNING:
        case DELIVERY_STATE_DONE:
            c.done += n;
            break;
        case DELIVERY_STATE_FAILED:
        case DELIVERY_STATE_REFUSED:
        case DELIVERY_STATE_EXPIRED:
            c.failed += n;
            break;
        case DELIVERY_STATE_UNSET:
        case DELIVERY_STATE_SUPERSEDED:
        case DELIVERY_STATE_CANCELLED:
            c.closed += n;
            break;
        }
    }
    return c;
}

/* The plan opened first of those that are finished; never one that is being opened (its entries are
 * pending). */
static struct delivery_plan *oldest_finished(const struct delivery_table *t)
{
    const struct map_entry *m;
    size_t cursor = 0;

    while ((m = map_next(t->plans, &cursor))) {
        struct delivery_plan *p = m->value;

        if (p->count && counts_of(p->by_state).unfinished == 0)
            return p;
    }
    return NULL;
}

int delivery_room(struct delivery_table *t, size_t more, struct err *err)
{
    if (more > t->max_items)
        return err_set(err, ERR_TOO_BIG, "%zu deliveries, limit %zu", more, t->max_items);
    while (t->items + more > t->max_items) {
        struct delivery_plan *p = oldest_finished(t);

        if (!p)
            return err_set(err, ERR_BUSY, "%zu of %zu deliveries are unfinished, no room for %zu",
                           t->items, t->max_items, more);
        delivery_plan_drop(t, p);
    }
    return 0;
}

/* --- closing --- */

/* One entry: event, reason, callback. 1 when it changed. The reason is lost when memory is out; the
 * change is not. */
static int entry_close(struct delivery_table *t, struct delivery_entry *e,
                       enum delivery_event event, const char *reason, int64_t now_ms,
                       delivery_change_fn *fn, void *arg)
{
    struct delivery_change change = {&e->pub, e->pub.state, true};

    if (delivery_is_final(e->pub.state) || !delivery_entry_apply(t, e, event, false, now_ms))
        return 0;
    if (reason)
        text_set(&e->pub.reason, reason, NULL);
    if (fn)
        fn(arg, &change);
    return 1;
}

static int64_t plan_close(struct delivery_table *t, const char *plan_id, enum delivery_event event,
                          const char *reason, int64_t now_ms, delivery_change_fn *fn, void *arg)
{
    struct delivery_plan *p = delivery_plan_find(t, plan_id);
    int64_t changed = 0;

    if (!p)
        return -1;
    for (size_t i = 0; i < p->count; i++)
        changed += entry_close(t, p->entries[i], event, reason, now_ms, fn, arg);
    return changed;
}

int64_t delivery_cancel_plan(struct delivery_table *t, const char *plan_id, const char *reason,
                             int64_t now_ms, delivery_change_fn *fn, void *arg)
{
    return plan_close(t, plan_id, DELIVERY_EVENT_CANCELLED, reason, now_ms, fn, arg);
}

int64_t delivery_supersede_plan(struct delivery_table *t, const char *plan_id, int64_t now_ms,
                                delivery_change_fn *fn, void *arg)
{
    return plan_close(t, plan_id, DELIVERY_EVENT_SUPERSEDED,
                      "a newer plan of the job took its place", now_ms, fn, arg);
}

int64_t delivery_cancel_device(struct delivery_table *t, const char *device_id, const char *reason,
                               int64_t now_ms, delivery_change_fn *fn, void *arg)
{
    struct delivery_device *d = delivery_device_find(t, device_id);
    int64_t changed = 0;

    if (!d)
        return -1;
    for (struct delivery_entry *e = d->first; e; e = e->next)
        changed += entry_close(t, e, DELIVERY_EVENT_CANCELLED, reason, now_ms, fn, arg);
    return changed;
}

size_t delivery_expire(struct delivery_table *t, int64_t now_ms, delivery_change_fn *fn, void *arg)
{
    const struct map_entry *m;
    size_t cursor = 0, expired = 0;

    while ((m = map_next(t->plans, &cursor))) {
        struct delivery_plan *p = m->value;
        bool unreceived = p->by_state[DELIVERY_STATE_PENDING] || p->by_state[DELIVERY_STATE_SENT];

        for (size_t i = 0; unreceived && i < p->count; i++) {
            struct delivery_entry *e = p->entries[i];

            if (now_ms - e->pub.created_ms >= t->expire_ms)
                expired += (size_t)entry_close(t, e, DELIVERY_EVENT_EXPIRED, "not received in time",
                                               now_ms, fn, arg);
        }
    }
    return expired;
}

/* --- Hello --- */

static bool is_due(const struct delivery_entry *e, int64_t highest_generation)
{
    if (!e->assignment)
        return false;
    return e->pub.state == DELIVERY_STATE_PENDING || e->pub.state == DELIVERY_STATE_SENT ||
           (!delivery_is_final(e->pub.state) && e->pub.generation > highest_generation);
}

const struct delivery_item *delivery_due(const struct delivery_table *t, const char *device_id,
                                         int64_t highest_generation, int64_t *after)
{
    const struct delivery_device *d = delivery_device_find(t, device_id);

    for (const struct delivery_entry *e = d ? d->first : NULL; e; e = e->next)
        if (e->pub.generation > *after && is_due(e, highest_generation)) {
            *after = e->pub.generation;
            return &e->pub;
        }
    return NULL;
}

static bool is_newest_of_job(const struct delivery_entry *e)
{
    for (const struct delivery_entry *later = e->next; later; later = later->next)
        if (strcmp(later->pub.job_id, e->pub.job_id) == 0)
            return false;
    return true;
}

const struct delivery_item *delivery_to_cancel(const struct delivery_table *t,
                                               const char *device_id, int64_t *after)
{
    const struct delivery_device *d = delivery_device_find(t, device_id);

    for (const struct delivery_entry *e = d ? d->first : NULL; e; e = e->next)
        if (e->pub.generation > *after && e->pub.attempts > 0 && !e->agent_ended &&
            (e->pub.state == DELIVERY_STATE_CANCELLED ||
             e->pub.state == DELIVERY_STATE_SUPERSEDED) &&
            is_newest_of_job(e)) {
            *after = e->pub.generation;
            return &e->pub;
        }
    return NULL;
}

size_t delivery_open_for_device(const struct delivery_table *t, const char *device_id)
{
    const struct delivery_device *d = delivery_device_find(t, device_id);
    size_t count = 0;

    for (const struct delivery_entry *e = d ? d->first : NULL; e; e = e->next)
        count += !delivery_is_final(e->pub.state);
    return count;
}

/* --- counts and lists --- */

int64_t delivery_revision(const struct delivery_table *t, const char *plan_id)
{
    const struct delivery_plan *p = delivery_plan_find(t, plan_id);

    return p ? p->revision : 0;
}

struct delivery_counts delivery_counts(const struct delivery_table *t, const char *plan_id)
{
    static const size_t none[DELIVERY_STATE_EXPIRED + 1];
    const struct delivery_plan *p = delivery_plan_find(t, plan_id);

    return counts_of(p ? p->by_state : none);
}

struct delivery_counts delivery_counts_all(const struct delivery_table *t)
{
    return counts_of(t->by_state);
}

const char *delivery_next_plan(const struct delivery_table *t, size_t *cursor)
{
    const struct map_entry *m = map_next(t->plans, cursor);

    return m ? m->key : NULL;
}

int delivery_item_to_model(const struct delivery_item *item, struct delivery *out, struct err *err)
{
    struct delivery d;

    record_init(&delivery_type, &d);
    d.generation = item->generation;
    d.state = item->state;
    d.exit_code = item->exit_code;
    d.updated_ms = item->updated_ms;
    d.attempts = item->attempts;
    if (text_set(&d.plan_id, item->plan_id, err) < 0 ||
        text_set(&d.device_id, item->device_id, err) < 0 ||
        text_set(&d.device_name, item->device_name, err) < 0 ||
        text_set(&d.job_id, item->job_id, err) < 0 || text_set(&d.reason, item->reason, err) < 0) {
        record_clear(&delivery_type, &d);
        return -1;
    }
    *out = d;
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct delivery_entry *const *x = a, *const *y = b;

    return strcmp((*x)->pub.device_id, (*y)->pub.device_id);
}

int delivery_for_plan(const struct delivery_table *t, const char *plan_id, struct delivery **out,
                      size_t *count, struct err *err)
{
    struct delivery_plan *p = delivery_plan_find(t, plan_id);
    struct delivery *list = NULL;
    size_t made = 0;

    if (!p)
        return err_set(err, ERR_NOT_FOUND, "no deliveries of plan %s", plan_id);
    if (!p->sorted)
        qsort(p->entries, p->count, sizeof(struct delivery_entry *), compare_entries);
    p->sorted = true;
    while (made < p->count) {
        struct delivery *d = records_add(&delivery_type, &list, &made, err);

        if (!d || delivery_item_to_model(&p->entries[made - 1]->pub, d, err) < 0)
            goto fail;
    }
    *out = list;
    *count = made;
    return 0;
fail:
    for (size_t i = 0; i < made; i++)
        record_clear(&delivery_type, &list[i]);
    mem_free(list);
    return -1;
}
