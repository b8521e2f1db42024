/* outbox.h - messages that are repeated until the coordinator says that it has stored them.
 *
 * Each gets a sequence number, from 1 on, in the order of adding; a number is never used twice
 * while the agent runs. They are sent in order, at most OUTBOX_WINDOW of them unanswered at a time,
 * and again after OUTBOX_REPEAT_MS or when a new session begins. The outbox lives in memory:
 * whoever adds a message has it on disk, and hears through its tag when it may forget it. */
#ifndef AGENT_LINK_OUTBOX_H
#define AGENT_LINK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_message;
struct err;
struct outbox;

#define OUTBOX_MAX 1024  /* 300 bytes each: an hour of a trainer that reports every 4 s */
#define OUTBOX_WINDOW 64 /* unanswered at a time: a quarter of the socket's queue */
#define OUTBOX_REPEAT_MS \
    15000 /* a store that syncs to a slow disk answers within a second or two */

struct outbox *outbox_new(struct err *err);
void outbox_free(struct outbox *o); /* NULL is fine */

size_t outbox_room(const struct outbox *o); /* how many more it takes */
size_t outbox_count(const struct outbox *o);

/* Give it a message (its sequence is set here); `tag` is the caller's. ERR_TOO_BIG when it is full.
 */
int outbox_add(struct outbox *o, uint64_t tag, struct agent_message **moved, struct err *err);

/* The next message to send now, borrowed until the next call; NULL: none. Say outbox_sent when it
 * was handed to the socket: else it is the next one again. */
const struct agent_message *outbox_next(struct outbox *o, int64_t now_ms);
void outbox_sent(struct outbox *o, int64_t sequence, int64_t now_ms);

/* Stored, or refused for good: forget it. False when there is no such message (a repeated receipt).
 */
bool outbox_settle(struct outbox *o, int64_t sequence, uint64_t *tag);

/* Not before then. */
void outbox_hold(struct outbox *o, int64_t sequence, int64_t until_ms);

/* A new session: all are to be sent again, in order; what was held stays held. */
void outbox_restart(struct outbox *o);

/* When outbox_next may have something although nothing happened; INT64_MAX: never. */
int64_t outbox_due(struct outbox *o, int64_t now_ms);

#endif
