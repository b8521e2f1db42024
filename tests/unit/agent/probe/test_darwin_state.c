/* test_darwin_state.c - how a Mac is now, by the real code for Macs on an invented one. */
#include "tests/unit/agent/probe/mac_lab.h"

#include "agent/probe/process.h"

#define PAGE 16384

static void a_mac_that_answers_everything_is_known_whole(void **state)
{
    struct mac m = mac_open(NULL);
    const struct state *s = m.s;

    (void)state;
    assert_int_equal(s->synthetic, TRI_FALSE);
    assert_int_equal(s->memory_available_bytes,
                     137438953472 - (1500000LL - 10000 + 300000 + 50000) * PAGE);
    assert_int_equal(s->memory_free_bytes, (500000LL - 20000) * PAGE);
    assert_int_equal(s->memory_wired_bytes, 300000LL * PAGE);
    assert_int_equal(s->memory_compressed_bytes, 50000LL * PAGE);
    assert_float_equal(s->memory_free_percent, 71, 0);
    assert_int_equal(s->memory_pressure, MEMORY_PRESSURE_NORMAL);
    assert_int_equal(s->swap_total_bytes, 2147483648);
    assert_int_equal(s->swap_used_bytes, 1073741824);
    assert_float_equal(s->gpu_load, 0.37, 1e-9);
    assert_int_equal(s->gpu_memory_used_bytes, 3221225472);
    assert_float_equal(s->load_average, 2.5, 0);
    assert_float_equal(s->uptime_seconds, 3600.5, 1e-6);
    assert_int_equal(s->thermal, THERMAL_NOMINAL);
    assert_int_equal(s->power_source, POWER_SOURCE_AC);
    assert_int_equal(s->has_battery, TRI_TRUE);
    assert_float_equal(s->battery_percent, 84, 1e-9);
    assert_int_equal(s->charging, TRI_TRUE);
    assert_int_equal(s->low_power_mode, TRI_FALSE);
    assert_int_equal(s->lid_closed, TRI_FALSE);
    assert_float_equal(s->user_idle_seconds, 62.5, 1e-9);
    assert_int_equal(s->disk_free_bytes, 244140625LL * 4096);
    assert_int_equal(s->links_count, 5);
    /* a load needs two readings: 400 of 1000 ticks were busy in between */
    want_state_unknown(&m, "cpu_load", "two readings");
    mac_read(&m, 1000);
    assert_float_equal(m.s->cpu_load, 0.4, 1e-9);
    mac_close(&m);
}

static void counters_go_past_their_end(void **state)
{
    struct mac m = mac_open("{\"host\": {\"cpu\": [[4294967290, 4294967295, 4294967200, 0], "
                            "[4, 1, 88, 0], [4, 1, 88, 0]]}}");

    (void)state;
    mac_read(&m, 1000); /* 10 + 2 busy, 184 idle */
    assert_float_equal(m.s->cpu_load, 12.0 / 196, 1e-9);
    mac_read(&m, 2000); /* the kernel gave an old copy */
    want_state_unknown(&m, "cpu_load", "two readings");
    darwin_double_change("{\"host\": {\"cpu\": null}}");
    mac_read(&m, 3000);
    want_state_unknown(&m, "cpu_load", "error 5");
    mac_close(&m);
}

static void a_longer_statistic_is_read_as_far_as_we_know_it(void **state)
{
    struct mac m = mac_open("{\"host\": {\"vm\": {\"count\": 40}}}");

    (void)state;
    assert_int_equal(m.s->memory_wired_bytes, 300000LL * PAGE);
    mac_close(&m);
    m = mac_open("{\"host\": {\"vm\": {\"count\": 1024}}}");
    assert_int_equal(m.s->memory_wired_bytes, 300000LL * PAGE);
    mac_close(&m);
    m = mac_open("{\"host\": {\"vm\": {\"count\": 20}}}"); /* a shorter one has no compressor */
    want_state_unknown(&m, "memory_wired_bytes", "too little");
    mac_close(&m);
    m = mac_open("{\"host\": {\"vm\": null}}");
    want_state_unknown(&m, "memory_available_bytes", "error 5");
    want_state_unknown(&m, "memory_free_bytes", "error 5");
    mac_close(&m);
}

