/* actor.c - see actor.h.
 *
 * Both ends of the PAIR are made, and closed, by the owner: after pthread_create and after
 * pthread_join, which order everything. What travels is a small envelope, a kind and a pointer.
 *
 * Stopping: a flag, which the thread sees at its next call, and $TERM to wake it (not needed where
 * the queue is full: then there is something to wake it). The owner then reads, and frees, until
 * the thread's ENDED, which comes last; so a thread that waits for room to answer always gets it.
 * What the owner had sent and nobody took is read, and freed, by the thread before ENDED. */
#ifdef __linux__
#define _GNU_SOURCE /* pthread_setname_np */
#endif
#include "common/net/actor.h"
#include "common/net/handover.h"
#include "common/net/net_internal.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <zmq.h>

enum envelope_kind {
    ENVELOPE_MESSAGE,
    ENVELOPE_READY,
    ENVELOPE_FAILED,
    ENVELOPE_ENDED,
    ENVELOPE_TERM
};

struct envelope {
    enum envelope_kind kind;
    void *msg;
};

struct actor_pipe {
    void *handle;
    void *stash; /* a message that came just as $TERM was asked for */
    bool said;   /* ready or failed */
    struct actor *actor;
};

struct actor {
    struct net *net;
    const struct actor_type *type;
    void *arg;
    void *handle; /* the owner's end */
    pthread_t thread;
    bool ended; /* ENDED has been read */
    atomic_bool stopping;
    struct err failure; /* written before FAILED is sent, read after it came */
    struct actor_pipe pipe;
};

/* libzmq adds the limits of both ends. */
#define HWM (ACTOR_QUEUE_MAX / 2)

