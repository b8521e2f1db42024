/* net_internal.h - what the files of this room share and nobody else includes.
 *
 * libzmq's sockets appear as void *, as in its own interface, so that this header needs no zmq.h.
 */
#ifndef COMMON_NET_NET_INTERNAL_H
#define COMMON_NET_NET_INTERNAL_H

#include "common/net/socket.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct actor_pipe;
struct err;
struct net_monitor;

struct net {
    void *ctx;           /* libzmq's */
    atomic_int open;     /* libzmq sockets of ours that are not closed */
    atomic_uint next_id; /* for names of inproc endpoints */
};

/* Base 32 without the letters that look like digits or each other (i l o u). */
#define NET_ID_ALPHABET "0123456789abcdefghjkmnpqrstvwxyz"

struct net_socket {
    struct net *net;
    void *handle;                /* libzmq's */
    struct net_monitor *monitor; /* NULL: connections are not watched */
    enum net_kind kind;
    bool trust_user_id; /* it listens with ZAP: User-Id comes from there and not from the peer */
    char *endpoint;
    struct net_counters counters;
};

/* ---- net.c ---- */

/* A libzmq socket, counted in net->open; NULL and errno as zmq_socket. net_raw_close takes NULL. */
void *net_raw_open(struct net *net, int type, int send_hwm, int receive_hwm);
void net_raw_close(struct net *net, void *handle);

/* "inproc://KIND-7", another each time. */
#define NET_INPROC_MAX 48
void net_inproc_name(struct net *net, const char *kind, char out[NET_INPROC_MAX]);

/* err_set with the words for libzmq's errno. Always -1. */
int net_err_zmq(struct err *err, int number, const char *what);

/* ---- endpoint.c ---- */

enum net_transport { NET_TCP, NET_IPC, NET_INPROC };
int endpoint_check(const char *endpoint, bool bind, enum net_transport *out, struct err *err);

/* The folder of an ipc:// endpoint: made when absent, and then nobody else's. */
int endpoint_prepare_folder(const char *endpoint, struct err *err);

/* ---- monitor.c: connections that come and go ---- */

struct net_monitor *monitor_new(struct net *net, void *handle, struct err *err);
void monitor_free(struct net_monitor *m); /* NULL is fine */
void *monitor_handle(const struct net_monitor *m);
void monitor_drain(struct net_monitor *m, struct net_counters *counters);
bool monitor_is_connected(const struct net_monitor *m);
bool monitor_was_refused(const struct net_monitor *m);

/* ---- actor.c ---- */

void *actor_handle(const struct actor *a);
void *pipe_handle(const struct actor_pipe *pipe);

#endif
