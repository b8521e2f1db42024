/* lm_transfer.c - one easy handle: its options, its limits, its result. */
#include "coordinator/lm/lm_transfer.h"

#include "common/core/buf.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_completion.h"
#include "coordinator/lm/lm_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX (64 * 1024) /* bytes of a response's headers: real ones have 2000 */

struct lm_transfer {
    CURL *easy;
    struct curl_slist *headers;
    char *body;          /* of the request */
    struct buf response; /* its body */
    size_t header_bytes;
    int64_t deadline_ms, first_byte_ms; /* when they pass */
    int64_t first_byte_limit;
    bool got_byte; /* the response has begun */
    bool done;
    bool late; /* no first byte in time */
    CURLcode result;
    char error[CURL_ERROR_SIZE];
};

/* ---- the target ---- */

/* A header is one line: what would end it is refused. The text of the key is shown to nobody. */
static int check_key(const char *key, struct err *err)
{
    if (strlen(key) > LM_KEY_MAX)
        return err_set(err, ERR_TOO_BIG, "key: %zu bytes, limit %d", strlen(key), LM_KEY_MAX);
    for (const char *p = key; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
            return err_set(err, ERR_INVALID,
                           "key: a blank or a character that is not ASCII at place %zu",
                           (size_t)(p - key) + 1);
    return 0;
}

static char *dup_or_null(const char *text, bool *no_memory)
{
    char *copy = text ? mem_strdup(text) : NULL;

    if (text && !copy)
        *no_memory = true;
    return copy;
}

int lm_target_init(struct lm_target *t, const struct lm_settings *s, struct err *err)
{
    bool no_memory = false;

    memset(t, 0, sizeof *t);
    if (!s->url || !*s->url)
        return err_set(err, ERR_INVALID, "model address: missing");
    if (!s->model || !*s->model || strlen(s->model) > NAME_TEXT_MAX)
        return err_set(err, ERR_INVALID, "model name: wanted 1 to %d bytes", NAME_TEXT_MAX);
    if (s->key && check_key(s->key, err) < 0)
        return -1;
    if (s->ca_file && access(s->ca_file, R_OK) < 0)
        return err_set_errno(err, errno, "certificates in %s", s->ca_file);
    if (lm_endpoint_parse(s->url, &t->endpoint, err) < 0)
        return -1;
    t->model = dup_or_null(s->model, &no_memory);
    t->key = dup_or_null(s->key, &no_memory);
    t->ca_file = dup_or_null(s->ca_file, &no_memory);
    t->temperature = s->temperature;
    t->refused = lm_refusal_of_model(s->model);
    t->connect_ms = s->connect_ms;
    t->first_byte_ms = s->first_byte_ms;
    t->response_max = s->response_max;
    if (no_memory) {
        lm_target_clear(t);
        return err_set(err, ERR_NOMEM, "lm");
    }
    return 0;
}

void lm_target_clear(struct lm_target *t)
{
    lm_endpoint_clear(&t->endpoint);
    mem_free(t->model);
    if (t->key)
        mem_wipe(t->key, strlen(t->key));
    mem_free(t->key);
    mem_free(t->ca_file);
    memset(t, 0, sizeof *t);
}

/* ---- starting ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct lm_transfer *t = arg;

    t->got_byte = true;
    buf_add(&t->response, data, size * count);
    return t->response.failed ? 0 : size * count; /* 0 ends the transfer */
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct lm_transfer *t = arg;

    (void)data;
    t->got_byte = true;
    t->header_bytes += size * count;
    return t->header_bytes > HEADERS_MAX ? 0 : size * count;
}

static bool add_header(struct lm_transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    if (longer)
        t->headers = longer;
    return longer != NULL;
}

static bool add_headers(struct lm_transfer *t, const char *key)
{
    char line[LM_KEY_MAX + sizeof "Authorization: Bearer "];
    bool done = add_header(t, "Content-Type: application/json") &&
                add_header(t, "Accept: application/json") &&
                add_header(t, "Expect:"); /* some servers never answer it */

    if (done && key) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", key);
        done = add_header(t, line);
        mem_wipe(line, sizeof line);
    }
    return done;
}

static CURLcode allow_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* Everything that a default would leave open is set. */
static bool set_options(struct lm_transfer *t, const struct lm_target *target, int64_t left_ms)
{
    int64_t connect = target->connect_ms < left_ms ? target->connect_ms : left_ms;
    CURL *e = t->easy;
    CURLcode rc = allow_protocols(e);

#define SET(option, value)                           \
    do {                                             \
        if (rc == CURLE_OK)                          \
            rc = curl_easy_setopt(e, option, value); \
    } while (0)
    SET(CURLOPT_URL, target->endpoint.url);
    SET(CURLOPT_PRIVATE, t);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_USERAGENT, "espalier");
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(t->body));
    SET(CURLOPT_POSTFIELDS, t->body);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    SET(CURLOPT_TIMEOUT_MS, (long)left_ms);
    if (target->endpoint.loopback)
        SET(CURLOPT_PROXY, ""); /* whatever the environment says: this machine needs none */
    if (target->ca_file)
        SET(CURLOPT_CAINFO, target->ca_file);
