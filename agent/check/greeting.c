/* greeting.c - see greeting.h. */
#include "agent/check/greeting.h"
#include "agent/check/finding.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/agent_message.h"
#include "common/net/keys.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "common/net/socket.h"
#include "common/wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A coordinator hangs up on a Hello that was encrypted for another key, without a word. Once may be
 * an accident; libzmq tries again after a second. */
#define HANG_UPS_MAX 2

struct greeting {
    struct findings *findings;
    const struct greeting_options *options;
    struct net *net;
    struct net_socket *socket;
    struct net_poller *poller;
};

/* Wait for the next thing to happen on the socket; false: the patience is over. */
static bool wait_until(struct greeting *g, int64_t until_ms)
{
    int64_t left = until_ms - clock_mono_ms();
    int id;

    return left > 0 && net_poller_wait(g->poller, left < 100 ? left : 100, &id, 1) >= 0;
}

/* ---- keys ---- */

static void explain_refused(struct greeting *g)
{
    struct finding *item = finding_add(g->findings, "keys", FINDING_FAIL,
                                       "the coordinator does not let this device's key in: %s",
                                       g->options->keys->public_key);

    finding_todo(item,
                 "on the coordinator: espalier devices allow -- '%s'. If it was allowed: is "
                 "this the agents' port (7420), not the tools' (7421)?",
                 g->options->keys->public_key);
}

static void explain_stranger(struct greeting *g, bool hung_up)
{
    struct finding *item = finding_add(g->findings, "keys", FINDING_FAIL,
                                       "whoever listens at %s %s", g->options->endpoint,
                                       hung_up ? "is not the coordinator with the key in server_key"
                                               : "does not answer as a coordinator does");

    finding_todo(item,
                 "espalier-coordinator key, on the machine that coordinates, prints the key "
                 "that server_key wants; here it is %s",
                 g->options->server_key);
}

static bool shake_hands(struct greeting *g)
{
    int64_t until = clock_mono_ms() + g->options->patience_ms;
    const struct net_counters *seen = net_socket_counters(g->socket);

    do {
        if (net_socket_is_connected(g->socket)) {
            finding_add(g->findings, "keys", FINDING_OK, "both sides know each other's key");
            return true;
        }
        if (net_socket_was_refused(g->socket)) {
            explain_refused(g);
            return false;
        }
    } while (seen->refused < HANG_UPS_MAX && wait_until(g, until));
    explain_stranger(g, seen->refused > 0);
    return false;
}

/* ---- session ---- */

static int send_message(struct greeting *g, struct agent_message *message, struct err *err)
{
    uint8_t *body;
    size_t len;
    int rc;

    if (wire_encode(&agent_message_type, message, &body, &len, err) < 0)
        return -1;
    rc = net_send(g->socket, NULL, body, len);
    mem_free(body);
    return rc < 0 ? err_set(err, ERR_IO, "not sent") : 0;
}

static int send_hello(struct greeting *g, struct err *err)
{
    struct agent_message message;
    char boot[40];
    int rc = -1;

    record_init(&agent_message_type, &message);
    if ((message.hello = hello_new(err)) && net_random_id(boot, sizeof boot, "check") == 0 &&
        text_set(&message.hello->boot_id, boot, err) == 0 &&
        text_set(&message.hello->agent_version, g->options->agent_version, err) == 0 &&
        text_set(&message.hello->profile_digest, g->options->profile_digest, err) == 0) {
        message.hello->protocol_version = PROTOCOL_VERSION;
        rc = send_message(g, &message, err);
    }
    record_clear(&agent_message_type, &message);
    return rc;
}

static void send_goodbye(struct greeting *g)
{
    struct agent_message message;

    record_init(&agent_message_type, &message);
    if ((message.goodbye = goodbye_new(NULL)) &&
        text_set(&message.goodbye->reason, "checked", NULL) == 0)
        send_message(g, &message, NULL);
    record_clear(&agent_message_type, &message);
}

/* The answer to Hello, or NULL when none came in time. Commands that come with it are sent again to
 * the agent when it runs. */
static struct coordinator_message *receive_answer(struct greeting *g)
{
    int64_t until = clock_mono_ms() + g->options->patience_ms;
    struct net_message in;

    do {
        while (net_receive(g->socket, &in) == 1) {
            struct coordinator_message *message = NULL;
            int rc = wire_decode(&coordinator_message_type, WIRE_COMMAND, in.body, in.len,
                                 WIRE_COORDINATOR_MAX, (void **)&message, NULL, NULL);

            net_message_clear(&in);
            if (rc == 0 && (message->welcome || message->refusal))
                return message;
            if (rc == 0)
                coordinator_message_free(message);
        }
    } while (wait_until(g, until));
    return NULL;
}

