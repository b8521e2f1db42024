/* coordinator.c - the object opened, its loop, and closed again. */
#include "coordinator/application.h"

#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/event.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "common/net/zap.h"
#include "coordinator/config/config.h"
#include "coordinator/cycle/cycle.h"
#include "coordinator/fleet/fleet.h"
#include "coordinator/front/keyring.h"
#include "coordinator/lm/lm.h"
#include "coordinator/store/store.h"

#include <stdio.h>
#include <string.h>

#define TICK_MS 500           /* liveness, expiry, key files: ages are shown in seconds */
#define IN_FLIGHT_MAX 100000  /* requests being carried out, one per tool and id */
#define RESULTS_PER_TURN 1024 /* of the store, before sockets are served again */
#define RECENT_JOBS_MAX 1000000

enum { POLL_STORE, POLL_CYCLE, POLL_FRONT, POLL_IDS = POLL_FRONT + 8 };

static void lm_settings_of(const struct config *config, struct lm_settings *lm)
{
    lm_settings_init(lm);
    lm->model = config->lm_model;
    if (config->lm_replay) { /* wins: a run is repeated with the settings it had */
        lm->backend = LM_BACKEND_REPLAY;
        lm->replay_file = config->lm_replay;
        return;
    }
    if (!config->lm_url)
        return;
    lm->backend = LM_BACKEND_HTTP;
    lm->url = config->lm_url;
    lm->key = config->lm_key;
    lm->ca_file = config->lm_ca_file;
    lm->record_file = config->lm_record;
    lm->retries = config->lm_retries;
    lm->connect_ms = config->lm_connect_timeout_ms;
    lm->first_byte_ms = config->lm_first_byte_timeout_ms;
    lm->total_ms = config->lm_total_timeout_ms;
    lm->temperature = config->lm_temperature;
}

static int open_cycle(struct coordinator *c, struct err *err)
{
    struct cycle_settings settings = {.policy = policy_default()};
    struct lm_settings lm;

    lm_settings_of(c->config, &lm);
    settings.policy.reserve_bytes = c->config->reserve_bytes;
    settings.lm = &lm;
    settings.lm_max_tokens = c->config->lm_max_tokens;
    settings.lm_fleet_tokens = c->config->lm_fleet_tokens;
    settings.ask_json = c->config->lm_adapter == CONFIG_ADAPTER_JSON;
    settings.retry = c->config->lm_correction;
    settings.framing_file = c->config->lm_framing;
    settings.federated_program = c->config->lm_federated_program;
    settings.pipeline_program = c->config->lm_pipeline_program;
    settings.keeps_replies = c->config->lm_cache_age_ms > 0;
    settings.signature_dir = c->config->signature_dir;
    return (c->cycle = cycle_start(c->net, &settings, err)) ? 0 : -1;
}

static int open_keys(struct coordinator *c, struct err *err)
{
    char *path = file_path(err, "%s/coordinator.keys", c->config->data_dir);
    int rc;

    if (!path)
        return -1;
    rc = net_keys_load_or_make(path, &c->keys, err);
    mem_free(path);
    if (rc < 0 || !(c->zap = net_zap_start(c->net, err)) ||
        !(c->keyring = keyring_new(c->config->data_dir, c->zap, err)))
        return -1;
    return 0;
}

/* A stored time on this run's monotonic clock. */
static int64_t to_mono(const struct coordinator *c, int64_t wall_ms)
{
    return wall_ms == UNKNOWN_I64 ? UNKNOWN_I64 : c->now_ms - (c->wall_ms - wall_ms);
}

static int restore_devices(struct coordinator *c, struct store_contents *s, struct err *err)
{
    for (size_t i = 0; i < s->devices_count; i++) {
        struct store_device *d = &s->devices[i];
        struct fleet_saved saved = {
            .id = d->device_id,
            .public_key = d->public_key,
            .profile_digest = d->digest,
            .heard_ms = to_mono(c, d->last_seen_ms),
            .profile_ms = to_mono(c, d->profile_ms),
            .generation = d->generation,
        };

        /* A device whose key left the list while we were away is not taken back. */
        if (keyring_agent(c->keyring, d->device_id) &&
            fleet_restore(c->fleet, &saved, &d->profile, err) < 0)
            return -1;
    }
    return 0;
}

