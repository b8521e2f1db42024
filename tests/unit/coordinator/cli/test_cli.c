/* test_cli.c - whole commands against a coordinator that answers, refuses, lies or is not there. */
#include "cli_lab.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "coordinator/cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static const char federated_job[] =
    "{\"format_version\": 1, \"job_id\": \"clinic-notes\", \"federated\": {\"model\": "
    "{\"config\": \"config.json\", \"variants\": [{\"format\": \"bf16\", \"path\": "
    "\"m\"}]},\"tuning\": {\"method\": \"lora\", \"rank\": 8, \"sequence_length\": "
    "512},\"round\": {\"deadline_seconds\": 900}}}";

static const char pipeline_job[] =
    "{\"format_version\": 1, \"job_id\": \"nightly\", \"pipeline\": {\"stages\": [{\"name\": "
    "\"load\", \"kind\": \"data_loading\", \"fixed_seconds\": 5}]}}";

static const char config[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": 128, "
    "\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"vocab_size\": 256}";

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

/* What the fake's thread reads may be changed by the next test. */
static int stop_fake(void **state)
{
    struct lab *lab = *state;

    fake_clear(&lab->fake);
    return 0;
}

#define assert_says(text, part)                             \
    do {                                                    \
        if (!strstr(text, part))                            \
            print_error("no \"%s\" in:\n%s\n", part, text); \
        assert_non_null(strstr(text, part));                \
    } while (0)

/* Afterwards the requests may be looked at. */
static const struct request *last_request(struct lab *lab)
{
    fake_stop(&lab->fake);
    assert_true(lab->fake.count > 0);
    return lab->fake.requests[lab->fake.count - 1];
}

/* stdout is one JSON document, and reads back as the record. */
static void *json_record(struct lab *lab, const struct record_type *type)
{
    struct err err = {0};
    void *record = NULL;

    if (document_parse(type, lab->out, strlen(lab->out), &record, &err) < 0)
        print_error("%s\n%s\n", err.text, lab->out);
    assert_non_null(record);
    return record;
}

/* ---- every command, as it should go ---- */

static void status_and_version(void **state)
{
    struct lab *lab = *state;
    struct status_reply *s;
    const struct request *r;

    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "status", NULL), CLI_OK);
    assert_says(lab->out, "11 online, 1 late, 1 offline; 12 classes");
    assert_says(lab->out, "none: plans are analytic");
    assert_string_equal(lab->err, "");
    assert_int_equal(lab_run(lab, "--json", "status", NULL), CLI_OK);
    s = json_record(lab, &status_reply_type);
    assert_true(record_equal(&status_reply_type, s, lab->samples.status));
    status_reply_free(s);
    r = last_request(lab);
    assert_int_equal(r->protocol_version, 1);
    assert_true(strlen(r->request_id) > 20);
    assert_string_not_equal(r->request_id, lab->fake.requests[0]->request_id);
    assert_int_equal(r->progress, TRI_UNKNOWN); /* nobody would see it */
    assert_int_equal(lab_run(lab, "version", NULL), CLI_OK);
    assert_int_equal(strncmp(lab->out, "espalier ", 9), 0);
    assert_int_equal(lab_run(lab, "--version", NULL), CLI_OK);
}

static void devices_page_by_page(void **state)
{
    struct lab *lab = *state;
    struct devices_reply *all;

    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "devices", NULL), CLI_OK);
    assert_says(lab->out, "composed*");
    assert_says(lab->out, "devil00000000000");
    assert_says(lab->out,
                "5 devices: 3 online, 1 late, 1 offline; * its state is made up (synthetic)");
    assert_ptr_equal(strstr(strstr(lab->out, "thermal") ? lab->out : "", "working set"),
                     strstr(lab->out, "working set")); /* one header */
    assert_int_equal(lab_run(lab, "devices", "--json", NULL), CLI_OK);
    all = json_record(lab, &devices_reply_type);
    assert_true(record_equal(&devices_reply_type, all, lab->samples.devices));
    devices_reply_free(all);
    fake_stop(&lab->fake);
    assert_int_equal(lab->fake.count, 6); /* three pages each */
    assert_string_equal(lab->fake.requests[1]->devices->after, "d1b9m3e6t0zv5hyaf");
}

