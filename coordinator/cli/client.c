/* client.c - see client.h. */
#include "coordinator/cli/client.h"

#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "common/net/socket.h"
#include "common/wire/wire.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BUSY_WAIT_MS 1000 /* before asking again where a busy coordinator does not say */
#define RECONNECT_MS                                                            \
    200 /* somebody is waiting; a tool is one connection, no fleet that returns \
         */

struct client {
    struct place place;
    struct net *net;
    struct net_socket *socket;
    struct net_poller *poller;
};

/* One request under way. */
struct asking {
    const struct client_call *call;
    const char *id;
    uint8_t *bytes;
    size_t len;
    int64_t deadline_ms, connect_ms, send_ms; /* monotonic; send_ms: when to send it, 0 once sent */
    uint64_t connected;                       /* connections that there were when it was sent */
    int others;                               /* answers to other requests that were passed over */
    struct response *busy; /* the last answer, where it was "busy": time may be up before another */
};

struct client *client_new(const struct place *place, struct err *err)
{
    struct client *c = mem_zalloc(sizeof *c);
    struct net_socket_options o = {.kind = NET_DEALER,
                                   .endpoint = place->endpoint,
                                   .message_max = WIRE_TOOL_MAX,
                                   .reconnect_ms = RECONNECT_MS};

    if (!c) {
        err_set(err, ERR_NOMEM, "the connection");
        return NULL;
    }
    c->place = *place;
    if (!place->local) {
        o.keys = &place->keys;
        o.server_public_key = place->server_key;
    }
    if ((place->local && place_check_socket(place, err) < 0) || !(c->net = net_new(1, err)) ||
        !(c->socket = net_socket_open(c->net, &o, err)) || !(c->poller = net_poller_new(1, err)) ||
        net_poller_add_socket(c->poller, c->socket, 0, err) < 0) {
        client_free(c);
        return NULL;
    }
    return c;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    if (c->poller && c->socket)
        net_poller_remove_socket(c->poller, c->socket);
    net_poller_free(c->poller);
    net_socket_close(c->socket);
    net_free(c->net);
    place_clear(&c->place);
    mem_free(c);
}

/* ---- why there is no answer ---- */

static int refused(const struct client *c, struct err *err)
{
    return err_set(err, ERR_DENIED,
                   "%.60s does not let this key in, or has another key than --server-key; there: "
                   "espalier devices allow '%s' --tool viewer (or operator)",
                   c->place.endpoint, c->place.keys.public_key);
}

static int not_connected(const struct client *c, struct err *err)
{
    return err_set(err, ERR_TIMEOUT,
                   "no connection to %.100s; check that espalier-coordinator runs there, the port, "
                   "and that --server-key is its key",
                   c->place.endpoint);
}

static int not_answered(const struct client *c, const struct asking *a, struct err *err)
{
    char span[FORMAT_MAX], more[64] = "";

    format_seconds((double)a->call->timeout_ms / 1000, span);
    if (a->others > 0)
        snprintf(more, sizeof more, " (%d to other requests)", a->others);
    return err_set(err, ERR_TIMEOUT,
                   "no answer from %.100s within %s%s; look at the coordinator's log, or give it "
                   "longer with --timeout",
                   c->place.endpoint, span, more);
}

/* Whatever is wrong with it, it is the answer that is at fault, not what was asked. */
static int unreadable(struct err *err)
{
    if (err && err->code != ERR_NOMEM)
        err->code = ERR_MALFORMED;
    return err_prefix(err, "the coordinator's answer cannot be read");
}

/* ---- what comes ---- */

static bool is_mine(const struct asking *a, const char *id)
{
    return id && strcmp(id, a->id) == 0;
}

/* A response to a request that could not be read has no id, and we have only one under way. */
static bool is_my_response(const struct asking *a, const struct response *r)
{
    return is_mine(a, r->request_id) || (!r->request_id && r->code != RESPONSE_CODE_OK);
}

/* A busy coordinator says when to ask again; nothing was done, so the id stays. */
static bool ask_again(struct asking *a, const struct response *r, int64_t now)
{
    int64_t wait = known_i64(r->retry_after_ms) ? r->retry_after_ms : BUSY_WAIT_MS;

    if (r->code != RESPONSE_CODE_BUSY || now + wait >= a->deadline_ms)
        return false;
    a->send_ms = now + wait;
    return true;
}

