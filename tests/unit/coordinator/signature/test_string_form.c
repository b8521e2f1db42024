#include "common/core/mem.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

/* What each line reads as, printed again; DSPy 3.4.1 reads them so too. */
static const struct {
    const char *text, *again;
} good[] = {
    {"a, b: int -> c: float", "a, b: int -> c: float"},
    {"a,->b", "a -> b"},
    {"a\n, b ->\n c", "a, b -> c"},
    {"a,a->b", "a -> b"},
    {"->b", " -> b"},
    {"a->", "a -> "},
    {"->", " -> "},
    {"a=3->b", "a -> b"},
    {"a: str = 'x, y' -> b", "a -> b"},
    {"a: int|None -> b", "a: Optional[int] -> b"},
    {"-> b: list[str], c: dict[str,float], d: Literal['x', \"y\"], e: Optional[int]",
     " -> b: list[str], c: dict[str, float], d: Literal['x', 'y'], e: Optional[int]"},
    {"**kw -> c", " -> c"},
    {"*args -> c", " -> c"},
    {"\xc3\xa9 -> \xc3\xbc", "\xc3\xa9 -> \xc3\xbc"},
    {"a: List[str] -> b: typing.Optional[str]", "a: list[str] -> b: Optional[str]"},
};

static void a_line_is_a_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct err err = {0};
        struct signature *sig =
            string_form_read(NULL, good[i].text, strlen(good[i].text), "Do it.", &err);
        char *again;

        if (!sig) {
            fail_msg("%s: %s", good[i].text, err.text);
            return;
        }
        assert_string_equal(sig->name, "StringSignature");
        assert_string_equal(sig->instructions, "Do it.");
        again = string_form_print(sig, NULL);
        assert_string_equal(again, good[i].again);
        mem_free(again);
        signature_free(sig);
    }
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "exactly one ->"},
        {"a", "exactly one ->"},
        {"a->b->c", "exactly one ->"},
        {"a: Literal['->'] -> b", "exactly one ->"},
        {"class -> b", "inputs: field \"class\""},
        {"a -> 1b", "outputs: field \"1b\""},
        {"_a -> b", "_"},
        {"a: int, a: str -> b", "field a has two types: int and str"},
        {"a->a", "field a is both an input and an output"},
        {"a: Foo->b", "inputs: field a: type \"Foo\""},
        {"a: tuple[int,int]->b", "tuple"},
        {"a b->c", "a b"},
        {"a;b->c", "a;b"},
        {"a: list[int->b", "other half"},
        {"a]->b", "other half"},
        {"a,,b->c", "comma"},
        {", -> b", "comma"},
        {"a: -> b", "ends where a type was wanted"},
        {"a -> b # c", "b # c"},
        {"a: 'int' -> b", "type"},
        {"a: None -> b", "None"},
        {"a: str | int -> b", "union"},
        {"(a) -> b", "(a)"},
        {"*args, a -> b", "\"a\" after a *"},
        {"a, /, b -> c", "/"},
        {"a=1, b -> c", "default"},
        {"instructions -> b", "reserved"},
        {"a -> completed", "reserved"},
        {"\xff -> b", "UTF-8"},
        {"a -> b: Literal['x\x18']", "end of a text"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct signature *sig =
            string_form_read(NULL, rows[i].text, strlen(rows[i].text), NULL, &err);

        if (sig || !strstr(err.text, rows[i].said))
            fail_msg("%s: %s", rows[i].text, sig ? "was read" : err.text);
    }
    assert_null(string_form_read("not a name", "a -> b", 6, NULL, NULL));
    assert_null(string_form_read(NULL, "a\0x -> b", 8, NULL, NULL));
}

static void a_line_has_a_limit(void **state)
{
    char *text = test_malloc(STRING_FORM_TEXT_MAX + 1);
    struct err err = {0};
    struct signature *sig;

    (void)state;
    memset(text, ' ', STRING_FORM_TEXT_MAX + 1);
    memcpy(text, "a -> b", 6);
    assert_null(string_form_read(NULL, text, STRING_FORM_TEXT_MAX + 1, NULL, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    sig = string_form_read(NULL, text, STRING_FORM_TEXT_MAX, NULL, &err);
    assert_non_null(sig);
    signature_free(sig);
    test_free(text);
}

static void damage_and_lost_memory_are_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const char *text = good[i].text;
        size_t len = strlen(text);
        struct signature *sig;
        struct err err;
        unsigned nth = 0;

        for (size_t cut = 0; cut < len; cut++) {
            char *part = mem_dup(text, cut);

            signature_free(string_form_read(NULL, part, cut, NULL, NULL));
            mem_free(part);
        }
        for (size_t bit = 0; bit < len * 8; bit++) {
            char *flipped = mem_dup(text, len);

            flipped[bit / 8] = (char)(flipped[bit / 8] ^ (1 << bit % 8));
            signature_free(string_form_read(NULL, flipped, len, NULL, NULL));
            mem_free(flipped);
        }
        do {
            err.code = ERR_NONE;
            mem_fail_at(++nth);
            sig = string_form_read(NULL, text, len, NULL, &err);
            mem_fail_at(0);
            assert_true(sig || err.code == ERR_NOMEM);
        } while (!sig && nth < 1000);
        assert_in_range(nth, 3, 999);
        signature_free(sig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_signature),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_line_has_a_limit),
        cmocka_unit_test(damage_and_lost_memory_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