static void counters_that_cannot_be_are_not_subtracted(void **state)
{
    struct mac m = mac_open("{\"host\": {\"vm\": {\"wire\": 4294967295, \"free\": 5}}}");

    (void)state;
    want_state_unknown(&m, "memory_available_bytes", "in use of 137438953472");
    assert_int_equal(m.s->memory_free_bytes, 0); /* less than what was read ahead */
    mac_close(&m);
    m = mac_open("{\"host\": {\"page_bytes\": 0}}");
    want_state_unknown(&m, "memory_available_bytes", "too little");
    mac_close(&m);
}

static void pressure_is_flags_and_no_scale(void **state)
{
    static const struct {
        int level, word;
    } rows[] = {{1, MEMORY_PRESSURE_NORMAL},   {2, MEMORY_PRESSURE_WARN},
                {4, MEMORY_PRESSURE_CRITICAL}, {0, MEMORY_PRESSURE_UNSET},
                {3, MEMORY_PRESSURE_UNSET},    {8, MEMORY_PRESSURE_UNSET}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char changes[128];
        struct mac m;

        snprintf(changes, sizeof changes,
                 "{\"sysctl\": {\"kern.memorystatus_vm_pressure_level\": %d}}", rows[i].level);
        m = mac_open(changes);
        assert_int_equal(m.s->memory_pressure, rows[i].word);
        if (!rows[i].word)
            want_state_unknown(&m, "memory_pressure", "wanted 1, 2 or 4");
        mac_close(&m);
    }
}

static void swap_that_is_no_struct_is_unknown(void **state)
{
    struct mac m = mac_open("{\"sysctl\": {\"vm.swapusage\": {\"bytes\": 4}, "
                            "\"kern.memorystatus_level\": 250}}");

    (void)state;
    want_state_unknown(&m, "swap_used_bytes", "gives 4 bytes");
    want_state_unknown(&m, "memory_free_percent", "250, which makes no sense");
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"vm.swapusage\": null}}");
    want_state_unknown(&m, "swap_total_bytes", "no sysctl vm.swapusage");
    mac_close(&m);
}

static void heat_has_five_words_of_which_we_have_four(void **state)
{
    static const int words[] = {THERMAL_NOMINAL,  THERMAL_FAIR,     THERMAL_SERIOUS,
                                THERMAL_CRITICAL, THERMAL_CRITICAL, THERMAL_UNSET};

    (void)state;
    for (int level = 0; level < 6; level++) {
        char changes[128];
        struct mac m;

        snprintf(changes, sizeof changes,
                 "{\"notify\": {\"com.apple.system.thermalpressurelevel\": %d}}", level);
        m = mac_open(changes);
        assert_int_equal(m.s->thermal, words[level]);
        if (level == 5)
            want_state_unknown(&m, "thermal", "is 5, wanted 0 to 4");
        mac_close(&m);
    }
}

static void a_refused_notification_is_unknown(void **state)
{
    struct mac m = mac_open("{\"notify\": null}");

    (void)state;
    want_state_unknown(&m, "thermal", "status 4");
    want_state_unknown(&m, "low_power_mode", "status 4");
    mac_close(&m);
    m = mac_open("{\"notify\": {\"com.apple.system.lowpowermode\": 7}}");
    want_state_unknown(&m, "low_power_mode", "is 7, wanted 0 or 1");
    darwin_double_change("{\"notify\": {\"com.apple.system.lowpowermode\": 1}}");
    mac_read(&m, 1000);
    assert_int_equal(m.s->low_power_mode, TRI_TRUE);
    darwin_double_change("{\"notify\": {\"com.apple.system.lowpowermode\": null}}");
    mac_read(&m, 2000);
    want_state_unknown(&m, "low_power_mode", "status 2");
    mac_close(&m);
}

static void a_ups_is_no_battery(void **state)
{
    struct mac m = mac_open("{\"power\": {\"providing\": \"UPS Power\", \"sources\": [{\"Type\": "
                            "\"UPS\", \"Current Capacity\": 100, \"Max Capacity\": 100, \"Is "
                            "Charging\": false}]}}");

    (void)state;
    assert_int_equal(m.s->power_source, POWER_SOURCE_UPS);
    assert_int_equal(m.s->has_battery, TRI_FALSE);
    assert_false(known_f64(m.s->battery_percent));
    want_state_unknown(&m, "battery_percent", "no battery");
    want_state_unknown(&m, "charging", "no battery");
    mac_close(&m);
}

