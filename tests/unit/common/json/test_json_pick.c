#include "common/json/json_pick.h"
#include "common/json/json.h"
#include "common/core/err.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const kinds[] = {"fedavg", "fedprox", NULL};

struct fixture {
    struct json *v;
    struct err err;
};

static int read_sample(void **state)
{
    static struct fixture fx;
    static const char sample[] =
        "{\"name\": \"pears\", \"rounds\": 20, \"lr\": 0.5, \"private\": true, \"none\": null,"
        " \"kind\": \"fedprox\", \"model\": {\"a\": 1}, \"list\": [1, 2, 3], \"huge\": 1e300}";

    fx.v = json_parse(sample, strlen(sample), &fx.err);
    *state = &fx;
    return fx.v ? 0 : -1;
}

static int free_sample(void **state)
{
    json_free(((struct fixture *)*state)->v);
    return 0;
}

static void fields_are_picked_with_their_limits(void **state)
{
    struct fixture *fx = *state;
    const struct json *model = NULL, *list = NULL;
    const char *name = NULL;
    int64_t rounds = 0;
    double lr = 0;
    bool private = false;
    int kind = -1;

    assert_int_equal(json_want_text(fx->v, "", "name", 5, &name, &fx->err), 0);
    assert_string_equal(name, "pears");
    assert_int_equal(json_want_i64(fx->v, "", "rounds", 1, 20, &rounds, &fx->err), 0);
    assert_int_equal(rounds, 20);
    assert_int_equal(json_want_f64(fx->v, NULL, "lr", 0, 0.5, &lr, &fx->err), 0);
    assert_true(lr == 0.5);
    assert_int_equal(json_want_bool(fx->v, NULL, "private", &private, &fx->err), 0);
    assert_true(private);
    assert_int_equal(json_want_enum(fx->v, NULL, "kind", kinds, &kind, &fx->err), 0);
    assert_int_equal(kind, 1);
    assert_int_equal(json_want_object(fx->v, NULL, "model", &model, &fx->err), 0);
    assert_int_equal(json_count(model), 1);
    assert_int_equal(json_want_array(fx->v, NULL, "list", 3, &list, &fx->err), 0);
    assert_int_equal(json_count(list), 3);
}

static void what_may_be_absent_keeps_its_default(void **state)
{
    struct fixture *fx = *state;
    const struct json *value = fx->v;
    const char *text = "kept";
    int64_t integer = 7;
    double real = 7;
    bool flag = true;
    int place = 7;

    assert_int_equal(json_may_text(fx->v, "", "x", 9, &text, &fx->err), 0);
    assert_int_equal(json_may_i64(fx->v, "", "x", 0, 9, &integer, &fx->err), 0);
    assert_int_equal(json_may_f64(fx->v, "", "x", 0, 9, &real, &fx->err), 0);
    assert_int_equal(json_may_bool(fx->v, "", "x", &flag, &fx->err), 0);
    assert_int_equal(json_may_enum(fx->v, "", "x", kinds, &place, &fx->err), 0);
    assert_int_equal(json_may_object(fx->v, "", "x", &value, &fx->err), 0);
    assert_int_equal(json_may_array(fx->v, "", "x", 9, &value, &fx->err), 0);
    assert_string_equal(text, "kept");
    assert_int_equal(integer, 7);
    assert_true(real == 7);
    assert_true(flag);
    assert_int_equal(place, 7);
    assert_ptr_equal(value, fx->v);
    assert_int_equal(json_may_i64(fx->v, "", "rounds", 0, 99, &integer, &fx->err), 0);
    assert_int_equal(integer, 20);
}

#define REFUSES(call, expected)                      \
    do {                                             \
        assert_int_equal(call, -1);                  \
        assert_int_equal(fx->err.code, ERR_INVALID); \
        assert_string_equal(fx->err.text, expected); \
    } while (0)

