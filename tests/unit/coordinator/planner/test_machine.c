/* test_machine.c - rates from report or table, and memory limits with their reasons. */
#include "coordinator/planner/machine.h"

#include "planner_kit.h"

#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"

#define GIB 1073741824.0

static struct snapshot *one(const char *chip, int64_t cores, double memory_gib,
                            double available_gib)
{
    const struct kit_mac mac = {"mac", chip, cores, memory_gib, available_gib, 0, 0, 0};

    return kit_fleet(&mac, 1);
}

static struct machine machine_one(const struct snapshot *s)
{
    struct chip_table *t = chip_table_new(NULL);
    struct policy p = policy_default();
    struct machine m;

    assert_non_null(t);
    machine_of(&s->classes[0], t, &p, &m);
    chip_table_free(t);
    return m;
}

static void a_published_chip_has_its_published_rates(void **state)
{
    static const struct {
        const char *chip;
        int64_t cores;
        double memory, flops, bandwidth;
        int64_t source;
    } rows[] = {
        {"Apple M1", 8, 8, 2.617e12, 68e9, RATE_TABLE},
        {"Apple M4 Max", 40, 64, 18.4e12, 546e9, RATE_TABLE},
        {"Apple M1 Max", 24, 32, 10.617e12 * 24 / 32, 400e9, RATE_DERIVED}, /* the other bin's */
        {"Apple M4 Max", 32, 36, 18.4e12 * 32 / 40, 410e9, RATE_DERIVED},
        {"Apple M3 Max", 40, 64, 0.41e12 * 40, 400e9, RATE_DERIVED}, /* its generation's */
        {"Apple M5 Ultra", 80, 256, 0.57e12 * 80, 1200e9, RATE_DERIVED},
        {"Apple M6", 12, 16, 0.57e12 * 12, 153e9, RATE_ASSUMED}, /* no figure: M5's per core */
        {"Apple M6", 12, 32, 0.57e12 * 12, 170e9, RATE_ASSUMED},
        {"Apple M7 Max", 40, 64, 0.57e12 * 40, 460e9 / 32 * 40, RATE_ASSUMED}, /* M5 Max's */
        {"Apple M9 Ultra", 100, 256, 0.57e12 * 100, 1200e9 / 80 * 100, RATE_ASSUMED},
        {"Apple Z1", 10, 16, 0.327125e12 * 10, 150e9 / 18 * 10, RATE_ASSUMED}, /* the lowest */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct snapshot *s = one(rows[i].chip, rows[i].cores, rows[i].memory, 0);
        struct machine m = machine_one(s);

        print_message("%s: %s\n", rows[i].chip, m.rates.text);
        kit_close(m.rates.flops, rows[i].flops, 1e6);
        kit_close(m.rates.bandwidth, rows[i].bandwidth, 1e6);
        assert_int_equal(m.rates.flops_source, rows[i].source);
        snapshot_unref(s);
    }
}

static void what_the_device_reports_beats_the_table(void **state)
{
    struct snapshot *s = one("Apple M1", 8, 8, 0);
    struct machine m;

    (void)state;
    s->classes[0].profile->gpu_flops = 2.2e12;
    s->classes[0].profile->memory_bandwidth_bytes_per_s = 60e9;
    m = machine_one(s);
    assert_true(m.rates.flops == 2.2e12 && m.rates.bandwidth == 60e9);
    assert_int_equal(m.rates.flops_source, RATE_REPORTED);
    assert_non_null(strstr(m.rates.text, "reported by the device"));
    snapshot_unref(s);
}

static void unknown_cores_take_the_chips_lowest_bin(void **state)
{
    struct snapshot *s = one("Apple M1 Max", 0, 32, 0);
    struct machine m = machine_one(s);

    (void)state;
    kit_close(m.rates.flops, 10.617e12 * 24 / 32, 1e6); /* it has two bins: the smaller */
    assert_int_equal(m.rates.flops_source, RATE_ASSUMED);
    snapshot_unref(s);
    s = one("Apple M4 Max", 0, 128, 0); /* the smaller bin has 36 GB only */
    m = machine_one(s);
    assert_true(m.rates.flops == 18.4e12 && m.rates.bandwidth == 546e9);
    assert_int_equal(m.rates.flops_source, RATE_TABLE);
    snapshot_unref(s);
    s = one("Apple M9 Pro", 0, 64, 0); /* M5 Pro's fewest */
    m = machine_one(s);
    kit_close(m.rates.flops, 0.57e12 * 16, 1e6);
    assert_int_equal(m.rates.bandwidth_source, RATE_ASSUMED);
    snapshot_unref(s);
}

