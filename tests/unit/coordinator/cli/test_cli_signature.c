/* test_cli_signature.c - the signature commands, which need no coordinator but for run. */
#include "cli_lab.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/model/signature_message.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int make_lab(void **state)
{
    static struct lab lab;

    lab_make(&lab);
    *state = &lab;
    return 0;
}

static int clear_lab(void **state)
{
    lab_clear(*state);
    return 0;
}

static int stop_fake(void **state)
{
    struct lab *lab = *state;

    fake_clear(&lab->fake);
    return 0;
}

#define assert_says(text, part)                             \
    do {                                                    \
        if (!strstr(text, part))                            \
            print_error("no \"%s\" in:\n%s\n", part, text); \
        assert_non_null(strstr(text, part));                \
    } while (0)

static void *json_record(struct lab *lab, const struct record_type *type)
{
    struct err err = {0};
    void *record = NULL;

    if (document_parse(type, lab->out, strlen(lab->out), &record, &err) < 0)
        fail_msg("%s in:\n%s", err.text, lab->out);
    return record;
}

static void signatures_are_listed_and_shown(void **state)
{
    struct lab *lab = *state;
    struct signature_reply *reply;

    assert_int_equal(lab_run(lab, "signature", "list", NULL), CLI_OK);
    assert_says(lab->out, "FederatedLearningSignature");
    assert_int_equal(lab_run(lab, "signature", "list", "--category", "evaluation", NULL), CLI_OK);
    assert_says(lab->out, "ModelEvaluationSignature");
    assert_null(strstr(lab->out, "FederatedLearningSignature"));
    assert_int_equal(lab_run(lab, "signature", "show", "LoRAOptimization", NULL), CLI_OK);
    assert_says(lab->out, "Optimal LoRA configuration (rank, alpha, target modules)");
    assert_int_equal(lab_run(lab, "signature", "show", "LoRAOptimization", "--json", "--module",
                             "chain_of_thought", NULL),
                     CLI_OK);
    reply = json_record(lab, &signature_reply_type);
    assert_string_equal(reply->signature->fields[6].name, "reasoning");
    signature_reply_free(reply);
    assert_int_equal(lab_run(lab, "signature", "show", "LoRAOptimization", "--python", NULL),
                     CLI_OK);
    assert_says(lab->out, "lora_config: str = dspy.OutputField");
}

static void a_made_signature_is_saved_and_found_again(void **state)
{
    struct lab *lab = *state;
    char folder[96];

    snprintf(folder, sizeof folder, "%s/own", lab->dir);
    assert_int_equal(lab_run(lab, "signature", "create", "--domain", "nlp", "--hardware",
                             "device=M2_Max", "--hardware", "memory=64GB", "--field",
                             "extra_note: list[str] = What else", "--save", folder, NULL),
                     CLI_OK);
    assert_says(lab->out, "device: M2_Max, memory: 64GB");
    assert_int_equal(lab_run(lab, "signature", "show", "NlpOptimization", NULL), CLI_USAGE);
    assert_int_equal(lab_run(lab, "signature", "show", "NlpOptimization", "--folder", folder, NULL),
                     CLI_OK);
    assert_says(lab->out, "extra_note list[str]");
    assert_int_equal(lab_run(lab, "signature", "create", "--domain", "nlp", "--save", folder, NULL),
                     CLI_USAGE);
    assert_says(lab->err, "is there already");
    assert_int_equal(lab_run(lab, "signature", "create", "--base", "NlpOptimization", "--as",
                             "Shorter", "--without", "extra_note", "--insert",
                             "0:output:summary=In one line", "--append", "input:budget:int",
                             "--add-instructions", "Be terse.", "--folder", folder, NULL),
                     CLI_OK);
    assert_says(lab->out, "optimization_objective, budget: int -> summary");
    assert_says(lab->out, "Be terse.");
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    static const struct {
        const char *words[8];
        const char *says;
    } rows[] = {
        {{"create"}, "wanted one of a line"},
        {{"create", "question -> answer"}, "no_context"},
        {{"create", "a -> a", "--no-context", "x"}, "a"},
        {{"create", "class -> b", "--no-context", "x"}, "keyword of Python"},
        {{"create", "--domain", "nlp", "--field", "domain_context=x"}, "domain_context"},
        {{"create", "--domain", "nlp", "--base", "LoRAOptimization"}, "wanted one of a line"},
        {{"create", "--domain", "nlp", "--hardware", "64GB"}, "wanted KEY=VALUE"},
        {{"create", "q -> a", "--field", "x"}, "--field goes with --domain"},
        {{"create", "--base", "LoRAOptimization", "--append", "lora_config"}, "wanted input:"},
        {{"create", "--base", "LoRAOptimization", "--append", "input:lora_config"}, "two meanings"},
        {{"create", "--base", "LoRAOptimization", "--insert", "input:x"}, "wanted INDEX:"},
        {{"create", "--base", "LoRAOptimization", "--insert", "40:input:x"}, "insertions[0]"},
        {{"create", "--base", "Nope"}, "there is no signature \"Nope\""},
        {{"show", "Nope"}, "there is no signature \"Nope\""},
        {{"show", "FederatedLearning", "--module", "refine"}, "--module"},
        {{"list", "--category", "fun"}, "--category"},
        {{"lint", "./nothing.json"}, "nothing.json"},
        {{"check", "nothing.json", "--signature", "LoRAOptimization"}, "nothing.json"},
        {{"check", "nothing.json"}, "--signature: missing"},
        {{"render", "LoRAOptimization"}, "--inputs: missing"},
        {{"render", "LoRAOptimization", "--inputs", "nothing.json"}, "nothing.json"},
        {{"export", "LoRAOptimization"}, "wanted one of --python"},
        {{"export", "LoRAOptimization", "--python", "--definition"}, "wanted one of --python"},
        {{"list", "--folder", "/nothing/there"}, "--folder: "},
        {{"list", "--dry-run"}, "takes no --dry-run"},
    };
    struct lab *lab = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const *w = rows[i].words;

        if (lab_run(lab, "signature", w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], NULL) !=
            CLI_USAGE)
            fail_msg("row %zu: exit %d\n%s", i, lab->rc, lab->out);
        assert_says(lab->err, rows[i].says);
    }
}