#undef SET
    return rc == CURLE_OK;
}

struct lm_transfer *lm_transfer_new(const struct lm_target *target,
                                    const struct lm_request *request, unsigned refused,
                                    int64_t deadline_ms, int64_t now_ms, CURLM *multi,
                                    struct err *err)
{
    struct lm_transfer *t = mem_zalloc(sizeof *t);

    if (!t)
        goto no_memory;
    buf_init(&t->response, target->response_max);
    t->deadline_ms = deadline_ms;
    t->first_byte_limit = target->first_byte_ms;
    t->first_byte_ms = now_ms + target->first_byte_ms;
    t->body = lm_completion_write(target->model, request, target->temperature, refused, err);
    if (!t->body) {
        lm_transfer_free(t, NULL);
        return NULL;
    }
    if (!(t->easy = curl_easy_init()) || !add_headers(t, target->key) ||
        !set_options(t, target, deadline_ms - now_ms) ||
        curl_multi_add_handle(multi, t->easy) != CURLM_OK)
        goto no_memory;
    return t;
no_memory:
    err_set(err, ERR_NOMEM, "request to a model");
    if (t)
        lm_transfer_free(t, NULL);
    return NULL;
}

void lm_transfer_free(struct lm_transfer *t, CURLM *multi)
{
    if (t->easy && multi)
        curl_multi_remove_handle(multi, t->easy);
    if (t->easy)
        curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    buf_clear(&t->response);
    mem_free(t->body);
    mem_free(t);
}

/* ---- its end ---- */

void lm_transfer_done(CURL *easy, CURLcode result)
{
    char *arg = NULL;
    struct lm_transfer *t;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &arg) != CURLE_OK || !arg)
        return;
    t = (struct lm_transfer *)(void *)arg;
    t->done = true;
    t->result = result;
}

int64_t lm_transfer_due_ms(const struct lm_transfer *t)
{
    return !t->got_byte && t->first_byte_ms < t->deadline_ms ? t->first_byte_ms : t->deadline_ms;
}

bool lm_transfer_is_over(struct lm_transfer *t, int64_t now_ms)
{
    if (t->done)
        return true;
    if (lm_transfer_due_ms(t) > now_ms)
        return false;
    t->done = true;
    t->late = !t->got_byte && t->first_byte_ms < t->deadline_ms;
    t->result = CURLE_OPERATION_TIMEDOUT;
    return true;
}

static enum lm_failure failure_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return LM_FAILURE_CONNECT;
    case CURLE_UNSUPPORTED_PROTOCOL: /* what it sent is no HTTP/1 */
    case CURLE_WEIRD_SERVER_REPLY:
        return LM_FAILURE_MALFORMED;
    case CURLE_OPERATION_TIMEDOUT:
        return LM_FAILURE_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return LM_FAILURE_INTERNAL;
    default:
        return LM_FAILURE_TRANSPORT;
    }
}

/* Why no whole response came. */
static void fail(const struct lm_transfer *t, struct lm_reply *out)
{
    enum lm_failure failure = failure_of(t->result);
    curl_off_t connected = 0;

    if (t->response.failed && !t->response.no_memory) {
        lm_reply_fail(out, LM_FAILURE_TOO_BIG, ERR_TOO_BIG, "more than %zu bytes of response",
                      t->response.max);
    } else if (t->header_bytes > HEADERS_MAX) {
        lm_reply_fail(out, LM_FAILURE_TOO_BIG, ERR_TOO_BIG, "more than %d bytes of headers",
                      HEADERS_MAX);
    } else if (failure == LM_FAILURE_TIMEOUT) {
        curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
        if (connected == 0)
            lm_reply_fail(out, LM_FAILURE_CONNECT, ERR_TIMEOUT, "no connection in time");
        else if (t->late)
            lm_reply_fail(out, failure, ERR_TIMEOUT, "no first byte within %lld ms",
                          (long long)t->first_byte_limit);
        else
            lm_reply_fail(out, failure, ERR_TIMEOUT, "no whole answer in time");
    } else {
        lm_reply_fail(out, failure, failure == LM_FAILURE_INTERNAL ? ERR_NOMEM : ERR_IO, "%s",
                      t->error[0] ? t->error : curl_easy_strerror(t->result));
    }
}

void lm_transfer_read(struct lm_transfer *t, const struct lm_target *target, struct lm_reply *out,
                      struct lm_wishes *wishes)
{
    curl_off_t seconds = 0;
    char was[ERR_TEXT_MAX];
    long status = 0;

    *wishes = (struct lm_wishes){.pause_ms = -1};
    if (t->result != CURLE_OK) {
        fail(t, out);
    } else {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        lm_completion_read(status, t->response.data, t->response.len, target->key, out,
                           &wishes->mentions);
        if (curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
            wishes->pause_ms = seconds < 86400 ? (int64_t)seconds * 1000 : (int64_t)86400 * 1000;
    }
    if (out->failure == LM_FAILURE_NONE)
        return;
    memcpy(was, out->err.text, sizeof was);
    err_set(&out->err, out->err.code, "%s: %s", target->endpoint.display, was);
}
