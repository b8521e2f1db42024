/* canned_server.h - an HTTP server on loopback that gives every request the same answer, at once,
 * and keeps connections open: what remains is the client's work. A thread of its own. */
#ifndef TESTS_BENCH_CANNED_SERVER_H
#define TESTS_BENCH_CANNED_SERVER_H

#include <stddef.h>

struct canned_server;

/* NULL when it does not start. `response` is whole, with its head; it must outlive the server. */
struct canned_server *canned_server_start(const char *response, size_t len);
void canned_server_stop(struct canned_server *s);
int canned_server_port(const struct canned_server *s);

#endif
