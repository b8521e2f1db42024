/* zap_handler.c - the actor that libzmq asks about every peer who knocks, by RFC 27 (ZAP): on a REP
 * socket at inproc://zeromq.zap.01, once a handshake is sound and the peer has proved that the key
 * is its own. A request is [version][request id][domain][address][routing id][mechanism][key...],
 * the answer [version][request id][status][text][user id][metadata]. Every request gets an answer.
 */
#include "common/net/actor.h"
#include "common/net/net_internal.h"
#include "common/net/zap.h"
#include "common/net/zap_internal.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/map.h"
#include "common/core/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <zmq.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_VERSION "1.0"
#define REQUEST_ID_MAX 255 /* libzmq's is "1" */
#define KEY_BYTES 32

enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, KEY, REQUEST_FRAMES };

struct request {
    char request_id[REQUEST_ID_MAX + 1];
    char domain[NET_ZAP_DOMAIN_MAX + 1];
    char address[NET_ADDRESS_MAX + 1];
    char mechanism[16];
    char key[NET_KEY_CHARS + 1]; /* as text; "" when there is none of the right length */
    bool malformed;
};

struct handler {
    struct zap_counts *counts;
    void *rep;
    struct zap_list *lists[NET_ZAP_DOMAINS_MAX];
    size_t list_count;
    struct zap_refusals refusals;
};

/* A frame's text into out; false when it does not fit or has a NUL. */
static bool text_copy(zmq_msg_t *m, char *out, size_t size)
{
    size_t len = zmq_msg_size(m);

    if (len >= size || memchr(zmq_msg_data(m), '\0', len))
        return false;
    memcpy(out, zmq_msg_data(m), len);
    out[len] = '\0';
    return true;
}

static bool key_copy(zmq_msg_t *m, char out[NET_KEY_CHARS + 1])
{
    return zmq_msg_size(m) == KEY_BYTES && zmq_z85_encode(out, zmq_msg_data(m), KEY_BYTES);
}

static void frame_read(struct request *r, size_t at, zmq_msg_t *m)
{
    char version[8] = "";
    bool ok = true;

    if (at == VERSION)
        ok = text_copy(m, version, sizeof version) && strcmp(version, ZAP_VERSION) == 0;
    else if (at == REQUEST_ID)
        ok = text_copy(m, r->request_id, sizeof r->request_id);
    else if (at == DOMAIN)
        ok = text_copy(m, r->domain, sizeof r->domain);
    else if (at == ADDRESS)
        ok = text_copy(m, r->address, sizeof r->address);
    else if (at == MECHANISM)
        ok = text_copy(m, r->mechanism, sizeof r->mechanism);
    else if (at == KEY)
        key_copy(m, r->key); /* PLAIN has a name here: the mechanism is refused anyway */
    if (!ok)
        r->malformed = true;
}

/* True: a request was read, whole, however wrong. */
static bool request_read(void *rep, struct request *r)
{
    zmq_msg_t m;
    size_t at = 0;
    int more = 1;

    memset(r, 0, sizeof *r);
    zmq_msg_init(&m);
    while (more) {
        if (zmq_msg_recv(&m, rep, ZMQ_DONTWAIT) < 0) {
            if (errno == EINTR)
                continue;
            zmq_msg_close(&m);
            return false;
        }
        frame_read(r, at++, &m);
        more = zmq_msg_more(&m);
    }
    zmq_msg_close(&m);
    if (at <= MECHANISM)
        r->malformed = true;
    return true;
}

static void answer(void *rep, const struct request *r, const char *status, const char *text,
                   const char *user_id)
{
    const char *frames[] = {ZAP_VERSION, r->request_id, status, text, user_id, ""};
    const size_t count = sizeof frames / sizeof frames[0];

    /* Nothing to do when it fails: the peer's handshake ends at its time limit, refused. */
    for (size_t i = 0; i < count; i++)
        if (zmq_send(rep, frames[i], strlen(frames[i]),
                     ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0)) < 0)
            return;
}

static struct zap_list *list_find(const struct handler *h, const char *domain)
{
    for (size_t i = 0; i < h->list_count; i++)
        if (strcmp(h->lists[i]->domain, domain) == 0)
            return h->lists[i];
    return NULL;
}

