/* uplink.c - see uplink.h. */
#include "agent/link/uplink.h"
#include "agent/link/outbox.h"
#include "agent/link/session.h"
#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/random.h"
#include "common/model/agent_message.h"
#include "common/net/poll.h"
#include "common/net/socket.h"
#include "common/wire/wire.h"

#include <string.h>

#define SERVE_BATCH 64 /* messages read in one call, so that timers and children get their turn */
#define RECEIVE_FRAME_MAX \
    (2 * WIRE_COORDINATOR_MAX) /* above ours, so that too long is said, not cut off */

#define ABSENCE_SAID_MS 10000 /* a coordinator that restarts is back by then */

struct uplink {
    struct net *net; /* borrowed */
    char *endpoint;
    char *server_key;
    const struct net_keys *keys; /* borrowed */
    struct uplink_handlers handlers;
    struct net_poller *poller; /* borrowed; NULL: not watched */
    int poll_id;
    struct net_socket *socket; /* NULL while down */
    struct session session;
    struct outbox *outbox;
    struct uplink_counters counters;
    bool welcomed;      /* the caller knows of a session */
    bool refusal_said;  /* in the log, since the last welcome */
    int64_t seeking_ms; /* since when there is no connection; UNKNOWN_I64: there is one */
    bool absence_said;  /* in the log, since the last connection */
    uint64_t random;    /* for spreading, not for secrets */
};

/* xorshift, seeded by the system: 0 to 1. */
static double next_random(struct uplink *u)
{
    u->random ^= u->random << 13;
    u->random ^= u->random >> 7;
    u->random ^= u->random << 17;
    return (double)(u->random >> 11) / (double)(1ULL << 53);
}

struct uplink *uplink_new(struct net *net, const struct uplink_settings *settings,
                          const struct uplink_handlers *handlers, int64_t now_ms, struct err *err)
{
    struct uplink *u = mem_zalloc(sizeof *u);

    if (!u) {
        err_set(err, ERR_NOMEM, "uplink");
        return NULL;
    }
    u->net = net;
    u->keys = settings->keys;
    u->handlers = *handlers;
    u->seeking_ms = UNKNOWN_I64;
    session_init(&u->session, now_ms);
    if (random_bytes(&u->random, sizeof u->random, err) < 0 ||
        text_set(&u->endpoint, settings->endpoint, err) < 0 ||
        text_set(&u->server_key, settings->server_key, err) < 0 || !(u->outbox = outbox_new(err))) {
        uplink_free(u);
        return NULL;
    }
    u->random |= 1; /* xorshift stays at 0 */
    return u;
}

static void close_socket(struct uplink *u)
{
    if (u->socket && u->poller)
        net_poller_remove_socket(u->poller, u->socket);
    net_socket_close(u->socket);
    u->socket = NULL;
}

void uplink_free(struct uplink *u)
{
    if (!u)
        return;
    close_socket(u);
    outbox_free(u->outbox);
    mem_free(u->endpoint);
    mem_free(u->server_key);
    mem_free(u);
}

static void watch_socket(struct uplink *u)
{
    struct err err;

    if (u->socket && u->poller && net_poller_add_socket(u->poller, u->socket, u->poll_id, &err) < 0)
        log_err(u->endpoint, "not polled: %s", err.text);
}

void uplink_watch(struct uplink *u, struct net_poller *poller, int id)
{
    u->poller = poller;
    u->poll_id = id;
    watch_socket(u);
}

static void open_socket(struct uplink *u)
{
    struct net_socket_options options = {
        .kind = NET_DEALER,
        .endpoint = u->endpoint,
        .keys = u->keys,
        .server_public_key = u->server_key,
        .only_connected = true,
        .message_max = RECEIVE_FRAME_MAX,
    };
    struct err err;

    if ((u->socket = net_socket_open(u->net, &options, &err)))
        watch_socket(u);
    else /* the session's next step finds no connection, and tries again later */
        log_err(u->endpoint, "no socket: %s", err.text);
}

/* ---- sending ---- */

static int send_message(struct uplink *u, const struct agent_message *message)
{
    uint8_t *body;
    struct err err;
    size_t len;
    int rc;

    if (!u->socket)
        return -1;
    if (wire_encode(&agent_message_type, message, &body, &len, &err) < 0) {
        log_err(u->endpoint, "not sent: %s", err.text);
        return -1;
    }
    rc = net_send(u->socket, NULL, body, len);
    mem_free(body);
    if (rc < 0)
        u->counters.dropped++;
    else
        u->counters.sent++;
    return rc;
}

