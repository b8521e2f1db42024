/* test_composed_machines.c - Macs put together from tables, and the fleet of examples. */
#include "common/recording/recording.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FLEET ESPALIER_TEST_DATA "/../../deploy/examples/fleet"
#define HEAD "{\"id\":\"c1\",\"kind\":\"composed\","

static const char example[] =
    HEAD "\"composed\":{\"chip\":\"Apple M4\",\"memory_bytes\":17179869184,\"working_set_bytes\":"
         "12713120000,\"cpu_levels\":[{\"cores\":4},{\"cores\":6}],\"sources\":{\"chip\":\"t1\","
         "\"memory_bytes\":\"t2\",\"working_set_bytes\":\"t3\",\"cpu_levels\":\"t4\"}},"
         "\"state\":{\"synthetic\":true,\"thermal\":\"nominal\"}}";

static const struct fact_note *fact_of(const struct fact_note *facts, size_t count,
                                       const char *field)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].field, field) == 0)
            return &facts[i];
    return NULL;
}

static void a_composed_machine_shows_its_sources(void **state)
{
    struct profile *p = NULL;
    struct state *s = NULL;
    const struct fact_note *fact;

    (void)state;
    assert_int_equal(recording_read(example, sizeof example - 1, &p, &s, NULL), 0);
    assert_int_equal(p->origin, DEVICE_ORIGIN_COMPOSED);
    assert_string_equal(p->recording_id, "c1");
    assert_string_equal(p->chip, "Apple M4");
    assert_int_equal(p->metal->working_set_bytes, 12713120000);
    assert_int_equal(p->cpu_levels_count, 2);
    fact = fact_of(p->facts, p->facts_count, "metal.working_set_bytes");
    assert_int_equal(fact->source, FACT_SOURCE_COMPOSED);
    assert_string_equal(fact->detail, "t3");
    assert_string_equal(fact_of(p->facts, p->facts_count, "chip")->detail, "t1");
    assert_string_equal(p->os_name, "macOS");
    for (size_t i = 0; i < p->unknown_count; i++)
        assert_string_equal(p->unknown[i].reason, "no table gives it");
    assert_int_equal(s->synthetic, TRI_TRUE);
    assert_int_equal(fact_of(s->facts, s->facts_count, "thermal")->source, FACT_SOURCE_SYNTHETIC);
    profile_free(p);
    state_free(s);
}

static void values_and_sources_go_together(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {HEAD "\"notes\":[]}", "composed: missing"},
        {HEAD "\"composed\":{}}", "composed.sources: missing, wanted an object"},
        {HEAD "\"composed\":{\"sources\":[]}}", "composed.sources: a list"},
        {HEAD "\"composed\":{\"chip\":\"x\",\"sources\":{}}}", "composed.sources.chip: missing"},
        {HEAD "\"composed\":{\"chip\":\"x\",\"sources\":{\"chip\":\"\"}}}",
         "composed.sources.chip: \"\""},
        {HEAD "\"composed\":{\"sources\":{\"chip\":\"t\"}}}",
         "composed.sources.chip: a source without a value"},
        {HEAD "\"composed\":{\"gpu_core\":8,\"sources\":{\"gpu_core\":\"t\"}}}",
         "composed.gpu_core: no such key (did you mean gpu_cores?)"},
        {HEAD "\"composed\":{\"name\":\"x\",\"sources\":{\"name\":\"t\"}}}", "composed.name: no"},
        {HEAD "\"composed\":{\"metal\":{},\"sources\":{\"metal\":\"t\"}}}", "composed.metal: no"},
        {HEAD "\"composed\":{\"gpu_cores\":0,\"sources\":{\"gpu_cores\":\"t\"}}}",
         "composed.gpu_cores: 0, wanted an integer from 1 to 4096"},
        {HEAD "\"composed\":{\"working_set_bytes\":\"5 GB\",\"sources\":"
              "{\"working_set_bytes\":\"t\"}}}",
         "composed.working_set_bytes: \"5 GB\", wanted an integer"},
        {HEAD "\"composed\":{\"sources\":{}},\"sysctl\":{\"hw.ncpu\":8}}",
         "sysctl: a composed machine has nothing read"},
        {HEAD "\"composed\":{\"sources\":{}},\"state\":{\"thermal\":\"fair\"}}",
         "state.synthetic: missing, wanted true"},
        {HEAD "\"composed\":{\"sources\":{}},\"state\":{\"synthetic\":false}}",
         "state.synthetic: false, wanted true"},
        {HEAD "\"composed\":{\"sources\":{}},\"state\":{\"synthetic\":true,\"thermal\":\"hot\"}}",
         "state.thermal: \"hot\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct profile *p = NULL;
        struct state *s = NULL;
        struct err err = {ERR_NONE, ""};

        assert_int_equal(recording_read(rows[i].text, strlen(rows[i].text), &p, &s, &err), -1);
        assert_null(p);
        assert_null(s);
        if (!strstr(err.text, rows[i].why))
            print_error("%s\n  gave %s\n", rows[i].text, err.text);
        assert_non_null(strstr(err.text, rows[i].why));
    }
}

