#include "coordinator/cycle/prompt_fleet.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/proposal.h"
#include "coordinator/cycle/token_estimate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX (1 << 20)

struct kind {
    const char *chip;
    double usable_gb, tflops, gbs;
    int64_t batch;
};

/* Classes c1, c2, ... of these kinds, two devices each. */
static struct class_summary *classes_make(const struct kind *kinds, size_t count)
{
    struct class_summary *classes = calloc(count + 1, sizeof *classes);

    for (size_t i = 0; i < count; i++) {
        struct class_summary *c = &classes[i];

        record_init(&class_summary_type, c);
        assert_int_equal(text_setf(&c->client_class, NULL, "c%zu", i + 1), 0);
        text_set(&c->chip, kinds[i].chip, NULL);
        c->devices = 2;
        c->memory_limit_bytes =
            known_f64(kinds[i].usable_gb) ? (int64_t)(kinds[i].usable_gb * 1e9) : UNKNOWN_I64;
        c->memory_bytes =
            known_i64(c->memory_limit_bytes) ? 2 * c->memory_limit_bytes : UNKNOWN_I64;
        c->gpu_cores = 8;
        c->gpu_flops = kinds[i].tflops * 1e12;
        c->memory_bandwidth_bytes_per_s = kinds[i].gbs * 1e9;
        c->max_batch_size = kinds[i].batch;
        c->configurations = kinds[i].batch ? 10 : 0;
        c->constraint = kinds[i].batch ? 0 : CONSTRAINT_MEMORY;
        c->best_tokens_per_second = 100 * kinds[i].tflops;
    }
    return classes;
}

static void classes_free(struct class_summary *classes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_clear(&class_summary_type, &classes[i]);
    free(classes);
}

static char *table(const struct fleet_rows *f, bool fit)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    prompt_fleet_add(&b, f, fit);
    return buf_take(&b, NULL, NULL);
}

static const struct kind few[] = {{"Apple M1", 5.7, 2.6, 68, 2},
                                  {"Apple M2", 5.9, 3.0, 70, 3},
                                  {"Apple M2 Ultra", 144, 27, 800, 64}};

static void all_classes_have_a_row_where_there_is_room(void **state)
{
    struct class_summary *c = classes_make(few, 3);
    struct fleet_rows f;
    char *text;

    (void)state;
    assert_int_equal(fleet_rows_make(c, 3, true, 0, &f, NULL), 0);
    assert_int_equal(f.count, 3);
    text = table(&f, true);
    assert_string_equal(
        text, "class|Macs|Apple chip|memory GiB|usable GB|GPU cores|TFLOP/s|GB/s|largest batch|"
              "best tokens/s\n"
              "c1|2|M1|10.6|5.7|8|2.6|68|2|260\n"
              "c2|2|M2|11|5.9|8|3|70|3|300\n"
              "c3|2|M2 Ultra|268|144|8|27|800|64|2700\n");
    assert_true(f.tokens >= token_estimate(text, strlen(text)));
    mem_free(text);
    fleet_rows_clear(&f);
    classes_free(c, 3);
}

static void the_nearest_are_joined_first_with_safe_bounds(void **state)
{
    struct class_summary *c = classes_make(few, 3);
    struct fleet_rows f;
    char *text;

    (void)state;
    assert_int_equal(fleet_rows_make(c, 3, true, 0, &f, NULL), 0);
    size_t budget = f.tokens - 1;
    fleet_rows_clear(&f);
    assert_int_equal(fleet_rows_make(c, 3, true, budget, &f, NULL), 0);
    assert_int_equal(f.count, 2);
    text = table(&f, true);
    assert_non_null(
        strstr(text, "\nc1|4|M1 and others, 2 classes|10.6|5.7|8|2.6|68|2|260\nc3|2|M2 Ultra"));
    assert_non_null(
        strstr(text, "\na row of several classes gives what the weakest of them has\n"));
    assert_int_equal(f.row_of[0], 0);
    assert_int_equal(f.row_of[1], 0);
    assert_int_equal(f.row_of[2], 1);
    mem_free(text);
    fleet_rows_clear(&f);
    classes_free(c, 3);
}