/* 1: *out is the answer; 0: not yet; -1: what came cannot be read. */
static int take_message(struct asking *a, const struct net_message *m, struct response **out,
                        struct err *err)
{
    struct tool_message *message = NULL;
    int rc = 0;

    if (wire_decode(&tool_message_type, WIRE_REPORT, m->body, m->len, WIRE_TOOL_MAX,
                    (void **)&message, NULL, err) < 0)
        return unreadable(err);
    if (message->progress && is_mine(a, message->progress->request_id)) {
        if (a->call->progress)
            a->call->progress(a->call->arg, message->progress->text);
    } else if (message->response && is_my_response(a, message->response)) {
        struct response **kept = &a->busy;

        response_free(a->busy);
        a->busy = NULL;
        if (!ask_again(a, message->response, clock_mono_ms())) {
            kept = out;
            rc = 1;
        }
        *kept = message->response;
        message->response = NULL;
    } else {
        a->others++;
    }
    tool_message_free(message);
    return rc;
}

/* ---- sending and waiting ---- */

/* Send when it is time; once more after the connection was lost and came back: the coordinator
 * answers a repeated id with the first answer. */
static int keep_sent(struct client *c, struct asking *a, int64_t now, struct err *err)
{
    const struct net_counters *counters = net_socket_counters(c->socket);

    if (!c->place.local) {
        if (net_socket_was_refused(c->socket))
            return refused(c, err);
        if (!net_socket_is_connected(c->socket))
            return now >= a->connect_ms ? not_connected(c, err) : 0;
        if (!a->send_ms && counters->connected != a->connected)
            a->send_ms = now;
        a->connect_ms = now + CLIENT_CONNECT_MS;
    }
    if (a->send_ms && now >= a->send_ms && net_send(c->socket, NULL, a->bytes, a->len) == 0) {
        a->send_ms = 0;
        a->connected = counters->connected;
    }
    return 0;
}

static int64_t next_look(const struct client *c, const struct asking *a, int64_t now)
{
    int64_t until = a->deadline_ms;

    if (!c->place.local && a->connect_ms < until)
        until = a->connect_ms;
    if (a->send_ms)
        until = a->send_ms > now ? (a->send_ms < until ? a->send_ms : until) : now + 50;
    return until > now ? until - now : 0;
}

static int wait_answer(struct client *c, struct asking *a, struct response **out, struct err *err)
{
    for (;;) {
        int64_t now = clock_mono_ms();
        struct net_message m;
        int id, rc;

        if (keep_sent(c, a, now, err) < 0)
            return -1;
        while ((rc = net_receive(c->socket, &m)) == 1) {
            rc = take_message(a, &m, out, err);
            net_message_clear(&m);
            if (rc != 0)
                return rc < 0 ? -1 : 0;
        }
        if (rc < 0)
            return err_set(err, ERR_CANCELLED, "the connection was closed");
        if (now >= a->deadline_ms && a->busy) { /* its last word */
            *out = a->busy;
            a->busy = NULL;
            return 0;
        }
        if (now >= a->deadline_ms)
            return c->place.local || net_socket_is_connected(c->socket) ? not_answered(c, a, err)
                                                                        : not_connected(c, err);
        net_poller_wait(c->poller, next_look(c, a, now), &id, 1);
    }
}

int client_ask(struct client *c, struct request *request, const struct client_call *call,
               struct response **out, struct err *err)
{
    char id[ID_TEXT_MAX + 1];
    int64_t now = clock_mono_ms();
    struct asking a = {.call = call,
                       .id = id,
                       .deadline_ms = now + call->timeout_ms,
                       .connect_ms = now + CLIENT_CONNECT_MS,
                       .send_ms = now};
    int rc;

    if (net_random_id(id, sizeof id, "r") < 0)
        return err_set(err, ERR_INTERNAL, "no random id for the request");
    request->protocol_version = PROTOCOL_VERSION;
    request->progress = call->progress ? TRI_TRUE : TRI_UNKNOWN;
    if (text_set(&request->request_id, id, err) < 0 ||
        wire_encode(&request_type, request, &a.bytes, &a.len, err) < 0)
        return -1;
    rc = wait_answer(c, &a, out, err);
    response_free(a.busy);
    mem_free(a.bytes);
    return rc;
}
