/* test_rules.c - each rule: allows, refuses with its constraint, and what it does with the unknown.
 */
#include "coordinator/planner/rules.h"

#include "planner_kit.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"

struct fixture {
    struct snapshot *fleet;
    struct rule_spec *spec;
    struct state *state;
    struct profile *profile;
};

static int setup(void **state)
{
    static struct fixture fx;

    fx.fleet = kit_fleet_mixed();
    fx.spec = rule_spec_new(NULL);
    assert_non_null(fx.spec);
    fx.state = fx.fleet->classes[0].state;
    fx.profile = fx.fleet->classes[0].profile;
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;

    rule_spec_free(fx->spec);
    snapshot_unref(fx->fleet);
    return 0;
}

/* The constraint of the verdict on class 0. */
static int judge(const struct fixture *fx, const char *says)
{
    struct rules *r = rules_new(fx->spec, NULL);
    struct verdict v;
    bool ok;

    assert_non_null(r);
    ok = rules_allow_class(r, &fx->fleet->classes[0], &v);
    assert_int_equal(ok, v.constraint == CONSTRAINT_NONE);
    if (says && !strstr(v.text, says))
        fail_msg("\"%s\" does not say \"%s\"", v.text, says);
    rules_free(r);
    return v.constraint;
}

/* Refused while unknown, unless the job allows the unknown. */
static void unknown_excludes(struct fixture *fx, const char *says)
{
    assert_int_equal(judge(fx, says), CONSTRAINT_UNKNOWN_FACT);
    fx->spec->unknown = UNKNOWN_POLICY_ALLOW;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
    fx->spec->unknown = UNKNOWN_POLICY_EXCLUDE;
}

static void power(void **state)
{
    struct fixture *fx = *state;

    fx->spec->require_ac_power = TRI_TRUE;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
    fx->state->power_source = POWER_SOURCE_UPS;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
    fx->state->power_source = POWER_SOURCE_BATTERY;
    assert_int_equal(judge(fx, "on battery"), CONSTRAINT_POWER);
    fx->state->power_source = POWER_SOURCE_UNSET;
    unknown_excludes(fx, "power source unknown");
    fx->state->has_battery = TRI_FALSE; /* a desktop runs on mains */
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
}

static void battery(void **state)
{
    struct fixture *fx = *state;

    fx->spec->min_battery_percent = 50;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE); /* on mains */
    fx->state->power_source = POWER_SOURCE_BATTERY;
    unknown_excludes(fx, "battery charge unknown");
    fx->state->battery_percent = 49;
    assert_int_equal(judge(fx, "battery at 49 %"), CONSTRAINT_POWER);
    fx->state->battery_percent = 50;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
}

static void heat(void **state)
{
    struct fixture *fx = *state;

    fx->state->thermal = THERMAL_FAIR;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
    fx->state->thermal = THERMAL_SERIOUS; /* without a stated rule: nothing hotter than fair */
    assert_int_equal(judge(fx, "cooling to fair"), CONSTRAINT_THERMAL);
    fx->spec->max_thermal = THERMAL_SERIOUS;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
    fx->spec->max_thermal = THERMAL_CRITICAL;
    fx->state->thermal = THERMAL_CRITICAL; /* whatever the rule says */
    assert_int_equal(judge(fx, "critical"), CONSTRAINT_THERMAL);
    fx->state->thermal = THERMAL_UNSET;
    unknown_excludes(fx, "thermal state unknown");
    fx->spec->max_thermal = THERMAL_UNSET; /* a rule that the job does not state asks nothing */
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
}

static void pressure_idle_and_disk(void **state)
{
    struct fixture *fx = *state;

    fx->state->memory_pressure = MEMORY_PRESSURE_CRITICAL;
    assert_int_equal(judge(fx, "memory pressure critical"), CONSTRAINT_MEMORY);
    fx->state->memory_pressure = MEMORY_PRESSURE_UNSET;
    fx->spec->max_memory_pressure = MEMORY_PRESSURE_NORMAL;
    unknown_excludes(fx, "memory pressure unknown");
    fx->state->memory_pressure = MEMORY_PRESSURE_NORMAL;
    fx->spec->min_user_idle_seconds = 3601;
    assert_int_equal(judge(fx, "3600 s ago"), CONSTRAINT_IDLE);
    fx->state->user_idle_seconds = UNKNOWN_F64;
    unknown_excludes(fx, "idle time unknown");
    fx->state->user_idle_seconds = 3601;
    fx->spec->min_disk_free_bytes = 100000000001;
    assert_int_equal(judge(fx, "of disk free"), CONSTRAINT_DISK);
    fx->state->disk_free_bytes = UNKNOWN_I64;
    unknown_excludes(fx, "free disk space unknown");
    fx->state->disk_free_bytes = 100000000001;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
}

