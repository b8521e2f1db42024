/* fleet_snapshot.c - classes in order, and what leaves the room: snapshots and devices as tools see
 * them.
 *
 * Classes are numbered c1, c2, ... by falling number of members, then by key: the same fleet gives
 * the same numbers. The numbers hold until somebody changes class, so they name a class within one
 * snapshot only. */
#include "coordinator/fleet/fleet_inner.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "coordinator/fleet/calibration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An unchanged fleet gets the same snapshot for so long. Its ages are those of its making. */
#define SNAPSHOT_FRESH_MS 1000

static int compare_classes(const void *a, const void *b)
{
    const struct fleet_class *const *x = a, *const *y = b;

    if ((*x)->members != (*y)->members)
        return (*x)->members > (*y)->members ? -1 : 1;
    return strcmp((*x)->key, (*y)->key);
}

/* fleet.order and every class's index, up to date. */
static int classes_order(struct fleet *f, struct err *err)
{
    size_t count = map_count(f->classes), cursor = 0;
    const struct map_entry *e;

    if (f->order_ok)
        return 0;
    if (count > f->order_cap) {
        struct fleet_class **more =
            mem_realloc_array(f->order, count * 2, sizeof(struct fleet_class *));

        if (!more)
            return err_set(err, ERR_NOMEM, "%zu classes", count);
        f->order = more;
        f->order_cap = count * 2;
    }
    for (size_t i = 0; (e = map_next(f->classes, &cursor)); i++)
        f->order[i] = e->value;
    if (count)
        qsort(f->order, count, sizeof(struct fleet_class *), compare_classes);
    for (size_t i = 0; i < count; i++)
        f->order[i]->index = i;
    f->order_ok = true;
    return 0;
}

static int copy_class(const struct fleet_class *from, size_t index, struct device_class *to,
                      struct err *err)
{
    snprintf(to->id, sizeof to->id, "c%zu", index + 1);
    to->devices = from->members;
    return (to->profile = profile_dup(from->profile, err)) &&
                   (to->state = state_dup(from->state, err))
               ? 0
               : -1;
}

static int copy_commitments(const struct fleet_member *m, struct client *to)
{
    size_t n = m->pub.commitments;

    if (!n)
        return 0;
    if (!(to->committed_job_ids = mem_calloc(n, sizeof *to->committed_job_ids)) ||
        !(to->committed_job_bytes = mem_calloc(n, sizeof *to->committed_job_bytes)))
        return -1;
    for (; to->committed_jobs < n; to->committed_jobs++) {
        const struct fleet_commitment *c = &m->committed[to->committed_jobs];

        if (!(to->committed_job_ids[to->committed_jobs] = mem_strdup(c->job_id)))
            return -1;
        to->committed_job_bytes[to->committed_jobs] = c->bytes;
    }
    to->committed_bytes = m->pub.committed_bytes;
    return 0;
}

/* now_ms less then; never negative, unknown when it never was. */
static int64_t age_ms(int64_t now_ms, int64_t then_ms)
{
    if (!known_i64(then_ms))
        return UNKNOWN_I64;
    return now_ms > then_ms ? now_ms - then_ms : 0;
}

static int copy_client(const struct fleet_member *m, int64_t now_ms, struct client *to)
{
    const struct fleet_device *d = &m->pub;

    to->up_bps = d->state ? d->state->up_bps : unknown_f64();
    to->down_bps = d->state ? d->state->down_bps : unknown_f64();
    to->class_index = m->class->index;
    to->liveness = d->liveness;
    to->state_age_ms = age_ms(now_ms, d->state_ms);
    if (!(to->device_id = mem_strdup(d->id)) || (d->name && !(to->name = mem_strdup(d->name))))
        return -1;
    return copy_commitments(m, to);
}

const struct snapshot *fleet_snapshot(struct fleet *f, int64_t mono_now_ms, int64_t wall_now_ms,
                                      struct err *err)
{
    size_t classes = map_count(f->classes), clients = map_count(f->by_id);
    struct fleet_member *const *sorted = fleet_sorted(f);
    struct snapshot *s;

    if (f->latest && mono_now_ms - f->latest_ms < SNAPSHOT_FRESH_MS && mono_now_ms >= f->latest_ms)
        return snapshot_ref(f->latest);
    if (classes_order(f, err) < 0 || !(s = snapshot_new(classes, clients, err)))
        return NULL;
    s->taken_ms = wall_now_ms;
    if (calibration_copy(f->calibration, &s->calibrations, &s->calibrations_count, err) < 0)
        goto fail;
    for (size_t i = 0; i < classes; i++)
        if (copy_class(f->order[i], i, &s->classes[i], err) < 0)
            goto fail;
    for (size_t i = 0; i < clients; i++)
        if (copy_client(sorted[i], mono_now_ms, &s->clients[i]) < 0) {
            err_set(err, ERR_NOMEM, "snapshot of %zu devices", clients);
            goto fail;
        }
    snapshot_unref(f->latest);
    f->latest = s;
    f->latest_ms = mono_now_ms;
    return snapshot_ref(s);
fail:
    snapshot_unref(s);
    return NULL;
}

int fleet_device_to_model(struct fleet *f, const struct fleet_device *d, int64_t now_ms,
                          struct device **out, struct err *err)
{
    const struct fleet_member *m = (const struct fleet_member *)d;
    struct device *r;

    if (classes_order(f, err) < 0 || !(r = device_new(err)))
        return -1;
    r->liveness = d->liveness;
    r->last_seen_age_ms = age_ms(now_ms, d->heard_ms);
    r->profile_age_ms = d->profile ? age_ms(now_ms, d->profile_ms) : UNKNOWN_I64;
    r->state_age_ms = age_ms(now_ms, d->state_ms);
    if (d->generation > 0)
        r->generation = d->generation;
    if (text_set(&r->device_id, d->id, err) < 0 ||
        text_set(&r->public_key, d->public_key, err) < 0 ||
        text_setf(&r->client_class, err, "c%zu", m->class->index + 1) < 0 ||
        (d->profile && !(r->profile = profile_dup(d->profile, err))) ||
        (d->state && !(r->state = state_dup(d->state, err)))) {
        device_free(r);
        return -1;
    }
    *out = r;
    return 0;
}
