/* net_lab.h - what the tests of common/net share: a net with a list of keys, a server and clients
 * on loopback, and waiting for events with a limit. A step that fails ends the test. */
#ifndef TESTS_UNIT_COMMON_NET_NET_LAB_H
#define TESTS_UNIT_COMMON_NET_NET_LAB_H

#include "common/net/keys.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "common/net/socket.h"
#include "common/net/zap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab {
    struct net *net;
    struct net_zap *zap;
    struct net_keys server;
    struct net_keys agent;    /* in the list "agents" as "mac-1" */
    struct net_keys tool;     /* in the list "tools" as "tool-1" */
    struct net_keys stranger; /* in no list */
};

#define LAB_WAIT_MS 20000 /* for anything; no test takes as long unless it fails */

void lab_make(struct lab *lab);
void lab_clear(struct lab *lab);

/* A list of one key. */
void lab_allow(struct lab *lab, const char *domain, const char *public_key, const char *user_id);

/* A ROUTER on a free port of loopback. */
struct net_socket *lab_server(struct lab *lab, const char *domain);

/* A DEALER with these keys, connected to it. */
struct net_socket *lab_client(struct lab *lab, struct net_socket *server,
                              const struct net_keys *keys);

/* net_receive, waiting for it. */
void lab_receive(struct net_socket *s, struct net_message *out);

/* Wait until done(arg) while s, and other unless NULL, are served by a poller. */
typedef bool lab_done_fn(void *arg);
void lab_wait(struct net_socket *s, struct net_socket *other, lab_done_fn *done, void *arg);

/* Wait until the counter (a member of s's counters) is at least n. */
void lab_wait_count(struct net_socket *s, const uint64_t *counter, uint64_t n);

void lab_wait_connected(struct net_socket *client);

/* net_send of a text; the connection must be there. */
void lab_send_text(struct net_socket *s, const struct net_message *to, const char *text);

#endif
