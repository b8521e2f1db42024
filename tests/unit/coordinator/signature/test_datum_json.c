#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/datum_json.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdio.h>

static const char sample[] =
    "{\"text\": \"gr\xc3\xb6\xc3\x9f\\n\\\"x\\\"\", \"whole\": 3, \"fraction\": 3.0, \"small\": 1e-7, "
    "\"yes\": true, \"no\": false, \"nothing\": null, \"list\": [1, 2.5, [\"a\"], {}], \"empty\": []}";

static void json_becomes_values_and_comes_back(void **state)
{
    struct named_datum *data = NULL;
    size_t count = 0;
    struct err err = {0};
    char *text;

    (void)state;
    assert_int_equal(named_data_read("inputs", sample, strlen(sample), &data, &count, &err), 0);
    assert_int_equal(count, 9);
    assert_string_equal(data[0].name, "text");
    assert_int_equal(data[0].value->form, VALUE_FORM_TEXT);
    assert_int_equal(data[1].value->form, VALUE_FORM_INTEGER);
    assert_int_equal(data[1].value->integer, 3);
    assert_int_equal(data[2].value->form, VALUE_FORM_NUMBER); /* 3.0 is no 3 */
    assert_int_equal(data[4].value->truth, TRI_TRUE);
    assert_int_equal(data[5].value->truth, TRI_FALSE);
    assert_int_equal(data[6].value->form, VALUE_FORM_NULL);
    assert_int_equal(data[7].value->items_count, 4);
    assert_int_equal(record_check(&named_datum_type, &data[7], &err), 0);
    text = named_data_print("inputs", data, count, &err);
    assert_string_equal(text,
                        "{\"text\":\"gr\xc3\xb6\xc3\x9f\\n\\\"x\\\"\",\"whole\":3,\"fraction\":3.0,"
                        "\"small\":1e-07,\"yes\":true,\"no\":false,\"nothing\":null,"
                        "\"list\":[1,2.5,[\"a\"],{}],\"empty\":[]}");
    mem_free(text);
    named_data_free(data, count);
}

static void what_is_no_object_is_no_set_of_inputs(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[1]", "inputs: array, wanted a JSON object of values by name"},
        {"\"x\"", "inputs: string, wanted a JSON object of values by name"},
        {"{\"a\": 1, \"a\": 2}", "inputs: "},
        {"{\"a\": 1", "inputs: "},
        {"", "inputs: "},
    };
    struct named_datum *data = NULL;
    size_t count = 7;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};

        assert_int_equal(
            named_data_read("inputs", rows[i].text, strlen(rows[i].text), &data, &count, &err), -1);
        assert_memory_equal(err.text, rows[i].says, strlen(rows[i].says));
        assert_null(data);
        assert_int_equal(count, 7);
    }
}

/* A list in a list in a list ... */
static void nesting_has_a_limit(void **state)
{
    char text[2 * VALUE_DEPTH_MAX + 8];
    struct datum d;
    struct err err = {0};

    (void)state;
    for (int depth = VALUE_DEPTH_MAX; depth <= VALUE_DEPTH_MAX + 1; depth++) {
        char *back;

        memset(text, '[', (size_t)depth + 1);
        memset(text + depth + 1, ']', (size_t)depth + 1);
        if (depth > VALUE_DEPTH_MAX) {
            record_init(&datum_type, &d);
            assert_int_equal(datum_read(text, 2 * (size_t)depth + 2, &d, &err), -1);
            assert_int_equal(err.code, ERR_TOO_BIG);
            record_clear(&datum_type, &d);
            continue;
        }
        record_init(&datum_type, &d);
        assert_int_equal(datum_read(text, 2 * (size_t)depth + 2, &d, &err), 0);
        back = datum_print("x", &d, &err);
        assert_memory_equal(back, text, 2 * (size_t)depth + 2);
        mem_free(back);
        record_clear(&datum_type, &d);
    }
}

static void a_form_without_its_value_is_refused(void **state)
{
    static const int forms[] = {VALUE_FORM_UNSET, VALUE_FORM_TEXT, VALUE_FORM_INTEGER,
                                VALUE_FORM_NUMBER, VALUE_FORM_TRUTH};
    struct datum d;
    struct err err = {0};

    (void)state;
    record_init(&datum_type, &d);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        d.form = forms[i];
        assert_null(datum_print("question", &d, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_memory_equal(err.text, "question: of ", 13);
    }
}

static void a_name_twice_is_refused(void **state)
{
    struct datum one = {.form = VALUE_FORM_NULL};
    struct named_datum twice[] = {{"a", &one}, {"b", &one}, {"a", &one}};
    struct err err = {0};

    (void)state;
    assert_null(named_data_print("inputs", twice, 3, &err));
    assert_string_equal(err.text, "inputs: a is given twice");
}

static void values_survive_lost_memory(void **state)
{
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct named_datum *data = NULL;
        size_t count = 0;
        char *text = NULL;

        mem_fail_at(++nth);
        rc = named_data_read("inputs", sample, strlen(sample), &data, &count, NULL);
        if (rc == 0 && !(text = named_data_print("inputs", data, count, NULL)))
            rc = -1;
        mem_fail_at(0);
        mem_free(text);
        named_data_free(data, count);
    } while (rc < 0 && nth < 5000);
    assert_in_range(nth, 2, 4999);
}

static void cut_and_flipped_bytes_are_read_or_refused(void **state)
{
    char text[sizeof sample];

    (void)state;
    for (size_t len = 0; len < sizeof sample; len++) {
        for (int bit = -1; bit < 8; bit++) {
            struct named_datum *data = NULL;
            size_t count = 0;

            memcpy(text, sample, sizeof sample);
            if (bit < 0)
                text[len] = '\0';
            else if (len < sizeof sample - 1)
                text[len] = (char)(text[len] ^ (1 << bit));
            if (named_data_read("x", text, bit < 0 ? len : sizeof sample - 1, &data, &count,
                                NULL) == 0)
                named_data_free(data, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_becomes_values_and_comes_back),
        cmocka_unit_test(what_is_no_object_is_no_set_of_inputs),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(a_form_without_its_value_is_refused),
        cmocka_unit_test(a_name_twice_is_refused),
        cmocka_unit_test(values_survive_lost_memory),
        cmocka_unit_test(cut_and_flipped_bytes_are_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
