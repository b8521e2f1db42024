/* test_probe.c - any recorded machine in place of the real one. */
#include "agent/probe/probe.h"
#include "agent/probe/fact.h"
#include "common/model/device.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/time.h>

#include <cmocka.h>

#define MACHINES ESPALIER_TEST_DATA "/machines"
#define MACHINES_MIN 107 /* recorded ones; composed and invented ones may be beside them */

static void a_recorded_mac_is_reported_as_recorded(void **state)
{
    struct probe_options options = {.replay_path = MACHINES "/m2ultra-192gb-1.json"};
    struct profile *p = NULL;
    struct state *s = NULL;
    struct err err;
    struct probe *probe = probe_open(&options, &err);

    (void)state;
    if (!probe)
        fail_msg("%s", err.text);
    assert_true(probe_is_replay(probe));
    assert_int_equal(probe_profile(probe, 0, &p, &err), 0);
    assert_int_equal(p->origin, DEVICE_ORIGIN_RECORDED);
    assert_string_equal(p->recording_id, "m2ultra-192gb-1");
    assert_int_equal(p->memory_bytes, 206158430208);
    assert_int_equal(profile_find_note(p, "chip")->source, FACT_SOURCE_STATED);
    assert_false(known_i64(p->gpu_cores));
    assert_non_null(profile_find_unknown(p, "gpu_cores"));
    /* nothing of the machine that the test runs on */
    assert_int_equal(probe_state(probe, 0, &s, &err), 0);
    assert_false(known_i64(s->memory_available_bytes));
    assert_non_null(state_find_unknown(s, "memory_available_bytes"));
    assert_false(known_i64(s->disk_free_bytes));
    assert_int_equal(s->links_count, 0);
    state_free(s);
    profile_free(p);
    probe_free(probe);
}

/* Known, or listed as unknown with a reason; never both. */
static void check_explained(const struct record_type *type, const void *record,
                            const char *(*reason)(const void *, const char *))
{
    static const char *const absent[] = {"recording_id", "name",      "agent_version",    "facts",
                                         "unknown",      "synthetic", "wired_limit_bytes"};

    for (size_t i = 0; i < type->count; i++) {
        const char *name = type->fields[i].name;
        int may = 0;

        for (size_t k = 0; k < sizeof absent / sizeof absent[0]; k++)
            may |= strcmp(absent[k], name) == 0;
        if (field_is_known(&type->fields[i], record))
            assert_null(reason(record, name));
        else if (!may && !reason(record, name))
            fail_msg("%s.%s is neither known nor explained", type->name, name);
    }
}

static const char *profile_reason(const void *record, const char *field)
{
    return profile_find_unknown(record, field);
}

static const char *state_reason(const void *record, const char *field)
{
    return state_find_unknown(record, field);
}

static void every_machine_loads_and_explains_what_it_lacks(void **state)
{
    char **names = NULL;
    size_t count = 0, recorded = 0;

    (void)state;
    assert_int_equal(file_list(MACHINES, 1000, &names, &count, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        char *path = file_path(NULL, "%s/%s", MACHINES, names[i]);
        struct probe_options options = {.replay_path = path};
        struct profile *p = NULL;
        struct state *s = NULL;
        struct probe *probe;
        struct err err;

        if (!strstr(names[i], ".json")) {
            mem_free(path);
            continue;
        }
        if (!(probe = probe_open(&options, &err)) || probe_profile(probe, 0, &p, &err) < 0 ||
            probe_state(probe, 0, &s, &err) < 0 || !p || !s) {
            fail_msg("%s: %s", names[i], err.text);
            return;
        }
        check_explained(&profile_type, p, profile_reason);
        check_explained(&state_type, s, state_reason);
        recorded += p->origin == DEVICE_ORIGIN_RECORDED;
        state_free(s);
        profile_free(p);
        probe_free(probe);
        mem_free(path);
    }
    assert_true(recorded >= MACHINES_MIN);
    file_list_free(names, count);
}

static void live_values_come_from_their_own_file_and_follow_it(void **state)
{
    char *dir = folder_make(), *path = file_path(NULL, "%s/state.json", dir);
    struct probe_options options = {.replay_path = MACHINES "/m1-8gb-1.json", .state_path = path};
    struct timeval later[2] = {{2000000000, 0}, {2000000000, 0}};
    struct state *s = NULL;
    struct probe *probe;

    (void)state;
    folder_put(dir, "state.json",
               "{\"thermal\": \"fair\", \"memory_available_bytes\": 4000000000}");
    assert_non_null(probe = probe_open(&options, NULL));
    assert_int_equal(probe_state(probe, 0, &s, NULL), 0);
    assert_int_equal(s->thermal, THERMAL_FAIR);
    assert_int_equal(s->synthetic, TRI_TRUE);
    state_free(s);

    folder_put(dir, "state.json", "{\"thermal\": \"serious\"}");
    utimes(path, later);
    assert_int_equal(probe_state(probe, 0, &s, NULL), 0);
    assert_int_equal(s->thermal, THERMAL_SERIOUS);
    assert_false(known_i64(s->memory_available_bytes));
    state_free(s);

    folder_put(dir, "state.json", "{\"thermal\": "); /* half written: the last values stand */
    assert_int_equal(probe_state(probe, 0, &s, NULL), 0);
    assert_int_equal(s->thermal, THERMAL_SERIOUS);
    state_free(s);
    probe_free(probe);
    mem_free(path);
    folder_remove(dir);
}

static void what_cannot_be_replayed_is_refused_by_name(void **state)
{
    char *dir = folder_make(), *path = file_path(NULL, "%s/bad.json", dir);
    struct probe_options missing = {.replay_path = MACHINES "/none.json"};
    struct probe_options alone = {.state_path = MACHINES "/m1-1.json"};
    struct probe_options bad = {.replay_path = path};
    struct err err;

    (void)state;
    assert_null(probe_open(&missing, &err));
    assert_non_null(strstr(err.text, "none.json"));
    assert_null(probe_open(&alone, &err));
    folder_put(dir, "bad.json",
               "{\"id\": \"x\", \"kind\": \"k\", \"sysctl\": {\"hw.memsize\": \"lots\"}}");
    assert_null(probe_open(&bad, &err));
    assert_non_null(strstr(err.text, "bad.json"));
    assert_non_null(strstr(err.text, "hw.memsize"));
    mem_free(path);
    folder_remove(dir);
}

static void lost_memory_is_survived(void **state)
{
    struct probe_options options = {.replay_path = MACHINES "/m4-16gb-1.json"};
    struct profile *p = NULL;
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct probe *probe;

        mem_fail_at(++nth);
        probe = probe_open(&options, NULL);
        rc = probe ? probe_profile(probe, 0, &p, NULL) : -1;
        mem_fail_at(0);
        assert_true((rc == 0) == (p != NULL));
        probe_free(probe);
    } while (rc < 0 && nth < 5000);
    assert_in_range(nth, 2, 4999);
    profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_mac_is_reported_as_recorded),
        cmocka_unit_test(every_machine_loads_and_explains_what_it_lacks),
        cmocka_unit_test(live_values_come_from_their_own_file_and_follow_it),
        cmocka_unit_test(what_cannot_be_replayed_is_refused_by_name),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