void greeting_clock(struct findings *f, int64_t ours_ms, int64_t theirs_ms)
{
    int64_t ahead = ours_ms - theirs_ms, off = ahead < 0 ? -ahead : ahead;
    struct finding *item;

    if (off < GREETING_CLOCK_WARN_MS) {
        finding_add(f, "clock", FINDING_OK, "within %d s of the coordinator's",
                    GREETING_CLOCK_WARN_MS / 1000);
        return;
    }
    item = finding_add(f, "clock", FINDING_WARN, "%lld s %s the coordinator's",
                       (long long)(off / 1000), ahead > 0 ? "ahead of" : "behind");
    finding_todo(item, "let both set their clocks by NTP (macOS: System Settings, General, Date & "
                       "Time; Linux: timedatectl set-ntp true); times in logs and measurements are "
                       "wrong until then");
}

/* -1, 0, 1 by the numbers between the dots: 0.10.0 is newer than 0.9.1. */
static int compare_versions(const char *a, const char *b)
{
    while (*a || *b) {
        char *end_a, *end_b;
        long x = strtol(a, &end_a, 10), y = strtol(b, &end_b, 10);

        if (x != y)
            return x < y ? -1 : 1;
        if (end_a == a && end_b == b) /* no number in either: what follows is not compared */
            return 0;
        a = *end_a == '.' ? end_a + 1 : "";
        b = *end_b == '.' ? end_b + 1 : "";
    }
    return 0;
}

void greeting_version(struct findings *f, const char *ours, const char *theirs)
{
    int order = theirs ? compare_versions(ours, theirs) : 0;
    struct finding *item;

    if (!theirs) {
        finding_add(f, "version", FINDING_OK, "agent %s; the coordinator does not say its own",
                    ours);
        return;
    }
    item = finding_add(f, "version", order == 0 ? FINDING_OK : FINDING_WARN,
                       "agent %s, coordinator %s", ours, theirs);
    if (order < 0)
        finding_todo(item, "this agent is the older one: update it, what is new it does not know");
    else if (order > 0)
        finding_todo(item, "the coordinator is the older one: update it first, then the agents");
}

static void read_welcome(struct greeting *g, const struct welcome *w)
{
    finding_add(g->findings, "session", FINDING_OK, "welcome as device %s", w->device_id);
    greeting_version(g->findings, g->options->agent_version, w->coordinator_version);
    if (known_i64(w->wall_ms))
        greeting_clock(g->findings, clock_wall_ms(), w->wall_ms);
}

static void read_refusal(struct greeting *g, const struct refusal *r)
{
    struct finding *item =
        finding_add(g->findings, "session", FINDING_FAIL, "refused: %s", r->reason);

    if (r->code == RESPONSE_CODE_VERSION)
        finding_todo(item,
                     "agent %s and the coordinator speak different versions of the protocol: "
                     "install the agent that belongs to it",
                     g->options->agent_version);
    else if (known_i64(r->retry_after_ms))
        finding_todo(item, "it asks to come back in %lld s",
                     (long long)(r->retry_after_ms + 999) / 1000);
}

static void greet(struct greeting *g)
{
    struct coordinator_message *answer;
    struct err err;

    if (send_hello(g, &err) < 0) {
        finding_add(g->findings, "session", FINDING_FAIL, "no Hello: %s", err.text);
        return;
    }
    if (!(answer = receive_answer(g))) {
        finding_todo(finding_add(g->findings, "session", FINDING_FAIL,
                                 "the coordinator takes messages and does not answer"),
                     "its log says more; one that reads a large database after its start needs a "
                     "while");
        return;
    }
    if (answer->welcome) {
        read_welcome(g, answer->welcome);
        send_goodbye(g);
    } else {
        read_refusal(g, answer->refusal);
    }
    coordinator_message_free(answer);
}

void greeting_check(struct findings *f, struct net *net, const struct greeting_options *options)
{
    struct net_socket_options socket = {.kind = NET_DEALER,
                                        .endpoint = options->endpoint,
                                        .keys = options->keys,
                                        .server_public_key = options->server_key,
                                        .only_connected = true,
                                        .message_max = 2 * WIRE_COORDINATOR_MAX};
    struct greeting g = {f, options, net, NULL, NULL};
    struct err err;

    if (!(g.socket = net_socket_open(net, &socket, &err)) ||
        !(g.poller = net_poller_new(2, &err)) ||
        net_poller_add_socket(g.poller, g.socket, 0, &err) < 0)
        finding_add(f, "keys", FINDING_FAIL, "no socket: %s", err.text);
    else if (shake_hands(&g) && options->hello)
        greet(&g);
    if (g.poller && g.socket)
        net_poller_remove_socket(g.poller, g.socket);
    net_poller_free(g.poller);
    net_socket_close(g.socket);
}
