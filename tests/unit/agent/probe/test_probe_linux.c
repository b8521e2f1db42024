/* test_probe_linux.c - the backend that reads a Linux machine, on kernels invented for the purpose
 * and on the one it runs on. */
#include "agent/probe/fact.h"
#include "agent/probe/probe.h"
#include "agent/probe/process.h"
#include "common/model/device.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

struct machine {
    char *root;
    struct probe *probe;
    struct profile *p;
    struct state *s;
};

static void machine_open(struct machine *m)
{
    struct probe_options options = {.root = m->root, .volume_path = "/"};

    assert_non_null(m->probe = probe_open(&options, NULL));
    assert_int_equal(probe_profile(m->probe, 0, &m->p, NULL), 0);
    assert_int_equal(probe_state(m->probe, 0, &m->s, NULL), 0);
}

static void machine_close(struct machine *m)
{
    state_free(m->s);
    profile_free(m->p);
    probe_free(m->probe);
    folder_remove(m->root);
}

static void a_laptop_is_read_from_its_kernel(void **state)
{
    struct machine m = {.root = folder_make()};

    (void)state;
    folder_put(m.root, "proc/cpuinfo",
               "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nprocessor : 1\n");
    folder_put(
        m.root, "proc/meminfo",
        "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    9000000 kB\n"
        "SwapTotal:       2000000 kB\nSwapFree:        1500000 kB\n");
    folder_put(m.root, "sys/devices/system/memory/block_size_bytes", "8000000\n"); /* 128 MiB */
    folder_put(m.root, "sys/devices/system/memory/memory0/online", "1\n");
    folder_put(m.root, "sys/devices/system/cpu/online", "0-3\n");
    for (int cpu = 0; cpu < 4; cpu++) { /* two cores of two threads */
        char name[80];

        snprintf(name, sizeof name, "sys/devices/system/cpu/cpu%d/topology/physical_package_id",
                 cpu);
        folder_put(m.root, name, "0\n");
        snprintf(name, sizeof name, "sys/devices/system/cpu/cpu%d/topology/core_id", cpu);
        folder_put(m.root, name, cpu < 2 ? "0\n" : "1\n");
    }
    folder_put(m.root, "sys/devices/cpu_core/cpus", "0-1\n");
    folder_put(m.root, "sys/devices/cpu_atom/cpus", "2-3\n");
    folder_put(m.root, "etc/os-release", "NAME=\"X\"\nVERSION_ID=\"12\"\n");
    folder_put(m.root, "sys/class/dmi/id/product_name", "Box 3000\n");
    folder_put(m.root, "proc/loadavg", "1.25 0.9 0.5 1/100 4242\n");
    folder_put(m.root, "proc/uptime", "3600.25 7000.00\n");
    folder_put(m.root, "proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n");
    folder_put(m.root, "sys/class/power_supply/BAT0/type", "Battery\n");
    folder_put(m.root, "sys/class/power_supply/BAT0/capacity", "62\n");
    folder_put(m.root, "sys/class/power_supply/BAT0/status", "Discharging\n");
    folder_put(m.root, "sys/class/power_supply/mouse/type", "Battery\n");
    folder_put(m.root, "sys/class/power_supply/mouse/scope", "Device\n");
    folder_put(m.root, "sys/class/power_supply/mouse/capacity", "3\n");
    folder_put(m.root, "proc/acpi/button/lid/LID0/state", "state:      closed\n");
    machine_open(&m);

    assert_int_equal(m.p->origin, DEVICE_ORIGIN_LINUX);
    assert_string_equal(m.p->chip, "Some CPU @ 3 GHz");
    assert_string_equal(m.p->model_identifier, "Box 3000");
    assert_int_equal(m.p->memory_usable_bytes, 16000000LL * 1024);
    /* the blocks are fewer than the kernel's own total: not believed, and said so */
    assert_int_equal(m.p->memory_bytes, 16000000LL * 1024);
    assert_int_equal(profile_find_note(m.p, "memory_bytes")->source, FACT_SOURCE_DERIVED);
    assert_int_equal(m.p->cpu_cores, 2);
    assert_int_equal(m.p->cpu_levels_count, 2);
    assert_string_equal(m.p->cpu_levels[0].name, "cpu_core");
    assert_int_equal(m.p->cpu_levels[0].cores, 1);
    assert_string_equal(m.p->os_version, "12");
    assert_null(m.p->metal);
    assert_string_equal(profile_find_unknown(m.p, "metal"),
                        "no Metal device: this is Linux, not a Mac");

    assert_int_equal(m.s->memory_available_bytes, 9000000LL * 1024);
    assert_int_equal(m.s->swap_used_bytes, 500000LL * 1024);
    assert_float_equal(m.s->load_average, 1.25, 1e-9);
    assert_float_equal(m.s->uptime_seconds, 3600.25, 1e-9);
    assert_int_equal(m.s->power_source, POWER_SOURCE_BATTERY);
    assert_float_equal(m.s->battery_percent, 62, 0);
    assert_int_equal(m.s->charging, TRI_FALSE);
    assert_int_equal(m.s->lid_closed, TRI_TRUE);
    assert_int_equal(m.s->thermal, THERMAL_UNSET);
    assert_true(m.s->disk_free_bytes > 0);

    /* a load needs two readings: 60 of 100 ticks were busy in between */
    assert_non_null(state_find_unknown(m.s, "cpu_load"));
    state_free(m.s);
    folder_put(m.root, "proc/stat", "cpu  150 0 110 840 0 0 0 0 0 0\n");
    assert_int_equal(probe_state(m.probe, 999, &m.s, NULL), 0); /* the same again */
    assert_non_null(state_find_unknown(m.s, "cpu_load"));
    state_free(m.s);
    assert_int_equal(probe_state(m.probe, 1000, &m.s, NULL), 0);
    assert_float_equal(m.s->cpu_load, 0.6, 1e-9);
    machine_close(&m);
}

