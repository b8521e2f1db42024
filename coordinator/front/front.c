/* front.c - sockets opened, served in bounded batches, written without waiting. */
#include "coordinator/front/front_internal.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/event.h"
#include "common/model/tool_message.h"
#include "common/net/poll.h"
#include "common/wire/wire.h"
#include "coordinator/front/keyring.h"

#include <string.h>

/* Between our limit and the socket's a message gets a Refusal; past the socket's, the connection
 * ends. */
#define AGENT_FRAME_MAX (2 * WIRE_AGENT_MAX)
#define TOOL_FRAME_MAX (2 * WIRE_REQUEST_MAX)

static struct net_socket *open_server(struct net *net, enum net_kind kind, const char *endpoint,
                                      const struct net_keys *keys, const char *domain,
                                      size_t message_max, struct err *err)
{
    const struct net_socket_options options = {
        .kind = kind,
        .bind = true,
        .endpoint = endpoint,
        .keys = keys,
        .zap_domain = domain,
        .message_max = message_max,
    };

    return net_socket_open(net, &options, err);
}

static int open_sockets(struct front *f, struct net *net, const struct front_settings *s,
                        struct err *err)
{
    const struct {
        int at;
        enum net_kind kind;
        const char *endpoint;
        const struct net_keys *keys;
        const char *domain;
        size_t max;
    } rows[] = {
        {FRONT_AGENTS, NET_ROUTER, s->agents_endpoint, s->keys, KEYRING_AGENTS_DOMAIN,
         AGENT_FRAME_MAX},
        {FRONT_TOOLS, NET_ROUTER, s->tools_endpoint, s->keys, KEYRING_TOOLS_DOMAIN, TOOL_FRAME_MAX},
        {FRONT_LOCAL, NET_ROUTER, s->ipc_endpoint, NULL, NULL, TOOL_FRAME_MAX},
        {FRONT_EVENTS, NET_PUB, s->events_endpoint, s->keys, KEYRING_TOOLS_DOMAIN, AGENT_FRAME_MAX},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].endpoint || !rows[i].endpoint[0])
            continue;
        f->sockets[rows[i].at] = open_server(net, rows[i].kind, rows[i].endpoint, rows[i].keys,
                                             rows[i].domain, rows[i].max, err);
        if (!f->sockets[rows[i].at])
            return -1;
    }
    return 0;
}

struct front *front_new(struct net *net, const struct front_settings *settings,
                        struct keyring *keyring, const struct front_handlers *handlers,
                        struct err *err)
{
    struct front *f = mem_zalloc(sizeof *f);

    if (!f || !(f->sessions = map_new(DEVICES_MAX))) {
        err_set(err, ERR_NOMEM, "front");
        goto fail;
    }
    f->keyring = keyring;
    f->handlers = *handlers;
    if (open_sockets(f, net, settings, err) < 0)
        goto fail;
    return f;
fail:
    front_free(f);
    return NULL;
}

void front_free(struct front *f)
{
    if (!f)
        return;
    for (int i = 0; i < FRONT_SOCKETS; i++)
        net_socket_close(f->sockets[i]);
    map_free(f->sessions, mem_free);
    mem_free(f);
}

int front_watch(struct front *f, struct net_poller *poller, int first_id, struct err *err)
{
    for (int i = 0; i < FRONT_EVENTS; i++)
        if (f->sockets[i] && net_poller_add_socket(poller, f->sockets[i], first_id + i, err) < 0)
            return -1;
    return 0;
}

static bool serve_socket(struct front *f, int socket)
{
    for (int n = 0; n < FRONT_BATCH; n++) {
        struct net_message m;

        if (net_receive(f->sockets[socket], &m) <= 0)
            return false;
        if (socket == FRONT_AGENTS)
            front_take_agent(f, &m);
        else
            front_take_tool(f, &m, socket == FRONT_LOCAL);
        net_message_clear(&m);
    }
    return true;
}

bool front_serve(struct front *f)
{
    bool more = false;

    for (int i = 0; i < FRONT_EVENTS; i++)
        if (f->sockets[i] && serve_socket(f, i))
            more = true;
    return more;
}

int front_put(struct front *f, int socket, const struct net_message *to,
              const struct record_type *type, const void *record)
{
    struct err err = {0};
    uint8_t *bytes = NULL;
    size_t len;
    int rc;

    if (wire_encode(type, record, &bytes, &len, &err) < 0) {
        log_err(to ? to->user_id : NULL, "%s not sent: %s", type->name, err.text);
        return -1;
    }
    rc = net_send(f->sockets[socket], to, bytes, len);
    if (rc < 0)
        f->counters.dropped++;
    mem_free(bytes);
    return rc;
}

void front_publish(struct front *f, const struct event *event)
{
    struct err err = {0};
    uint8_t *bytes = NULL;
    size_t len;

    if (!f->sockets[FRONT_EVENTS])
        return;
    if (wire_encode(&event_type, event, &bytes, &len, &err) < 0) {
        log_err(NULL, "event not published: %s", err.text);
        return;
    }
    if (net_publish(f->sockets[FRONT_EVENTS], enum_name(&event_kind_names, event->kind), bytes,
                    len) < 0)
        f->counters.dropped++;
    mem_free(bytes);
}

int front_response_code(int err_code)
{
    static const int codes[] = {
        [ERR_NONE] = RESPONSE_CODE_OK,
        [ERR_NOMEM] = RESPONSE_CODE_BUSY,
        [ERR_INVALID] = RESPONSE_CODE_INVALID,
        [ERR_MALFORMED] = RESPONSE_CODE_MALFORMED,
        [ERR_TOO_BIG] = RESPONSE_CODE_TOO_BIG,
        [ERR_NOT_FOUND] = RESPONSE_CODE_NOT_FOUND,
        [ERR_EXISTS] = RESPONSE_CODE_EXISTS,
        [ERR_DENIED] = RESPONSE_CODE_DENIED,
        [ERR_UNSUPPORTED] = RESPONSE_CODE_UNSUPPORTED,
        [ERR_INFEASIBLE] = RESPONSE_CODE_INFEASIBLE,
        [ERR_IO] = RESPONSE_CODE_IO,
        [ERR_TIMEOUT] = RESPONSE_CODE_TIMEOUT,
        [ERR_BUSY] = RESPONSE_CODE_BUSY,
        [ERR_CANCELLED] = RESPONSE_CODE_CANCELLED,
        [ERR_VERSION] = RESPONSE_CODE_VERSION,
        [ERR_INTERNAL] = RESPONSE_CODE_INTERNAL,
    };

    return err_code >= 0 && err_code < (int)(sizeof codes / sizeof codes[0])
               ? codes[err_code]
               : RESPONSE_CODE_INTERNAL;
}

static const char *endpoint_of(const struct front *f, int socket)
{
    return f->sockets[socket] ? net_socket_endpoint(f->sockets[socket]) : NULL;
}

const char *front_agents_endpoint(const struct front *f)
{
    return endpoint_of(f, FRONT_AGENTS);
}

const char *front_tools_endpoint(const struct front *f)
{
    return endpoint_of(f, FRONT_TOOLS);
}

const char *front_events_endpoint(const struct front *f)
{
    return endpoint_of(f, FRONT_EVENTS);
}

struct front_counters front_counters(const struct front *f)
{
    return f->counters;
}