static int restore_plans(struct coordinator *c, struct store_contents *s, struct err *err)
{
    for (size_t i = 0; i < s->plans_count; i++) {
        const struct plan_summary *p = &s->plans[i];
        struct active_plan *a;

        if (p->state != PLAN_STATE_ACTIVE || !p->job_id || map_get(c->active, p->job_id))
            continue;
        if (!(a = mem_zalloc(sizeof *a)) || text_set(&a->plan_id, p->plan_id, err) < 0 ||
            map_put(c->active, p->job_id, a, NULL) < 0) {
            if (a)
                mem_free(a->plan_id);
            mem_free(a);
            return err_set(err, ERR_NOMEM, "active plan %s", p->plan_id);
        }
        a->kind = p->kind;
    }
    for (size_t i = 0; i < s->deliveries_count; i++) {
        struct store_delivery *d = &s->deliveries[i];
        int64_t bytes = d->assignment ? assignment_bytes(d->assignment) : 0;

        if (bytes > 0 && fleet_find(c->fleet, d->delivery.device_id) &&
            fleet_commit(c->fleet, d->delivery.device_id, d->delivery.job_id, bytes, err) < 0)
            return -1;
        if (delivery_load(c->deliveries, &d->delivery, d->created_ms, &d->assignment, err) < 0)
            return -1;
    }
    return 0;
}

static int open_store(struct coordinator *c, struct err *err)
{
    struct store_settings settings = {.request_keep_ms = c->config->request_keep_ms,
                                      .reply_keep_ms = c->config->lm_cache_age_ms};
    char *path = file_path(err, "%s/espalier.db", c->config->data_dir);
    struct store_contents *contents = NULL;
    int rc = -1;

    if (!path)
        return -1;
    settings.path = path;
    if (!(c->store = store_open(c->net, &settings, err)) || !(contents = store_load(c->store, err)))
        goto out;
    if (text_set(&c->coordinator_id, contents->coordinator_id, err) < 0 ||
        restore_devices(c, contents, err) < 0 || restore_plans(c, contents, err) < 0 ||
        restore_calibrations(c, contents, err) < 0)
        goto out;
    log_info(NULL, "%zu devices and %zu open deliveries come from %s", contents->devices_count,
             contents->deliveries_count, path);
    rc = 0;
out:
    store_contents_free(contents);
    mem_free(path);
    return rc;
}

static int open_front(struct coordinator *c, struct err *err)
{
    const struct front_handlers handlers = {
        .arg = c, .hello = on_hello, .agent = on_agent, .request = on_request};
    char *ipc = file_path(err, "ipc://%s", c->config->ipc_path);
    struct front_settings settings = {
        .agents_endpoint = c->config->agents_endpoint,
        .tools_endpoint = c->config->tools_endpoint,
        .events_endpoint = c->config->events_endpoint,
        .ipc_endpoint = ipc,
        .keys = &c->keys,
    };

    if (!ipc)
        return -1;
    c->front = front_new(c->net, &settings, c->keyring, &handlers, err);
    mem_free(ipc);
    return c->front ? 0 : -1;
}

static int open_poller(struct coordinator *c, struct err *err)
{
    if (!(c->poller = net_poller_new(POLL_IDS, err)) ||
        net_poller_add_actor(c->poller, store_actor(c->store), POLL_STORE, err) < 0 ||
        net_poller_add_actor(c->poller, cycle_actor(c->cycle), POLL_CYCLE, err) < 0)
        return -1;
    return front_watch(c->front, c->poller, POLL_FRONT, err);
}

static int open_tables(struct coordinator *c, struct err *err)
{
    const struct fleet_settings fleet = {
        .max_devices = (size_t)c->config->max_devices,
        .late_ms = c->config->late_ms,
        .offline_ms = c->config->offline_ms,
    };

    if (!(c->fleet = fleet_new(&fleet, err)) ||
        !(c->deliveries =
              delivery_table_new(DELIVERY_ITEMS_MAX, c->config->delivery_expire_ms, err)))
        return -1;
    if (!(c->active = map_new(RECENT_JOBS_MAX)) || !(c->digests = map_new(DEVICES_MAX)) ||
        !(c->in_flight = map_new(IN_FLIGHT_MAX)))
        return err_set(err, ERR_NOMEM, "tables of the coordinator");
    return 0;
}

