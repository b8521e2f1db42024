/* fake_coordinator.c - see fake_coordinator.h. */
#include "fake_coordinator.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/net/actor.h"
#include "common/net/keys.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "common/net/socket.h"
#include "common/net/zap.h"
#include "common/wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct fake_thread {
    struct net *net;
    struct actor *actor;
    struct net_zap *zap;
    struct net_socket *socket; /* the thread's, as is what follows */
    struct net_poller *poller;
    bool going; /* away, to come back */
};

static void send_response(struct fake *f, const struct net_message *to, struct response *r)
{
    struct tool_message message;
    uint8_t *bytes = NULL;
    size_t len;

    record_init(&tool_message_type, &message);
    message.response = r;
    if (wire_encode(&tool_message_type, &message, &bytes, &len, NULL) < 0)
        return;
    net_send(f->thread->socket, to, bytes, f->manner == FAKE_TRUNCATED ? len / 2 : len);
    mem_free(bytes);
}

static void send_progress(struct fake *f, const struct net_message *to, char *id)
{
    struct progress progress = {.request_id = id, .text = "thinking"};
    struct tool_message message;
    uint8_t *bytes = NULL;
    size_t len;

    record_init(&tool_message_type, &message);
    message.progress = &progress;
    if (wire_encode(&tool_message_type, &message, &bytes, &len, NULL) == 0)
        net_send(f->thread->socket, to, bytes, len);
    mem_free(bytes);
}

/* An answer made by the test, under this id. */
static void send_answer(struct fake *f, const struct net_message *to, const struct request *request,
                        const char *id)
{
    struct response r;

    record_init(&response_type, &r);
    r.code = RESPONSE_CODE_OK;
    if (f->manner != FAKE_EMPTY && f->answer)
        f->answer(f->arg, request, &r);
    text_set(&r.request_id, id, NULL);
    send_response(f, to, &r);
    record_clear(&response_type, &r);
}

static void send_refusal(struct fake *f, const struct net_message *to, const char *id, int code,
                         const char *message)
{
    struct response r;

    record_init(&response_type, &r);
    r.code = code;
    text_set(&r.request_id, id, NULL);
    text_set(&r.message, message, NULL);
    if (code == RESPONSE_CODE_BUSY)
        r.retry_after_ms = 10;
    send_response(f, to, &r);
    record_clear(&response_type, &r);
}

static void reply(struct fake *f, const struct net_message *to, const struct request *request)
{
    bool first = f->count == 1;

    switch (f->manner) {
    case FAKE_SILENT:
        return;
    case FAKE_GARBAGE:
        net_send(f->thread->socket, to, (const uint8_t *)"\xff\xff garbage", 10);
        return;
    case FAKE_NO_ID:
        send_refusal(f, to, NULL, RESPONSE_CODE_MALFORMED, "the request does not decode");
        return;
    case FAKE_OTHER_ID:
        send_answer(f, to, request, "r-another");
        return;
    case FAKE_BUSY:
        send_refusal(f, to, request->request_id, RESPONSE_CODE_BUSY, "too many requests at once");
        return;
    default:
        break;
    }
    if (first && f->manner == FAKE_RESTARTS) {
        f->thread->going = true;
        return;
    }
    if (first && f->manner == FAKE_BUSY_ONCE) {
        send_refusal(f, to, request->request_id, RESPONSE_CODE_BUSY, "too many requests at once");
        return;
    }
    if (f->manner == FAKE_OTHER_ID_FIRST)
        send_answer(f, to, request, "r-another");
    if (request->progress == TRI_TRUE)
        send_progress(f, to, request->request_id);
    send_answer(f, to, request, request->request_id);
}

static void take(struct fake *f, struct net_message *m)
{
    struct request *request = NULL;

    if (wire_decode(&request_type, WIRE_COMMAND, m->body, m->len, WIRE_REQUEST_MAX,
                    (void **)&request, NULL, NULL) < 0)
        return;
    if (f->count < FAKE_REQUESTS_MAX)
        f->requests[f->count++] = request;
    reply(f, m, request);
    if (f->count == 0 || f->requests[f->count - 1] != request)
        request_free(request);
}