static void send_hello(struct uplink *u)
{
    struct agent_message message;
    struct err err;

    record_init(&agent_message_type, &message);
    if (!(message.hello = hello_new(&err)) ||
        u->handlers.hello(u->handlers.arg, message.hello, &err) < 0)
        log_err(u->endpoint, "no hello: %s", err.text);
    else {
        message.hello->protocol_version = PROTOCOL_VERSION;
        send_message(u, &message);
    }
    record_clear(&agent_message_type, &message);
}

int uplink_send_profile(struct uplink *u, const struct profile *profile)
{
    struct agent_message message;

    record_init(&agent_message_type, &message);
    message.profile = (struct profile *)(uintptr_t)profile; /* read only, and not cleared */
    return uplink_is_open(u) ? send_message(u, &message) : -1;
}

int uplink_send_state(struct uplink *u, const struct state *state)
{
    struct agent_message message;

    record_init(&agent_message_type, &message);
    message.state = (struct state *)(uintptr_t)state; /* read only, and not cleared */
    return uplink_is_open(u) ? send_message(u, &message) : -1;
}

int uplink_send_goodbye(struct uplink *u, const char *reason)
{
    struct agent_message message;
    int rc = -1;

    record_init(&agent_message_type, &message);
    if (uplink_is_open(u) && (message.goodbye = goodbye_new(NULL)) &&
        text_set(&message.goodbye->reason, reason, NULL) == 0)
        rc = send_message(u, &message);
    record_clear(&agent_message_type, &message);
    return rc;
}

size_t uplink_room(const struct uplink *u)
{
    return outbox_room(u->outbox);
}

size_t uplink_kept(const struct uplink *u)
{
    return outbox_count(u->outbox);
}

int uplink_keep(struct uplink *u, uint64_t tag, struct agent_message **moved, struct err *err)
{
    return outbox_add(u->outbox, tag, moved, err);
}

static void send_kept(struct uplink *u, int64_t now_ms)
{
    const struct agent_message *message;

    while (uplink_is_open(u) && (message = outbox_next(u->outbox, now_ms))) {
        int64_t sequence = message->sequence;

        if (send_message(u, message) < 0) {
            outbox_hold(u->outbox, sequence, now_ms + SESSION_CONNECT_BASE_MS);
            return;
        }
        outbox_sent(u->outbox, sequence, now_ms);
    }
}

/* ---- receiving ---- */

static void take_welcome(struct uplink *u, const struct welcome *welcome, int64_t now_ms)
{
    session_welcome(&u->session, welcome->heartbeat_ms, now_ms);
    outbox_restart(u->outbox);
    u->counters.sessions++;
    u->refusal_said = false;
    u->welcomed = true;
    u->handlers.welcome(u->handlers.arg, welcome);
}

/* Once a session; one that was only asked whether it is still there goes on. */
static void tell_lost(struct uplink *u)
{
    if (u->welcomed)
        u->handlers.lost(u->handlers.arg);
    u->welcomed = false;
}

static void take_receipt(struct uplink *u, const struct receipt *receipt)
{
    uint64_t tag;

    for (size_t i = 0; i < receipt->sequences_count; i++) {
        if (outbox_settle(u->outbox, receipt->sequences[i], &tag))
            u->handlers.settled(u->handlers.arg, tag, NULL);
    }
}

/* Three kinds: of a kept message (it has a sequence), of the session (while greeting, or "come back
 * later"), and of a report, which is lost without harm. */
static void take_refusal(struct uplink *u, const struct refusal *refusal, int64_t now_ms)
{
    const char *code = enum_name(&response_code_names, refusal->code);
    const char *field = refusal->field ? refusal->field : "message";
    uint64_t tag;

    u->counters.refused++;
    log_warn(u->endpoint, "refused (%s): %s: %s", code ? code : "unknown", field, refusal->reason);
    if (known_i64(refusal->sequence)) {
        if (known_i64(refusal->retry_after_ms))
            outbox_hold(u->outbox, refusal->sequence, now_ms + refusal->retry_after_ms);
        else if (outbox_settle(u->outbox, refusal->sequence, &tag))
            u->handlers.settled(u->handlers.arg, tag, refusal);
    } else if (u->session.phase == SESSION_GREETING || known_i64(refusal->retry_after_ms)) {
        session_refused(&u->session, refusal->retry_after_ms, now_ms, next_random(u));
        tell_lost(u);
    }
}

