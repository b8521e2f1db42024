/* front.h - the coordinator's sockets: sessions of agents, requests of tools, published events.
 *
 * Decodes, checks who speaks and whether they may, and hands what is left to the application's
 * handlers; sends what the application decides. Never blocks: a peer that does not read loses
 * messages, which are counted (deliveries and receipts are repeated by their own rules). Handlers
 * run inside front_serve and may call front_send, front_reply and front_publish. One thread, the
 * loop's. */
#ifndef COORDINATOR_FRONT_FRONT_H
#define COORDINATOR_FRONT_FRONT_H

#include "common/core/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_message;
struct coordinator_message;
struct err;
struct event;
struct front;
struct hello;
struct keyring;
struct net;
struct net_keys;
struct net_poller;
struct request;
struct response;

#define FRONT_PEER_MAX 32 /* a routing id of libzmq has 5 bytes */

/* Where an answer goes: kept by the application until it has one. */
struct front_tool {
    uint8_t peer[FRONT_PEER_MAX];
    size_t peer_len;
    bool enveloped; /* it sent [empty][body]: it is answered in the same form */
    bool local;     /* it came over ipc */
    int role;       /* enum role at the time of the request */
    bool progress;  /* it wants Progress messages */
    char user_id[ID_TEXT_MAX + 1];
    char request_id[ID_TEXT_MAX + 1];
};

struct front_settings {
    const char *agents_endpoint; /* port 7420 */
    const char *tools_endpoint;  /* port 7421; NULL: none */
    const char *events_endpoint; /* port 7422; NULL: none */
    const char *ipc_endpoint;    /* ipc://... in a folder of mode 0700; NULL: none */
    const struct net_keys *keys; /* the coordinator's own; outlives the front */
};

struct front_handlers {
    void *arg;
    /* A device said hello; the version fits. The application answers with a Welcome. */
    void (*hello)(void *arg, const char *device_id, const struct hello *hello);
    /* Any other message of a device with a session; may be taken over (set to NULL). */
    void (*agent)(void *arg, const char *device_id, struct agent_message **message);
    /* A request that its sender's role allows; may be taken over. */
    void (*request)(void *arg, const struct front_tool *from, struct request **request);
};

struct front_counters {
    int64_t agent_messages; /* received from agents */
    int64_t refused; /* answered with a Refusal, or a Response other than ok of the front's own */
    int64_t dropped; /* not sent: the peer was slow or gone */
    int64_t unknown_values; /* fields and enum values of a newer protocol, taken as absent */
};

/* Settings are read once; keyring and handlers' arg outlive the front. */
struct front *front_new(struct net *net, const struct front_settings *settings,
                        struct keyring *keyring, const struct front_handlers *handlers,
                        struct err *err);
void front_free(struct front *f);

/* Adds the sockets that receive, under ids first_id, first_id + 1, ... */
int front_watch(struct front *f, struct net_poller *poller, int first_id, struct err *err);

/* Read what is there, at most FRONT_BATCH messages a socket, so that timers are served in time;
 * true when more may be waiting. */
bool front_serve(struct front *f);

/* 0: handed to the socket. -1: the device has no session now, or reads too slowly. */
int front_send(struct front *f, const char *device_id, const struct coordinator_message *message);
bool front_has_session(const struct front *f, const char *device_id);
void front_end_session(struct front *f, const char *device_id);

/* The one answer; its request_id is filled in here. */
void front_reply(struct front *f, const struct front_tool *to, struct response *response);
/* The answer's bytes for keeping, as front_reply would send them. */
int front_encode_reply(const struct response *response, uint8_t **out, size_t *len,
                       struct err *err);
void front_reply_bytes(struct front *f, const struct front_tool *to, const uint8_t *bytes,
                       size_t len);
void front_progress(struct front *f, const struct front_tool *to, const char *text);
void front_publish(struct front *f, const struct event *event);

/* The enum response_code that tells a peer of an enum err_code. */
int front_response_code(int err_code);

/* Endpoints as bound (a port of * is a real one); borrowed; NULL where there is none. */
const char *front_agents_endpoint(const struct front *f);
const char *front_tools_endpoint(const struct front *f);
const char *front_events_endpoint(const struct front *f);

struct front_counters front_counters(const struct front *f);

#endif
