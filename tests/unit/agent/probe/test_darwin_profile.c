/* test_darwin_profile.c - what a Mac is, by the real code for Macs on an invented one.
 *
 * Traps are named for what was seen on real Macs, or is to be expected of them. */
#include "tests/unit/agent/probe/mac_lab.h"

static void a_mac_that_answers_everything_is_known_whole(void **state)
{
    struct mac m = mac_open(NULL);
    const struct profile *p = m.p;

    (void)state;
    assert_string_equal(probe_backend_name(m.probe), "macOS");
    assert_int_equal(p->origin, DEVICE_ORIGIN_MAC);
    assert_string_equal(p->chip, "Apple M5 Max");
    assert_string_equal(p->model_identifier, "Mac17,6");
    assert_int_equal(p->virtual_machine, TRI_FALSE);
    assert_int_equal(p->memory_bytes, 137438953472);
    assert_int_equal(p->memory_usable_bytes, 136502542336);
    assert_int_equal(p->cpu_cores, 18);
    assert_int_equal(p->gpu_cores, 40);
    assert_int_equal(p->neural_engine_cores, 16);
    assert_string_equal(p->neural_engine_architecture, "h17s");
    assert_string_equal(p->os_name, "macOS");
    assert_string_equal(p->os_version, "26.2");
    assert_string_equal(p->os_build, "25C56");
    assert_string_equal(p->kernel_version, "25.2.0");
    assert_string_equal(p->metal->name, "Apple M5 Max");
    assert_int_equal(p->metal->working_set_bytes, 115448725504);
    assert_int_equal(p->metal->max_buffer_bytes, 86586540032);
    assert_int_equal(p->metal->threadgroup_memory_bytes, 32768);
    assert_int_equal(p->metal->unified_memory, TRI_TRUE);
    assert_string_equal(p->metal->family, "MTLGPUFamilyApple10 (1010)");
    assert_string_equal(p->metal->metal_version, "MTLGPUFamilyMetal4 (5002)");
    assert_string_equal(p->metal->architecture, "applegpu_g17s");
    assert_int_equal(p->metal->families_count, 17);
    assert_int_equal(p->metal->families[16], 5002);
    assert_int_equal(p->cpu_features_count, 7);
    assert_string_equal(p->cpu_features[3], "FEAT_BF16");
    assert_int_equal(p->sme_vector_bytes, 64);
    assert_int_equal(p->rdma, TRI_TRUE);
    assert_int_equal(p->rdma_devices_count, 2);
    assert_string_equal(p->rdma_devices[1], "rdma_en3");
    assert_string_equal(profile_find_note(p, "memory_bytes")->detail, "sysctl hw.memsize");
    /* only what is measured is left */
    assert_int_equal(p->unknown_count, 2);
    want_profile_unknown(&m, "gpu_flops", "not measured");
    want_profile_unknown(&m, "memory_bandwidth_bytes_per_s", "not measured");
    mac_close(&m);
}

static void super_and_performance_cores_keep_their_names(void **state)
{
    struct mac m = mac_open(NULL);

    (void)state;
    assert_int_equal(m.p->cpu_levels_count, 2);
    assert_string_equal(m.p->cpu_levels[0].name, "Super");
    assert_int_equal(m.p->cpu_levels[0].cores, 6);
    assert_int_equal(m.p->cpu_levels[0].l2_bytes, 16777216);
    assert_string_equal(m.p->cpu_levels[1].name, "Performance");
    assert_int_equal(m.p->cpu_levels[1].cores, 12);
    assert_int_equal(m.p->cpu_levels[1].cpus_per_l2, 6);
    mac_close(&m);
}

