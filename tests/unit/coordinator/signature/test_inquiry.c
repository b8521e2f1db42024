#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "common/model/proposal.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/module.h"
#include "coordinator/signature/signature_info.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdlib.h>

static struct signature_reply *show(const struct catalog *c, const char *name, int typed,
                                    int module, struct err *err)
{
    struct signature_choice choice;
    struct signature_show_request asked;
    struct signature_reply *reply = NULL;

    record_init(&signature_choice_type, &choice);
    record_init(&signature_show_request_type, &asked);
    choice.name = (char *)(uintptr_t)name;
    choice.typed = typed;
    choice.module = module;
    asked.signature = &choice;
    asked.python = TRI_TRUE;
    inquiry_show(c, &asked, &reply, err);
    return reply;
}

static void a_signature_is_shown_and_made_again_of_what_was_shown(void **state)
{
    const struct asked *a = *state;
    struct err err = {0};
    struct signature_reply *reply =
        show(a->catalog, "FederatedLearning", TRI_UNKNOWN, SIGNATURE_MODULE_UNSET, &err);
    struct signature *again;

    assert_non_null(reply);
    assert_int_equal(record_check(&signature_reply_type, reply, &err), 0);
    assert_string_equal(reply->signature->name, "FederatedLearningSignature");
    assert_string_equal(reply->signature->extends, "AppleSiliconOptimizedSignature");
    assert_int_equal(reply->signature->fields_count, 11);
    assert_string_equal(reply->signature->fields[0].name, "hardware_context");
    assert_int_equal(reply->signature->fields[0].direction, SIGNATURE_INPUT);
    assert_null(reply->signature->fields[0].type);
    assert_non_null(strstr(reply->python, "class FederatedLearningSignature(dspy.Signature)"));
    assert_int_equal(reply->findings_count, 0);

    again = signature_from_info(reply->signature, &err);
    assert_non_null(again);
    assert_int_equal(again->inputs, 6);
    assert_int_equal(again->outputs, 5);
    for (size_t i = 0; i < 11; i++)
        assert_true(signature_field_same(&again->fields[i], &a->text->fields[i]));
    signature_free(again);
    signature_reply_free(reply);
}

