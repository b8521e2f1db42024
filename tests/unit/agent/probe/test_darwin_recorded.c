/* test_darwin_recorded.c - every recorded Mac through the real probes, and the table of all facts.
 *
 * The double answers each call with what that Mac printed. Printed here: how many facts of each
 * machine the agent fills. Checked: each filled one equals expected.csv, which an independent
 * program made, or the recording itself. */
#include "tests/unit/agent/probe/mac_lab.h"

#include "common/core/file.h"
#include "common/json/json.h"
#include "tests/support/machine_table.h"

#include <ctype.h>
#include <stdlib.h>

#define MACHINES ESPALIER_TEST_DATA "/machines"
#define MACHINES_COUNT 107

/* Columns that the agent fills from the same words, or from the same number in other words. */
static const struct {
    const char *column;
    enum { EXACT, LAST_NUMBER, LEVELS } how;
} columns[] = {
    {"chip", EXACT},
    {"memory_bytes", EXACT},
    {"memory_usable_bytes", EXACT},
    {"gpu_cores", EXACT},
    {"working_set_bytes", EXACT},
    {"max_buffer_bytes", EXACT},
    {"model_identifier", EXACT},
    {"cpu_levels", LEVELS},
    {"cpu_cores", EXACT},
    {"os_version", EXACT},
    {"os_build", EXACT},
    {"kernel_version", EXACT},
    {"metal_family", LAST_NUMBER}, /* "apple9", "Apple 9", "MTLGPUFamilyApple9 (1009)" */
    {"metal_version", LAST_NUMBER},
    {"architecture", EXACT},
    {"unified_memory", EXACT},
    {"threadgroup_memory_bytes", EXACT},
    {"memory_pressure", EXACT},
    {"swap_used_bytes", EXACT},
    {"swap_total_bytes", EXACT},
};

/* The first number of a text: 9 of "MTLGPUFamilyApple9 (1009)". */
static long number_in(const char *text)
{
    const char *digits = strpbrk(text, "0123456789");

    return digits ? strtol(digits, NULL, 10) : -1;
}

/* The cell as the agent would fill it: the recording's levels may be known from a sentence
 * ("8 performance and 2 efficiency") of which no call knows anything. */
static bool same(const char *got, const char *want, int how)
{
    if (how == LAST_NUMBER)
        return number_in(got) == number_in(want);
    return strcmp(got, want) == 0;
}

static const struct json *recorded(const struct json *machine, const char *group, const char *key)
{
    return json_member(json_member(machine, group), key);
}

/* Facts that the table has no column for, against the recording. Returns how many are filled. */
static unsigned check_rest(const struct mac *m, const struct json *machine, const char *id)
{
    unsigned filled = 0;
    char key[64];

    for (size_t i = 0; i < m->p->cpu_features_count; i++) {
        snprintf(key, sizeof key, "hw.optional.arm.%s", m->p->cpu_features[i]);
        if (json_integer(recorded(machine, "sysctl", key)) != 1)
            fail_msg("%s: %s is not in the recording", id, key);
    }
    filled += m->p->cpu_features_count > 0;
    if (known_i64(m->p->cpu_family)) {
        assert_int_equal((uint32_t)json_integer(recorded(machine, "sysctl", "hw.cpufamily")),
                         m->p->cpu_family);
        filled++;
    }
    if (known_i64(m->p->wired_limit_bytes)) {
        assert_int_equal(json_integer(recorded(machine, "sysctl", "iogpu.wired_limit_mb")),
                         m->p->wired_limit_bytes >> 20);
        filled++;
    }
    if (known_f64(m->s->memory_free_percent)) {
        assert_float_equal(json_number(recorded(machine, "sysctl", "kern.memorystatus_level")),
                           m->s->memory_free_percent, 0);
        filled++;
    }
    if (known_i64(m->s->gpu_memory_used_bytes)) {
        assert_int_equal(
            json_integer(recorded(machine, "ioreg", "PerformanceStatistics.In use system memory")),
            m->s->gpu_memory_used_bytes);
        filled++;
    }
    if (m->p->metal && m->p->metal->name) {
        assert_string_equal(json_text(recorded(machine, "metal", "name")), m->p->metal->name);
        filled++;
    }
    return filled;
}

/* Live facts that no recording has: the agent must say so, and not make them up. */
static void check_unmade(const struct mac *m, const char *id)
{
    static const char *const fields[] = {"memory_available_bytes",
                                         "cpu_load",
                                         "gpu_load",
                                         "thermal",
                                         "power_source",
                                         "has_battery",
                                         "user_idle_seconds",
                                         "lid_closed",
                                         "links",
                                         "low_power_mode",
                                         "disk_free_bytes"};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!state_find_unknown(m->s, fields[i]))
            fail_msg("%s: %s is not explained", id, fields[i]);
    }
    assert_false(known_f64(m->s->gpu_load));
    assert_int_equal(m->s->thermal, THERMAL_UNSET);
}

