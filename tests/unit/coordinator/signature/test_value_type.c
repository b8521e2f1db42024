#include "common/core/buf.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/value_type.h"
#include "tests/unit/coordinator/signature/cases.h"

static struct value_type *read_type(const char *text)
{
    struct err err = {0};
    struct value_type *t = value_type_read(text, strlen(text), &err);

    if (!t)
        fail_msg("%s: %s", text, err.text);
    return t;
}

static char *spelt(const struct value_type *t, bool source)
{
    struct buf b;

    buf_init(&b, VALUE_TYPE_TEXT_MAX);
    (source ? value_type_add_source : value_type_add_name)(&b, t);
    return buf_take(&b, NULL, NULL);
}

static const struct {
    const char *text, *name, *source, *schema;
} good[] = {
    {"list[str]", "list[str]", "list[str]", "{\"items\":{\"type\":\"string\"},\"type\":\"array\"}"},
    {"str", "str", "str", "{\"type\":\"string\"}"},
    {" int ", "int", "int", "{\"type\":\"integer\"}"},
    {"float", "float", "float", "{\"type\":\"number\"}"},
    {"bool", "bool", "bool", "{\"type\":\"boolean\"}"},
    {"typing.Any", "Any", "Any", "{}"},
    {"list", "list", "list", "{\"items\":{},\"type\":\"array\"}"},
    {"dict", "dict", "dict", "{\"additionalProperties\":true,\"type\":\"object\"}"},
    {"Dict[str,\n List[ int ]]", "dict[str, list[int]]", "dict[str, list[int]]",
     "{\"additionalProperties\":{\"items\":{\"type\":\"integer\"},\"type\":\"array\"},"
     "\"type\":\"object\"}"},
    {"Optional[str]", "Union[str, NoneType]", "Optional[str]",
     "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}"},
    {"int | None", "Union[int, NoneType]", "Optional[int]",
     "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}"},
    {"Union[None, int]", "Union[int, NoneType]", "Optional[int]", NULL},
    {"Optional[Optional[int]]", "Union[int, NoneType]", "Optional[int]", NULL},
    {"list[int | None]", "list[Union[int, NoneType]]", "list[Optional[int]]", NULL},
    {"Literal['a', \"b\"]", "Literal['a', 'b']", "Literal['a', 'b']",
     "{\"enum\":[\"a\",\"b\"],\"type\":\"string\"}"},
    {"Literal['it\\'s', 'a\"b',]", "Literal[\"it's\", 'a\"b']", "Literal[\"it's\", 'a\"b']", NULL},
    {"Literal['\\'\"']", "Literal['\\'\"']", "Literal['\\'\"']", NULL},
    {"Literal[3]", "Literal[3]", "Literal[3]", "{\"const\":3,\"type\":\"integer\"}"},
    {"Literal['a', -3, True, None]", "Literal['a', -3, True, None]", "Literal['a', -3, True, None]",
     "{\"enum\":[\"a\",-3,true,null]}"},
};

static void types_are_read_named_and_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct value_type *t = read_type(good[i].text), *again, *copy = value_type_dup(t, NULL);
        char *name = spelt(t, false), *source = spelt(t, true);
        struct json *schema = value_type_schema(t);
        char *text = json_print(schema, false, NULL);

        assert_string_equal(name, good[i].name);
        assert_string_equal(source, good[i].source);
        if (good[i].schema)
            assert_string_equal(text, good[i].schema);
        again = read_type(source);
        assert_true(value_type_equal(t, again));
        assert_true(value_type_equal(t, copy));
        value_type_free(t);
        value_type_free(again);
        value_type_free(copy);
        mem_free(name);
        mem_free(source);
        mem_free(text);
        json_free(schema);
    }
}

static void different_types_differ(void **state)
{
    static const char *const all[] = {"int",         "float",          "list",         "list[int]",
                                      "list[float]", "Literal['a']",   "Literal['b']", "dict",
                                      "Any",         "Literal['a',1]", "bool",         "str",
                                      "Literal[1]",  "Literal[True]",  "Literal[None]"};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (size_t j = 0; j < sizeof all / sizeof all[0]; j++) {
            struct value_type *a = read_type(all[i]), *b = read_type(all[j]);

            assert_int_equal(value_type_equal(a, b), i == j);
            value_type_free(a);
            value_type_free(b);
        }
}

