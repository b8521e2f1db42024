/* lm.h - asking a language model, on a thread of its own.
 *
 * An actor: the owner submits requests and later receives one reply for each, in the order they
 * end. It never blocks the owner. Behind it stand three backends:
 *
 * - http: any OpenAI-compatible endpoint, several requests at once on one curl multi handle
 * - replay: answers from a recorded file, so that a run can be repeated without a model
 * - none: no endpoint is set; every request fails at once, saying so
 *
 * A reply always comes, within total_ms of its submission and a little: every wait is bounded (for
 * a free place, connecting, the first byte, the whole, the pauses before retries), and so is the
 * size of a response. Asked again is only where that may help: lm_retry.h. Whoever asks an endpoint
 * what is being asked already shares the answer; and what was answered before may come from a
 * cache, which the settings hand in.
 *
 * The endpoint is a stranger: only http and https, certificates are checked, redirects are not
 * followed, and the key stands in no reply, no error, no recording and no cache, even where the
 * endpoint sends it back (a key under LM_KEY_SECRET_MIN bytes is taken for a dummy, and not looked
 * for).
 *
 * Thread: all calls from the one that owns it. */
#ifndef COORDINATOR_LM_LM_H
#define COORDINATOR_LM_LM_H

#include "common/core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct lm;
struct net;

/* bytes: some 100 times the longest answer we can use */
#define LM_RESPONSE_MAX (4 * 1024 * 1024)

#define LM_REQUESTS_MAX 64      /* submitted and not yet received; ERR_BUSY beyond */
#define LM_PARALLEL 4           /* at once: what small servers have slots for; the others queue */
#define LM_CONNECT_MS 5000      /* a local or near endpoint answers in milliseconds */
#define LM_FIRST_BYTE_MS 90000  /* a model may first be loaded from disk, then reads the prompt */
#define LM_TOTAL_MS 120000      /* 2000 tokens at 20 tokens/s, and a first wait */
#define LM_RETRIES 2            /* of one request, where another try may help */
#define LM_RETRY_MS 1000        /* pause before the first retry; each later one is twice as long */
#define LM_RETRY_AFTER_MS 60000 /* an endpoint that asks for a longer pause is not waited for */
#define LM_MAX_TOKENS 4096 /* twice the longest useful answer; mlx_lm's own default cuts at 512 */
#define LM_MESSAGES_MAX 256
#define LM_KEY_MAX 4096
#define LM_KEY_SECRET_MIN 8
#define LM_SCHEMA_MAX (256 * 1024) /* bytes: the largest of our signatures has 6 kB */
#define LM_SCHEMA_NAME_MAX 64      /* as the endpoints have it: letters, digits, _ and - */

#define LM_CACHE_KEY_SIZE 65 /* bytes of a key with its NUL: SHA-256 in hexadecimal digits */

/* Answers that outlive the process: a pair of functions, called on the owner's thread from within
 * lm_submit and lm_receive. A key tells a question with all that may change its answer (address and
 * model, messages, parameters, rollout) and nothing of what stands in it; a record is one line of
 * JSON, the answer. */
struct lm_cache {
    void (*find)(void *arg, const char *key); /* must lead to one lm_found, now or later */
    void (*keep)(void *arg, const char *key, const char *record);
    void *arg;
};

enum lm_backend { LM_BACKEND_NONE, LM_BACKEND_HTTP, LM_BACKEND_REPLAY };

struct lm_settings {
    enum lm_backend backend;
    const char *url;   /* http: with or without /v1, with or without /chat/completions */
    const char *model; /* http: as the endpoint knows it */
    const char *key;   /* http: sent as a bearer token; NULL: none */
    const char
        *ca_file; /* http: certificates to trust instead of the system's; NULL: the system's */
    const char *replay_file;
    const char *record_file; /* http: every answer is appended here, for replay; NULL: not */
    struct lm_cache cache;   /* http: asked before the endpoint; find NULL: none */
    int64_t connect_ms, first_byte_ms, total_ms;
    size_t response_max;
    size_t parallel;
    int64_t retries, retry_ms; /* after the first try; the pause before the first of them */
    double temperature;        /* NaN: left to the endpoint */
};

/* LM_BACKEND_NONE and the limits above. */
void lm_settings_init(struct lm_settings *s);

/* The key from the first line of a file, or else from an environment variable; either name may be
 * NULL. *out is NULL when there is neither. Errors never hold the key. Free with mem_wipe and
 * mem_free. */
int lm_key_read(const char *file, const char *env_name, char **out, struct err *err);

struct lm_message {
    char *role; /* system, user or assistant */
    char *content;
};

/* The shape that an answer is held to, by `response_format`. An endpoint that refuses one (a 400
 * that speaks of it) is asked again with the next lower one, in the same request, and not for that
 * one any more: lm_takes says so. One that ignores it cannot be told from one that obeys, so an
 * answer is read leniently whatever was asked for. */
enum lm_format {
    LM_FORMAT_NONE,   /* free text */
    LM_FORMAT_OBJECT, /* {"type": "json_object"} */
    LM_FORMAT_SCHEMA, /* {"type": "json_schema", ...} */
};
const char *lm_format_name(enum lm_format f); /* "none", "json_object", "json_schema" */