struct coordinator *coordinator_new(const struct config *config, struct err *err)
{
    struct coordinator *c = mem_zalloc(sizeof *c);
    char *lock = NULL;

    if (!c) {
        err_set(err, ERR_NOMEM, "coordinator");
        return NULL;
    }
    c->lock = -1;
    c->config = config;
    c->started_ms = c->now_ms = clock_mono_ms();
    c->wall_ms = clock_wall_ms();
    c->next_turn = 1;
    if (file_make_dirs(config->data_dir, 0700, err) < 0 ||
        !(lock = file_path(err, "%s/coordinator.lock", config->data_dir)) ||
        file_lock(lock, &c->lock, err) < 0)
        goto fail;
    if (!(c->net = net_new((int)config->io_threads, err)) || open_keys(c, err) < 0 ||
        open_tables(c, err) < 0 || open_store(c, err) < 0 || enrol_allowed(c, err) < 0 ||
        open_cycle(c, err) < 0 || open_front(c, err) < 0 || open_poller(c, err) < 0)
        goto fail;
    mem_free(lock);
    return c;
fail:
    mem_free(lock);
    coordinator_free(c);
    return NULL;
}

static void active_free(void *value)
{
    struct active_plan *a = value;

    mem_free(a->plan_id);
    mem_free(a);
}

void coordinator_free(struct coordinator *c)
{
    if (!c)
        return;
    net_poller_free(c->poller);
    front_free(c->front);
    cycle_stop(c->cycle);
    store_close(c->store);
    while (c->pendings)
        pending_free(c, c->pendings);
    keyring_free(c->keyring);
    net_zap_stop(c->zap);
    map_free(c->active, active_free);
    map_free(c->digests, mem_free);
    map_free(c->in_flight, NULL);
    delivery_table_free(c->deliveries);
    fleet_free(c->fleet);
    net_free(c->net);
    net_keys_wipe(&c->keys);
    mem_free(c->coordinator_id);
    file_unlock(c->lock);
    mem_free(c);
}

struct pending *pending_new(struct coordinator *c, enum pending_kind kind,
                            const struct front_tool *tool, struct err *err)
{
    struct pending *p = mem_zalloc(sizeof *p);

    if (!p) {
        err_set(err, ERR_NOMEM, "request");
        return NULL;
    }
    p->kind = kind;
    if (tool)
        p->tool = *tool;
    p->next = c->pendings;
    if (p->next)
        p->next->previous = p;
    c->pendings = p;
    return p;
}

void pending_free(struct coordinator *c, struct pending *p)
{
    if (!p)
        return;
    if (p->request_key && map_get(c->in_flight, p->request_key) == p)
        map_remove(c->in_flight, p->request_key);
    if (p->next)
        p->next->previous = p->previous;
    if (p->previous)
        p->previous->next = p->next;
    else
        c->pendings = p->next;
    mem_free(p->request_key);
    request_free(p->request);
    mem_free(p->device_id);
    mem_free(p->lesson);
    plan_free(p->plan);
    mem_free(p->plan_id);
    plan_reply_free(p->reply);
    response_free(p->response);
    cycle_order_free(p->order);
    mem_free(p);
}

void publish(struct coordinator *c, int kind, const char *device_id, const char *plan_id,
             const char *job_id, int delivery_state, const char *text)
{
    struct event e;

    record_init(&event_type, &e);
    e.sequence = ++c->event_sequence;
    e.at_ms = c->wall_ms;
    e.kind = kind;
    e.device_id = (char *)(uintptr_t)device_id;
    e.plan_id = (char *)(uintptr_t)plan_id;
    e.job_id = (char *)(uintptr_t)job_id;
    e.delivery_state = delivery_state;
    e.text = (char *)(uintptr_t)text;
    front_publish(c->front, &e);
}

int enrol_allowed(struct coordinator *c, struct err *err)
{
    size_t count;
    const struct key *keys = keyring_keys(c->keyring, &count);

    for (size_t i = 0; i < count; i++) {
        struct store_op *op;

        if (keys[i].kind != KEY_KIND_AGENT || fleet_find(c->fleet, keys[i].device_id))
            continue;
        if (fleet_enrol(c->fleet, keys[i].device_id, keys[i].public_key, err) < 0)
            return -1;
        if (!(op = store_op_new(STORE_DEVICE, 0, c->wall_ms, err)) ||
            text_set(&op->device_id, keys[i].device_id, err) < 0 ||
            text_set(&op->public_key, keys[i].public_key, err) < 0) {
            store_op_free(op);
            return -1;
        }
        submit_write(c, &op);
    }
    return 0;
}

