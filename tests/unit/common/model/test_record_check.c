/* test_record_check.c - limits, and errors that say where, what and what was wanted. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/tool_message.h"
#include "tests/support/record_fill.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void refused(const struct record_type *type, const void *record, enum err_code code,
                    const char *text)
{
    struct err err = {.code = ERR_NONE, .text = ""};

    assert_int_equal(record_check(type, record, NULL), -1);
    assert_int_equal(record_check(type, record, &err), -1);
    if (err.code != code || strcmp(err.text, text) != 0)
        fail_msg("%d \"%s\", wanted %d \"%s\"", (int)err.code, err.text, (int)code, text);
}

/* Example of use. */
static void a_state_is_checked(void **state)
{
    struct state *s = state_new(NULL);

    (void)state;
    assert_int_equal(record_check(&state_type, s, NULL), 0); /* all unknown is sound */
    s->cpu_load = 0.5;
    assert_int_equal(record_check(&state_type, s, NULL), 0);
    s->cpu_load = 50;
    refused(&state_type, s, ERR_INVALID, "cpu_load: 50, wanted a number from 0 to 1 share");
    state_free(s);
}

static void numbers_at_their_limits(void **state)
{
    struct tuning_spec t;
    struct fill how = {.seed = 1};
    struct tuning_spec *made = record_fill(&tuning_spec_type, &how);

    (void)state;
    t = *made; /* its texts and lists stay made's */
    t.rank = 1;
    assert_int_equal(record_check(&tuning_spec_type, &t, NULL), 0);
    t.rank = 1024;
    assert_int_equal(record_check(&tuning_spec_type, &t, NULL), 0);
    t.rank = 0;
    refused(&tuning_spec_type, &t, ERR_INVALID, "rank: 0, wanted an integer from 1 to 1024");
    t.rank = 1025;
    refused(&tuning_spec_type, &t, ERR_INVALID, "rank: 1025, wanted an integer from 1 to 1024");
    t.rank = INT64_MAX;
    refused(&tuning_spec_type, &t, ERR_INVALID,
            "rank: 9223372036854775807, wanted an integer from 1 to 1024");
    t.rank = 8;
    t.dropout = 0.95;
    assert_int_equal(record_check(&tuning_spec_type, &t, NULL), 0);
    t.dropout = 0.9501;
    refused(&tuning_spec_type, &t, ERR_INVALID, "dropout: 0.9501, wanted a number from 0 to 0.95");
    t.dropout = -INFINITY;
    refused(&tuning_spec_type, &t, ERR_INVALID, "dropout: -inf, wanted a number from 0 to 0.95");
    tuning_spec_free(made);
}

static void enums_and_booleans(void **state)
{
    struct state *s = state_new(NULL);

    (void)state;
    s->thermal = THERMAL_CRITICAL;
    assert_int_equal(record_check(&state_type, s, NULL), 0);
    s->thermal = 5;
    refused(&state_type, s, ERR_INVALID, "thermal: 5 is no value of Thermal");
    s->thermal = -1;
    refused(&state_type, s, ERR_INVALID, "thermal: -1 is no value of Thermal");
    s->thermal = 0;
    s->charging = 2;
    refused(&state_type, s, ERR_INVALID, "charging: 2 is neither true nor false");
    state_free(s);
}

static void texts(void **state)
{
    struct goodbye *g = goodbye_new(NULL);
    char at_limit[514];

    (void)state;
    memset(at_limit, 'x', 513);
    at_limit[513] = '\0';
    text_set(&g->reason, at_limit + 1, NULL);
    assert_int_equal(record_check(&goodbye_type, g, NULL), 0);
    text_set(&g->reason, at_limit, NULL);
    refused(&goodbye_type, g, ERR_TOO_BIG, "reason: text of 513 bytes, wanted at most 512");
    text_set(&g->reason, "", NULL);
    assert_int_equal(record_check(&goodbye_type, g, NULL), 0);
    text_set(&g->reason, "a\nb", NULL);
    refused(&goodbye_type, g, ERR_INVALID,
            "reason: control character 0x0a at byte 1, wanted one line of text");
    text_set(&g->reason, "a\x7f", NULL);
    refused(&goodbye_type, g, ERR_INVALID,
            "reason: control character 0x7f at byte 1, wanted one line of text");
    text_set(&g->reason, "\xed\xa0\x80", NULL); /* half a surrogate pair */
    refused(&goodbye_type, g, ERR_INVALID, "reason: not UTF-8");
    text_set(&g->reason, "\xc0\xaf", NULL); /* / in a longer form */
    refused(&goodbye_type, g, ERR_INVALID, "reason: not UTF-8");
    goodbye_free(g);
}