static void one_device_by_id_prefix_or_name(void **state)
{
    static const char *const words[] = {"d1b9m3e6t0zv5hyaf", "d1b", "m1-8gb"};
    struct lab *lab = *state;

    lab_answer(lab, FAKE_ANSWERS);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lab_run(lab, "devices", words[i], NULL), CLI_OK);
        assert_says(lab->out, "Device d1b9m3e6t0zv5hyaf");
        assert_says(lab->out, "the recording has no ioreg output");
    }
    assert_int_equal(lab_run(lab, "devices", "d", NULL), CLI_OK); /* several: the list */
    assert_says(lab->out, "5 devices");
    assert_int_equal(lab_run(lab, "devices", "x", NULL), CLI_REFUSED);
    assert_says(lab->err, "not_found: devices.device_id: nothing starts with that");
    assert_int_equal(lab_run(lab, "devices", "x", "--json", NULL), CLI_REFUSED);
    assert_says(lab->out, "\"code\": \"not_found\"");
}

static void keys_are_let_in_and_out(void **state)
{
    struct lab *lab = *state;

    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(
        lab_run(lab, "devices", "allow", KEY, "--tool", "operator", "--name", "Ada", NULL), CLI_OK);
    assert_says(lab->out, "let in");
    assert_int_equal(lab_run(lab, "devices", "allow", KEY, NULL), CLI_OK);
    assert_int_equal(lab_run(lab, "devices", "allow", "nokey", NULL), CLI_USAGE);
    assert_int_equal(lab_run(lab, "devices", "forget", "d1b", NULL), CLI_OK);
    assert_int_equal(lab_run(lab, "devices", "keys", NULL), CLI_OK);
    assert_says(lab->out, KEY "  agent  -");
    assert_int_equal(lab_run(lab, "devices", "keys", "--json", NULL), CLI_OK);
    keys_reply_free(json_record(lab, &keys_reply_type));
    fake_stop(&lab->fake);
    assert_int_equal(lab->fake.count, 5);
    assert_int_equal(lab->fake.requests[0]->key_allow->kind, KEY_KIND_TOOL);
    assert_int_equal(lab->fake.requests[0]->key_allow->role, ROLE_OPERATOR);
    assert_string_equal(lab->fake.requests[0]->key_allow->name, "Ada");
    assert_int_equal(lab->fake.requests[1]->key_allow->kind, KEY_KIND_AGENT);
    assert_int_equal(lab->fake.requests[1]->key_allow->role, ROLE_UNSET);
    assert_string_equal(lab->fake.requests[2]->key_forget->id, "d1b");
}

static void a_job_becomes_a_plan(void **state)
{
    struct lab *lab = *state;
    const struct request *r;
    struct plan_reply *reply;
    const char *job;

    lab_answer(lab, FAKE_ANSWERS);
    lab_file(lab, "config.json", config);
    job = lab_file(lab, "job.json", federated_job);
    assert_int_equal(lab_run(lab, "plan", "federated", job, "--engine", "lm", NULL), CLI_OK);
    assert_says(lab->out, "Plan p3f2a9c01d8, job clinic-notes, active");
    assert_says(lab->out, "one configuration for all");
    assert_says(lab->out, "delivery"); /* asked for after the plan was made */
    assert_int_equal(lab_run(lab, "plan", "federated", job, "--dry-run", "--json", NULL), CLI_OK);
    reply = json_record(lab, &plan_reply_type);
    assert_int_equal(reply->plan->state, PLAN_STATE_DRY_RUN);
    assert_int_equal(reply->deliveries_count, 0);
    plan_reply_free(reply);
    r = last_request(lab);
    assert_int_equal(lab->fake.count, 3); /* plan, deliveries; dry run alone */
    assert_int_equal(r->plan->dry_run, TRI_TRUE);
    assert_int_equal(r->plan->engine, ENGINE_KIND_UNSET);
    assert_int_equal(lab->fake.requests[0]->plan->engine, ENGINE_KIND_LM);
    assert_string_equal(r->plan->job->federated->model->config_json, config); /* content, no path */
}

static void a_pipeline_becomes_a_plan(void **state)
{
    struct lab *lab = *state;
    const char *job = lab_file(lab, "job.json", pipeline_job);

    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "plan", "pipeline", job, "--dry-run", NULL), CLI_OK);
    assert_says(lab->out, "no placement can be shorter than 38 min 30 s");
    assert_int_equal(lab_run(lab, "plan", "federated", job, NULL), CLI_USAGE);
    assert_says(lab->err, "job nightly is a pipeline job; use espalier plan pipeline");
}

