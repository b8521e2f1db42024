/* reach.h - whether the coordinator's port can be reached at all: a name that resolves, a plain
 * connection.
 *
 * libzmq tries for ever and does not say why it fails; this tries once and says it. Nothing is
 * sent. */
#ifndef AGENT_CHECK_REACH_H
#define AGENT_CHECK_REACH_H

#include <stdbool.h>
#include <stdint.h>

struct findings;

#define REACH_PATIENCE_MS 5000 /* a host that drops packets answers nothing, ever */

/* "tcp://HOST:PORT" taken apart; IPv6 addresses stand in brackets. -1: it has another form. */
#define REACH_HOST_MAX 254
int reach_parse(const char *endpoint, char host[REACH_HOST_MAX], char port[6]);

/* Adds one finding, "network"; true when something listens there. Waits as long as told, at most.
 */
bool reach_check(struct findings *f, const char *endpoint, int64_t patience_ms);

/* Add the finding for a connection that ended with this errno: what it usually means, and what to
 * do. `mac`: on macOS, where a route that is missing may be a permission that is. */
void reach_explain(struct findings *f, const char *endpoint, int error, bool mac);

#endif
