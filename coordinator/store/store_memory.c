/* store_memory.c - the store without a disk, for tests and for a look around. Writes and the room's
 * life; reads are in store_memory_read.c.
 *
 * A real second backend: what it answers is what SQLite answers, and the same tests hold both. It
 * cannot fail half way: each write first makes copies, then links them. */
#include "coordinator/store/store_memory.h"

#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/random.h"
#include "coordinator/store/store_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 10000000 /* of each kind: what memory holds */

static struct memory_store *of(struct store_backend *b)
{
    return (struct memory_store *)b;
}

void *memory_add(void *block, size_t *count, size_t size, struct err *err)
{
    void **at = block, *more;
    char *item;

    if ((*count & (*count - 1)) == 0) {
        if (!(more = mem_realloc_array(*at, *count ? *count * 2 : 1, size))) {
            err_set(err, ERR_NOMEM, "store of %zu items", *count);
            return NULL;
        }
        *at = more;
    }
    item = (char *)*at + *count * size;
    memset(item, 0, size);
    (*count)++;
    return item;
}

/* --- freeing --- */

static void plan_clear(struct memory_plan *p)
{
    plan_free(p->plan);
    job_free(p->job);
    for (size_t i = 0; i < p->deliveries_count; i++)
        record_clear(&delivery_type, &p->deliveries[i]);
    mem_free(p->deliveries);
    mem_free(p->charge);
}

static void free_device(void *value)
{
    struct store_device *d = value;

    if (!d)
        return;
    mem_free(d->device_id);
    mem_free(d->public_key);
    mem_free(d->digest);
    profile_free(d->profile);
    mem_free(d);
}

static void free_key(void *value)
{
    key_free(value);
}

static void free_calibration(void *value)
{
    calibration_free(value);
}

void memory_answer_free(void *value)
{
    struct memory_answer *a = value;

    if (!a)
        return;
    mem_free(a->bytes);
    mem_free(a);
}

static void backend_close(struct store_backend *b)
{
    struct memory_store *s = of(b);

    if (!s)
        return;
    for (size_t i = 0; i < s->plans_count; i++)
        plan_clear(&s->plans[i]);
    for (size_t i = 0; i < s->measurements_count; i++)
        record_clear(&device_measurement_type, &s->measurements[i]);
    mem_free(s->plans);
    mem_free(s->measurements);
    map_free(s->devices, free_device);
    map_free(s->keys, free_key);
    map_free(s->requests, memory_answer_free);
    map_free(s->replies, memory_answer_free);
    map_free(s->measured, NULL);
    map_free(s->calibrations, free_calibration);
    mem_free(s);
}

/* --- requests --- */

static void purge_requests(struct memory_store *s, int64_t now_ms)
{
    const struct map_entry *e;
    size_t cursor = 0;

    if (now_ms - s->purged_ms < STORE_PURGE_MS && now_ms >= s->purged_ms)
        return;
    while ((e = map_next(s->requests, &cursor))) {
        if (((const struct memory_answer *)e->value)->at_ms > now_ms - s->request_keep_ms)
            continue;
        memory_answer_free(map_remove(s->requests, e->key));
        cursor = 0; /* the walk starts anew: the map changed */
    }
    s->purged_ms = now_ms;
}

/* 1: new, or the old one was forgotten; 0: there is an answer. */
static int put_request(struct memory_store *s, const struct store_op *op, struct err *err)
{
    const struct memory_answer *old;
    struct memory_answer *a;
    void *replaced = NULL;

    purge_requests(s, op->now_ms);
    old = map_get(s->requests, op->request_id);
    if (old && old->at_ms > op->now_ms - s->request_keep_ms)
        return 0;
    if (!(a = mem_zalloc(sizeof *a)) || !(a->bytes = mem_dup(op->answer, op->answer_len)) ||
        map_put(s->requests, op->request_id, a, &replaced) < 0) {
        memory_answer_free(a);
        return err_set(err, ERR_NOMEM, "answer of %zu bytes", op->answer_len);
    }
    a->at_ms = op->now_ms;
    a->len = op->answer_len;
    memory_answer_free(replaced);
    return 1;
}

