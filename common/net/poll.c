/* poll.c - see poll.h. Things stand in one array in the order they were added; the array for
 * zmq_poll is made anew when they changed. A watched socket takes two places there: its own and
 * that of its monitor. */
#include "common/net/poll.h"
#include "common/net/actor.h"
#include "common/net/net_internal.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zmq.h>

#define CAP_FIRST 8

struct thing {
    const void *key; /* what it is known by for removing; NULL: a file descriptor */
    int fd;
    int id;
    void *handle;              /* libzmq's, NULL: a file descriptor */
    struct net_socket *socket; /* NULL: something else */
};

struct net_poller {
    struct thing *things;  /* cap of them */
    zmq_pollitem_t *items; /* 2 * cap of them */
    size_t cap;
    size_t count;
    size_t max;
    size_t item_count;
    size_t next; /* where the next wait starts to report, so that all get their turn */
    bool stale;  /* items is older than things */
};

struct net_poller *net_poller_new(size_t max, struct err *err)
{
    struct net_poller *p;

    if (max < 1 || max > NET_POLLER_MAX) {
        err_set(err, ERR_INVALID, "things in a poller: %zu, wanted from 1 to %d", max,
                NET_POLLER_MAX);
        return NULL;
    }
    if (!(p = mem_zalloc(sizeof *p))) {
        err_set(err, ERR_NOMEM, "a poller of %zu", max);
        return NULL;
    }
    p->max = max;
    return p;
}

void net_poller_free(struct net_poller *p)
{
    if (!p)
        return;
    mem_free(p->things);
    mem_free(p->items);
    mem_free(p);
}

static struct thing *find(const struct net_poller *p, const void *key, int fd)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->things[i].key == key && (key || p->things[i].fd == fd))
            return &p->things[i];
    return NULL;
}

static int grow(struct net_poller *p)
{
    size_t cap = p->cap ? 2 * p->cap : CAP_FIRST;
    struct thing *things;
    zmq_pollitem_t *items;

    if (!(things = mem_realloc_array(p->things, cap, sizeof *things)))
        return -1;
    p->things = things;
    if (!(items = mem_realloc_array(p->items, 2 * cap, sizeof *items)))
        return -1; /* things has grown, which does no harm */
    p->items = items;
    p->cap = cap;
    return 0;
}

static int add(struct net_poller *p, struct thing thing, struct err *err)
{
    if (thing.id < 0 || (!thing.handle && thing.fd < 0))
        return err_set(err, ERR_INVALID, "poller: id %d or descriptor %d is negative", thing.id,
                       thing.fd);
    if (find(p, thing.key, thing.fd))
        return err_set(err, ERR_EXISTS, "poller: %d is in it already", thing.id);
    if (p->count == p->max)
        return err_set(err, ERR_TOO_BIG, "poller: %zu things are in it, no more go in", p->max);
    if (p->count == p->cap && grow(p) < 0)
        return err_set(err, ERR_NOMEM, "poller of %zu things", p->count + 1);
    p->things[p->count++] = thing;
    p->stale = true;
    return 0;
}

int net_poller_add_socket(struct net_poller *p, struct net_socket *s, int id, struct err *err)
{
    return add(p, (struct thing){s, -1, id, s->handle, s}, err);
}

int net_poller_add_fd(struct net_poller *p, int fd, int id, struct err *err)
{
    return add(p, (struct thing){NULL, fd, id, NULL, NULL}, err);
}

int net_poller_add_actor(struct net_poller *p, struct actor *a, int id, struct err *err)
{
    return add(p, (struct thing){a, -1, id, actor_handle(a), NULL}, err);
}

int net_poller_add_pipe(struct net_poller *p, struct actor_pipe *pipe, int id, struct err *err)
{
    return add(p, (struct thing){pipe, -1, id, pipe_handle(pipe), NULL}, err);
}

static void take_out(struct net_poller *p, const void *key, int fd)
{
    struct thing *t = find(p, key, fd);

    if (!t)
        return;
    p->count--;
    memmove(t, t + 1, (size_t)(p->things + p->count - t) * sizeof *t);
    p->stale = true;
}

void net_poller_remove_socket(struct net_poller *p, const struct net_socket *s)
{
    take_out(p, s, -1);
}

void net_poller_remove_fd(struct net_poller *p, int fd)
{
    take_out(p, NULL, fd);
}

void net_poller_remove_actor(struct net_poller *p, const struct actor *a)
{
    take_out(p, a, -1);
}

void net_poller_remove_pipe(struct net_poller *p, const struct actor_pipe *pipe)
{
    take_out(p, pipe, -1);
}

/* Things first, in their order, so that place i of both arrays is the same; monitors after them. */
static void items_make(struct net_poller *p)
{
    size_t n = p->count;

    for (size_t i = 0; i < p->count; i++)
        p->items[i] = (zmq_pollitem_t){p->things[i].handle, p->things[i].fd, ZMQ_POLLIN, 0};
    for (size_t i = 0; i < p->count; i++)
        if (p->things[i].socket && p->things[i].socket->monitor)
            p->items[n++] =
                (zmq_pollitem_t){monitor_handle(p->things[i].socket->monitor), -1, ZMQ_POLLIN, 0};
    p->item_count = n;
    p->stale = false;
}

/* Fold what monitors have, and mark their sockets as ready. */
static void monitors_drain(struct net_poller *p)
{
    size_t n = p->count;

    for (size_t i = 0; i < p->count; i++) {
        struct net_socket *s = p->things[i].socket;

        if (!s || !s->monitor || !p->items[n++].revents)
            continue;
        monitor_drain(s->monitor, &s->counters);
        p->items[i].revents |= ZMQ_POLLIN;
    }
}

int net_poller_wait(struct net_poller *p, int64_t timeout_ms, int *ids, size_t max)
{
    long timeout = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (long)timeout_ms;
    size_t ready = 0;
    int rc;

    if (p->stale)
        items_make(p);
    rc = zmq_poll(p->items, (int)p->item_count, timeout);
    if (rc < 0)
        return errno == EINTR ? 0 : -1;
    if (rc == 0)
        return 0;
    monitors_drain(p);
    for (size_t i = 0, at = p->next; i < p->count && ready < max; i++, at++) {
        if (at >= p->count)
            at = 0;
        if (!p->items[at].revents)
            continue;
        ids[ready++] = p->things[at].id;
        p->next = at + 1;
    }
    return (int)ready;
}
