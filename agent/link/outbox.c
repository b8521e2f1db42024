/* outbox.c - see outbox.h. An array in order of sequence: OUTBOX_MAX is small enough to walk. */
#include "agent/link/outbox.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"

#include <string.h>

struct entry {
    struct agent_message *message;
    uint64_t tag;
    int64_t due_ms; /* do not send before; 0: at once */
    bool sent;      /* in this session, and not answered */
};

struct outbox {
    struct entry entries[OUTBOX_MAX];
    size_t count;
    int64_t last_sequence;
};

struct outbox *outbox_new(struct err *err)
{
    struct outbox *o = mem_zalloc(sizeof *o);

    if (!o)
        err_set(err, ERR_NOMEM, "outbox");
    return o;
}

void outbox_free(struct outbox *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->count; i++)
        agent_message_free(o->entries[i].message);
    mem_free(o);
}

size_t outbox_room(const struct outbox *o)
{
    return OUTBOX_MAX - o->count;
}

size_t outbox_count(const struct outbox *o)
{
    return o->count;
}

int outbox_add(struct outbox *o, uint64_t tag, struct agent_message **moved, struct err *err)
{
    struct entry *e = &o->entries[o->count];

    if (o->count == OUTBOX_MAX)
        return err_set(err, ERR_TOO_BIG, "%d messages wait for their receipt", OUTBOX_MAX);
    *e = (struct entry){.message = *moved, .tag = tag};
    *moved = NULL;
    e->message->sequence = ++o->last_sequence;
    o->count++;
    return 0;
}

const struct agent_message *outbox_next(struct outbox *o, int64_t now_ms)
{
    size_t unanswered = 0;

    for (size_t i = 0; i < o->count; i++)
        unanswered += o->entries[i].sent && o->entries[i].due_ms > now_ms;
    for (size_t i = 0; i < o->count && unanswered < OUTBOX_WINDOW; i++) {
        if (o->entries[i].due_ms <= now_ms)
            return o->entries[i].message;
    }
    return NULL;
}

static struct entry *find(struct outbox *o, int64_t sequence)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->entries[i].message->sequence == sequence)
            return &o->entries[i];
    }
    return NULL;
}

void outbox_sent(struct outbox *o, int64_t sequence, int64_t now_ms)
{
    struct entry *e = find(o, sequence);

    if (!e)
        return;
    e->sent = true;
    e->due_ms = now_ms + OUTBOX_REPEAT_MS;
}

bool outbox_settle(struct outbox *o, int64_t sequence, uint64_t *tag)
{
    struct entry *e = find(o, sequence);

    if (!e)
        return false;
    *tag = e->tag;
    agent_message_free(e->message);
    memmove(e, e + 1, (size_t)(&o->entries[o->count] - (e + 1)) * sizeof *e);
    o->count--;
    return true;
}

void outbox_hold(struct outbox *o, int64_t sequence, int64_t until_ms)
{
    struct entry *e = find(o, sequence);

    if (!e)
        return;
    e->sent = false;
    e->due_ms = until_ms;
}

void outbox_restart(struct outbox *o)
{
    for (size_t i = 0; i < o->count; i++) {
        if (!o->entries[i].sent)
            continue;
        o->entries[i].sent = false;
        o->entries[i].due_ms = 0;
    }
}

int64_t outbox_due(struct outbox *o, int64_t now_ms)
{
    int64_t due = INT64_MAX;

    if (outbox_next(o, now_ms))
        return now_ms;
    /* what is due already waits for the window: for the first of its messages to be late */
    for (size_t i = 0; i < o->count; i++) {
        if (o->entries[i].due_ms > now_ms && o->entries[i].due_ms < due)
            due = o->entries[i].due_ms;
    }
    return due;
}
