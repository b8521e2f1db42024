/* fake_server.h - tests/support/fake_lm.py as a child, and one question asked of it. */
#ifndef TESTS_LM_FAKE_SERVER_H
#define TESTS_LM_FAKE_SERVER_H

#include "coordinator/lm/lm.h"

#include <stdbool.h>

#define FAKE_WAIT_MS 20000 /* far more than a machine under load needs; a test fails after it */

struct fake_server {
    int pid, input; /* it ends when its input does, also when we crash */
    int port;
    char log[64];   /* a line for each request */
    char cert[256]; /* with tls */
};

/* -1 when it does not start; with tls also when there is no openssl(1). */
int fake_server_start(struct fake_server *s, bool tls);
void fake_server_stop(struct fake_server *s);

/* Settings for http://127.0.0.1:PORT/behaviour; url is written into `url`. */
void fake_server_settings(const struct fake_server *s, const char *behaviour, char url[256],
                          struct lm_settings *out);

/* The requests seen so far whose path begins with /behaviour; the last one's line into `line`. */
int fake_server_requests(const struct fake_server *s, const char *behaviour, char *line,
                         size_t size);

/* Submit a short question; the tag says which. */
void fake_ask(struct lm *lm, uint64_t tag, int64_t total_ms);

/* The next reply within FAKE_WAIT_MS, yours; fails the test when none comes. */
struct lm_reply *fake_wait(struct lm *lm);

#endif