static void what_fits_and_what_does_not_stay_apart(void **state)
{
    static const struct kind mixed[] = {{"Apple M1", 5.7, 2.6, 68, 2},
                                        {"Apple M1", 5.6, 2.6, 68, 0},
                                        {"Apple M1", 5.5, 2.6, 68, 0},
                                        {NULL, NAN, NAN, NAN, 1}};
    struct class_summary *c = classes_make(mixed, 4);
    struct fleet_rows f;
    char *text;

    (void)state;
    assert_int_equal(fleet_rows_make(c, 4, true, 1, &f, NULL), 0); /* no budget is that small */
    assert_int_equal(f.count, 2);
    text = table(&f, true);
    assert_non_null(strstr(text, "\nc1|4|M1 and others, 2 classes|?|?|8|?|?|1|?\n"));
    assert_non_null(strstr(text, "\nc2|4|M1, 2 classes|10.2|5.5|8|2.6|68|none fits: memory|-\n"));
    mem_free(text);
    fleet_rows_clear(&f);
    /* a pipeline's table does not speak of fitting: there all may be joined */
    assert_int_equal(fleet_rows_make(c, 4, false, 1, &f, NULL), 0);
    assert_int_equal(f.count, 1);
    fleet_rows_clear(&f);
    classes_free(c, 4);
}

static double pick(unsigned *seed, double low, double high)
{
    *seed = *seed * 1103515245 + 12345;
    return low + (high - low) * (*seed / 65536 % 32768) / 32767.0;
}

static void check_bounds(const struct class_summary *c, size_t count, const struct fleet_rows *f)
{
    size_t members = 0;
    int64_t devices = 0;

    for (size_t k = 0; k < count; k++) {
        const struct class_summary *low = &f->rows[f->row_of[k]].low;

        assert_true(f->row_of[k] < f->count);
        if (known_i64(low->memory_limit_bytes))
            assert_true(low->memory_limit_bytes <= c[k].memory_limit_bytes);
        if (known_f64(low->gpu_flops))
            assert_true(low->gpu_flops <= c[k].gpu_flops);
        assert_true(low->max_batch_size <= c[k].max_batch_size);
        assert_true((low->configurations == 0) == (c[k].configurations == 0));
    }
    for (size_t i = 0; i < f->count; i++) {
        members += f->rows[i].classes;
        devices += f->rows[i].low.devices;
        assert_int_equal(f->row_of[f->rows[i].first], i);
        assert_true(i == 0 || f->rows[i].first > f->rows[i - 1].first);
    }
    assert_int_equal(members, count);
    assert_int_equal(devices, 2 * count);
}

/* Whatever the fleet and the budget: every class in one row, every bound safe, within the budget as
 * long as more than one row of a kind is left. */
static void random_fleets_keep_their_bounds(void **state)
{
    static const char *const chips[] = {"Apple M1", "Apple M2 Pro", "Apple M4 Max", NULL};
    unsigned seed = 11;

    (void)state;
    for (int round = 0; round < 60; round++) {
        size_t count = (size_t)pick(&seed, 1, round % 10 == 0 ? 900 : 60);
        size_t budget = (size_t)pick(&seed, 60, 3000);
        struct kind *kinds = calloc(count, sizeof *kinds);
        struct class_summary *c;
        struct fleet_rows f;
        char *text;

        for (size_t i = 0; i < count; i++)
            kinds[i] =
                (struct kind){chips[(size_t)pick(&seed, 0, 3.99)],
                              pick(&seed, 0, 1) < 0.1 ? NAN : pick(&seed, 3, 400),
                              pick(&seed, 2, 30), pick(&seed, 60, 900), (int64_t)pick(&seed, 0, 9)};
        c = classes_make(kinds, count);
        assert_int_equal(fleet_rows_make(c, count, true, budget, &f, NULL), 0);
        check_bounds(c, count, &f);
        text = table(&f, true);
        if (f.count > 2)
            assert_true(token_estimate(text, strlen(text)) <= budget);
        mem_free(text);
        fleet_rows_clear(&f);
        classes_free(c, count);
        free(kinds);
    }
}