/* Whether the column's source is the Mac's own print: not what an author states, nor what the
 * loader derived from a sentence. Columns without a source column are always printed. */
static bool is_printed(const struct machine_table *t, char **cells, const char *column)
{
    static const struct {
        const char *column, *source;
    } sources[] = {{"chip", "chip_source"},
                   {"memory_bytes", "memory_source"},
                   {"gpu_cores", "gpu_cores_source"},
                   {"model_identifier", "model_source"},
                   {"cpu_levels", "cpu_levels_source"},
                   {"cpu_cores", "cpu_cores_source"},
                   {"os_version", "os_source"}};

    for (size_t k = 0; k < sizeof sources / sizeof sources[0]; k++) {
        for (size_t i = 0; strcmp(column, sources[k].column) == 0 && i < t->columns; i++) {
            if (strcmp(t->names[i], sources[k].source) == 0)
                return strcmp(cells[i], "read") == 0;
        }
    }
    return true;
}

static unsigned check_columns(const struct mac *m, const struct machine_table *t, char **cells,
                              unsigned *recorded_count, unsigned *wrong)
{
    unsigned filled = 0;
    char got[MACHINE_CELL_MAX];

    for (size_t i = 0; i < t->columns; i++) {
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
            if (strcmp(columns[c].column, t->names[i]) != 0)
                continue;
            machine_shown(m->p, m->s, t->names[i], got);
            *recorded_count += cells[i][0] && is_printed(t, cells, t->names[i]);
            if (!got[0])
                continue;
            filled++;
            if (!same(got, cells[i], columns[c].how)) {
                print_error("%s: %s is \"%s\", wanted \"%s\"\n", cells[0], t->names[i], got,
                            cells[i]);
                ++*wrong;
            }
        }
    }
    return filled;
}

static void every_filled_fact_equals_the_recording(void **state)
{
    struct machine_table t = machine_table_open(MACHINES "/expected.csv");
    unsigned machines = 0, wrong = 0, all_filled = 0, all_recorded = 0;

    (void)state;
    printf(
        "Facts of recorded Macs that the agent fills, each equal to the recording; and those in\n"
        "expected.csv that the Mac printed itself, a few of them by calls that the agent has no\n"
        "use for (a GPU's name is no chip's name to it).\n\n%-18s %s  %s\n",
        "machine", "filled by the agent", "printed by the Mac");
    while (*t.next) {
        char *cells[MACHINE_COLUMNS_MAX], *path;
        unsigned filled, recorded_count = 0;
        struct json *machine;
        struct mac m;
        size_t count;

        machine_table_row(&t, cells, &count);
        assert_int_equal(count, t.columns);
        path = file_path(NULL, MACHINES "/%s.json", cells[0]);
        m = mac_open_file(path, NULL);
        machine = darwin_double_read(path);
        filled = check_columns(&m, &t, cells, &recorded_count, &wrong) +
                 check_rest(&m, machine, cells[0]);
        check_unmade(&m, cells[0]);
        printf("%-18s %19u  %18u\n", cells[0], filled, recorded_count);
        all_filled += filled;
        all_recorded += recorded_count;
        json_free(machine);
        mac_close(&m);
        mem_free(path);
        machines++;
    }
    printf("%-18s %19u  %18u\n", "all", all_filled, all_recorded);
    assert_int_equal(machines, MACHINES_COUNT);
    assert_int_equal(wrong, 0);
    assert_true(all_filled > 280); /* the double has not gone deaf */
    mem_free(t.text);
}

/* m2max-96gb-1 printed "73728,00", as Macs of many countries do. No probe reads a printed number:
 * the working set is asked of Metal, and swap is read as the kernel's struct. */
static void a_mac_of_decimal_commas_is_read_in_bytes(void **state)
{
    struct mac m =
        mac_open_file(MACHINES "/m2max-96gb-1.json",
                      "{\"sysctl\": {\"vm.swapusage\": {\"total\": 2048, \"used\": 5}}}");

    (void)state;
    assert_int_equal(m.p->metal->working_set_bytes, 77309411328);
    assert_int_equal(m.s->swap_used_bytes, 5);
    mac_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_filled_fact_equals_the_recording),
        cmocka_unit_test(a_mac_of_decimal_commas_is_read_in_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