static void jobs_that_cannot_be_read(void **state)
{
    struct lab *lab = *state;
    const char *job;

    assert_int_equal(lab_run(lab, "plan", "federated", "/no/such.json", NULL), CLI_USAGE);
    assert_says(lab->err, "/no/such.json");
    job = lab_file(lab, "job.json", "{\"format_version\": 1, \"jobid\": \"x\"}");
    assert_int_equal(lab_run(lab, "plan", "federated", job, NULL), CLI_USAGE);
    assert_says(lab->err, "jobid");
    job = lab_file(lab, "lonely.json", federated_job); /* its config is not beside it */
    assert_int_equal(remove(lab_file(lab, "config.json", "x")), 0);
    assert_int_equal(
        lab_run(lab, "plan", "federated", lab_file(lab, "lonely.json", federated_job), NULL),
        CLI_USAGE);
    (void)job;
    assert_says(lab->err, "federated.model.config");
    assert_int_equal(lab_run(lab, "plan", "federated", "x", "--wait", "--dry-run", NULL),
                     CLI_USAGE);
    assert_says(lab->err, "a dry run delivers nothing");
}

static void waiting_for_deliveries(void **state)
{
    struct lab *lab = *state;
    const char *job = lab_file(lab, "job.json", pipeline_job);
    struct plan_reply *reply;
    const struct request *r;

    /* The pipeline sample is a dry run: give it the id of a plan that is delivered. */
    text_set(&lab->samples.pipeline->plan->plan_id, "p3f2a9c01d8", NULL);
    lab->samples.pipeline->plan->state = PLAN_STATE_ACTIVE;
    lab->open = 2;
    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "plan", "pipeline", job, "--wait", NULL), CLI_OK);
    assert_says(lab->out, "3 clients: 1 done, 2 applied");
    assert_says(lab->err, "3 clients: 1 done, 1 applied, 1 sent"); /* a line when it changed */
    r = last_request(lab);
    assert_int_equal(lab->fake.count, 4); /* the plan, then three questions */
    assert_int_equal(r->deliveries->revision, 2);
    assert_true(r->deliveries->wait_ms > 0);
    lab->lost = true; /* the fake was stopped: its thread reads this */
    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "plan", "pipeline", job, "--wait", "--json", NULL),
                     CLI_UNDELIVERED);
    reply = json_record(lab, &plan_reply_type);
    assert_int_equal(reply->deliveries_count, 3);
    plan_reply_free(reply);
    fake_clear(&lab->fake);
    lab->open = 1000000;
    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "plan", "pipeline", job, "--wait", "--timeout", "300ms", NULL),
                     CLI_UNFINISHED);
    assert_says(lab->out, "failed (3)");
    fake_clear(&lab->fake);
    lab->open = 0;
    lab->lost = false;
}

static void watching_and_cancelling(void **state)
{
    struct lab *lab = *state;

    lab->open = 1;
    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "plan", "watch", "p3f2a9c01d8", NULL), CLI_OK);
    assert_says(lab->err, "1 sent");
    assert_int_equal(lab_run(lab, "plan", "watch", "p3f2a9c01d8", "--json", NULL), CLI_OK);
    deliveries_reply_free(json_record(lab, &deliveries_reply_type));
    assert_int_equal(lab_run(lab, "plan", "cancel", "p3f", "--reason", "wrong data", NULL), CLI_OK);
    assert_says(lab->out, "plan p3f: cancelled");
    assert_string_equal(last_request(lab)->plan_cancel->reason, "wrong data");
    lab->open = 0;
}

