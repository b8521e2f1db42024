/* test_document.c - the strict reader: what people and programs write. */
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

static const char example[] =
    "{\"format_version\": 1, \"job_id\": \"notes-1\", \"federated\": {"
    "\"model\": {\"name\": \"m\", \"variants\": [{\"format\": \"q4g64\", \"path\": \"a/b\"},"
    "{\"format\": \"bf16\"}]},"
    "\"tuning\": {\"method\": \"lora\", \"rank\": 16, \"sequence_length\": 1024, "
    "\"learning_rate\": 1e-4, \"grad_checkpoint\": true},"
    "\"data\": {\"clients\": [{\"device_id\": \"d1\", \"examples\": 0}]},"
    "\"round\": {\"rounds\": 10, \"deadline_seconds\": 1800},"
    "\"rules\": {\"include\": [\"d1\", \"d2\"], \"max_thermal\": \"fair\"},"
    "\"performance_target\": \"fast,\\nand good\"}}";

static struct job *job_of(const char *text)
{
    void *record = NULL;
    struct err err;

    if (document_parse(&job_type, text, strlen(text), &record, &err) < 0)
        fail_msg("%s", err.text);
    return record;
}

static void a_document_becomes_a_record(void **state)
{
    struct job *job = job_of(example);
    const struct federated_job *f = job->federated;

    (void)state;
    assert_string_equal(job->job_id, "notes-1");
    assert_int_equal(f->model->variants_count, 2);
    assert_int_equal(f->model->variants[0].format, MODEL_FORMAT_Q4G64);
    assert_string_equal(f->model->variants[0].path, "a/b");
    assert_null(f->model->variants[1].path);
    assert_int_equal(f->tuning->rank, 16);
    assert_true(f->tuning->rank_min == UNKNOWN_I64);
    assert_true(f->tuning->learning_rate == 1e-4);
    assert_int_equal(f->tuning->grad_checkpoint, TRI_TRUE);
    assert_int_equal(f->data->clients[0].examples, 0); /* zero is an answer */
    assert_true(f->round->deadline_seconds == 1800);
    assert_int_equal(f->rules->include_count, 2);
    assert_string_equal(f->rules->include[1], "d2");
    assert_int_equal(f->rules->max_thermal, THERMAL_FAIR);
    assert_string_equal(f->performance_target, "fast,\nand good");
    assert_null(job->pipeline);
    job_free(job);
}

static void a_record_is_written_and_read_back(void **state)
{
    struct job *job = job_of(example), *again;
    char *text = document_print(&job_type, job, true, NULL);
    char *dense = document_print(&job_type, job, false, NULL);

    (void)state;
    assert_non_null(text);
    assert_null(strstr(text, "rank_min")); /* unknown is absent */
    assert_null(strstr(text, "null"));
    assert_true(strlen(dense) < strlen(text));
    again = job_of(text);
    assert_true(record_equal(&job_type, job, again));
    job_free(again);
    again = job_of(dense);
    assert_true(record_equal(&job_type, job, again));
    job_free(again);
    job_free(job);
    mem_free(text);
    mem_free(dense);
}

/* Each row is put in the round, or in the place that it opens itself. */
static const struct {
    const char *text, *why;
} refused[] = {
    {"{\"rounds\": \"many\"}", "rounds: \"many\", wanted an integer from 1 to 1000000 rounds"},
    {"{\"rounds\": 0}", "rounds: 0, wanted an integer from 1 to 1000000 rounds"},
    {"{\"rounds\": 1000001}", "rounds: 1000001, wanted an integer"},
    {"{\"rounds\": 1.5}", "rounds: 1.5, wanted an integer"},
    {"{\"rounds\": 1e300}", "rounds: 1e+300, wanted an integer"},
    {"{\"rounds\": null}", "rounds: null, wanted an integer"},
    {"{\"rounds\": true}", "rounds: true, wanted an integer"},
    {"{\"rounds\": [3]}", "rounds: a list, wanted an integer"},
    {"{\"deadline_seconds\": \"60\"}",
     "deadline_seconds: \"60\", wanted a number from 1 to 1e+09 s"},
    {"{\"deadline_seconds\": 0.5}", "deadline_seconds: 0.5, wanted a number from 1"},
    {"{\"roundz\": 3}",
     "roundz: no such key (did you mean rounds?); keys here: rounds, deadline_seconds, token_goal"},
    {"{\"x\": 3}", "x: no such key; keys here: rounds"},
    {"{\"_comment\": \"x\"}", "_comment: no such key"},
    {"{\"//\": \"x\"}", "//: no such key"},
    {"{\"Rounds\": 3}", "Rounds: no such key (did you mean rounds?)"},
    {"[]", "RoundSpec: a list, wanted an object"},
    {"\"x\"", "RoundSpec: \"x\", wanted an object"},
    {"{\"rounds\": 3} x", "1:15"},
    {"{\"rounds\": 3, \"rounds\": 3}", "rounds"},
};

static void what_is_wrong_is_refused_by_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        void *record = NULL;
        struct err err = {ERR_NONE, ""};

        assert_int_equal(document_parse(&round_spec_type, refused[i].text, strlen(refused[i].text),
                                        &record, &err),
                         -1);
        assert_null(record);
        if (!strstr(err.text, refused[i].why))
            print_error("%s\n  gave %s\n", refused[i].text, err.text);
        assert_non_null(strstr(err.text, refused[i].why));
    }
}

