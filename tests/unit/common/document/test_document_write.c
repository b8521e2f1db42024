/* test_document_write.c - records as JSON, their schema and their reference. */
#include "common/document/document.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/proposal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct profile *a_profile(void)
{
    struct profile *p = profile_new(NULL);
    struct cpu_level *level;

    text_set(&p->chip, "Apple M4", NULL);
    p->origin = DEVICE_ORIGIN_MAC;
    p->memory_bytes = 17179869184;
    p->gpu_flops = 4.6e12;
    level = records_add(&cpu_level_type, &p->cpu_levels, &p->cpu_levels_count, NULL);
    level->cores = 4;
    p->metal = metal_new(NULL);
    p->metal->unified_memory = TRI_FALSE;
    return p;
}

static void only_what_is_known_is_written_in_the_order_of_rows(void **state)
{
    struct profile *p = a_profile();
    char *text = document_print(&profile_type, p, false, NULL);

    (void)state;
    assert_string_equal(text,
                        "{\"origin\":\"mac\",\"chip\":\"Apple M4\",\"memory_bytes\":17179869184,"
                        "\"cpu_levels\":[{\"cores\":4}],\"metal\":{\"unified_memory\":false},"
                        "\"gpu_flops\":4600000000000}");
    mem_free(text);
    profile_free(p);
}

static void an_empty_record_is_an_empty_object(void **state)
{
    struct state *s = state_new(NULL);
    char *text = document_print(&state_type, s, false, NULL);

    (void)state;
    assert_string_equal(text, "{}");
    mem_free(text);
    state_free(s);
}

static void what_json_cannot_hold_is_an_error(void **state)
{
    struct profile *p = a_profile();
    struct err err = {ERR_NONE, ""};

    (void)state;
    p->origin = 99;
    assert_null(document_write(&profile_type, p, &err));
    assert_string_equal(err.text, "origin: 99 is no value of DeviceOrigin");
    p->origin = 0;
    p->memory_bytes = INT64_MAX;
    assert_null(document_write(&profile_type, p, &err));
    assert_non_null(strstr(err.text, "memory_bytes"));
    profile_free(p);
}

static void writing_survives_lost_memory(void **state)
{
    struct profile *p = a_profile();
    char *text;
    int nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        text = document_print(&profile_type, p, true, NULL);
    } while (!text && nth < 1000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 999);
    mem_free(text);
    profile_free(p);
}

static const struct json *at(const struct json *schema, const char *name)
{
    return json_member(json_member(schema, "properties"), name);
}

static void a_schema_has_what_the_rows_have(void **state)
{
    struct json *schema = document_schema(&federated_proposal_type, NULL);
    const struct json *item = json_member(at(schema, "client_optimization"), "items");
    const struct json *batch = at(item, "batch_size");
    const struct json *format = at(item, "model_format");
    const struct json *share = at(at(schema, "resource_allocation"), "memory_share");

    (void)state;
    assert_string_equal(json_text(json_member(schema, "type")), "object");
    assert_int_equal(json_type_of(json_member(schema, "additionalProperties")), JSON_BOOL);
    assert_false(json_bool_value(json_member(schema, "additionalProperties")));
    assert_null(json_member(schema, "required"));
    assert_string_equal(json_text(json_member(at(schema, "client_optimization"), "type")), "array");
    assert_int_equal(json_integer(json_member(at(schema, "client_optimization"), "maxItems")),
                     10000);
    assert_string_equal(json_text(json_item(json_member(item, "required"), 0)), "client_class");
    assert_string_equal(json_text(json_member(batch, "type")), "integer");
    assert_int_equal(json_integer(json_member(batch, "minimum")), 1);
    assert_int_equal(json_integer(json_member(batch, "maximum")), 4096);
    assert_string_equal(json_text(json_member(batch, "description")), "micro-batch (sequences)");
    assert_string_equal(json_text(json_item(json_member(format, "enum"), 0)), "bf16");
    assert_int_equal(json_count(json_member(format, "enum")), model_format_names.count);
    assert_true(json_number(json_member(share, "minimum")) == 0.1);
    assert_int_equal(json_integer(json_member(at(item, "client_class"), "maxLength")), 64);
    assert_int_equal(json_integer(json_member(at(item, "client_class"), "minLength")), 1);
    assert_string_equal(json_text(json_member(at(item, "participate"), "type")), "boolean");
    json_free(schema);
}

static void a_schema_says_which_alternatives_there_are(void **state)
{
    struct json *schema = document_schema(&job_type, NULL);
    const struct json *one = json_item(json_member(schema, "oneOf"), 1);

    (void)state;
    assert_int_equal(json_count(json_member(schema, "oneOf")), 4);
    assert_string_equal(json_text(json_item(json_member(one, "required"), 0)), "pipeline");
    json_free(schema);
}

static void a_schema_survives_lost_memory(void **state)
{
    struct json *schema;
    int nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        schema = document_schema(&federated_proposal_type, NULL);
    } while (!schema && nth < 5000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 4999);
    json_free(schema);
}

/* Lines stay on a page, every field of every record below is there once. */
static void the_reference_names_every_field(void **state)
{
    char *text = document_describe(&job_type, NULL);
    size_t lines = 0;

    (void)state;
    assert_non_null(text);
    assert_int_equal(strncmp(text, "Job\n  format_version", 20), 0);
    assert_non_null(strstr(text, "\nRoundSpec\n"));
    assert_null(strstr(strstr(text, "\nRuleSpec\n") + 1, "\nRuleSpec\n"));
    assert_non_null(strstr(text, "integer from 1 to 1000000, rounds; rounds in all; default 1"));
    assert_non_null(strstr(text, "one of auto, fedavg, fedprox"));
    for (const char *p = text; *p; lines++) {
        size_t len = strcspn(p, "\n");

        assert_in_range(len, 0, 100);
        p += len + (p[len] == '\n');
    }
    assert_in_range(lines, 100, 1000);
    mem_free(text);
}

static void the_reference_survives_lost_memory(void **state)
{
    char *text;
    int nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        text = document_describe(&round_spec_type, NULL);
    } while (!text && nth < 1000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 999);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_known_is_written_in_the_order_of_rows),
        cmocka_unit_test(an_empty_record_is_an_empty_object),
        cmocka_unit_test(what_json_cannot_hold_is_an_error),
        cmocka_unit_test(writing_survives_lost_memory),
        cmocka_unit_test(a_schema_has_what_the_rows_have),
        cmocka_unit_test(a_schema_says_which_alternatives_there_are),
        cmocka_unit_test(a_schema_survives_lost_memory),
        cmocka_unit_test(the_reference_names_every_field),
        cmocka_unit_test(the_reference_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
