/* test_recording_form.c - files that are no machine, refused by the key that is wrong. */
#include "common/recording/recording.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "{\"id\":\"edge\",\"kind\":\"report\","

static const struct {
    const char *text, *why;
} refused[] = {
    {"", "1:1"},
    {"[]", "machine file: a list, wanted an object"},
    {"null", "machine file: null"},
    {"{}", "id: missing"},
    {"{\"id\":\"x\"}", "kind: missing"},
    {"{\"id\":7,\"kind\":\"report\"}", "id: 7, wanted a text"},
    {"{\"id\":\"\",\"kind\":\"report\",\"sysctls\":{}}", "sysctls: no such member"},
    {HEAD "\"sysctl\":[]}", "sysctl: a list, wanted an object"},
    {HEAD "\"notes\":\"x\"}", "notes: \"x\", wanted a list"},
    {HEAD "\"sysctl\":{\"hw.memsize\":\"lots\"}}", "sysctl.hw.memsize: \"lots\", wanted a number"},
    {HEAD "\"sysctl\":{\"hw.memsize\":0}}", "sysctl.hw.memsize: 0, wanted an integer from 1"},
    {HEAD "\"sysctl\":{\"hw.memsize\":1.5}}", "sysctl.hw.memsize: 1.5, wanted an integer from 1"},
    {HEAD "\"sysctl\":{\"hw.memsize\":[1]}}", "sysctl.hw.memsize: a list, wanted a number"},
    {HEAD "\"sysctl\":{\"hw.nperflevels\":0}}", "sysctl.hw.nperflevels: 0, wanted an integer from"},
    {HEAD "\"sysctl\":{\"hw.nperflevels\":17}}", "sysctl.hw.nperflevels: 17, wanted an integer"},
    {HEAD "\"sysctl\":{\"hw.perflevel0.physicalcpu\":-4}}", "sysctl.hw.perflevel0.physicalcpu: -4"},
    {HEAD "\"sysctl\":{\"hw.perflevel0.name\":4}}", "sysctl.hw.perflevel0.name: 4, wanted a text"},
    {HEAD "\"sysctl\":{\"machdep.cpu.brand_string\":4}}", "machdep.cpu.brand_string: 4, wanted a"},
    {HEAD "\"sysctl\":{\"machdep.cpu.brand_string\":\"a\\nb\"}}", "control character"},
    {HEAD "\"sysctl\":{\"kern.memorystatus_vm_pressure_level\":3}}",
     "sysctl.kern.memorystatus_vm_pressure_level: 3, wanted 1, 2 or 4"},
    {HEAD "\"system_profiler\":{\"Memory\":\"plenty\"}}", "system_profiler.Memory: \"plenty\""},
    {HEAD "\"system_profiler\":{\"Memory\":\"16 XB\"}}", "system_profiler.Memory: \"16 XB\""},
    {HEAD "\"system_profiler\":{\"Memory\":\"16 GBx\"}}", "system_profiler.Memory: \"16 GBx\""},
    {HEAD "\"system_profiler\":{\"number_processors\":\"proc 10:4:5\"}}", "which add up"},
    {HEAD "\"system_profiler\":{\"number_processors\":\"proc 0:0\"}}", "which add up"},
    {HEAD "\"system_profiler\":{\"number_processors\":\"proc x\"}}", "number_processors: \"proc x"},
    {HEAD "\"system_profiler\":{\"Total Number of Cores\":\"10 (4 and 6)\"}}", "which add up"},
    {HEAD "\"system_profiler\":{\"Total Number of Cores\":\"10 (4 P and 6 E\"}}", "which add up"},
    {HEAD "\"system_profiler\":{\"Total Number of Cores\":\"many\"}}", "Total Number of Cores"},
    {HEAD "\"ioreg\":{\"p-core-count\":\"<06>\"}}", "ioreg.p-core-count: \"<06>\", wanted a count"},
    {HEAD "\"ioreg\":{\"p-core-count\":\"<060000ff>\"}}", "ioreg.p-core-count"},
    {HEAD "\"stated\":{\"p_cores\":\"many\"}}", "stated.p_cores: \"many\", wanted an integer"},
    {HEAD "\"metal\":{\"has_unified_memory\":2}}", "metal.has_unified_memory: 2, wanted true or"},
    {HEAD "\"metal\":{\"recommended_max_working_set_printed\":1}}",
     "metal.printed_divisor: missing"},
    {HEAD "\"metal\":{\"recommended_max_working_set_gib\":1e300}}", "wanted an integer from 1"},
    {HEAD "\"os\":{\"version\":\"the newest\"}}", "os.version: \"the newest\", wanted a version"},
    {HEAD "\"os\":{\"version\":26.5}}", "os.version: 26.5, wanted a text"},
    {HEAD "\"other\":{\"unified_memory_total_gib\":1,\"unified_memory_used_gib\":2}}",
     "other.unified_memory_used_gib"},
    {HEAD "\"other\":{\"swap_used_mb\":-1}}", "other.swap_used_mb: -1048576, wanted an integer"},
    {HEAD "\"composed\":{}}", "composed: only a machine of the kind"},
    {HEAD "\"state\":{}}", "state: only a machine of the kind"},
    {"{\"id\":\"01234567890123456789012345678901234567890123456789012345678901234\",\"kind\":"
     "\"report\"}",
     "recording_id: text of 65 bytes"},
};

