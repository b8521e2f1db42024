/* bench_lm.c - what the model's actor costs beside bare libcurl. bench_lm [REQUESTS]
 *
 * Both send the same body of some 6 kB to the same server, which answers 2 kB at once, with as many
 * requests under way (LM_PARALLEL) over kept connections. Bare: one multi handle, the body ready
 * made, the response thrown away. Ours: the request built and hashed, handed to the actor, its JSON
 * written; the response read, and handed back. Then what an answer costs that a cache has, and one
 * that is shared. Both take turns ROUNDS times; the median round is printed. */
#include "common/core/clock.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/net/net.h"
#include "coordinator/lm/lm.h"
#include "coordinator/lm/lm_completion.h"
#include "tests/bench/canned_server.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define PROMPT_BYTES 6000
#define ANSWER_BYTES 2000
#define WAIT_MS 60000

static char url[128], prompt[PROMPT_BYTES + 1];

static void __attribute__((noreturn)) die(const char *what)
{
    fprintf(stderr, "bench_lm: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct lm_request *request_new(uint64_t tag, int64_t rollout)
{
    struct lm_request *r = lm_request_new(tag, "bench", NULL);

    if (!r || lm_request_add(r, "system", "You plan for a fleet of Macs.", NULL) < 0 ||
        lm_request_add(r, "user", prompt, NULL) < 0)
        die("no memory");
    r->rollout = rollout;
    return r;
}

/* ---- bare ---- */

static size_t ignore(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static CURL *bare_new(const char *body, struct curl_slist *headers)
{
    CURL *e = curl_easy_init();

    if (!e)
        die("libcurl does not start");
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, ignore);
    return e;
}

static double run_bare(int requests)
{
    struct lm_request *r = request_new(1, UNKNOWN_I64);
    char *body = lm_completion_write("tiny", r, 0, 0, NULL);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURLM *multi = curl_multi_init();
    double start = now_s();
    int begun = 0, ended = 0, before, left;

    if (!body || !multi)
        die("libcurl does not start");
    while (ended < requests) {
        while (begun < requests && begun - ended < LM_PARALLEL) {
            curl_multi_add_handle(multi, bare_new(body, headers));
            begun++;
        }
        before = ended;
        curl_multi_perform(multi, &left);
        for (CURLMsg *m; (m = curl_multi_info_read(multi, &left));) {
            CURL *e = m->easy_handle;

            if (m->msg != CURLMSG_DONE)
                continue;
            if (m->data.result != CURLE_OK)
                die("bare libcurl failed");
            curl_multi_remove_handle(multi, e);
            curl_easy_cleanup(e);
            ended++;
        }
        if (ended == before)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    start = now_s() - start;
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    mem_free(body);
    lm_request_free(r);
    return start;
}

/* ---- ours ---- */

static struct lm *asking;
static char *kept; /* the one record that the cache has */

static void find(void *arg, const char *key)
{
    (void)arg;
    lm_found(asking, key, kept);
}

static void keep(void *arg, const char *key, const char *record)
{
    (void)arg;
    (void)key;
    if (!kept)
        kept = strdup(record);
}

static struct lm *start(struct net *net, bool cache)
{
    struct lm_settings s;

    lm_settings_init(&s);
    s.backend = LM_BACKEND_HTTP;
    s.url = url;
    s.model = "tiny";
    s.temperature = 0;
    if (cache)
        s.cache = (struct lm_cache){find, keep, NULL};
    if (!(asking = lm_start(net, &s, NULL)))
        die("lm does not start");
    return asking;
}

static void submit(struct lm *lm, int i, int64_t rollout)
{
    struct lm_request *r = request_new((uint64_t)i, rollout);

    if (lm_submit(lm, &r, NULL) < 0)
        die("lm takes no request");
}

/* As many under way as bare; `same`: all ask the same thing. */
static double run_ours(struct lm *lm, int requests, int under_way, bool same)
{
    double begin = now_s();
    int begun = 0, ended = 0;

    while (ended < requests) {
        struct lm_reply *r;

        while (begun < requests && begun - ended < under_way) {
            submit(lm, begun, same ? 0 : begun);
            begun++;
        }
        if (!(r = lm_receive_wait(lm, WAIT_MS)) || r->failure != LM_FAILURE_NONE)
            die(r ? r->err.text : "no reply");
        lm_reply_free(r);
        ended++;
    }
    return now_s() - begin;
}

/* ---- all ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_us(double *seconds, int requests)
{
    qsort(seconds, ROUNDS, sizeof *seconds, by_size);
    return seconds[ROUNDS / 2] * 1e6 / requests;
}

static char *response_new(size_t *len)
{
    static char text[ANSWER_BYTES + 512], body[ANSWER_BYTES + 256], answer[ANSWER_BYTES + 1];

    memset(answer, 'a', ANSWER_BYTES);
    snprintf(body, sizeof body,
             "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},"
             "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1500,\"completion_tokens\":"
             "500}}",
             answer);
    *len = (size_t)snprintf(text, sizeof text,
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            strlen(body), body);
    return text;
}

static void measure(struct net *net, int requests)
{
    double bare[ROUNDS], ours[ROUNDS], hits[ROUNDS], shared[ROUNDS], us;
    struct lm *lm = start(net, false), *caching;

    run_bare(requests / 10 + 1); /* connections, caches, clocks */
    run_ours(lm, requests / 10 + 1, LM_PARALLEL, false);
    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = run_bare(requests);
        ours[i] = run_ours(lm, requests, LM_PARALLEL, false);
        shared[i] = run_ours(lm, requests, LM_REQUESTS_MAX, true);
    }
    lm_stop(lm);
    caching = start(net, true);
    for (int i = 0; i < ROUNDS; i++)
        hits[i] = run_ours(caching, requests, 1, true);
    lm_stop(caching);
    us = median_us(bare, requests);
    printf("%-44s %8.1f us\n", "bare libcurl multi, per request", us);
    printf("%-44s %8.1f us   %.2f times bare\n", "ours, per request", median_us(ours, requests),
           median_us(ours, requests) / us);
    printf("%-44s %8.1f us   %.2f times bare\n", "ours, up to 64 at once ask the same, each",
           median_us(shared, requests), median_us(shared, requests) / us);
    printf("%-44s %8.1f us   %.2f times bare\n", "ours, answered by a cache in memory",
           median_us(hits, requests), median_us(hits, requests) / us);
}

int main(int argc, char **argv)
{
    int requests = argc > 1 ? atoi(argv[1]) : 2000;
    struct canned_server *server = NULL;
    struct net *net = net_new(1, NULL);
    size_t len;
    char *response = response_new(&len);

    if (requests < 1 || !net || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(server = canned_server_start(response, len)))
        die("usage: bench_lm [REQUESTS]");
    memset(prompt, 'p', PROMPT_BYTES);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/chat/completions",
             canned_server_port(server));
    printf("%d requests of %d bytes, answers of %d bytes, %d at once, median of %d rounds\n",
           requests, PROMPT_BYTES, ANSWER_BYTES, LM_PARALLEL, ROUNDS);
    measure(net, requests);
    canned_server_stop(server);
    free(kept);
    net_free(net);
    return 0;
}
