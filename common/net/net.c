/* net.c - see net.h. */
#include "common/net/net.h"
#include "common/net/net_internal.h"
#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/random.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

/* Sockets, not connections: actors have two each, watched sockets three. */
#define SOCKETS_MAX 4096

struct net *net_new(int io_threads, struct err *err)
{
    struct net *net;

    if (io_threads < 1 || io_threads > NET_IO_THREADS_MAX) {
        err_set(err, ERR_INVALID, "io_threads: %d, wanted an integer from 1 to %d", io_threads,
                NET_IO_THREADS_MAX);
        return NULL;
    }
    if (!zmq_has("curve") || sodium_init() < 0) {
        err_set(err, ERR_UNSUPPORTED, "this libzmq was built without CURVE: no connection is safe");
        return NULL;
    }
    if (!(net = mem_zalloc(sizeof *net))) {
        err_set(err, ERR_NOMEM, "a network context");
        return NULL;
    }
    atomic_init(&net->open, 0);
    atomic_init(&net->next_id, 1);
    if (!(net->ctx = zmq_ctx_new())) {
        net_err_zmq(err, errno, "a network context");
        mem_free(net);
        return NULL;
    }
    zmq_ctx_set(net->ctx, ZMQ_IO_THREADS, io_threads);
    zmq_ctx_set(net->ctx, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    return net;
}

void net_free(struct net *net)
{
    int open;

    if (!net)
        return;
    if ((open = atomic_load(&net->open)) != 0) {
        /* zmq_ctx_term would wait for somebody to close them. */
        zmq_ctx_shutdown(net->ctx);
        log_err(NULL, "%d sockets are still open at the end: their context is left alone", open);
        return;
    }
    while (zmq_ctx_term(net->ctx) < 0 && errno == EINTR)
        ;
    mem_free(net);
}

int net_random_id(char *out, size_t size, const char *prefix)
{
    unsigned char bits[NET_RANDOM_ID_CHARS];
    size_t len = strlen(prefix);

    if (size < len + NET_RANDOM_ID_CHARS + 1 || random_bytes(bits, sizeof bits, NULL) < 0)
        return -1;
    memcpy(out, prefix, len);
    for (size_t i = 0; i < sizeof bits; i++)
        out[len + i] = NET_ID_ALPHABET[bits[i] % 32]; /* 256 is a multiple: no letter is likelier */
    out[len + NET_RANDOM_ID_CHARS] = '\0';
    return 0;
}

void *net_raw_open(struct net *net, int type, int send_hwm, int receive_hwm)
{
    const int none = 0;
    void *handle = zmq_socket(net->ctx, type);

    if (!handle)
        return NULL;
    atomic_fetch_add(&net->open, 1);
    if (zmq_setsockopt(handle, ZMQ_LINGER, &none, sizeof none) < 0 ||
        zmq_setsockopt(handle, ZMQ_SNDHWM, &send_hwm, sizeof send_hwm) < 0 ||
        zmq_setsockopt(handle, ZMQ_RCVHWM, &receive_hwm, sizeof receive_hwm) < 0) {
        int number = errno;

        net_raw_close(net, handle);
        errno = number;
        return NULL;
    }
    return handle;
}

void net_raw_close(struct net *net, void *handle)
{
    if (!handle)
        return;
    zmq_close(handle);
    atomic_fetch_sub(&net->open, 1);
}

void net_inproc_name(struct net *net, const char *kind, char out[NET_INPROC_MAX])
{
    snprintf(out, NET_INPROC_MAX, "inproc://%.16s-%u", kind, atomic_fetch_add(&net->next_id, 1));
}

int net_err_zmq(struct err *err, int number, const char *what)
{
    enum err_code code = number == ENOMEM                              ? ERR_NOMEM
                         : number == EADDRINUSE                        ? ERR_BUSY
                         : number == EACCES || number == EPERM         ? ERR_DENIED
                         : number == EMFILE || number == ENFILE        ? ERR_TOO_BIG
                         : number == ETERM                             ? ERR_CANCELLED
                         : number == EINVAL || number == EADDRNOTAVAIL ? ERR_INVALID
                                                                       : ERR_IO;

    return err_set(err, code, "%s: %s", what, zmq_strerror(number));
}
