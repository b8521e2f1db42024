/* fleet_device.c - what changes about one device: reports, generations, commitments, its class.
 *
 * A report first makes all that may fail (the key, the class), then swaps: on failure the fleet is
 * as it was. A device whose rounded state is that of its class stays there without a key being made
 * or looked up: with 1,000 devices reporting, that is nearly every message. */
#include "coordinator/fleet/fleet_inner.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "coordinator/fleet/device_class.h"

#include <string.h>

static int unknown_device(const char *id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "device %.80s is not enrolled", id ? id : "(none)");
}

void fleet_member_free(void *member)
{
    struct fleet_member *m = member;

    if (!m)
        return;
    for (size_t i = 0; i < m->pub.commitments; i++)
        mem_free(m->committed[i].job_id);
    mem_free(m->committed);
    mem_free(m->profile_key);
    mem_free(m->pub.id);
    mem_free(m->pub.public_key);
    mem_free(m->pub.profile_digest);
    profile_free(m->pub.profile);
    state_free(m->pub.state);
    mem_free(m);
}

/* --- classes --- */

char *fleet_profile_key(const struct profile *p, struct err *err)
{
    struct buf key;

    buf_init(&key, CLASS_KEY_MAX);
    class_key_add_profile(&key, p);
    return buf_take(&key, NULL, err);
}

void fleet_class_free(void *class)
{
    struct fleet_class *c = class;

    if (!c)
        return;
    profile_free(c->profile);
    state_free(c->state);
    mem_free(c->key);
    mem_free(c);
}

static struct fleet_class *class_new(const char *key, const struct profile *profile,
                                     const struct state *state, struct err *err)
{
    struct fleet_class *c = mem_zalloc(sizeof *c);

    if (!c || !(c->key = mem_strdup(key)))
        err_set(err, ERR_NOMEM, "class of devices");
    else if ((c->profile = class_profile_new(profile, err)) &&
             (c->state = class_state_new(state, err)))
        return c;
    fleet_class_free(c);
    return NULL;
}

struct fleet_class *fleet_class_join(struct fleet *f, const char *profile_key,
                                     const struct fleet_class *current,
                                     const struct profile *profile, const struct state *state,
                                     struct err *err)
{
    struct buf *key = &f->scratch;
    struct fleet_class *c;

    key->len = 0; /* what was there; the memory is used again */
    key->failed = key->no_memory = false;
    buf_adds(key, profile_key);
    class_key_add_state(key, state);
    if (key->failed) {
        err_set(err, key->no_memory ? ERR_NOMEM : ERR_TOO_BIG, "class key of a device");
        return NULL;
    }
    if (current && strcmp(current->key, key->data) == 0)
        c = (struct fleet_class *)(uintptr_t)current;
    else if (!(c = map_get(f->classes, key->data))) {
        if (!(c = class_new(key->data, profile, state, err)))
            return NULL;
        if (map_put(f->classes, key->data, c, NULL) < 0) {
            err_set(err, ERR_NOMEM, "class of devices");
            fleet_class_free(c);
            return NULL;
        }
    }
    c->members++;
    if (c != current)
        f->order_ok = false;
    return c;
}

void fleet_class_leave(struct fleet *f, struct fleet_class *class)
{
    if (--class->members == 0) {
        map_remove(f->classes, class->key);
        fleet_class_free(class);
        f->order_ok = false;
    }
}

/* The member is now of class `to` (joined already). */
static void member_move(struct fleet *f, struct fleet_member *m, struct fleet_class *to)
{
    struct fleet_class *from = m->class;

    if (from != to)
        f->order_ok = false;
    m->class = to;
    fleet_class_leave(f, from);
    fleet_changed(f);
}

/* --- reports --- */

static int member_heard(struct fleet *f, struct fleet_member *m, int64_t now_ms)
{
    if (!known_i64(m->pub.heard_ms) || now_ms > m->pub.heard_ms)
        m->pub.heard_ms = now_ms;
    return fleet_member_set_liveness(f, m, LIVENESS_ONLINE);
}

int fleet_heard(struct fleet *f, const char *id, int64_t now_ms)
{
    struct fleet_member *m = fleet_member_find(f, id);

    return m ? member_heard(f, m, now_ms) : -1;
}

int fleet_goodbye(struct fleet *f, const char *id, int64_t now_ms)
{
    struct fleet_member *m = fleet_member_find(f, id);

    if (!m)
        return -1;
    if (!known_i64(m->pub.heard_ms) || now_ms > m->pub.heard_ms)
        m->pub.heard_ms = now_ms;
    return fleet_member_set_liveness(f, m, LIVENESS_OFFLINE);
}

