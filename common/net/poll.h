/* poll.h - wait for sockets, file descriptors and actors at once.
 *
 * A poller belongs to one thread and borrows what is in it: remove before you close. Each thing has
 * an id of the caller's, not negative; net_poller_wait gives back the ids of those with something
 * to read (a file descriptor also when it hung up). It is level-triggered: what is not read is
 * reported again. One call looks at everything, so a poller suits tens of things, not thousands; a
 * thousand peers are one socket. */
#ifndef COMMON_NET_POLL_H
#define COMMON_NET_POLL_H

#include <stddef.h>
#include <stdint.h>

struct actor;
struct actor_pipe;
struct err;
struct net_poller;
struct net_socket;

#define NET_POLLER_MAX \
    65536 /* what max below may be: a process's descriptors on Linux, often less */

/* It grows up to max things. */
struct net_poller *net_poller_new(size_t max, struct err *err);
void net_poller_free(struct net_poller *p); /* NULL is fine; what is in it lives on */

/* ERR_EXISTS for a thing that is in it, ERR_TOO_BIG past max, ERR_INVALID for a negative id. */
int net_poller_add_socket(struct net_poller *p, struct net_socket *s, int id, struct err *err);
int net_poller_add_fd(struct net_poller *p, int fd, int id, struct err *err);
int net_poller_add_actor(struct net_poller *p, struct actor *a, int id, struct err *err);
int net_poller_add_pipe(struct net_poller *p, struct actor_pipe *pipe, int id, struct err *err);

/* Nothing happens when it is not there. */
void net_poller_remove_socket(struct net_poller *p, const struct net_socket *s);
void net_poller_remove_fd(struct net_poller *p, int fd);
void net_poller_remove_actor(struct net_poller *p, const struct actor *a);
void net_poller_remove_pipe(struct net_poller *p, const struct actor_pipe *pipe);

/* Wait up to timeout_ms (0: only look; negative: no limit). The number of ids written, at most max;
 * when more are ready, the others come first next time. 0 at the timeout, and sooner when a signal
 * came in, so look at your flags; a socket is also reported when a connection came or went. -1: the
 * net is shutting down. */
int net_poller_wait(struct net_poller *p, int64_t timeout_ms, int *ids, size_t max);

#endif
