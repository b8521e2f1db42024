/* cycle_worker.h - what the owner's half of the cycle and its thread share; for cycle.c and
 * cycle_worker.c. */
#ifndef COORDINATOR_CYCLE_CYCLE_WORKER_H
#define COORDINATOR_CYCLE_CYCLE_WORKER_H

#include "coordinator/cycle/cycle.h"
#include "coordinator/lm/lm.h"

struct actor_pipe;
struct request;

/* What the owner sends: a new turn, the newer snapshot for one, or a reply that was kept. */
struct order {
    bool begin;
    uint64_t turn;
    enum engine_kind engine;
    struct job *job;
    const struct snapshot *snapshot;
    char key[LM_CACHE_KEY_SIZE]; /* of a reply that was looked for; "": it is about a turn */
    char *record;                /* NULL: none is kept */
    struct request *request;     /* about signatures; NULL: it is a planning turn */
};

struct cycle {
    struct actor *actor;
    struct net *net;
    struct cycle_settings settings;
    struct lm_settings lm;
    size_t turns; /* under way */
};

/* The thread: `arg` is the cycle, whose settings are read before it says that it is ready. */
void cycle_work(struct actor_pipe *pipe, void *arg);

#endif