static void errors_name_the_field_the_value_and_what_was_wanted(void **state)
{
    struct fixture *fx = *state;
    const struct json *value = fx->v;
    struct err *err = &fx->err;
    const char *text = "kept";
    int64_t integer = 7;
    double real = 7;
    bool flag = true;
    int place = 7;

    REFUSES(json_want_i64(fx->v, "round", "x", 1, 8, &integer, err),
            "round.x is missing, want an integer 1..8");
    REFUSES(json_want_i64(fx->v, "", "rounds", 1, 8, &integer, err),
            "rounds is 20, want an integer 1..8");
    REFUSES(json_may_i64(fx->v, "", "lr", 1, 8, &integer, err), "lr is 0.5, want an integer 1..8");
    REFUSES(json_may_i64(fx->v, "", "huge", 1, 8, &integer, err),
            "huge is 1e+300, want an integer 1..8");
    REFUSES(json_may_i64(fx->v, "", "none", 1, 8, &integer, err),
            "none is null, want an integer 1..8");
    REFUSES(json_want_text(fx->v, NULL, "name", 4, &text, err),
            "name is \"pears\", want text of at most 4 bytes");
    REFUSES(json_want_text(fx->v, NULL, "rounds", 4, &text, err),
            "rounds is 20, want text of at most 4 bytes");
    REFUSES(json_want_f64(fx->v, NULL, "lr", 0.6, 1, &real, err),
            "lr is 0.5, want a number 0.6..1");
    REFUSES(json_want_f64(fx->v, NULL, "name", 0, 1, &real, err),
            "name is \"pears\", want a number 0..1");
    REFUSES(json_want_bool(fx->v, NULL, "rounds", &flag, err), "rounds is 20, want true or false");
    REFUSES(json_want_enum(fx->v, "agg[1]", "name", kinds, &place, err),
            "agg[1].name is \"pears\", want one of fedavg, fedprox");
    REFUSES(json_want_enum(fx->v, "agg", "private", kinds, &place, err),
            "agg.private is true, want one of fedavg, fedprox");
    REFUSES(json_want_object(fx->v, NULL, "list", &value, err), "list is an array, want an object");
    REFUSES(json_want_array(fx->v, NULL, "model", 3, &value, err),
            "model is an object, want an array of at most 3");
    REFUSES(json_want_array(fx->v, NULL, "list", 2, &value, err),
            "list has 3 items, want an array of at most 2");
    REFUSES(json_want_i64(json_member(fx->v, "list"), "list", "x", 1, 8, &integer, err),
            "list is no object");
    REFUSES(json_may_i64(NULL, NULL, "x", 1, 8, &integer, err), "the JSON is no object");
    assert_string_equal(text, "kept");
    assert_int_equal(integer, 7);
    assert_true(real == 7);
    assert_true(flag);
    assert_int_equal(place, 7);
    assert_ptr_equal(value, fx->v);
}

static void long_values_are_shortened_in_errors(void **state)
{
    struct fixture *fx = *state;
    const char *text = NULL;

    json_set_text(fx->v, "long", "0123456789012345678901234567890123456789012345678901234567890");
    REFUSES(json_want_text(fx->v, NULL, "long", 4, &text, &fx->err),
            "long is \"012345678901234567890123456789012345678901...\", "
            "want text of at most 4 bytes");
}

static void unknown_keys_are_refused_with_a_guess(void **state)
{
    static const char *const all[] = {"name", "rounds", "lr",   "private", "none",
                                      "kind", "model",  "list", "huge",    NULL};
    static const char *const others[] = {"Name", "rnds", NULL}, *const few[] = {"name", NULL},
                             *const none[] = {NULL};
    struct fixture *fx = *state;

    assert_int_equal(json_only(fx->v, "", all, &fx->err), 0);
    REFUSES(json_only(fx->v, "job", others, &fx->err), "job.name is not known, did you mean Name?");
    REFUSES(json_only(fx->v, "job", few, &fx->err), "job.rounds is not known");
    REFUSES(json_only(json_member(fx->v, "model"), "model", none, &fx->err),
            "model.a is not known");
    REFUSES(json_only(json_member(fx->v, "list"), "", all, &fx->err), "the JSON is no object");
    json_set_i64(fx->v, "a-name-that-is-longer-than-any-that-is-compared", 1);
    REFUSES(json_only(fx->v, "", all, &fx->err),
            "a-name-that-is-longer-than-any-that-is-compared is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_are_picked_with_their_limits, read_sample,
                                        free_sample),
        cmocka_unit_test_setup_teardown(what_may_be_absent_keeps_its_default, read_sample,
                                        free_sample),
        cmocka_unit_test_setup_teardown(errors_name_the_field_the_value_and_what_was_wanted,
                                        read_sample, free_sample),
        cmocka_unit_test_setup_teardown(long_values_are_shortened_in_errors, read_sample,
                                        free_sample),
        cmocka_unit_test_setup_teardown(unknown_keys_are_refused_with_a_guess, read_sample,
                                        free_sample),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
