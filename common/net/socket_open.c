/* socket_open.c - net_socket_open: every option of every socket is set here.
 *
 * What libzmq would do by itself, and why not: wait for ever at close (linger), queue 1000 messages
 * for each peer, take messages of any size, never notice a peer that vanished (no heartbeats),
 * retry ten times a second for ever, silently throw away what is for a peer that is gone
 * (mandatory), let in everybody while no ZAP handler runs (enforced domain).
 *
 * Left alone on purpose: ZMQ_ROUTER_HANDOVER, with which a peer that picks another's routing id
 * takes its place, and ZMQ_ROUTING_ID, which none of ours needs. */
#include "common/net/keys.h"
#include "common/net/net_internal.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zmq.h>

/* Every libzmq since 4.3.0 knows it; its header names it only in draft builds. One that does not
 * know it opens no TCP server here. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#define HWM_MAX 1000000
#define MESSAGE_LIMIT (1024 * 1024 * 1024)
#define LINGER_MAX_MS 600000
#define HEARTBEAT_MIN_MS 50
#define HEARTBEAT_MAX_MS 600000 /* three times this is still under ZMTP's 6553 s */
#define RECONNECT_LIMIT_MS 3600000
#define BACKLOG_MAX 65535

/* A subscriber sends topics and nothing else. */
#define PUB_MESSAGE_MAX 1024

/* What an encrypted frame has beside its content: name of the command (8), nonce (8), authenticator
 * (16), flags (1). */
#define CURVE_BYTES 33

/* A Mac that moved to another network: give up on the address sooner than the system's two minutes.
 */
#define CONNECT_MS 10000

/* Heartbeats notice first; this is for the time before the handshake. */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 20
#define KEEPALIVE_COUNT 3

