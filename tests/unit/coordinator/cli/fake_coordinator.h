/* fake_coordinator.h - somebody who answers tools on an ipc socket, well or badly.
 *
 * A ROUTER of common/net in a thread of its own. What it answers comes from a function of the test,
 * called in that thread with each request; how it answers is its manner. */
#ifndef TESTS_UNIT_COORDINATOR_CLI_FAKE_COORDINATOR_H
#define TESTS_UNIT_COORDINATOR_CLI_FAKE_COORDINATOR_H

#include "common/model/tool_message.h"

#include <stddef.h>

enum fake_manner {
    FAKE_ANSWERS,
    FAKE_SILENT,
    FAKE_GARBAGE,        /* bytes that are no message */
    FAKE_TRUNCATED,      /* the first half of the answer */
    FAKE_OTHER_ID,       /* only answers to other requests */
    FAKE_OTHER_ID_FIRST, /* an answer to another request, then ours */
    FAKE_NO_ID,          /* a refusal without an id */
    FAKE_EMPTY,          /* OK, and no body */
    FAKE_BUSY_ONCE,      /* busy for 10 ms, then answers */
    FAKE_BUSY,           /* always */
    FAKE_RESTARTS,       /* goes away at the first request, and comes back (TCP) */
};

#define FAKE_REQUESTS_MAX 64 /* that are kept; more are answered too */

/* Fill the answer (its code is OK, its id is set by the fake). */
typedef void fake_answer_fn(void *arg, const struct request *request, struct response *out);

struct net_keys;

struct fake {
    enum fake_manner manner;
    fake_answer_fn *answer;
    void *arg;
    const char *endpoint;        /* ipc://..., or tcp://127.0.0.1:* with keys */
    const struct net_keys *keys; /* TCP: the coordinator's */
    const char *allowed;         /* TCP: the tool's public key; NULL: nobody's */
    /* after fake_stop */
    struct request *requests[FAKE_REQUESTS_MAX];
    size_t count;
    char bound[128]; /* where it really listens, once fake_start returned */
    struct fake_thread *thread;
};

void fake_start(struct fake *f); /* answers once it returns */
void fake_stop(struct fake *f);  /* the requests stay until fake_clear */
void fake_clear(struct fake *f);

/* A record from tests/data/golden/cli/NAME; record_free it. */
void *fake_record(const struct record_type *type, const char *name);

#endif
