#include "common/core/mem.h"
#include "coordinator/signature/python_export.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

static void the_text_form_is_a_class_of_text(void **state)
{
    const struct asked *a = *state;
    char *text = python_export(catalog_find(a->catalog, "AppleSiliconOptimized"), NULL);

    assert_non_null(text);
    assert_non_null(
        strstr(text, "class AppleSiliconOptimizedSignature(dspy.Signature):\n"
                     "    \"Base signature with Apple Silicon-specific optimizations.\"\n"
                     "    hardware_context: str = dspy.InputField(desc=\"Apple Silicon hardware"
                     " configuration (M1/M2/M3, memory, etc.)\")\n"));
    assert_non_null(strstr(text, "    resource_allocation: str = dspy.OutputField(desc=\"Optimal"));
    assert_null(strstr(text, "(BaseModel)"));
    mem_free(text);
}

static void the_typed_form_comes_with_its_records(void **state)
{
    const struct asked *a = *state;
    char *text = python_export(a->pipeline, NULL);
    const char *group, *architecture, *sig;

    assert_non_null(text);
    group = strstr(text, "class StageGroup(BaseModel):");
    architecture = strstr(text, "class PipelineArchitecture(BaseModel):");
    sig = strstr(text, "class MLPipelineOptimizationSignature(dspy.Signature):");
    assert_true(group && architecture && sig && group < architecture && architecture < sig);
    assert_non_null(
        strstr(sig, "    resource_scheduling: list[StageSchedule] = dspy.OutputField("));
    assert_non_null(strstr(architecture, "    max_devices: Optional[int] = Field(None, "));
    assert_non_null(strstr(architecture, ", ge=1, le="));
    assert_non_null(strstr(text, ": Literal[\""));
    assert_null(strstr(sig, "reasoning")); /* dspy.ChainOfThought adds it */
    mem_free(text);
}

static void words_are_quoted_and_types_spelt(void **state)
{
    static const char text[] = "q, k: int -> a: Optional[list[str]], l: Literal['x', 3]";
    struct signature *sig =
        string_form_read("Mine", text, strlen(text), "Say \"hi\".\n\nA \\ and \x01.", NULL);
    char *got;

    (void)state;
    sig->fields[0].fallback = mem_strdup("what?");
    sig->fields[0].prefix = mem_strdup("Question:");
    got = python_export(sig, NULL);
    assert_non_null(strstr(got, "    \"Say \\\"hi\\\".\\n\\nA \\\\ and \\x01.\"\n"));
    assert_non_null(
        strstr(got, "    q: str = dspy.InputField(prefix=\"Question:\", default=\"what?\")\n"));
    assert_non_null(strstr(got, "    k: int = dspy.InputField()\n"));
    assert_non_null(strstr(got, "    a: Optional[list[str]] = dspy.OutputField()\n"));
    assert_non_null(strstr(got, "    l: Literal['x', 3] = dspy.OutputField()\n"));
    mem_free(got);
    signature_free(sig);
}

static void names_and_lost_memory(void **state)
{
    const struct asked *a = *state;
    struct signature *sig = signature_new("two words", "i", NULL);
    struct err err = {0};
    unsigned nth = 0;
    char *text;

    assert_null(python_export(sig, &err));
    assert_int_equal(err.code, ERR_INVALID);
    signature_free(sig);
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        text = python_export(a->federated, &err);
        mem_fail_at(0);
        assert_true(text || err.code == ERR_NOMEM);
    } while (!text && nth < 100);
    assert_in_range(nth, 2, 99);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_form_is_a_class_of_text),
        cmocka_unit_test(the_typed_form_comes_with_its_records),
        cmocka_unit_test(words_are_quoted_and_types_spelt),
        cmocka_unit_test(names_and_lost_memory),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
