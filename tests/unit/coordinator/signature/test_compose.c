#include "common/core/mem.h"
#include "coordinator/signature/compose.h"
#include "coordinator/signature/string_form.h"
#include "coordinator/signature/value_type.h"
#include "tests/unit/coordinator/signature/cases.h"

static struct signature *line(const char *name, const char *text)
{
    struct signature *sig = string_form_read(name, text, strlen(text), NULL, NULL);

    assert_non_null(sig);
    return sig;
}

static void check_line(struct signature *sig, const char *expected)
{
    char *got;

    assert_non_null(sig);
    got = string_form_print(sig, NULL);
    assert_string_equal(got, expected);
    mem_free(got);
    signature_free(sig);
}

static struct signature_field field(const char *name, enum signature_direction direction)
{
    static char names[8][80]; /* a field lends its name; a test uses few at a time */
    static size_t next;
    struct signature_field f = {.direction = direction, .role = SIGNATURE_ROLE_OTHER};

    f.name = strncpy(names[next++ % 8], name, sizeof names[0] - 1);
    return f;
}

static void fields_are_added_and_taken_out(void **state)
{
    struct signature *sig = line("S", "a, b -> x");
    struct signature_field n = field("n", SIGNATURE_INPUT), y = field("y", SIGNATURE_OUTPUT);

    (void)state;
    check_line(signature_append(sig, &n, NULL), "a, b, n -> x");
    check_line(signature_prepend(sig, &n, NULL), "n, a, b -> x");
    check_line(signature_append(sig, &y, NULL), "a, b -> x, y");
    check_line(signature_prepend(sig, &y, NULL), "a, b -> y, x");
    check_line(signature_delete(sig, "a", NULL), "b -> x");
    check_line(signature_delete(sig, "zz", NULL), "a, b -> x");
    check_line(sig, "a, b -> x"); /* untouched by all that */
}

/* Expected: what DSPy 3.4.1 does with the same indices. */
static void an_index_counts_in_its_own_section(void **state)
{
    static const struct {
        long index;
        const char *line;
    } rows[] = {
        {0, "n, a, b, c -> x, y"},
        {1, "a, n, b, c -> x, y"},
        {2, "a, b, n, c -> x, y"},
        {3, "a, b, c, n -> x, y"},
        {4, NULL},
        {-1, "a, b, c, n -> x, y"},
        {-2, "a, b, n, c -> x, y"},
        {-3, "a, n, b, c -> x, y"},
        {-4, "n, a, b, c -> x, y"},
        {-5, NULL},
    };
    struct signature *sig = line("S", "a, b, c -> x, y");
    struct signature_field n = field("n", SIGNATURE_INPUT);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct signature *made = signature_insert(sig, rows[i].index, &n, &err);

        if (rows[i].line) {
            check_line(made, rows[i].line);
            continue;
        }
        assert_null(made);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, "wanted -4 to 3 for its inputs"));
    }
    signature_free(sig);
}

