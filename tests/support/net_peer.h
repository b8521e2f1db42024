/* net_peer.h - somebody else at the other end of a socket: a DEALER as an outside tool writes it,
 * on libzmq alone and in a context of its own, for tests of what listens.
 *
 * It sends what our own sockets never would (any frames, a routing id of its choice, no keys).
 * Nothing here waits longer than NET_PEER_WAIT_MS. One thread. */
#ifndef TESTS_SUPPORT_NET_PEER_H
#define TESTS_SUPPORT_NET_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_keys;
struct net_peer;

#define NET_PEER_WAIT_MS 20000 /* far more than a machine under load needs; tests fail after it */
#define NET_PEER_FRAMES_MAX 8

struct net_peer_options {
    const char *endpoint;
    const struct net_keys *keys;   /* NULL: no CURVE */
    const char *server_public_key; /* with keys */
    const char *routing_id;        /* NULL: none set */
    bool request;                  /* REQ instead of DEALER */
};

/* NULL when libzmq refuses (the message is on stderr). */
struct net_peer *net_peer_open(const struct net_peer_options *options);
void net_peer_close(struct net_peer *p); /* NULL is fine; drops what is unsent */

/* 0 when handed to libzmq. Frames are texts here: most tests send such. */
int net_peer_send(struct net_peer *p, const void *body, size_t len);
int net_peer_send_frames(struct net_peer *p, const char *const *frames, size_t count);

/* One message; 0, or -1 when none came. The frames are yours: net_peer_frames_clear. */
struct net_peer_frames {
    size_t count;
    struct net_peer_frame {
        uint8_t *data; /* a NUL follows */
        size_t len;
    } frame[NET_PEER_FRAMES_MAX];
};
int net_peer_receive(struct net_peer *p, struct net_peer_frames *out);
void net_peer_frames_clear(struct net_peer_frames *f);

/* True when the server accepted the handshake; false when it failed or nothing happened. */
bool net_peer_gets_in(struct net_peer *p);

/* A plain TCP connection to tcp://127.0.0.1:PORT, to write bytes of any kind; -1 when refused. */
int net_peer_tcp(const char *endpoint);

/* Read until the other side closes: true, or false when it had not after NET_PEER_WAIT_MS. */
bool net_peer_tcp_is_closed(int fd);

#endif
