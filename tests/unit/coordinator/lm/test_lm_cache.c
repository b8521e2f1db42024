/* One answer for all who ask the same at the same time, and answers kept for later. */
#include "coordinator/lm/lm.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/net/net.h"
#include "coordinator/lm/lm_flight.h"
#include "tests/unit/coordinator/lm/scripted_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define WAIT_MS 20000 /* far more than a machine under load needs */

/* A cache in memory: one key and its record; the answer comes at once or when it is asked for. */
struct shelf {
    struct lm *lm;
    char key[LM_CACHE_KEY_SIZE], wanted[LM_CACHE_KEY_SIZE];
    char *record;
    int finds, keeps;
    bool later;
};

static struct net *net;

static int setup(void **state)
{
    (void)state;
    return (net = net_new(1, NULL)) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    net_free(net);
    return 0;
}

static void shelf_answer(struct shelf *s)
{
    lm_found(s->lm, s->wanted, s->record && strcmp(s->key, s->wanted) == 0 ? s->record : NULL);
}

static void shelf_find(void *arg, const char *key)
{
    struct shelf *s = arg;

    s->finds++;
    snprintf(s->wanted, sizeof s->wanted, "%s", key);
    if (!s->later)
        shelf_answer(s);
}

static void shelf_keep(void *arg, const char *key, const char *record)
{
    struct shelf *s = arg;

    s->keeps++;
    snprintf(s->key, sizeof s->key, "%s", key);
    free(s->record);
    s->record = strdup(record);
}

static struct lm *start(const struct scripted_server *server, struct shelf *shelf,
                        const char *record_file)
{
    struct lm_settings s;
    char url[80];
    struct err err = {0};
    struct lm *lm;

    lm_settings_init(&s);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1?token=hidden", scripted_server_port(server));
    s.backend = LM_BACKEND_HTTP;
    s.url = url;
    s.model = "tiny";
    s.key = "sk-0123456789";
    s.total_ms = WAIT_MS;
    s.retry_ms = 1;
    s.record_file = record_file;
    if (shelf)
        s.cache = (struct lm_cache){shelf_find, shelf_keep, shelf};
    if (!(lm = lm_start(net, &s, &err)))
        fail_msg("%s", err.text);
    if (shelf)
        shelf->lm = lm;
    return lm;
}

static void submit(struct lm *lm, uint64_t tag, const char *text, int64_t rollout)
{
    struct lm_request *r = lm_request_new(tag, "Test", NULL);

    assert_int_equal(lm_request_add(r, "user", text, NULL), 0);
    r->rollout = rollout;
    assert_int_equal(lm_submit(lm, &r, NULL), 0);
    assert_null(r);
}

static struct lm_reply *receive(struct lm *lm)
{
    struct lm_reply *r = lm_receive_wait(lm, WAIT_MS + 5000);

    assert_non_null(r);
    return r;
}

static const struct script_step fine[] = {{NULL, SCRIPT_OK}, {NULL, NULL}};
static const struct script_step echo[] = {
    {NULL, SCRIPT_JSON("{\"choices\":[{\"message\":{\"content\":\"your key is "
                       "sk-0123456789\"}}],\"usage\":{\"prompt_tokens\":12}}")},
    {NULL, NULL}};