static void the_battery_is_found_behind_a_ups(void **state)
{
    struct mac m = mac_open("{\"power\": {\"providing\": \"Battery Power\", \"sources\": "
                            "[{\"Type\": \"UPS\", \"Current Capacity\": 50}, {\"Type\": "
                            "\"InternalBattery\", \"Current Capacity\": 1500, \"Max Capacity\": "
                            "6000, \"Is Charging\": false}]}}");

    (void)state;
    assert_int_equal(m.s->power_source, POWER_SOURCE_BATTERY);
    assert_int_equal(m.s->has_battery, TRI_TRUE);
    assert_float_equal(m.s->battery_percent, 25, 1e-9);
    assert_int_equal(m.s->charging, TRI_FALSE);
    mac_close(&m);
}

static void a_desktop_has_neither_battery_nor_lid(void **state)
{
    struct mac m = mac_open("{\"power\": {\"sources\": []}, \"registry\": [{\"class\": "
                            "\"IOPMrootDomain\", \"properties\": {}}]}");

    (void)state;
    assert_int_equal(m.s->has_battery, TRI_FALSE);
    want_state_unknown(&m, "lid_closed", "AppleClamshellState");
    want_state_unknown(&m, "user_idle_seconds", "no IOHIDSystem");
    mac_close(&m);
}

static void power_that_is_not_told_is_unknown(void **state)
{
    struct mac m = mac_open("{\"power\": null}");

    (void)state;
    want_state_unknown(&m, "power_source", "gives nothing");
    want_state_unknown(&m, "has_battery", "gives nothing");
    mac_close(&m);
    m = mac_open("{\"power\": {\"providing\": \"Solar Power\", \"sources\": [{\"Type\": "
                 "\"InternalBattery\", \"Is Present\": true, \"Current Capacity\": \"full\", "
                 "\"Max Capacity\": 0, \"Is Charging\": null}]}}");
    want_state_unknown(&m, "power_source", "Solar Power");
    assert_int_equal(m.s->has_battery, TRI_TRUE);
    want_state_unknown(&m, "battery_percent", "no capacity");
    want_state_unknown(&m, "charging", "whether it is charging");
    mac_close(&m);
    m = mac_open("{\"power\": {\"sources\": [{\"Type\": \"InternalBattery\", \"Is Present\": "
                 "false}]}}"); /* taken out */
    assert_int_equal(m.s->has_battery, TRI_FALSE);
    mac_close(&m);
}

static void a_gpu_without_statistics_is_not_idle(void **state)
{
    struct mac m = mac_open("{\"registry\": [{\"class\": \"AGXAccelerator\", \"properties\": "
                            "{\"gpu-core-count\": 10}}]}");

    (void)state;
    assert_int_equal(m.p->gpu_cores, 10);
    want_state_unknown(&m, "gpu_load", "PerformanceStatistics");
    want_state_unknown(&m, "gpu_memory_used_bytes", "PerformanceStatistics");
    mac_close(&m);
    m = mac_open("{\"registry\": [{\"class\": \"AGXAccelerator\", \"properties\": "
                 "{\"PerformanceStatistics\": {\"Device Utilization %\": 250, \"In use system "
                 "memory\": 0}}}]}");
    want_state_unknown(&m, "gpu_load", "2.5, which makes no sense");
    assert_int_equal(m.s->gpu_memory_used_bytes, 0); /* this 0 is an answer */
    mac_close(&m);
}

/* ---- network ---- */

static const struct link *find_link(const struct mac *m, const char *name)
{
    for (size_t i = 0; i < m->s->links_count; i++) {
        if (strcmp(m->s->links[i].name, name) == 0)
            return &m->s->links[i];
    }
    return NULL;
}

