/* test_device_class.c - what makes two devices one class, and that rounding only goes towards the
 * worse. */
#include "coordinator/fleet/device_class.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

static struct profile *mac(void)
{
    struct profile *p = profile_new(NULL);
    struct cpu_level *level;

    assert_non_null(p);
    p->origin = DEVICE_ORIGIN_MAC;
    assert_int_equal(text_set(&p->chip, "Apple M1", NULL), 0);
    assert_int_equal(text_set(&p->name, "anna", NULL), 0);
    assert_int_equal(text_set(&p->os_version, "15.1", NULL), 0);
    p->memory_bytes = 8 * GIB;
    p->gpu_cores = 8;
    level = records_add(&cpu_level_type, &p->cpu_levels, &p->cpu_levels_count, NULL);
    assert_non_null(level);
    assert_int_equal(text_set(&level->name, "Performance", NULL), 0);
    level->cores = 4;
    p->metal = metal_new(NULL);
    p->metal->working_set_bytes = 5726 * MIB;
    return p;
}

static char *key_of(const struct profile *p, const struct state *s)
{
    struct buf b;

    buf_init(&b, CLASS_KEY_MAX);
    class_key_add_profile(&b, p);
    class_key_add_state(&b, s);
    return buf_take(&b, NULL, NULL);
}

/* The keys of two devices; their texts are freed. */
static bool same_class(const struct profile *p, const struct state *s, const struct profile *q,
                       const struct state *t)
{
    char *a = key_of(p, s), *b = key_of(q, t);
    bool same = strcmp(a, b) == 0;

    mem_free(a);
    mem_free(b);
    return same;
}

static void names_make_no_class(void **unused)
{
    struct profile *p = mac(), *q = mac();
    struct state *s = state_new(NULL), *t = state_new(NULL);

    (void)unused;
    text_set(&q->name, "bert", NULL);
    text_set(&q->agent_version, "0.2", NULL);
    text_set(&q->os_build, "25B78", NULL);
    s->memory_available_bytes = 4 * GIB;
    t->memory_available_bytes = 4 * GIB + 200 * MIB;
    t->up_bps = 1e6;
    t->uptime_seconds = 5;
    assert_true(same_class(p, s, q, t));
    t->memory_available_bytes = 4 * GIB + 256 * MIB;
    assert_false(same_class(p, s, q, t));
    profile_free(p);
    profile_free(q);
    state_free(s);
    state_free(t);
}

/* Each of these alone makes another class. */
static void every_hardware_fact_counts(void **unused)
{
    (void)unused;
    for (int i = 0; i < 9; i++) {
        struct profile *p = mac(), *q = mac();

        switch (i) {
        case 0:
            text_set(&q->chip, "Apple M2", NULL);
            break;
        case 1:
            q->memory_bytes = 16 * GIB;
            break;
        case 2:
            q->gpu_cores = UNKNOWN_I64;
            break;
        case 3:
            q->cpu_levels[0].cores = 5;
            break;
        case 4:
            q->metal->working_set_bytes++;
            break;
        case 5:
            metal_free(q->metal);
            q->metal = NULL;
            break;
        case 6:
            text_set(&q->os_version, NULL, NULL);
            break;
        case 7:
            q->wired_limit_bytes = 6 * GIB;
            break;
        default:
            q->gpu_flops = 5e12;
            break;
        }
        assert_false(same_class(p, NULL, q, NULL));
        assert_true(same_class(q, NULL, q, NULL));
        profile_free(p);
        profile_free(q);
    }
}

/* "chip" may hold what looks like the rest of a key. */
static void a_text_cannot_forge_another_field(void **unused)
{
    struct profile *p = profile_new(NULL), *q = profile_new(NULL);

    (void)unused;
    text_set(&p->chip, "M1", NULL);
    text_set(&p->model_identifier, "Mac1", NULL);
    text_set(&q->chip, "M1|model_identifier=4:Mac1", NULL);
    assert_false(same_class(p, NULL, q, NULL));
    profile_free(p);
    profile_free(q);
}

static void no_metal_is_not_unknown_metal(void **unused)
{
    struct profile *p = profile_new(NULL), *q = profile_new(NULL), *cut;
    struct unknown_fact *u = records_add(&unknown_fact_type, &q->unknown, &q->unknown_count, NULL);

    (void)unused;
    text_set(&u->field, "metal", NULL);
    text_set(&u->reason, "asked /Users/anna", NULL);
    assert_false(same_class(p, NULL, q, NULL));
    cut = class_profile_new(q, NULL);
    assert_int_equal(cut->unknown_count, 1);
    assert_string_equal(cut->unknown[0].field, "metal");
    assert_null(strstr(cut->unknown[0].reason, "anna"));
    assert_int_equal(record_check(&profile_type, cut, NULL), 0);
    profile_free(p);
    profile_free(q);
    profile_free(cut);
}

struct rounding {
    int64_t value, want;
};

