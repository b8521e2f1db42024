/* test_wire_hostile.c - bytes that no encoder of ours writes, byte by byte. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/tool_message.h"
#include "common/wire/wire.h"
#include "common/wire/wire_map.h"
#include "common/wire/wire_scan.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A message under construction. */
struct bytes {
    uint8_t data[32768];
    size_t len;
};

enum { VARINT = 0, FIXED64 = 1, COUNTED = 2, GROUP = 3, FIXED32 = 5 };

static void put(struct bytes *b, const void *data, size_t len)
{
    assert_true(b->len + len <= sizeof b->data);
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void put_varint(struct bytes *b, uint64_t v)
{
    do {
        uint8_t byte = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));

        put(b, &byte, 1);
    } while (v >>= 7);
}

static void put_key(struct bytes *b, uint32_t number, unsigned kind)
{
    put_varint(b, (uint64_t)number << 3 | kind);
}

static void put_integer(struct bytes *b, uint32_t number, uint64_t v)
{
    put_key(b, number, VARINT);
    put_varint(b, v);
}

static void put_double(struct bytes *b, uint32_t number, double v)
{
    put_key(b, number, FIXED64);
    put(b, &v, 8);
}

static void put_data(struct bytes *b, uint32_t number, const void *data, size_t len)
{
    put_key(b, number, COUNTED);
    put_varint(b, len);
    put(b, data, len);
}

static void put_text(struct bytes *b, uint32_t number, const char *text)
{
    put_data(b, number, text, strlen(text));
}

static void put_message(struct bytes *b, uint32_t number, const struct bytes *part)
{
    put_data(b, number, part->data, part->len);
}

static struct wire_stats stats;
static struct err err;

static void *decode(const struct record_type *type, enum wire_mode mode, const struct bytes *b)
{
    void *record = NULL;
    int rc;

    err.code = ERR_NONE;
    rc = wire_decode(type, mode, b->data, b->len, wire_max(type), &record, &stats, &err);
    assert_true((rc == 0) == (record != NULL));
    return record;
}

static void refused(const struct record_type *type, enum wire_mode mode, const struct bytes *b,
                    enum err_code code, const char *text)
{
    void *record = decode(type, mode, b);

    if (record || err.code != code || strcmp(err.text, text) != 0)
        fail_msg("%s: code %d, \"%s\", wanted code %d, \"%s\"", record ? "decoded" : "refused",
                 (int)err.code, err.text, (int)code, text);
}

/* An AgentMessage with a State of these bytes. */
static struct bytes agent_state(const struct bytes *state)
{
    struct bytes b = {.len = 0};

    put_message(&b, 4, state);
    return b;
}

static void state_refused(const struct bytes *s, enum err_code code, const char *text)
{
    struct bytes b = agent_state(s);

    refused(&agent_message_type, WIRE_REPORT, &b, code, text);
}

static void nothing_is_no_message(void **state)
{
    struct bytes b = {.len = 0};

    (void)state;
    refused(&agent_message_type, WIRE_REPORT, &b, ERR_INVALID,
            "AgentMessage: no known body, wanted one of hello, ...");
    assert_int_equal(
        wire_decode(&agent_message_type, WIRE_REPORT, NULL, 0, 10, (void *[]){NULL}, NULL, NULL),
        -1);
}

