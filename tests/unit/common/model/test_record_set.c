/* test_record_set.c - owned texts, growing lists, the words of enums. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/model/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Example of use. */
static void a_record_is_filled(void **state)
{
    struct state *s = state_new(NULL);

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct link *l = records_add(&link_type, &s->links, &s->links_count, NULL);

        assert_int_equal(text_setf(&l->name, NULL, "en%d", i), 0);
        assert_int_equal(l->up, TRI_UNKNOWN); /* a new item knows nothing */
    }
    assert_int_equal(s->links_count, 5);
    assert_string_equal(s->links[4].name, "en4");
    state_free(s);
}

static void a_text_is_replaced_and_unset(void **state)
{
    char *text = NULL;

    (void)state;
    assert_int_equal(text_set(&text, "one", NULL), 0);
    assert_int_equal(text_set(&text, text + 1, NULL), 0); /* from itself */
    assert_string_equal(text, "ne");
    assert_int_equal(text_setf(&text, NULL, "%s%d", text, 2), 0);
    assert_string_equal(text, "ne2");
    assert_int_equal(text_set(&text, NULL, NULL), 0);
    assert_null(text);
}

static void lost_memory_leaves_all_as_it_was(void **state)
{
    struct err err = {.code = ERR_NONE};
    struct rule_spec *r = rule_spec_new(NULL);
    char *text = NULL;

    (void)state;
    text_set(&text, "old", NULL);
    mem_fail_at(1);
    assert_int_equal(text_set(&text, "new", &err), -1);
    mem_fail_at(0);
    assert_int_equal(err.code, ERR_NOMEM);
    assert_string_equal(text, "old");
    mem_free(text);

    for (int i = 0; i < 4; i++)
        texts_add(&r->include, &r->include_count, "d", NULL);
    for (unsigned nth = 1; nth <= 2; nth++) { /* the copy, then the larger block */
        mem_fail_at(nth);
        assert_int_equal(texts_add(&r->include, &r->include_count, "e", &err), -1);
        mem_fail_at(0);
        assert_int_equal(r->include_count, 4);
    }
    assert_int_equal(texts_add(&r->include, &r->include_count, "e", NULL), 0);
    assert_string_equal(r->include[4], "e");
    rule_spec_free(r);
}

static void a_list_of_records_survives_lost_memory(void **state)
{
    struct err err = {.code = ERR_NONE};
    struct state *s = state_new(NULL);

    (void)state;
    for (size_t wanted = 1; wanted <= 64; wanted++) {
        mem_fail_at(1);
        if (!records_add(&link_type, &s->links, &s->links_count, &err)) {
            mem_fail_at(0);
            assert_int_equal(s->links_count, wanted - 1);
            assert_non_null(records_add(&link_type, &s->links, &s->links_count, NULL));
        }
        mem_fail_at(0);
        assert_int_equal(s->links_count, wanted);
        text_setf(&s->links[wanted - 1].name, NULL, "en%zu", wanted);
    }
    assert_int_equal(err.code, ERR_NOMEM);
    assert_string_equal(s->links[0].name, "en1");
    assert_string_equal(s->links[63].name, "en64");
    state_free(s);
}

static void room_is_the_next_power_of_two(void **state)
{
    (void)state;
    assert_int_equal(record_room(0), 1);
    assert_int_equal(record_room(1), 1);
    assert_int_equal(record_room(3), 4);
    assert_int_equal(record_room(4), 4);
    assert_int_equal(record_room(5), 8);
    assert_int_equal(record_room(1000000), 1048576);
}

static void words_of_enums(void **state)
{
    struct err err;
    int value = 77;

    (void)state;
    assert_string_equal(enum_name(&thermal_names, THERMAL_FAIR), "fair");
    assert_string_equal(enum_name(&thermal_names, 0), "unset");
    assert_null(enum_name(&thermal_names, 5));
    assert_null(enum_name(&thermal_names, -1));
    assert_int_equal(enum_parse(&thermal_names, "serious", &value, "rules.max_thermal", &err), 0);
    assert_int_equal(value, THERMAL_SERIOUS);
    value = 77;
    assert_int_equal(enum_parse(&thermal_names, "Fair", &value, "rules.max_thermal", &err), -1);
    assert_int_equal(value, 77);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(
        err.text, "rules.max_thermal: \"Fair\", wanted one of nominal, fair, serious, critical");
    assert_int_equal(enum_parse(&thermal_names, "unset", &value, "x", NULL), -1);
}

/* Without memory for the list of words, the error still has the field and the value. */
static void words_without_memory(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth < 6; nth++) {
        struct err err = {.code = ERR_NONE};
        int value;

        mem_fail_at(nth);
        assert_int_equal(enum_parse(&thermal_names, "hot", &value, "max_thermal", &err), -1);
        mem_fail_at(0);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, "max_thermal: \"hot\", wanted one of "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_filled),
        cmocka_unit_test(a_text_is_replaced_and_unset),
        cmocka_unit_test(lost_memory_leaves_all_as_it_was),
        cmocka_unit_test(a_list_of_records_survives_lost_memory),
        cmocka_unit_test(room_is_the_next_power_of_two),
        cmocka_unit_test(words_of_enums),
        cmocka_unit_test(words_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
