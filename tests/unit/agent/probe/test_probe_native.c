/* test_probe_native.c - the machine that the test runs on, by its own backend: a Mac on a Mac.
 *
 * What it is cannot be known here. What can: each fact is in its range (the probe checks that) and
 * either known or explained, and what every machine has is known. */
#include "agent/probe/probe.h"

#include "agent/probe/fact.h"
#include "agent/probe/process.h"
#include "common/core/err.h"
#include "common/model/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *profile_reason(const void *record, const char *field)
{
    return profile_find_unknown(record, field);
}

static const char *state_reason(const void *record, const char *field)
{
    return state_find_unknown(record, field);
}

/* Known or explained, never both. */
static void check_explained(const struct record_type *type, const void *record,
                            const char *(*reason)(const void *, const char *))
{
    static const char may_be_absent[] = " recording_id name agent_version wired_limit_bytes facts "
                                        "unknown synthetic ";

    for (size_t i = 0; i < type->count; i++) {
        const char *name = type->fields[i].name;
        char word[80];

        snprintf(word, sizeof word, " %s ", name);
        if (field_is_known(&type->fields[i], record) == (reason(record, name) != NULL) &&
            !strstr(may_be_absent, word))
            fail_msg("%s.%s is %s", type->name, name,
                     reason(record, name) ? "known, and explained as unknown"
                                          : "neither known nor explained");
    }
}

static void this_machine_is_known_or_explained(void **state)
{
    struct probe_options options = {.volume_path = "/"};
    struct profile *p = NULL;
    struct state *s = NULL;
    struct err err;
    struct probe *probe = probe_open(&options, &err);

    (void)state;
    if (!probe || probe_profile(probe, 0, &p, &err) < 0 || probe_state(probe, 0, &s, &err) < 0) {
        fail_msg("%s", err.text);
        return;
    }
    check_explained(&profile_type, p, profile_reason);
    check_explained(&state_type, s, state_reason);
    assert_false(probe_is_replay(probe));
    assert_true(known_i64(p->memory_bytes));
    assert_non_null(p->os_name);
    assert_non_null(p->kernel_version);
    assert_true(known_f64(s->uptime_seconds));
    assert_true(known_i64(s->memory_available_bytes));
    assert_true(s->memory_available_bytes <= p->memory_bytes);
    assert_true(known_i64(s->disk_free_bytes));
#ifdef __APPLE__
    assert_string_equal(probe_backend_name(probe), "macOS");
    assert_int_equal(p->origin, DEVICE_ORIGIN_MAC);
    assert_string_equal(p->os_name, "macOS");
    assert_non_null(p->os_version);
    assert_non_null(p->chip);
    assert_true(p->cpu_levels_count > 0);
    assert_true(s->links_count > 0);
    assert_int_not_equal(s->memory_pressure, MEMORY_PRESSURE_UNSET);
#endif
    state_free(s);
    profile_free(p);
    probe_free(probe);
}

static void this_process_holds_memory(void **state)
{
    int64_t group = getpgrp(), bytes = 0;

    (void)state;
    assert_int_equal(process_groups_memory(&group, 1, &bytes, NULL), 0);
    assert_true(bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine_is_known_or_explained),
        cmocka_unit_test(this_process_holds_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
