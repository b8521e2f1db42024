/* lm_transfer.h - one HTTP request and its response, with its limits; driven by lm_http.c. */
#ifndef COORDINATOR_LM_LM_TRANSFER_H
#define COORDINATOR_LM_LM_TRANSFER_H

#include "coordinator/lm/lm_endpoint.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct lm_reply;
struct lm_request;
struct lm_settings;
struct lm_transfer;

/* Who is asked, and how far it is trusted. */
struct lm_target {
    struct lm_endpoint endpoint;
    char *model;
    char *key;     /* NULL: none */
    char *ca_file; /* NULL: the system's */
    double temperature;
    unsigned refused; /* what it was found not to take: bits of enum lm_refusal */
    int64_t connect_ms, first_byte_ms;
    size_t response_max;
};

int lm_target_init(struct lm_target *t, const struct lm_settings *s, struct err *err);
void lm_target_clear(struct lm_target *t);

/* Started at once, without what is refused. NULL with the reason. */
struct lm_transfer *lm_transfer_new(const struct lm_target *target,
                                    const struct lm_request *request, unsigned refused,
                                    int64_t deadline_ms, int64_t now_ms, CURLM *multi,
                                    struct err *err);
void lm_transfer_free(struct lm_transfer *t, CURLM *multi);

/* libcurl says that this handle's transfer ended so. */
void lm_transfer_done(CURL *easy, CURLcode result);

/* It ended, or a limit of its own passed. */
bool lm_transfer_is_over(struct lm_transfer *t, int64_t now_ms);
int64_t lm_transfer_due_ms(const struct lm_transfer *t); /* when a limit passes next */

/* What a response asks for, beside its answer. */
struct lm_wishes {
    int64_t pause_ms;  /* by Retry-After; -1: none */
    unsigned mentions; /* of an error: bits of enum lm_mention */
};

/* What came of it into *out. */
void lm_transfer_read(struct lm_transfer *t, const struct lm_target *target, struct lm_reply *out,
                      struct lm_wishes *wishes);

#endif
