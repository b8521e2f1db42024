#include "common/core/mem.h"
#include "common/model/record.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdio.h>

static struct signature_field field(char *name, enum signature_direction d, char *description)
{
    struct signature_field f = {0};

    f.name = name;
    f.direction = d;
    f.description = description;
    return f;
}

static void put(struct signature *sig, char *name, enum signature_direction d)
{
    struct signature_field f = field(name, d, NULL);
    struct err err = {0};

    assert_int_equal(signature_put_field(sig, &f, &err), 0);
}

static void check_order(const struct signature *sig, const char *expected)
{
    char got[512];
    size_t at = 0;

    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%s ", i == sig->inputs ? "| " : "",
                               sig->fields[i].name);
    assert_string_equal(got, expected);
}

static void fields_stand_inputs_first(void **state)
{
    struct signature *sig = signature_new("Mine", "Do it.", NULL);

    (void)state;
    put(sig, "answer", SIGNATURE_OUTPUT);
    put(sig, "question", SIGNATURE_INPUT);
    put(sig, "score", SIGNATURE_OUTPUT);
    put(sig, "hint", SIGNATURE_INPUT);
    check_order(sig, "question hint | answer score ");
    assert_string_equal(signature_outputs(sig)[0].name, "answer");
    assert_null(signature_field(sig, "nothing"));
    signature_free(sig);
    signature_free(NULL);
}

/* As in DSPy: a redeclared field keeps its place in the order of declaration, and may change sides.
 */
static void a_redeclared_field_keeps_its_place(void **state)
{
    struct signature *sig = signature_new("Mine", "Do it.", NULL);
    struct signature_field f = field("a", SIGNATURE_INPUT, "new words");

    (void)state;
    put(sig, "a", SIGNATURE_INPUT);
    put(sig, "b", SIGNATURE_INPUT);
    put(sig, "x", SIGNATURE_OUTPUT);
    put(sig, "y", SIGNATURE_OUTPUT);
    assert_int_equal(signature_put_field(sig, &f, NULL), 0);
    check_order(sig, "a b | x y ");
    assert_string_equal(sig->fields[0].description, "new words");
    put(sig, "a", SIGNATURE_OUTPUT);
    check_order(sig, "b | a x y ");
    put(sig, "y", SIGNATURE_INPUT);
    check_order(sig, "b y | a x ");
    signature_free(sig);
}

static void unusable_names_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "1st",
        "_hidden",
        "two words",
        "a-b",
        "class",
        "lambda",
        "None",
        "demos",
        "config",
        "lm",
        "instructions",
        "fields",
        "signature",
        "input_fields",
        "output_fields",
        "model_config",
        "completed",
        "a\n[[ ## b ## ]]",
        "\xff",
        "a]",
        "a.b",
    };
    static const char *const good[] = {"a", "copy", "json", "A1_b", "gr\xc3\xb6n"};
    char longer[70];
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(signature_check_field_name(bad[i], &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_int_equal(signature_check_field_name(NULL, &err), -1);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(signature_check_field_name(good[i], &err), 0);
    memset(longer, 'n', sizeof longer);
    longer[65] = '\0';
    assert_int_equal(signature_check_field_name(longer, &err), -1);
    longer[64] = '\0';
    assert_int_equal(signature_check_field_name(longer, &err), 0);
}

static void fields_have_a_limit(void **state)
{
    struct signature *sig = signature_new("Mine", "Do it.", NULL);
    struct signature_field f;
    struct err err = {0};
    char name[16];

    (void)state;
    for (int i = 0; i < SIGNATURE_FIELDS_MAX; i++) {
        snprintf(name, sizeof name, "f%d", i);
        put(sig, name, SIGNATURE_INPUT);
    }
    f = field("one_more", SIGNATURE_OUTPUT, NULL);
    assert_int_equal(signature_put_field(sig, &f, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_int_equal(sig->inputs, SIGNATURE_FIELDS_MAX);
    put(sig, "f3", SIGNATURE_OUTPUT); /* redeclaring needs no more room */
    assert_int_equal(sig->outputs, 1);
    signature_free(sig);
}

static void the_typed_form_has_the_models_rows(void **state)
{
    const struct asked *a = *state;
    const struct signature_field *f = signature_field(a->federated, "client_optimization");

    assert_true(a->federated->is_typed);
    assert_string_equal(signature_outputs(a->federated)[0].name, "reasoning");
    assert_null(signature_outputs(a->federated)[0].row);
    assert_int_equal(f->row->type, FIELD_RECORDS);
    assert_string_equal(f->row->record->name, "ClientOptimization");
    assert_false(a->text->is_typed);
    assert_null(signature_field(a->text, "client_optimization")->row);
    assert_null(signature_field(a->federated, "client_capabilities")->row);
    for (size_t i = 1; i < a->pipeline->outputs; i++)
        assert_non_null(signature_outputs(a->pipeline)[i].row);
}

static void what_cannot_be_derived_is_refused(void **state)
{
    const struct asked *a = *state;
    struct signature *sig = signature_new("Mine", "Do it.", NULL);
    struct err err = {0};

    put(sig, "reasoning", SIGNATURE_OUTPUT);
    assert_null(signature_derive(sig, SIGNATURE_CHAIN_OF_THOUGHT, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    assert_null(signature_derive(sig, SIGNATURE_TYPED, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    signature_free(sig);
    assert_null(signature_derive(a->federated, SIGNATURE_CHAIN_OF_THOUGHT, &err)); /* twice */
    assert_int_equal(err.code, ERR_EXISTS);
}

static void deriving_survives_lost_memory(void **state)
{
    const struct asked *a = *state;
    const struct signature *base = catalog_find(a->catalog, "FederatedLearningSignature");
    struct signature *sig;
    struct err err;
    unsigned nth = 0;

    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        sig = signature_derive(base, SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT, &err);
        mem_fail_at(0);
        assert_true(sig || err.code == ERR_NOMEM);
    } while (!sig && nth < 1000);
    assert_in_range(nth, 10, 999);
    signature_free(sig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_stand_inputs_first),
        cmocka_unit_test(a_redeclared_field_keeps_its_place),
        cmocka_unit_test(unusable_names_are_refused),
        cmocka_unit_test(fields_have_a_limit),
        cmocka_unit_test(the_typed_form_has_the_models_rows),
        cmocka_unit_test(what_cannot_be_derived_is_refused),
        cmocka_unit_test(deriving_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
