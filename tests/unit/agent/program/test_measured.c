/* test_measured.c - rates that are kept, of another chip, damaged, and measured on a quiet machine.
 */
#include "agent/measured.h"
#include "agent/bench/bench.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/log.h"
#include "common/model/device.h"
#include "common/net/net.h"
#include "common/net/poll.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATIENCE_MS 60000 /* a measurement takes 2 s, and more on a machine under load */

struct lab {
    char *folder;
    struct net *net;
    struct net_poller *poller;
};

static int start(void **state)
{
    static struct lab lab;

    log_set_level(LOGL_ERR);
    lab.folder = folder_make();
    lab.net = net_new(1, NULL);
    lab.poller = net_poller_new(4, NULL);
    *state = &lab;
    return 0;
}

static int stop(void **state)
{
    struct lab *lab = *state;

    net_poller_free(lab->poller);
    net_free(lab->net);
    folder_remove(lab->folder);
    log_set_level(LOGL_INFO);
    return 0;
}

static void keep_result_of(const struct lab *lab, const char *chip)
{
    struct bench_result r = {
        .flops = 2e12, .bandwidth = 6e10, .seconds = 2, .at_ms = 1, .how = "made up for a test"};
    char *path = file_path(NULL, "%s/bench.json", lab->folder);

    snprintf(r.chip, sizeof r.chip, "%s", chip);
    assert_int_equal(bench_save(path, &r, NULL), 0);
    mem_free(path);
}

static struct state *a_state(double load)
{
    struct state *s = state_new(NULL);

    s->load_average = load;
    s->thermal = THERMAL_NOMINAL;
    s->memory_available_bytes = 64 * 1024 * 1024; /* little: buffers are made smaller */
    return s;
}

static void what_was_kept_is_known_at_once(void **state)
{
    struct lab *lab = *state;
    struct measured *m;

    keep_result_of(lab, "Apple M1");
    assert_non_null(m = measured_new(lab->folder, "Apple M1", NULL));
    assert_non_null(measured_result(m));
    assert_true(measured_result(m)->flops == 2e12);
    assert_false(measured_is_wanted(m));
    measured_free(m);
}

static void rates_of_another_chip_and_a_damaged_file_are_not_used(void **state)
{
    struct lab *lab = *state;
    struct measured *m;

    keep_result_of(lab, "Apple M1");
    assert_non_null(m = measured_new(lab->folder, "Apple M4", NULL));
    assert_null(measured_result(m));
    assert_true(measured_is_wanted(m));
    measured_free(m);
    assert_non_null(m = measured_new(lab->folder, NULL, NULL));
    assert_null(measured_result(m));
    measured_free(m);
    folder_put(lab->folder, "bench.json", "{\"gpu_flops\": \"fast\"}");
    assert_non_null(m = measured_new(lab->folder, "Apple M1", NULL));
    assert_null(measured_result(m));
    measured_free(m);
}

static void it_is_measured_once_while_the_owner_goes_on(void **state)
{
    struct lab *lab = *state;
    struct measured *m = measured_new(lab->folder, "Apple M1", NULL);
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    struct state *s = a_state(0);
    int id;

    measured_start(m, lab->net, lab->poller, 3, s);
    assert_false(measured_is_wanted(m));
    while (!measured_finish(m)) {
        net_poller_wait(lab->poller, 100, &id, 1);
        assert_true(clock_mono_ms() < until);
    }
    assert_true(measured_result(m)->flops > 0);
    assert_string_equal(measured_result(m)->chip, "Apple M1");
    assert_string_equal(measured_result(m)->conditions, "thermal nominal, load 0.0");
    assert_false(measured_finish(m)); /* told once */
    measured_free(m);
    assert_non_null(m = measured_new(lab->folder, "Apple M1", NULL));
    assert_non_null(measured_result(m)); /* and kept */
    measured_free(m);
    state_free(s);
}

/* With others at work it would look slower than it is: later, then. */
static void a_busy_machine_is_left_alone(void **state)
{
    struct lab *lab = *state;
    struct measured *m = measured_new(lab->folder, "Apple M1", NULL);
    struct state *s = a_state(1e6);

    measured_start(m, lab->net, lab->poller, 3, s);
    assert_true(measured_is_wanted(m));
    s->load_average = 0;
    s->gpu_load = 0.9;
    measured_start(m, lab->net, lab->poller, 3, s);
    assert_true(measured_is_wanted(m));
    measured_free(m);
    state_free(s);
}

static void an_agent_that_ends_does_not_wait_for_it(void **state)
{
    struct lab *lab = *state;
    struct measured *m = measured_new(lab->folder, "Apple M1", NULL);
    struct state *s = a_state(0);

    measured_start(m, lab->net, lab->poller, 3, s);
    measured_free(m);
    assert_int_equal(folder_has(lab->folder, "bench.json"), 0);
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_is_known_at_once, start, stop),
        cmocka_unit_test_setup_teardown(rates_of_another_chip_and_a_damaged_file_are_not_used,
                                        start, stop),
        cmocka_unit_test_setup_teardown(it_is_measured_once_while_the_owner_goes_on, start, stop),
        cmocka_unit_test_setup_teardown(a_busy_machine_is_left_alone, start, stop),
        cmocka_unit_test_setup_teardown(an_agent_that_ends_does_not_wait_for_it, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