static void plans_and_their_parts(void **state)
{
    struct lab *lab = *state;

    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "plans", NULL), CLI_OK);
    assert_says(lab->out, "p0000000001");
    assert_int_equal(lab_run(lab, "plans", "--json", NULL), CLI_OK);
    plans_reply_free(json_record(lab, &plans_reply_type));
    assert_int_equal(lab_run(lab, "plan", "show", "p3f", NULL), CLI_OK);
    assert_says(lab->out, "failed (3)");
    assert_says(lab->out, "2.346"); /* what was measured */
    assert_int_equal(lab_run(lab, "plan", "show", "p3f", "--client", "m1-8gb", NULL), CLI_OK);
    assert_says(lab->out, "grad_accumulation            8 micro-steps");
    assert_int_equal(lab_run(lab, "plan", "show", "p3f", "--proposal", NULL), CLI_OK);
    assert_says(lab->out, "The answer as it came");
    assert_int_equal(lab_run(lab, "plan", "why", "p3f", "build-host", NULL), CLI_OK);
    assert_says(lab->out, "rules.allow_cpu");
    assert_int_equal(lab_run(lab, "plan", "why", "p3f", "nobody", NULL), CLI_REFUSED);
    assert_says(lab->err, "plan p3f2a9c01d8 has no client nobody");
    assert_int_equal(lab_run(lab, "plan", "why", "p3f", "d", NULL), CLI_REFUSED);
    assert_says(lab->err, "give the id");
    assert_int_equal(lab_run(lab, "plan", "why", "p3f", "m1-8gb", "--json", NULL), CLI_OK);
    assert_string_equal(last_request(lab)->plan_get->device_id, "d1b9m3e6t0zv5hyaf");
    plan_reply_free(json_record(lab, &plan_reply_type));
}

static void help_for_everything(void **state)
{
    struct lab *lab = *state;

    assert_int_equal(lab_run(lab, NULL), CLI_USAGE);
    assert_says(lab->out, "usage: espalier COMMAND");
    assert_int_equal(lab_run(lab, "--help", NULL), CLI_OK);
    assert_says(lab->out, "Exit codes");
    assert_int_equal(lab_run(lab, "help", "job", NULL), CLI_OK);
    assert_says(lab->out, "sequence_length_min");
    assert_int_equal(lab_run(lab, "help", "pipeline", NULL), CLI_OK);
    assert_says(lab->out, "makespan_seconds");
    assert_int_equal(lab_run(lab, "help", "plan", NULL), CLI_OK);
    assert_says(lab->out, "plan cancel ID");
    assert_int_equal(lab_run(lab, "help", "plan", "why", NULL), CLI_OK);
    assert_says(lab->out, "usage: espalier plan why ID DEVICE");
    assert_int_equal(lab_run(lab, "plan", "show", "--help", NULL), CLI_OK);
    assert_says(lab->out, "--proposal");
    assert_int_equal(lab_run(lab, "help", "nothing", NULL), CLI_USAGE);
    assert_int_equal(lab_run(lab, "help", "plan", "nothing", NULL), CLI_USAGE);
}

static void the_own_key_is_made_once(void **state)
{
    struct lab *lab = *state;
    char first[64];

    assert_int_equal(lab_run(lab, "key", NULL), CLI_OK);
    assert_int_equal(strlen(lab->out), 41);
    snprintf(first, sizeof first, "%.40s", lab->out);
    assert_int_equal(lab_run(lab, "key", "--json", NULL), CLI_OK);
    assert_says(lab->out, "tool.keys");
    assert_int_equal(lab_run(lab, "key", "--key", "/dev/null/x", NULL), CLI_USAGE);
    assert_int_equal(lab_run(lab, "key", NULL), CLI_OK);
    assert_int_equal(strncmp(lab->out, first, 40), 0);
}

/* ---- as it should not ---- */

static void wrong_usage(void **state)
{
    struct lab *lab = *state;

    assert_int_equal(lab_run(lab, "plan", NULL), CLI_USAGE);
    assert_says(lab->err, "plan: no such command");
    assert_int_equal(lab_run(lab, "plan", "shew", NULL), CLI_USAGE);
    assert_int_equal(lab_run(lab, "plan", "show", NULL), CLI_USAGE);
    assert_says(lab->err, "wanted espalier plan show ID");
    assert_int_equal(lab_run(lab, "status", "now", NULL), CLI_USAGE);
    assert_int_equal(lab_run(lab, "status", "--wait", NULL), CLI_USAGE);
    assert_says(lab->err, "espalier status takes no --wait");
    assert_int_equal(lab_run(lab, "--foo", NULL), CLI_USAGE);
    assert_string_equal(lab->out, "");
}

static void no_coordinator(void **state)
{
    struct lab *lab = *state;

    fake_clear(&lab->fake);
    assert_int_equal(lab_run(lab, "status", NULL), CLI_UNREACHED);
    assert_says(lab->err, "start espalier-coordinator");
    assert_int_equal(lab_run(lab, "plan", "why", "p", "d", NULL), CLI_UNREACHED);
    assert_int_equal(lab_run(lab, "devices", "--socket", "/nowhere/s", NULL), CLI_UNREACHED);
    assert_says(lab->err, "no coordinator at /nowhere/s");
    assert_int_equal(lab_run(lab, "status", "--coordinator", "tcp://127.0.0.1:1", "--server-key",
                             KEY, "--timeout", "300ms", NULL),
                     CLI_UNREACHED);
    assert_says(lab->err, "no connection to tcp://127.0.0.1:1");
    assert_int_equal(lab_run(lab, "status", "--coordinator", "h", NULL), CLI_USAGE);
    assert_int_equal(lab_run(lab, "plan", "watch", "p", "--timeout", "100ms", NULL), CLI_UNREACHED);
}