struct lm_request {
    uint64_t tag; /* yours; comes back in the reply */
    char *label;  /* what is asked, the signature's name; a recording finds its answers by it */
    struct lm_message *messages;
    size_t count;
    enum lm_format format;
    char *schema_name, *schema; /* LM_FORMAT_SCHEMA: its name, and the JSON schema as text */
    double temperature;         /* 0 to 2; NaN: the settings' */
    int64_t seed;               /* sent where known */
    int64_t rollout;            /* not sent: tells apart requests that are otherwise the same, where
                                   each is to have an answer of its own; UNKNOWN_I64: none */
    int64_t max_tokens;         /* LM_MAX_TOKENS unless set */
    int64_t total_ms;           /* the settings' total_ms unless set */
    int64_t submitted_ms;       /* set by lm_submit, on the monotonic clock */
    struct lm_reply *reply;     /* ours: prepared by lm_submit, so that it cannot fail to come */
    size_t place;               /* ours */
};

struct lm_request *lm_request_new(uint64_t tag, const char *label, struct err *err);
int lm_request_add(struct lm_request *r, const char *role, const char *content, struct err *err);
/* Ask for an answer of this shape. For LM_FORMAT_SCHEMA: a name of 1 to LM_SCHEMA_NAME_MAX letters,
 * digits, _ and -, and a JSON object; else both are NULL. */
int lm_request_shape(struct lm_request *r, enum lm_format format, const char *schema_name,
                     const char *schema, struct err *err);
void lm_request_free(struct lm_request *r); /* NULL is fine */

enum lm_failure {
    LM_FAILURE_NONE,
    LM_FAILURE_ABSENT,     /* no endpoint is set, or the recording has no such answer */
    LM_FAILURE_CONNECT,    /* no connection: name, address, certificate */
    LM_FAILURE_TRANSPORT,  /* the connection broke before the answer was whole */
    LM_FAILURE_TIMEOUT,    /* a limit passed */
    LM_FAILURE_TOO_BIG,    /* more bytes than response_max */
    LM_FAILURE_REDIRECT,   /* it pointed elsewhere: not followed */
    LM_FAILURE_AUTH,       /* 401, 403: no key, or not the right one */
    LM_FAILURE_BILLING,    /* 402, or a quota that is used up */
    LM_FAILURE_NOT_FOUND,  /* 404: the address or the model is not there */
    LM_FAILURE_CONTEXT,    /* prompt and answer do not fit the model's context window */
    LM_FAILURE_RATE_LIMIT, /* 429 */
    LM_FAILURE_REQUEST,    /* it refused the request: another 4xx, or an error body */
    LM_FAILURE_SERVER,     /* 5xx */
    LM_FAILURE_MALFORMED,  /* not a chat completion */
    LM_FAILURE_LENGTH,     /* cut at max_tokens; content holds what there is */
    LM_FAILURE_THINKING,   /* cut at max_tokens with nothing but thinking: no content */
    LM_FAILURE_EMPTY,      /* a completion without content */
    LM_FAILURE_INTERNAL,   /* memory, or our own bug */
};
const char *lm_failure_name(enum lm_failure f); /* "none", "absent", "rate_limit", ... */

struct lm_reply {
    uint64_t tag;
    enum lm_failure failure;
    struct err err;        /* why it failed, for people */
    char *content;         /* the answer, without thinking; NULL where there is none */
    char *reasoning;       /* the model's thinking, where the endpoint gave it apart; may be NULL */
    char *finish;          /* finish_reason as sent; may be NULL */
    int64_t status;        /* HTTP; UNKNOWN_I64 where none came */
    int64_t calls;         /* HTTP requests made, retries included */
    bool cached;           /* answered by the cache: no call, no tokens */
    bool shared;           /* answered by what somebody else asked at the same time: likewise */
    enum lm_format format; /* what the last call asked for: what was wanted, or lower */
    unsigned refused;      /* formats that the endpoint was found not to take, 1 << format each */
    int64_t prompt_tokens, completion_tokens; /* of all calls; UNKNOWN_I64: it did not say */
    int64_t cached_tokens; /* those of the prompt that the endpoint still knew; likewise */
    double seconds;        /* from submission to the end */
    size_t place;          /* ours */
};
void lm_reply_free(struct lm_reply *r); /* NULL is fine */

/* Refuses settings it cannot work with, naming them; does not contact the endpoint. Strings are
 * copied. */
struct lm *lm_start(struct net *net, const struct lm_settings *settings, struct err *err);
void lm_stop(struct lm *lm); /* drops what runs; NULL is fine */

/* On success *moved is NULL. ERR_BUSY past LM_REQUESTS_MAX. */
int lm_submit(struct lm *lm, struct lm_request **moved, struct err *err);

/* The next reply, yours; NULL: none now. */
struct lm_reply *lm_receive(struct lm *lm);
/* The same, waiting up to timeout_ms. */
struct lm_reply *lm_receive_wait(struct lm *lm, int64_t timeout_ms);

/* What the cache has for a key that it was asked for; record NULL: nothing. Then lm_receive may
 * have something at once, though lm_actor is not readable. A record that does not read counts as
 * none. */
void lm_found(struct lm *lm, const char *key, const char *record);

/* Whether the endpoint may be asked for this shape: true until a reply (received by now) told
 * otherwise. What it does not take is not worth a request: it would be sent the next lower one. */
bool lm_takes(const struct lm *lm, enum lm_format format);

struct actor *lm_actor(struct lm *lm); /* for a poller: readable when lm_receive has something */

/* The endpoint for people and logs: scheme, host, port, path; no query, no key. "none" or the
 * file's name for the other backends. */
const char *lm_describe(const struct lm *lm);

#endif