static void three_levels_are_three(void **state)
{
    struct mac m = mac_open("{\"sysctl\": {\"hw.nperflevels\": 3, \"hw.perflevel2.name\": "
                            "\"Efficiency\", \"hw.perflevel2.physicalcpu\": 6}}");

    (void)state;
    assert_int_equal(m.p->cpu_levels_count, 3);
    assert_string_equal(m.p->cpu_levels[2].name, "Efficiency");
    assert_int_equal(m.p->cpu_levels[2].cores, 6);
    assert_false(known_i64(m.p->cpu_levels[2].l2_bytes)); /* no such key: not 0 */
    mac_close(&m);
}

static void levels_stop_where_the_system_says_so(void **state)
{
    struct mac m = mac_open("{\"sysctl\": {\"hw.nperflevels\": 1}}");

    (void)state;
    assert_int_equal(m.p->cpu_levels_count, 1); /* although hw.perflevel1 would answer */
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"hw.nperflevels\": 1000000}}");
    assert_int_equal(m.p->cpu_levels_count, 2);
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"hw.nperflevels\": null}}"); /* then they are counted */
    assert_int_equal(m.p->cpu_levels_count, 2);
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"hw.nperflevels\": 0}}");
    want_profile_unknown(&m, "cpu_levels", "hw.nperflevels is 0");
    mac_close(&m);
}

static void a_negative_cpufamily_is_a_large_number(void **state)
{
    struct mac m = mac_open("{\"sysctl\": {\"hw.cpufamily\": -634136515}}");

    (void)state;
    assert_int_equal(m.p->cpu_family, 0xda33d83d); /* M2 */
    mac_close(&m);
}