static void an_answer_is_kept_and_found_again(void **state)
{
    struct scripted_server *server = scripted_server_start(fine);
    struct shelf shelf = {0};
    struct lm *lm = start(server, &shelf, NULL);
    struct lm_reply *r;

    (void)state;
    submit(lm, 1, "Which Mac?", UNKNOWN_I64);
    r = receive(lm);
    assert_false(r->cached);
    assert_int_equal(r->calls, 1);
    assert_int_equal(r->prompt_tokens, 12);
    lm_reply_free(r);
    assert_int_equal(shelf.keeps, 1);
    submit(lm, 2, "Which Mac?", UNKNOWN_I64);
    r = lm_receive(lm); /* there is nothing to wait for */
    assert_non_null(r);
    assert_int_equal(r->tag, 2);
    assert_true(r->cached);
    assert_string_equal(r->content, "fine");
    assert_string_equal(r->finish, "stop");
    assert_int_equal(r->calls, 0);
    assert_int_equal(r->prompt_tokens, 0);
    assert_int_equal(r->completion_tokens, 0);
    lm_reply_free(r);
    assert_int_equal(shelf.keeps, 1); /* it was there already */
    submit(lm, 3, "Which Mac, then?", UNKNOWN_I64);
    submit(lm, 4, "Which Mac?", 1); /* the same, but an answer of its own is wanted */
    for (int i = 0; i < 2; i++) {
        r = receive(lm);
        assert_false(r->cached || r->shared);
        lm_reply_free(r);
    }
    assert_int_equal(scripted_server_count(server), 3);
    assert_int_equal(shelf.finds, 4);
    lm_stop(lm);
    scripted_server_stop(server);
    free(shelf.record);
}

/* While the cache takes its time, what is asked twice is still one question. */
static void a_slow_cache_is_waited_for(void **state)
{
    struct scripted_server *server = scripted_server_start(fine);
    struct shelf shelf = {.later = true};
    struct lm *lm = start(server, &shelf, NULL);
    struct lm_reply *r;

    (void)state;
    submit(lm, 1, "Which Mac?", UNKNOWN_I64);
    submit(lm, 2, "Which Mac?", UNKNOWN_I64);
    assert_int_equal(shelf.finds, 1);
    assert_null(lm_receive(lm));
    shelf_answer(&shelf);
    lm_found(lm, shelf.wanted, NULL); /* a second word on it changes nothing */
    lm_found(lm, "", NULL);
    lm_found(lm, "unknown", "x");
    r = receive(lm);
    assert_false(r->shared);
    lm_reply_free(r);
    r = lm_receive(lm);
    assert_int_equal(r->tag, 2);
    assert_true(r->shared);
    lm_reply_free(r);
    assert_int_equal(scripted_server_count(server), 1);
    submit(lm, 3, "Which Mac?", UNKNOWN_I64);
    lm_stop(lm); /* with a question that the cache was asked for */
    scripted_server_stop(server);
    free(shelf.record);
}

/* A request that has less time than the one under way is asked by itself: each word of the cache
 * answers one of them. */
static void who_cannot_wait_is_not_made_to(void **state)
{
    struct scripted_server *server = scripted_server_start(fine);
    struct shelf shelf = {.later = true};
    struct lm *lm = start(server, &shelf, NULL);
    struct lm_request *r = lm_request_new(2, "Test", NULL);
    uint64_t tags = 0;

    (void)state;
    submit(lm, 1, "Which Mac?", UNKNOWN_I64);
    assert_int_equal(lm_request_add(r, "user", "Which Mac?", NULL), 0);
    r->total_ms = WAIT_MS / 2;
    assert_int_equal(lm_submit(lm, &r, NULL), 0);
    assert_int_equal(shelf.finds, 2);
    shelf_answer(&shelf);
    shelf_answer(&shelf);
    for (int i = 0; i < 2; i++) {
        struct lm_reply *reply = receive(lm);

        assert_int_equal(reply->failure, LM_FAILURE_NONE);
        assert_false(reply->shared);
        tags |= UINT64_C(1) << reply->tag;
        lm_reply_free(reply);
    }
    assert_int_equal(tags, 6);
    lm_stop(lm);
    scripted_server_stop(server);
    free(shelf.record);
}

