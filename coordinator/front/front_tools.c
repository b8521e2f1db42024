/* front_tools.c - requests of tools: who may ask what, and the form of an answer.
 *
 * A REQ socket sends [empty][body] and takes one reply of that form; a DEALER may leave the empty
 * frame out. Whoever can open the ipc socket is an operator: the folder it lies in is 0700. */
#include "coordinator/front/front_internal.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/model/tool_message.h"
#include "common/wire/wire.h"
#include "coordinator/front/keyring.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What a viewer may not do. A dry run is free; a row's test looks closer. */
static bool plan_changes(const struct request *r)
{
    return r->plan->dry_run != TRI_TRUE;
}

static const struct {
    size_t offset;                           /* of the body in struct request */
    const char *what;                        /* in the refusal */
    bool (*changes)(const struct request *); /* NULL: always */
} operator_only[] = {
    {offsetof(struct request, plan), "make a plan", plan_changes},
    {offsetof(struct request, plan_cancel), "cancel a plan", NULL},
    {offsetof(struct request, key_allow), "let a key in", NULL},
    {offsetof(struct request, key_forget), "forget a key", NULL},
    {offsetof(struct request, keys), "list the keys", NULL},
    {offsetof(struct request, signature_run), "run a signature", NULL},
    {offsetof(struct request, calibration_import), "import measured runs", NULL},
};

static void set_address(struct front_tool *to, const struct net_message *m, bool local)
{
    memset(to, 0, sizeof *to);
    memcpy(to->peer, m->peer, m->peer_len);
    to->peer_len = m->peer_len;
    to->enveloped = m->enveloped;
    to->local = local;
    snprintf(to->user_id, sizeof to->user_id, "%s", local ? "local" : m->user_id);
}

static void put(struct front *f, const struct front_tool *to, const uint8_t *bytes, size_t len)
{
    struct net_message address = {0};

    memcpy(address.peer, to->peer, to->peer_len);
    address.peer_len = to->peer_len;
    address.enveloped = to->enveloped;
    if (net_send(f->sockets[to->local ? FRONT_LOCAL : FRONT_TOOLS], &address, bytes, len) < 0) {
        f->counters.dropped++;
        log_warn(to->user_id, "answer to %s dropped: the tool is gone or does not read",
                 to->request_id);
    }
}

int front_encode_reply(const struct response *response, uint8_t **out, size_t *len, struct err *err)
{
    struct tool_message message;

    record_init(&tool_message_type, &message);
    message.response = (struct response *)(uintptr_t)response;
    return wire_encode(&tool_message_type, &message, out, len, err);
}

void front_reply_bytes(struct front *f, const struct front_tool *to, const uint8_t *bytes,
                       size_t len)
{
    put(f, to, bytes, len);
}

static int send_response(struct front *f, const struct front_tool *to,
                         const struct response *response, struct err *err)
{
    uint8_t *bytes = NULL;
    size_t len;

    if (front_encode_reply(response, &bytes, &len, err) < 0)
        return -1;
    put(f, to, bytes, len);
    mem_free(bytes);
    return 0;
}

/* Anything but ok, with texts that are borrowed for the moment. */
static void send_refusal(struct front *f, const struct front_tool *to, int code, const char *field,
                         const char *message)
{
    struct response response;

    record_init(&response_type, &response);
    response.code = code;
    response.request_id = to->request_id[0] ? (char *)(uintptr_t)to->request_id : NULL;
    response.field = (char *)(uintptr_t)field;
    response.message = (char *)(uintptr_t)message;
    send_response(f, to, &response, NULL);
}

void front_reply(struct front *f, const struct front_tool *to, struct response *response)
{
    struct err err = {0};

    if (to->request_id[0])
        text_set(&response->request_id, to->request_id, NULL);
    if (send_response(f, to, response, &err) == 0)
        return;
    log_err(to->user_id, "answer to %s not sent: %s", to->request_id, err.text);
    send_refusal(f, to, front_response_code((int)err.code), NULL, err.text);
}

static void refuse(struct front *f, const struct front_tool *to, int code, const char *field,
                   const char *message)
{
    f->counters.refused++;
    log_info(to->user_id, "request %s refused: %s", to->request_id, message);
    send_refusal(f, to, code, field, message);
}

/* The name of what this request does and its sender may not; NULL when it may. */
static const char *forbidden(const struct front_tool *from, const struct request *r)
{
    if (from->role == ROLE_OPERATOR)
        return NULL;
    for (size_t i = 0; i < sizeof operator_only / sizeof operator_only[0]; i++) {
        const void *body = *(void *const *)((const char *)r + operator_only[i].offset);

        if (body && (!operator_only[i].changes || operator_only[i].changes(r)))
            return operator_only[i].what;
    }
    return NULL;
}

static void take_request(struct front *f, struct front_tool *from, struct request **request)
{
    const struct request *r = *request;
    char reason[ERR_TEXT_MAX];
    const char *what;

    snprintf(from->request_id, sizeof from->request_id, "%s", r->request_id);
    from->progress = r->progress == TRI_TRUE;
    if (r->protocol_version != PROTOCOL_VERSION) {
        snprintf(reason, sizeof reason, "protocol_version: %" PRId64 ", this coordinator speaks %d",
                 r->protocol_version, PROTOCOL_VERSION);
        refuse(f, from, RESPONSE_CODE_VERSION, "protocol_version", reason);
        return;
    }
    what = forbidden(from, r);
    if (what) {
        snprintf(reason, sizeof reason, "a viewer may not %s; an operator may", what);
        refuse(f, from, RESPONSE_CODE_DENIED, NULL, reason);
        return;
    }
    f->handlers.request(f->handlers.arg, from, request);
}

void front_take_tool(struct front *f, const struct net_message *m, bool local)
{
    struct request *request = NULL;
    struct front_tool from;
    struct err err = {0};

    set_address(&from, m, local);
    from.role = local ? ROLE_OPERATOR : keyring_tool_role(f->keyring, m->user_id);
    if (from.role == ROLE_UNSET) {
        refuse(f, &from, RESPONSE_CODE_DENIED, "key", "this key was forgotten; ask an operator");
        return;
    }
    if (wire_decode(&request_type, WIRE_COMMAND, m->body, m->len, WIRE_REQUEST_MAX,
                    (void **)&request, NULL, &err) < 0) {
        char field[NAME_TEXT_MAX + 1];
        size_t len = strcspn(err.text, ":");

        snprintf(field, sizeof field, "%.*s", (int)(len < NAME_TEXT_MAX ? len : NAME_TEXT_MAX),
                 err.text);
        refuse(f, &from, front_response_code((int)err.code), field, err.text);
        return;
    }
    take_request(f, &from, &request);
    request_free(request);
}

void front_progress(struct front *f, const struct front_tool *to, const char *text)
{
    struct progress progress;
    struct tool_message message;
    uint8_t *bytes = NULL;
    size_t len;

    if (!to->progress)
        return;
    record_init(&progress_type, &progress);
    record_init(&tool_message_type, &message);
    progress.request_id = (char *)(uintptr_t)to->request_id;
    progress.text = (char *)(uintptr_t)text;
    message.progress = &progress;
    if (wire_encode(&tool_message_type, &message, &bytes, &len, NULL) == 0)
        put(f, to, bytes, len);
    mem_free(bytes);
}
