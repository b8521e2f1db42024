/* scripted_server.h - an HTTP server that says what its script says, byte for byte.
 *
 * A script is a list of steps, one for each connection, in order; the last one is repeated. A step
 * may be conditional: it is played only for a request whose text (head and body) holds `if_has`,
 * and stays where it is until one comes; steps without a condition are used up. The server reads a
 * whole request, writes the step's bytes, and closes the connection. It is a thread of the test's
 * own, on a port of 127.0.0.1. */
#ifndef TESTS_LM_SCRIPTED_SERVER_H
#define TESTS_LM_SCRIPTED_SERVER_H

#include <stddef.h>

#define SCRIPT_STEPS_MAX 8
#define SCRIPT_REQUESTS_MAX 32 /* kept; a test asks for fewer */

struct script_step {
    const char *if_has; /* NULL: any request */
    const char *bytes;  /* the whole response; "": the connection is closed without one. "{body}" is
                           replaced by a head with Content-Length and what follows it */
};

struct scripted_server;

struct scripted_server *scripted_server_start(const struct script_step *steps);
void scripted_server_stop(struct scripted_server *s);
int scripted_server_port(const struct scripted_server *s);

/* Answers wait until the release. */
void scripted_server_hold(struct scripted_server *s);
void scripted_server_release(struct scripted_server *s);

/* Requests read so far; the text of request i, borrowed until the stop. */
size_t scripted_server_count(struct scripted_server *s);
const char *scripted_server_request(struct scripted_server *s, size_t i);

/* A response with status 200 and this JSON. */
#define SCRIPT_JSON(body) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{body}" body
#define SCRIPT_STATUS(status, body) \
    "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n{body}" body
#define SCRIPT_OK                                                                             \
    SCRIPT_JSON("{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":" \
                "\"fine\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,"     \
                "\"completion_tokens\":3,\"total_tokens\":15}}")

#endif