static const struct {
    int type;
    int send_hwm;
    long message_max;
} kinds[] = {
    [NET_ROUTER] = {ZMQ_ROUTER, NET_SEND_HWM, NET_MESSAGE_MAX},
    [NET_DEALER] = {ZMQ_DEALER, NET_SEND_HWM, NET_MESSAGE_MAX},
    [NET_PUB] = {ZMQ_PUB, NET_PUB_HWM, PUB_MESSAGE_MAX},
    [NET_SUB] = {ZMQ_SUB, NET_SEND_HWM, NET_MESSAGE_MAX},
    [NET_REQ] = {ZMQ_REQ, NET_SEND_HWM, NET_MESSAGE_MAX},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static long value_or(long value, long otherwise)
{
    return value ? value : otherwise;
}

static int number_check(const char *name, long value, long min, long max, struct err *err)
{
    if (value >= min && value <= max)
        return 0;
    return err_set(err, ERR_INVALID, "%s: %ld, wanted an integer from %ld to %ld", name, value, min,
                   max);
}

static int numbers_check(const struct net_socket_options *o, struct err *err)
{
    const struct {
        const char *name;
        long value;
        long min;
        long max;
    } rows[] = {
        {"send_hwm", o->send_hwm, 0, HWM_MAX},
        {"receive_hwm", o->receive_hwm, 0, HWM_MAX},
        {"message_max", o->message_max > LONG_MAX ? LONG_MAX : (long)o->message_max, 0,
         MESSAGE_LIMIT},
        {"linger_ms", o->linger_ms, -1, LINGER_MAX_MS},
        {"heartbeat_ms", o->heartbeat_ms > 0 ? o->heartbeat_ms : HEARTBEAT_MIN_MS, HEARTBEAT_MIN_MS,
         HEARTBEAT_MAX_MS},
        {"heartbeat_ms", o->heartbeat_ms, -1, HEARTBEAT_MAX_MS},
        {"reconnect_ms", o->reconnect_ms, 0, RECONNECT_LIMIT_MS},
        {"reconnect_max_ms", o->reconnect_max_ms, 0, RECONNECT_LIMIT_MS},
        {"backlog", o->backlog, 0, BACKLOG_MAX},
    };

    if ((size_t)o->kind >= KINDS)
        return err_set(err, ERR_INVALID, "kind of socket: %d is none", (int)o->kind);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (number_check(rows[i].name, rows[i].value, rows[i].min, rows[i].max, err) < 0)
            return -1;
    return 0;
}

/* Who may speak TCP: keys on both sides, and a server says whom it lets in. */
static int keys_check(const struct net_socket_options *o, struct err *err)
{
    char derived[NET_KEY_CHARS + 1];

    if (!o->keys)
        return err_set(err, ERR_DENIED, "endpoint '%s': TCP without keys is not opened",
                       o->endpoint);
    if (net_keys_derive_public(o->keys->secret_key, derived, err) < 0)
        return err_prefix(err, "endpoint '%s'", o->endpoint);
    if (strncmp(derived, o->keys->public_key, sizeof derived) != 0)
        return err_set(err, ERR_INVALID,
                       "endpoint '%s': the public key does not belong to the secret one",
                       o->endpoint);
    if (!o->bind) {
        if (net_key_check(o->server_public_key, err) < 0)
            return err_prefix(err, "endpoint '%s': server's", o->endpoint);
        return 0;
    }
    if (!o->zap_domain || !o->zap_domain[0])
        return err_set(err, ERR_DENIED,
                       "endpoint '%s': a server without a ZAP domain would let in every key",
                       o->endpoint);
    if (strlen(o->zap_domain) > NET_ZAP_DOMAIN_MAX)
        return err_set(err, ERR_INVALID, "ZAP domain of %zu bytes, limit %d", strlen(o->zap_domain),
                       NET_ZAP_DOMAIN_MAX);
    return 0;
}

/* Sets one option after another; after the first that fails it does nothing. */
struct setter {
    void *handle;
    const char *failed; /* the name of the option that was not taken; NULL: none */
    int number;
};

static void set_bytes(struct setter *s, const char *name, int option, const void *value, size_t len)
{
    if (s->failed || zmq_setsockopt(s->handle, option, value, len) == 0)
        return;
    s->failed = name;
    s->number = errno;
}

static void set_int(struct setter *s, const char *name, int option, long value)
{
    int number = (int)value;

    set_bytes(s, name, option, &number, sizeof number);
}

static void set_text(struct setter *s, const char *name, int option, const char *text)
{
    set_bytes(s, name, option, text, strlen(text));
}

static void set_general(struct setter *s, const struct net_socket_options *o,
                        enum net_transport transport)
{
    int64_t message_max = value_or((long)o->message_max, kinds[o->kind].message_max);

    if (transport == NET_TCP)
        message_max += CURVE_BYTES;
    set_bytes(s, "message_max", ZMQ_MAXMSGSIZE, &message_max, sizeof message_max);
    set_int(s, "linger_ms", ZMQ_LINGER,
            o->linger_ms < 0 ? 0 : value_or(o->linger_ms, NET_LINGER_MS));
    if (o->kind == NET_ROUTER)
        set_int(s, "mandatory", ZMQ_ROUTER_MANDATORY, 1);
    if (o->bind)
        set_int(s, "backlog", ZMQ_BACKLOG, value_or(o->backlog, NET_BACKLOG));
    if (!o->bind && o->only_connected)
        set_int(s, "only_connected", ZMQ_IMMEDIATE, 1);
    set_int(s, "reconnect_ms", ZMQ_RECONNECT_IVL, value_or(o->reconnect_ms, NET_RECONNECT_MS));
    set_int(s, "reconnect_max_ms", ZMQ_RECONNECT_IVL_MAX,
            value_or(o->reconnect_max_ms, NET_RECONNECT_MAX_MS));
    set_int(s, "handshake", ZMQ_HANDSHAKE_IVL, NET_HANDSHAKE_MS);
}

static void set_tcp(struct setter *s, const struct net_socket_options *o)
{
    long heartbeat = o->heartbeat_ms < 0 ? 0 : value_or(o->heartbeat_ms, NET_HEARTBEAT_MS);

    if (heartbeat) {
        set_int(s, "heartbeat_ms", ZMQ_HEARTBEAT_IVL, heartbeat);
        set_int(s, "heartbeat timeout", ZMQ_HEARTBEAT_TIMEOUT, heartbeat * NET_HEARTBEATS_MISSED);
        set_int(s, "heartbeat TTL", ZMQ_HEARTBEAT_TTL, heartbeat * NET_HEARTBEATS_MISSED);
    }
    set_int(s, "keepalive", ZMQ_TCP_KEEPALIVE, 1);
    set_int(s, "keepalive", ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S);
    set_int(s, "keepalive", ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S);
    set_int(s, "keepalive", ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT);
    set_int(s, "connect timeout", ZMQ_CONNECT_TIMEOUT, CONNECT_MS);
    /* Only where asked for by an address: with it, a name may turn into one of a link that nobody
     * routes, and libzmq tries no second one. */
    if (strchr(o->endpoint, '['))
        set_int(s, "IPv6", ZMQ_IPV6, 1);
    set_text(s, "secret key", ZMQ_CURVE_SECRETKEY, o->keys->secret_key);
    set_text(s, "public key", ZMQ_CURVE_PUBLICKEY, o->keys->public_key);
    if (o->bind) {
        set_int(s, "CURVE server", ZMQ_CURVE_SERVER, 1);
        set_text(s, "ZAP domain", ZMQ_ZAP_DOMAIN, o->zap_domain);
        set_int(s, "ZAP domain", ZMQ_ZAP_ENFORCE_DOMAIN, 1); /* no handler: nobody comes in */
    } else {
        set_text(s, "server's key", ZMQ_CURVE_SERVERKEY, o->server_public_key);
    }
}

static int options_set(void *handle, const struct net_socket_options *o,
                       enum net_transport transport, struct err *err)
{
    struct setter s = {handle, NULL, 0};

    set_general(&s, o, transport);
    if (transport == NET_TCP)
        set_tcp(&s, o);
    if (!s.failed)
        return 0;
    net_err_zmq(err, s.number, s.failed);
    return err_prefix(err, "endpoint '%s'", o->endpoint);
}

/* Bind or connect, and remember the real endpoint. */
static int attach(struct net_socket *s, const struct net_socket_options *o, struct err *err)
{
    char endpoint[NET_ENDPOINT_MAX + 64]; /* a name may have become an address */
    size_t len = sizeof endpoint;

    if ((o->bind ? zmq_bind(s->handle, o->endpoint) : zmq_connect(s->handle, o->endpoint)) < 0) {
        net_err_zmq(err, errno, o->bind ? "cannot listen" : "cannot connect");
        return err_prefix(err, "endpoint '%s'", o->endpoint);
    }
    if (zmq_getsockopt(s->handle, ZMQ_LAST_ENDPOINT, endpoint, &len) < 0)
        return net_err_zmq(err, errno, "endpoint");
    if (!(s->endpoint = mem_strdup(endpoint)))
        return err_set(err, ERR_NOMEM, "endpoint '%s'", o->endpoint);
    return 0;
}

struct net_socket *net_socket_open(struct net *net, const struct net_socket_options *o,
                                   struct err *err)
{
    enum net_transport transport;
    struct net_socket *s;

    if (numbers_check(o, err) < 0 || endpoint_check(o->endpoint, o->bind, &transport, err) < 0 ||
        (transport == NET_TCP && keys_check(o, err) < 0) ||
        (transport == NET_IPC && o->bind && endpoint_prepare_folder(o->endpoint, err) < 0))
        return NULL;
    if (!(s = mem_zalloc(sizeof *s))) {
        err_set(err, ERR_NOMEM, "endpoint '%s'", o->endpoint);
        return NULL;
    }
    s->net = net;
    s->kind = o->kind;
    s->trust_user_id = transport == NET_TCP && o->bind;
    s->handle =
        net_raw_open(net, kinds[o->kind].type, (int)value_or(o->send_hwm, kinds[o->kind].send_hwm),
                     (int)value_or(o->receive_hwm, NET_RECEIVE_HWM));
    if (!s->handle) {
        net_err_zmq(err, errno, "socket");
        goto fail;
    }
    /* Watched from before the first connection, so that none is missed. */
    if (options_set(s->handle, o, transport, err) < 0 ||
        (transport == NET_TCP && o->kind != NET_PUB &&
         !(s->monitor = monitor_new(net, s->handle, err))) ||
        attach(s, o, err) < 0)
        goto fail;
    return s;
fail:
    net_socket_close(s);
    return NULL;
}

void net_socket_close(struct net_socket *s)
{
    if (!s)
        return;
    monitor_free(s->monitor);
    net_raw_close(s->net, s->handle);
    mem_free(s->endpoint);
    mem_free(s);
}