static void what_is_no_machine_is_refused_by_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct profile *p = NULL;
        struct state *s = NULL;
        struct err err = {ERR_NONE, ""};

        assert_int_equal(recording_read(refused[i].text, strlen(refused[i].text), &p, &s, &err),
                         -1);
        assert_null(p);
        assert_null(s);
        if (!strstr(err.text, refused[i].why))
            print_error("%s\n  gave %s\n", refused[i].text, err.text);
        assert_non_null(strstr(err.text, refused[i].why));
        assert_int_not_equal(err.code, ERR_NONE);
    }
}

static void a_file_past_the_limit_is_refused(void **state)
{
    size_t len = RECORDING_TEXT_MAX + 1;
    char *text = mem_alloc(len);
    struct profile *p = NULL;
    struct err err;

    (void)state;
    memset(text, ' ', len);
    memcpy(text, HEAD "\"os\":{}}", strlen(HEAD "\"os\":{}}"));
    assert_int_equal(recording_read(text, len, &p, NULL, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_int_equal(recording_read(text, len - 1, &p, NULL, &err), 0);
    profile_free(p);
    mem_free(text);
}

static void a_state_file_is_synthetic_unless_it_says_otherwise(void **state)
{
    static const char made_up[] = "{\"thermal\":\"serious\",\"battery_percent\":41.5}";
    static const char real[] = "{\"synthetic\":false,\"thermal\":\"fair\"}";
    struct state *s = NULL;

    (void)state;
    assert_int_equal(recording_state_read(made_up, sizeof made_up - 1, &s, NULL), 0);
    assert_int_equal(s->synthetic, TRI_TRUE);
    assert_int_equal(s->thermal, THERMAL_SERIOUS);
    assert_true(s->battery_percent == 41.5);
    assert_int_equal(s->facts_count, 2);
    assert_int_equal(s->facts[0].source, FACT_SOURCE_SYNTHETIC);
    assert_string_equal(s->facts[0].field, "thermal");
    assert_true(s->unknown_count > 10);
    assert_string_equal(s->unknown[0].reason, "the state file does not say");
    state_free(s);

    assert_int_equal(recording_state_read(real, sizeof real - 1, &s, NULL), 0);
    assert_int_equal(s->synthetic, TRI_FALSE);
    assert_int_equal(s->facts[0].source, FACT_SOURCE_READ);
    state_free(s);
}

static void what_is_no_state_is_refused_by_key(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "1:1"},
        {"[]", "State: a list, wanted an object"},
        {"{\"thermals\":\"fair\"}", "thermals: no such key (did you mean thermal?)"},
        {"{\"thermal\":\"hot\"}", "thermal: \"hot\", wanted one of nominal, fair, serious, criti"},
        {"{\"battery_percent\":101}", "battery_percent: 101, wanted a number from 0 to 100"},
        {"{\"memory_available_bytes\":null}", "memory_available_bytes: null, wanted an integer"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct state *s = NULL;
        struct err err;

        assert_int_equal(recording_state_read(rows[i].text, strlen(rows[i].text), &s, &err), -1);
        assert_null(s);
        assert_non_null(strstr(err.text, rows[i].why));
    }
}

static void a_state_survives_lost_memory(void **state)
{
    static const char text[] = "{\"thermal\":\"fair\",\"links\":[{\"name\":\"en0\"}]}";
    struct state *s = NULL;
    int rc, nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        rc = recording_state_read(text, sizeof text - 1, &s, NULL);
        assert_true((rc == 0) == (s != NULL));
    } while (rc < 0 && nth < 1000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 999);
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_machine_is_refused_by_key),
        cmocka_unit_test(a_file_past_the_limit_is_refused),
        cmocka_unit_test(a_state_file_is_synthetic_unless_it_says_otherwise),
        cmocka_unit_test(what_is_no_state_is_refused_by_key),
        cmocka_unit_test(a_state_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
