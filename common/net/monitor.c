/* monitor.c - connections of one socket that come and go, as libzmq's own monitor tells them.
 *
 * The events come over a PAIR from I/O threads, which would wait if its queue were full: it has no
 * limit, and is emptied whenever its socket is polled or received from. A stranger can add two
 * events of some 100 bytes with each connection he makes.
 *
 * A handshake that fails is followed by a "disconnected" of its own, which is not counted. */
#include "common/net/net_internal.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#define EVENTS_FAILED                                                             \
    (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
#define EVENTS (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | EVENTS_FAILED | ZMQ_EVENT_DISCONNECTED)

struct net_monitor {
    struct net *net;
    void *watched;    /* the socket's handle */
    void *handle;     /* the PAIR that events come over */
    uint64_t live;    /* connections with keys accepted */
    bool was_refused; /* since the last good handshake */
};

struct net_monitor *monitor_new(struct net *net, void *watched, struct err *err)
{
    char name[NET_INPROC_MAX];
    struct net_monitor *m = mem_zalloc(sizeof *m);

    if (!m) {
        err_set(err, ERR_NOMEM, "a socket's monitor");
        return NULL;
    }
    m->net = net;
    net_inproc_name(net, "monitor", name);
    if (zmq_socket_monitor(watched, name, EVENTS) < 0 ||
        !(m->handle = net_raw_open(net, ZMQ_PAIR, 0, 0)) || zmq_connect(m->handle, name) < 0) {
        net_err_zmq(err, errno, "a socket's monitor");
        monitor_free(m);
        return NULL;
    }
    m->watched = watched;
    return m;
}

void monitor_free(struct net_monitor *m)
{
    if (!m)
        return;
    if (m->watched)
        zmq_socket_monitor(m->watched, NULL, 0);
    net_raw_close(m->net, m->handle);
    mem_free(m);
}

void *monitor_handle(const struct net_monitor *m)
{
    return m->handle;
}

static void event_fold(struct net_monitor *m, unsigned event, struct net_counters *counters)
{
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
        counters->connected++;
        m->live++;
        m->was_refused = false;
    } else if (event & EVENTS_FAILED) {
        counters->refused++;
        m->was_refused = event != ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    } else if (event == ZMQ_EVENT_DISCONNECTED && m->live > 0) {
        counters->disconnected++;
        m->live--;
    }
}

void monitor_drain(struct net_monitor *m, struct net_counters *counters)
{
    zmq_msg_t frame;
    uint16_t event;

    zmq_msg_init(&frame);
    /* Each event is two frames: its number (16 bits) with a value, and the endpoint. */
    while (zmq_msg_recv(&frame, m->handle, ZMQ_DONTWAIT) >= 0) {
        if (zmq_msg_more(&frame) && zmq_msg_size(&frame) >= sizeof event) {
            memcpy(&event, zmq_msg_data(&frame), sizeof event);
            event_fold(m, event, counters);
        }
    }
    zmq_msg_close(&frame);
}

bool monitor_is_connected(const struct net_monitor *m)
{
    return m->live > 0;
}

bool monitor_was_refused(const struct net_monitor *m)
{
    return m->was_refused;
}
