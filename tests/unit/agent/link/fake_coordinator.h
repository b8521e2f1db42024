/* fake_coordinator.h - the other end of an uplink: a ROUTER with CURVE in this thread, which keeps
 * what comes and sends what a test says. */
#ifndef TESTS_UNIT_AGENT_FAKE_COORDINATOR_H
#define TESTS_UNIT_AGENT_FAKE_COORDINATOR_H

#include "common/net/keys.h"
#include "common/net/socket.h"

#include <stdbool.h>
#include <stddef.h>

struct agent_message;
struct coordinator_message;
struct net;
struct net_zap;

#define FAKE_KEPT_MAX 512

struct fake_coordinator {
    struct net *net;
    struct net_zap *zap;
    struct net_socket *socket;
    struct net_keys keys;
    char endpoint[64];       /* kept across a restart */
    struct net_message peer; /* of the last message */
    struct agent_message *kept[FAKE_KEPT_MAX];
    size_t count;
    bool silent; /* answers nothing by itself; else Hello with Welcome, and receipts */
    bool no_receipts;
    int64_t heartbeat_ms;
    bool want_profile;
    char device_id[32];
};

/* `agent_key` is let in, unless NULL. */
void fake_start(struct fake_coordinator *f, const char *agent_key);
void fake_stop(struct fake_coordinator *f);

/* The socket goes, and comes back at the same place: a coordinator that was restarted. */
void fake_down(struct fake_coordinator *f);
void fake_up(struct fake_coordinator *f);
void fake_allow(struct fake_coordinator *f, const char *agent_key);

/* Take what is there and answer it. */
void fake_serve(struct fake_coordinator *f);

/* Send one message to the last peer, and free it. */
void fake_send(struct fake_coordinator *f, struct coordinator_message *message);
void fake_send_bytes(struct fake_coordinator *f, const void *bytes, size_t len);

#endif