static void no_type_is_text(void **state)
{
    struct value_type *text = read_type("str"), *other = read_type("int");

    (void)state;
    assert_true(value_type_equal(NULL, text));
    assert_true(value_type_equal(NULL, NULL));
    assert_false(value_type_equal(NULL, other));
    assert_true(value_type_is_text(NULL));
    assert_false(value_type_takes_null(NULL));
    value_type_free(text);
    value_type_free(other);
    value_type_free(NULL);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *said;
    } rows[] = {
        {"", ERR_INVALID, "a type"},
        {"Foo", ERR_INVALID, "\"Foo\""},
        {"tuple[int, int]", ERR_UNSUPPORTED, "tuple"},
        {"set", ERR_UNSUPPORTED, "set"},
        {"dict[int, str]", ERR_UNSUPPORTED, "keys"},
        {"dict[str]", ERR_INVALID, "comma"},
        {"dict[str, int", ERR_INVALID, "]"},
        {"list[]", ERR_INVALID, "a type"},
        {"list[int, str]", ERR_INVALID, "]"},
        {"str | int", ERR_UNSUPPORTED, "union"},
        {"Union[str, int]", ERR_UNSUPPORTED, "union"},
        {"None", ERR_UNSUPPORTED, "None"},
        {"Optional", ERR_INVALID, "["},
        {"Optional[None]", ERR_UNSUPPORTED, "None"},
        {"Literal", ERR_INVALID, "Literal"},
        {"Literal[]", ERR_INVALID, "Literal"},
        {"Literal['a]", ERR_INVALID, "quote"},
        {"Literal['a'", ERR_INVALID, "]"},
        {"Literal['\\n']", ERR_UNSUPPORTED, "escape"},
        {"Literal[1.5]", ERR_INVALID, "Literal"},
        {"Literal[foo]", ERR_INVALID, "foo"},
        {"'int'", ERR_INVALID, "int"},
        {"int int", ERR_INVALID, "end"},
        {"list[list[list[list[list[list[list[list[int]]]]]]]]", ERR_TOO_BIG, "deeper"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct value_type *t = value_type_read(rows[i].text, strlen(rows[i].text), &err);

        if (t || err.code != rows[i].code || !strstr(err.text, rows[i].said))
            fail_msg("%s: %s", rows[i].text, t ? "was read" : err.text);
    }
}

static void values_are_checked(void **state)
{
    static const struct {
        const char *type, *json, *said;
    } rows[] = {
        {"list[int]", "[1, 2]", NULL},
        {"list[int]", "[1, \"two\"]", "f[1]: \"two\", wanted int"},
        {"dict[str, list[bool]]", "{\"a\": [true]}", NULL},
        {"dict[str, list[bool]]", "{\"a\": [1]}", "f.a[0]: number, wanted bool"},
        {"str", "[1]", NULL},
        {"Any", "null", NULL},
        {"int", "1.5", "f: number, wanted int"},
        {"float", "1", NULL},
        {"float", "true", "f: boolean, wanted float"},
        {"Literal['a', 3]", "3", NULL},
        {"Literal['a', 3]", "\"A\"", "f: \"A\", wanted Literal['a', 3]"},
        {"Optional[int]", "null", NULL},
        {"Optional[int]", "\"x\"", "f: \"x\", wanted int"},
        {"list", "{}", "f: object, wanted list"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct value_type *t = read_type(rows[i].type);
        struct json *v = json_parse(rows[i].json, strlen(rows[i].json), NULL);
        struct err err = {0};

        assert_int_equal(value_type_check(t, v, "f", &err), rows[i].said ? -1 : 0);
        if (rows[i].said)
            assert_string_equal(err.text, rows[i].said);
        value_type_free(t);
        json_free(v);
    }
}

static void sweep_one(const char *text)
{
    size_t len = strlen(text);
    struct value_type *t;
    struct err err;
    unsigned nth = 0;

    for (size_t cut = 0; cut < len; cut++) /* ASan sees what is read past the end or left behind */
        value_type_free(value_type_read(text + len - cut, cut, NULL));
    for (size_t cut = 0; cut < len; cut++) {
        char *part = mem_dup(text, cut);

        value_type_free(value_type_read(part, cut, NULL));
        mem_free(part);
    }
    for (size_t bit = 0; bit < len * 8; bit++) {
        char *flipped = mem_dup(text, len);

        flipped[bit / 8] = (char)(flipped[bit / 8] ^ (1 << bit % 8));
        value_type_free(value_type_read(flipped, len, NULL));
        mem_free(flipped);
    }
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        t = value_type_read(text, len, &err);
        mem_fail_at(0);
        assert_true(t || err.code == ERR_NOMEM);
    } while (!t && nth < 1000);
    assert_in_range(nth, 2, 999);
    for (unsigned n = 1; n < 100; n++) {
        struct json *schema;
        struct value_type *copy;

        mem_fail_at(n);
        copy = value_type_dup(t, NULL);
        mem_fail_at(n);
        schema = value_type_schema(t);
        mem_fail_at(0);
        value_type_free(copy);
        json_free(schema);
    }
    value_type_free(t);
}

static void damage_and_lost_memory_are_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        sweep_one(good[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_read_named_and_described),
        cmocka_unit_test(different_types_differ),
        cmocka_unit_test(no_type_is_text),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(values_are_checked),
        cmocka_unit_test(damage_and_lost_memory_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