static void answers_that_are_none(void **state)
{
    static const struct {
        enum fake_manner manner;
        int rc;
        const char *timeout; /* short where only time ends the wait */
        const char *says;
    } rows[] = {
        {FAKE_SILENT, CLI_UNREACHED, "300ms", "no answer from ipc://"},
        {FAKE_OTHER_ID, CLI_UNREACHED, "2s", "(1 to other requests)"},
        {FAKE_GARBAGE, CLI_UNREACHED, "30s", "cannot be read"},
        {FAKE_TRUNCATED, CLI_UNREACHED, "30s", "cannot be read"},
        {FAKE_EMPTY, CLI_UNREACHED, "30s", "holds nothing that was asked for"},
        {FAKE_NO_ID, CLI_REFUSED, "30s", "malformed: the request does not decode"},
        {FAKE_BUSY, CLI_REFUSED, "2s", "busy: too many requests at once"},
        {FAKE_BUSY_ONCE, CLI_OK, "30s", ""},
        {FAKE_OTHER_ID_FIRST, CLI_OK, "30s", ""},
    };
    struct lab *lab = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lab_answer(lab, rows[i].manner);
        lab_run(lab, "status", "--timeout", rows[i].timeout, NULL);
        if (lab->rc != rows[i].rc)
            print_error("row %zu: %d, %s\n", i, lab->rc, lab->err);
        assert_int_equal(lab->rc, rows[i].rc);
        assert_says(lab->err, rows[i].says);
    }
    /* A busy coordinator was asked again under the same id: it does nothing twice. */
    lab_answer(lab, FAKE_BUSY_ONCE);
    assert_int_equal(lab_run(lab, "status", NULL), CLI_OK);
    last_request(lab);
    assert_int_equal(lab->fake.count, 2);
    assert_string_equal(lab->fake.requests[0]->request_id, lab->fake.requests[1]->request_id);
}

/* A plan that was made is shown, whatever becomes of the question after its deliveries. */
static void a_lost_answer_while_watching(void **state)
{
    struct lab *lab = *state;

    lab_answer(lab, FAKE_EMPTY);
    assert_int_equal(lab_run(lab, "plan", "watch", "p", "--timeout", "200ms", NULL), CLI_UNREACHED);
    assert_says(lab->err, "holds no deliveries");
    assert_string_equal(lab->out, "");
    lab_answer(lab, FAKE_NO_ID);
    assert_int_equal(lab_run(lab, "plan", "watch", "p", "--timeout", "5s", NULL), CLI_REFUSED);
    assert_says(lab->err, "the request does not decode");
}

/* Nothing of ours is sent that the protocol does not allow. */
static void words_longer_than_the_protocol_allows(void **state)
{
    struct lab *lab = *state;
    char word[66];

    memset(word, 'd', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "devices", word, NULL), CLI_USAGE);
    assert_says(lab->err, "devices.device_id");
    assert_int_equal(lab_run(lab, "plan", "why", "p", word, NULL), CLI_USAGE);
}

#define TEST(name) cmocka_unit_test_teardown(name, stop_fake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_and_version),
        TEST(devices_page_by_page),
        TEST(one_device_by_id_prefix_or_name),
        TEST(keys_are_let_in_and_out),
        TEST(a_job_becomes_a_plan),
        TEST(a_pipeline_becomes_a_plan),
        TEST(jobs_that_cannot_be_read),
        TEST(waiting_for_deliveries),
        TEST(watching_and_cancelling),
        TEST(plans_and_their_parts),
        TEST(help_for_everything),
        TEST(the_own_key_is_made_once),
        TEST(wrong_usage),
        TEST(no_coordinator),
        TEST(answers_that_are_none),
        TEST(a_lost_answer_while_watching),
        TEST(words_longer_than_the_protocol_allows),
    };

    return cmocka_run_group_tests(tests, make_lab, clear_lab);
}