static struct federated_proposal *answer(const char *const *ids, size_t count)
{
    struct federated_proposal *p = federated_proposal_new(NULL);

    for (size_t i = 0; i < count; i++) {
        struct client_optimization *o =
            records_add(&client_optimization_type, &p->client_optimization,
                        &p->client_optimization_count, NULL);

        text_set(&o->client_class, ids[i], NULL);
        o->batch_size = (int64_t)i + 1;
    }
    return p;
}

static int64_t batch_of(const struct federated_proposal *p, const char *id)
{
    for (size_t i = 0; i < p->client_optimization_count; i++)
        if (strcmp(p->client_optimization[i].client_class, id) == 0)
            return p->client_optimization[i].batch_size;
    return -1;
}

static void an_answer_for_a_row_holds_for_all_of_it(void **state)
{
    static const struct kind near[] = {{"Apple M1", 5.7, 2.6, 68, 2},
                                       {"Apple M1", 5.8, 2.6, 68, 2},
                                       {"Apple M1", 5.9, 2.6, 68, 2}};
    static const char *const ids[] = {"c1", "c3", "c99"};
    struct class_summary *c = classes_make(near, 3);
    struct federated_proposal *p = answer(ids, 3);
    struct fleet_rows f;

    (void)state;
    assert_int_equal(fleet_rows_make(c, 3, true, 1, &f, NULL), 0);
    assert_int_equal(f.count, 1);
    assert_int_equal(prompt_fleet_expand(&f, c, p, NULL), 0);
    assert_int_equal(p->client_optimization_count, 4);
    assert_int_equal(batch_of(p, "c2"), 1);                   /* the row's */
    assert_int_equal(batch_of(p, "c3"), 2);                   /* its own word */
    assert_int_equal(batch_of(p, "c99"), 3);                  /* no class: verification names it */
    assert_int_equal(prompt_fleet_expand(&f, c, p, NULL), 0); /* twice */
    assert_int_equal(p->client_optimization_count, 4);
    federated_proposal_free(p);
    fleet_rows_clear(&f);
    classes_free(c, 3);
}

static void lost_memory_is_survived(void **state)
{
    static const char *const ids[] = {"c1"};
    struct class_summary *c = classes_make(few, 3);
    struct fleet_rows f;
    struct err err = {0};
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = fleet_rows_make(c, 3, true, 120, &f, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0);
    assert_true(nth > 5);
    nth = 0;
    do {
        struct federated_proposal *p = answer(ids, 1);

        mem_fail_at(++nth);
        rc = prompt_fleet_expand(&f, c, p, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
        federated_proposal_free(p);
    } while (rc < 0);
    fleet_rows_clear(&f);
    classes_free(c, 3);
}

static void an_empty_fleet_is_a_heading(void **state)
{
    struct fleet_rows f;
    char *text;

    (void)state;
    assert_int_equal(fleet_rows_make(NULL, 0, false, 0, &f, NULL), 0);
    text = table(&f, false);
    assert_string_equal(text,
                        "class|Macs|Apple chip|memory GiB|usable GB|GPU cores|TFLOP/s|GB/s\n");
    mem_free(text);
    fleet_rows_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_classes_have_a_row_where_there_is_room),
        cmocka_unit_test(the_nearest_are_joined_first_with_safe_bounds),
        cmocka_unit_test(what_fits_and_what_does_not_stay_apart),
        cmocka_unit_test(random_fleets_keep_their_bounds),
        cmocka_unit_test(an_answer_for_a_row_holds_for_all_of_it),
        cmocka_unit_test(lost_memory_is_survived),
        cmocka_unit_test(an_empty_fleet_is_a_heading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
