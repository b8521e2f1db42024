/* session.h - when to connect, greet, and give up: the agent's side of a session, without a socket.
 *
 *     DOWN --(wait is over)--> CONNECTING --(keys accepted)--> GREETING --(Welcome)--> OPEN
 *      ^                            ^                             |  ^                  |
 *      +------ refused, or no answer to GREETINGS_MAX hellos -----+  +-- lost, silent --+
 *
 * libzmq connects again by itself, so CONNECTING may last for days; what it cannot do by itself (a
 * server that refused our key, a peer that takes messages and never answers) leads to DOWN and a
 * new socket. A new connection is a new session: the coordinator may have forgotten us. Silence has
 * two stages: after `silence_ms` a Hello asks, and only when that is not answered the session ends.
 *
 * The caller passes the time and what it sees of its socket, does what is asked, and calls again.
 */
#ifndef AGENT_LINK_SESSION_H
#define AGENT_LINK_SESSION_H

#include "agent/link/backoff.h"

#include <stdbool.h>
#include <stdint.h>

#define SESSION_CONNECT_BASE_MS 1000 /* a refused key is seldom allowed within a second */
#define SESSION_CONNECT_MAX_MS 60000 /* `devices allow` shows its effect within a minute */
#define SESSION_HELLO_BASE_MS 5000   /* a coordinator that reads a large store after its start */
#define SESSION_HELLO_MAX_MS 60000
#define SESSION_GREETINGS_MAX 3    /* unanswered hellos */
#define SESSION_SPREAD_MAX_MS 5000 /* a fleet's hellos after a coordinator's restart */
#define SESSION_SILENCE_MIN_MS                                                               \
    60000                        /* a coordinator with nothing to say is asked once a minute \
                                  */
#define SESSION_SILENCE_BEATS 12 /* of its heartbeat, where that is longer */

enum session_phase { SESSION_DOWN, SESSION_CONNECTING, SESSION_GREETING, SESSION_OPEN };

enum session_action {
    SESSION_NOTHING,
    SESSION_CONNECT,    /* open a socket */
    SESSION_DISCONNECT, /* close it */
    SESSION_HELLO,      /* send a Hello */
    SESSION_LOST        /* an open session ended: nothing to do, but worth a log line */
};

/* What the caller sees of its socket. */
struct session_view {
    bool connected;
    uint64_t connections; /* made so far by this socket */
    bool refused;         /* the server did not accept our key */
};

struct session {
    enum session_phase phase;
    int64_t due_ms;       /* DOWN: connect; GREETING: the next hello */
    int64_t heard_ms;     /* OPEN: last word of the coordinator */
    int64_t heartbeat_ms; /* from the last Welcome */
    uint64_t connections; /* of the connection that this session is on */
    bool was_open;        /* since the start: later connections spread their hellos */
    struct backoff connect;
    struct backoff hello;
};

void session_init(struct session *s, int64_t now_ms);

/* What to do now; call until it is SESSION_NOTHING. */
enum session_action session_step(struct session *s, const struct session_view *view, int64_t now_ms,
                                 double random);

void session_heard(struct session *s, int64_t now_ms); /* any message came */
void session_welcome(struct session *s, int64_t heartbeat_ms, int64_t now_ms);

/* A Refusal of the session itself; retry_after_ms may be UNKNOWN_I64. */
void session_refused(struct session *s, int64_t retry_after_ms, int64_t now_ms, double random);

/* The machine slept: whatever the socket says of its connection is of before. The next step
 * connects anew, at once, and the first greeting is not spread: a fleet does not wake at one
 * moment. */
void session_wake(struct session *s, int64_t now_ms);

/* When session_step wants to be called although nothing happened; INT64_MAX: never. */
int64_t session_due(const struct session *s);

#endif