static int open_socket(struct fake *f, const char *endpoint, struct err *err)
{
    struct net_socket_options o = {.kind = NET_ROUTER, .bind = true, .endpoint = endpoint};

    o.keys = f->keys;
    o.zap_domain = f->keys ? "tools" : NULL;
    f->thread->socket = net_socket_open(f->thread->net, &o, err);
    return f->thread->socket ? net_poller_add_socket(f->thread->poller, f->thread->socket, 0, err)
                             : -1;
}

static void close_socket(struct fake *f)
{
    if (f->thread->socket)
        net_poller_remove_socket(f->thread->poller, f->thread->socket);
    net_socket_close(f->thread->socket);
    f->thread->socket = NULL;
}

/* The port may be taken for a moment by the connections that were. */
static void come_back(struct fake *f)
{
    struct err err = {0};

    f->thread->going = false;
    close_socket(f);
    for (int i = 0; i < 100 && open_socket(f, f->bound, &err) < 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static void serve(struct fake *f, struct actor_pipe *pipe)
{
    struct net_message m;
    int id;

    while (!pipe_is_stopping(pipe) && net_poller_wait(f->thread->poller, 1000, &id, 1) >= 0) {
        while (f->thread->socket && net_receive(f->thread->socket, &m) == 1) {
            take(f, &m);
            net_message_clear(&m);
            if (f->thread->going)
                come_back(f);
        }
    }
}

static void run(struct actor_pipe *pipe, void *arg)
{
    struct fake *f = arg;
    struct err err = {0};

    if (!(f->thread->poller = net_poller_new(2, &err)) || open_socket(f, f->endpoint, &err) < 0 ||
        net_poller_add_pipe(f->thread->poller, pipe, 1, &err) < 0) {
        actor_failed(pipe, &err);
    } else {
        snprintf(f->bound, sizeof f->bound, "%s", net_socket_endpoint(f->thread->socket));
        actor_ready(pipe);
        serve(f, pipe);
        net_poller_remove_pipe(f->thread->poller, pipe);
    }
    close_socket(f);
    net_poller_free(f->thread->poller);
}

static const struct actor_type fake_type = {"fake", run, mem_free, mem_free};

void fake_start(struct fake *f)
{
    struct err err = {0};

    f->thread = mem_zalloc(sizeof *f->thread);
    assert_non_null(f->thread);
    f->thread->net = net_new(1, &err);
    assert_non_null(f->thread->net);
    if (f->keys) {
        struct net_zap_entry entry = {f->allowed, "tool-1"};

        f->thread->zap = net_zap_start(f->thread->net, &err);
        assert_non_null(f->thread->zap);
        assert_int_equal(net_zap_set(f->thread->zap, "tools", &entry, f->allowed ? 1 : 0, &err), 0);
    }
    f->thread->actor = actor_start(f->thread->net, &fake_type, f, &err);
    if (!f->thread->actor)
        print_error("%s\n", err.text);
    assert_non_null(f->thread->actor);
}

void fake_stop(struct fake *f)
{
    if (!f->thread)
        return;
    actor_stop(f->thread->actor);
    net_zap_stop(f->thread->zap);
    net_free(f->thread->net);
    mem_free(f->thread);
    f->thread = NULL;
}

void fake_clear(struct fake *f)
{
    fake_stop(f);
    for (size_t i = 0; i < f->count; i++)
        request_free(f->requests[i]);
    f->count = 0;
}

void *fake_record(const struct record_type *type, const char *name)
{
    struct err err = {0};
    char *path = file_path(&err, "%s/golden/cli/%s", ESPALIER_TEST_DATA, name);
    char *text = NULL;
    void *record = NULL;
    size_t len;

    assert_non_null(path);
    if (file_read(path, JSON_TEXT_MAX, &text, &len, &err) < 0 ||
        document_parse(type, text, len, &record, &err) < 0)
        print_error("%s: %s\n", name, err.text);
    assert_non_null(record);
    mem_free(text);
    mem_free(path);
    return record;
}