/* --- plans --- */

static struct memory_plan *plan_exact(struct memory_store *s, const char *plan_id)
{
    for (size_t i = 0; i < s->plans_count; i++)
        if (strcmp(s->plans[i].plan->plan_id, plan_id) == 0)
            return &s->plans[i];
    return NULL;
}

static struct store_device *get_device(struct memory_store *s, const char *id, struct err *err)
{
    struct store_device *d = map_get(s->devices, id);

    if (d)
        return d;
    if (!(d = mem_zalloc(sizeof *d)) || !(d->device_id = mem_strdup(id)) ||
        map_put(s->devices, id, d, NULL) < 0) {
        free_device(d);
        err_set(err, ERR_NOMEM, "device %s", id);
        return NULL;
    }
    d->first_seen_ms = d->last_seen_ms = d->profile_ms = UNKNOWN_I64;
    return d;
}

static int compare_assignments(const void *a, const void *b)
{
    return strcmp(((const struct assignment *)a)->device_id,
                  ((const struct assignment *)b)->device_id);
}

/* Copies of all that the operation brings. */
static int plan_copy(const struct store_op *op, struct memory_plan *p, struct err *err)
{
    if (!(p->plan = plan_dup(op->plan, err)) || !(p->job = job_dup(op->job, err)))
        return -1;
    if (op->charge && !(p->charge = mem_dup(op->charge, sizeof *op->charge)))
        return err_set(err, ERR_NOMEM, "plan %s", op->plan->plan_id);
    if (p->plan->assignments_count)
        qsort(p->plan->assignments, p->plan->assignments_count, sizeof *p->plan->assignments,
              compare_assignments);
    for (size_t i = 0; i < p->plan->assignments_count; i++) {
        const struct assignment *a = &p->plan->assignments[i];
        struct delivery *d;

        if (i && strcmp(p->plan->assignments[i - 1].device_id, a->device_id) == 0)
            return err_set(err, ERR_EXISTS, "plan %s has two assignments of %s", op->plan->plan_id,
                           a->device_id);
        if (!store_is_delivered(a))
            continue;
        d = records_add(&delivery_type, &p->deliveries, &p->deliveries_count, err);
        if (!d || store_delivery_of(op->plan, a, op->now_ms, d, err) < 0)
            return -1;
    }
    p->created_ms = op->now_ms;
    return 0;
}

static bool open_state(int state)
{
    return state < DELIVERY_STATE_DONE;
}

/* The reason is left out where memory is. */
static void close_deliveries(struct memory_plan *p, int state, const char *reason, int64_t now_ms)
{
    for (size_t i = 0; i < p->deliveries_count; i++) {
        struct delivery *d = &p->deliveries[i];

        if (!open_state(d->state))
            continue;
        d->state = state;
        d->updated_ms = now_ms;
        text_set(&d->reason, reason, NULL);
    }
}

static void supersede_older(struct memory_store *s, const struct store_op *op)
{
    char reason[128];

    snprintf(reason, sizeof reason, "plan %s took its place", op->plan->plan_id);
    for (size_t i = 0; i < s->plans_count; i++) {
        struct memory_plan *p = &s->plans[i];

        if (p->plan->state != PLAN_STATE_ACTIVE || strcmp(p->plan->job_id, op->plan->job_id) != 0)
            continue;
        p->plan->state = PLAN_STATE_SUPERSEDED;
        close_deliveries(p, DELIVERY_STATE_SUPERSEDED, reason, op->now_ms);
    }
}

static int make_devices(struct memory_store *s, const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->assignments_count; i++)
        if (store_is_delivered(&plan->assignments[i]) &&
            !get_device(s, plan->assignments[i].device_id, err))
            return -1;
    return 0;
}

