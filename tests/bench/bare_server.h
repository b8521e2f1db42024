/* bare_server.h - the baseline: one libzmq ROUTER with CURVE, in a process of its own, that does
 * nothing with what it receives but count it. */
#ifndef TESTS_BENCH_BARE_SERVER_H
#define TESTS_BENCH_BARE_SERVER_H

#include "tests/bench/swarm.h"

struct bare_server {
    int pid;
    int to_child, from_child;
    char endpoint[64];
    char server_key[41];
};

/* Fork it, before this process has made any thread. */
void bare_server_start(struct bare_server *b);
void bare_server_stop(struct bare_server *b);

uint64_t bare_server_count(struct bare_server *b); /* messages received so far */
void bare_server_echo(struct bare_server *b,
                      int on); /* answer each message with one byte, or only count */
void bare_server_send_all(struct bare_server *b, size_t len); /* so many bytes to every peer seen */

#endif