/* Devices whose key left the list are forgotten, with what they still had to do. */
static void forget_disallowed(struct coordinator *c)
{
    const struct fleet_device *d = fleet_next(c->fleet, NULL);

    while (d) {
        char id[ID_TEXT_MAX + 1];

        snprintf(id, sizeof id, "%s", d->id);
        if (!keyring_agent(c->keyring, id)) {
            struct store_op *op = store_op_new(STORE_FORGET, 0, c->wall_ms, NULL);

            log_info(id, "its key is no longer allowed: forgotten");
            delivery_cancel_device(c->deliveries, id, "the device was forgotten", c->wall_ms,
                                   delivery_changed, c);
            front_end_session(c->front, id);
            fleet_forget(c->fleet, id);
            if (op && text_set(&op->device_id, id, NULL) == 0)
                submit_write(c, &op);
            store_op_free(op);
        }
        d = fleet_next(c->fleet, id);
    }
}

static void refresh_keys(struct coordinator *c)
{
    struct err err = {0};
    int rc = keyring_refresh(c->keyring, &err);

    if (rc > 0) {
        log_info(NULL, "key lists were read anew");
        if (enrol_allowed(c, &err) < 0)
            log_err(NULL, "not every allowed device could be enrolled: %s", err.text);
        forget_disallowed(c);
    } else if (rc < 0) {
        log_warn(NULL, "key lists as they were stay in force: %s", err.text);
    }
}

static void tick(struct coordinator *c)
{
    if (c->now_ms < c->next_tick_ms)
        return;
    c->next_tick_ms = c->now_ms + TICK_MS;
    fleet_tick(c->fleet, c->now_ms, on_device_moved, c);
    delivery_expire(c->deliveries, c->wall_ms, delivery_changed, c);
    refresh_keys(c);
    expire_watchers(c);
}

static void serve_actors(struct coordinator *c)
{
    struct cycle_note *note;

    for (int n = 0; n < RESULTS_PER_TURN; n++) {
        struct store_result *r = store_receive(c->store);

        if (!r)
            break;
        on_store(c, r);
        store_result_free(r);
    }
    while ((note = cycle_receive(c->cycle))) {
        on_cycle(c, note);
        cycle_note_free(note);
    }
}

int coordinator_run(struct coordinator *c, const volatile sig_atomic_t *stop,
                    volatile sig_atomic_t *hangup, void (*reload)(void *arg, struct coordinator *c),
                    void *arg, struct err *err)
{
    bool more = false;

    while (!*stop) {
        int ids[POLL_IDS];
        int64_t wait = c->next_tick_ms - clock_mono_ms();

        if (c->watchers_due && c->next_watch_ms < c->next_tick_ms)
            wait = c->next_watch_ms - clock_mono_ms();
        if (more || wait < 0)
            wait = 0;
        if (net_poller_wait(c->poller, wait, ids, POLL_IDS) < 0)
            return err_set(err, ERR_INTERNAL, "sockets are gone");
        c->now_ms = clock_mono_ms();
        c->wall_ms = clock_wall_ms();
        serve_actors(c);
        more = front_serve(c->front);
        tick(c);
        answer_watchers(c);
        if (hangup && *hangup) {
            *hangup = 0;
            if (reload)
                reload(arg, c);
        }
    }
    return 0;
}

int coordinator_reconfigure(struct coordinator *c, const struct config *config, struct err *err)
{
    if (fleet_set_times(c->fleet, config->late_ms, config->offline_ms, err) < 0)
        return -1;
    delivery_set_expire(c->deliveries, config->delivery_expire_ms);
    c->config = config;
    return 0;
}

const char *coordinator_public_key(const struct coordinator *c)
{
    return c->keys.public_key;
}

const char *coordinator_agents_endpoint(const struct coordinator *c)
{
    return front_agents_endpoint(c->front);
}

const char *coordinator_tools_endpoint(const struct coordinator *c)
{
    return front_tools_endpoint(c->front);
}

const char *coordinator_events_endpoint(const struct coordinator *c)
{
    return front_events_endpoint(c->front);
}