/* The kernel's number decides; a program built for an older system is told 16. */
static void the_compatible_version_is_seen_through(void **state)
{
    static const struct {
        const char *product, *kernel, *version; /* NULL: not there; unknown */
        int derived;
    } rows[] = {
        {"16.2", "25.2.0", "26", 1},
        {"26.2", "25.2.0", "26.2", 0},
        {"13.7.8", "22.6.0", "13.7.8", 0},
        {"14.4.1", "23.4.0", "14.4.1", 0},
        {"15.7.5", "24.6.0", "15.7.5", 0},
        {"27.0.1", "26.0.0", "27.0.1", 0},
        {"16.0", "26.0.0", "27", 1},
        {"28.1", "27.1.0", "28.1", 0},
        {"16.0", NULL, NULL, 0},
        {"16.0", "27.0.0", NULL, 0},
        {NULL, "24.1.0", "15", 1},
        {NULL, NULL, NULL, 0},
        {NULL, "99.0.0", NULL, 0},
        {"26.5", NULL, "26.5", 0},
        {"x", "y", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char changes[256], product[64] = "null", kernel[64] = "null";
        struct mac m;

        if (rows[i].product)
            snprintf(product, sizeof product, "\"%s\"", rows[i].product);
        if (rows[i].kernel)
            snprintf(kernel, sizeof kernel, "\"%s\"", rows[i].kernel);
        snprintf(changes, sizeof changes,
                 "{\"sysctl\": {\"kern.osproductversion\": %s, \"kern.osrelease\": %s}}", product,
                 kernel);
        m = mac_open(changes);
        if (rows[i].version) {
            assert_string_equal(m.p->os_version, rows[i].version);
            assert_int_equal(profile_find_note(m.p, "os_version")->source,
                             rows[i].derived ? FACT_SOURCE_DERIVED : FACT_SOURCE_READ);
        } else {
            assert_null(m.p->os_version);
            want_profile_unknown(&m, "os_version", "kern.osproductversion");
        }
        mac_close(&m);
    }
}

static void an_empty_list_of_devices_is_no_crash(void **state)
{
    struct mac m = mac_open("{\"metal\": {\"devices\": []}}");

    (void)state;
    assert_null(m.p->metal);
    want_profile_unknown(&m, "metal", "lists no device");
    mac_close(&m);
    m = mac_open("{\"metal\": null}"); /* not even a list */
    want_profile_unknown(&m, "metal", "lists no device");
    mac_close(&m);
}

static void the_default_device_is_the_second_try(void **state)
{
    struct mac m = mac_open("{\"metal\": {\"devices\": [], \"default\": {\"name\": \"Apple "
                            "Paravirtual device\", \"families\": []}}}");

    (void)state;
    assert_string_equal(m.p->metal->name, "Apple Paravirtual device");
    /* 0 bytes is no budget, and no families are not the oldest one */
    want_profile_unknown(&m, "metal.working_set_bytes", "recommendedMaxWorkingSetSize is 0");
    want_profile_unknown(&m, "metal.max_buffer_bytes", "is 0");
    want_profile_unknown(&m, "metal.family", "1001 to 1020");
    want_profile_unknown(&m, "metal.metal_version", "5001 to 5005");
    want_profile_unknown(&m, "metal.architecture", "macOS 14");
    want_profile_unknown(&m, "metal.unified_memory", "does not tell");
    mac_close(&m);
}

static void a_family_of_the_future_is_reported_by_number(void **state)
{
    struct mac m = mac_open("{\"metal\": {\"devices\": [{\"name\": \"Apple M9\", \"families\": "
                            "[1007, 1013, 5001, 5003]}]}}");

    (void)state;
    assert_string_equal(m.p->metal->family, "MTLGPUFamilyApple13 (1013)");
    assert_string_equal(m.p->metal->metal_version, "MTLGPUFamilyMetal5 (5003)");
    assert_int_equal(m.p->metal->families_count, 4);
    mac_close(&m);
}

static void a_virtual_machine_has_no_accelerator(void **state)
{
    struct mac m = mac_open("{\"sysctl\": {\"kern.hv_vmm_present\": 1}, \"registry\": []}");

    (void)state;
    assert_int_equal(m.p->virtual_machine, TRI_TRUE);
    want_profile_unknown(&m, "gpu_cores", "no AGXAccelerator");
    want_profile_unknown(&m, "neural_engine_cores", "no H11ANEIn");
    want_profile_unknown(&m, "neural_engine_architecture", "no H11ANEIn");
    mac_close(&m);
}

static void keys_of_the_registry_may_be_missing_or_odd(void **state)
{
    struct mac m = mac_open("{\"registry\": [{\"class\": \"IOAccelerator\", \"properties\": "
                            "{\"gpu-core-count\": \"many\"}}, {\"class\": \"H11ANEIn\", "
                            "\"properties\": {\"DeviceProperties\": [1]}}]}");

    (void)state;
    want_profile_unknown(&m, "gpu_cores", "no gpu-core-count");
    want_profile_unknown(&m, "neural_engine_cores", "no usable");
    want_profile_unknown(&m, "neural_engine_architecture", "is empty");
    mac_close(&m);
    m = mac_open("{\"registry\": [{\"class\": \"AGXAccelerator\", \"properties\": "
                 "{\"gpu-core-count\": -3}}]}");
    want_profile_unknown(&m, "gpu_cores", "-3, which makes no sense");
    mac_close(&m);
}

static void two_neural_engines_are_summed(void **state)
{
    struct mac m =
        mac_open("{\"registry\": [{\"class\": \"H11ANEIn\", \"for\": \"0\", \"properties\": "
                 "{\"DeviceProperties\": {\"ANEDevicePropertyNumANECores\": 16}}}, {\"class\": "
                 "\"H11ANEIn\", \"for\": \"1\", \"properties\": {\"DeviceProperties\": "
                 "{\"ANEDevicePropertyNumANECores\": 16, "
                 "\"ANEDevicePropertyTypeANEArchitectureTypeStr\": \"h14d\"}}}]}");

    (void)state;
    assert_int_equal(m.p->neural_engine_cores, 32);
    assert_string_equal(m.p->neural_engine_architecture, "h14d");
    mac_close(&m);
    /* one that does not tell: half a sum is no answer */
    m = mac_open("{\"registry\": [{\"class\": \"H11ANEIn\", \"for\": \"0\", \"properties\": "
                 "{\"DeviceProperties\": {\"ANEDevicePropertyNumANECores\": 16}}}, {\"class\": "
                 "\"H11ANEIn\", \"for\": \"1\", \"properties\": {}}]}");
    want_profile_unknown(&m, "neural_engine_cores", "no usable");
    mac_close(&m);
}

static void the_wired_limit_is_the_owners_or_absent(void **state)
{
    struct mac m = mac_open(NULL);

    (void)state;
    assert_false(known_i64(m.p->wired_limit_bytes)); /* 0: the system chooses */
    assert_null(profile_find_unknown(m.p, "wired_limit_bytes"));
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"iogpu.wired_limit_mb\": 122880}}");
    assert_int_equal(m.p->wired_limit_bytes, 122880LL << 20);
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"iogpu.wired_limit_mb\": -5}}");
    want_profile_unknown(&m, "wired_limit_bytes", "-5, which makes no sense");
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"iogpu.wired_limit_mb\": 2147483647}}"); /* 2 PB */
    want_profile_unknown(&m, "wired_limit_bytes", "makes no sense");
    mac_close(&m);
    /* macOS 13 */
    m = mac_open("{\"sysctl\": {\"iogpu.wired_limit_mb\": null, \"debug.iogpu.wired_limit\": "
                 "17179869184}}");
    assert_int_equal(m.p->wired_limit_bytes, 17179869184);
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"iogpu.wired_limit_mb\": null, \"debug.iogpu.wired_limit\": "
                 "16384}}");
    want_profile_unknown(&m, "wired_limit_bytes", "which unit");
    mac_close(&m);
    m = mac_open("{\"sysctl\": {\"iogpu.wired_limit_mb\": null}}");
    want_profile_unknown(&m, "wired_limit_bytes", "no sysctl iogpu.wired_limit_mb");
    mac_close(&m);
}

