/* client.h - one conversation with the coordinator: requests out, answers in.
 *
 * A DEALER socket of common/net, one request at a time. Each request has a random id, so that a
 * request sent again (after a lost connection, or when the coordinator was busy) is carried out
 * once. What comes back is a stranger's: it is decoded and checked, and an answer to another
 * request is passed over. One thread; blocks no longer than it is told. */
#ifndef COORDINATOR_CLI_CLIENT_H
#define COORDINATOR_CLI_CLIENT_H

#include <stdint.h>

struct client;
struct err;
struct place;
struct request;
struct response;

#define CLIENT_CONNECT_MS \
    10000 /* TCP: a connection with both keys accepted takes two round trips */

/* The place is copied. ERR_NOT_FOUND, ERR_DENIED, ERR_IO: see place_check_socket. */
struct client *client_new(const struct place *place, struct err *err);
void client_free(struct client *c); /* NULL is fine */

struct client_call {
    int64_t timeout_ms;                            /* in all */
    void (*progress)(void *arg, const char *text); /* NULL: no Progress is asked for */
    void *arg;
};

/* Send the request (its id and version are set here) and wait for its response, which may be a
 * refusal. ERR_TIMEOUT, ERR_DENIED, ERR_IO: no answer, and what to check. ERR_MALFORMED and its
 * kin: an answer that cannot be read. */
int client_ask(struct client *c, struct request *request, const struct client_call *call,
               struct response **out, struct err *err);

#endif