static void what_is_no_good_answer_is_not_kept_and_not_believed(void **state)
{
    static const struct script_step steps[] = {
        {"cut", SCRIPT_JSON("{\"choices\":[{\"message\":{\"content\":\"half\"},\"finish_reason\":"
                            "\"length\"}]}")},
        {"refused", SCRIPT_STATUS("400 Bad Request", "{\"error\":\"no\"}")},
        {NULL, SCRIPT_OK},
        {NULL, NULL}};
    struct scripted_server *server = scripted_server_start(steps);
    struct shelf shelf = {0};
    struct lm *lm = start(server, &shelf, NULL);
    struct lm_reply *r;

    (void)state;
    submit(lm, 1, "cut", UNKNOWN_I64);
    lm_reply_free(receive(lm));
    submit(lm, 2, "refused", UNKNOWN_I64);
    lm_reply_free(receive(lm));
    assert_int_equal(shelf.keeps, 0);
    submit(lm, 3, "fine", UNKNOWN_I64);
    lm_reply_free(receive(lm));
    assert_int_equal(shelf.keeps, 1);
    shelf.record[0] = '['; /* damaged since */
    submit(lm, 4, "fine", UNKNOWN_I64);
    r = receive(lm);
    assert_false(r->cached);
    assert_string_equal(r->content, "fine");
    lm_reply_free(r);
    assert_int_equal(shelf.keeps, 2); /* and mended */
    lm_stop(lm);
    scripted_server_stop(server);
    free(shelf.record);
}

static void equal_questions_share_one_request(void **state)
{
    struct scripted_server *server = scripted_server_start(fine);
    struct lm *lm = start(server, NULL, NULL);
    uint64_t tags = 0;
    int shared = 0, calls = 0, tokens = 0;

    (void)state;
    scripted_server_hold(server);
    for (uint64_t tag = 0; tag < 10; tag++)
        submit(lm, tag, "Which Mac?", UNKNOWN_I64);
    submit(lm, 10, "Which Mac?", 1);
    scripted_server_release(server);
    for (int i = 0; i < 11; i++) {
        struct lm_reply *r = receive(lm);

        assert_string_equal(r->content, "fine");
        tags |= UINT64_C(1) << r->tag;
        shared += r->shared;
        calls += (int)r->calls;
        tokens += (int)r->prompt_tokens;
        lm_reply_free(r);
    }
    assert_int_equal(tags, 2047);
    assert_int_equal(shared, 9);
    assert_int_equal(calls, 2);
    assert_int_equal(tokens, 24);
    assert_int_equal(scripted_server_count(server), 2);
    assert_null(lm_receive(lm));
    submit(lm, 11, "Which Mac?", UNKNOWN_I64); /* later: asked anew */
    lm_reply_free(receive(lm));
    assert_int_equal(scripted_server_count(server), 3);
    lm_stop(lm);
    scripted_server_stop(server);
}

static void a_failure_is_shared_too(void **state)
{
    static const struct script_step steps[] = {
        {NULL, SCRIPT_STATUS("401 Unauthorized", "{\"error\":\"who are you\"}")}, {NULL, NULL}};
    struct scripted_server *server = scripted_server_start(steps);
    struct lm *lm = start(server, NULL, NULL);

    (void)state;
    scripted_server_hold(server);
    submit(lm, 1, "Which Mac?", UNKNOWN_I64);
    submit(lm, 2, "Which Mac?", UNKNOWN_I64);
    scripted_server_release(server);
    for (int i = 0; i < 2; i++) {
        struct lm_reply *r = receive(lm);

        assert_int_equal(r->failure, LM_FAILURE_AUTH);
        assert_non_null(strstr(r->err.text, "who are you"));
        lm_reply_free(r);
    }
    assert_int_equal(scripted_server_count(server), 1);
    submit(lm, 3, "Which Mac?", UNKNOWN_I64);
    submit(lm, 4, "Which Mac?", UNKNOWN_I64);
    lm_stop(lm); /* with somebody who waits for somebody else's answer */
    scripted_server_stop(server);
}

