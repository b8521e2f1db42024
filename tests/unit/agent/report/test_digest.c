/* test_digest.c - equal records have equal digests, and a change in any field shows. */
#include "agent/report/digest.h"
#include "common/model/device.h"
#include "tests/support/record_fill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_copy_has_the_same_digest(void **state)
{
    struct fill how = {.seed = 5};
    struct profile *p = record_fill(&profile_type, &how), *copy = profile_dup(p, NULL);

    (void)state;
    assert_true(record_digest(&profile_type, p) == record_digest(&profile_type, copy));
    profile_free(copy);
    profile_free(p);
}

/* Each field unset in turn: no two of the digests are alike. */
static void every_field_counts(void **state)
{
    struct fill how = {.seed = 6};
    struct profile *p = record_fill(&profile_type, &how);
    uint64_t whole = record_digest(&profile_type, p);

    (void)state;
    for (size_t i = 0; i < profile_type.count; i++) {
        struct profile *q = profile_dup(p, NULL), *empty = profile_new(NULL);
        const struct field *f = &profile_type.fields[i];
        struct profile moved = *q;
        size_t size = f->type == FIELD_I64 || f->type == FIELD_F64     ? 8
                      : f->type == FIELD_BOOL || f->type == FIELD_ENUM ? sizeof(int)
                                                                       : sizeof(void *);

        /* through memory, so that nothing is freed twice: q keeps what it owns */
        for (size_t k = 0; k < size; k++)
            ((char *)&moved)[f->offset + k] = ((const char *)empty)[f->offset + k];
        if (f->count_offset)
            *(size_t *)(void *)((char *)&moved + f->count_offset) = 0;
        if (field_is_known(f, p) && record_digest(&profile_type, &moved) == whole)
            fail_msg("%s does not count", f->name);
        profile_free(empty);
        profile_free(q);
    }
    profile_free(p);
}

static void text_does_not_run_into_its_neighbour(void **state)
{
    struct profile *a = profile_new(NULL), *b = profile_new(NULL);

    (void)state;
    assert_int_equal(text_set(&a->os_version, "1", NULL), 0);
    assert_int_equal(text_set(&a->os_build, "23", NULL), 0);
    assert_int_equal(text_set(&b->os_version, "12", NULL), 0);
    assert_int_equal(text_set(&b->os_build, "3", NULL), 0);
    assert_true(record_digest(&profile_type, a) != record_digest(&profile_type, b));
    profile_free(a);
    profile_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_the_same_digest),
        cmocka_unit_test(every_field_counts),
        cmocka_unit_test(text_does_not_run_into_its_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
