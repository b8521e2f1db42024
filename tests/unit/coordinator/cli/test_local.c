/* test_local.c - commands that plan by themselves (`plan simulate`, `check`, `diff`): on a
 * coordinator's fleet, on machine files, on made-up Macs.
 */
#include "cli_lab.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "coordinator/cli/cli.h"
#include "coordinator/planner/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char federated_job[] =
    "{\"format_version\": 1, \"job_id\": \"clinic-notes\", \"federated\": {\"model\": "
    "{\"config\": \"config.json\", \"variants\": [{\"format\": \"bf16\", \"path\": "
    "\"m\"}]},\"tuning\": {\"method\": \"lora\", \"rank\": 8, \"sequence_length\": "
    "512},\"round\": {\"deadline_seconds\": 900}}}";

static const char pipeline_job[] =
    "{\"format_version\": 1, \"job_id\": \"nightly\", \"pipeline\": {\"stages\": [{\"name\": "
    "\"load\", \"kind\": \"data_loading\", \"fixed_seconds\": 5, \"output_bytes\": 1000000}, "
    "{\"name\": \"train\", \"kind\": \"training\", \"after\": [\"load\"], \"flop\": 1e15}]}}";

static const char config[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": 128, "
    "\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"vocab_size\": 256}";

static char job_path[192], pipeline_path[192];

static int make_lab(void **state)
{
    static struct lab lab;

    lab_make(&lab);
    lab_file(&lab, "config.json", config);
    snprintf(job_path, sizeof job_path, "%s", lab_file(&lab, "job.json", federated_job));
    snprintf(pipeline_path, sizeof pipeline_path, "%s",
             lab_file(&lab, "pipeline.json", pipeline_job));
    *state = &lab;
    return 0;
}

static int clear_lab(void **state)
{
    lab_clear(*state);
    return 0;
}

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

static struct simulation *simulated(struct lab *lab)
{
    struct err err = {0};
    void *record = NULL;

    if (document_parse(&simulation_type, lab->out, strlen(lab->out), &record, &err) < 0)
        fail_msg("%s in %s", err.text, lab->out);
    return record;
}

static void made_up_macs_need_no_coordinator(void **state)
{
    struct lab *lab = *state;
    struct simulation *s;

    assert_int_equal(
        lab_run(lab, "plan", "simulate", job_path, "--synthetic", "6", "--rounds", "5", NULL),
        CLI_OK);
    assert_says(lab->out, "6 synthetic Macs");
    assert_says(lab->out, "by-hand");
    assert_says(lab->out, "against oort");
    assert_says(lab->out, "are synthetic, seed 1");
    assert_string_equal(lab->err, "");
    assert_int_equal(lab_run(lab, "--json", "plan", "simulate", job_path, "--synthetic", "6",
                             "--seed", "7", "--rounds", "5", "--availability", "always", NULL),
                     CLI_OK);
    s = simulated(lab);
    assert_int_equal(s->policies_count, 4);
    assert_int_equal(s->policies[0].rounds, 5);
    assert_int_equal(s->seed, 7);
    assert_string_equal(s->availability, "always");
    simulation_free(s);
}

static void machine_files_are_a_fleet(void **state)
{
    struct lab *lab = *state;
    char *svg = NULL, plot[192];
    size_t len;

    snprintf(plot, sizeof plot, "%s/rounds.svg", lab->dir);
    assert_int_equal(lab_run(lab, "plan", "simulate", pipeline_path, "--fleet",
                             ESPALIER_TEST_DATA "/machines", "--rounds", "5", "--plot", plot, NULL),
                     CLI_OK);
    assert_says(lab->out, "machine files of ");
    assert_says(lab->out, "round-robin");
    assert_null(strstr(lab->out, "tokens/s"));
    assert_says(lab->out, "The picture is in ");
    assert_int_equal(file_read(plot, 1 << 20, &svg, &len, NULL), 0);
    assert_int_equal(strncmp(svg, "<svg", 4), 0);
    mem_free(svg);
}

/* The coordinator's devices, all pages of them. */
static void the_coordinators_fleet_is_asked_for(void **state)
{
    struct lab *lab = *state;
    struct simulation *s;

    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "--json", "plan", "simulate", job_path, "--rounds", "5", NULL),
                     CLI_OK);
    s = simulated(lab);
    assert_int_equal(s->devices, (int64_t)lab->samples.devices->devices_count);
    assert_says(s->fleet, "devices of the coordinator");
    simulation_free(s);
    fake_stop(&lab->fake);
    assert_true(lab->fake.count > 1);
    assert_non_null(lab->fake.requests[0]->devices);
}

static void what_cannot_be_played(void **state)
{
    static const struct {
        const char *words[3];
        const char *says;
        int rc;
    } rows[] = {
        {{"--synthetic", "0", NULL}, "--synthetic", CLI_USAGE},
        {{"--synthetic", "many", NULL}, "--synthetic", CLI_USAGE},
        {{"--fleet", "/nowhere", NULL}, "/nowhere", CLI_USAGE},
        {{"--fleet", ESPALIER_TEST_DATA, NULL}, "no machine files", CLI_USAGE},
        {{"--fleet", ESPALIER_TEST_DATA "/configs", NULL}, "/configs/", CLI_USAGE},
        {{"--synthetic=3", "--fleet=x", NULL}, "one of them", CLI_USAGE},
        {{"--synthetic=3", "--rounds=0", NULL}, "--rounds", CLI_USAGE},
        {{"--synthetic=3", "--jitter=-1", NULL}, "--jitter", CLI_USAGE},
        {{"--synthetic=3", "--seed=x", NULL}, "--seed", CLI_USAGE},
        {{"--synthetic=3", "--plot=/nowhere/x.svg", NULL}, "--plot", CLI_USAGE},
        {{"--synthetic=3", "--wait", NULL}, "--wait", CLI_USAGE},
    };
    struct lab *lab = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lab_run(lab, "plan", "simulate", job_path, rows[i].words[0], rows[i].words[1], NULL);
        if (lab->rc != rows[i].rc)
            print_error("row %zu: %s", i, lab->err);
        assert_int_equal(lab->rc, rows[i].rc);
        assert_says(lab->err, rows[i].says);
        assert_string_equal(lab->out, "");
    }
    lab_run(lab, "plan", "simulate", "/nowhere.json", "--synthetic", "3", NULL);
    assert_int_equal(lab->rc, CLI_USAGE);
}

