#include "common/core/buf.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/raw_json.h"
#include "tests/unit/coordinator/signature/cases.h"

static void the_texts_of_values_are_cut_out(void **state)
{
    static const char text[] = " { \"a\" : 1.0 , \"b\\\"}\":[1, [2, \"]\"] ],\n\"c\":\"x, y\","
                               "\"d\":{\"e\": {} , \"f\":null},\"g\":true }";
    static const char *const values[] = {"1.0", "[1,[2,\"]\"]]", "\"x, y\"",
                                         "{\"e\":{},\"f\":null}", "true"};
    struct raw_value v;
    struct raw_json r;
    size_t i = 0;

    (void)state;
    raw_json_open(&r, text);
    while (raw_json_next(&r, &v)) {
        struct buf b;

        assert_in_range(i, 0, 4);
        buf_init(&b, 1000);
        raw_json_add(&b, v);
        assert_string_equal(b.data, values[i++]);
        buf_clear(&b);
    }
    assert_int_equal(i, 5);
    assert_false(raw_json_next(&r, &v)); /* and stays at the end */
}

static void what_holds_nothing_gives_nothing(void **state)
{
    static const char *const texts[] = {"{}", "[]", " [ ] ", ""};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct raw_value v;
        struct raw_json r;

        raw_json_open(&r, texts[i]);
        assert_false(raw_json_next(&r, &v));
    }
}

/* Nothing is read past the end, and every walk ends, also where it was promised JSON and is not. */
static void broken_text_ends_the_walk(void **state)
{
    static const char text[] = "[1,{\"a\":\"b\\\\\"},\"\\u00e9\", {\"c\": [-1e5]}]";

    (void)state;
    for (size_t len = 0; len < sizeof text; len++)
        for (int bit = 0; bit < 8; bit++) {
            char *part = mem_dup(text, len);
            struct raw_value v;
            struct raw_json r;
            size_t items = 0;

            if (len)
                part[len - 1] = (char)(part[len - 1] ^ (1 << bit));
            raw_json_open(&r, part);
            while (raw_json_next(&r, &v))
                items++;
            assert_in_range(items, 0, sizeof text);
            mem_free(part);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_texts_of_values_are_cut_out),
        cmocka_unit_test(what_holds_nothing_gives_nothing),
        cmocka_unit_test(broken_text_ends_the_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