static void a_refused_sysctl_says_why(void **state)
{
    struct mac m = mac_open("{\"sysctl\": {\"hw.memsize\": {\"errno\": 1}, \"hw.physicalcpu\": "
                            "{\"bytes\": 3}, \"hw.cpufamily\": {\"bytes\": 16}, \"hw.product\": "
                            "null, \"machdep.cpu.brand_string\": \"\"}}");

    (void)state;
    want_profile_unknown(&m, "memory_bytes", "Operation not permitted");
    want_profile_unknown(&m, "cpu_cores", "sysctl hw.physicalcpu: ");
    want_profile_unknown(&m, "cpu_family", "sysctl hw.cpufamily: ");
    want_profile_unknown(&m, "chip", "machdep.cpu.brand_string");
    assert_string_equal(m.p->model_identifier, "Mac17,6"); /* of hw.model */
    /* nothing is guessed from the working set or the usable memory */
    assert_false(known_i64(m.p->memory_bytes));
    want_state_unknown(&m, "memory_available_bytes", "hw.memsize");
    mac_close(&m);
}

static void a_strange_text_is_cleaned_and_cut(void **state)
{
    struct mac m = mac_open(
        "{\"sysctl\": {\"machdep.cpu.brand_string\": \"Apple\\u001b[31m M\\u0007\", "
        "\"hw.product\": \"MacXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
        "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\"}}");

    (void)state;
    assert_null(strchr(m.p->chip, '\033'));
    assert_int_equal(strlen(m.p->model_identifier), 64);
    mac_close(&m);
}