static void prose_has_line_breaks(void **state)
{
    struct proposal *p = proposal_new(NULL);

    (void)state;
    p->engine = ENGINE_KIND_LM;
    text_set(&p->reply, "one\n\ttwo\r\n", NULL);
    assert_int_equal(record_check(&proposal_type, p, NULL), 0);
    text_set(&p->reply, "bell\a", NULL);
    refused(&proposal_type, p, ERR_INVALID, "reply: control character 0x07 at byte 4, wanted text");
    proposal_free(p);
}

static void required_fields(void **state)
{
    struct client_data *d = client_data_new(NULL);
    struct training *t;
    struct fill how = {.seed = 1};

    (void)state;
    d->examples = 0; /* zero is an answer */
    refused(&client_data_type, d, ERR_INVALID, "device_id: missing");
    text_set(&d->device_id, "", NULL);
    refused(&client_data_type, d, ERR_INVALID, "device_id: empty, wanted a text");
    text_set(&d->device_id, "d1", NULL);
    assert_int_equal(record_check(&client_data_type, d, NULL), 0);
    client_data_free(d);
    t = record_fill(&training_type, &how);
    t->learning_rate = UNKNOWN_F64;
    refused(&training_type, t, ERR_INVALID, "learning_rate: missing, wanted a number");
    training_free(t);
}

static void a_fault_deep_down_is_named_by_its_path(void **state)
{
    struct fill how = {.seed = 4, .body = "response.plan", .items = 2};
    struct tool_message *m = record_fill(&tool_message_type, &how);
    struct assignment *a = &m->response->plan->plan->assignments[1];

    (void)state;
    a->stages[0].inputs[1].bytes = -5;
    refused(
        &tool_message_type, m, ERR_INVALID,
        "response.plan.plan.assignments[1].stages[0].inputs[1].bytes: -5, wanted an integer from 0 "
        "to 1125899906842624 bytes");
    tool_message_free(m);
}

static void lists_at_their_limits(void **state)
{
    struct receipt *r = receipt_new(NULL);
    struct rule_spec *rules = rule_spec_new(NULL);

    (void)state;
    refused(&receipt_type, r, ERR_INVALID, "sequences: missing");
    r->sequences = mem_calloc(record_room(10001), sizeof *r->sequences);
    for (size_t i = 0; i < 10001; i++)
        r->sequences[i] = 1;
    r->sequences_count = 10000;
    assert_int_equal(record_check(&receipt_type, r, NULL), 0);
    r->sequences_count = 10001;
    refused(&receipt_type, r, ERR_TOO_BIG, "sequences: 10001 items, wanted at most 10000");
    r->sequences_count = 3;
    r->sequences[2] = 0;
    refused(&receipt_type, r, ERR_INVALID,
            "sequences[2]: 0, wanted an integer from 1 to 9007199254740992");
    receipt_free(r);
    texts_add(&rules->include, &rules->include_count, "d1", NULL);
    texts_add(&rules->include, &rules->include_count, "d\t", NULL);
    refused(&rule_spec_type, rules, ERR_INVALID,
            "include[1]: control character 0x09 at byte 1, wanted one line of text");
    rule_spec_free(rules);
}

static void one_of_several_bodies(void **state)
{
    struct agent_message *m = agent_message_new(NULL);
    struct proposal *p = proposal_new(NULL);

    (void)state;
    refused(&agent_message_type, m, ERR_INVALID,
            "AgentMessage: no known body, wanted one of hello, ...");
    m->goodbye = goodbye_new(NULL);
    assert_int_equal(record_check(&agent_message_type, m, NULL), 0);
    m->state = state_new(NULL);
    refused(&agent_message_type, m, ERR_INVALID,
            "AgentMessage: both state and goodbye are given, wanted one");
    agent_message_free(m);
    p->engine = ENGINE_KIND_LM; /* at most one: none is fine */
    assert_int_equal(record_check(&proposal_type, p, NULL), 0);
    p->federated = federated_proposal_new(NULL);
    p->pipeline = pipeline_proposal_new(NULL);
    refused(&proposal_type, p, ERR_INVALID,
            "Proposal: both federated and pipeline are given, wanted one");
    proposal_free(p);
}

static void a_field_by_itself(void **state)
{
    struct state *s = state_new(NULL);
    struct err err;

    (void)state;
    s->battery_percent = 101;
    assert_int_equal(field_check(record_field(&state_type, "battery_percent"), s, "here.it", &err),
                     -1);
    assert_string_equal(err.text, "here.it: 101, wanted a number from 0 to 100 percent");
    assert_int_equal(field_check(record_field(&state_type, "cpu_load"), s, "x", &err), 0);
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_checked),
        cmocka_unit_test(numbers_at_their_limits),
        cmocka_unit_test(enums_and_booleans),
        cmocka_unit_test(texts),
        cmocka_unit_test(prose_has_line_breaks),
        cmocka_unit_test(required_fields),
        cmocka_unit_test(a_fault_deep_down_is_named_by_its_path),
        cmocka_unit_test(lists_at_their_limits),
        cmocka_unit_test(one_of_several_bodies),
        cmocka_unit_test(a_field_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
