#include "common/json/json.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct json *parse(const char *text)
{
    struct err err = {ERR_NONE, ""};
    struct json *v = json_parse(text, strlen(text), &err);

    if (!v)
        print_error("%s\n", err.text);
    assert_non_null(v);
    return v;
}

/* v as one line of text, and v is freed. */
static void assert_prints(struct json *v, const char *expected)
{
    char *text = json_print(v, false, NULL);

    assert_string_equal(text, expected);
    mem_free(text);
    json_free(v);
}

static void a_tree_is_read_by_walking(void **state)
{
    struct json *job = parse("{\"name\": \"pears\", \"model\": {\"layers\": 28, \"scale\": 0.5},\n"
                             " \"clients\": [\"a\", \"b\"], \"private\": true, \"note\": null}");
    const struct json *model = json_member(job, "model"), *clients = json_member(job, "clients");
    const struct json *member;

    (void)state;
    assert_string_equal(json_text(json_member(job, "name")), "pears");
    assert_int_equal(json_integer(json_member(model, "layers")), 28);
    assert_true(json_number(json_member(model, "scale")) == 0.5);
    assert_true(json_bool_value(json_member(job, "private")));
    assert_int_equal(json_type_of(json_member(job, "note")), JSON_NULL);
    assert_int_equal(json_count(clients), 2);
    assert_string_equal(json_text(json_item(clients, 1)), "b");
    assert_null(json_item(clients, 2));
    member = json_first(job);
    assert_string_equal(json_name(member), "name");
    assert_string_equal(json_name(json_next(member)), "model");
    assert_null(json_name(json_first(clients)));
    assert_null(json_next(json_item(clients, 1)));
    json_free(job);
}

static void a_tree_is_built_by_moving_values_in(void **state)
{
    struct json *plan = json_object(), *rounds = json_array(), *v = json_new_i64(3);
    struct json *limits;

    (void)state;
    assert_int_equal(json_set_text(plan, "id", "p1"), 0);
    assert_int_equal(json_append(rounds, &v), 0);
    assert_null(v);
    v = json_new_f64(0.25);
    assert_int_equal(json_append(rounds, &v), 0);
    assert_int_equal(json_append_text(rounds, "last"), 0);
    assert_int_equal(json_set(plan, "rounds", &rounds), 0);
    assert_int_equal(json_set_bool(plan, "dry", false), 0);
    v = json_new_null();
    assert_int_equal(json_set(plan, "none", &v), 0);
    limits = json_set_object(plan, "limits");
    assert_int_equal(json_set_i64(limits, "bytes", 6LL << 30), 0);
    assert_int_equal(json_set_f64(limits, "seconds", 1.5), 0);
    limits = json_append_object(json_set_array(plan, "list"));
    assert_int_equal(json_set_text(limits, "in", "there"), 0);
    assert_prints(plan, "{\"id\":\"p1\",\"rounds\":[3,0.25,\"last\"],\"dry\":false,\"none\":null,"
                        "\"limits\":{\"bytes\":6442450944,\"seconds\":1.5},"
                        "\"list\":[{\"in\":\"there\"}]}");
}

static void nothing_answers_nothing(void **state)
{
    struct json *text = json_new_text("x"), *number = json_new_f64(0.5);

    (void)state;
    assert_int_equal(json_type_of(NULL), JSON_NULL);
    assert_null(json_first(NULL));
    assert_null(json_next(NULL));
    assert_null(json_name(NULL));
    assert_int_equal(json_count(NULL), 0);
    assert_int_equal(json_count(text), 0);
    assert_null(json_member(NULL, "x"));
    assert_null(json_member(text, "x"));
    assert_null(json_item(NULL, 0));
    assert_null(json_item(text, 0));
    assert_null(json_text(NULL));
    assert_null(json_text(number));
    assert_false(known_f64(json_number(NULL)));
    assert_false(known_f64(json_number(text)));
    assert_false(json_is_integer(NULL));
    assert_false(json_is_integer(number));
    assert_false(known_i64(json_integer(number)));
    assert_false(json_bool_value(NULL));
    assert_false(json_bool_value(text));
    assert_null(json_dup(NULL));
    assert_null(json_remove(NULL, "x"));
    json_free(NULL);
    json_free(text);
    json_free(number);
}