static void the_typed_form_names_its_records(void **state)
{
    const struct asked *a = *state;
    struct err err = {0};
    struct signature_reply *reply =
        show(a->catalog, "FederatedLearning", TRI_TRUE, SIGNATURE_MODULE_CHAIN_OF_THOUGHT, &err);

    assert_string_equal(reply->signature->fields[6].name, "reasoning");
    assert_string_equal(reply->signature->fields[9].type, "list[ClientOptimization]");
    assert_null(reply->definition);
    assert_null(signature_from_info(reply->signature, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    signature_reply_free(reply);
    assert_null(show(a->catalog, "AppleSiliconOptimized", TRI_TRUE, SIGNATURE_MODULE_UNSET, &err));
}

static void what_is_not_there_is_named(void **state)
{
    const struct asked *a = *state;
    struct err err = {0};

    assert_null(show(a->catalog, "Nope", TRI_UNKNOWN, 0, &err));
    assert_string_equal(err.text, "signature.name: there is no signature \"Nope\"");
    assert_null(show(a->catalog, NULL, TRI_UNKNOWN, 0, &err));
    assert_string_equal(err.text, "signature: wanted one of name and defined");
    assert_null(show(a->catalog, "question -> answer", TRI_UNKNOWN, 0, &err));
    assert_non_null(strstr(err.text, "no_context"));
}

static void the_list_is_by_name_and_of_a_category(void **state)
{
    const struct asked *a = *state;
    struct signature_list_request asked;
    struct signatures_reply *reply = NULL;
    struct err err = {0};

    record_init(&signature_list_request_type, &asked);
    assert_int_equal(inquiry_list(a->catalog, &asked, &reply, &err), 0);
    assert_in_range(reply->signatures_count, 8, 1000);
    for (size_t i = 1; i < reply->signatures_count; i++)
        assert_true(strcmp(reply->signatures[i - 1].name, reply->signatures[i].name) < 0);
    signatures_reply_free(reply);
    for (int category = SIGNATURE_CATEGORY_OPTIMIZATION; category <= SIGNATURE_CATEGORY_EVALUATION;
         category++) {
        asked.category = category;
        assert_int_equal(inquiry_list(a->catalog, &asked, &reply, &err), 0);
        assert_true(reply->signatures_count > 0);
        for (size_t i = 0; i < reply->signatures_count; i++)
            assert_int_equal(reply->signatures[i].category, category);
        signatures_reply_free(reply);
    }
}

/* ---- made ones ---- */

static struct signature_reply *create(const struct catalog *c,
                                      const struct signature_create_request *asked, struct err *err)
{
    struct signature_reply *reply = NULL;

    inquiry_create(c, asked, &reply, err);
    return reply;
}

static void a_domain_makes_one(void **state)
{
    const struct asked *a = *state;
    struct datum memory = {.form = VALUE_FORM_TEXT, .text = "64GB"};
    struct datum cores = {.form = VALUE_FORM_INTEGER, .integer = 12};
    struct named_datum hardware[] = {{"memory", &memory}, {"cores", &cores}};
    struct signature_field_info field;
    struct factory_spec spec;
    struct signature_create_request asked;
    struct signature_reply *reply;
    struct err err = {0};

    record_init(&factory_spec_type, &spec);
    record_init(&signature_create_request_type, &asked);
    record_init(&signature_field_info_type, &field);
    field.name = "model_compression";
    field.description = "Compression strategy for deployment";
    spec.domain = "computer_vision";
    spec.hardware = hardware;
    spec.hardware_count = 2;
    spec.fields = &field;
    spec.fields_count = 1;
    asked.factory = &spec;
    reply = create(a->catalog, &asked, &err);
    assert_non_null(reply);
    assert_string_equal(reply->signature->name, "Computer_VisionOptimizationSignature");
    assert_string_equal(reply->signature->fields[1].fallback, "memory: 64GB, cores: 12");
    assert_string_equal(reply->signature->fields[6].name, "model_compression");
    signature_reply_free(reply);

    field.name = "domain_context";
    assert_null(create(a->catalog, &asked, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    field.name = "x";
    field.direction = SIGNATURE_INPUT;
    assert_null(create(a->catalog, &asked, &err));
    assert_non_null(strstr(err.text, "fields[0]: x is an input"));
}

static void others_make_one(void **state)
{
    const struct asked *a = *state;
    char *bases[] = {"AppleSiliconOptimized"}, *without[] = {"resource_allocation"};
    struct signature_field_info fields[2];
    struct insertion insertions[2];
    struct compose_spec spec;
    struct signature_create_request asked;
    struct signature_reply *reply;
    struct err err = {0};

    record_init(&compose_spec_type, &spec);
    record_init(&signature_create_request_type, &asked);
    for (size_t i = 0; i < 2; i++) {
        record_init(&signature_field_info_type, &fields[i]);
        record_init(&insertion_type, &insertions[i]);
        insertions[i].field = &fields[i];
    }
    fields[0].name = "budget";
    fields[0].direction = SIGNATURE_INPUT;
    fields[0].type = "int";
    insertions[0].index = 0;
    fields[1].name = "fallback_plan";
    fields[1].direction = SIGNATURE_OUTPUT;
    spec.bases = bases;
    spec.bases_count = 1;
    spec.without = without;
    spec.without_count = 1;
    spec.insertions = insertions;
    spec.insertions_count = 2;
    spec.name = "Mine";
    spec.append_instructions = "Mind the budget.";
    asked.composition = &spec;
    reply = create(a->catalog, &asked, &err);
    assert_non_null(reply);
    assert_string_equal(reply->line, "budget: int, hardware_context, performance_target -> "
                                     "optimization_strategy, fallback_plan");
    assert_non_null(strstr(reply->signature->instructions, "\n\nMind the budget."));
    signature_reply_free(reply);

    fields[1].name = "hardware_context";
    assert_null(create(a->catalog, &asked, &err));
    assert_non_null(strstr(err.text, "insertions[1]: field hardware_context has two meanings"));
    fields[1].name = "fallback_plan";
    without[0] = "nothing_of_the_kind";
    assert_null(create(a->catalog, &asked, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    spec.without_count = 0;
    bases[0] = "Nope";
    assert_null(create(a->catalog, &asked, &err));
    assert_string_equal(err.text, "bases[0]: there is no signature \"Nope\"");
    spec.bases_count = 0;
    assert_null(create(a->catalog, &asked, &err));
}

static void a_line_makes_one_that_has_context_or_says_why_not(void **state)
{
    const struct asked *a = *state;
    struct line_spec spec;
    struct signature_create_request asked;
    struct signature_reply *reply;
    struct err err = {0};

    record_init(&line_spec_type, &spec);
    record_init(&signature_create_request_type, &asked);
    spec.line = "question -> answer, score: float";
    spec.name = "Ask";
    asked.line = &spec;
    assert_null(create(a->catalog, &asked, &err));
    assert_int_equal(err.code, ERR_INVALID);
    asked.no_context = "a question about anything";
    reply = create(a->catalog, &asked, &err);
    assert_string_equal(reply->signature->no_context, "a question about anything");
    assert_string_equal(reply->signature->fields[2].type, "float");

    /* its data file reads back */
    {
        struct catalog *c = catalog_new(&err);

        assert_int_equal(
            catalog_add(c, "Ask.json", reply->definition, strlen(reply->definition), &err), 0);
        assert_int_equal(catalog_find(c, "Ask")->outputs, 2);
        catalog_free(c);
    }
    signature_reply_free(reply);
    spec.line = "question - answer";
    assert_null(create(a->catalog, &asked, &err));
}

/* ---- saved programs ---- */

static void a_saved_program_is_held_against_its_signature(void **state)
{
    static const char program[] =
        "{\"traces\": [], \"train\": [], \"demos\": [{\"question\": \"q\", \"answer\": \"a\", "
        "\"augmented\": true}], \"signature\": {\"instructions\": \"Better words.\", \"fields\": "
        "[{\"prefix\": \"Question:\", \"description\": \"${question}\"}, {\"prefix\": \"Answer:\", "
        "\"description\": \"one word\"}]}, \"lm\": null, \"metadata\": {\"dependency_versions\": "
        "{\"python\": \"3.11\", \"dspy\": \"3.4.1\", \"cloudpickle\": \"3.1\"}}}";
    const struct asked *a = *state;
    struct signature_choice choice;
    struct signature_check_request asked;
    struct signature_check_reply *reply = NULL;
    struct err err = {0};

    record_init(&signature_choice_type, &choice);
    record_init(&signature_check_request_type, &asked);
    choice.name = "question -> answer";
    choice.no_context = "a test";
    asked.signature = &choice;
    asked.state = (char *)(uintptr_t)program;
    assert_int_equal(inquiry_check(a->catalog, &asked, &reply, &err), 0);
    assert_string_equal(reply->dspy, "3.4.1");
    assert_int_equal(reply->demos, 1);
    assert_int_equal(reply->changes_count, 3);
    assert_string_equal(reply->changes[0].what, "instructions");
    assert_string_equal(reply->changes[0].becomes, "Better words.");
    assert_int_equal(record_check(&signature_check_reply_type, reply, &err), 0);
    signature_check_reply_free(reply);

    asked.state_path = "predict";
    assert_int_equal(inquiry_check(a->catalog, &asked, &reply, &err), -1);
    assert_string_equal(err.text, "state_path: the program has no predictor \"predict\"");
    asked.state_path = NULL;
    choice.module = SIGNATURE_MODULE_CHAIN_OF_THOUGHT;
    assert_int_equal(inquiry_check(a->catalog, &asked, &reply, &err), -1);
    assert_non_null(strstr(err.text, "2 fields"));
}

/* ---- runs ---- */

static const char run_reply[] = "[[ ## count ## ]]\n1_0\n\n[[ ## why ## ]]\nsome\x01thing\n\n"
                                "[[ ## parts ## ]]\n{\"a\": [1, 2.0]}\n\n[[ ## completed ## ]]";

/* Asks with one input, takes the reply, reports; NULL: memory was out. */
static struct signature_run_reply *run_once(const struct asked *a, const char *reply,
                                            struct err *err)
{
    struct datum value = {.form = VALUE_FORM_TEXT, .text = "How many?"};
    struct named_datum input = {"question", &value};
    struct signature_choice choice;
    struct signature_question question;
    struct signature_run_request asked;
    struct inquiry_question q = {0};
    struct module *m = NULL;
    struct module_request request;
    const struct module_usage usage = {1, 10, 5, 0.5};
    struct signature_run_reply *out = NULL;
    int rc;

    record_init(&signature_choice_type, &choice);
    record_init(&signature_question_type, &question);
    record_init(&signature_run_request_type, &asked);
    choice.name = "question -> count: int, why, parts: dict";
    choice.no_context = "a test";
    question.signature = &choice;
    question.inputs = &input;
    question.inputs_count = 1;
    asked.question = &question;
    asked.fallback = asked.retry = TRI_FALSE;
    rc = inquiry_question_make(a->catalog, a->framing, &question, &q, err);
    if (rc == 0 && (m = inquiry_module(&q, &asked, err)))
        rc = module_next(m, 1u << MODULE_FREE, &request, err);
    if (m && rc == 1)
        rc = module_reply(m, reply, strlen(reply), MODULE_WHOLE, &usage, err);
    if (m && rc == 0 && module_next(m, 1u << MODULE_FREE, &request, err) == 0)
        inquiry_report(&q, m, "small", &out, err);
    module_free(m);
    inquiry_question_clear(&q);
    return out;
}

static void a_run_is_reported_with_values_and_cost(void **state)
{
    struct err err = {0};
    struct signature_run_reply *r = run_once(*state, run_reply, &err);

    assert_non_null(r);
    assert_int_equal(record_check(&signature_run_reply_type, r, &err), 0);
    assert_int_equal(r->outputs_count, 3);
    assert_int_equal(r->outputs[0].value->integer, 10);
    assert_string_equal(r->outputs[1].value->text, "some?thing"); /* no control character goes on */
    assert_int_equal(r->outputs[2].value->members[0].value->items[1].form, VALUE_FORM_NUMBER);
    assert_int_equal(r->adapter, SIGNATURE_ADAPTER_CHAT);
    assert_null(r->failure);
    assert_int_equal(r->usage->prompt_tokens, 10);
    assert_string_equal(r->usage->model, "small");
    assert_int_equal(r->steps_count, 1);
    assert_non_null(strstr(r->steps[0], "10 + 5 tokens, used"));
    signature_run_reply_free(r);
}

static void a_run_without_an_answer_says_why(void **state)
{
    struct err err = {0};
    struct signature_run_reply *r = run_once(*state, "I cannot say.", &err);

    assert_non_null(r);
    assert_int_equal(r->outputs_count, 0);
    assert_non_null(r->failure);
    assert_string_equal(r->reply, "I cannot say.");
    assert_int_equal(r->adapter, SIGNATURE_ADAPTER_UNSET);
    assert_int_equal(r->usage->calls, 1);
    signature_run_reply_free(r);
}

static void runs_survive_lost_memory(void **state)
{
    struct signature_run_reply *r;
    unsigned nth = 0;

    do {
        mem_fail_at(++nth);
        r = run_once(*state, run_reply, NULL);
        mem_fail_at(0);
        if (r && r->failure) { /* the reply could not be read, for want of memory */
            signature_run_reply_free(r);
            r = NULL;
        }
    } while (!r && nth < 20000);
    assert_in_range(nth, 2, 19999);
    signature_run_reply_free(r);
}

static void inquiries_survive_lost_memory(void **state)
{
    const struct asked *a = *state;
    unsigned nth = 0;
    struct signature_reply *reply;
    struct signatures_reply *list;
    struct signature_list_request all;

    do {
        mem_fail_at(++nth);
        reply = show(a->catalog, "MLPipelineOptimization", TRI_UNKNOWN,
                     SIGNATURE_MODULE_CHAIN_OF_THOUGHT, NULL);
    } while (!reply && nth < 20000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 19999);
    signature_reply_free(reply);

    record_init(&signature_list_request_type, &all);
    nth = 0;
    do {
        list = NULL;
        mem_fail_at(++nth);
        inquiry_list(a->catalog, &all, &list, NULL);
    } while (!list && nth < 20000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 19999);
    signatures_reply_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_shown_and_made_again_of_what_was_shown),
        cmocka_unit_test(the_typed_form_names_its_records),
        cmocka_unit_test(what_is_not_there_is_named),
        cmocka_unit_test(the_list_is_by_name_and_of_a_category),
        cmocka_unit_test(a_domain_makes_one),
        cmocka_unit_test(others_make_one),
        cmocka_unit_test(a_line_makes_one_that_has_context_or_says_why_not),
        cmocka_unit_test(a_saved_program_is_held_against_its_signature),
        cmocka_unit_test(a_run_is_reported_with_values_and_cost),
        cmocka_unit_test(a_run_without_an_answer_says_why),
        cmocka_unit_test(runs_survive_lost_memory),
        cmocka_unit_test(inquiries_survive_lost_memory),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