static void the_linter_s_errors_are_its_exit_code(void **state)
{
    static const char vague[] =
        "{\"name\": \"Vague\", \"instructions\": \"Do it.\", \"fields\": [{\"name\": \"q\", "
        "\"direction\": \"input\"}, {\"name\": \"a\", \"direction\": \"output\"}]}";
    struct lab *lab = *state;

    assert_int_equal(lab_run(lab, "signature", "lint", "FederatedLearning", NULL), CLI_OK);
    assert_says(lab->out, "nothing to say");
    assert_int_equal(lab_run(lab, "signature", "lint", lab_file(lab, "Vague.json", vague), NULL),
                     CLI_REFUSED);
    assert_says(lab->out, "error");
    assert_int_equal(lab_run(lab, "signature", "lint", "q -> a", NULL), CLI_REFUSED);
}

static void the_messages_are_rendered(void **state)
{
    struct lab *lab = *state;
    const char *inputs = lab_file(lab, "in.json", "{\"question\": [\"a\", \"b\"], \"k\": 3.0}");
    struct prompt_reply *reply;

    assert_int_equal(lab_run(lab, "signature", "render", "question, k: float -> answer: int",
                             "--no-context", "a test", "--inputs", inputs, NULL),
                     CLI_OK);
    assert_says(lab->out, "[1] \xc2\xab"
                          "a\xc2\xbb\n[2] \xc2\xab"
                          "b\xc2\xbb\n\n[[ ## k ## ]]\n3.0\n");
    assert_int_equal(lab_run(lab, "signature", "render", "question, k: float -> answer: int",
                             "--no-context", "a test", "--inputs", inputs, "--adapter", "json",
                             "--json", NULL),
                     CLI_OK);
    reply = json_record(lab, &prompt_reply_type);
    assert_int_equal(reply->messages_count, 2);
    assert_string_equal(reply->messages[0].role, "system");
    assert_says(reply->response_format, "\"DSPyProgramOutputs\"");
    prompt_reply_free(reply);
    assert_int_equal(
        lab_run(lab, "signature", "render", "FederatedLearning", "--inputs", inputs, NULL),
        CLI_USAGE);
    assert_says(lab->err, "question");
}

static void a_program_is_exported_and_checked(void **state)
{
    struct lab *lab = *state;
    char path[96];
    struct signature_check_reply *reply;

    snprintf(path, sizeof path, "%s/program.json", lab->dir);
    assert_int_equal(lab_run(lab, "signature", "export", "LoRAOptimization", "--module",
                             "chain_of_thought", "--state", path, NULL),
                     CLI_OK);
    assert_true(file_exists(path));
    assert_int_equal(lab_run(lab, "signature", "check", path, "--signature", "LoRAOptimization",
                             "--module", "chain_of_thought", "--json", NULL),
                     CLI_OK);
    reply = json_record(lab, &signature_check_reply_type);
    assert_int_equal(reply->changes_count, 0);
    assert_string_equal(reply->state_path, "predict");
    signature_check_reply_free(reply);
    assert_int_equal(
        lab_run(lab, "signature", "check", path, "--signature", "FederatedLearning", NULL),
        CLI_USAGE);
    assert_says(lab->err, "fields");
    assert_int_equal(lab_run(lab, "signature", "export", "LoRAOptimization", "--state", path, NULL),
                     CLI_USAGE);
    assert_says(lab->err, "is there already");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(signatures_are_listed_and_shown, stop_fake),
        cmocka_unit_test_teardown(a_made_signature_is_saved_and_found_again, stop_fake),
        cmocka_unit_test_teardown(what_cannot_be_is_refused_by_name, stop_fake),
        cmocka_unit_test_teardown(the_linter_s_errors_are_its_exit_code, stop_fake),
        cmocka_unit_test_teardown(the_messages_are_rendered, stop_fake),
        cmocka_unit_test_teardown(a_program_is_exported_and_checked, stop_fake),
    };

    return cmocka_run_group_tests(tests, make_lab, clear_lab);
}