static void arrays_have_no_members_and_objects_no_items(void **state)
{
    struct json *array = parse("[1]"), *object = parse("{\"a\": 1}");

    (void)state;
    assert_null(json_member(array, "a"));
    assert_null(json_item(object, 0));
    json_free(array);
    json_free(object);
}

static void integers_are_those_that_doubles_hold(void **state)
{
    static const struct {
        const char *text;
        bool integer;
        int64_t value;
    } rows[] = {
        {"9007199254740992", true, 9007199254740992},
        {"-9007199254740992", true, -9007199254740992},
        {"9007199254740991", true, 9007199254740991},
        {"1e3", true, 1000},
        {"2.0", true, 2},
        {"-0", true, 0},
        {"0.5", false, UNKNOWN_I64},
        {"1e300", false, UNKNOWN_I64},
        {"9.1e15", false, UNKNOWN_I64},
        {"\"7\"", false, UNKNOWN_I64},
        {"true", false, UNKNOWN_I64},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json *v = parse(rows[i].text);

        assert_int_equal(json_is_integer(v), rows[i].integer);
        assert_true(json_integer(v) == rows[i].value);
        json_free(v);
    }
}

static void what_json_cannot_hold_is_not_made(void **state)
{
    struct json *v;

    (void)state;
    assert_null(json_new_f64(UNKNOWN_F64));
    assert_null(json_new_f64(INFINITY));
    assert_null(json_new_i64(JSON_INTEGER_MAX + 1));
    assert_null(json_new_i64(-JSON_INTEGER_MAX - 1));
    assert_null(json_new_i64(UNKNOWN_I64));
    assert_null(json_new_text(NULL));
    assert_null(json_new_text("\xff"));
    assert_null(json_new_text_n("a\0b", 3));
    v = json_new_i64(JSON_INTEGER_MAX);
    assert_true(json_integer(v) == JSON_INTEGER_MAX);
    json_free(v);
    v = json_new_text_n("pears", 4);
    assert_string_equal(json_text(v), "pear");
    json_free(v);
}

/* The value is taken whatever happens; the sanitizer sees a leak. */
static void a_move_that_fails_still_takes(void **state)
{
    struct json *object = json_object(), *array = json_array(), *v = NULL;

    (void)state;
    assert_int_equal(json_set(object, "a", &v), -1);
    assert_int_equal(json_append(array, &v), -1);
    v = json_new_bool(true);
    assert_int_equal(json_set(array, "a", &v), -1);
    assert_null(v);
    v = json_new_bool(true);
    assert_int_equal(json_append(object, &v), -1);
    assert_null(v);
    v = json_new_bool(true);
    assert_int_equal(json_set(NULL, "a", &v), -1);
    v = json_new_bool(true);
    assert_int_equal(json_append(NULL, &v), -1);
    v = json_new_bool(true);
    assert_int_equal(json_set(object, NULL, &v), -1);
    v = json_new_bool(true);
    assert_int_equal(json_set(object, "\xff", &v), -1);
    assert_null(v);
    assert_int_equal(json_set_f64(object, "a", UNKNOWN_F64), -1);
    assert_int_equal(json_set_text(object, "a", NULL), -1);
    assert_null(json_set_object(array, "a"));
    assert_null(json_set_array(NULL, "a"));
    assert_null(json_append_object(object));
    assert_prints(object, "{}");
    assert_prints(array, "[]");
}

static void setting_again_replaces_in_place(void **state)
{
    struct json *v = json_object();

    (void)state;
    json_set_i64(v, "a", 1);
    json_set_text(v, "a", "alone"); /* the only one */
    json_set_i64(v, "b", 2);
    json_set_i64(v, "c", 3);
    json_set_text(v, "a", "first");
    json_set_text(v, "c", "last");
    json_set_text(v, "b", "mid");
    json_set_i64(v, "d", 4); /* the end of the list is still known */
    json_set_i64(v, "", 5);
    assert_prints(v, "{\"a\":\"first\",\"b\":\"mid\",\"c\":\"last\",\"d\":4,\"\":5}");
}