static void raise_generations(struct memory_store *s, const struct plan *plan)
{
    for (size_t i = 0; i < plan->assignments_count; i++) {
        struct store_device *d = map_get(s->devices, plan->assignments[i].device_id);

        if (store_is_delivered(&plan->assignments[i]) &&
            d->generation < plan->assignments[i].generation)
            d->generation = plan->assignments[i].generation;
    }
}

static int check_charge(const struct memory_store *s, const struct store_op *op, double *spent,
                        struct err *err)
{
    struct ledger *l = ledger_new(err);
    int rc = l ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < s->plans_count; i++) {
        const struct store_charge *c = s->plans[i].charge;

        if (c && strcmp(s->plans[i].plan->job_id, op->plan->job_id) == 0)
            rc = ledger_add(l, c->round_first, c->round_last, c->rho, c->spend, err);
    }
    if (rc == 0)
        rc = ledger_charge(l, op->plan->job_id, op->charge, spent, err);
    ledger_free(l);
    return rc;
}

static int write_plan(struct memory_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err)
{
    struct memory_plan copy = {0};
    double spent = 0;
    int rc;

    if (plan_exact(s, op->plan->plan_id))
        return err_set(err, ERR_EXISTS, "plan %s is stored already", op->plan->plan_id);
    if (record_check(&plan_type, op->plan, err) < 0 || record_check(&job_type, op->job, err) < 0 ||
        plan_copy(op, &copy, err) < 0 || (op->charge && check_charge(s, op, &spent, err) < 0) ||
        make_devices(s, op->plan, err) < 0 ||
        (op->charge && !(r->spent = mem_zalloc(sizeof *r->spent))) ||
        text_set(&r->plan_id, op->plan->plan_id, err) < 0 ||
        !memory_add(&s->plans, &s->plans_count, sizeof(struct memory_plan), err))
        goto fail;
    rc = op->request_id ? put_request(s, op, err) : 1;
    if (rc == 0)
        err_set(err, ERR_EXISTS, "request %s was answered already", op->request_id);
    if (rc < 1) {
        s->plans_count--;
        goto fail;
    }
    s->plans_count--; /* not among the older ones */
    supersede_older(s, op);
    s->plans[s->plans_count++] = copy;
    raise_generations(s, op->plan);
    r->plan_state = op->plan->state;
    if (r->spent && memory_spent(s, op->plan->job_id, r->spent, NULL) < 0) {
        mem_free(r->spent); /* the charge stands; its sum is read again at the next start */
        r->spent = NULL;
    }
    if (r->spent)
        r->spent->charged_epsilon = spent;
    return 0;
fail:
    plan_clear(&copy);
    return -1;
}

static int write_plan_state(struct memory_store *s, const struct store_op *op,
                            struct store_result *r, struct err *err)
{
    struct memory_plan *p = plan_exact(s, op->plan_id);

    if (!p)
        return err_set(err, ERR_NOT_FOUND, "no plan %s", op->plan_id);
    if (text_set(&r->plan_id, op->plan_id, err) < 0)
        return -1;
    p->plan->state = r->plan_state = op->plan_state;
    if (op->plan_state == PLAN_STATE_CANCELLED)
        close_deliveries(p, DELIVERY_STATE_CANCELLED, op->text, op->now_ms);
    return 0;
}

/* --- devices and keys --- */

static int write_device(struct memory_store *s, const struct store_op *op, struct err *err)
{
    struct store_device *d = get_device(s, op->device_id, err);

    if (!d || (op->public_key && text_set(&d->public_key, op->public_key, err) < 0))
        return -1;
    d->last_seen_ms = op->now_ms;
    if (!known_i64(d->first_seen_ms))
        d->first_seen_ms = op->now_ms;
    return 0;
}

