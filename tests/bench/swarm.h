/* swarm.h - many CURVE clients in one process, for benchmarks: the same swarm drives the
 * coordinator and the bare libzmq server that it is compared with. */
#ifndef TESTS_BENCH_SWARM_H
#define TESTS_BENCH_SWARM_H

#include <stddef.h>
#include <stdint.h>

struct swarm;

struct swarm_key {
    char public_key[41], secret_key[41];
};

void swarm_make_keys(struct swarm_key *keys, size_t count);

/* Connect `count` DEALER sockets to `endpoint`, whose server has `server_key`. */
struct swarm *swarm_open(const char *endpoint, const char *server_key, const struct swarm_key *keys,
                         size_t count);
void swarm_close(struct swarm *s);

/* Each client sends these bytes and waits for one message in return. Returns how many got one in
 * time. */
size_t swarm_ask_all(struct swarm *s, const void *bytes, size_t len, double patience_seconds);
/* Each client sends these bytes once; waits while a client's queue is full. */
void swarm_tell_all(struct swarm *s, const void *bytes, size_t len);
/* Receive until `wanted` messages of at least min_len bytes came, or patience ends. Returns how
 * many; *first and *last are the times of the first and the last of them (seconds, monotonic). */
size_t swarm_receive(struct swarm *s, size_t wanted, size_t min_len, double patience_seconds,
                     double *first, double *last);
/* Throw away what lies there. */
void swarm_drain(struct swarm *s);

double now_seconds(void);
int64_t resident_bytes(int pid); /* -1: unknown (no /proc) */

#endif