static void take_message(struct uplink *u, struct coordinator_message *message, int64_t now_ms)
{
    session_heard(&u->session, now_ms);
    if (message->welcome)
        take_welcome(u, message->welcome, now_ms);
    else if (message->refusal)
        take_refusal(u, message->refusal, now_ms);
    else if (message->receipt)
        take_receipt(u, message->receipt);
    else if (!uplink_is_open(u))
        log_warn(u->endpoint, "a command before its welcome: dropped");
    else if (message->assignment)
        u->handlers.assignment(u->handlers.arg, &message->assignment);
    else if (message->cancel)
        u->handlers.cancel(u->handlers.arg, message->cancel);
}

static void receive(struct uplink *u, int64_t now_ms)
{
    struct net_message in;

    for (int i = 0; i < SERVE_BATCH && u->socket && net_receive(u->socket, &in) == 1; i++) {
        struct coordinator_message *message = NULL;
        struct err err;

        u->counters.received++;
        if (wire_decode(&coordinator_message_type, WIRE_COMMAND, in.body, in.len,
                        WIRE_COORDINATOR_MAX, (void **)&message, NULL, &err) < 0) {
            u->counters.undecodable++;
            log_warn(u->endpoint, "message of %zu bytes dropped: %s", in.len, err.text);
        } else {
            take_message(u, message, now_ms);
            coordinator_message_free(message);
        }
        net_message_clear(&in);
    }
}

/* ---- the loop's calls ---- */

static void look(struct uplink *u, struct session_view *view)
{
    *view = (struct session_view){0};
    if (!u->socket) { /* one that could not be opened is tried again later, as one refused */
        view->refused = u->session.phase != SESSION_DOWN;
        return;
    }
    view->connected = net_socket_is_connected(u->socket);
    view->refused = net_socket_was_refused(u->socket);
    view->connections = net_socket_counters(u->socket)->connected;
}

static void hang_up(struct uplink *u, bool refused)
{
    if (!u->socket)
        return;
    if (!refused)
        log_warn(u->endpoint, "takes messages and does not answer: connecting anew");
    else if (!u->refusal_said) /* once: it is the same every minute until somebody lets us in */
        log_warn(u->endpoint, "does not accept our key, or is not the server we expect: trying "
                              "again and again");
    u->refusal_said |= refused;
    close_socket(u);
}

static void run_session(struct uplink *u, int64_t now_ms)
{
    enum session_action action;
    struct session_view view;

    do {
        look(u, &view);
        action = session_step(&u->session, &view, now_ms, next_random(u));
        if (action == SESSION_CONNECT) {
            open_socket(u);
        } else if (action == SESSION_DISCONNECT) {
            hang_up(u, view.refused);
            tell_lost(u);
        } else if (action == SESSION_HELLO) {
            send_hello(u);
        } else if (action == SESSION_LOST) {
            log_info(u->endpoint, "connection lost");
            tell_lost(u);
        }
    } while (action != SESSION_NOTHING);
}

/* libzmq tries for ever and says nothing: after a while somebody should know, once. */
static void say_absence(struct uplink *u, int64_t now_ms)
{
    if (u->session.phase != SESSION_CONNECTING) {
        u->seeking_ms = UNKNOWN_I64;
        u->absence_said = u->absence_said && u->session.phase == SESSION_DOWN;
        return;
    }
    if (!known_i64(u->seeking_ms))
        u->seeking_ms = now_ms;
    if (u->absence_said || now_ms - u->seeking_ms < ABSENCE_SAID_MS)
        return;
    u->absence_said = true;
    log_warn(u->endpoint,
             "no session after %d s: is the coordinator there, and is this its key (%s)? "
             "Trying again and again",
             ABSENCE_SAID_MS / 1000, u->server_key);
}

void uplink_serve(struct uplink *u, int64_t now_ms)
{
    run_session(u, now_ms); /* first: what is read now belongs to the connection of now */
    receive(u, now_ms);
    run_session(u, now_ms);
    send_kept(u, now_ms);
    say_absence(u, now_ms);
}

void uplink_wake(struct uplink *u, int64_t now_ms)
{
    close_socket(u);
    session_wake(&u->session, now_ms);
    tell_lost(u);
}

int64_t uplink_due(const struct uplink *u, int64_t now_ms)
{
    int64_t session = session_due(&u->session), kept = INT64_MAX;

    if (uplink_is_open(u))
        kept = outbox_due(u->outbox, now_ms);
    else if (known_i64(u->seeking_ms) && !u->absence_said)
        kept = u->seeking_ms + ABSENCE_SAID_MS;
    return session < kept ? session : kept;
}

bool uplink_is_open(const struct uplink *u)
{
    return u->session.phase == SESSION_OPEN;
}

const struct uplink_counters *uplink_counters(const struct uplink *u)
{
    return &u->counters;
}