static void paths_lead_through_records_and_lists(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"{\"job_id\":\"a\"}", "format_version: missing, wanted an integer from 1 to 1"},
        {"{\"format_version\":1,\"job_id\":\"a\"}", "no known body"},
        {"{\"format_version\":1,\"job_id\":\"\"}", "job_id: empty"},
        {"{\"format_version\":2}", "format_version: 2, wanted an integer from 1 to 1"},
        {"{\"federated\":{\"round\":{\"rounds\":0}}}", "federated.round.rounds: 0, wanted"},
        {"{\"federated\":{\"model\":{\"variants\":[]}}}", "federated.model.variants: missing"},
        {"{\"federated\":{\"model\":{\"variants\":[{\"format\":\"q4\"}]}}}",
         "federated.model.variants[0].format: \"q4\", wanted one of bf16, f16, f32, q8g64"},
        {"{\"federated\":{\"model\":{\"variants\":[{\"format\":\"bf16\"},{}]}}}",
         "federated.model.variants[1].format: missing, wanted one of bf16"},
        {"{\"federated\":{\"model\":{\"variants\":[{\"format\":\"bf16\"},7]}}}",
         "federated.model.variants[1]: 7, wanted a list of at most 16 objects"},
        {"{\"federated\":{\"model\":{\"variants\":{\"format\":\"bf16\"}}}}",
         "federated.model.variants: an object, wanted a list of at most 16 objects (ModelVariant)"},
        {"{\"federated\":{\"rules\":{\"include\":[\"a\",7]}}}",
         "federated.rules.include[1]: 7, want"},
        {"{\"federated\":{\"rules\":{\"include\":[\"a\\u0007\"]}}}",
         "include[0]: control character"},
        {"{\"federated\":{\"rules\":{\"unknown\":\"unset\"}}}",
         "federated.rules.unknown: \"unset\", wanted one of exclude, allow"},
        {"{\"federated\":{\"rules\":{\"allow_cpu\":1}}}", "allow_cpu: 1, wanted true or false"},
        {"{\"federated\":[]}", "federated: a list, wanted an object (FederatedJob)"},
        {"{\"federated\":{\"rules\":{\"min_os_version\":\"a\\nb\"}}}", "control character 0x0a"},
        {"{\"federated\":{\"a\\u001b[2Jb\":1}}", "federated.a?b: no such key"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *record = NULL;
        struct err err = {ERR_NONE, ""};

        assert_int_equal(
            document_parse(&job_type, rows[i].text, strlen(rows[i].text), &record, &err), -1);
        assert_null(record);
        if (!strstr(err.text, rows[i].why))
            print_error("%s\n  gave %s\n", rows[i].text, err.text);
        assert_non_null(strstr(err.text, rows[i].why));
    }
}

/* A list of that many items. */
static const char *variants(int count, char out[1024])
{
    size_t len = (size_t)snprintf(out, 1024, "{\"variants\":[");

    for (int i = 0; i < count; i++)
        len += (size_t)snprintf(out + len, 1024 - len, "%s{\"format\":\"f16\"}", i ? "," : "");
    snprintf(out + len, 1024 - len, "]}");
    return out;
}

static void a_list_past_its_limit_is_refused(void **state)
{
    char text[1024];
    void *record = NULL;
    struct err err;

    (void)state;
    variants(17, text);
    assert_int_equal(document_parse(&model_spec_type, text, strlen(text), &record, &err), -1);
    assert_string_equal(err.text, "variants: 17 items, wanted at most 16");
    variants(16, text);
    assert_int_equal(document_parse(&model_spec_type, text, strlen(text), &record, &err), 0);
    assert_int_equal(((struct model_spec *)record)->variants_count, 16);
    record_free(&model_spec_type, record);
}

static void no_value_at_all(void **state)
{
    void *record = NULL;
    struct err err;

    (void)state;
    assert_int_equal(document_read(&job_type, NULL, &record, &err), -1);
    assert_string_equal(err.text, "Job: nothing, wanted an object");
    assert_int_equal(document_parse(&job_type, "", 0, &record, NULL), -1);
}

static void a_document_survives_lost_memory(void **state)
{
    int rc, nth = 0;
    void *record = NULL;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        rc = document_parse(&job_type, example, strlen(example), &record, NULL);
        assert_true((rc == 0) == (record != NULL));
    } while (rc < 0 && nth < 2000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 1999);
    job_free(record);
}

static void every_cut_and_flip_is_survived(void **state)
{
    size_t len = strlen(example), accepted = 0;
    char text[sizeof example];

    (void)state;
    memcpy(text, example, sizeof example);
    for (size_t cut = 0; cut < len; cut++) {
        void *record = NULL;

        assert_int_equal(document_parse(&job_type, text, cut, &record, NULL), -1);
    }
    for (size_t bit = 0; bit < len * 8; bit++) {
        void *record = NULL;

        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        if (document_parse(&job_type, text, len, &record, NULL) == 0) {
            assert_int_equal(record_check(&job_type, record, NULL), 0);
            accepted++;
        }
        job_free(record);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    assert_in_range(accepted, 1, len * 8 - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_becomes_a_record),
        cmocka_unit_test(a_record_is_written_and_read_back),
        cmocka_unit_test(what_is_wrong_is_refused_by_path),
        cmocka_unit_test(paths_lead_through_records_and_lists),
        cmocka_unit_test(a_list_past_its_limit_is_refused),
        cmocka_unit_test(no_value_at_all),
        cmocka_unit_test(a_document_survives_lost_memory),
        cmocka_unit_test(every_cut_and_flip_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