static void two_meanings_are_refused(void **state)
{
    struct signature *sig = line("S", "a, b: int -> x");
    struct signature_field same = field("a", SIGNATURE_INPUT), turned = field("x", SIGNATURE_INPUT),
                           typed = field("b", SIGNATURE_INPUT),
                           bad = field("class", SIGNATURE_INPUT);
    char words[] = "other words";
    struct err err = {0};

    (void)state;
    check_line(signature_prepend(sig, &same, NULL), "a, b: int -> x"); /* its slot stays */
    assert_null(signature_append(sig, &turned, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    assert_string_equal(err.text,
                        "field x has two meanings: in S output str; in what is added input str");
    assert_null(signature_append(sig, &typed, &err));
    assert_non_null(strstr(err.text, "input int"));
    same.description = words;
    assert_null(signature_append(sig, &same, &err));
    assert_non_null(strstr(err.text, "other words"));
    assert_null(signature_append(sig, &bad, &err));
    assert_int_equal(err.code, ERR_INVALID);
    signature_free(sig);
}

static void instructions_grow(void **state)
{
    struct signature *sig = string_form_read("S", "a -> b", 6, "Do it.", NULL);
    struct signature *more = signature_append_instructions(sig, "Be brief.", NULL);

    (void)state;
    assert_string_equal(more->instructions, "Do it.\n\nBe brief.");
    assert_string_equal(sig->instructions, "Do it.");
    signature_free(more);
    signature_free(sig);
}

/* Order and instructions: what DSPy 3.4.1 gives the class C(A, B). */
static void several_bases_are_merged(void **state)
{
    struct signature *a = string_form_read("A", "s, a -> oa", 10, "doc A", NULL);
    struct signature *b = string_form_read("B", "b, s -> ob", 10, "doc B", NULL);
    struct signature *other = line("Other", "s: int -> o");
    const struct signature *both[] = {a, b}, *clash[] = {a, other};
    struct signature_field c = field("c", SIGNATURE_INPUT), ob = field("ob", SIGNATURE_INPUT);
    struct signature *made = signature_extend("C", both, 2, &c, 1, NULL, NULL);
    struct err err = {0};

    (void)state;
    assert_non_null(made);
    assert_string_equal(made->instructions, "doc B");
    assert_string_equal(made->base, "A");
    check_line(made, "b, s, a, c -> ob, oa");
    assert_null(signature_extend("C", clash, 2, NULL, 0, NULL, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    assert_string_equal(err.text, "field s has two meanings: in A input str; in Other input int");
    assert_null(signature_extend("C", both, 2, &ob, 1, NULL, &err));
    assert_string_equal(err.text, "field ob has two meanings: in B output str; in C input str");
    assert_null(signature_extend("not a name", both, 2, NULL, 0, NULL, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(signature_extend("C", both, COMPOSE_BASES_MAX + 1, NULL, 0, NULL, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
    made = signature_extend("C", NULL, 0, &c, 1, NULL, NULL);
    assert_string_equal(made->instructions, "Given the fields `c`, produce the fields .");
    signature_free(made);
    signature_free(a);
    signature_free(b);
    signature_free(other);
}

static void the_typed_form_stays_typed(void **state)
{
    const struct asked *asked = *state;
    struct signature_field in = field("hint", SIGNATURE_INPUT), out = field("x", SIGNATURE_OUTPUT);
    struct err err = {0};
    struct signature *made = signature_append(asked->federated, &in, NULL);

    assert_true(made->is_typed);
    assert_non_null(signature_field(made, "client_optimization")->row);
    signature_free(made);
    assert_null(signature_append(asked->federated, &out, &err));
    assert_non_null(strstr(err.text, "FederatedProposal"));
    made = signature_append(asked->text, &out, NULL);
    assert_null(made->typed);
    signature_free(made);
}

static void a_signature_takes_64_fields(void **state)
{
    struct signature *sig = line("S", "a -> b");
    struct err err = {0};

    (void)state;
    for (int i = 2; i <= SIGNATURE_FIELDS_MAX; i++) {
        char name[] = {'n', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
        struct signature_field f = field(name, SIGNATURE_INPUT);
        struct signature *made = signature_append(sig, &f, &err);

        assert_true((made != NULL) == (i < SIGNATURE_FIELDS_MAX));
        if (made) {
            signature_free(sig);
            sig = made;
        }
    }
    assert_int_equal(err.code, ERR_TOO_BIG);
    signature_free(sig);
}

static void lost_memory_is_survived(void **state)
{
    const struct asked *asked = *state;
    const struct signature *bases[] = {asked->text};
    struct signature_field f = field("n", SIGNATURE_INPUT);
    struct value_type kind = {.kind = VALUE_INT};

    f.type = &kind;
    for (int what = 0; what < 4; what++) {
        struct signature *made;
        struct err err;
        unsigned nth = 0;

        do {
            err.code = ERR_NONE;
            mem_fail_at(++nth);
            made = what == 0   ? signature_insert(asked->text, 1, &f, &err)
                   : what == 1 ? signature_delete(asked->text, "hardware_context", &err)
                   : what == 2 ? signature_append_instructions(asked->text, "x", &err)
                               : signature_extend("N", bases, 1, &f, 1, NULL, &err);
            mem_fail_at(0);
            assert_true(made || err.code == ERR_NOMEM);
        } while (!made && nth < 5000);
        assert_in_range(nth, 10, 4999);
        signature_free(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_added_and_taken_out),
        cmocka_unit_test(an_index_counts_in_its_own_section),
        cmocka_unit_test(two_meanings_are_refused),
        cmocka_unit_test(instructions_grow),
        cmocka_unit_test(several_bases_are_merged),
        cmocka_unit_test(the_typed_form_stays_typed),
        cmocka_unit_test(a_signature_takes_64_fields),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
