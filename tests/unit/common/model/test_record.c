/* test_record.c - the life of a record: unknown, filled, copied, compared, freed. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/event.h"
#include "common/model/tool_message.h"
#include "tests/support/record_fill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct record_type *const types[] = {
    &agent_message_type, &coordinator_message_type,
    &request_type,       &tool_message_type,
    &event_type,         &plan_type,
    &job_type,           &profile_type,
    &state_type,         &assignment_type,
    &proposal_type,      &status_request_type,
    &receipt_type,       &stage_group_type,
    &rule_spec_type,     &device_type,
};
#define TYPES (sizeof types / sizeof types[0])

/* Example of use. */
static void a_profile_lives(void **state)
{
    struct profile *p = profile_new(NULL), *copy;
    struct cpu_level *level;

    (void)state;
    assert_int_equal(text_set(&p->chip, "Apple M4", NULL), 0);
    p->memory_bytes = 17179869184;
    level = records_add(&cpu_level_type, &p->cpu_levels, &p->cpu_levels_count, NULL);
    level->cores = 4;
    p->metal = metal_new(NULL);
    p->metal->unified_memory = TRI_TRUE;

    copy = profile_dup(p, NULL);
    assert_true(record_equal(&profile_type, p, copy));
    assert_true(copy->chip != p->chip && copy->metal != p->metal);
    copy->cpu_levels[0].cores = 6;
    assert_false(record_equal(&profile_type, p, copy));
    profile_free(p);
    assert_string_equal(copy->chip, "Apple M4");
    profile_free(copy);
    profile_free(NULL);
}

static void a_new_record_knows_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        void *record = record_new(types[i], NULL);

        assert_non_null(record);
        for (size_t j = 0; j < types[i]->count; j++)
            assert_false(field_is_known(&types[i]->fields[j], record));
        record_free(types[i], record);
    }
}

static void zero_and_empty_are_known(void **state)
{
    struct measurement *m = measurement_new(NULL);

    (void)state;
    m->tokens = 0;
    m->loss = 0;
    text_set(&m->text, "", NULL);
    assert_true(field_is_known(record_field(&measurement_type, "tokens"), m));
    assert_true(field_is_known(record_field(&measurement_type, "loss"), m));
    assert_true(field_is_known(record_field(&measurement_type, "text"), m));
    assert_false(field_is_known(record_field(&measurement_type, "peak_bytes"), m));
    measurement_free(m);
}

static void filled_records_are_sound_and_copied(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        for (uint64_t seed = 0; seed < 30; seed++) {
            struct fill how = {.seed = seed, .sparse = seed % 3 == 0, .items = seed % 4};
            void *record = record_fill(types[i], &how), *again = record_fill(types[i], &how), *copy;
            struct err err;

            if (record_check(types[i], record, &err) < 0)
                fail_msg("%s: %s", types[i]->name, err.text);
            assert_true(record_equal(types[i], record, again)); /* the seed says it all */
            copy = record_dup(types[i], record, NULL);
            assert_true(record_equal(types[i], record, copy));
            record_free(types[i], record);
            record_free(types[i], again);
            record_free(types[i], copy);
        }
    }
}

/* A copy's lists have the room that their count promises. */
static void a_copy_s_lists_can_grow(void **state)
{
    struct fill how = {.seed = 1, .items = 3};
    struct plan *made = record_fill(&plan_type, &how);
    struct plan *copy = plan_dup(made, NULL);

    (void)state;
    assert_int_equal(copy->classes_count, 3);
    for (int i = 0; i < 6; i++) {
        assert_non_null(
            records_add(&class_summary_type, &copy->classes, &copy->classes_count, NULL));
        assert_int_equal(texts_add(&copy->warnings, &copy->warnings_count, "more", NULL), 0);
    }
    plan_free(made);
    plan_free(copy);
}

