/* test_probe_print.c - what `espalier-agent probe` prints of any machine. */
#include "agent/probe_print.h"
#include "agent/probe/probe.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/device.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MACHINES ESPALIER_TEST_DATA "/machines"

struct shown {
    struct profile *p;
    struct state *s;
    char *table, *json;
};

/* fail_msg, in a way that the analyzer knows not to return. */
static _Noreturn void abort_with(const char *path, const struct err *err)
{
    fail_msg("%s: %s", path, err->text);
    abort();
}

static void show(const char *path, struct shown *out)
{
    struct probe_options options = {.replay_path = path};
    struct err err = {ERR_NONE, ""};
    struct probe *probe = probe_open(&options, &err);

    *out = (struct shown){0};
    if (!probe || probe_profile(probe, 0, &out->p, &err) < 0 ||
        probe_state(probe, 0, &out->s, &err) < 0 ||
        !(out->table = probe_print_table(out->p, out->s, &err)) ||
        !(out->json = probe_print_json(out->p, out->s, &err)))
        abort_with(path, &err);
    probe_free(probe);
}

static void shown_clear(struct shown *shown)
{
    profile_free(shown->p);
    state_free(shown->s);
    mem_free(shown->table);
    mem_free(shown->json);
}

/* A line of the table that starts with this field. */
static const char *line_of(const char *table, const char *field)
{
    char start[192];

    snprintf(start, sizeof start, "\n  %s ", field);
    return strstr(table, start);
}

static void a_machine_as_a_table_and_as_json(void **state)
{
    const struct json *profile;
    struct shown shown;
    struct json *doc;

    (void)state;
    show(MACHINES "/m2ultra-192gb-1.json", &shown);
    assert_memory_equal(shown.table, "RECORDED", 8);
    assert_non_null(line_of(shown.table, "profile.chip"));
    assert_non_null(strstr(line_of(shown.table, "profile.chip"), "stated"));
    assert_non_null(strstr(shown.table, "206158430208 (206 GB)"));
    assert_non_null(strstr(line_of(shown.table, "profile.gpu_cores"), "unknown"));
    assert_non_null(doc = json_parse(shown.json, strlen(shown.json), NULL));
    profile = json_member(doc, "profile");
    assert_int_equal(json_integer(json_member(profile, "memory_bytes")), 206158430208);
    assert_null(json_member(profile, "gpu_cores"));               /* the unknown is left out, */
    assert_true(json_count(json_member(profile, "unknown")) > 0); /* but for its reason */
    json_free(doc);
    shown_clear(&shown);
}

static void lists_stand_on_one_line(void **state)
{
    struct shown shown;

    (void)state;
    show(MACHINES "/m2-24gb-1.json", &shown);
    assert_non_null(strstr(line_of(shown.table, "profile.cpu_features"),
                           "FEAT_FP16, FEAT_FHM, FEAT_DotProd, FEAT_BF16, FEAT_I8MM"));
    shown_clear(&shown);
}

/* Every fact that is unknown is in the table with a reason, and the JSON reads back to the same. */
static void every_machine_is_shown_whole(void **state)
{
    char **names = NULL;
    size_t count = 0;

    (void)state;
    assert_int_equal(file_list(MACHINES, 1000, &names, &count, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        char *path = file_path(NULL, "%s/%s", MACHINES, names[i]), field[160];
        struct profile *again = NULL;
        struct shown shown;
        struct json *doc;

        if (!strstr(names[i], ".json")) {
            mem_free(path);
            continue;
        }
        show(path, &shown);
        for (size_t k = 0; k < shown.p->unknown_count; k++) {
            snprintf(field, sizeof field, "profile.%s", shown.p->unknown[k].field);
            if (shown.p->metal || !strstr(field, "metal."))
                assert_non_null(line_of(shown.table, field));
        }
        assert_non_null(doc = json_parse(shown.json, strlen(shown.json), NULL));
        assert_int_equal(
            document_read(&profile_type, json_member(doc, "profile"), (void **)&again, NULL), 0);
        assert_true(record_equal(&profile_type, shown.p, again));
        profile_free(again);
        json_free(doc);
        shown_clear(&shown);
        mem_free(path);
    }
    file_list_free(names, count);
}

static void marks_of_origin_are_seen(void **state)
{
    struct profile *p = profile_new(NULL);
    struct state *s = state_new(NULL);
    char *table;

    (void)state;
    p->origin = DEVICE_ORIGIN_COMPOSED;
    s->synthetic = TRI_TRUE;
    s->cpu_load = 0.5;
    assert_non_null(table = probe_print_table(p, s, NULL));
    assert_memory_equal(table, "COMPOSED", 8);
    assert_non_null(strstr(table, "SYNTHETIC"));
    assert_non_null(strstr(line_of(table, "state.cpu_load"), "synthetic"));
    mem_free(table);
    p->origin = DEVICE_ORIGIN_LINUX;
    s->synthetic = TRI_FALSE;
    assert_non_null(table = probe_print_table(p, s, NULL));
    assert_non_null(strstr(table, "not a Mac"));
    mem_free(table);
    profile_free(p);
    state_free(s);
}

static void lost_memory_prints_nothing(void **state)
{
    struct shown shown;
    unsigned nth = 0;
    char *text;

    (void)state;
    show(MACHINES "/m1-8gb-1.json", &shown);
    do {
        mem_fail_at(++nth);
        text = probe_print_json(shown.p, shown.s, NULL);
        mem_fail_at(0);
    } while (!text && nth < 5000);
    assert_in_range(nth, 2, 4999);
    mem_free(text);
    shown_clear(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_as_a_table_and_as_json),
        cmocka_unit_test(lists_stand_on_one_line),
        cmocka_unit_test(every_machine_is_shown_whole),
        cmocka_unit_test(marks_of_origin_are_seen),
        cmocka_unit_test(lost_memory_prints_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