static void bytes_round_down(void **unused)
{
    static const struct rounding memory[] = {
        {0, 0},
        {256 * MIB - 1, 0},
        {256 * MIB, 256 * MIB},
        {5 * GIB + 300 * MIB, 5 * GIB + 256 * MIB},
        {32 * GIB - 1, 32 * GIB - 256 * MIB},
        {32 * GIB + 511 * MIB, 32 * GIB},
        {64 * GIB + 1023 * MIB, 64 * GIB},
        {INT64_C(1) << 50, INT64_C(1) << 50},
        {UNKNOWN_I64, UNKNOWN_I64},
    };
    static const struct rounding disk[] = {
        {GIB - 1, 0},           {5 * GIB + 1, 5 * GIB}, {16 * GIB + GIB / 2, 16 * GIB},
        {100 * GIB, 100 * GIB}, {103 * GIB, 100 * GIB}, {UNKNOWN_I64, UNKNOWN_I64},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        struct state *s = state_new(NULL), *cut;

        s->memory_available_bytes = s->plan_memory_bytes = memory[i].value;
        cut = class_state_new(s, NULL);
        assert_int_equal(cut->memory_available_bytes, memory[i].want);
        assert_int_equal(cut->plan_memory_bytes, memory[i].want);
        state_free(s);
        state_free(cut);
    }
    for (size_t i = 0; i < sizeof disk / sizeof *disk; i++) {
        struct state *s = state_new(NULL), *cut;

        s->disk_free_bytes = disk[i].value;
        cut = class_state_new(s, NULL);
        assert_int_equal(cut->disk_free_bytes, disk[i].want);
        state_free(s);
        state_free(cut);
    }
}

/* Whatever the value: never more than it, at most 1/64 (or the step) less, and rounding again
 * changes nothing. */
static void bytes_lose_little(void **unused)
{
    (void)unused;
    for (int64_t v = 1; v < INT64_C(1) << 49; v += v / 3 + 1) {
        struct state *s = state_new(NULL), *cut, *again;
        int64_t got;

        s->memory_available_bytes = v;
        cut = class_state_new(s, NULL);
        got = cut->memory_available_bytes;
        assert_true(got <= v);
        assert_true(v - got < 256 * MIB || v - got <= v / 64);
        again = class_state_new(cut, NULL);
        assert_int_equal(again->memory_available_bytes, got);
        state_free(s);
        state_free(cut);
        state_free(again);
    }
}

static void shares_times_and_rates_round_to_the_worse(void **unused)
{
    struct state *s = state_new(NULL), *cut;
    struct profile *p = profile_new(NULL), *rates;

    (void)unused;
    s->battery_percent = 94.9;
    s->user_idle_seconds = 299.9;
    s->cpu_load = 0.26;
    s->gpu_load = 0;
    s->thermal = THERMAL_FAIR;
    p->gpu_flops = 5.3e12;
    p->memory_bandwidth_bytes_per_s = 68.25e9;
    cut = class_state_new(s, NULL);
    assert_true(cut->battery_percent == 90);
    assert_true(cut->user_idle_seconds == 60);
    assert_true(cut->cpu_load == 0.5);
    assert_true(cut->gpu_load == 0.05);
    assert_int_equal(cut->thermal, THERMAL_FAIR);
    assert_false(known_f64(cut->uptime_seconds));
    rates = class_profile_new(p, NULL);
    assert_true(rates->gpu_flops <= 5.3e12 && rates->gpu_flops > 5.3e12 * 15 / 16);
    assert_true(rates->memory_bandwidth_bytes_per_s <= 68.25e9 &&
                rates->memory_bandwidth_bytes_per_s > 64e9);
    assert_int_equal(record_check(&state_type, cut, NULL), 0);
    assert_int_equal(record_check(&profile_type, rates, NULL), 0);
    state_free(s);
    state_free(cut);
    profile_free(p);
    profile_free(rates);
}

/* The key of the cut records is the key itself: what the planner sees is all that makes the class.
 */
static void cut_records_have_the_same_key(void **unused)
{
    struct profile *p = mac(), *cut_p;
    struct state *s = state_new(NULL), *cut_s;
    struct fact_note *note = records_add(&fact_note_type, &p->facts, &p->facts_count, NULL);

    (void)unused;
    text_set(&note->field, "gpu_flops", NULL);
    note->source = FACT_SOURCE_MEASURED;
    p->gpu_flops = 2.6e12;
    s->memory_available_bytes = 3 * GIB + 17;
    s->battery_percent = 51;
    s->user_idle_seconds = 1e6;
    s->cpu_load = 0.3;
    s->disk_free_bytes = 77 * GIB + 5;
    cut_p = class_profile_new(p, NULL);
    cut_s = class_state_new(s, NULL);
    assert_true(same_class(p, s, cut_p, cut_s));
    assert_null(cut_p->name);
    assert_int_equal(cut_p->facts[0].source, FACT_SOURCE_MEASURED);
    profile_free(p);
    profile_free(cut_p);
    state_free(s);
    state_free(cut_s);
}

static uint32_t pick(uint32_t *seed, size_t choices)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % (uint32_t)choices;
}

