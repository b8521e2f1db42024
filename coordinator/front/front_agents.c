/* front_agents.c - sessions of agents.
 *
 * A session begins with a Hello and belongs to the device that ZAP found behind the key; whatever a
 * message says of its sender is not asked. The table below is the whole protocol state: what may
 * come with and without a session. */
#include "coordinator/front/front_internal.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/wire/wire.h"
#include "coordinator/front/keyring.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define HELLO_RETRY_MS 200   /* after a restart of ours: at once, spread by the agents */
#define STALE_RETRY_MS 60000 /* two agents with one key: the older one keeps quiet for a while */

/* With retry_after_ms the message itself was not judged: it names no sequence, and the agent sends
 * it again in its next session. */
static void refuse(struct front *f, const struct net_message *m, int code, const char *field,
                   const char *reason, int64_t retry_after_ms)
{
    struct refusal refusal;
    struct coordinator_message answer;

    record_init(&refusal_type, &refusal);
    record_init(&coordinator_message_type, &answer);
    refusal.code = code;
    refusal.field = (char *)(uintptr_t)field;
    refusal.reason = (char *)(uintptr_t)reason;
    refusal.retry_after_ms = retry_after_ms;
    if (retry_after_ms == UNKNOWN_I64)
        refusal.sequence = wire_agent_sequence(m->body, m->len);
    answer.refusal = &refusal;
    f->counters.refused++;
    front_put(f, FRONT_AGENTS, m, &coordinator_message_type, &answer);
}

static bool is_session(const struct session *s, const struct net_message *m)
{
    return s && s->peer_len == m->peer_len && memcmp(s->peer, m->peer, m->peer_len) == 0;
}

static int begin_session(struct front *f, const struct net_message *m)
{
    struct session *s = map_get(f->sessions, m->user_id);

    if (!s) {
        if (!(s = mem_zalloc(sizeof *s)) || map_put(f->sessions, m->user_id, s, NULL) < 0) {
            mem_free(s);
            return -1;
        }
    }
    memcpy(s->peer, m->peer, m->peer_len);
    s->peer_len = m->peer_len;
    return 0;
}

/* Its key is on the list now. With a session one number answers, until the list changes: this is
 * asked of every message. */
static bool is_allowed(const struct front *f, struct session *s, const char *device_id)
{
    uint64_t version = keyring_version(f->keyring);

    if (s && s->allowed_at == version)
        return true;
    if (!keyring_agent(f->keyring, device_id))
        return false;
    if (s)
        s->allowed_at = version;
    return true;
}

static void take_hello(struct front *f, const struct net_message *m, const struct hello *hello)
{
    char reason[ERR_TEXT_MAX];

    if (hello->protocol_version != PROTOCOL_VERSION) {
        snprintf(reason, sizeof reason,
                 "hello.protocol_version: %" PRId64 ", this coordinator speaks %d",
                 hello->protocol_version, PROTOCOL_VERSION);
        log_warn(m->user_id, "refused: %s", reason);
        refuse(f, m, RESPONSE_CODE_VERSION, "hello.protocol_version", reason, UNKNOWN_I64);
        return;
    }
    if (begin_session(f, m) < 0) {
        refuse(f, m, RESPONSE_CODE_BUSY, "hello", "no memory for a session", 10000);
        return;
    }
    f->handlers.hello(f->handlers.arg, m->user_id, hello);
}

void front_take_agent(struct front *f, const struct net_message *m)
{
    struct agent_message *message = NULL;
    struct wire_stats stats = {0};
    struct err err = {0};
    struct session *s = map_get(f->sessions, m->user_id);

    f->counters.agent_messages++;
    if (!is_allowed(f, s, m->user_id)) {
        refuse(f, m, RESPONSE_CODE_DENIED, "key", "this key was forgotten; ask an operator",
               UNKNOWN_I64);
        return;
    }
    if (wire_decode(&agent_message_type, WIRE_REPORT, m->body, m->len, WIRE_AGENT_MAX,
                    (void **)&message, &stats, &err) < 0) {
        log_warn(m->user_id, "message from %s refused: %s", m->address, err.text);
        refuse(f, m, front_response_code((int)err.code), NULL, err.text, UNKNOWN_I64);
        return;
    }
    f->counters.unknown_values += (int64_t)stats.unknown_fields + (int64_t)stats.unknown_values;
    if (message->hello)
        take_hello(f, m, message->hello);
    else if (!s)
        refuse(f, m, RESPONSE_CODE_NOT_FOUND, "session", "no session: say hello first",
               HELLO_RETRY_MS);
    else if (!is_session(s, m))
        refuse(f, m, RESPONSE_CODE_DENIED, "session",
               "this device said hello on another connection since", STALE_RETRY_MS);
    else
        f->handlers.agent(f->handlers.arg, m->user_id, &message);
    agent_message_free(message);
}

int front_send(struct front *f, const char *device_id, const struct coordinator_message *message)
{
    const struct session *s = map_get(f->sessions, device_id);
    struct net_message to = {0};

    if (!s)
        return -1;
    memcpy(to.peer, s->peer, s->peer_len);
    to.peer_len = s->peer_len;
    snprintf(to.user_id, sizeof to.user_id, "%s", device_id);
    return front_put(f, FRONT_AGENTS, &to, &coordinator_message_type, message);
}

bool front_has_session(const struct front *f, const char *device_id)
{
    return map_get(f->sessions, device_id) != NULL;
}

void front_end_session(struct front *f, const char *device_id)
{
    mem_free(map_remove(f->sessions, device_id));
}
