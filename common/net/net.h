/* net.h - where sockets, actors and keys start.
 *
 * A `struct net` is one libzmq context: its I/O threads carry bytes and do the encryption. One per
 * process is right; tests make one each. Rooms above see neither zmq.h nor sodium.h.
 *
 * In the order of a life: net_new, net_zap_start (zap.h) in a process that listens on TCP, actors
 * (actor.h), sockets (socket.h) and a poller (poll.h) for the loop that owns them; then the same
 * backwards. net_new and net_free belong to the main thread; a net may be used by every thread, a
 * socket, poller or actor by the one that owns it. */
#ifndef COMMON_NET_NET_H
#define COMMON_NET_NET_H

#include <stddef.h>

struct err;
struct net;

/* Messages that libzmq moves a second and thread are far above what a fleet sends; encryption is
 * what fills a thread, and 1 serves some thousands of agents. */
#define NET_IO_THREADS_MAX 16

/* io_threads from 1 to NET_IO_THREADS_MAX. ERR_UNSUPPORTED when this libzmq has no CURVE. */
struct net *net_new(int io_threads, struct err *err);

/* Close sockets and stop actors first. Actors that were forgotten see $TERM and end by themselves;
 * with a socket still open the context is left alone (and a line logged) rather than wait for ever.
 * NULL is fine. */
void net_free(struct net *net);

/* prefix, then 24 random lower-case characters (120 bits, alphabet as in keys.h): ids of plans,
 * jobs, requests. -1 (out untouched) when size is under strlen(prefix) + NET_RANDOM_ID_CHARS + 1.
 */
#define NET_RANDOM_ID_CHARS 24
int net_random_id(char *out, size_t size, const char *prefix);

#endif