static int write_profile(struct memory_store *s, const struct store_op *op, struct err *err)
{
    struct store_device *d;
    struct profile *copy;

    if (record_check(&profile_type, op->profile, err) < 0 ||
        !(d = get_device(s, op->device_id, err)) || !(copy = profile_dup(op->profile, err)))
        return -1;
    if (text_set(&d->digest, op->digest, err) < 0) {
        profile_free(copy);
        return -1;
    }
    profile_free(d->profile);
    d->profile = copy;
    d->profile_ms = d->last_seen_ms = op->now_ms;
    if (!known_i64(d->first_seen_ms))
        d->first_seen_ms = op->now_ms;
    return 0;
}

static int write_generation(struct memory_store *s, const struct store_op *op, struct err *err)
{
    struct store_device *d = get_device(s, op->device_id, err);

    if (!d)
        return -1;
    if (d->generation < op->generation)
        d->generation = op->generation;
    return 0;
}

static int forget_device(struct memory_store *s, const char *device_id)
{
    const struct map_entry *e;
    size_t cursor = 0;

    free_device(map_remove(s->devices, device_id));
    while ((e = map_next(s->keys, &cursor))) {
        const struct key *k = e->value;

        if (!k->device_id || strcmp(k->device_id, device_id) != 0)
            continue;
        free_key(map_remove(s->keys, e->key));
        cursor = 0; /* the walk starts anew: the map changed */
    }
    return 0;
}

static int write_key(struct memory_store *s, const struct store_op *op, struct err *err)
{
    struct key *copy;
    void *old = NULL;

    if (record_check(&key_type, op->key, err) < 0 || !(copy = key_dup(op->key, err)))
        return -1;
    if (map_put(s->keys, copy->public_key, copy, &old) < 0) {
        key_free(copy);
        return err_set(err, ERR_NOMEM, "key");
    }
    free_key(old);
    return 0;
}

static int write_calibrations(struct memory_store *s, const struct store_op *op, struct err *err)
{
    for (size_t i = 0; i < op->calibrations_count; i++) {
        struct calibration *copy;
        void *old = NULL;

        if (record_check(&calibration_type, &op->calibrations[i], err) < 0)
            return err_prefix(err, "calibrations[%zu]", i);
        if (!(copy = calibration_dup(&op->calibrations[i], err)))
            return -1;
        if (map_put(s->calibrations, copy->key, copy, &old) < 0) {
            calibration_free(copy);
            return err_set(err, ERR_NOMEM, "calibration");
        }
        free_calibration(old);
    }
    return 0;
}

/* --- batches --- */

static int write_deliveries(struct memory_store *s, const struct store_op *op,
                            struct store_result *r, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < op->deliveries_count; i++) {
        const struct delivery *from = &op->deliveries[i];
        struct memory_plan *p = from->plan_id ? plan_exact(s, from->plan_id) : NULL;

        for (size_t j = 0; p && from->device_id && j < p->deliveries_count; j++) {
            struct delivery *to = &p->deliveries[j];

            if (strcmp(to->device_id, from->device_id) != 0)
                continue;
            to->state = from->state;
            to->exit_code = from->exit_code;
            to->updated_ms = known_i64(from->updated_ms) ? from->updated_ms : op->now_ms;
            to->attempts = known_i64(from->attempts) ? from->attempts : 0;
            text_set(&to->reason, from->reason, NULL);
            r->added++;
        }
    }
    return 0;
}

/* 1: new, 0: there already. */
static int put_measurement(struct memory_store *s, const struct device_measurement *from,
                           struct err *err)
{
    const struct measurement *m = from->measurement;
    struct device_measurement *to;
    char name[256];