static void values_move_between_trees(void **state)
{
    struct json *from = parse("{\"a\": [1], \"b\": 2}"), *to = json_array(), *v;

    (void)state;
    v = json_remove(from, "a");
    assert_int_equal(json_append(to, &v), 0);
    assert_null(json_name(json_first(to)));
    assert_null(json_remove(from, "a"));
    v = json_dup(json_member(from, "b"));
    assert_int_equal(json_set(from, "c", &v), 0);
    v = json_remove(from, "b");
    assert_int_equal(json_set(from, "z", &v), 0);
    assert_prints(from, "{\"c\":2,\"z\":2}");
    assert_prints(to, "[[1]]");
}

static void a_copy_is_its_own(void **state)
{
    struct json *v = parse("{\"a\": [1, {\"b\": \"c\"}]}"), *copy = json_dup(v);

    (void)state;
    json_set_i64(v, "a", 7);
    json_free(v);
    assert_prints(copy, "{\"a\":[1,{\"b\":\"c\"}]}");
}

static void types_have_names(void **state)
{
    (void)state;
    assert_string_equal(json_type_name(JSON_BOOL), "boolean");
    assert_string_equal(json_type_name(JSON_OBJECT), "object");
    assert_string_equal(json_type_name((enum json_type)77), "null");
}

static void files_are_read_and_named(void **state)
{
    char path[] = "/tmp/espalier-json-XXXXXX";
    int fd = mkstemp(path);
    struct json *v;
    struct err err;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_atomic(path, 0600, "{\"a\": 1}\n", 9, NULL), 0);
    v = json_read_file(path, &err);
    assert_prints(v, "{\"a\":1}");
    assert_int_equal(file_write_atomic(path, 0600, "{\n \"a\": 01}", 11, NULL), 0);
    assert_null(json_read_file(path, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
    assert_memory_equal(err.text, path, strlen(path));
    assert_string_equal(err.text + strlen(path), ": 2:7: 01 is no number");
    unlink(path);
    assert_null(json_read_file(path, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static int build(struct json **out)
{
    struct json *v = json_object(), *list = json_array();
    int rc = -1;

    if (json_set_text(v, "name", "pears") < 0 || json_append_text(list, "a") < 0 ||
        json_set(v, "list", &list) < 0 || json_set_i64(v, "name", 1) < 0 ||
        !json_set_object(v, "inner") || !(*out = json_dup(v)))
        goto out;
    rc = 0;
out:
    json_free(list);
    json_free(v);
    return rc;
}

static void building_survives_lost_memory(void **state)
{
    struct json *v = NULL;
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = build(&v);
        mem_fail_at(0);
        assert_true((rc == 0) == (v != NULL));
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 10, 999);
    assert_prints(v, "{\"name\":1,\"list\":[\"a\"],\"inner\":{}}");
}

/* A set that fails for memory leaves the member that was there. */
static void a_failed_replacement_keeps_the_old(void **state)
{
    struct json *v = parse("{\"a\": 1}");
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        mem_fail_at(++nth);
        rc = json_set_text(v, "a", "new");
        mem_fail_at(0);
        if (rc < 0)
            assert_int_equal(json_integer(json_member(v, "a")), 1);
    } while (rc < 0 && nth < 100);
    assert_int_equal(nth, 4); /* the value, its text, its key; then none is left to fail */
    assert_prints(v, "{\"a\":\"new\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_read_by_walking),
        cmocka_unit_test(a_tree_is_built_by_moving_values_in),
        cmocka_unit_test(nothing_answers_nothing),
        cmocka_unit_test(arrays_have_no_members_and_objects_no_items),
        cmocka_unit_test(integers_are_those_that_doubles_hold),
        cmocka_unit_test(what_json_cannot_hold_is_not_made),
        cmocka_unit_test(a_move_that_fails_still_takes),
        cmocka_unit_test(setting_again_replaces_in_place),
        cmocka_unit_test(values_move_between_trees),
        cmocka_unit_test(a_copy_is_its_own),
        cmocka_unit_test(types_have_names),
        cmocka_unit_test(files_are_read_and_named),
        cmocka_unit_test(building_survives_lost_memory),
        cmocka_unit_test(a_failed_replacement_keeps_the_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
