/* fleet.c - the set of devices: enrolling, finding, liveness, paging.
 *
 * The map finds by id; pages and snapshots go in order of id through a sorted array. A device that
 * joins or goes only marks the array as out of order, and the next reader sorts it once: sorting
 * 100,000 pointers takes some 20 ms, moving them for each of 100,000 enrolments would take seconds.
 * Ids that arrive in order (a restart) keep it sorted. */
#include "coordinator/fleet/fleet_inner.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/model/snapshot.h"
#include "coordinator/fleet/device_class.h"
#include "coordinator/fleet/calibration.h"

#include <stdlib.h>
#include <string.h>

static int check_times(int64_t late_ms, int64_t offline_ms, struct err *err)
{
    if (late_ms < 1)
        return err_set(err, ERR_INVALID, "late_ms: %lld, wanted 1 or more", (long long)late_ms);
    if (offline_ms <= late_ms)
        return err_set(err, ERR_INVALID, "offline_ms: %lld, wanted more than late_ms (%lld)",
                       (long long)offline_ms, (long long)late_ms);
    return 0;
}

struct fleet *fleet_new(const struct fleet_settings *settings, struct err *err)
{
    struct fleet *f;

    if (settings->max_devices < 1 || settings->max_devices > DEVICES_MAX) {
        err_set(err, ERR_INVALID, "max_devices: %zu, wanted 1 to %d", settings->max_devices,
                DEVICES_MAX);
        return NULL;
    }
    if (check_times(settings->late_ms, settings->offline_ms, err) < 0)
        return NULL;
    /* one class more than devices: a device joins its new class before it leaves the old one */
    if (!(f = mem_zalloc(sizeof *f)) || !(f->by_id = map_new(settings->max_devices)) ||
        !(f->classes = map_new(settings->max_devices + 1)) ||
        !(f->calibration = calibration_table_new(err))) {
        err_set(err, ERR_NOMEM, "fleet of %zu devices", settings->max_devices);
        fleet_free(f);
        return NULL;
    }
    f->settings = *settings;
    f->sorted_ok = f->order_ok = true;
    buf_init(&f->scratch, CLASS_KEY_MAX);
    return f;
}

void fleet_free(struct fleet *f)
{
    if (!f)
        return;
    map_free(f->by_id, fleet_member_free);
    map_free(f->classes, fleet_class_free);
    calibration_table_free(f->calibration);
    mem_free(f->sorted);
    mem_free(f->order);
    buf_clear(&f->scratch);
    snapshot_unref(f->latest);
    mem_free(f);
}

int fleet_set_times(struct fleet *f, int64_t late_ms, int64_t offline_ms, struct err *err)
{
    if (check_times(late_ms, offline_ms, err) < 0)
        return -1;
    f->settings.late_ms = late_ms;
    f->settings.offline_ms = offline_ms;
    return 0;
}

void fleet_changed(struct fleet *f)
{
    snapshot_unref(f->latest);
    f->latest = NULL;
}

/* --- joining and going --- */

/* Room for one more pointer in sorted; doubling. */
static int sorted_reserve(struct fleet *f)
{
    size_t cap = f->sorted_cap ? f->sorted_cap * 2 : 16;
    struct fleet_member **more;

    if (map_count(f->by_id) < f->sorted_cap)
        return 0;
    if (!(more = mem_realloc_array(f->sorted, cap, sizeof(struct fleet_member *))))
        return -1;
    f->sorted = more;
    f->sorted_cap = cap;
    return 0;
}

static struct fleet_member *member_new(const struct fleet_saved *saved, struct err *err)
{
    struct fleet_member *m = mem_zalloc(sizeof *m);

    if (!m || !(m->pub.id = mem_strdup(saved->id)) ||
        (saved->public_key && !(m->pub.public_key = mem_strdup(saved->public_key))) ||
        (saved->profile_digest && !(m->pub.profile_digest = mem_strdup(saved->profile_digest)))) {
        err_set(err, ERR_NOMEM, "device %s", saved->id);
        fleet_member_free(m);
        return NULL;
    }
    m->pub.liveness = LIVENESS_OFFLINE;
    m->pub.heard_ms = saved->heard_ms;
    m->pub.profile_ms = saved->profile_ms;
    m->pub.state_ms = UNKNOWN_I64;
    m->pub.generation = saved->generation > 0 ? saved->generation : 0;
    return m;
}

