/* test_show.c - what people see: sample answers of a coordinator against golden pages.
 *
 * Samples are the .json of tests/data/golden/cli, pages the .txt beside them. After a wanted change
 * write the pages anew with ESPALIER_GOLDEN=write and look at the difference. */
#include "fake_coordinator.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "coordinator/cli/cli.h"
#include "coordinator/cli/deliveries.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/show.h"
#include "coordinator/cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_golden(struct page *p, const char *name)
{
    const char *mode = getenv("ESPALIER_GOLDEN");
    struct err err = {0};
    char *path = file_path(&err, "%s/golden/cli/%s.txt", ESPALIER_TEST_DATA, name), *wanted = NULL;

    assert_false(p->text.failed);
    if (mode && strcmp(mode, "write") == 0)
        assert_int_equal(file_write_atomic(path, 0644, p->text.data, p->text.len, &err), 0);
    if (file_read(path, JSON_TEXT_MAX, &wanted, NULL, &err) < 0)
        print_error("%s: %s; ESPALIER_GOLDEN=write makes it\n", name, err.text);
    assert_non_null(wanted);
    if (strcmp(p->text.data, wanted) != 0)
        print_error("%s differs\n", name);
    assert_string_equal(p->text.data, wanted);
    mem_free(wanted);
    mem_free(path);
    page_clear(p);
}

/* No line is wider than the page, and none ends in a blank. */
static void assert_fits(const struct page *p)
{
    const char *line = p->text.data;

    while (line && *line) {
        size_t len = strcspn(line, "\n");
        char *copy = mem_strndup(line, len);

        if (format_columns(copy) > p->width)
            print_error("%zu columns: %s\n", format_columns(copy), copy);
        assert_true(format_columns(copy) <= p->width);
        assert_true(len == 0 || line[len - 1] != ' ');
        mem_free(copy);
        line += len + 1;
    }
}

static const size_t widths[] = {80, 120, 200};

static void the_fleet(void **state)
{
    struct devices_reply *reply = fake_record(&devices_reply_type, "devices.json");
    char name[32];

    (void)state;
    for (size_t w = 0; w < 3; w++) {
        struct table *t = show_devices_table();
        struct page p;

        page_init(&p, widths[w], false);
        for (size_t i = 0; i < reply->devices_count; i++)
            show_devices_row(t, &reply->devices[i]);
        table_print(t, &p);
        show_hidden(&p, t);
        assert_fits(&p);
        snprintf(name, sizeof name, "devices.%zu", widths[w]);
        assert_golden(&p, name);
        table_free(t);
    }
    devices_reply_free(reply);
}

static void one_device(void **state)
{
    struct devices_reply *reply = fake_record(&devices_reply_type, "devices.json");
    struct page p;

    (void)state;
    page_init(&p, 100, false);
    show_device(&p, &reply->devices[1]);
    assert_fits(&p);
    assert_non_null(strstr(p.text.data, "no such Mac was seen"));
    assert_non_null(strstr(p.text.data, "synthetic"));
    assert_golden(&p, "device.100");
    show_device(&p, &reply->devices[3]); /* a Linux machine that never sent a state */
    assert_non_null(strstr(p.text.data, "No state yet"));
    assert_golden(&p, "device-linux.100");
    devices_reply_free(reply);
}

static void plans_at_three_widths(void **state)
{
    static const char *const samples[] = {"plan-federated", "plan-pipeline"};
    char name[64];

    (void)state;
    for (size_t s = 0; s < 2; s++) {
        struct plan_reply *reply;

        snprintf(name, sizeof name, "%s.json", samples[s]);
        reply = fake_record(&plan_reply_type, name);
        for (size_t w = 0; w < 3; w++) {
            struct page p;

            page_init(&p, widths[w], false);
            show_plan(&p, reply, false);
            assert_fits(&p);
            snprintf(name, sizeof name, "%s.%zu", samples[s], widths[w]);
            assert_golden(&p, name);
        }
        plan_reply_free(reply);
    }
}

static void one_client_and_why(void **state)
{
    struct plan_reply *reply = fake_record(&plan_reply_type, "plan-federated.json");
    const struct assignment *in = show_assignment(reply->plan, "d1b9m3e6t0zv5hyaf");
    const struct assignment *out = show_assignment(reply->plan, "d9zz0k3n5bq7xw2ya");
    struct page p;

    (void)state;
    assert_non_null(in);
    assert_non_null(out);
    assert_null(show_assignment(reply->plan, "d"));
    assert_null(show_assignment(reply->plan, NULL));
    page_init(&p, 120, false);
    show_client(&p, reply, in);
    assert_fits(&p);
    assert_golden(&p, "client.120");
    show_why(&p, reply->plan, in);
    assert_golden(&p, "why.120");
    show_why(&p, reply->plan, out);
    assert_non_null(strstr(p.text.data, "rules.allow_cpu"));
    assert_golden(&p, "why-left-out.120");
    plan_reply_free(reply);
    reply = fake_record(&plan_reply_type, "plan-pipeline.json");
    show_client(&p, reply, &reply->plan->assignments[0]);
    assert_golden(&p, "client-pipeline.120");
    plan_reply_free(reply);
}

