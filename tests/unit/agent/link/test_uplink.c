/* test_uplink.c - an uplink and a coordinator that answers, is silent, restarts, refuses and sends
 * rubbish. Nothing waits for time: every loop ends with its event, or fails after its patience. */
#include "agent/link/uplink.h"
#include "agent/link/session.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "tests/unit/agent/link/fake_coordinator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_MS 20000 /* far more than a machine under load needs */

struct lab {
    struct fake_coordinator coordinator;
    struct net *net;
    struct net_keys keys;
    struct net_poller *poller;
    struct uplink *uplink;
    int welcomes, losses, assignments, cancels, settled, refusals;
    uint64_t last_tag;
    int64_t generation; /* of the last assignment */
    int64_t skew_ms;    /* added to the clock: time that nobody waits for */
};

static int hello(void *arg, struct hello *out, struct err *err)
{
    (void)arg;
    out->highest_generation = 7;
    return text_set(&out->boot_id, "boot", err) < 0 ||
                   text_set(&out->profile_digest, "digest", err) < 0
               ? -1
               : 0;
}

static void welcome(void *arg, const struct welcome *w)
{
    struct lab *lab = arg;

    assert_string_equal(w->coordinator_id, "c1");
    lab->welcomes++;
}

static void lost(void *arg)
{
    ((struct lab *)arg)->losses++;
}

static void assignment(void *arg, struct assignment **moved)
{
    struct lab *lab = arg;

    lab->assignments++;
    lab->generation = (*moved)->generation;
}

static void cancel(void *arg, const struct cancel *c)
{
    (void)c;
    ((struct lab *)arg)->cancels++;
}

static void settled(void *arg, uint64_t tag, const struct refusal *refusal)
{
    struct lab *lab = arg;

    lab->settled++;
    lab->refusals += refusal != NULL;
    lab->last_tag = tag;
}

static int64_t now(const struct lab *lab)
{
    return clock_mono_ms() + lab->skew_ms;
}

static void lab_open(struct lab *lab, bool allowed)
{
    struct uplink_settings settings = {.keys = &lab->keys};
    struct uplink_handlers handlers = {lab, hello, welcome, lost, assignment, cancel, settled};

    *lab = (struct lab){0};
    assert_int_equal(net_keys_make(&lab->keys, NULL), 0);
    fake_start(&lab->coordinator, allowed ? lab->keys.public_key : NULL);
    settings.endpoint = lab->coordinator.endpoint;
    settings.server_key = lab->coordinator.keys.public_key;
    assert_non_null(lab->net = net_new(1, NULL));
    assert_non_null(lab->poller = net_poller_new(4, NULL));
    assert_non_null(lab->uplink = uplink_new(lab->net, &settings, &handlers, now(lab), NULL));
    uplink_watch(lab->uplink, lab->poller, 0);
}

static void lab_close(struct lab *lab)
{
    uplink_free(lab->uplink);
    net_poller_free(lab->poller);
    net_free(lab->net);
    fake_stop(&lab->coordinator);
}

static void turn(struct lab *lab)
{
    int ids[4];

    uplink_serve(lab->uplink, now(lab));
    fake_serve(&lab->coordinator);
    net_poller_wait(lab->poller, 5, ids, 4);
}