static void a_machine_that_tells_nothing_is_all_unknown(void **state)
{
    struct machine m = {.root = folder_make()};

    (void)state;
    machine_open(&m);
    assert_false(known_i64(m.p->memory_bytes));
    assert_non_null(profile_find_unknown(m.p, "memory_bytes"));
    assert_non_null(profile_find_unknown(m.p, "chip"));
    assert_non_null(profile_find_unknown(m.p, "cpu_cores"));
    assert_false(known_i64(m.s->memory_available_bytes));
    assert_non_null(state_find_unknown(m.s, "swap_used_bytes"));
    assert_int_equal(m.s->has_battery, TRI_UNKNOWN);
    assert_int_equal(m.s->power_source, POWER_SOURCE_UNSET);
    machine_close(&m);
}

/* Nonsense from a kernel is unknown, never a number. */
static void odd_values_are_unknown(void **state)
{
    struct machine m = {.root = folder_make()};

    (void)state;
    folder_put(m.root, "proc/meminfo",
               "MemTotal: 16000000 MB\nMemAvailable: -5 kB\nMemFree: 99999999999999999999 kB\n"
               "SwapTotal: 5 kB\nSwapFree: 9 kB\n");
    folder_put(m.root, "proc/loadavg", "much\n");
    folder_put(m.root, "proc/uptime", "\n");
    folder_put(m.root, "proc/stat", "cpus 1 2 3\n");
    folder_put(m.root, "sys/devices/system/cpu/online", "0-\n");
    folder_put(m.root, "sys/class/power_supply/BAT0/type", "Battery\n");
    folder_put(m.root, "sys/class/power_supply/BAT0/capacity", "250\n");
    folder_put(m.root, "proc/cpuinfo", "model name\t: bad\x1b[2Jname\n");
    machine_open(&m);
    assert_false(known_i64(m.p->memory_bytes));
    assert_false(known_i64(m.s->memory_available_bytes));
    assert_false(known_i64(m.s->memory_free_bytes));
    assert_false(known_i64(m.s->swap_used_bytes));
    assert_false(known_f64(m.s->load_average));
    assert_false(known_f64(m.s->uptime_seconds));
    assert_false(known_f64(m.s->cpu_load));
    assert_false(known_i64(m.p->cpu_cores));
    assert_int_equal(m.s->has_battery, TRI_TRUE);
    assert_false(known_f64(m.s->battery_percent));
    assert_null(strchr(m.p->chip, '\x1b'));
    machine_close(&m);
}

static void the_machine_it_runs_on_has_memory_and_a_disk(void **state)
{
    struct probe_options options = {.volume_path = "/"};
    struct probe *probe = probe_open(&options, NULL);
    struct profile *p = NULL;
    struct state *s = NULL;

    (void)state;
    assert_false(probe_is_replay(probe));
    assert_int_equal(probe_profile(probe, 0, &p, NULL), 0);
    assert_int_equal(probe_state(probe, 0, &s, NULL), 0);
    assert_true(p->memory_bytes >= p->memory_usable_bytes);
    assert_true(s->memory_available_bytes > 0);
    assert_true(s->disk_free_bytes > 0);
    state_free(s);
    profile_free(p);
    probe_free(probe);
}

static void memory_of_our_own_group_is_counted(void **state)
{
    int64_t own = getpgrp(), bytes = 0;

    (void)state;
    assert_int_equal(process_groups_memory(&own, 1, &bytes, NULL), 0);
    assert_true(bytes > 100000);
    own = 0x7ffffff0; /* beyond every process id */
    assert_int_equal(process_groups_memory(&own, 1, &bytes, NULL), 0);
    assert_int_equal(bytes, 0);
    assert_int_equal(process_groups_memory(NULL, 0, &bytes, NULL), 0);
    assert_int_equal(bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_laptop_is_read_from_its_kernel),
        cmocka_unit_test(a_machine_that_tells_nothing_is_all_unknown),
        cmocka_unit_test(odd_values_are_unknown),
        cmocka_unit_test(the_machine_it_runs_on_has_memory_and_a_disk),
        cmocka_unit_test(memory_of_our_own_group_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
