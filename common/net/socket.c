/* socket.c - messages in and out of a socket; see socket.h.
 *
 * A message is taken frame by frame into a small array, whatever its length, and only then judged:
 * libzmq hands over whole messages, so reading to the end never waits. Frames to send are all made
 * before the first is given away, so memory cannot run out in the middle of a message. */
#include "common/net/net_internal.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#define FRAMES_MAX 3 /* [peer][empty][body] */

/* Malformed messages that one call of net_receive passes over before it returns to its loop. */
#define MALFORMED_A_CALL 64

struct frames {
    zmq_msg_t part[FRAMES_MAX];
    size_t count; /* as received; more than FRAMES_MAX: the rest is gone */
};

static void frames_close(struct frames *f)
{
    for (size_t i = 0; i < f->count && i < FRAMES_MAX; i++)
        zmq_msg_close(&f->part[i]);
    f->count = 0;
}

/* 1: a frame is in m; 0: none; -1: shutting down. */
static int frame_receive(void *handle, zmq_msg_t *m)
{
    while (zmq_msg_recv(m, handle, ZMQ_DONTWAIT) < 0) {
        if (errno == ETERM || errno == ENOTSOCK)
            return -1;
        if (errno != EINTR) /* EAGAIN, and EFSM of a REQ that has not asked */
            return 0;
    }
    return 1;
}

/* 1, 0 or -1 as frame_receive, for a whole message. */
static int frames_receive(void *handle, struct frames *f)
{
    zmq_msg_t extra;
    int more = 1;
    int rc;

    f->count = 0;
    while (more) {
        zmq_msg_t *m = f->count < FRAMES_MAX ? &f->part[f->count] : &extra;

        zmq_msg_init(m);
        if ((rc = frame_receive(handle, m)) != 1) {
            zmq_msg_close(m);
            frames_close(f);
            return rc;
        }
        more = zmq_msg_more(m);
        f->count++;
        if (m == &extra)
            zmq_msg_close(&extra);
    }
    return 1;
}

/* The property of that name, "" when there is none or it does not fit. */
static void property_copy(zmq_msg_t *m, const char *name, char *out, size_t size)
{
    const char *value = zmq_msg_gets(m, name);
    size_t len = value ? strnlen(value, size) : 0;

    if (len >= size)
        len = 0;
    if (len)
        memcpy(out, value, len);
    out[len] = '\0';
}

/* Which part is the body of this form of message; FRAMES_MAX: it has no form of ours. */
static size_t body_find(const struct net_socket *s, const struct frames *f)
{
    /* What comes before [body] or [empty][body]; a topic takes no envelope. */
    size_t lead = s->kind == NET_ROUTER || s->kind == NET_SUB ? 1 : 0;
    size_t body = f->count - 1;
    bool plain = body == lead;
    bool enveloped =
        body == lead + 1 && s->kind != NET_SUB && zmq_msg_size((zmq_msg_t *)&f->part[lead]) == 0;

    if (f->count > FRAMES_MAX || (!plain && !enveloped))
        return FRAMES_MAX;
    return zmq_msg_size((zmq_msg_t *)&f->part[body]) > 0 ? body : FRAMES_MAX;
}

/* What stands before the body has room in a net_message. */
static bool lead_fits(const struct net_socket *s, const struct frames *f)
{
    size_t len = zmq_msg_size((zmq_msg_t *)&f->part[0]);

    if (s->kind == NET_ROUTER)
        return len <= NET_PEER_MAX;
    return s->kind != NET_SUB || len <= NET_TOPIC_MAX;
}

static void lead_copy(const struct net_socket *s, struct frames *f, struct net_message *out)
{
    size_t len = zmq_msg_size(&f->part[0]);

    out->peer_len = 0;
    out->topic[0] = '\0';
    if (s->kind == NET_ROUTER) {
        memcpy(out->peer, zmq_msg_data(&f->part[0]), len);
        out->peer_len = len;
    } else if (s->kind == NET_SUB) {
        memcpy(out->topic, zmq_msg_data(&f->part[0]), len);
        out->topic[len] = '\0';
    }
}

/* 1: out is filled; 0: out of form or no memory, counted. Texts are ended, what lies behind their
 * end is not zeroed: a net_message is larger than most bodies, and this is done for each. */
static int frames_take(struct net_socket *s, struct frames *f, struct net_message *out)
{
    size_t body = body_find(s, f), len;
    uint8_t *copy;

    if (body == FRAMES_MAX || !lead_fits(s, f)) {
        s->counters.malformed++;
        return 0;
    }
    len = zmq_msg_size(&f->part[body]);
    if (!(copy = mem_dup(zmq_msg_data(&f->part[body]), len))) {
        s->counters.dropped++;
        return 0;
    }
    lead_copy(s, f, out);
    out->enveloped = body > 0 && s->kind != NET_SUB && body == (s->kind == NET_ROUTER ? 2 : 1);
    out->body = copy;
    out->len = len;
    out->user_id[0] = '\0';
    if (s->trust_user_id)
        property_copy(&f->part[body], "User-Id", out->user_id, sizeof out->user_id);
    property_copy(&f->part[body], "Peer-Address", out->address, sizeof out->address);
    s->counters.received++;
    return 1;
}

