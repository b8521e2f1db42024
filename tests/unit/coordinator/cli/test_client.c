/* test_client.c - one request and its answer, on this machine and over TCP with keys. */
#include "cli_lab.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/net/keys.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct heard {
    size_t count;
    char last[64];
};

static void hear(void *arg, const char *text)
{
    struct heard *h = arg;

    h->count++;
    snprintf(h->last, sizeof h->last, "%s", text);
}

static void answer_status(void *arg, const struct request *request, struct response *out)
{
    (void)arg;
    (void)request;
    out->status = status_reply_new(NULL);
    text_set(&out->status->version, "9", NULL);
}

/* Ask how it is; the response's code, or -1. */
static int ask(struct client *c, struct client_call *call, struct err *err)
{
    struct status_request asked;
    struct request request;
    struct response *r = NULL;
    int rc;

    record_init(&status_request_type, &asked);
    record_init(&request_type, &request);
    request.status = &asked;
    rc = client_ask(c, &request, call, &r, err);
    mem_free(request.request_id);
    if (rc == 0) {
        rc = r->code;
        if (rc == RESPONSE_CODE_OK)
            assert_string_equal(r->status->version, "9");
    } else {
        assert_null(r);
    }
    response_free(r);
    return rc;
}

static int make_lab(void **state)
{
    static struct lab lab;

    lab_make(&lab);
    *state = &lab;
    return 0;
}

static int clear_lab(void **state)
{
    lab_clear(*state);
    return 0;
}

static void local_place(const struct lab *lab, struct place *out)
{
    memset(out, 0, sizeof *out);
    out->local = true;
    snprintf(out->endpoint, sizeof out->endpoint, "%s", lab->endpoint);
    snprintf(out->path, sizeof out->path, "%s", lab->endpoint + strlen("ipc://"));
}

static void progress_comes_before_the_answer(void **state)
{
    struct lab *lab = *state;
    struct fake fake = {.answer = answer_status, .endpoint = lab->endpoint};
    struct heard heard = {0};
    struct client_call call = {.timeout_ms = 10000, .progress = hear, .arg = &heard};
    struct place place;
    struct client *c;
    struct err err = {0};

    local_place(lab, &place);
    fake_start(&fake);
    c = client_new(&place, &err);
    assert_non_null(c);
    assert_int_equal(ask(c, &call, &err), RESPONSE_CODE_OK);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.last, "thinking");
    call.progress = NULL; /* none is asked for, none comes */
    assert_int_equal(ask(c, &call, &err), RESPONSE_CODE_OK);
    assert_int_equal(heard.count, 1);
    client_free(c);
    client_free(NULL);
    fake_stop(&fake);
    assert_int_equal(fake.requests[0]->progress, TRI_TRUE);
    assert_int_equal(fake.requests[1]->progress, TRI_UNKNOWN);
    fake_clear(&fake);
}

static void what_may_not_be_sent_is_not(void **state)
{
    struct lab *lab = *state;
    struct fake fake = {.answer = answer_status, .endpoint = lab->endpoint};
    struct client_call call = {.timeout_ms = 1000};
    struct request request;
    struct response *r = NULL;
    struct place place;
    struct client *c;
    struct err err = {0};

    local_place(lab, &place);
    fake_start(&fake);
    c = client_new(&place, &err);
    record_init(&request_type, &request); /* no body */
    assert_int_equal(client_ask(c, &request, &call, &r, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    mem_free(request.request_id);
    client_free(c);
    fake_stop(&fake);
    assert_int_equal(fake.count, 0);
    fake_clear(&fake);
}

/* ---- over TCP ---- */

struct remote {
    struct net_keys server;
    struct fake fake;
    struct place place;
};

static void remote_make(struct remote *m, enum fake_manner manner, bool allowed)
{
    struct err err = {0};

    memset(m, 0, sizeof *m);
    assert_int_equal(net_keys_make(&m->server, &err), 0);
    assert_int_equal(net_keys_make(&m->place.keys, &err), 0);
    m->fake = (struct fake){.manner = manner,
                            .answer = answer_status,
                            .endpoint = "tcp://127.0.0.1:*",
                            .keys = &m->server,
                            .allowed = allowed ? m->place.keys.public_key : NULL};
    fake_start(&m->fake);
    snprintf(m->place.endpoint, sizeof m->place.endpoint, "%s", m->fake.bound);
    memcpy(m->place.server_key, m->server.public_key, sizeof m->place.server_key);
}

static void a_key_that_is_let_in(void **state)
{
    struct client_call call = {.timeout_ms = 20000};
    struct remote m;
    struct client *c;
    struct err err = {0};

    (void)state;
    remote_make(&m, FAKE_ANSWERS, true);
    c = client_new(&m.place, &err);
    assert_non_null(c);
    assert_int_equal(ask(c, &call, &err), RESPONSE_CODE_OK);
    assert_int_equal(ask(c, &call, &err), RESPONSE_CODE_OK);
    client_free(c);
    fake_clear(&m.fake);
}

static void a_key_that_is_not(void **state)
{
    struct client_call call = {.timeout_ms = 20000};
    struct remote m;
    struct client *c;
    struct err err = {0};

    (void)state;
    remote_make(&m, FAKE_ANSWERS, false);
    c = client_new(&m.place, &err);
    assert_int_equal(ask(c, &call, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.text, m.place.keys.public_key)); /* to be copied from there */
    client_free(c);
    fake_stop(&m.fake);
    assert_int_equal(m.fake.count, 0);
    fake_clear(&m.fake);
}

/* The coordinator goes away with our request and comes back: it is sent again, under its id. */
static void a_lost_connection_is_made_good(void **state)
{
    struct client_call call = {.timeout_ms = 30000};
    struct remote m;
    struct client *c;
    struct err err = {0};
    int rc;

    (void)state;
    remote_make(&m, FAKE_RESTARTS, true);
    c = client_new(&m.place, &err);
    rc = ask(c, &call, &err);
    if (rc < 0)
        print_error("%s\n", err.text);
    assert_int_equal(rc, RESPONSE_CODE_OK);
    client_free(c);
    fake_stop(&m.fake);
    assert_int_equal(m.fake.count, 2);
    assert_string_equal(m.fake.requests[0]->request_id, m.fake.requests[1]->request_id);
    fake_clear(&m.fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_comes_before_the_answer),
        cmocka_unit_test(what_may_not_be_sent_is_not),
        cmocka_unit_test(a_key_that_is_let_in),
        cmocka_unit_test(a_key_that_is_not),
        cmocka_unit_test(a_lost_connection_is_made_good),
    };

    return cmocka_run_group_tests(tests, make_lab, clear_lab);
}
