/* test_recording.c - the resolve order and the traps, on machines invented for the purpose. */
#include "common/recording/recording.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "{\"id\":\"edge\",\"kind\":\"report\","

static struct profile *profile_of(const char *text)
{
    struct profile *p = NULL;
    struct err err;

    if (recording_read(text, strlen(text), &p, NULL, &err) < 0)
        fail_msg("%s\n  %s", text, err.text);
    return p;
}

static const struct fact_note *fact_of(const struct profile *p, const char *field)
{
    for (size_t i = 0; i < p->facts_count; i++)
        if (strcmp(p->facts[i].field, field) == 0)
            return &p->facts[i];
    return NULL;
}

static const char *why_unknown(const struct profile *p, const char *field)
{
    for (size_t i = 0; i < p->unknown_count; i++)
        if (strcmp(p->unknown[i].field, field) == 0)
            return p->unknown[i].reason;
    return NULL;
}

static void a_recording_gives_what_it_has(void **state)
{
    struct profile *p =
        profile_of(HEAD "\"sysctl\":{\"machdep.cpu.brand_string\":\"Apple M4\",\"hw.memsize\":"
                        "17179869184,\"hw.cpufamily\":-634136515},\"stated\":{\"gpu_cores\":10}}");

    (void)state;
    assert_int_equal(p->origin, DEVICE_ORIGIN_RECORDED);
    assert_string_equal(p->recording_id, "edge");
    assert_string_equal(p->chip, "Apple M4");
    assert_int_equal(fact_of(p, "chip")->source, FACT_SOURCE_READ);
    assert_string_equal(fact_of(p, "chip")->detail, "sysctl.machdep.cpu.brand_string");
    assert_int_equal(p->memory_bytes, 17179869184);
    assert_int_equal(p->gpu_cores, 10);
    assert_int_equal(fact_of(p, "gpu_cores")->source, FACT_SOURCE_STATED);
    assert_null(p->metal);
    assert_string_equal(why_unknown(p, "metal"), "no source in the recording gives it");
    assert_string_equal(p->os_name, "macOS");
    profile_free(p);
}

