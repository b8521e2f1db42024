/* actor.h - a thread that may wait on the world, and the pipe between it and its owner.
 *
 * A message is one pointer: whoever sends it gives it away, whoever receives it owns it. Both sides
 * name, in a struct actor_type, how to free what nobody received, so that stopping with messages
 * under way leaks nothing.
 *
 *     static void echo_run(struct actor_pipe *pipe, void *arg)
 *     {
 *         void *msg;
 *
 *         actor_ready(pipe);                        // or actor_failed(pipe, &err) and return
 *         while (pipe_receive(pipe, -1, &msg) == 1)
 *             pipe_send(pipe, msg);
 *     }
 *     static const struct actor_type echo = {"echo", echo_run, mem_free, mem_free};
 *
 * Everything is handed over at these calls alone: what an actor wrote before pipe_send its owner
 * may read after actor_receive, and the other way round. ThreadSanitizer is told so here, once: it
 * cannot see into a libzmq that was not built with it.
 *
 * The thread blocks every signal, so signals reach the loop. */
#ifndef COMMON_NET_ACTOR_H
#define COMMON_NET_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct actor_pipe;
struct err;
struct net;

typedef void actor_run_fn(struct actor_pipe *pipe, void *arg);
typedef void actor_free_fn(void *msg);

struct actor_type {
    const char *name; /* of the thread, as debuggers show it: 15 characters */
    actor_run_fn *run;
    actor_free_fn *free_request; /* owner -> actor */
    actor_free_fn *free_answer;  /* actor -> owner */
};

/* Messages waiting in one direction. An owner that has more to ask keeps them; an actor waits. */
#define ACTOR_QUEUE_MAX 4096

/* ---- the owner's side: one thread ---- */

/* Start run(pipe, arg) and return when it said ready. NULL, with the reason, when it said failed
 * (or returned without a word). `arg` must live until run returns; `type` as long as the actor. */
struct actor *actor_start(struct net *net, const struct actor_type *type, void *arg,
                          struct err *err);

/* $TERM: the actor's pipe_receive returns -1 at once. Waits for run to return, frees what was under
 * way either way. NULL is fine. */
void actor_stop(struct actor *a);

/* 0: msg is the actor's now. -1: the queue is full or the thread has ended: it is still yours. */
int actor_send(struct actor *a, void *msg);

/* A message, yours now, or NULL when there is none at the moment. */
void *actor_receive(struct actor *a);

/* The same, waiting up to timeout_ms (negative: no limit, until the thread ends). */
void *actor_receive_wait(struct actor *a, int64_t timeout_ms);

/* The thread returned from run by itself; noticed by actor_receive. Still to be stopped. */
bool actor_has_ended(const struct actor *a);

/* ---- the thread's side ---- */

void actor_ready(struct actor_pipe *pipe);
void actor_failed(struct actor_pipe *pipe, const struct err *err);

/* 1: *msg is a message, yours; 0: none within timeout_ms (negative: no limit; 0 also when a socket
 * of libzmq was interrupted); -1: $TERM, or the net is shutting down: return from run. */
int pipe_receive(struct actor_pipe *pipe, int64_t timeout_ms, void **msg);

/* After $TERM: what the owner sent before it and nobody took yet. For an actor that must finish
 * what it was given (a store); what is left when run returns is freed. */
int pipe_leftover(struct actor_pipe *pipe, void **msg);

/* Give msg to the owner, in any case; waits while ACTOR_QUEUE_MAX lie unread. -1 when the owner is
 * gone: msg was freed. */
int pipe_send(struct actor_pipe *pipe, void *msg);

/* $TERM was asked for; may be called often in the middle of long work. */
bool pipe_is_stopping(const struct actor_pipe *pipe);

#endif
