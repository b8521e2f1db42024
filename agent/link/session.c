/* session.c - see session.h. */
#include "agent/link/session.h"
#include "common/core/unknown.h"

void session_init(struct session *s, int64_t now_ms)
{
    *s = (struct session){
        .phase = SESSION_DOWN,
        .due_ms = now_ms,
        .connect = {SESSION_CONNECT_BASE_MS, SESSION_CONNECT_MAX_MS, 0},
        .hello = {SESSION_HELLO_BASE_MS, SESSION_HELLO_MAX_MS, 0},
    };
}

static int64_t silence_ms(const struct session *s)
{
    int64_t beats = s->heartbeat_ms * SESSION_SILENCE_BEATS;

    return beats > SESSION_SILENCE_MIN_MS ? beats : SESSION_SILENCE_MIN_MS;
}

/* Those that had a session come back spread over a heartbeat; a first one need not wait. */
static int64_t spread(const struct session *s, double random)
{
    int64_t most =
        s->heartbeat_ms < SESSION_SPREAD_MAX_MS ? s->heartbeat_ms : SESSION_SPREAD_MAX_MS;

    return s->was_open ? (int64_t)(random * (double)most) : 0;
}

static void greet(struct session *s, int64_t at_ms)
{
    s->phase = SESSION_GREETING;
    s->due_ms = at_ms;
    backoff_reset(&s->hello);
}

static enum session_action hang_up(struct session *s, int64_t now_ms, double random)
{
    s->phase = SESSION_DOWN;
    s->due_ms = now_ms + backoff_next(&s->connect, random);
    return SESSION_DISCONNECT;
}

static enum session_action step_greeting(struct session *s, const struct session_view *view,
                                         int64_t now_ms, double random)
{
    if (view->connections != s->connections) { /* lost and made again between two calls */
        s->connections = view->connections;
        greet(s, now_ms + spread(s, random));
    }
    if (now_ms < s->due_ms)
        return SESSION_NOTHING;
    if (s->hello.tries >= SESSION_GREETINGS_MAX)
        return hang_up(s, now_ms, random);
    s->due_ms = now_ms + backoff_next(&s->hello, random);
    return SESSION_HELLO;
}

static enum session_action step_open(struct session *s, const struct session_view *view,
                                     int64_t now_ms, double random)
{
    if (view->connections != s->connections) {
        s->connections = view->connections;
        greet(s, now_ms + spread(s, random));
        return SESSION_LOST;
    }
    if (now_ms - s->heard_ms >= silence_ms(s))
        greet(s, now_ms + spread(s, random));
    return SESSION_NOTHING;
}

enum session_action session_step(struct session *s, const struct session_view *view, int64_t now_ms,
                                 double random)
{
    if (s->phase == SESSION_DOWN) {
        if (now_ms < s->due_ms)
            return SESSION_NOTHING;
        s->phase = SESSION_CONNECTING;
        return SESSION_CONNECT;
    }
    if (view->refused)
        return hang_up(s, now_ms, random);
    if (!view->connected) {
        bool was_open = s->phase == SESSION_OPEN;

        s->phase = SESSION_CONNECTING;
        return was_open ? SESSION_LOST : SESSION_NOTHING;
    }
    if (s->phase == SESSION_CONNECTING) {
        s->connections = view->connections;
        greet(s, now_ms + spread(s, random));
    }
    return s->phase == SESSION_GREETING ? step_greeting(s, view, now_ms, random)
                                        : step_open(s, view, now_ms, random);
}

void session_heard(struct session *s, int64_t now_ms)
{
    s->heard_ms = now_ms;
}

void session_welcome(struct session *s, int64_t heartbeat_ms, int64_t now_ms)
{
    s->phase = SESSION_OPEN;
    s->heartbeat_ms = heartbeat_ms;
    s->heard_ms = now_ms;
    s->was_open = true;
    backoff_reset(&s->connect);
    backoff_reset(&s->hello);
}

void session_refused(struct session *s, int64_t retry_after_ms, int64_t now_ms, double random)
{
    int64_t wait = known_i64(retry_after_ms) ? retry_after_ms : SESSION_HELLO_MAX_MS;

    if (s->phase != SESSION_GREETING && s->phase != SESSION_OPEN)
        return;
    /* half as much again at random: a fleet is refused at one moment */
    greet(s, now_ms + wait + (int64_t)(random * 0.5 * (double)wait));
}

void session_wake(struct session *s, int64_t now_ms)
{
    s->phase = SESSION_DOWN;
    s->due_ms = now_ms;
    s->was_open = false;
    backoff_reset(&s->connect);
    backoff_reset(&s->hello);
}

int64_t session_due(const struct session *s)
{
    switch (s->phase) {
    case SESSION_DOWN:
    case SESSION_GREETING:
        return s->due_ms;
    case SESSION_OPEN:
        return s->heard_ms + silence_ms(s);
    case SESSION_CONNECTING:
        break;
    }
    return INT64_MAX;
}