static void proposals(void **state)
{
    struct plan_reply *reply = fake_record(&plan_reply_type, "plan-federated.json");
    struct page p;

    (void)state;
    page_init(&p, 160, false);
    show_proposal(&p, reply->plan);
    assert_fits(&p);
    assert_non_null(strstr(p.text.data, "tiny-model: 1 call, 2,114 prompt"));
    assert_golden(&p, "proposal.160");
    proposal_free(reply->plan->proposal);
    reply->plan->proposal = NULL;
    show_proposal(&p, reply->plan);
    assert_non_null(strstr(p.text.data, "No answer of an engine is kept"));
    page_clear(&p);
    plan_reply_free(reply);
}

/* Whatever is absent is "?" or left out: no field of a plan is taken for granted. */
static void a_plan_of_which_little_is_known(void **state)
{
    struct plan_reply *reply = plan_reply_new(NULL);
    struct assignment *a;
    struct page p;

    (void)state;
    reply->plan = plan_new(NULL);
    page_init(&p, 80, false);
    show_plan(&p, reply, false);
    show_proposal(&p, reply->plan);
    assert_non_null(strstr(p.text.data, "No client."));
    page_clear(&p);
    reply->plan->federated = federated_plan_new(NULL);
    reply->plan->forecast = forecast_new(NULL);
    reply->plan->forecast->clients = 2500;
    a = records_add(&assignment_type, &reply->plan->assignments, &reply->plan->assignments_count,
                    NULL);
    text_set(&a->device_id, "d1", NULL);
    show_client(&p, reply, a);
    show_why(&p, reply->plan, a);
    show_plan(&p, reply, true);
    assert_fits(&p);
    assert_false(p.text.failed);
    page_clear(&p);
    record_clear(&assignment_type, a);
    reply->plan->assignments_count = 0;
    show_plan(&p, reply, false);
    assert_non_null(strstr(p.text.data, "2,500 clients: too many for this answer"));
    page_clear(&p);
    reply->plan->pipeline = pipeline_plan_new(NULL);
    reply->plan->kind = PLAN_KIND_PIPELINE;
    show_plan(&p, reply, false);
    show_proposal(&p, reply->plan);
    assert_fits(&p);
    page_clear(&p);
    plan_reply_free(reply);
}

static void deliveries_are_counted(void **state)
{
    struct plan_reply *sample = fake_record(&plan_reply_type, "plan-federated.json");
    struct deliveries_reply reply = {.deliveries = sample->deliveries,
                                     .deliveries_count = sample->deliveries_count};
    char text[TALLY_TEXT_MAX];
    struct tally t;
    struct page p;

    (void)state;
    tally_count(&reply, &t);
    assert_int_equal(t.total, 3);
    assert_int_equal(t.open, 0);
    assert_int_equal(t.running, 1);
    assert_int_equal(t.lost, 1);
    assert_string_equal(tally_text(&t, text), "3 clients: 1 running, 1 applied, 1 failed");
    page_init(&p, 100, false);
    show_deliveries(&p, &reply);
    assert_non_null(strstr(p.text.data, "failed (3)"));
    assert_non_null(strstr(p.text.data, "no such model folder"));
    assert_null(strstr(p.text.data, "studio")); /* it has its assignment */
    page_clear(&p);
    sample->deliveries[0].state = DELIVERY_STATE_PENDING;
    sample->deliveries[1].state = 99; /* of a newer coordinator: not known to have ended */
    tally_count(&reply, &t);
    assert_int_equal(t.open, 2);
    plan_reply_free(sample);
}

static void show_all_of(struct page *p, const struct plan_reply *reply)
{
    show_plan(p, reply, false);
    show_proposal(p, reply->plan);
    show_client(p, reply, &reply->plan->assignments[0]);
    show_why(p, reply->plan, &reply->plan->assignments[0]);
}

/* Whichever allocation fails, the page knows that it is not whole. */
static void lost_memory_is_noticed(void **state)
{
    static const char *const samples[] = {"plan-federated.json", "plan-pipeline.json"};

    (void)state;
    for (size_t s = 0; s < 2; s++) {
        struct plan_reply *reply = fake_record(&plan_reply_type, samples[s]);
        struct page whole, p;
        unsigned nth = 0;
        bool failed;

        page_init(&whole, 120, false);
        show_all_of(&whole, reply);
        do {
            page_init(&p, 120, false);
            mem_fail_at(++nth);
            show_all_of(&p, reply);
            mem_fail_at(0);
            failed = p.text.failed;
            if (!failed)
                assert_string_equal(p.text.data, whole.text.data);
            page_clear(&p);
        } while (failed && nth < 100000);
        assert_in_range(nth, 100, 99999);
        page_clear(&whole);
        plan_reply_free(reply);
    }
}

/* Each command has its page of help, and the overview names them all. */
static void help_comes_from_the_table(void **state)
{
    struct page p;

    (void)state;
    page_init(&p, 100, false);
    help_overview(&p);
    assert_fits(&p);
    for (size_t i = 0; i < commands_count; i++)
        assert_non_null(strstr(p.text.data, commands[i].words));
    assert_golden(&p, "help.100");
    for (size_t i = 0; i < commands_count; i++) {
        help_command(&p, &commands[i]);
        assert_fits(&p);
        assert_non_null(strstr(p.text.data, commands[i].summary));
        page_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fleet),
        cmocka_unit_test(one_device),
        cmocka_unit_test(plans_at_three_widths),
        cmocka_unit_test(one_client_and_why),
        cmocka_unit_test(proposals),
        cmocka_unit_test(a_plan_of_which_little_is_known),
        cmocka_unit_test(deliveries_are_counted),
        cmocka_unit_test(lost_memory_is_noticed),
        cmocka_unit_test(help_comes_from_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