static void a_mac_without_frameworks_still_reports(void **state)
{
    struct mac m = mac_open("{\"missing\": {\"registry\": \"this macOS has no IOKit\", \"metal\": "
                            "\"this macOS has no Metal\"}, \"rdma\": null}");

    (void)state;
    want_profile_unknown(&m, "gpu_cores", "no IOKit");
    want_profile_unknown(&m, "neural_engine_cores", "no IOKit");
    want_profile_unknown(&m, "metal", "no Metal");
    want_profile_unknown(&m, "rdma", "librdma");
    want_profile_unknown(&m, "rdma_devices", "librdma");
    want_state_unknown(&m, "gpu_load", "no IOKit");
    want_state_unknown(&m, "user_idle_seconds", "no IOKit");
    want_state_unknown(&m, "power_source", "no IOKit");
    want_state_unknown(&m, "has_battery", "no IOKit");
    want_state_unknown(&m, "lid_closed", "no IOKit");
    assert_int_equal(m.p->memory_bytes, 137438953472);
    mac_close(&m);
}

static void rdma_that_is_switched_off_is_an_answer(void **state)
{
    struct mac m = mac_open("{\"rdma\": []}");

    (void)state;
    assert_int_equal(m.p->rdma, TRI_FALSE);
    want_profile_unknown(&m, "rdma_devices", "Recovery");
    mac_close(&m);
    m = mac_open("{\"rdma\": \"no list\"}");
    assert_int_equal(m.p->rdma, TRI_UNKNOWN);
    want_profile_unknown(&m, "rdma", "no list of devices");
    mac_close(&m);
}

static void a_cpu_without_sme_has_none(void **state)
{
    struct mac m = mac_open("{\"sysctl\": {\"hw.optional.arm.FEAT_SME\": 0, "
                            "\"hw.optional.arm.FEAT_SME2\": null, "
                            "\"hw.optional.arm.sme_max_svl_b\": null}}");

    (void)state;
    assert_int_equal(m.p->cpu_features_count, 5);
    want_profile_unknown(&m, "sme_vector_bytes", "no sysctl hw.optional.arm.sme_max_svl_b");
    mac_close(&m);
}

static void lost_memory_is_survived(void **state)
{
    struct probe_options options = {.volume_path = "/"};
    struct probe *probe;
    struct profile *p = NULL;
    unsigned nth = 0;
    int rc;

    (void)state;
    options.darwin_calls = darwin_double_open(WHOLE, NULL);
    do {
        mem_fail_at(++nth);
        if ((probe = probe_open_backend(&darwin_backend, &options, NULL))) {
            rc = probe_profile(probe, 0, &p, NULL);
            assert_true((rc == 0) == (p != NULL));
        }
        mem_fail_at(0);
        probe_free(probe);
        /* another life of the double: its host port is asked for once in each */
        darwin_double_close();
        options.darwin_calls = darwin_double_open(WHOLE, NULL);
    } while (!p && nth < 5000);
    assert_in_range(nth, 2, 4999);
    profile_free(p);
    darwin_double_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mac_that_answers_everything_is_known_whole),
        cmocka_unit_test(super_and_performance_cores_keep_their_names),
        cmocka_unit_test(three_levels_are_three),
        cmocka_unit_test(levels_stop_where_the_system_says_so),
        cmocka_unit_test(a_negative_cpufamily_is_a_large_number),
        cmocka_unit_test(the_compatible_version_is_seen_through),
        cmocka_unit_test(an_empty_list_of_devices_is_no_crash),
        cmocka_unit_test(the_default_device_is_the_second_try),
        cmocka_unit_test(a_family_of_the_future_is_reported_by_number),
        cmocka_unit_test(a_virtual_machine_has_no_accelerator),
        cmocka_unit_test(keys_of_the_registry_may_be_missing_or_odd),
        cmocka_unit_test(two_neural_engines_are_summed),
        cmocka_unit_test(the_wired_limit_is_the_owners_or_absent),
        cmocka_unit_test(a_refused_sysctl_says_why),
        cmocka_unit_test(a_strange_text_is_cleaned_and_cut),
        cmocka_unit_test(a_mac_without_frameworks_still_reports),
        cmocka_unit_test(rdma_that_is_switched_off_is_an_answer),
        cmocka_unit_test(a_cpu_without_sme_has_none),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