/* Until it holds, or the test has failed. */
#define UNTIL(lab, condition)                                             \
    do {                                                                  \
        int64_t until = clock_mono_ms() + PATIENCE_MS;                    \
        while (!(condition)) {                                            \
            turn(lab);                                                    \
            if (clock_mono_ms() > until)                                  \
                fail_msg("waited %d ms for %s", PATIENCE_MS, #condition); \
        }                                                                 \
    } while (0)

static struct agent_message *a_status(int64_t generation)
{
    struct agent_message *m = agent_message_new(NULL);

    m->status = assignment_status_new(NULL);
    text_set(&m->status->coordinator_id, "c1", NULL);
    text_set(&m->status->plan_id, "p1", NULL);
    text_set(&m->status->job_id, "j1", NULL);
    m->status->generation = generation;
    m->status->state = DELIVERY_STATE_RECEIVED;
    return m;
}

/* How often a status of this generation reached the coordinator. */
static int arrived(const struct lab *lab, int64_t generation)
{
    int count = 0;

    for (size_t i = 0; i < lab->coordinator.count; i++) {
        const struct agent_message *m = lab->coordinator.kept[i];

        count += m->status && m->status->generation == generation;
    }
    return count;
}

static int hellos(const struct lab *lab)
{
    int count = 0;

    for (size_t i = 0; i < lab->coordinator.count; i++)
        count += lab->coordinator.kept[i]->hello != NULL;
    return count;
}

static void a_session_opens_and_reports_arrive(void **state)
{
    struct agent_message *m = a_status(3);
    struct profile *p = profile_new(NULL);
    struct state *s = state_new(NULL);
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    assert_int_equal(uplink_send_state(lab.uplink, s), -1); /* no session yet: lost, and said so */
    UNTIL(&lab, uplink_is_open(lab.uplink));
    assert_int_equal(lab.coordinator.kept[0]->hello->protocol_version, 1);
    assert_int_equal(lab.coordinator.kept[0]->hello->highest_generation, 7);
    assert_int_equal(uplink_send_profile(lab.uplink, p), 0);
    assert_int_equal(uplink_send_state(lab.uplink, s), 0);
    assert_int_equal(uplink_keep(lab.uplink, 42, &m, NULL), 0);
    UNTIL(&lab, lab.settled == 1);
    assert_int_equal(lab.last_tag, 42);
    assert_int_equal(arrived(&lab, 3), 1);
    assert_int_equal(uplink_kept(lab.uplink), 0);
    assert_int_equal(uplink_send_goodbye(lab.uplink, "done"), 0);
    UNTIL(&lab, lab.coordinator.kept[lab.coordinator.count - 1]->goodbye != NULL);
    state_free(s);
    profile_free(p);
    lab_close(&lab);
}

/* After a sleep the old connection is not waited for, and what was kept arrives on the new one. */
static void after_a_sleep_it_connects_anew_and_loses_nothing(void **state)
{
    struct agent_message *m = a_status(3);
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    lab.skew_ms += 8LL * 3600 * 1000;
    uplink_wake(lab.uplink, now(&lab));
    assert_int_equal(lab.losses, 1);
    assert_false(uplink_is_open(lab.uplink));
    assert_int_equal(uplink_keep(lab.uplink, 42, &m, NULL), 0);
    UNTIL(&lab, uplink_is_open(lab.uplink) && lab.settled == 1);
    assert_int_equal(lab.welcomes, 2);
    assert_int_equal(hellos(&lab), 2);
    assert_int_equal(arrived(&lab, 3), 1);
    uplink_wake(lab.uplink, now(&lab));
    uplink_wake(lab.uplink, now(&lab)); /* twice, and while it is down: nothing more is lost */
    assert_int_equal(lab.losses, 2);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    lab_close(&lab);
}

static void commands_reach_their_handlers(void **state)
{
    struct coordinator_message *c = coordinator_message_new(NULL),
                               *d = coordinator_message_new(NULL);
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    c->assignment = assignment_new(NULL);
    c->assignment->generation = 9;
    c->assignment->kind = PLAN_KIND_FEDERATED;
    c->assignment->participate = TRI_FALSE;
    text_set(&c->assignment->device_id, "dtest", NULL);
    text_set(&c->assignment->reason, "left out", NULL);
    fake_send(&lab.coordinator, c);
    d->cancel = cancel_new(NULL);
    text_set(&d->cancel->plan_id, "p", NULL);
    text_set(&d->cancel->job_id, "j", NULL);
    d->cancel->generation = 9;
    fake_send(&lab.coordinator, d);
    UNTIL(&lab, lab.cancels == 1);
    assert_int_equal(lab.assignments, 1);
    assert_int_equal(lab.generation, 9);
    lab_close(&lab);
}

static void a_coordinator_that_restarts_gets_hello_and_what_it_never_answered(void **state)
{
    struct agent_message *m = a_status(1), *n = a_status(2);
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    lab.coordinator.no_receipts = true;
    UNTIL(&lab, uplink_is_open(lab.uplink));
    assert_int_equal(uplink_keep(lab.uplink, 1, &m, NULL), 0);
    UNTIL(&lab, arrived(&lab, 1) == 1);
    fake_down(&lab.coordinator);
    UNTIL(&lab, lab.losses == 1);
    assert_false(uplink_is_open(lab.uplink));
    assert_int_equal(uplink_keep(lab.uplink, 2, &n, NULL), 0); /* kept while nobody is there */
    lab.coordinator.no_receipts = false;
    fake_up(&lab.coordinator);
    UNTIL(&lab, lab.settled == 2);
    assert_int_equal(lab.welcomes, 2);
    assert_true(hellos(&lab) >= 2);
    assert_true(arrived(&lab, 1) >= 2);
    assert_int_equal(arrived(&lab, 2), 1);
    lab_close(&lab);
}

static void a_coordinator_that_comes_later_is_found(void **state)
{
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    fake_down(&lab.coordinator);
    for (int i = 0; i < 20; i++)
        turn(&lab);
    assert_false(uplink_is_open(lab.uplink));
    fake_up(&lab.coordinator);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    lab_close(&lab);
}

static void a_key_that_is_allowed_later_gets_in(void **state)
{
    struct lab lab;

    (void)state;
    lab_open(&lab, false);
    for (int i = 0; i < 100 && uplink_due(lab.uplink, now(&lab)) == INT64_MAX; i++)
        turn(&lab);
    assert_false(uplink_is_open(lab.uplink));
    fake_allow(&lab.coordinator, lab.keys.public_key);
    lab.skew_ms += SESSION_CONNECT_MAX_MS; /* its longest wait is over */
    UNTIL(&lab, uplink_is_open(lab.uplink));
    lab_close(&lab);
}

static void a_silent_coordinator_is_asked_again(void **state)
{
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    lab.skew_ms += SESSION_SILENCE_MIN_MS;
    UNTIL(&lab, lab.welcomes == 2);
    assert_int_equal(hellos(&lab), 2);
    lab_close(&lab);
}

static void a_greeting_without_answer_is_repeated_and_then_the_socket_is_new(void **state)
{
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    lab.coordinator.silent = true;
    UNTIL(&lab, hellos(&lab) == 1);
    for (int i = 2; i <= SESSION_GREETINGS_MAX; i++) {
        lab.skew_ms += SESSION_HELLO_MAX_MS;
        UNTIL(&lab, hellos(&lab) == i);
    }
    lab.coordinator.silent = false;
    lab.skew_ms += SESSION_HELLO_MAX_MS + SESSION_CONNECT_MAX_MS;
    UNTIL(&lab, lab.welcomes == 1);
    lab_close(&lab);
}

static void refuse(struct lab *lab, int64_t sequence, int64_t retry_after_ms)
{
    struct coordinator_message *c = coordinator_message_new(NULL);

    c->refusal = refusal_new(NULL);
    c->refusal->code = RESPONSE_CODE_BUSY;
    text_set(&c->refusal->reason, "not now", NULL);
    c->refusal->sequence = sequence;
    c->refusal->retry_after_ms = retry_after_ms;
    fake_send(&lab->coordinator, c);
}

static void a_refused_status_waits_or_goes(void **state)
{
    struct agent_message *m = a_status(1), *n = a_status(2);
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    lab.coordinator.no_receipts = true;
    UNTIL(&lab, uplink_is_open(lab.uplink));
    assert_int_equal(uplink_keep(lab.uplink, 1, &m, NULL), 0);
    assert_int_equal(uplink_keep(lab.uplink, 2, &n, NULL), 0);
    UNTIL(&lab, arrived(&lab, 2) == 1);
    refuse(&lab, 1, UNKNOWN_I64); /* for good */
    refuse(&lab, 2, 3000);        /* later */
    UNTIL(&lab, lab.settled == 1);
    assert_int_equal(lab.refusals, 1);
    assert_int_equal(lab.last_tag, 1);
    assert_int_equal(arrived(&lab, 2), 1);
    lab.coordinator.no_receipts = false;
    lab.skew_ms += 3000;
    UNTIL(&lab, lab.settled == 2);
    assert_int_equal(arrived(&lab, 2), 2);
    assert_true(uplink_is_open(lab.uplink));
    lab_close(&lab);
}

static void a_refused_session_is_greeted_anew_when_its_time_comes(void **state)
{
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    refuse(&lab, UNKNOWN_I64, 4000);
    UNTIL(&lab, lab.losses == 1);
    assert_int_equal(hellos(&lab), 1);
    lab.skew_ms += 6000;
    UNTIL(&lab, lab.welcomes == 2);
    lab_close(&lab);
}

static void a_refused_report_leaves_the_session_alone(void **state)
{
    struct coordinator_message *after = coordinator_message_new(NULL);
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    refuse(&lab, UNKNOWN_I64, UNKNOWN_I64);
    after->cancel = cancel_new(NULL);
    text_set(&after->cancel->plan_id, "p", NULL);
    text_set(&after->cancel->job_id, "j", NULL);
    after->cancel->generation = 1;
    fake_send(&lab.coordinator, after);
    UNTIL(&lab, lab.cancels == 1);
    assert_true(uplink_is_open(lab.uplink));
    assert_int_equal(uplink_counters(lab.uplink)->refused, 1);
    lab_close(&lab);
}

static void rubbish_is_counted_and_dropped(void **state)
{
    static const uint8_t unknown_body[] = {0xfa, 0x06, 0x02, 0x08, 0x01}; /* field 111 */
    struct lab lab;

    (void)state;
    lab_open(&lab, true);
    UNTIL(&lab, uplink_is_open(lab.uplink));
    fake_send_bytes(&lab.coordinator, "\xff\xff\xff rubbish", 11);
    fake_send_bytes(&lab.coordinator, unknown_body, sizeof unknown_body);
    UNTIL(&lab, uplink_counters(lab.uplink)->undecodable == 2);
    assert_true(uplink_is_open(lab.uplink));
    lab_close(&lab);
}

/* What nobody takes is kept up to the limit, and all of it arrives once somebody does. */
static void a_full_outbox_is_emptied_in_order(void **state)
{
    struct lab lab;
    int64_t kept = 0, expected = 1;

    (void)state;
    lab_open(&lab, true);
    for (; uplink_room(lab.uplink) > 0 && kept < 300; kept++) {
        struct agent_message *m = a_status(kept + 1);

        assert_int_equal(uplink_keep(lab.uplink, (uint64_t)kept, &m, NULL), 0);
    }
    UNTIL(&lab, lab.settled == kept);
    for (size_t i = 0; i < lab.coordinator.count; i++) {
        const struct agent_message *m = lab.coordinator.kept[i];

        if (m->status && m->status->generation == expected)
            expected++;
    }
    assert_int_equal(expected, kept + 1);
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_opens_and_reports_arrive),
        cmocka_unit_test(after_a_sleep_it_connects_anew_and_loses_nothing),
        cmocka_unit_test(commands_reach_their_handlers),
        cmocka_unit_test(a_coordinator_that_restarts_gets_hello_and_what_it_never_answered),
        cmocka_unit_test(a_coordinator_that_comes_later_is_found),
        cmocka_unit_test(a_key_that_is_allowed_later_gets_in),
        cmocka_unit_test(a_silent_coordinator_is_asked_again),
        cmocka_unit_test(a_greeting_without_answer_is_repeated_and_then_the_socket_is_new),
        cmocka_unit_test(a_refused_status_waits_or_goes),
        cmocka_unit_test(a_refused_session_is_greeted_anew_when_its_time_comes),
        cmocka_unit_test(a_refused_report_leaves_the_session_alone),
        cmocka_unit_test(rubbish_is_counted_and_dropped),
        cmocka_unit_test(a_full_outbox_is_emptied_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