int net_receive(struct net_socket *s, struct net_message *out)
{
    struct frames f;

    if (s->kind == NET_PUB)
        return 0;
    for (int i = 0; i < MALFORMED_A_CALL; i++) {
        int rc = frames_receive(s->handle, &f);

        if (rc != 1) {
            if (s->monitor && rc == 0)
                monitor_drain(s->monitor, &s->counters);
            return rc;
        }
        rc = frames_take(s, &f, out);
        frames_close(&f);
        if (rc == 1)
            return 1;
    }
    return 0;
}

void net_message_clear(struct net_message *m)
{
    if (!m)
        return;
    mem_free(m->body);
    memset(m, 0, sizeof *m);
}

static int frame_make(struct frames *f, const void *data, size_t len)
{
    if (zmq_msg_init_size(&f->part[f->count], len) < 0)
        return -1;
    if (len)
        memcpy(zmq_msg_data(&f->part[f->count]), data, len);
    f->count++;
    return 0;
}

/* zmq_msg_send that does not wait. libzmq looks for news (a connection made, room in a queue) only
 * every few sends; so before it is believed that there is no room, it is made to look. */
static int frame_send(void *handle, zmq_msg_t *m, int flags)
{
    bool looked = false;

    while (zmq_msg_send(m, handle, flags | ZMQ_DONTWAIT) < 0) {
        if (errno == EAGAIN && !looked) {
            int events;
            size_t size = sizeof events;

            if (zmq_getsockopt(handle, ZMQ_EVENTS, &events, &size) < 0)
                return -1;
            looked = true;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

/* Give all frames to libzmq; 0, or -1 when it took none (the first decides). */
static int frames_send(void *handle, struct frames *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (frame_send(handle, &f->part[i], i + 1 < f->count ? ZMQ_SNDMORE : 0) < 0)
            return -1;
    return 0;
}

/* Send what f holds (or count it as dropped when made is false) and close what is left of it. */
static int frames_finish(struct net_socket *s, struct frames *f, bool made)
{
    int rc = made ? frames_send(s->handle, f) : -1;

    frames_close(f); /* frames that were sent are empty now, and may be closed */
    if (rc == 0)
        s->counters.sent++;
    else
        s->counters.dropped++;
    return rc;
}

int net_send(struct net_socket *s, const struct net_message *to, const uint8_t *body, size_t len)
{
    struct frames f = {.count = 0};
    bool router = s->kind == NET_ROUTER;
    bool made = body && len > 0 && s->kind != NET_PUB && s->kind != NET_SUB;

    if (made && router)
        made = to && to->peer_len > 0 && to->peer_len <= sizeof to->peer &&
               frame_make(&f, to->peer, to->peer_len) == 0;
    if (made && router && to->enveloped)
        made = frame_make(&f, NULL, 0) == 0;
    if (made)
        made = frame_make(&f, body, len) == 0;
    return frames_finish(s, &f, made);
}

int net_publish(struct net_socket *s, const char *topic, const uint8_t *body, size_t len)
{
    struct frames f = {.count = 0};
    size_t topic_len = topic ? strnlen(topic, NET_TOPIC_MAX + 1) : 0;
    bool made = s->kind == NET_PUB && body && len > 0 && topic_len <= NET_TOPIC_MAX &&
                frame_make(&f, topic, topic_len) == 0 && frame_make(&f, body, len) == 0;

    return frames_finish(s, &f, made);
}

int net_subscribe(struct net_socket *s, const char *topic, struct err *err)
{
    if (s->kind != NET_SUB)
        return err_set(err, ERR_INVALID, "only a NET_SUB socket subscribes");
    if (!topic || strlen(topic) > NET_TOPIC_MAX)
        return err_set(err, ERR_INVALID, "topic: wanted 0 to %d bytes", NET_TOPIC_MAX);
    if (zmq_setsockopt(s->handle, ZMQ_SUBSCRIBE, topic, strlen(topic)) < 0)
        return net_err_zmq(err, errno, "topic");
    return 0;
}

const char *net_socket_endpoint(const struct net_socket *s)
{
    return s->endpoint;
}

const struct net_counters *net_socket_counters(struct net_socket *s)
{
    if (s->monitor)
        monitor_drain(s->monitor, &s->counters);
    return &s->counters;
}

bool net_socket_is_connected(struct net_socket *s)
{
    if (!s->monitor)
        return false;
    monitor_drain(s->monitor, &s->counters);
    return monitor_is_connected(s->monitor);
}

bool net_socket_was_refused(struct net_socket *s)
{
    if (!s->monitor)
        return false;
    monitor_drain(s->monitor, &s->counters);
    return monitor_was_refused(s->monitor);
}
