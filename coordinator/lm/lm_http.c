/* lm_http.c - the backend that asks an endpoint: requests queued, asked, and asked again.
 *
 * One thread drives all calls through one curl multi handle and takes requests from the pipe
 * between two rounds; the owner wakes it with curl_multi_wakeup, the one call of libcurl's that
 * another thread may make. Each call has one deadline from its submission, whatever happens to it;
 * lm_transfer.c does one attempt. */
#include "coordinator/lm/lm_backend.h"

#include "common/core/clock.h"
#include "common/core/mem.h"
#include "common/core/random.h"
#include "common/core/unknown.h"
#include "common/net/actor.h"
#include "coordinator/lm/lm_error.h"
#include "coordinator/lm/lm_retry.h"
#include "coordinator/lm/lm_transfer.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define IDLE_MS 60000 /* nothing to do: looks at its pipe this often even if a wake were lost */

enum call_state { CALL_QUEUED, CALL_RUNNING, CALL_PAUSED };

struct call {
    struct call *next;
    enum call_state state;
    struct lm_request *request;
    struct lm_reply *reply;
    struct lm_transfer *transfer; /* while running */
    int64_t deadline_ms;
    int64_t started_ms; /* first asked */
    int64_t resume_ms;  /* while paused */
    int64_t tries;      /* retries made */
    unsigned refused;   /* left out: the target's, and what this call met */
    unsigned learnt;    /* of that, what this call met and is the endpoint's way */
};

