/* net_peer.c - see net_peer.h. */
#include "tests/support/net_peer.h"
#include "common/core/clock.h"
#include "common/core/mem.h"
#include "common/net/keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#define MONITOR "inproc://peer-monitor"
#define FAILED                                                                    \
    (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

struct net_peer {
    void *ctx;
    void *handle;
    void *monitor;
};

static int set_text(void *handle, int option, const char *text)
{
    return zmq_setsockopt(handle, option, text, strlen(text));
}

static int set_int(void *handle, int option, int value)
{
    return zmq_setsockopt(handle, option, &value, sizeof value);
}

static int options_set(void *h, const struct net_peer_options *o)
{
    if (set_int(h, ZMQ_LINGER, 0) < 0 || set_int(h, ZMQ_RCVTIMEO, NET_PEER_WAIT_MS) < 0 ||
        set_int(h, ZMQ_SNDTIMEO, NET_PEER_WAIT_MS) < 0)
        return -1;
    if (o->routing_id && set_text(h, ZMQ_ROUTING_ID, o->routing_id) < 0)
        return -1;
    if (!o->keys)
        return 0;
    if (set_text(h, ZMQ_CURVE_SERVERKEY, o->server_public_key) < 0 ||
        set_text(h, ZMQ_CURVE_PUBLICKEY, o->keys->public_key) < 0 ||
        set_text(h, ZMQ_CURVE_SECRETKEY, o->keys->secret_key) < 0)
        return -1;
    return 0;
}

struct net_peer *net_peer_open(const struct net_peer_options *o)
{
    struct net_peer *p = mem_zalloc(sizeof *p);

    if (!p || !(p->ctx = zmq_ctx_new()) ||
        !(p->handle = zmq_socket(p->ctx, o->request ? ZMQ_REQ : ZMQ_DEALER)) ||
        !(p->monitor = zmq_socket(p->ctx, ZMQ_PAIR)) || options_set(p->handle, o) < 0 ||
        set_int(p->monitor, ZMQ_LINGER, 0) < 0 ||
        zmq_socket_monitor(p->handle, MONITOR, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | FAILED) < 0 ||
        zmq_connect(p->monitor, MONITOR) < 0 || zmq_connect(p->handle, o->endpoint) < 0) {
        fprintf(stderr, "net_peer_open(%s): %s\n", o->endpoint, zmq_strerror(errno));
        net_peer_close(p);
        return NULL;
    }
    return p;
}

void net_peer_close(struct net_peer *p)
{
    if (!p)
        return;
    if (p->handle)
        zmq_close(p->handle);
    if (p->monitor)
        zmq_close(p->monitor);
    if (p->ctx)
        zmq_ctx_term(p->ctx);
    mem_free(p);
}

int net_peer_send(struct net_peer *p, const void *body, size_t len)
{
    return zmq_send(p->handle, body, len, 0) < 0 ? -1 : 0;
}

int net_peer_send_frames(struct net_peer *p, const char *const *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (zmq_send(p->handle, frames[i], strlen(frames[i]), i + 1 < count ? ZMQ_SNDMORE : 0) < 0)
            return -1;
    return 0;
}

int net_peer_receive(struct net_peer *p, struct net_peer_frames *out)
{
    zmq_msg_t m;
    int more = 1;

    memset(out, 0, sizeof *out);
    while (more && out->count < NET_PEER_FRAMES_MAX) {
        struct net_peer_frame *f = &out->frame[out->count];

        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, p->handle, 0) < 0) {
            zmq_msg_close(&m);
            net_peer_frames_clear(out);
            return -1;
        }
        f->len = zmq_msg_size(&m);
        f->data = mem_dup(zmq_msg_data(&m), f->len);
        out->count++;
        more = zmq_msg_more(&m);
        zmq_msg_close(&m);
    }
    return 0;
}

void net_peer_frames_clear(struct net_peer_frames *f)
{
    for (size_t i = 0; i < f->count; i++)
        mem_free(f->frame[i].data);
    memset(f, 0, sizeof *f);
}

bool net_peer_gets_in(struct net_peer *p)
{
    uint8_t frame[256];
    uint16_t event = 0;

    set_int(p->monitor, ZMQ_RCVTIMEO, NET_PEER_WAIT_MS);
    if (zmq_recv(p->monitor, frame, sizeof frame, 0) < (int)sizeof event)
        return false;
    memcpy(&event, frame, sizeof event);
    zmq_recv(p->monitor, frame, sizeof frame, 0); /* its endpoint */
    return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

int net_peer_tcp(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool net_peer_tcp_is_closed(int fd)
{
    int64_t until = clock_mono_ms() + NET_PEER_WAIT_MS;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char bytes[4096];
    int64_t left;

    while ((left = until - clock_mono_ms()) > 0)
        if (poll(&p, 1, (int)left) > 0 && recv(fd, bytes, sizeof bytes, 0) <= 0)
            return true;
    return false;
}
