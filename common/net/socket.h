/* socket.h - the one way to open a socket, and messages in and out of it.
 *
 * net_socket_open sets all that libzmq's defaults forget; nobody else sets a socket option. Nothing
 * here blocks: a receive that finds nothing says so, a send that would have to wait drops the
 * message and counts it. A socket belongs to one thread at a time.
 *
 * Endpoints are tcp://HOST:PORT (bind also tcp://INTERFACE:* or tcp://127.0.0.1:* for a free port),
 * ipc://PATH and inproc://NAME. Every TCP socket speaks CURVE: one without keys is refused, and so
 * is a server without a ZAP domain, which would let in any key. ipc lives in a folder that only its
 * owner may enter: whoever opens it is that user, so it needs no keys and has no user id.
 *
 * Identity: `user_id` is what ZAP returned for the peer's key (zap.h), never what a peer said.
 * `peer` is an address to answer to, of no other meaning; a peer cannot take another's over. */
#ifndef COMMON_NET_SOCKET_H
#define COMMON_NET_SOCKET_H

#include "common/core/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct net;
struct net_keys;
struct net_socket;

enum net_kind { NET_ROUTER, NET_DEALER, NET_PUB, NET_SUB, NET_REQ };

/* What 0 in the options stands for. */
#define NET_SEND_HWM 256    /* messages waiting per peer: an hour of assignments, or a slow peer */
#define NET_PUB_HWM 1000    /* events waiting per subscriber: a burst from 1,000 devices */
#define NET_RECEIVE_HWM 256 /* messages waiting per peer; then TCP slows that peer down */
#define NET_MESSAGE_MAX (2 * JSON_TEXT_MAX) /* the largest job or plan, and as much again */
#define NET_LINGER_MS 1000    /* time for a last word (Goodbye, a final Response) at close */
#define NET_HEARTBEAT_MS 5000 /* ask a silent peer; gone after NET_HEARTBEATS_MISSED of these */
#define NET_RECONNECT_MS 1000 /* first wait; libzmq adds up to as much again at random */
#define NET_RECONNECT_MAX_MS 30000 /* doubled up to this: a fleet returns within a minute */
#define NET_BACKLOG 1024 /* connections not yet accepted: a fleet that comes back at once */

#define NET_HEARTBEATS_MISSED 3 /* Wi-Fi loses a second or two when it roams */
#define NET_HANDSHAKE_MS 10000  /* a stranger who connects and says nothing is cut off */
#define NET_IPC_PATH_MAX 103    /* sockaddr_un of macOS: 104 bytes with the NUL */
#define NET_ENDPOINT_MAX 255    /* a host name has 253 at most */
#define NET_PEER_MAX 32         /* routing ids are 5 bytes; what peers choose may be longer */
#define NET_ADDRESS_MAX 63      /* an IPv6 address with its zone */
#define NET_TOPIC_MAX 64
#define NET_ZAP_DOMAIN_MAX 64

struct net_socket_options {
    enum net_kind kind;
    bool bind; /* else connect */
    const char *endpoint;
    const struct net_keys *keys;   /* ours; TCP only. Copied by libzmq, may be wiped afterwards */
    const char *server_public_key; /* TCP, connect: whom we expect to find there */
    const char *zap_domain;        /* TCP, bind: whose keys may come in */
    bool only_connected; /* connect: while there is no connection a send is dropped. Without
                            it messages wait for the connection, and are old when sent:
                            right for a tool that asks once, wrong for an agent's session */
    int send_hwm;        /* 0 here and below: the default above */
    int receive_hwm;
    size_t message_max; /* one byte more costs the peer its connection; NET_PUB: topics, 1 KiB */
    int linger_ms;      /* -1: drop what is unsent at once */
    int heartbeat_ms;   /* -1: none. TCP only */
    int reconnect_ms;
    int reconnect_max_ms;
    int backlog;
};

/* ERR_INVALID names the option that is wrong; ERR_DENIED an ipc folder that others may enter;
 * ERR_BUSY an address that somebody else has; ERR_IO what libzmq says. An ipc folder is made when
 * absent, 0700. */
struct net_socket *net_socket_open(struct net *net, const struct net_socket_options *options,
                                   struct err *err);
void net_socket_close(struct net_socket *s); /* NULL is fine. Remove it from pollers first */

/* The real one: the port that `*` became. Borrowed from the socket. */
const char *net_socket_endpoint(const struct net_socket *s);

struct net_message {
    uint8_t peer[NET_PEER_MAX]; /* NET_ROUTER: whom an answer goes to */
    size_t peer_len;
    bool enveloped; /* came as [empty][body], as REQ sends: answer in the same form */
    char user_id[ID_TEXT_MAX + 1];     /* from ZAP; "" on ipc and inproc, and at a client */
    char address[NET_ADDRESS_MAX + 1]; /* without port; "" where libzmq knows none */
    char topic[NET_TOPIC_MAX + 1];     /* NET_SUB */
    uint8_t *body; /* mem_free, or net_message_clear; a NUL follows, not counted */
    size_t len;    /* 1 or more: a message without a body is malformed */
};

/* 1: a message, yours to clear (out needs no preparation); 0: nothing now; -1: the net is shutting
 * down, close the socket. Out of form (an empty or missing body, frames too many, a peer or topic
 * too long) is dropped and counted as malformed; out is untouched unless 1. */
int net_receive(struct net_socket *s, struct net_message *out);
void net_message_clear(struct net_message *m); /* frees the body and zeroes the rest */

/* 0: handed to libzmq. -1: dropped, and counted: the peer is gone, or slow and its queue full, or
 * there is no connection. `to` says whom (peer, enveloped) and may be a message since cleared of
 * its body; NULL for NET_DEALER and NET_REQ. len 1 or more. */
int net_send(struct net_socket *s, const struct net_message *to, const uint8_t *body, size_t len);

/* NET_PUB: [topic][body]. A subscriber that is too slow misses events, uncounted (it sees the gap
 * in their sequence). 0 or -1 as net_send. */
int net_publish(struct net_socket *s, const char *topic, const uint8_t *body, size_t len);

/* NET_SUB: take topics that start with this; "" is all. */
int net_subscribe(struct net_socket *s, const char *topic, struct err *err);

struct net_counters {
    uint64_t received;
    uint64_t sent;
    uint64_t dropped; /* by net_send and net_publish, or received and no memory */
    uint64_t malformed;
    /* TCP, and not NET_PUB: connections, counted as the socket is polled or received from */
    uint64_t connected; /* with keys accepted */
    uint64_t disconnected;
    uint64_t refused; /* handshakes that failed: a wrong key on either side, no CURVE, garbage */
};
const struct net_counters *net_socket_counters(struct net_socket *s); /* borrowed from the socket */

/* At least one peer is there now, keys accepted. TCP, and not NET_PUB; else always false. */
bool net_socket_is_connected(struct net_socket *s);

/* A client whose handshake was refused (its key, or the server's) since its last good one: libzmq
 * does not try again by itself then, nor after the server sent what breaks the protocol or
 * message_max. So: close the socket and open another, later, when this is true or nobody was there
 * for a while. */
bool net_socket_was_refused(struct net_socket *s);

#endif