/* States made of values at, between and outside the steps, and of unknowns: saying that one belongs
 * to a class without making a key is saying that the keys are the same. */
static void a_state_is_of_the_class_whose_key_it_has(void **unused)
{
    static const double shares[] = {-1, 0, 0.04, 0.05, 0.25, 0.3, 0.75, 1};
    static const double seconds[] = {-1, 0, 59, 60, 3600, 90000};
    static const double percents[] = {-1, 0, 4.9, 5, 33.3, 100};
    enum { COUNT = 400 };
    struct state *s[COUNT];
    uint32_t seed = 7;
    size_t same = 0;

    (void)unused;
    for (size_t i = 0; i < COUNT; i++) {
        s[i] = state_new(NULL);
        s[i]->synthetic = (int)pick(&seed, 3) - 1;
        s[i]->memory_available_bytes =
            pick(&seed, 3) ? (int64_t)(pick(&seed, 3)) * 300 * MIB : UNKNOWN_I64;
        s[i]->disk_free_bytes = pick(&seed, 3) ? (int64_t)(pick(&seed, 3)) * GIB + 5 : UNKNOWN_I64;
        if (pick(&seed, 2))
            s[i]->cpu_load = shares[pick(&seed, sizeof shares / sizeof *shares)];
        if (pick(&seed, 8) == 0)
            s[i]->user_idle_seconds = seconds[pick(&seed, sizeof seconds / sizeof *seconds)];
        if (pick(&seed, 8) == 0)
            s[i]->battery_percent = percents[pick(&seed, sizeof percents / sizeof *percents)];
        s[i]->cpu_load = s[i]->cpu_load < 0 ? UNKNOWN_F64 : s[i]->cpu_load;
        s[i]->user_idle_seconds =
            s[i]->user_idle_seconds < 0 ? UNKNOWN_F64 : s[i]->user_idle_seconds;
        s[i]->battery_percent = s[i]->battery_percent < 0 ? UNKNOWN_F64 : s[i]->battery_percent;
        s[i]->load_average = (double)i; /* of one device alone: in no list */
    }
    for (size_t i = 0; i < COUNT; i += 7) {
        struct state *cut = class_state_new(s[i], NULL);

        assert_true(class_state_is(cut, s[i]));
        assert_true(class_state_is(cut, cut));
        for (size_t j = 0; j < COUNT; j++) {
            bool is = class_state_is(cut, s[j]);

            assert_int_equal(is, same_class(NULL, s[i], NULL, s[j]));
            same += is && i != j;
        }
        state_free(cut);
    }
    assert_true(same > 10); /* both answers were seen */
    for (size_t i = 0; i < COUNT; i++)
        state_free(s[i]);
}

static void each_listed_number_decides(void **unused)
{
    struct state *none = class_state_new(NULL, NULL), *s;

    (void)unused;
    assert_true(class_state_is(none, NULL));
    for (size_t i = 0; i < state_type.count; i++) {
        const struct field *f = &state_type.fields[i];

        s = state_new(NULL);
        if (f->type == FIELD_I64)
            *(int64_t *)field_at(f, s) = 100 * GIB;
        else if (f->type == FIELD_F64)
            *(double *)field_at(f, s) = 1;
        else if (f->type == FIELD_BOOL || f->type == FIELD_ENUM)
            *(int *)field_at(f, s) = 1;
        assert_int_equal(class_state_is(none, s), same_class(NULL, NULL, NULL, s));
        state_free(s);
    }
    state_free(none);
}

static void nothing_known_is_a_class_too(void **unused)
{
    struct profile *p = profile_new(NULL), *cut = class_profile_new(NULL, NULL);
    struct state *s = state_new(NULL), *cut_s = class_state_new(NULL, NULL);

    (void)unused;
    assert_true(same_class(NULL, NULL, p, s));
    assert_true(same_class(NULL, NULL, cut, cut_s));
    profile_free(p);
    profile_free(cut);
    state_free(s);
    state_free(cut_s);
}

static void class_profile_survives_lost_memory(void **unused)
{
    struct profile *p = mac(), *cut = NULL;
    unsigned nth = 0;

    (void)unused;
    do {
        mem_fail_at(++nth);
        cut = class_profile_new(p, NULL);
    } while (!cut && nth < 1000);
    mem_fail_at(0);
    assert_in_range(nth, 5, 999);
    profile_free(cut);
    profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_make_no_class),
        cmocka_unit_test(every_hardware_fact_counts),
        cmocka_unit_test(a_text_cannot_forge_another_field),
        cmocka_unit_test(no_metal_is_not_unknown_metal),
        cmocka_unit_test(bytes_round_down),
        cmocka_unit_test(bytes_lose_little),
        cmocka_unit_test(shares_times_and_rates_round_to_the_worse),
        cmocka_unit_test(cut_records_have_the_same_key),
        cmocka_unit_test(a_state_is_of_the_class_whose_key_it_has),
        cmocka_unit_test(each_listed_number_decides),
        cmocka_unit_test(nothing_known_is_a_class_too),
        cmocka_unit_test(class_profile_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