static void the_limit_is_the_working_set_or_what_is_free(void **state)
{
    struct snapshot *s = one("Apple M1", 8, 8, 7.5);
    struct machine m = machine_one(s);

    (void)state;
    kit_close((double)m.limit_bytes, 6 * GIB, 1); /* the working set, 0.75 here */
    assert_false(m.limit_assumed);
    s->classes[0].state->memory_available_bytes = (int64_t)(4 * GIB);
    m = machine_one(s);
    kit_close((double)m.limit_bytes, 3 * GIB, 1);                /* less the reserve of 1 GiB */
    s->classes[0].state->plan_memory_bytes = (int64_t)(1 * GIB); /* ours to use again */
    m = machine_one(s);
    kit_close((double)m.limit_bytes, 4 * GIB, 1);
    assert_int_equal(machine_limit(&m, (int64_t)(1 * GIB)), (int64_t)(3 * GIB));
    assert_int_equal(machine_limit(&m, (int64_t)(9 * GIB)), 0);
    snapshot_unref(s);
}

static void unknown_memory_facts_are_assumed_and_said_so(void **state)
{
    struct snapshot *s = one("Apple M1", 8, 16, 15.5);
    struct machine m;

    (void)state;
    s->classes[0].profile->metal->working_set_bytes = UNKNOWN_I64;
    m = machine_one(s);
    kit_close((double)m.limit_bytes, 16 * GIB * 2 / 3, 2);
    assert_true(m.limit_assumed);
    assert_non_null(strstr(m.limit_text, "assumed"));
    s->classes[0].state->memory_available_bytes = UNKNOWN_I64;
    s->classes[0].profile->memory_bytes = (int64_t)(64 * GIB);
    m = machine_one(s);
    kit_close((double)m.limit_bytes, 64 * GIB * 3 / 4 - GIB,
              2); /* less a quarter, less the reserve */
    assert_true(m.limit_assumed);
    s->classes[0].profile->memory_bytes = UNKNOWN_I64;
    m = machine_one(s);
    assert_true(m.limit_bytes == UNKNOWN_I64);
    assert_int_equal(machine_limit(&m, 5), UNKNOWN_I64);
    snapshot_unref(s);
}

static void heat_and_low_power_make_it_slow(void **state)
{
    struct snapshot *s = one("Apple M1", 8, 16, 0);

    (void)state;
    assert_true(machine_one(s).slow == 1);
    s->classes[0].state->thermal = THERMAL_FAIR;
    assert_true(machine_one(s).slow == 1.1);
    s->classes[0].state->low_power_mode = TRI_TRUE;
    kit_close(machine_one(s).slow, 1.76, 1e-12);
    s->classes[0].state->thermal = THERMAL_SERIOUS;
    kit_close(machine_one(s).slow, 2.4, 1e-12);
    snapshot_unref(s);
}

static void every_apple_chip_has_metal(void **state)
{
    struct profile *p = profile_new(NULL);
    struct unknown_fact *u;

    (void)state;
    assert_non_null(p);
    assert_int_equal(machine_metal(p), TRI_UNKNOWN);
    p->origin = DEVICE_ORIGIN_LINUX;
    assert_int_equal(machine_metal(p), TRI_FALSE);
    assert_int_equal(text_set(&p->chip, "Apple M7", NULL), 0);
    assert_int_equal(machine_metal(p), TRI_FALSE); /* a Linux machine is no Mac */
    p->origin = DEVICE_ORIGIN_RECORDED;
    assert_int_equal(machine_metal(p), TRI_TRUE); /* the recording shows none, the chip has it */
    p->origin = DEVICE_ORIGIN_MAC;
    assert_int_equal(machine_metal(p), TRI_FALSE); /* it looked: a virtual machine */
    u = records_add(&unknown_fact_type, &p->unknown, &p->unknown_count, NULL);
    assert_true(u && text_set(&u->field, "metal", NULL) == 0);
    assert_int_equal(machine_metal(p), TRI_TRUE);
    profile_free(p);
}

static void the_table_survives_lost_memory(void **state)
{
    struct chip_table *t = NULL;
    unsigned nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        t = chip_table_new(NULL);
    } while (!t && nth < 100);
    mem_fail_at(0);
    assert_in_range(nth, 2, 99);
    assert_int_equal(chip_table_rows(t), 39);
    chip_table_free(t);
    chip_table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_chip_has_its_published_rates),
        cmocka_unit_test(what_the_device_reports_beats_the_table),
        cmocka_unit_test(unknown_cores_take_the_chips_lowest_bin),
        cmocka_unit_test(the_limit_is_the_working_set_or_what_is_free),
        cmocka_unit_test(unknown_memory_facts_are_assumed_and_said_so),
        cmocka_unit_test(heat_and_low_power_make_it_slow),
        cmocka_unit_test(every_apple_chip_has_metal),
        cmocka_unit_test(the_table_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