static void system_and_low_power(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(text_set(&fx->spec->min_os_version, "26.2", NULL), 0);
    assert_int_equal(judge(fx, "macOS 26.1"), CONSTRAINT_OS);
    assert_int_equal(text_set(&fx->profile->os_version, "26.10", NULL), 0);
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
    assert_int_equal(text_set(&fx->profile->os_version, NULL, NULL), 0);
    unknown_excludes(fx, "macOS version unknown");
    assert_int_equal(text_set(&fx->profile->os_name, "Linux", NULL), 0);
    assert_int_equal(judge(fx, "runs Linux"), CONSTRAINT_OS);
    assert_int_equal(text_set(&fx->spec->min_os_version, NULL, NULL), 0);
    fx->spec->allow_low_power_mode = TRI_FALSE;
    fx->state->low_power_mode = TRI_TRUE;
    assert_int_equal(judge(fx, "low-power mode is on"), CONSTRAINT_POWER);
    fx->state->low_power_mode = TRI_UNKNOWN;
    unknown_excludes(fx, "low-power mode unknown");
}

static void metal(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(text_set(&fx->profile->chip, NULL, NULL), 0);
    metal_free(fx->profile->metal);
    fx->profile->metal = NULL;
    unknown_excludes(fx, "Metal unknown");
    fx->profile->origin = DEVICE_ORIGIN_LINUX;
    assert_int_equal(judge(fx, "no Metal device"), CONSTRAINT_METAL);
    fx->spec->allow_cpu = TRI_TRUE;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
}

static void a_class_without_state_is_unknown_in_all(void **state)
{
    struct fixture *fx = *state;

    state_free(fx->fleet->classes[0].state);
    fx->fleet->classes[0].state = NULL;
    assert_int_equal(judge(fx, NULL), CONSTRAINT_NONE);
    fx->spec->min_user_idle_seconds = 1;
    unknown_excludes(fx, "idle time unknown");
}

static void clients(void **state)
{
    struct fixture *fx = *state;
    struct client *c = &fx->fleet->clients[1]; /* mac-2 */
    struct rules *r;
    struct verdict v;

    assert_int_equal(texts_add(&fx->spec->include, &fx->spec->include_count, "mac-4", NULL), 0);
    assert_int_equal(texts_add(&fx->spec->include, &fx->spec->include_count, "mac-2", NULL), 0);
    assert_int_equal(texts_add(&fx->spec->exclude, &fx->spec->exclude_count, "mac-4", NULL), 0);
    r = rules_new(fx->spec, NULL);
    assert_non_null(r);
    assert_true(rules_allow_client(r, c, &v));
    assert_false(rules_allow_client(r, &fx->fleet->clients[0], &v));
    assert_string_equal(v.text, "not in rules.include");
    assert_false(rules_allow_client(r, &fx->fleet->clients[3], &v));
    assert_string_equal(v.text, "in rules.exclude");
    c->liveness = LIVENESS_LATE; /* one heartbeat missed: it is likely to be back */
    assert_true(rules_allow_client(r, c, &v));
    c->liveness = LIVENESS_OFFLINE;
    c->state_age_ms = 90000;
    assert_false(rules_allow_client(r, c, &v));
    assert_int_equal(v.constraint, CONSTRAINT_LIVENESS);
    assert_non_null(strstr(v.text, "90 s old"));
    c->state_age_ms = UNKNOWN_I64;
    assert_false(rules_allow_client(r, c, &v));
    rules_free(r);
    r = rules_new(NULL, NULL); /* a job without rules */
    assert_non_null(r);
    assert_true(rules_allow_client(r, &fx->fleet->clients[3], &v));
    rules_free(r);
    rules_free(NULL);
}

static void versions_compare_by_number(void **state)
{
    (void)state;
    assert_int_equal(rules_version_compare("26.1", "26.1"), 0);
    assert_int_equal(rules_version_compare("26", "26.0.0"), 0);
    assert_int_equal(rules_version_compare("26.2", "26.10"), -1);
    assert_int_equal(rules_version_compare("27", "26.10"), 1);
    assert_int_equal(rules_version_compare("", "1"), -1);
    assert_int_equal(rules_version_compare("15.6.1", "15.6"), 1);
    assert_int_equal(rules_version_compare("26.1 (beta)", "26.1"), 0);
    assert_int_equal(rules_version_compare("99999999999999999999", "1"), 1);
}

static void rules_survive_lost_memory(void **state)
{
    struct fixture *fx = *state;
    struct rules *r = NULL;
    unsigned nth = 0;

    do {
        mem_fail_at(++nth);
        r = rules_new(fx->spec, NULL);
    } while (!r && nth < 100);
    mem_fail_at(0);
    assert_in_range(nth, 2, 99);
    rules_free(r);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(power),
        TEST(battery),
        TEST(heat),
        TEST(pressure_idle_and_disk),
        TEST(system_and_low_power),
        TEST(metal),
        TEST(a_class_without_state_is_unknown_in_all),
        TEST(clients),
        TEST(versions_compare_by_number),
        TEST(rules_survive_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