static void framing_is_checked(void **state)
{
    static const struct {
        const char *name;
        uint8_t data[12];
        size_t len;
    } rows[] = {
        {"field number 0", {0x00, 0x01}, 2},
        {"key without end", {0xa2}, 1},
        {"key of eleven bytes",
         {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
         11},
        {"number past 2^29", {0x80, 0x80, 0x80, 0x80, 0x10, 0x00}, 6},
        {"group", {0x83, 0x01, 0x84, 0x01}, 4},
        {"end of group", {0x84, 0x01}, 2},
        {"wire type 6", {0x86, 0x01}, 2},
        {"length past the end", {0x22, 0x05, 0x08}, 3},
        {"length of 2^63", {0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 10},
        {"half a double", {0x79, 1, 2, 3}, 4},
        {"half a fixed32", {0x7d, 1}, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes b = {.len = 0};

        put(&b, rows[i].data, rows[i].len);
        assert_null(decode(&agent_message_type, WIRE_REPORT, &b));
        if (err.code != ERR_MALFORMED || !strstr(err.text, "does not unpack at byte 0"))
            fail_msg("%s: %d %s", rows[i].name, (int)err.code, err.text);
    }
}

static void a_known_field_of_another_kind_is_refused(void **state)
{
    struct bytes s = {.len = 0};

    (void)state;
    put_text(&s, 2, "12");
    state_refused(&s, ERR_MALFORMED, "state.memory_available_bytes: wire type 2, wanted 0");
    s.len = 0;
    put_integer(&s, 8, 1);
    state_refused(&s, ERR_MALFORMED, "state.cpu_load: wire type 0, wanted 1");
}

/* protobuf-c would hand over the part before it as if it were all. */
static void a_nul_in_a_text_is_refused(void **state)
{
    struct bytes link = {.len = 0}, good = {.len = 0}, s = {.len = 0};

    (void)state;
    put_text(&good, 1, "en0");
    put_data(&link, 1, "en0\0evil", 8);
    put_message(&s, 20, &good);
    put_message(&s, 20, &link);
    state_refused(&s, ERR_INVALID, "state.links[1].name: NUL at byte 3, wanted text without NUL");
}

static void texts_are_checked(void **state)
{
    struct bytes link = {.len = 0}, s = {.len = 0};
    char large[70];

    (void)state;
    put_text(&link, 1, "en\xc3\x28");
    put_message(&s, 20, &link);
    state_refused(&s, ERR_INVALID, "state.links[0].name: not UTF-8");
    memset(large, 'a', 65);
    link.len = s.len = 0;
    put_data(&link, 1, large, 65);
    put_message(&s, 20, &link);
    state_refused(&s, ERR_TOO_BIG, "state.links[0].name: text of 65 bytes, wanted at most 64");
    link.len = s.len = 0;
    put_data(&link, 1, "", 0);
    put_message(&s, 20, &link);
    state_refused(&s, ERR_INVALID, "state.links[0].name: empty, wanted a text");
}

static void numbers_are_checked(void **state)
{
    struct bytes s = {.len = 0};

    (void)state;
    put_integer(&s, 2, (uint64_t)-1);
    state_refused(
        &s, ERR_INVALID,
        "state.memory_available_bytes: -1, wanted an integer from 0 to 1125899906842624 bytes");
    s.len = 0;
    put_double(&s, 8, INFINITY);
    state_refused(&s, ERR_INVALID, "state.cpu_load: inf, wanted a number from 0 to 1 share");
}

/* The two values that mean unknown inside must not get in. */
static void what_means_unknown_is_refused(void **state)
{
    struct bytes s = {.len = 0};

    (void)state;
    put_integer(&s, 2, (uint64_t)INT64_MIN);
    state_refused(&s, ERR_INVALID,
                  "state.memory_available_bytes: -9223372036854775808, wanted an integer from 0 to "
                  "1125899906842624");
    s.len = 0;
    put_double(&s, 8, NAN);
    state_refused(&s, ERR_INVALID, "state.cpu_load: not a number, wanted one from 0 to 1");
}

/* Counted before memory is spent: an item of two bytes costs a hundred times that. */
static void too_many_items_are_refused(void **state)
{
    struct bytes link = {.len = 0}, s = {.len = 0};

    (void)state;
    put_text(&link, 1, "en0");
    for (int i = 0; i < 64; i++)
        put_message(&s, 20, &link);
    {
        struct bytes b = agent_state(&s);
        struct agent_message *m = decode(&agent_message_type, WIRE_REPORT, &b);

        assert_int_equal(m->state->links_count, 64);
        agent_message_free(m);
    }
    put_message(&s, 20, &link);
    state_refused(&s, ERR_TOO_BIG, "state.links: 65 or more items, wanted at most 64");
}

static void integers_come_packed_or_one_by_one(void **state)
{
    struct bytes packed = {.len = 0}, receipt = {.len = 0}, b = {.len = 0};
    struct coordinator_message *m;

    (void)state;
    put_varint(&packed, 7);
    put_varint(&packed, 300);
    put_message(&receipt, 1, &packed);
    put_integer(&receipt, 1, 9);
    put_message(&b, 5, &receipt);
    m = decode(&coordinator_message_type, WIRE_COMMAND, &b);
    assert_non_null(m);
    assert_int_equal(m->receipt->sequences_count, 3);
    assert_int_equal(m->receipt->sequences[1], 300);
    assert_int_equal(m->receipt->sequences[2], 9);
    coordinator_message_free(m);

    packed.len = receipt.len = b.len = 0;
    for (int i = 0; i < 10001; i++)
        put_varint(&packed, 1);
    put_message(&receipt, 1, &packed);
    put_message(&b, 5, &receipt);
    refused(&coordinator_message_type, WIRE_COMMAND, &b, ERR_TOO_BIG,
            "receipt.sequences: 10001 or more items, wanted at most 10000");
    packed.len = receipt.len = b.len = 0;
    put(&packed, "\x05\x80", 2); /* ends in the middle of an integer */
    put_message(&receipt, 1, &packed);
    put_message(&b, 5, &receipt);
    assert_null(decode(&coordinator_message_type, WIRE_COMMAND, &b));
    assert_int_equal(err.code, ERR_MALFORMED);
}

static void the_last_of_repeated_values_counts(void **state)
{
    struct bytes s = {.len = 0}, b;
    struct agent_message *m;

    (void)state;
    put_integer(&s, 2, 5);
    put_integer(&s, 2, 6);
    b = agent_state(&s);
    m = decode(&agent_message_type, WIRE_REPORT, &b);
    assert_int_equal(m->state->memory_available_bytes, 6);
    agent_message_free(m);

    s.len = 0;
    for (int i = 0; i <= WIRE_OCCURRENCES_MAX; i++)
        put_integer(&s, 2, 5);
    state_refused(&s, ERR_TOO_BIG,
                  "state.memory_available_bytes: 65 or more items, wanted at most 64");
}

static void the_last_of_two_bodies_counts(void **state)
{
    struct bytes goodbye = {.len = 0}, s = {.len = 0}, b = {.len = 0};
    struct agent_message *m;

    (void)state;
    put_text(&goodbye, 1, "bye");
    put_integer(&s, 2, 5);
    put_message(&b, 7, &goodbye);
    put_message(&b, 4, &s);
    m = decode(&agent_message_type, WIRE_REPORT, &b);
    assert_non_null(m);
    assert_null(m->goodbye);
    assert_int_equal(m->state->memory_available_bytes, 5);
    agent_message_free(m);
}

static void unknown_fields_of_a_report_are_absent_and_counted(void **state)
{
    struct bytes s = {.len = 0}, b;
    struct agent_message *m;

    (void)state;
    put_integer(&s, 2, 5);
    put_text(&s, 900, "later");
    put_double(&s, 901, 1);
    put_key(&s, 902, FIXED32);
    put(&s, "abcd", 4);
    b = agent_state(&s);
    put_integer(&b, 536870911, 1); /* the largest number there is */
    m = decode(&agent_message_type, WIRE_REPORT, &b);
    assert_non_null(m);
    assert_int_equal(stats.unknown_fields, 4);
    assert_int_equal(stats.unknown_values, 0);
    agent_message_free(m);

    s.len = 0;
    for (int i = 0; i <= WIRE_UNKNOWN_MAX; i++)
        put_integer(&s, 900, 0);
    state_refused(&s, ERR_TOO_BIG, "state: more than 4096 fields that v1 does not have");
}

static void unknown_values_of_a_report_are_absent_and_counted(void **state)
{
    struct bytes s = {.len = 0}, b;
    struct agent_message *m;

    (void)state;
    put_integer(&s, 2, 5);
    put_integer(&s, 11, 99); /* thermal */
    put_integer(&s, 12, 0);  /* power_source: 0 is none of its values */
    b = agent_state(&s);
    m = decode(&agent_message_type, WIRE_REPORT, &b);
    assert_non_null(m);
    assert_int_equal(m->state->thermal, 0);
    assert_int_equal(m->state->power_source, 0);
    assert_int_equal(m->state->memory_available_bytes, 5);
    assert_int_equal(stats.unknown_values, 2);
    agent_message_free(m);
}

/* A note whose kind is of a newer protocol is no note; the report and the other notes stand. */
static void an_item_that_needs_the_unknown_value_is_left_out(void **state)
{
    struct bytes note = {.len = 0}, newer = {.len = 0}, s = {.len = 0}, b;
    struct agent_message *m;

    (void)state;
    put_text(&note, 1, "cpu_load");
    put_integer(&note, 2, FACT_SOURCE_READ);
    put_text(&newer, 1, "gpu_load");
    put_integer(&newer, 2, 77);
    put_message(&s, 24, &newer);
    put_message(&s, 24, &note);
    put_message(&s, 24, &newer);
    b = agent_state(&s);
    m = decode(&agent_message_type, WIRE_REPORT, &b);
    assert_non_null(m);
    assert_int_equal(m->state->facts_count, 1);
    assert_string_equal(m->state->facts[0].field, "cpu_load");
    assert_int_equal(stats.unknown_values, 2);
    agent_message_free(m);
}

static void a_body_that_needs_the_unknown_value_is_refused(void **state)
{
    struct bytes status = {.len = 0}, b = {.len = 0};

    (void)state;
    put_text(&status, 1, "c");
    put_text(&status, 2, "p");
    put_text(&status, 3, "j");
    put_integer(&status, 4, 1);
    put_integer(&status, 5, 40);
    put_message(&b, 5, &status);
    refused(&agent_message_type, WIRE_REPORT, &b, ERR_UNSUPPORTED,
            "status.state: 40, wanted a value of DeliveryState that v1 has");
}

/* Request with PlanRequest with Job, with these rules. */
static struct bytes request_with_rules(const struct bytes *rules)
{
    struct bytes pipeline = {.len = 0}, job = {.len = 0}, plan = {.len = 0}, b = {.len = 0};
    struct bytes stage = {.len = 0};

    put_text(&stage, 1, "load");
    put_message(&pipeline, 1, &stage);
    put_message(&pipeline, 5, rules);
    put_integer(&job, 1, 1);
    put_text(&job, 2, "j");
    put_message(&job, 5, &pipeline);
    put_message(&plan, 1, &job);
    put_integer(&b, 1, 1);
    put_text(&b, 2, "r1");
    put_message(&b, 6, &plan);
    return b;
}

static void unknown_values_of_a_command_are_refused(void **state)
{
    struct bytes rules = {.len = 0}, b;
    struct request *r;

    (void)state;
    put_integer(&rules, 3, THERMAL_FAIR);
    b = request_with_rules(&rules);
    r = decode(&request_type, WIRE_COMMAND, &b);
    assert_non_null(r);
    assert_int_equal(r->plan->job->pipeline->rules->max_thermal, THERMAL_FAIR);
    record_free(&request_type, r);

    rules.len = 0;
    put_integer(&rules, 3, 9);
    b = request_with_rules(&rules);
    refused(&request_type, WIRE_COMMAND, &b, ERR_UNSUPPORTED,
            "plan.job.pipeline.rules.max_thermal: 9, wanted a value of Thermal that v1 has");
}

static void an_unknown_body_is_refused(void **state)
{
    struct bytes empty = {.len = 0}, job = {.len = 0}, plan = {.len = 0}, b = {.len = 0};

    (void)state;
    put_integer(&b, 1, 1);
    put_text(&b, 2, "r1");
    put_message(&b, 900, &empty);
    refused(&request_type, WIRE_COMMAND, &b, ERR_UNSUPPORTED,
            "Request has field 900 of a newer protocol and no body that v1 has");
    b.len = 0;
    put_integer(&job, 1, 1);
    put_text(&job, 2, "j");
    put_message(&job, 6, &empty);
    put_message(&plan, 1, &job);
    put_integer(&b, 1, 1);
    put_text(&b, 2, "r1");
    put_message(&b, 6, &plan);
    refused(&request_type, WIRE_COMMAND, &b, ERR_UNSUPPORTED,
            "plan.job: Job has field 6 of a newer protocol and no body that v1 has");
}

/* Unlike a value or a body: an added field is how v1 grows. */
static void an_unknown_field_of_a_command_is_counted(void **state)
{
    struct bytes rules = {.len = 0}, b;
    struct request *r;

    (void)state;
    put_integer(&rules, 60, 1);
    b = request_with_rules(&rules);
    r = decode(&request_type, WIRE_COMMAND, &b);
    assert_non_null(r);
    assert_int_equal(stats.unknown_fields, 1);
    record_free(&request_type, r);
}

static void a_message_in_two_parts_is_one(void **state)
{
    struct bytes first = {.len = 0}, second = {.len = 0}, link = {.len = 0}, b = {.len = 0};
    struct agent_message *m;

    (void)state;
    put_text(&link, 1, "en0");
    put_integer(&first, 2, 5);
    put_message(&first, 20, &link);
    put_integer(&second, 3, 6);
    put_message(&second, 20, &link);
    put_message(&b, 4, &first);
    put_message(&b, 4, &second);
    m = decode(&agent_message_type, WIRE_REPORT, &b);
    assert_non_null(m);
    /* protobuf says merge, protobuf-c does so outside a oneof only; either way the last part is
     * whole */
    assert_int_equal(m->state->memory_free_bytes, 6);
    assert_true(m->state->links_count >= 1);
    agent_message_free(m);
}

/* Named in a Refusal although the message is worth nothing. */
static void the_sequence_of_a_bad_message_is_found(void **state)
{
    struct bytes b = {.len = 0}, link = {.len = 0}, s = {.len = 0};

    (void)state;
    assert_int_equal(wire_agent_sequence(NULL, 0), UNKNOWN_I64);
    put_data(&link, 1, "\0", 1);
    put_message(&s, 20, &link);
    b = agent_state(&s);
    assert_int_equal(wire_agent_sequence(b.data, b.len), UNKNOWN_I64);
    put_integer(&b, 1, 77);
    put(&b, "\xff", 1); /* no protobuf from here on */
    assert_null(decode(&agent_message_type, WIRE_REPORT, &b));
    assert_int_equal(wire_agent_sequence(b.data, b.len), 77);
    b.len = 0;
    put_integer(&b, 1, 0); /* out of range */
    assert_int_equal(wire_agent_sequence(b.data, b.len), UNKNOWN_I64);
    b.len = 0;
    put_text(&b, 1, "7"); /* another kind */
    assert_int_equal(wire_agent_sequence(b.data, b.len), UNKNOWN_I64);
}

/* A list in a list in a list: a Value is the one message that holds itself. */
static struct bytes nested_value(int depth)
{
    struct bytes value = {.len = 0};

    put_integer(&value, 1, VALUE_FORM_LIST);
    for (int i = 0; i < depth; i++) {
        struct bytes around = {.len = 0};

        put_integer(&around, 1, VALUE_FORM_LIST);
        put_message(&around, 6, &value);
        value = around;
    }
    return value;
}

static struct bytes render_request(int depth)
{
    struct bytes value = nested_value(depth), input = {.len = 0}, choice = {.len = 0};
    struct bytes question = {.len = 0}, render = {.len = 0}, b = {.len = 0};

    put_text(&input, 1, "question");
    put_message(&input, 2, &value);
    put_text(&choice, 1, "q -> a");
    put_message(&question, 1, &choice);
    put_message(&question, 2, &input);
    put_message(&render, 1, &question);
    put_integer(&b, 1, 1);
    put_text(&b, 2, "r");
    put_message(&b, 23, &render);
    return b;
}

static void what_nests_too_deep_is_refused_before_it_is_unpacked(void **state)
{
    struct bytes b = render_request(WIRE_DEPTH_MAX - 4);
    struct request *r;

    (void)state;
    r = decode(&request_type, WIRE_COMMAND, &b);
    assert_non_null(r);
    request_free(r);
    b = render_request(WIRE_DEPTH_MAX - 3);
    assert_null(decode(&request_type, WIRE_COMMAND, &b));
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_non_null(strstr(err.text, "nested more than"));
    b = render_request(4000);
    assert_null(decode(&request_type, WIRE_COMMAND, &b));
    assert_int_equal(err.code, ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_message),
        cmocka_unit_test(framing_is_checked),
        cmocka_unit_test(a_known_field_of_another_kind_is_refused),
        cmocka_unit_test(a_nul_in_a_text_is_refused),
        cmocka_unit_test(texts_are_checked),
        cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(what_means_unknown_is_refused),
        cmocka_unit_test(too_many_items_are_refused),
        cmocka_unit_test(integers_come_packed_or_one_by_one),
        cmocka_unit_test(the_last_of_repeated_values_counts),
        cmocka_unit_test(the_last_of_two_bodies_counts),
        cmocka_unit_test(unknown_fields_of_a_report_are_absent_and_counted),
        cmocka_unit_test(unknown_values_of_a_report_are_absent_and_counted),
        cmocka_unit_test(an_item_that_needs_the_unknown_value_is_left_out),
        cmocka_unit_test(a_body_that_needs_the_unknown_value_is_refused),
        cmocka_unit_test(unknown_values_of_a_command_are_refused),
        cmocka_unit_test(an_unknown_body_is_refused),
        cmocka_unit_test(an_unknown_field_of_a_command_is_counted),
        cmocka_unit_test(a_message_in_two_parts_is_one),
        cmocka_unit_test(the_sequence_of_a_bad_message_is_found),
        cmocka_unit_test(what_nests_too_deep_is_refused_before_it_is_unpacked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