/* 0, or -1 with EAGAIN (only with ZMQ_DONTWAIT) or ETERM. */
static int envelope_send(void *handle, enum envelope_kind kind, void *msg, int flags)
{
    struct envelope e;

    memset(&e, 0, sizeof e); /* also what is between its members */
    e.kind = kind;
    e.msg = msg;
    handover_release(msg);
    while (zmq_send(handle, &e, sizeof e, flags) < 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

static int envelope_receive(void *handle, struct envelope *e, int flags)
{
    int n;

    while ((n = zmq_recv(handle, e, sizeof *e, flags)) < 0)
        if (errno != EINTR)
            return -1;
    assert(n == (int)sizeof *e);
    handover_acquire(e->msg);
    return 0;
}

/* Wait until there is something to read: true; false after timeout_ms, or when the net ends. */
static bool handle_wait(void *handle, int64_t timeout_ms)
{
    zmq_pollitem_t item = {handle, -1, ZMQ_POLLIN, 0};
    int64_t until = timeout_ms > 0 ? clock_mono_ms() + timeout_ms : 0;
    int64_t left = timeout_ms;

    for (;;) {
        int rc = zmq_poll(&item, 1, left < 0 ? -1 : left > INT_MAX ? INT_MAX : (long)left);

        if (rc > 0)
            return true;
        if (rc < 0 && errno != EINTR)
            return false;
        if (timeout_ms >= 0 && (left = timeout_ms ? until - clock_mono_ms() : 0) <= 0)
            return false;
    }
}

/* ---- the thread's side ---- */

static void say(struct actor_pipe *pipe, enum envelope_kind kind)
{
    assert(!pipe->said);
    pipe->said = true;
    envelope_send(pipe->handle, kind, pipe->actor, 0); /* ETERM: then nobody listens */
}

void actor_ready(struct actor_pipe *pipe)
{
    say(pipe, ENVELOPE_READY);
}

void actor_failed(struct actor_pipe *pipe, const struct err *err)
{
    pipe->actor->failure = *err;
    say(pipe, ENVELOPE_FAILED);
}

bool pipe_is_stopping(const struct actor_pipe *pipe)
{
    return atomic_load(&pipe->actor->stopping);
}

void *pipe_handle(const struct actor_pipe *pipe)
{
    return pipe->handle;
}

/* The next message: 1; 0: none now; -1: $TERM was read, or the net ends. */
static int pipe_next(struct actor_pipe *pipe, void **msg)
{
    struct envelope e;

    if (envelope_receive(pipe->handle, &e, ZMQ_DONTWAIT) < 0)
        return errno == EAGAIN ? 0 : -1;
    if (e.kind == ENVELOPE_TERM)
        return -1;
    *msg = e.msg;
    return 1;
}

int pipe_receive(struct actor_pipe *pipe, int64_t timeout_ms, void **msg)
{
    void *next;
    int rc;

    if (pipe_is_stopping(pipe))
        return -1;
    if ((rc = pipe_next(pipe, &next)) == 0 && timeout_ms != 0) {
        if (!handle_wait(pipe->handle, timeout_ms) && !pipe_is_stopping(pipe))
            return timeout_ms < 0 ? -1 : 0; /* without a limit only the end of the net gets here */
        rc = pipe_next(pipe, &next);
    }
    if (rc == 1 && pipe_is_stopping(pipe)) {
        pipe->stash = next;
        return -1;
    }
    if (rc == 1)
        *msg = next;
    return rc;
}

int pipe_leftover(struct actor_pipe *pipe, void **msg)
{
    int rc;

    if (pipe->stash) {
        *msg = pipe->stash;
        pipe->stash = NULL;
        return 1;
    }
    /* $TERM is the last there is, but its queue may have been too full for it. */
    rc = pipe_next(pipe, msg);
    return rc == 1 ? 1 : 0;
}

int pipe_send(struct actor_pipe *pipe, void *msg)
{
    assert(pipe->said && msg);
    if (envelope_send(pipe->handle, ENVELOPE_MESSAGE, msg, 0) == 0)
        return 0;
    pipe->actor->type->free_answer(msg);
    return -1;
}

static void thread_name(const char *name)
{
    char cut[16]; /* Linux takes 15 characters */
    size_t len = strnlen(name, sizeof cut - 1);

    memcpy(cut, name, len);
    cut[len] = '\0';
#ifdef __APPLE__
    pthread_setname_np(cut);
#else
    pthread_setname_np(pthread_self(), cut);
#endif
}

static void *thread_main(void *arg)
{
    struct actor *a = arg;
    struct actor_pipe *pipe = &a->pipe;
    void *msg;

    thread_name(a->type->name);
    a->type->run(pipe, a->arg);
    if (!pipe->said) {
        struct err err;

        err_set(&err, ERR_INTERNAL, "actor %s returned without a word", a->type->name);
        actor_failed(pipe, &err);
    }
    while (pipe_leftover(pipe, &msg) == 1)
        a->type->free_request(msg);
    envelope_send(pipe->handle, ENVELOPE_ENDED, a, 0);
    return NULL;
}

/* ---- the owner's side ---- */

void *actor_handle(const struct actor *a)
{
    return a->handle;
}

static void actor_free(struct actor *a)
{
    net_raw_close(a->net, a->handle);
    net_raw_close(a->net, a->pipe.handle);
    mem_free(a);
}

static int pair_open(struct actor *a, struct err *err)
{
    char name[NET_INPROC_MAX];

    net_inproc_name(a->net, a->type->name, name);
    if (!(a->handle = net_raw_open(a->net, ZMQ_PAIR, HWM, HWM)) ||
        !(a->pipe.handle = net_raw_open(a->net, ZMQ_PAIR, HWM, HWM)) ||
        zmq_bind(a->handle, name) < 0 || zmq_connect(a->pipe.handle, name) < 0)
        return net_err_zmq(err, errno, a->type->name);
    return 0;
}

/* Start the thread with every signal blocked: they are for the loop. */
static int thread_start(struct actor *a, struct err *err)
{
    sigset_t all;
    sigset_t before;
    int number;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    number = pthread_create(&a->thread, NULL, thread_main, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number ? err_set_errno(err, number, "thread of %s", a->type->name) : 0;
}

struct actor *actor_start(struct net *net, const struct actor_type *type, void *arg,
                          struct err *err)
{
    struct actor *a = mem_zalloc(sizeof *a);
    struct envelope e;

    if (!a) {
        err_set(err, ERR_NOMEM, "actor %s", type->name);
        return NULL;
    }
    a->net = net;
    a->type = type;
    a->arg = arg;
    a->pipe.actor = a;
    atomic_init(&a->stopping, false);
    if (pair_open(a, err) < 0 || thread_start(a, err) < 0) {
        actor_free(a);
        return NULL;
    }
    if (envelope_receive(a->handle, &e, 0) < 0) {
        err_set(err, ERR_CANCELLED, "actor %s: the net is shutting down", type->name);
    } else if (e.kind == ENVELOPE_READY) {
        return a;
    } else if (err) {
        *err = a->failure;
    }
    actor_stop(a);
    return NULL;
}

/* 1: *msg is a message; 0: none now; -1: none any more, the thread has ended or the net. */
static int owner_next(struct actor *a, void **msg)
{
    struct envelope e;

    if (a->ended)
        return -1;
    if (envelope_receive(a->handle, &e, ZMQ_DONTWAIT) < 0)
        return errno == EAGAIN ? 0 : -1;
    if (e.kind != ENVELOPE_MESSAGE) {
        a->ended = true;
        return -1;
    }
    *msg = e.msg;
    return 1;
}

void actor_stop(struct actor *a)
{
    void *msg;
    int rc;

    if (!a)
        return;
    atomic_store(&a->stopping, true);
    envelope_send(a->handle, ENVELOPE_TERM, a, ZMQ_DONTWAIT);
    while ((rc = owner_next(a, &msg)) >= 0) {
        if (rc == 1)
            a->type->free_answer(msg);
        else if (!handle_wait(a->handle, -1))
            break;
    }
    pthread_join(a->thread, NULL);
    actor_free(a);
}

int actor_send(struct actor *a, void *msg)
{
    assert(msg);
    if (a->ended)
        return -1;
    return envelope_send(a->handle, ENVELOPE_MESSAGE, msg, ZMQ_DONTWAIT);
}

void *actor_receive(struct actor *a)
{
    void *msg;

    return owner_next(a, &msg) == 1 ? msg : NULL;
}

void *actor_receive_wait(struct actor *a, int64_t timeout_ms)
{
    void *msg;
    int rc = owner_next(a, &msg);

    if (rc == 0 && handle_wait(a->handle, timeout_ms))
        rc = owner_next(a, &msg);
    return rc == 1 ? msg : NULL;
}

bool actor_has_ended(const struct actor *a)
{
    return a->ended;
}