static int check_enrol(const struct fleet *f, const char *id, struct err *err)
{
    if (!id || !*id || strlen(id) > ID_TEXT_MAX)
        return err_set(err, ERR_INVALID, "device id: \"%.80s\", wanted 1 to %d characters",
                       id ? id : "", ID_TEXT_MAX);
    if (map_get(f->by_id, id))
        return err_set(err, ERR_EXISTS, "device %s is enrolled already", id);
    if (map_is_full(f->by_id))
        return err_set(err, ERR_TOO_BIG, "device %s: the fleet is full (max_devices is %zu)", id,
                       f->settings.max_devices);
    return 0;
}

int fleet_restore(struct fleet *f, const struct fleet_saved *saved, struct profile **profile,
                  struct err *err)
{
    const struct profile *p = profile ? *profile : NULL;
    struct fleet_member *m = NULL;
    size_t last = map_count(f->by_id);

    if (check_enrol(f, saved->id, err) < 0)
        return -1;
    if (sorted_reserve(f) < 0) {
        err_set(err, ERR_NOMEM, "device %s", saved->id);
        goto fail;
    }
    if (!(m = member_new(saved, err)) || !(m->profile_key = fleet_profile_key(p, err)) ||
        !(m->class = fleet_class_join(f, m->profile_key, NULL, p, NULL, err)))
        goto fail;
    if (map_put(f->by_id, saved->id, m, NULL) < 0) {
        err_set(err, ERR_NOMEM, "device %s", saved->id);
        goto fail;
    }
    if (profile) {
        m->pub.profile = *profile;
        m->pub.name = *profile ? (*profile)->name : NULL;
        *profile = NULL;
    }
    f->sorted[last] = m;
    f->sorted_ok = f->sorted_ok && (!last || strcmp(f->sorted[last - 1]->pub.id, m->pub.id) < 0);
    f->by_liveness[LIVENESS_OFFLINE]++;
    fleet_changed(f);
    return 0;
fail:
    if (m && m->class)
        fleet_class_leave(f, m->class);
    fleet_member_free(m);
    return -1;
}

int fleet_enrol(struct fleet *f, const char *id, const char *public_key, struct err *err)
{
    struct fleet_saved saved = {id, public_key, NULL, UNKNOWN_I64, UNKNOWN_I64, 0};

    return fleet_restore(f, &saved, NULL, err);
}

int fleet_forget(struct fleet *f, const char *id)
{
    struct fleet_member *m = map_remove(f->by_id, id);
    size_t at = 0, left;

    if (!m)
        return -1;
    left = map_count(f->by_id);
    while (f->sorted[at] !=
           m) /* pointers: 100,000 in some 50 us, and people forget devices by hand */
        at++;
    memmove(&f->sorted[at], &f->sorted[at + 1], (left - at) * sizeof(struct fleet_member *));
    f->by_liveness[m->pub.liveness]--;
    fleet_class_leave(f, m->class);
    fleet_member_free(m);
    fleet_changed(f);
    return 0;
}

/* --- finding --- */

struct fleet_member *fleet_member_find(const struct fleet *f, const char *id)
{
    return id ? map_get(f->by_id, id) : NULL;
}

const struct fleet_device *fleet_find(const struct fleet *f, const char *id)
{
    const struct fleet_member *m = fleet_member_find(f, id);

    return m ? &m->pub : NULL;
}

const struct fleet_device *fleet_find_key(const struct fleet *f, const char *public_key)
{
    const struct map_entry *e;
    size_t cursor = 0;

    while ((e = map_next(f->by_id, &cursor))) {
        const struct fleet_device *d = e->value;

        if (d->public_key && strcmp(d->public_key, public_key) == 0)
            return d;
    }
    return NULL;
}

static int compare_members(const void *a, const void *b)
{
    const struct fleet_member *const *x = a, *const *y = b;

    return strcmp((*x)->pub.id, (*y)->pub.id);
}

static void sort_members(struct fleet *f)
{
    if (!f->sorted_ok)
        qsort(f->sorted, map_count(f->by_id), sizeof(struct fleet_member *), compare_members);
    f->sorted_ok = true;
}

struct fleet_member *const *fleet_sorted(struct fleet *f)
{
    sort_members(f);
    return f->sorted;
}