static void interfaces_have_kinds_and_speeds(void **state)
{
    struct mac m = mac_open(NULL);
    static const struct {
        const char *name;
        int kind;
        double speed; /* 0: unknown */
    } rows[] = {{"lo0", LINK_KIND_LOOPBACK, 0},
                {"en0", LINK_KIND_WIFI, 1.2e9},
                {"en2", LINK_KIND_THUNDERBOLT, 4e10}, /* of its port; its own rate is 0 */
                {"en7", LINK_KIND_ETHERNET, 1e10},    /* more than 2^32 */
                {"bridge0", LINK_KIND_THUNDERBOLT, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct link *link = find_link(&m, rows[i].name);

        assert_non_null(link);
        assert_int_equal(link->kind, rows[i].kind);
        assert_int_equal(link->up, TRI_TRUE);
        assert_int_equal(known_f64(link->speed_bps), rows[i].speed > 0);
        if (rows[i].speed > 0)
            assert_float_equal(link->speed_bps, rows[i].speed, 0);
    }
    mac_close(&m);
}

static void a_pulled_cable_is_down_although_it_says_running(void **state)
{
    struct mac m = mac_open(
        "{\"interfaces\": [{\"name\": \"en7\", \"flags\": 34915, \"type\": 6, \"baudrate\": "
        "1000000000, \"functional\": 2, \"media\": {\"current\": 32, \"status\": 1}}, {\"name\": "
        "\"en2\", \"flags\": 34915, \"type\": 6, \"functional\": 2}, {\"name\": \"en9\", "
        "\"flags\": 34819, \"type\": 6, \"functional\": 2}], \"registry\": [{\"class\": "
        "\"IOEthernetInterface\", \"bsd\": \"en2\", \"parent\": {\"class\": "
        "\"AppleThunderboltIPPort\", \"properties\": {\"IOLinkStatus\": 1}}}]}");

    (void)state;
    assert_int_equal(find_link(&m, "en7")->up, TRI_FALSE);
    assert_int_equal(find_link(&m, "en2")->up, TRI_FALSE); /* the port knows */
    assert_false(known_f64(find_link(&m, "en2")->speed_bps));
    assert_int_equal(find_link(&m, "en9")->up, TRI_FALSE); /* up, not running */
    mac_close(&m);
}

static void a_kind_that_is_not_told_is_not_guessed(void **state)
{
    struct mac m = mac_open("{\"interfaces\": [{\"name\": \"en0\", \"flags\": 67, \"type\": 6, "
                            "\"media\": {\"current\": 128, \"status\": 3}}, {\"name\": \"en1\", "
                            "\"flags\": 67, \"type\": 6, \"media\": {\"current\": 32, \"status\": "
                            "3}}, {\"name\": \"en2\", \"flags\": 67, \"type\": 6, "
                            "\"functional\": 9}, {\"name\": \"lo0\", \"flags\": 67, \"type\": "
                            "24}, {\"name\": \"pdp_ip0\", \"flags\": 67, \"type\": 255, "
                            "\"functional\": 5}, {\"name\": \"fw0\", \"flags\": 67, \"type\": "
                            "144}], \"registry\": []}");

    (void)state;
    assert_int_equal(find_link(&m, "en0")->kind, LINK_KIND_WIFI); /* of its medium */
    assert_int_equal(find_link(&m, "en1")->kind, LINK_KIND_ETHERNET);
    assert_int_equal(find_link(&m, "en2")->kind, LINK_KIND_UNSET);
    assert_int_equal(find_link(&m, "lo0")->kind, LINK_KIND_LOOPBACK);
    assert_int_equal(find_link(&m, "pdp_ip0")->kind, LINK_KIND_CELLULAR);
    assert_int_equal(find_link(&m, "fw0")->kind, LINK_KIND_OTHER);
    mac_close(&m);
}

static void a_list_that_is_cut_anywhere_is_survived(void **state)
{
    struct mac m = mac_open("{\"missing\": {\"registry\": \"not here\"}, \"no_socket\": true}");
    size_t whole = m.s->links_count, least = whole;
    char changes[64];

    (void)state;
    assert_int_equal(whole, 5);
    assert_int_equal(find_link(&m, "en0")->kind, LINK_KIND_UNSET); /* no socket, no answer */
    for (int cut = 1; cut <= 10 * (180 + 20); cut++) {
        snprintf(changes, sizeof changes, "{\"interfaces_cut\": %d}", cut);
        darwin_double_change(changes);
        mac_read(&m, cut * 1000);
        if (m.s->links_count < least)
            least = m.s->links_count;
    }
    assert_int_equal(least, 0);
    want_state_unknown(&m, "links", "no network interface");
    darwin_double_change("{\"interfaces_errno\": 1}");
    mac_read(&m, 10000000);
    want_state_unknown(&m, "links", "Operation not permitted");
    mac_close(&m);
}

static void a_volume_that_is_gone_is_unknown(void **state)
{
    struct mac m = mac_open("{\"disk\": null}");

    (void)state;
    want_state_unknown(&m, "disk_free_bytes", "No such file");
    darwin_double_change("{\"disk\": {\"block_bytes\": 4096, \"available_blocks\": "
                         "900719925474099}}");
    mac_read(&m, 1000);
    want_state_unknown(&m, "disk_free_bytes", "no usable number");
    mac_close(&m);
}

/* ---- processes ---- */

static void a_group_holds_what_its_processes_hold(void **state)
{
    const struct darwin_calls *calls = darwin_double_open(WHOLE, NULL);
    int64_t groups[] = {500, 504, 999}, bytes = -1;

    (void)state;
    assert_int_equal(process_darwin_groups_memory(calls, groups, 3, &bytes, NULL), 0);
    assert_int_equal(bytes, 3000000064); /* one of the three is another user's */
    assert_int_equal(process_darwin_groups_memory(calls, groups, 0, &bytes, NULL), 0);
    assert_int_equal(bytes, 0);
    mem_fail_at(1);
    assert_int_equal(process_darwin_groups_memory(calls, groups, 1, &bytes, NULL), -1);
    mem_fail_at(0);
    darwin_double_close();
}

/* ---- pace ---- */

/* An agent that asks ten times a second, for a minute, for both reports. */
static void nothing_is_read_more_than_once_a_second(void **state)
{
    struct mac m = mac_open(NULL);
    unsigned once = darwin_double_reads();

    (void)state;
    for (int64_t now = 100; now < 60000; now += 100)
        mac_read(&m, now);
    if (darwin_double_too_soon())
        fail_msg("read too soon: %s", darwin_double_too_soon());
    assert_in_range(darwin_double_reads(), 50 * once, 60 * once);
    mac_close(&m);
}

/* The double does notice. */
static void the_pace_is_watched(void **state)
{
    struct mac m = mac_open(NULL);

    (void)state;
    mac_read(&m, 1000);
    assert_null(darwin_double_too_soon());
    mac_read(&m, -5000); /* a clock that went back: read at once */
    assert_non_null(darwin_double_too_soon());
    mac_close(&m);
}

static void lost_memory_is_survived(void **state)
{
    struct mac m = mac_open(NULL);
    struct state *s = NULL;
    unsigned nth = 0;
    int64_t now = 0;
    int rc;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = probe_state(m.probe, now += 1000, &s, NULL);
        mem_fail_at(0);
        assert_true((rc == 0) == (s != NULL));
    } while (rc < 0 && nth < 5000);
    assert_in_range(nth, 2, 4999);
    assert_true(s && s->links_count == 5);
    state_free(s);
    mac_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mac_that_answers_everything_is_known_whole),
        cmocka_unit_test(counters_go_past_their_end),
        cmocka_unit_test(a_longer_statistic_is_read_as_far_as_we_know_it),
        cmocka_unit_test(counters_that_cannot_be_are_not_subtracted),
        cmocka_unit_test(pressure_is_flags_and_no_scale),
        cmocka_unit_test(swap_that_is_no_struct_is_unknown),
        cmocka_unit_test(heat_has_five_words_of_which_we_have_four),
        cmocka_unit_test(a_refused_notification_is_unknown),
        cmocka_unit_test(a_ups_is_no_battery),
        cmocka_unit_test(the_battery_is_found_behind_a_ups),
        cmocka_unit_test(a_desktop_has_neither_battery_nor_lid),
        cmocka_unit_test(power_that_is_not_told_is_unknown),
        cmocka_unit_test(a_gpu_without_statistics_is_not_idle),
        cmocka_unit_test(interfaces_have_kinds_and_speeds),
        cmocka_unit_test(a_pulled_cable_is_down_although_it_says_running),
        cmocka_unit_test(a_kind_that_is_not_told_is_not_guessed),
        cmocka_unit_test(a_list_that_is_cut_anywhere_is_survived),
        cmocka_unit_test(a_volume_that_is_gone_is_unknown),
        cmocka_unit_test(a_group_holds_what_its_processes_hold),
        cmocka_unit_test(nothing_is_read_more_than_once_a_second),
        cmocka_unit_test(the_pace_is_watched),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