/* What a planner needs of every Mac of the example fleet, and what no table gives may be absent. */
static void check_example(const char *name)
{
    char path[512];
    char *text = NULL;
    struct profile *p = NULL;
    struct state *s = NULL;
    struct err err;
    size_t len;

    snprintf(path, sizeof path, "%s/%s", FLEET, name);
    assert_int_equal(file_read(path, RECORDING_TEXT_MAX, &text, &len, &err), 0);
    if (recording_read(text, len, &p, &s, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    assert_int_equal(p->origin, DEVICE_ORIGIN_COMPOSED);
    assert_int_equal(strncmp(p->recording_id, name, strlen(p->recording_id)), 0);
    assert_non_null(p->chip);
    assert_non_null(p->metal);
    assert_in_range(p->gpu_cores, 7, 80);
    assert_in_range(p->cpu_levels_count, 2, 3);
    assert_true(known_f64(p->memory_bandwidth_bytes_per_s));
    assert_in_range(p->metal->working_set_bytes, 1, p->memory_bytes);
    assert_int_equal(s->synthetic, TRI_TRUE);
    assert_in_range(s->memory_available_bytes, 1, p->memory_bytes);
    assert_true(known_f64(s->up_bps) && known_f64(s->down_bps));
    assert_true((s->has_battery == TRI_TRUE) == known_f64(s->battery_percent));
    for (size_t i = 0; i < p->facts_count; i++)
        if (strcmp(p->facts[i].field, "os_name") != 0)
            assert_int_equal(p->facts[i].source, FACT_SOURCE_COMPOSED);
    for (size_t i = 0; i < s->facts_count; i++)
        assert_int_equal(s->facts[i].source, FACT_SOURCE_SYNTHETIC);
    profile_free(p);
    state_free(s);
    mem_free(text);
}

static void the_example_fleet_loads(void **state)
{
    char **names = NULL;
    size_t count = 0, machines = 0;

    (void)state;
    assert_int_equal(file_list(FLEET, 1000, &names, &count, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(names[i], ".json"))
            continue;
        check_example(names[i]);
        machines++;
    }
    assert_int_equal(machines, 13);
    file_list_free(names, count);
}

static void a_composed_machine_survives_lost_memory(void **state)
{
    struct profile *p = NULL;
    struct state *s = NULL;
    int rc, nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        rc = recording_read(example, sizeof example - 1, &p, &s, NULL);
        assert_true((rc == 0) == (p != NULL));
    } while (rc < 0 && nth < 5000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 4999);
    profile_free(p);
    state_free(s);
}

static void every_cut_and_flip_is_survived(void **state)
{
    size_t len = sizeof example - 1, accepted = 0;
    char text[sizeof example];

    (void)state;
    memcpy(text, example, sizeof example);
    for (size_t cut = 0; cut < len; cut++) {
        struct profile *p = NULL;

        assert_int_equal(recording_read(text, cut, &p, NULL, NULL), -1);
    }
    for (size_t bit = 0; bit < len * 8; bit++) {
        struct profile *p = NULL;

        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        if (recording_read(text, len, &p, NULL, NULL) == 0)
            accepted++;
        profile_free(p);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    assert_in_range(accepted, 1, len * 8 - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_composed_machine_shows_its_sources),
        cmocka_unit_test(values_and_sources_go_together),
        cmocka_unit_test(the_example_fleet_loads),
        cmocka_unit_test(a_composed_machine_survives_lost_memory),
        cmocka_unit_test(every_cut_and_flip_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