/* Neither the key nor what follows a ? in the address comes to rest anywhere. */
static void secrets_are_kept_out(void **state)
{
    struct scripted_server *server = scripted_server_start(echo);
    char path[] = "/tmp/lm-record-XXXXXX", text[4096] = "";
    struct shelf shelf = {0};
    struct lm_reply *r;
    struct lm *lm;
    FILE *f;

    (void)state;
    close(mkstemp(path));
    lm = start(server, &shelf, path);
    submit(lm, 1, "Which Mac?", UNKNOWN_I64);
    r = receive(lm);
    assert_string_equal(r->content, "your key is [key]");
    lm_reply_free(r);
    lm_stop(lm);
    assert_non_null(f = fopen(path, "r"));
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    unlink(path);
    assert_non_null(strstr(text, "[key]"));
    assert_null(strstr(text, "0123456789"));
    assert_null(strstr(text, "hidden"));
    assert_null(strstr(text, "Which Mac"));
    assert_string_equal(text, shelf.record);
    assert_int_equal(strspn(shelf.key, "0123456789abcdef"), 64);
    scripted_server_stop(server);
    free(shelf.record);
}

static void a_key_knows_all_that_may_change_the_answer(void **state)
{
    char keys[16][SHA256_HEX_SIZE];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < 13; i++) {
        struct lm_request *r = lm_request_new(i, i == 12 ? "other label" : "Test", NULL);
        const char *where = i == 1 ? "http://b" : "http://a", *model = i == 2 ? "big" : "tiny";

        lm_request_add(r, i == 3 ? "system" : "user", i == 4 ? "Which mac?" : "Which Mac?", NULL);
        if (i == 5)
            lm_request_add(r, "assistant", "", NULL);
        r->max_tokens = i == 6 ? 1 : 2;
        r->temperature = i == 7 ? 0.5 : UNKNOWN_F64;
        r->seed = i == 8 ? 0 : UNKNOWN_I64;
        r->rollout = i == 9 ? 0 : UNKNOWN_I64;
        if (i == 10)
            lm_request_shape(r, LM_FORMAT_OBJECT, NULL, NULL, NULL);
        if (i == 11)
            lm_request_shape(r, LM_FORMAT_SCHEMA, "P", "{}", NULL);
        lm_flight_key(r, where, model, UNKNOWN_F64, keys[count++]);
        lm_request_free(r);
    }
    for (size_t i = 0; i < 12; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(keys[i], keys[j]);
    assert_string_equal(keys[12], keys[0]); /* the label is ours */
}

/* Whichever allocation of the owner's fails, the request is refused or answered, once. */
static void lost_memory_is_survived(void **state)
{
    struct scripted_server *server = scripted_server_start(fine);
    struct lm *lm = start(server, NULL, NULL);
    int nth = 0, rc;

    (void)state;
    scripted_server_hold(server);
    submit(lm, 1, "Which Mac?", UNKNOWN_I64);
    do {
        struct lm_request *r = lm_request_new(2, "Test", NULL);
        struct err err = {0};

        lm_request_add(r, "user", "Which Mac?", NULL);
        mem_fail_at(++nth);
        rc = lm_submit(lm, &r, &err); /* joins the first */
        mem_fail_at(0);
        assert_true(rc < 0 ? r && err.code == ERR_NOMEM : !r);
        lm_request_free(r);
    } while (rc < 0 && nth < 100);
    assert_in_range(nth, 2, 99);
    scripted_server_release(server);
    lm_reply_free(receive(lm));
    lm_reply_free(receive(lm));
    assert_null(lm_receive(lm));
    lm_stop(lm);
    scripted_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_kept_and_found_again),
        cmocka_unit_test(a_slow_cache_is_waited_for),
        cmocka_unit_test(who_cannot_wait_is_not_made_to),
        cmocka_unit_test(what_is_no_good_answer_is_not_kept_and_not_believed),
        cmocka_unit_test(equal_questions_share_one_request),
        cmocka_unit_test(a_failure_is_shared_too),
        cmocka_unit_test(secrets_are_kept_out),
        cmocka_unit_test(a_key_knows_all_that_may_change_the_answer),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