/* Place of the first device whose id is greater. */
static size_t sorted_after(const struct fleet *f, const char *after)
{
    size_t low = 0, high = map_count(f->by_id);

    while (after && low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(f->sorted[mid]->pub.id, after) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct fleet_device *fleet_next(struct fleet *f, const char *after)
{
    size_t at;

    sort_members(f);
    at = sorted_after(f, after);
    return at < map_count(f->by_id) ? &f->sorted[at]->pub : NULL;
}

static bool starts_with(const char *text, const char *prefix)
{
    return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

const struct fleet_device *fleet_next_match(struct fleet *f, const char *after, const char *prefix)
{
    size_t count = map_count(f->by_id);

    sort_members(f);
    for (size_t at = sorted_after(f, after); at < count; at++) {
        const struct fleet_device *d = &f->sorted[at]->pub;

        if (starts_with(d->id, prefix) || starts_with(d->name, prefix))
            return d;
    }
    return NULL;
}

const struct fleet_device *fleet_find_prefix(struct fleet *f, const char *prefix, struct err *err)
{
    const struct fleet_device *d = fleet_find(f, prefix), *first, *second, *named = NULL;
    size_t same_name = 0;

    if (d)
        return d;
    first = fleet_next_match(f, NULL, prefix);
    second = first ? fleet_next_match(f, first->id, prefix) : NULL;
    if (!first) {
        err_set(err, ERR_NOT_FOUND, "no device has an id or name that starts with \"%.80s\"",
                prefix);
        return NULL;
    }
    for (d = first; d && second; d = fleet_next_match(f, d->id, prefix))
        if (d->name && strcmp(d->name, prefix) == 0) {
            named = d;
            same_name++;
        }
    if (!second || same_name == 1)
        return second ? named : first;
    err_set(err, ERR_INVALID, "\"%.80s\" could be %s or %s: give more of it", prefix, first->id,
            second->id);
    return NULL;
}

/* --- liveness --- */

int fleet_member_set_liveness(struct fleet *f, struct fleet_member *m, enum liveness liveness)
{
    if (m->pub.liveness == liveness)
        return 0;
    f->by_liveness[m->pub.liveness]--;
    f->by_liveness[liveness]++;
    m->pub.liveness = liveness;
    fleet_changed(f);
    return 1;
}

static enum liveness liveness_at(const struct fleet *f, const struct fleet_member *m,
                                 int64_t now_ms)
{
    int64_t silent_ms;

    if (m->pub.liveness == LIVENESS_OFFLINE || !known_i64(m->pub.heard_ms))
        return LIVENESS_OFFLINE;
    silent_ms = now_ms - m->pub.heard_ms;
    if (silent_ms > f->settings.offline_ms)
        return LIVENESS_OFFLINE;
    return silent_ms > f->settings.late_ms ? LIVENESS_LATE : LIVENESS_ONLINE;
}

size_t fleet_tick(struct fleet *f, int64_t now_ms, fleet_moved_fn *fn, void *arg)
{
    const struct map_entry *e;
    size_t cursor = 0, moved = 0;

    while ((e = map_next(f->by_id, &cursor))) {
        struct fleet_member *m = e->value;
        enum liveness now = liveness_at(f, m, now_ms);

        if (now <= m->pub.liveness || !fleet_member_set_liveness(f, m, now))
            continue; /* ticks move down only: up is for those that say something */
        moved++;
        if (fn)
            fn(arg, &m->pub);
    }
    return moved;
}

struct fleet_counts fleet_counts(const struct fleet *f)
{
    struct fleet_counts c = {
        .enrolled = map_count(f->by_id),
        .online = f->by_liveness[LIVENESS_ONLINE],
        .late = f->by_liveness[LIVENESS_LATE],
        .offline = f->by_liveness[LIVENESS_OFFLINE],
        .classes = map_count(f->classes),
    };

    return c;
}

int fleet_learn(struct fleet *f, const char *key, const struct calibration_reading *reading,
                int64_t wall_now_ms, const struct calibration **out, struct err *err)
{
    int rc = calibration_learn(f->calibration, key, reading, wall_now_ms, out, err);

    if (rc == 0 && *out)
        fleet_changed(f);
    return rc;
}

int fleet_restore_calibration(struct fleet *f, const struct calibration *from, struct err *err)
{
    return calibration_restore(f->calibration, from, err);
}

const struct calibration_table *fleet_learnt(const struct fleet *f)
{
    return f->calibration;
}
