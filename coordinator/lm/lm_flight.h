/* lm_flight.h - questions under way, each asked once, however many ask it.
 *
 * The owner's side of an lm, without threads. A flight is one question with those who asked it: the
 * first, whose request goes out, and perhaps more who asked the same before the answer came. When
 * it lands each gets a reply of its own; those are kept in order until they are fetched. */
#ifndef COORDINATOR_LM_LM_FLIGHT_H
#define COORDINATOR_LM_LM_FLIGHT_H

#include "common/core/sha256.h"
#include "coordinator/lm/lm.h"

struct lm_flights;

struct lm_flight {
    char key[SHA256_HEX_SIZE]; /* of the question; "": this place is free */
    char digest[17];           /* of it in a recording */
    char *label;
    struct lm_request *held; /* while the cache is asked; NULL: it went out */
    int64_t deadline_ms;
    struct lm_reply *others[LM_REQUESTS_MAX]; /* prepared, so that they cannot fail to come */
    int64_t submitted_ms[LM_REQUESTS_MAX];
    size_t count; /* of others */
};

/* What names a question: everything that may change its answer, and who is asked (`where`, `model`;
 * the temperature where the request has none of its own). */
void lm_flight_key(const struct lm_request *r, const char *where, const char *model,
                   double temperature, char out[SHA256_HEX_SIZE]);

struct lm_flights *lm_flights_new(struct err *err);
void lm_flights_free(struct lm_flights *fs); /* drops what is under way; NULL is fine */

/* A new flight for it, which sets the request's place; NULL without memory or past LM_REQUESTS_MAX.
 * lm_flights_drop takes it back. */
struct lm_flight *lm_flights_add(struct lm_flights *fs, const char *key, struct lm_request *r,
                                 struct err *err);
void lm_flights_drop(struct lm_flight *f);

/* Wait for the answer to a question that is under way: 1. 0: there is none, or it may come later
 * than this request could wait. After 1 the request is freed. */
int lm_flights_join(struct lm_flights *fs, const char *key, struct lm_request **moved);

/* The one for which the cache is asked; NULL: none. There may be others with its key: requests that
 * could not wait for each other. */
struct lm_flight *lm_flights_held(struct lm_flights *fs, const char *key);
struct lm_flight *lm_flights_at(struct lm_flights *fs, size_t place);

/* The answer: all replies are ready now, and the flight is over. */
void lm_flights_land(struct lm_flights *fs, struct lm_flight *f, struct lm_reply *reply);

struct lm_reply *lm_flights_next(struct lm_flights *fs); /* NULL: none is ready */

#endif