static void what_is_infeasible_is_refused(void **state)
{
    static const char greedy[] =
        "{\"format_version\": 1, \"job_id\": \"greedy\", \"pipeline\": {\"stages\": [{\"name\": "
        "\"all\", \"kind\": \"training\", \"flop\": 1e15, \"memory_bytes\": 9000000000000}]}}";
    struct lab *lab = *state;

    lab_run(lab, "plan", "simulate", lab_file(lab, "greedy.json", greedy), "--synthetic", "3",
            NULL);
    assert_int_equal(lab->rc, CLI_REFUSED);
    assert_says(lab->err, "memory_bytes");
}

/* ---- plan check and plan diff ---- */

static void a_proposal_is_checked_and_its_exit_code_tells(void **state)
{
    static const struct {
        const char *proposal, *says;
        int rc;
    } rows[] = {
        {"{}", "The proposal fits", CLI_OK},
        {"{\"pipeline\": {\"pipeline_architecture\": {\"max_devices\": 3}}}", "fits", CLI_OK},
        {"{\"resource_scheduling\": [{\"stage\": \"nope\"}]}", "no such stage", CLI_REPAIRED},
        {"{\"surprise\": 1}", "no such key", CLI_OK},
    };
    struct lab *lab = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lab_run(lab, "plan", "check", pipeline_path, lab_file(lab, "p.json", rows[i].proposal),
                "--synthetic", "4", NULL);
        if (lab->rc != rows[i].rc)
            print_error("row %zu: %d %s%s", i, lab->rc, lab->out, lab->err);
        assert_int_equal(lab->rc, rows[i].rc);
        assert_says(lab->out, rows[i].says);
    }
}

static void what_is_no_proposal_is_refused(void **state)
{
    static const struct {
        const char *proposal, *says;
    } rows[] = {
        {"", "p.json"},
        {"[1]", "p.json"},
        {"{\"federated\": {}}", "the other kind"},
        {"{\"kind\": \"pipeline\", \"assignments\": 3}", "assignments"},
    };
    struct lab *lab = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lab_run(lab, "plan", "check", pipeline_path, lab_file(lab, "p.json", rows[i].proposal),
                "--synthetic", "4", NULL);
        if (lab->rc != CLI_USAGE)
            print_error("row %zu: %d %s%s", i, lab->rc, lab->out, lab->err);
        assert_int_equal(lab->rc, CLI_USAGE);
        assert_says(lab->err, rows[i].says);
    }
}

/* A check's plan is a proposal that fits, and differs from itself in nothing. */
static void a_plan_file_is_a_proposal_and_can_be_compared(void **state)
{
    struct lab *lab = *state;
    char plan[192], other[192];

    lab_run(lab, "--json", "plan", "check", pipeline_path, lab_file(lab, "p.json", "{}"),
            "--synthetic", "4", NULL);
    assert_int_equal(lab->rc, CLI_OK);
    snprintf(plan, sizeof plan, "%s", lab_file(lab, "plan.json", lab->out));
    assert_int_equal(lab_run(lab, "plan", "check", pipeline_path, plan, "--synthetic", "4", NULL),
                     CLI_OK);
    assert_int_equal(lab_run(lab, "plan", "diff", plan, plan, NULL), CLI_OK);
    assert_says(lab->out, "Nothing changed.");
    lab_run(lab, "--json", "plan", "check", pipeline_path, lab_file(lab, "p.json", "{}"),
            "--synthetic", "9", NULL);
    snprintf(other, sizeof other, "%s", lab_file(lab, "other.json", lab->out));
    assert_int_equal(lab_run(lab, "plan", "diff", plan, other, NULL), CLI_OK);
    assert_says(lab->out, "synthetic 5");
    assert_int_equal(lab_run(lab, "--json", "plan", "diff", plan, other, NULL), CLI_OK);
    assert_says(lab->out, "\"changes\"");
    assert_int_equal(lab_run(lab, "plan", "diff", plan, pipeline_path, NULL), CLI_USAGE);
    assert_says(lab->err, "no plan");
}

static void plans_of_the_coordinator_are_compared_by_id(void **state)
{
    struct lab *lab = *state;

    lab_answer(lab, FAKE_ANSWERS);
    assert_int_equal(lab_run(lab, "plan", "diff", "p1", "p1", NULL), CLI_OK);
    assert_says(lab->out, "Nothing changed.");
}

#define TEST(name) cmocka_unit_test_teardown(name, stop_fake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(made_up_macs_need_no_coordinator),
        TEST(machine_files_are_a_fleet),
        TEST(the_coordinators_fleet_is_asked_for),
        TEST(what_cannot_be_played),
        TEST(what_is_infeasible_is_refused),
        TEST(a_proposal_is_checked_and_its_exit_code_tells),
        TEST(what_is_no_proposal_is_refused),
        TEST(a_plan_file_is_a_proposal_and_can_be_compared),
        TEST(plans_of_the_coordinator_are_compared_by_id),
    };

    return cmocka_run_group_tests(tests, make_lab, clear_lab);
}