struct lm_http {
    CURLM *multi;
    struct lm_target target;
    size_t parallel, running;
    int64_t retries, retry_ms;
    struct call *calls; /* in order of arrival */
    atomic_bool stopping;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void start_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void call_free(struct lm_http *h, struct call *c)
{
    if (c->transfer)
        lm_transfer_free(c->transfer, h->multi);
    lm_request_free(c->request);
    lm_reply_free(c->reply);
    mem_free(c);
}

static void http_close(void *self)
{
    struct lm_http *h = self;

    while (h->calls) {
        struct call *c = h->calls;

        h->calls = c->next;
        call_free(h, c);
    }
    if (h->multi)
        curl_multi_cleanup(h->multi);
    lm_target_clear(&h->target);
    mem_free(h);
}

static void *http_open(const struct lm_settings *s, struct err *err)
{
    struct lm_http *h = mem_zalloc(sizeof *h);

    pthread_once(&curl_once, start_curl);
    if (!h) {
        err_set(err, ERR_NOMEM, "lm");
        return NULL;
    }
    h->parallel = s->parallel;
    h->retries = s->retries;
    h->retry_ms = s->retry_ms;
    atomic_init(&h->stopping, false);
    if (curl_ready != CURLE_OK || !(h->multi = curl_multi_init())) {
        err_set(err, ERR_IO, "libcurl does not start");
        goto fail;
    }
    if (lm_target_init(&h->target, s, err) < 0)
        goto fail;
    return h;
fail:
    http_close(h);
    return NULL;
}

/* ---- the end of a call ---- */

/* A refusal counts for later requests once the endpoint took this one without. */
static void learn(struct lm_http *h, struct call *c)
{
    if (c->reply->failure != LM_FAILURE_REQUEST)
        h->target.refused |= c->learnt;
    c->reply->format = lm_refusal_format(c->request->format, c->refused);
    c->reply->refused = h->target.refused & LM_REFUSAL_FORMATS;
}

static void finish(struct lm_http *h, struct actor_pipe *pipe, struct call **at)
{
    struct call *c = *at;
    struct lm_reply *reply = c->reply;

    learn(h, c);
    reply->seconds = (double)(clock_mono_ms() - c->request->submitted_ms) / 1000;
    *at = c->next;
    c->reply = NULL;
    call_free(h, c);
    pipe_send(pipe, reply);
}

/* What the attempt left in the reply is dropped, but for what it cost. */
static void reply_reset(struct lm_reply *r)
{
    struct err none = {0};

    mem_free(r->content);
    mem_free(r->reasoning);
    mem_free(r->finish);
    r->content = r->reasoning = r->finish = NULL;
    r->failure = LM_FAILURE_NONE;
    r->err = none;
}

static void again(struct call *c, int64_t resume_ms)
{
    reply_reset(c->reply);
    c->state = CALL_PAUSED;
    c->resume_ms = resume_ms;
}

/* The same without what it was refused for, at once. */
static bool step_down(const struct lm_http *h, struct call *c, unsigned mentions, int64_t now)
{
    double temperature =
        known_f64(c->request->temperature) ? c->request->temperature : h->target.temperature;
    bool lasting = false;
    unsigned bit = 0;

    if (c->reply->failure == LM_FAILURE_REQUEST)
        bit = lm_refusal_next(c->request, temperature, c->refused, mentions, &lasting);
    if (!bit)
        return false;
    c->refused |= bit;
    c->learnt |= lasting ? bit : 0;
    again(c, now);
    return true;
}

/* Why there is no other try, after the reason that it failed. */
static bool gave_up(struct call *c, const char *why, int64_t pause)
{
    char was[ERR_TEXT_MAX];

    memcpy(was, c->reply->err.text, sizeof was);
    err_set(&c->reply->err, c->reply->err.code, "%s (%s: %lld ms)", was, why, (long long)pause);
    return false;
}

/* The same once more, after a pause that the deadline leaves room for. A server that is loading its
 * model counts as one that has not sent its first byte yet: it is asked until that wait is over. */
static bool retry(const struct lm_http *h, struct call *c, const struct lm_wishes *wishes,
                  int64_t now)
{
    bool loading = c->reply->status == 503 && (wishes->mentions & LM_MENTION_LOADING) &&
                   now < c->started_ms + h->target.first_byte_ms;
    uint32_t random = 0;
    int64_t pause;

    if (!lm_retry_helps(c->reply) || (c->tries >= h->retries && !loading))
        return false;
    random_bytes(&random, sizeof random, NULL);
    pause = lm_retry_pause_ms(h->retry_ms, c->tries + 1, wishes->pause_ms, random);
    if (wishes->pause_ms > LM_RETRY_AFTER_MS)
        return gave_up(c, "a longer pause is wanted than we wait", wishes->pause_ms);
    if (now + pause >= c->deadline_ms)
        return gave_up(c, "no time to try again", pause);
    c->tries++;
    again(c, now + pause);
    return true;
}

/* ---- one round ---- */

/* -1: stop. */
static int take_requests(struct lm_http *h, struct actor_pipe *pipe)
{
    void *msg;
    int got;

    while ((got = pipe_receive(pipe, 0, &msg)) == 1) {
        struct lm_request *request = msg;
        struct call *c = mem_zalloc(sizeof *c), **at = &h->calls;
        struct lm_reply *reply = lm_reply_take(request);

        if (!c) {
            lm_reply_fail(reply, LM_FAILURE_INTERNAL, ERR_NOMEM, "no memory to ask");
            lm_request_free(request);
            pipe_send(pipe, reply);
            continue;
        }
        c->request = request;
        c->reply = reply;
        c->deadline_ms = request->submitted_ms + request->total_ms;
        while (*at)
            at = &(*at)->next;
        *at = c;
    }
    return got;
}

/* Queued calls while there is a place, paused ones whose time has come. */
static void start_due(struct lm_http *h, int64_t now)
{
    for (struct call *c = h->calls; c && h->running < h->parallel; c = c->next) {
        if (c->state == CALL_RUNNING || (c->state == CALL_PAUSED && c->resume_ms > now) ||
            c->deadline_ms <= now)
            continue;
        if (c->state == CALL_QUEUED)
            c->started_ms = now;
        c->refused |= h->target.refused;
        c->transfer = lm_transfer_new(&h->target, c->request, c->refused, c->deadline_ms, now,
                                      h->multi, &c->reply->err);
        c->reply->calls += c->transfer != NULL;
        h->running += c->transfer != NULL;
        c->state = CALL_RUNNING; /* without a transfer: to be finished in this round */
    }
}

/* The calls that ended, by themselves or by a limit. */
static void finish_ended(struct lm_http *h, struct actor_pipe *pipe, int64_t now)
{
    for (struct call **at = &h->calls; *at;) {
        struct call *c = *at;
        struct lm_wishes wishes;

        if (c->state == CALL_RUNNING && c->transfer) {
            if (!lm_transfer_is_over(c->transfer, now)) {
                at = &c->next;
                continue;
            }
            lm_transfer_read(c->transfer, &h->target, c->reply, &wishes);
            lm_transfer_free(c->transfer, h->multi);
            c->transfer = NULL;
            h->running--;
            if (step_down(h, c, wishes.mentions, now) || retry(h, c, &wishes, now)) {
                at = &c->next;
                continue;
            }
        } else if (c->state == CALL_RUNNING) {
            enum err_code code = c->reply->err.code;

            lm_reply_fail(c->reply, LM_FAILURE_INTERNAL, code ? code : ERR_NOMEM,
                          "the request could not be made");
        } else if (c->deadline_ms <= now) {
            lm_reply_fail(c->reply, LM_FAILURE_TIMEOUT, ERR_TIMEOUT, "%s: no answer within %lld ms",
                          h->target.endpoint.display, (long long)c->request->total_ms);
        } else {
            at = &c->next;
            continue;
        }
        finish(h, pipe, at);
    }
}

/* Until something must be looked at. */
static int wait_ms(const struct lm_http *h, int64_t now)
{
    int64_t at = now + IDLE_MS;

    for (const struct call *c = h->calls; c; c = c->next) {
        int64_t due = c->deadline_ms;

        if (c->state == CALL_QUEUED && h->running < h->parallel)
            return 0; /* a place became free in this round */
        if (c->state == CALL_PAUSED && c->resume_ms < due && h->running < h->parallel)
            due = c->resume_ms;
        if (c->transfer && lm_transfer_due_ms(c->transfer) < due)
            due = lm_transfer_due_ms(c->transfer);
        at = due < at ? due : at;
    }
    return at > now ? (int)(at - now) : 0;
}

static void http_run(void *self, struct actor_pipe *pipe)
{
    struct lm_http *h = self;
    int64_t now;
    int left;

    while (!atomic_load(&h->stopping) && take_requests(h, pipe) >= 0) {
        start_due(h, clock_mono_ms());
        curl_multi_perform(h->multi, &left);
        for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));)
            if (m->msg == CURLMSG_DONE)
                lm_transfer_done(m->easy_handle, m->data.result);
        now = clock_mono_ms();
        finish_ended(h, pipe, now);
        curl_multi_poll(h->multi, NULL, 0, wait_ms(h, now), NULL);
    }
}

static void http_wake(void *self)
{
    curl_multi_wakeup(((struct lm_http *)self)->multi);
}

static void http_stopping(void *self)
{
    struct lm_http *h = self;

    atomic_store(&h->stopping, true);
    curl_multi_wakeup(h->multi);
}

static const char *http_describe(const void *self)
{
    const struct lm_http *h = self;

    return h->target.endpoint.display;
}

const struct lm_backend_ops lm_http_ops = {.open = http_open,
                                           .run = http_run,
                                           .wake = http_wake,
                                           .stopping = http_stopping,
                                           .describe = http_describe,
                                           .close = http_close};
