/* lm_endpoint.h - from what a person writes as the address to the URL that is asked.
 *
 *     http://127.0.0.1:8080                 -> http://127.0.0.1:8080/v1/chat/completions
 *     https://api.example.org/v1/           -> https://api.example.org/v1/chat/completions
 *     https://example.org/v1beta/openai     -> https://example.org/v1beta/openai/chat/completions
 *     .../v1/chat/completions?version=1     -> as it is
 */
#ifndef COORDINATOR_LM_LM_ENDPOINT_H
#define COORDINATOR_LM_LM_ENDPOINT_H

#include <stdbool.h>

struct err;

struct lm_endpoint {
    char *url;     /* to ask */
    char *display; /* to show: without the query, which may hold a key */
    bool loopback; /* this machine: asked without a proxy */
};

/* Refused: other schemes than http and https, a user or password (an address is shown in plans and
 * logs), a fragment. */
int lm_endpoint_parse(const char *text, struct lm_endpoint *out, struct err *err);
void lm_endpoint_clear(struct lm_endpoint *e);

#endif