static void refusal_log(struct handler *h, const struct request *r, const char *reason)
{
    uint64_t since;
    uint64_t beyond;

    if (!zap_refusals_note(&h->refusals, r->key[0] ? r->key : "(no key)", clock_mono_ms(), &since,
                           &beyond))
        return;
    log_warn(r->address,
             "key %s: %s '%s', refused (%" PRIu64 " times before since the last line about it, "
             "%" PRIu64 " others without a line)",
             r->key[0] ? r->key : "(none)", reason, r->domain, since, beyond);
}

static void refuse(struct handler *h, const struct request *r, atomic_uint_least64_t *count,
                   const char *status, const char *reason)
{
    atomic_fetch_add(count, 1);
    refusal_log(h, r, reason);
    answer(h->rep, r, status, "refused", "");
}

static void request_serve(struct handler *h, const struct request *r)
{
    struct zap_counts *c = h->counts;
    struct zap_list *list;
    const char *user_id;

    if (r->malformed) {
        refuse(h, r, &c->malformed, "500", "malformed request for");
    } else if (strcmp(r->mechanism, "CURVE") != 0 || !r->key[0]) {
        refuse(h, r, &c->wrong_mechanism, "400", "not CURVE in");
    } else if (!(list = list_find(h, r->domain))) {
        refuse(h, r, &c->unknown_domain, "400", "no list of keys for");
    } else if (!(user_id = map_get(list->users, r->key))) {
        refuse(h, r, &c->unknown_key, "400", "not in the list of");
    } else {
        atomic_fetch_add(&c->accepted, 1);
        answer(h->rep, r, "200", "OK", user_id);
    }
}

/* Put the list in its place; what comes back holds the one that was there. */
static struct zap_list *list_take(struct handler *h, struct zap_list *list)
{
    struct zap_list *there = list_find(h, list->domain);
    struct map *users = list->users;

    if (there) {
        list->users = there->users;
        there->users = users;
        return list;
    }
    if (h->list_count == NET_ZAP_DOMAINS_MAX || !(there = mem_zalloc(sizeof *there))) {
        list->refused = true;
        return list;
    }
    *there = *list;
    list->users = NULL;
    h->lists[h->list_count++] = there;
    return list;
}

static void serve(struct handler *h, struct actor_pipe *pipe)
{
    zmq_pollitem_t items[] = {{pipe_handle(pipe), -1, ZMQ_POLLIN, 0}, {h->rep, -1, ZMQ_POLLIN, 0}};
    struct request r;
    void *msg;
    int rc;

    for (;;) {
        if (zmq_poll(items, 2, -1) < 0 && errno != EINTR)
            return;
        while ((rc = pipe_receive(pipe, 0, &msg)) == 1)
            if (pipe_send(pipe, list_take(h, msg)) < 0)
                return;
        if (rc < 0)
            return;
        if (request_read(h->rep, &r)) /* one at a time, so that a list never waits for long */
            request_serve(h, &r);
    }
}

void zap_run(struct actor_pipe *pipe, void *arg)
{
    const struct zap_context *context = arg;
    struct handler *h = mem_zalloc(sizeof *h);
    struct err err = {ERR_NONE, ""};

    if (!h) {
        err_set(&err, ERR_NOMEM, "the list of keys");
    } else if (!(h->rep = net_raw_open(context->net, ZMQ_REP, 0, 0)) ||
               zmq_bind(h->rep, ZAP_ENDPOINT) < 0) {
        if (errno == EADDRINUSE)
            err_set(&err, ERR_EXISTS, "this net has a list of keys already");
        else
            net_err_zmq(&err, errno, ZAP_ENDPOINT);
    } else {
        h->counts = context->counts;
        actor_ready(pipe);
        serve(h, pipe);
    }
    if (err.code != ERR_NONE)
        actor_failed(pipe, &err);
    if (!h)
        return;
    net_raw_close(context->net, h->rep);
    for (size_t i = 0; i < h->list_count; i++)
        zap_list_free(h->lists[i]);
    mem_free(h);
}