/* Sources are taken away one by one: the next one answers. */
static void sources_answer_in_their_order(void **state)
{
    static const struct {
        const char *text, *chip, *detail;
        int how;
    } rows[] = {
        {"\"sysctl\":{\"machdep.cpu.brand_string\":\"A\"},\"metal\":{\"name\":\"B\"}", "A",
         "sysctl.machdep.cpu.brand_string", FACT_SOURCE_READ},
        {"\"sysctl\":{\"machdep.cpu.brand_string\":\"\"},\"metal\":{\"name\":\"B\"}", "B",
         "metal.name", FACT_SOURCE_READ},
        {"\"metal\":{\"name\":null},\"system_profiler\":{\"chip_type\":\"C\"}", "C",
         "system_profiler.chip_type", FACT_SOURCE_READ},
        {"\"ioreg\":{\"model\":\"D\"},\"stated\":{\"chip\":\"E\"}", "D", "ioreg.model",
         FACT_SOURCE_READ},
        {"\"stated\":{\"chip\":\"E\"}", "E", "stated.chip", FACT_SOURCE_STATED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct profile *p;

        snprintf(text, sizeof text, HEAD "%s}", rows[i].text);
        p = profile_of(text);
        assert_string_equal(p->chip, rows[i].chip);
        assert_string_equal(fact_of(p, "chip")->detail, rows[i].detail);
        assert_int_equal(fact_of(p, "chip")->source, rows[i].how);
        profile_free(p);
    }
}

static void sizes_and_numbers_are_read_as_printed(void **state)
{
    static const struct {
        const char *text;
        int64_t memory, working_set;
    } rows[] = {
        {"\"system_profiler\":{\"Memory\":\"16 GB\"}", 17179869184, UNKNOWN_I64},
        {"\"system_profiler\":{\"physical_memory\":\"16 GB LPDDR5\"}", 17179869184, UNKNOWN_I64},
        {"\"other\":{\"memory\":\"1 TB\"}", 1099511627776, UNKNOWN_I64},
        {"\"stated\":{\"memory_gb\":18}", 19327352832, UNKNOWN_I64},
        {"\"other\":{\"unified_memory_total_gib\":256.0}", 274877906944, UNKNOWN_I64},
        {"\"sysctl\":{\"hw.memsize\":\"17179869184\"}", 17179869184, UNKNOWN_I64},
        {"\"metal\":{\"recommended_max_working_set_mib\":12124}", UNKNOWN_I64, 12712935424},
        {"\"metal\":{\"recommended_max_working_set_gib\":11.84}", UNKNOWN_I64, 12713103196},
        {"\"metal\":{\"recommended_max_working_set_gb\":55.66}", UNKNOWN_I64, 55660000000},
        {"\"metal\":{\"recommended_max_working_set_printed\":\"5726,63\",\"printed_divisor\":"
         "1000000}",
         UNKNOWN_I64, 5726630000},
        {"\"metal\":{\"recommended_max_working_set_printed\":10922.67,\"printed_divisor\":1048576}",
         UNKNOWN_I64, 11453249618},
        {"\"metal\":{\"recommended_max_working_set_bytes\":0,\"recommended_max_working_set_gb\":2}",
         UNKNOWN_I64, 2000000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct profile *p;

        snprintf(text, sizeof text, HEAD "%s}", rows[i].text);
        p = profile_of(text);
        assert_true(p->memory_bytes == rows[i].memory);
        assert_true((p->metal ? p->metal->working_set_bytes : UNKNOWN_I64) == rows[i].working_set);
        profile_free(p);
    }
}

/* A tool that does not know prints 0: the field is unknown, and that is the reason. */
static void zero_is_unknown_where_tools_print_it(void **state)
{
    struct profile *p = profile_of(
        HEAD "\"metal\":{\"name\":\"Apple M1\",\"recommended_max_working_set_bytes\":0},"
             "\"sysctl\":{\"iogpu.wired_limit_mb\":0},\"ioreg\":{\"gpu-core-count\":0}}");

    (void)state;
    assert_true(p->metal->working_set_bytes == UNKNOWN_I64);
    assert_string_equal(why_unknown(p, "metal.working_set_bytes"),
                        "metal.recommended_max_working_set_bytes is 0");
    assert_true(p->gpu_cores == UNKNOWN_I64);
    assert_string_equal(why_unknown(p, "gpu_cores"), "ioreg.gpu-core-count is 0");
    assert_true(p->wired_limit_bytes == UNKNOWN_I64);
    assert_non_null(strstr(why_unknown(p, "wired_limit_bytes"), "the system chooses"));
    profile_free(p);
}

static void metal_is_taken_as_printed(void **state)
{
    struct profile *p =
        profile_of(HEAD "\"metal\":{\"name\":\"Apple M5 Max\",\"gpu_family\":\"apple10\","
                        "\"gpu_family_metal\":\"MTLGPUFamilyMetal4 (5002)\",\"architecture\":"
                        "\"applegpu_g17s\",\"has_unified_memory\":1,\"max_buffer_length_mib\":2,"
                        "\"max_threadgroup_memory_length\":32768}}");

    (void)state;
    assert_string_equal(p->metal->name, "Apple M5 Max");
    assert_string_equal(p->metal->family, "apple10");
    assert_string_equal(p->metal->metal_version, "MTLGPUFamilyMetal4 (5002)");
    assert_string_equal(p->metal->architecture, "applegpu_g17s");
    assert_int_equal(p->metal->unified_memory, TRI_TRUE);
    assert_int_equal(p->metal->max_buffer_bytes, 2097152);
    assert_int_equal(p->metal->threadgroup_memory_bytes, 32768);
    assert_string_equal(fact_of(p, "metal.family")->detail, "metal.gpu_family");
    profile_free(p);
}

#define LEVEL(n, name, cores) \
    "\"hw.perflevel" #n ".name\":\"" name "\",\"hw.perflevel" #n ".physicalcpu\":" #cores

static void any_number_of_cpu_levels(void **state)
{
    struct profile *p = profile_of(HEAD "\"sysctl\":{\"hw.nperflevels\":3," LEVEL(
        0, "Super", 2) "," LEVEL(1, "Performance", 4) "," LEVEL(2, "Efficiency", 6) "}}");

    (void)state;
    assert_int_equal(p->cpu_levels_count, 3);
    assert_string_equal(p->cpu_levels[0].name, "Super");
    assert_int_equal(p->cpu_levels[0].cores, 2);
    assert_int_equal(p->cpu_levels[2].cores, 6);
    assert_true(p->cpu_levels[1].l2_bytes == UNKNOWN_I64);
    assert_int_equal(p->cpu_cores, 12);
    assert_int_equal(fact_of(p, "cpu_cores")->source, FACT_SOURCE_DERIVED);
    profile_free(p);
}

/* A level beyond hw.nperflevels is not asked for; without the count, levels may be missing: no sum.
 */
static void the_count_of_levels_is_obeyed(void **state)
{
    struct profile *p = profile_of(
        HEAD "\"sysctl\":{\"hw.nperflevels\":1," LEVEL(0, "A", 2) "," LEVEL(1, "B", 4) "}}");

    (void)state;
    assert_int_equal(p->cpu_levels_count, 1);
    assert_int_equal(p->cpu_cores, 2);
    profile_free(p);

    p = profile_of(HEAD "\"sysctl\":{" LEVEL(0, "A", 2) "," LEVEL(1, "B", 4) "}}");
    assert_int_equal(p->cpu_levels_count, 2);
    assert_true(p->cpu_cores == UNKNOWN_I64);
    assert_non_null(strstr(fact_of(p, "cpu_levels")->detail, "there may be more"));
    profile_free(p);

    p = profile_of(HEAD "\"sysctl\":{\"hw.nperflevels\":2,\"hw.perflevel1.physicalcpu\":4}}");
    assert_int_equal(p->cpu_levels_count, 2); /* nothing of level 0 is known, but it is there */
    assert_true(p->cpu_levels[0].cores == UNKNOWN_I64);
    assert_int_equal(p->cpu_levels[1].cores, 4);
    assert_true(p->cpu_cores == UNKNOWN_I64);
    profile_free(p);
}

static void printed_levels(void **state)
{
    static const struct {
        const char *text;
        size_t levels;
        int64_t first, last, all;
        const char *name;
        int how;
    } rows[] = {
        {"\"system_profiler\":{\"Total Number of Cores\":\"10 (4 Performance and 6 Efficiency)\"}",
         2, 4, 6, 10, "Performance", FACT_SOURCE_DERIVED},
        {"\"system_profiler\":{\"Total Number of Cores\":"
         "\"12 (2 Super, 4 Performance and 6 Efficiency)\"}",
         3, 2, 6, 12, "Super", FACT_SOURCE_DERIVED},
        {"\"system_profiler\":{\"Total Number of Cores\":\"10\",\"number_processors\":"
         "\"proc 10:8:2\"}",
         2, 8, 2, 10, NULL, FACT_SOURCE_DERIVED},
        {"\"system_profiler\":{\"number_processors\":\"proc 18:6:0:12\"}", 2, 6, 12, 18, NULL,
         FACT_SOURCE_DERIVED},
        {"\"system_profiler\":{\"number_processors\":\"proc 12:0:8:4\"}", 2, 8, 4, 12, NULL,
         FACT_SOURCE_DERIVED},
        {"\"other\":{\"processors\":\"proc 10:4:6:0\"}", 2, 4, 6, 10, NULL, FACT_SOURCE_STATED},
        {"\"ioreg\":{\"p-core-count\":\"<06000000>\",\"m-core-count\":\"<0c000000>\"}", 2, 6, 12,
         18, NULL, FACT_SOURCE_READ},
        {"\"stated\":{\"p_cores\":16,\"e_cores\":4}", 2, 16, 4, 20, NULL, FACT_SOURCE_STATED},
        {"\"sysctl\":{\"hw.nperflevels\":2},\"stated\":{\"p_cores\":16,\"e_cores\":4}", 2, 16, 4,
         20, NULL, FACT_SOURCE_STATED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct profile *p;

        snprintf(text, sizeof text, HEAD "%s}", rows[i].text);
        p = profile_of(text);
        assert_int_equal(p->cpu_levels_count, rows[i].levels);
        assert_int_equal(p->cpu_levels[0].cores, rows[i].first);
        assert_int_equal(p->cpu_levels[rows[i].levels - 1].cores, rows[i].last);
        assert_int_equal(p->cpu_cores, rows[i].all);
        if (rows[i].name)
            assert_string_equal(p->cpu_levels[0].name, rows[i].name);
        else
            assert_null(p->cpu_levels[0].name);
        assert_int_equal(fact_of(p, "cpu_levels")->source, rows[i].how);
        profile_free(p);
    }
}

static void the_kernel_knows_the_os_better(void **state)
{
    static const struct {
        const char *os, *version;
        int how;
    } rows[] = {
        {"\"version\":\"26.5\",\"darwin\":\"25.5.0\"", "26.5", FACT_SOURCE_READ},
        {"\"version\":\"16.4\",\"darwin\":\"25.4.0\"", "26.4", FACT_SOURCE_DERIVED},
        {"\"version\":\"16.4\",\"darwin\":\"26.0.0\"", "27", FACT_SOURCE_DERIVED},
        {"\"version\":\"10.16\",\"darwin\":\"22.1.0\"", "13", FACT_SOURCE_DERIVED},
        {"\"version\":\"16.4\"", "16.4", FACT_SOURCE_READ},
        {"\"darwin\":\"23.2.0\"", "14", FACT_SOURCE_DERIVED},
        {"\"version\":\"14.1\",\"darwin\":\"odd\"", "14.1", FACT_SOURCE_READ},
        {"\"version\":\"macOS 26.5 (25F71)\"", "26.5", FACT_SOURCE_READ},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct profile *p;

        snprintf(text, sizeof text, HEAD "\"os\":{%s}}", rows[i].os);
        p = profile_of(text);
        assert_string_equal(p->os_version, rows[i].version);
        assert_int_equal(fact_of(p, "os_version")->source, rows[i].how);
        profile_free(p);
    }
}

static void live_values_make_a_state(void **state)
{
    static const char text[] =
        HEAD "\"sysctl\":{\"kern.memorystatus_vm_pressure_level\":4},\"other\":{"
             "\"swap_used_mb\":2,\"unified_memory_total_gib\":8,\"unified_memory_used_gib\":5}}";
    struct profile *p = NULL;
    struct state *s = NULL;

    (void)state;
    assert_int_equal(recording_read(text, sizeof text - 1, &p, &s, NULL), 0);
    assert_non_null(s);
    assert_int_equal(s->memory_pressure, MEMORY_PRESSURE_CRITICAL);
    assert_int_equal(s->swap_used_bytes, 2097152);
    assert_int_equal(s->memory_available_bytes, 3221225472);
    assert_int_equal(s->synthetic, TRI_UNKNOWN);
    assert_int_equal(s->facts_count, 3);
    profile_free(p);
    state_free(s);

    p = profile_of(HEAD "\"notes\":[]}"); /* nothing at all is known, and that is fine */
    assert_null(p->chip);
    assert_string_equal(why_unknown(p, "chip"), "no source in the recording gives it");
    profile_free(p);
    s = NULL;
    assert_int_equal(recording_read(HEAD "\"os\":{}}", strlen(HEAD "\"os\":{}}"), &p, &s, NULL), 0);
    assert_null(s);
    profile_free(p);
}

/* 64 flags in one sysctl pass what a JSON integer holds; in strings nothing is touched. */
static void wide_integers_do_not_stop_the_rest(void **state)
{
    struct profile *p =
        profile_of(HEAD "\"sysctl\":{\"hw.optional.arm.caps\":1152375836863623167,\"x\":"
                        "-99999999999999999999,\"hw.memsize\":8589934592},\"notes\":"
                        "[\"\\\" 99999999999999999999\"]}");
    struct profile *none = NULL;
    static const char wide[] = HEAD "\"sysctl\":{\"hw.memsize\":99999999999999999999}}";
    struct err err;

    (void)state;
    assert_int_equal(p->memory_bytes, 8589934592);
    profile_free(p);
    assert_int_equal(recording_read(wide, sizeof wide - 1, &none, NULL, &err), -1);
    assert_non_null(strstr(err.text, "sysctl.hw.memsize: \"99999999999999999999\", wanted an int"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_gives_what_it_has),
        cmocka_unit_test(sources_answer_in_their_order),
        cmocka_unit_test(sizes_and_numbers_are_read_as_printed),
        cmocka_unit_test(zero_is_unknown_where_tools_print_it),
        cmocka_unit_test(metal_is_taken_as_printed),
        cmocka_unit_test(any_number_of_cpu_levels),
        cmocka_unit_test(the_count_of_levels_is_obeyed),
        cmocka_unit_test(printed_levels),
        cmocka_unit_test(the_kernel_knows_the_os_better),
        cmocka_unit_test(live_values_make_a_state),
        cmocka_unit_test(wide_integers_do_not_stop_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