    snprintf(name, sizeof name, "%s/%s/%" PRId64 "/%" PRId64, m->plan_id, from->device_id,
             m->generation, m->sequence);
    if (map_get(s->measured, name))
        return 0;
    if (!(to =
              records_add(&device_measurement_type, &s->measurements, &s->measurements_count, err)))
        return -1;
    if (text_set(&to->device_id, from->device_id, err) < 0 ||
        !(to->measurement = measurement_dup(m, err)) || map_put(s->measured, name, s, NULL) < 0) {
        record_clear(&device_measurement_type, to);
        s->measurements_count--;
        return err_set(err, ERR_NOMEM, "measurement of %s", from->device_id);
    }
    return 1;
}

static int write_measurements(struct memory_store *s, const struct store_op *op,
                              struct store_result *r, struct err *err)
{
    for (size_t i = 0; i < op->measurements_count; i++)
        if (record_check(&device_measurement_type, &op->measurements[i], err) < 0)
            return err_prefix(err, "measurements[%zu]", i);
    for (size_t i = 0; i < op->measurements_count; i++) {
        int rc = put_measurement(s, &op->measurements[i], err);

        if (rc < 0)
            return -1; /* those before it stand: the agent sends all again, and they are known */
        r->added += (size_t)rc;
    }
    return 0;
}

/* --- the backend --- */

static int begin(struct store_backend *b, struct err *err)
{
    (void)err;
    of(b)->in_transaction = true;
    return 0;
}

static int commit(struct store_backend *b, struct err *err)
{
    (void)err;
    of(b)->in_transaction = false;
    return 0;
}

static void rollback(struct store_backend *b)
{
    of(b)->in_transaction = false;
}

static bool in_transaction(const struct store_backend *b)
{
    return ((const struct memory_store *)b)->in_transaction;
}

static int apply(struct store_backend *b, const struct store_op *op, struct store_result *r,
                 struct err *err)
{
    struct memory_store *s = of(b);

    switch (op->kind) {
    case STORE_PLAN:
        return write_plan(s, op, r, err);
    case STORE_PLAN_STATE:
        return write_plan_state(s, op, r, err);
    case STORE_DEVICE:
        return write_device(s, op, err);
    case STORE_PROFILE:
        return write_profile(s, op, err);
    case STORE_GENERATION:
        return write_generation(s, op, err);
    case STORE_FORGET:
        return forget_device(s, op->device_id);
    case STORE_KEY:
        return write_key(s, op, err);
    case STORE_KEY_FORGET:
        free_key(map_remove(s->keys, op->public_key));
        return 0;
    case STORE_DELIVERIES:
        return write_deliveries(s, op, r, err);
    case STORE_MEASUREMENTS:
        return write_measurements(s, op, r, err);
    case STORE_CALIBRATION:
        return write_calibrations(s, op, err);
    case STORE_REQUEST:
        return put_request(s, op, err) < 0 ? -1 : 0;
    case STORE_REPLY:
        return memory_put_reply(s, op, err);
    default:
        return memory_read(s, op, r, err);
    }
}

static const struct store_backend_type memory_type = {
    .name = "memory",
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .in_transaction = in_transaction,
    .apply = apply,
    .load = memory_load,
    .close = backend_close,
};

struct store_backend *store_memory_open(const struct store_settings *settings, struct err *err)
{
    struct memory_store *s = mem_zalloc(sizeof *s);

    if (!s || !(s->devices = map_new(ITEMS_MAX)) || !(s->keys = map_new(ITEMS_MAX)) ||
        !(s->requests = map_new(ITEMS_MAX)) || !(s->replies = map_new(STORE_REPLIES_MAX + 1)) ||
        !(s->measured = map_new(ITEMS_MAX)) || !(s->calibrations = map_new(ITEMS_MAX))) {
        err_set(err, ERR_NOMEM, "store in memory");
        backend_close(s ? &s->base : NULL);
        return NULL;
    }
    s->base.type = &memory_type;
    s->request_keep_ms = settings->request_keep_ms;
    s->reply_keep_ms = settings->reply_keep_ms;
    if (random_hex(s->coordinator_id, 32, err) < 0) {
        backend_close(&s->base);
        return NULL;
    }
    return &s->base;
}