/* Each field by itself makes two records differ. */
static void every_field_counts_in_equality(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        struct fill how = {.seed = 11};
        void *record = record_fill(types[i], &how);

        for (size_t j = 0; j < types[i]->count; j++) {
            const struct field *f = &types[i]->fields[j];
            void *other;

            if (!field_is_known(f, record))
                continue;
            other = record_dup(types[i], record, NULL);
            switch (f->type) {
            case FIELD_I64:
                *(int64_t *)field_at(f, other) += 1;
                break;
            case FIELD_F64:
                *(double *)field_at(f, other) += 1 + *(double *)field_at(f, other);
                break;
            case FIELD_BOOL:
                *(int *)field_at(f, other) ^= 1;
                break;
            case FIELD_ENUM:
                *(int *)field_at(f, other) += 1;
                break;
            case FIELD_TEXT:
            case FIELD_PROSE:
                text_set(field_at(f, other), "another", NULL);
                break;
            case FIELD_RECORD:
                record_free(f->record, *(void **)field_at(f, other));
                *(void **)field_at(f, other) = NULL;
                break;
            case FIELD_RECORDS:
                assert_non_null(records_add(f->record, field_at(f, other),
                                            (size_t *)(void *)((char *)other + f->count_offset),
                                            NULL));
                break;
            case FIELD_TEXTS:
                assert_int_equal(texts_add(field_at(f, other),
                                           (size_t *)(void *)((char *)other + f->count_offset),
                                           "another", NULL),
                                 0);
                break;
            case FIELD_I64S:
                (*(int64_t **)field_at(f, other))[0] += 1;
                break;
            }
            if (record_equal(types[i], record, other))
                fail_msg("%s.%s does not count", types[i]->name, f->name);
            assert_false(record_equal(types[i], other, record));
            record_free(types[i], other);
        }
        record_free(types[i], record);
    }
}

static void unknown_equals_unknown_only(void **state)
{
    struct state *a = state_new(NULL), *b = state_new(NULL);

    (void)state;
    assert_true(record_equal(&state_type, a, b)); /* NaN equals NaN */
    a->cpu_load = 0;
    assert_false(record_equal(&state_type, a, b));
    b->cpu_load = 0;
    assert_true(record_equal(&state_type, a, b));
    state_free(a);
    state_free(b);
}

static void cleared_is_as_new(void **state)
{
    struct fill how = {.seed = 5};
    struct plan *plan = record_fill(&plan_type, &how);
    struct plan *empty = plan_new(NULL);

    (void)state;
    assert_false(record_equal(&plan_type, plan, empty));
    record_clear(&plan_type, plan);
    assert_true(record_equal(&plan_type, plan, empty));
    record_clear(&plan_type, plan); /* twice */
    plan_free(plan);
    plan_free(empty);
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(record_field(&state_type, "thermal")->names, &thermal_names);
    assert_null(record_field(&state_type, "Thermal"));
    assert_null(record_field(&status_request_type, "thermal"));
}

static void every_allocation_failed_in_copying(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        struct fill how = {.seed = 2};
        void *record = record_fill(types[i], &how), *copy = NULL;
        unsigned nth = 0;

        while (!copy && nth < 10000) {
            struct err err = {.code = ERR_NONE};

            mem_fail_at(++nth);
            copy = record_dup(types[i], record, &err);
            mem_fail_at(0);
            assert_true(copy || err.code == ERR_NOMEM);
        }
        assert_in_range(nth, 2, 9999);
        assert_true(record_equal(types[i], record, copy));
        record_free(types[i], record);
        record_free(types[i], copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_lives),
        cmocka_unit_test(a_new_record_knows_nothing),
        cmocka_unit_test(zero_and_empty_are_known),
        cmocka_unit_test(filled_records_are_sound_and_copied),
        cmocka_unit_test(a_copy_s_lists_can_grow),
        cmocka_unit_test(every_field_counts_in_equality),
        cmocka_unit_test(unknown_equals_unknown_only),
        cmocka_unit_test(cleared_is_as_new),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(every_allocation_failed_in_copying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
