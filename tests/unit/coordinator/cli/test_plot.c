/* test_plot.c - pictures are well formed, whatever the names in them. */
#include "coordinator/cli/plot.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/cli/svg.h"
#include "coordinator/planner/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct simulation *sample(const char *fleet)
{
    static const char *const names[] = {"plan", "by-hand"};
    struct simulation *s = simulation_new(NULL);

    assert_non_null(s);
    s->seed = 4;
    s->jitter = 0.2;
    assert_int_equal(text_set(&s->job_id, "notes", NULL), 0);
    assert_int_equal(text_set(&s->fleet, fleet, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct simulated_policy *p =
            records_add(&simulated_policy_type, &s->policies, &s->policies_count, NULL);

        assert_non_null(p);
        assert_int_equal(text_set(&p->name, names[i], NULL), 0);
        p->utilisation = i ? 0.4 : 0.8;
        p->energy_wh_per_round = i ? 30 : 50;
        p->round_ms = mem_calloc(3, sizeof *p->round_ms);
        assert_non_null(p->round_ms);
        p->round_ms_count = 3;
        p->round_ms[0] = 61000;
        p->round_ms[1] = 30000 + 60000 * i;
        p->round_ms[2] = 120000;
    }
    return s;
}

static size_t times(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

static void a_picture_has_a_curve_and_two_bars_per_policy(void **state)
{
    struct simulation *s = sample("three Macs");
    size_t len = 0;
    char *svg = plot_simulation(s, &len, NULL);

    (void)state;
    assert_non_null(svg);
    assert_int_equal(strlen(svg), len);
    assert_int_equal(strncmp(svg, "<svg xmlns=", 11), 0);
    assert_int_equal(times(svg, "<polyline"), 2);
    assert_int_equal(times(svg, "<rect"), 1 + 2 + 2 * 2); /* ground, legend, bars */
    assert_non_null(strstr(svg, "plan 80 %"));
    assert_non_null(strstr(svg, "by-hand 30 Wh"));
    assert_non_null(strstr(svg, "2 min"));
    assert_int_equal(times(svg, "<"), times(svg, ">"));
    mem_free(svg);
    simulation_free(s);
}

static void strangers_words_stay_words(void **state)
{
    struct simulation *s = sample("<script>alert(\"x\")</script> & a\tcouple");
    char *svg = plot_simulation(s, NULL, NULL);

    (void)state;
    assert_non_null(svg);
    assert_null(strstr(svg, "<script"));
    assert_non_null(
        strstr(svg, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; a couple"));
    mem_free(svg);
    simulation_free(s);
}

static void nothing_to_show_is_a_picture_too(void **state)
{
    struct simulation *s = simulation_new(NULL);
    char *svg = plot_simulation(s, NULL, NULL);

    (void)state;
    assert_non_null(svg);
    assert_int_equal(times(svg, "<polyline"), 0);
    mem_free(svg);
    simulation_free(s);
}

static void drawing_survives_lost_memory(void **state)
{
    struct simulation *s = sample("x");
    char *svg;
    int nth = 0;

    (void)state;
    do {
        mem_fail_at(++nth);
        svg = plot_simulation(s, NULL, NULL);
        mem_fail_at(0);
    } while (!svg && nth < 100);
    assert_in_range(nth, 2, 99);
    mem_free(svg);
    simulation_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_has_a_curve_and_two_bars_per_policy),
        cmocka_unit_test(strangers_words_stay_words),
        cmocka_unit_test(nothing_to_show_is_a_picture_too),
        cmocka_unit_test(drawing_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