int fleet_profile(struct fleet *f, const char *id, struct profile **profile, const char *digest,
                  int64_t now_ms, struct err *err)
{
    struct fleet_member *m = fleet_member_find(f, id);
    char *key, *kept_digest = NULL;
    struct fleet_class *class;

    if (!m)
        return unknown_device(id, err);
    if (!(key = fleet_profile_key(*profile, err)))
        return -1;
    if (digest && !(kept_digest = mem_strdup(digest))) {
        mem_free(key);
        return err_set(err, ERR_NOMEM, "profile of %s", id);
    }
    if (!(class = fleet_class_join(f, key, m->class, *profile, m->pub.state, err))) {
        mem_free(key);
        mem_free(kept_digest);
        return -1;
    }
    member_move(f, m, class);
    mem_free(m->profile_key);
    mem_free(m->pub.profile_digest);
    profile_free(m->pub.profile);
    m->profile_key = key;
    m->pub.profile_digest = kept_digest;
    m->pub.profile = *profile;
    m->pub.name = m->pub.profile->name;
    m->pub.profile_ms = now_ms;
    *profile = NULL;
    return member_heard(f, m, now_ms);
}

int fleet_state(struct fleet *f, const char *id, struct state **state, int64_t now_ms,
                struct err *err)
{
    struct fleet_member *m = fleet_member_find(f, id);

    if (!m)
        return unknown_device(id, err);
    if (!class_state_is(m->class->state, *state)) {
        struct fleet_class *class =
            fleet_class_join(f, m->profile_key, m->class, m->pub.profile, *state, err);

        if (!class)
            return -1;
        member_move(f, m, class);
    }
    fleet_changed(f); /* a snapshot also shows rates and ages */
    state_free(m->pub.state);
    m->pub.state = *state;
    m->pub.state_ms = now_ms;
    *state = NULL;
    return member_heard(f, m, now_ms);
}

const char *fleet_device_class_key(const struct fleet_device *d)
{
    return ((const struct fleet_member *)d)->class->key;
}

/* --- generations --- */

int64_t fleet_generation_next(struct fleet *f, const char *id)
{
    struct fleet_member *m = fleet_member_find(f, id);

    return m && m->pub.generation < INT64_MAX ? ++m->pub.generation : -1;
}

int fleet_generation_jump(struct fleet *f, const char *id, int64_t at_least)
{
    struct fleet_member *m = fleet_member_find(f, id);

    if (!m)
        return -1;
    if (at_least > m->pub.generation)
        m->pub.generation = at_least;
    return 0;
}

/* --- commitments --- */

static size_t commitment_find(const struct fleet_member *m, const char *job_id)
{
    size_t i = 0;

    while (i < m->pub.commitments && strcmp(m->committed[i].job_id, job_id) != 0)
        i++;
    return i;
}

static void commitment_remove(struct fleet *f, struct fleet_member *m, size_t at)
{
    m->pub.committed_bytes -= m->committed[at].bytes;
    mem_free(m->committed[at].job_id);
    m->committed[at] = m->committed[--m->pub.commitments];
    fleet_changed(f);
}

/* One more place; the array grows by doubling from 1, since most devices have one job. */
static int commitment_reserve(struct fleet_member *m)
{
    size_t n = m->pub.commitments;
    struct fleet_commitment *more;

    if (n && (n & (n - 1)))
        return 0;
    if (!(more = mem_realloc_array(m->committed, n ? n * 2 : 1, sizeof *more)))
        return -1;
    m->committed = more;
    return 0;
}

int fleet_commit(struct fleet *f, const char *id, const char *job_id, int64_t bytes,
                 struct err *err)
{
    struct fleet_member *m = fleet_member_find(f, id);
    size_t at;
    char *copy;

    if (!m)
        return unknown_device(id, err);
    if (bytes < 0)
        return err_set(err, ERR_INVALID, "committed bytes of %s: %lld, wanted 0 or more", id,
                       (long long)bytes);
    at = commitment_find(m, job_id);
    if (at == m->pub.commitments && bytes) {
        if (at == FLEET_COMMITMENTS_MAX)
            return err_set(err, ERR_TOO_BIG, "device %s has %d jobs already", id,
                           FLEET_COMMITMENTS_MAX);
        if (!(copy = mem_strdup(job_id)) || commitment_reserve(m) < 0) {
            mem_free(copy);
            return err_set(err, ERR_NOMEM, "commitment of %s", id);
        }
        m->committed[m->pub.commitments++] = (struct fleet_commitment){copy, 0};
    } else if (at < m->pub.commitments && !bytes) {
        commitment_remove(f, m, at);
    }
    if (bytes) {
        m->pub.committed_bytes += bytes - m->committed[at].bytes;
        m->committed[at].bytes = bytes;
        fleet_changed(f);
    }
    return 0;
}

void fleet_release(struct fleet *f, const char *id, const char *job_id)
{
    struct fleet_member *m = fleet_member_find(f, id);
    size_t at = m ? commitment_find(m, job_id) : 0;

    if (m && at < m->pub.commitments)
        commitment_remove(f, m, at);
}
