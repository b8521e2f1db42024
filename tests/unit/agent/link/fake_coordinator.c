/* fake_coordinator.c - see fake_coordinator.h. */
#include "tests/unit/agent/link/fake_coordinator.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/net/net.h"
#include "common/net/zap.h"
#include "common/wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void fake_up(struct fake_coordinator *f)
{
    struct net_socket_options options = {.kind = NET_ROUTER,
                                         .bind = true,
                                         .endpoint = f->endpoint,
                                         .keys = &f->keys,
                                         .zap_domain = "agents",
                                         .linger_ms = -1};

    assert_non_null(f->socket = net_socket_open(f->net, &options, NULL));
    snprintf(f->endpoint, sizeof f->endpoint, "%s", net_socket_endpoint(f->socket));
}

void fake_down(struct fake_coordinator *f)
{
    net_socket_close(f->socket);
    f->socket = NULL;
}

void fake_allow(struct fake_coordinator *f, const char *agent_key)
{
    struct net_zap_entry entry = {agent_key, "dtest"};

    assert_int_equal(net_zap_set(f->zap, "agents", &entry, agent_key ? 1 : 0, NULL), 0);
}

void fake_start(struct fake_coordinator *f, const char *agent_key)
{
    *f = (struct fake_coordinator){.heartbeat_ms = 1000};
    snprintf(f->device_id, sizeof f->device_id, "dtest");
    snprintf(f->endpoint, sizeof f->endpoint, "tcp://127.0.0.1:*");
    assert_non_null(f->net = net_new(1, NULL));
    assert_int_equal(net_keys_make(&f->keys, NULL), 0);
    assert_non_null(f->zap = net_zap_start(f->net, NULL));
    fake_allow(f, agent_key);
    fake_up(f);
}

void fake_stop(struct fake_coordinator *f)
{
    for (size_t i = 0; i < f->count; i++)
        agent_message_free(f->kept[i]);
    fake_down(f);
    net_zap_stop(f->zap);
    net_free(f->net);
}

void fake_send_bytes(struct fake_coordinator *f, const void *bytes, size_t len)
{
    net_send(f->socket, &f->peer, bytes, len);
}

void fake_send(struct fake_coordinator *f, struct coordinator_message *message)
{
    uint8_t *bytes;
    size_t len;

    assert_int_equal(wire_encode(&coordinator_message_type, message, &bytes, &len, NULL), 0);
    fake_send_bytes(f, bytes, len);
    mem_free(bytes);
    coordinator_message_free(message);
}

static void answer(struct fake_coordinator *f, const struct agent_message *m)
{
    struct coordinator_message *reply = coordinator_message_new(NULL);

    if (m->hello) {
        reply->welcome = welcome_new(NULL);
        text_set(&reply->welcome->coordinator_id, "c1", NULL);
        text_set(&reply->welcome->device_id, f->device_id, NULL);
        reply->welcome->heartbeat_ms = f->heartbeat_ms;
        reply->welcome->want_profile = f->want_profile ? TRI_TRUE : TRI_FALSE;
    } else if (known_i64(m->sequence) && !f->no_receipts) {
        reply->receipt = receipt_new(NULL);
        reply->receipt->sequences = mem_alloc(sizeof(int64_t));
        reply->receipt->sequences[0] = m->sequence;
        reply->receipt->sequences_count = 1;
    } else {
        coordinator_message_free(reply);
        return;
    }
    fake_send(f, reply);
}

void fake_serve(struct fake_coordinator *f)
{
    struct net_message in;

    while (f->socket && net_receive(f->socket, &in) == 1) {
        struct agent_message *m = NULL;

        if (wire_decode(&agent_message_type, WIRE_REPORT, in.body, in.len, WIRE_AGENT_MAX,
                        (void **)&m, NULL, NULL) < 0 ||
            !m) {
            fail_msg("the agent's message does not decode");
            return;
        }
        f->peer = in;
        f->peer.body = NULL;
        net_message_clear(&in);
        assert_true(f->count < FAKE_KEPT_MAX);
        f->kept[f->count++] = m;
        if (!f->silent)
            answer(f, m);
    }
}
