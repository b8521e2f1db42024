#include "common/core/buf.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/string_form.h"
#include "tests/unit/coordinator/signature/cases.h"

#include <stdio.h>
#include <stdlib.h>

static struct program_state *load(const char *name)
{
    char path[512];
    struct err err = {0};
    struct program_state *s;

    snprintf(path, sizeof path, "%s/signatures/%s", ESPALIER_TEST_DATA, name);
    if (!(s = program_state_load(path, &err)))
        fail_msg("%s", err.text);
    return s;
}

static struct program_state *parse(const char *text, struct err *err)
{
    return program_state_read("x.json", text, strlen(text), err);
}

static struct signature *line(const char *text, unsigned derivations)
{
    struct signature *sig = string_form_read("Asked", text, strlen(text), "Answer it.", NULL);
    struct signature *derived;

    assert_non_null(sig);
    derived = signature_derive(sig, derivations, NULL);
    signature_free(sig);
    assert_non_null(derived);
    return derived;
}

static bool changed(const struct state_application *a, const char *what, const char *was,
                    const char *becomes)
{
    for (size_t i = 0; i < a->changes_count; i++) {
        const struct state_change *c = &a->changes[i];

        if (strcmp(c->what, what) == 0)
            return strcmp(c->was ? c->was : "-", was) == 0 &&
                   strcmp(c->becomes ? c->becomes : "-", becomes) == 0;
    }
    return false;
}

static void an_optimised_program_comes_along(void **state)
{
    static const char text[] =
        "{\"predict\": {\"traces\": [], \"train\": [], \"lm\": null, \"demos\": ["
        "{\"augmented\": true, \"question\": \"2+2?\", \"k\": 3, \"reasoning\": \"Two and two.\","
        " \"score\": 1.0, \"source\": \"set\"}],"
        "\"signature\": {\"instructions\": \"  Grade it.\\n    Be brief.\\n\", \"fields\": ["
        "{\"prefix\": \"Question:\", \"description\": \"what is asked\"},"
        "{\"prefix\": \"K:\", \"description\": \"${k}\"},"
        "{\"prefix\": \"Reasoning:\", \"description\": \"${reasoning}\"},"
        "{\"prefix\": \"Grade:\", \"description\": \"${score}\"}]}},"
        "\"metadata\": {\"dependency_versions\": {\"dspy\": \"3.4.1\"}}}";
    struct signature *sig = line("question, k: int -> score: float", SIGNATURE_CHAIN_OF_THOUGHT);
    struct err err = {0};
    struct program_state *s = parse(text, &err);
    struct state_application a;
    struct buf table;

    (void)state;
    assert_non_null(s);
    assert_string_equal(s->dspy, "3.4.1");
    assert_null(s->python);
    if (program_state_apply(program_state_only(s, &err), sig, false, &a, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(a.sig->instructions, "Grade it.\nBe brief.");
    assert_string_equal(a.sig->fields[0].description, "what is asked");
    assert_null(a.sig->fields[1].description);
    assert_string_equal(a.sig->fields[3].prefix, "Grade:");
    assert_null(a.sig->fields[2].prefix);
    assert_string_equal(sig->instructions, "Answer it."); /* the original is as it was */
    assert_int_equal(a.demos_count, 1);
    assert_int_equal(a.demos[0].count, 4);
    assert_string_equal(a.demos[0].values[3].name, "score");
    assert_string_equal(a.demos[0].values[3].json, "1.0");
    assert_int_equal(a.changes_count, 4);
    assert_true(changed(&a, "instructions", "Answer it.", "Grade it.\nBe brief."));
    assert_true(changed(&a, "question description", "-", "what is asked"));
    assert_true(changed(&a, "score prefix", "-", "Grade:"));
    assert_true(changed(&a, "demos", "-", "1"));
    assert_true(notes_have(&a.notes, "score: its prefix is \"Grade:\""));
    assert_true(notes_have(&a.notes, "source is no field"));
    assert_int_equal(a.notes.count, 2);
    buf_init(&table, 65536);
    state_application_print(&table, &a);
    assert_non_null(strstr(
        table.data, "instructions\n  from Answer it.\n  to   Grade it.\n       Be brief.\n"));
    buf_clear(&table);
    state_application_clear(&a);
    program_state_free(s);
    signature_free(sig);
}

static void what_dspy_wrote_is_read(void **state)
{
    const struct asked *asked = *state;
    const struct signature *base = catalog_find(asked->catalog, "AppleSiliconOptimized");
    struct signature *thinking = signature_derive(base, SIGNATURE_CHAIN_OF_THOUGHT, NULL);
    struct program_state *s = load("predict.json");
    struct state_application a;
    struct err err = {0};

    assert_int_equal(s->count, 1);
    assert_string_equal(s->predictors[0].path, "");
    assert_int_equal(program_state_apply(&s->predictors[0], base, false, &a, &err), 0);
    assert_int_equal(a.changes_count, 0); /* the mission's words, as DSPy keeps them */
    assert_int_equal(a.notes.count, 0);
    state_application_clear(&a);
    program_state_free(s);

    s = load("chain_of_thought.json");
    assert_ptr_equal(program_state_find(s, "predict"), &s->predictors[0]);
    assert_int_equal(program_state_apply(&s->predictors[0], thinking, false, &a, &err), 0);
    assert_int_equal(a.changes_count, 1); /* the demo */
    assert_int_equal(a.demos[0].count, 5);
    assert_int_equal(a.notes.count, 0);
    state_application_clear(&a);
    program_state_free(s);
    signature_free(thinking);
}

static void nested_predictors_are_found(void **state)
{
    static const char *const paths[] = {"optimize.predict", "steps[0]", "steps[1].predict",
                                        "m['k']"};
    static const char *const missing[] = {"optimize.predict", "steps[2]"};
    struct program_state *s = load("nested.json");
    struct signature *sig = line("a, k: int -> c: float, tags: list[str]", 0);
    struct state_application a;
    struct notes notes = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(s->count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(s->predictors[i].path, paths[i]);
    assert_int_equal(program_state_check_paths(s, paths, 4, &notes, &err), 0);
    assert_int_equal(notes.count, 0);
    assert_int_equal(program_state_check_paths(s, paths, 3, &notes, &err), 0);
    assert_true(notes_have(&notes, "m['k']: the program has no such predictor"));
    assert_int_equal(program_state_check_paths(s, missing, 2, NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "wanted steps[2], the state has 4: optimize.predict, steps"));
    assert_null(program_state_only(s, &err));
    assert_true(notes_have(&s->notes, "model openai/gpt-4o-mini; its settings are not taken"));
    assert_int_equal(program_state_apply(program_state_find(s, "steps[0]"), sig, false, &a, &err),
                     0);
    assert_string_equal(a.demos[0].values[0].json, "\"\xc3\xa9\\n\"");
    assert_string_equal(a.demos[0].values[2].json, "1.0");
    assert_string_equal(a.demos[0].values[3].json, "[\"x\",\"y\"]");
    state_application_clear(&a);
    notes_clear(&notes);
    signature_free(sig);
    program_state_free(s);
}

static void older_layouts_are_read(void **state)
{
    struct signature *sig = line("question -> answer", SIGNATURE_CHAIN_OF_THOUGHT);
    struct program_state *s = load("dspy_2_5.json");
    struct state_application a;
    struct err err = {0};

    (void)state;
    assert_ptr_equal(program_state_find(s, "predict"), &s->predictors[0]);
    assert_ptr_equal(program_state_find(s, ""), &s->predictors[0]);
    assert_null(program_state_find(s, "other.predict"));
    assert_int_equal(program_state_apply(&s->predictors[0], sig, false, &a, &err), 0);
    assert_string_equal(a.sig->instructions, "Answer it well.");
    assert_string_equal(a.sig->fields[0].description, "what is asked");
    assert_int_equal(a.notes.count, 0); /* the old prefix of a chain of thought is known */
    state_application_clear(&a);
    program_state_free(s);

    s = load("dspy_2_4.json");
    assert_ptr_equal(program_state_find(s, "step.predict"), &s->predictors[0]);
    assert_int_equal(program_state_apply(&s->predictors[0], sig, false, &a, &err), 0);
    assert_string_equal(a.sig->instructions, "Answer it well.");
    assert_string_equal(a.sig->fields[2].prefix, "The answer:");
    assert_int_equal(a.demos[0].count, 3);
    assert_string_equal(a.demos[0].values[1].name, "reasoning"); /* rationale, of old */
    state_application_clear(&a);
    program_state_free(s);
    signature_free(sig);
}

#define WORDS "\"signature\": {\"instructions\": \"i\", \"fields\": ["
#define A "{\"prefix\": \"A:\", \"description\": \"${a}\"}"
#define B "{\"prefix\": \"B:\", \"description\": \"${b}\"}"

static void what_does_not_fit_changes_nothing(void **state)
{
    static const struct {
        const char *sig, *state, *said; /* said NULL: it fits */
    } rows[] = {
        {"a -> b", "{" WORDS A ", " B "]}}", NULL},
        {"a -> b", "{" WORDS A "]}}", "1 fields, and Asked has 2"},
        {"a -> b", "{" WORDS A ", " A ", " B "]}}", "one more with a chain of thought"},
        {"a: int -> b", "{" WORDS A ", " B "]}, \"demos\": [{\"a\": 1, \"b\": 2}]}", NULL},
        {"a: int -> b", "{" WORDS A ", " B "]}, \"demos\": [{\"a\": \"12\", \"b\": 2}]}", NULL},
        {"a: int -> b", "{" WORDS A ", " B "]}, \"demos\": [{\"a\": null, \"b\": 2}]}", NULL},
        {"a: int -> b", "{" WORDS A ", " B "]}, \"demos\": [{\"a\": 1}, {\"a\": \"many\"}]}",
         "demos[1].a: \"many\", wanted int; run the program as text"},
        {"a -> b: list[int]", "{" WORDS A ", " B "]}, \"demos\": [{\"a\": 1, \"b\": [1, \"x\"]}]}",
         "demos[0].b[1]: \"x\", wanted int"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signature *sig = line(rows[i].sig, 0);
        struct err err = {0};
        struct program_state *s = parse(rows[i].state, &err);
        struct state_application a, untouched;
        int rc;

        memset(&a, 0x5a, sizeof a);
        untouched = a;
        assert_non_null(s);
        rc = program_state_apply(&s->predictors[0], sig, false, &a, &err);
        assert_int_equal(rc, rows[i].said ? -1 : 0);
        if (!rows[i].said) {
            state_application_clear(&a);
        } else {
            if (!strstr(err.text, rows[i].said))
                fail_msg("row %zu: %s", i, err.text);
            assert_memory_equal(&a, &untouched, sizeof a);
            rc = program_state_apply(&s->predictors[0], sig, true, &a, NULL);
            assert_int_equal(rc, strstr(rows[i].said, "demos") ? 0 : -1); /* as text it runs */
            if (rc == 0)
                state_application_clear(&a);
        }
        program_state_free(s);
        signature_free(sig);
    }
}

static void typed_demos_are_held_against_the_record(void **state)
{
    const struct asked *asked = *state;
    static const char *const values[] = {
        "{\"rank\": 8, \"layers\": 16, \"memory_share\": null}", /* as pydantic dumps it */
        "{\"rank\": \"many\"}",
        "{\"no_such\": 1}",
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t fields = asked->federated->inputs + asked->federated->outputs;
        struct state_value pair[2] = {{(char *)"hardware_context", (char *)"\"M1\""},
                                      {(char *)"resource_allocation", (char *)values[i]}};
        struct state_demo demo = {pair, 2};
        struct state_export e = {"predict", asked->federated, &demo, 1};
        struct err err = {0};
        char *text = program_state_print(&e, 1, NULL, &err);
        struct program_state *s = parse(text, &err);
        struct state_application a;
        int rc = program_state_apply(&s->predictors[0], asked->federated, false, &a, &err);

        assert_int_equal(s->predictors[0].fields_count, fields);
        assert_int_equal(rc, i == 0 ? 0 : -1);
        if (rc == 0)
            state_application_clear(&a);
        else
            assert_non_null(strstr(err.text, "predict: demos[0].resource_allocation"));
        program_state_free(s);
        mem_free(text);
    }
}

static void oddities_are_noted(void **state)
{
    static const char text[] =
        "{\"p\": {" WORDS B ", " A "]}, \"demos\": [{\"a\": 1}, {\"b\": 1}, {\"x\": 1, \"y\": 2},"
        " {\"x\": 1, \"a\": 1, \"b\": 2, \"dspy_uuid\": \"u\"}], \"more\": [1, {}]},"
        " \"other\": {\"x\": 1}, \"third\": 3}";
    struct signature *sig = line("a -> b", 0);
    struct err err = {0};
    struct program_state *s = parse(text, &err);
    struct state_application a;

    (void)state;
    assert_non_null(s);
    assert_true(notes_have(&s->notes, "other: holds no signature, left alone"));
    assert_true(notes_have(&s->notes, "third: holds no signature"));
    assert_int_equal(program_state_apply(&s->predictors[0], sig, false, &a, &err), 0);
    assert_true(notes_have(&a.notes, "a: its prefix \"B:\" is that of b: were the fields"));
    assert_true(notes_have(&a.notes, "demos[0]: has no output"));
    assert_true(notes_have(&a.notes, "demos[1]: has no input"));
    assert_true(notes_have(&a.notes, "demos[2]: has no input"));
    assert_true(notes_have(&a.notes, "x is no field"));
    assert_false(notes_have(&a.notes, "dspy_uuid"));
    assert_int_equal(a.demos_count, 1);
    state_application_clear(&a);
    program_state_free(s);
    signature_free(sig);
}

static void what_cannot_be_read_is_refused_by_name(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *said;
    } rows[] = {
        {"\x80\x05\x95", ERR_UNSUPPORTED, "a pickle"},
        {"{\"dependency_versions\": {\"dspy\": \"3.4.1\"}}", ERR_UNSUPPORTED, "save_program"},
        {"{\"f\": {\"module_src\": \"import os\", \"lm\": null}}", ERR_UNSUPPORTED,
         "f.module_src: a dspy.Flex"},
        {"{\"module_src\": \"import os\"}", ERR_UNSUPPORTED, "dspy.Flex"},
        {"", ERR_MALFORMED, "x.json"},
        {"[]", ERR_INVALID, "array"},
        {"{}", ERR_INVALID, "no predictor"},
        {"{\"metadata\": {}}", ERR_INVALID, "no predictor"},
        {"{\"signature\": {}}", ERR_INVALID, "signature.instructions"},
        {"{\"signature\": {\"instructions\": 3, \"fields\": []}}", ERR_INVALID, "instructions"},
        {"{\"p\": {\"signature\": {\"instructions\": \"\"}}}", ERR_INVALID, "p.signature.fields"},
        {"{\"p\": {\"signature\": {\"instructions\": \"\", \"fields\": [3]}}}", ERR_INVALID,
         "p.signature.fields[0]"},
        {"{\"p\": {" WORDS "{\"prefix\": \"A:\"}]}}}", ERR_INVALID, "description"},
        {"{\"p\": {" WORDS A "]}, \"demos\": {}}}", ERR_INVALID, "p.demos: object"},
        {"{\"p\": {" WORDS A "]}, \"demos\": [[]]}}", ERR_INVALID, "p.demos[0]: array"},
        {"{\"p\": {\"signature_instructions\": 3}}", ERR_INVALID, "signature_instructions"},
        {"{\"a\": 1, \"a\": 2}", ERR_MALFORMED, "x.json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct program_state *s = parse(rows[i].text, &err);

        if (s || err.code != rows[i].code || !strstr(err.text, rows[i].said))
            fail_msg("row %zu: %s", i, s ? "was read" : err.text);
    }
}

static void folders_and_missing_files_are_refused(void **state)
{
    char folder[] = "/tmp/espalier-state-XXXXXX", path[64];
    struct err err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_null(program_state_load(folder, &err));
    snprintf(path, sizeof path, "%s/program.pkl", folder);
    assert_int_equal(file_write_atomic(path, 0600, "\x80\x05", 2, &err), 0);
    assert_null(program_state_load(folder, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "save_program folder"));
    assert_null(program_state_load(path, &err));
    assert_non_null(strstr(err.text, "a pickle"));
    assert_int_equal(file_remove_tree(folder, &err), 0);
    assert_null(program_state_load(path, &err));
}

/* Read, applied, printed, read again: the same words and the same values. */
static void a_printed_state_reads_back(void **state)
{
    static const char *const lines[] = {"a, k: int -> c: float, tags: list[str]", "q -> a",
                                        "x -> y"};
    static const char *const paths[] = {"steps[0]", "steps[1].predict", "m['k']"};
    struct program_state *s = load("nested.json"), *again;
    struct state_application a[3], b;
    struct state_export e[3];
    struct err err = {0};
    char *text, *same;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct signature *sig = line(lines[i], i == 1 ? SIGNATURE_CHAIN_OF_THOUGHT : 0);

        assert_int_equal(
            program_state_apply(program_state_find(s, paths[i]), sig, false, &a[i], &err), 0);
        e[i] = (struct state_export){paths[i], a[i].sig, a[i].demos, a[i].demos_count};
        signature_free(sig);
    }
    text = program_state_print(e, 3, s, &err);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"dspy\": \"3.4.1\""));
    again = parse(text, &err);
    assert_non_null(again);
    assert_int_equal(again->notes.count, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(program_state_apply(&again->predictors[i], a[i].sig, false, &b, &err), 0);
        assert_int_equal(b.changes_count, b.demos_count ? 1 : 0); /* no word differs */
        assert_int_equal(b.demos_count, a[i].demos_count);
        state_application_clear(&b);
    }
    same = program_state_print(e, 3, again, &err);
    assert_string_equal(text, same);
    e[1].path = "";
    assert_null(program_state_print(e, 2, NULL, &err));
    assert_non_null(strstr(err.text, "bare Predict"));
    e[1].path = e[0].path;
    assert_null(program_state_print(e, 2, NULL, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    mem_free(text);
    mem_free(same);
    for (size_t i = 0; i < 3; i++)
        state_application_clear(&a[i]);
    program_state_free(s);
    program_state_free(again);
}

static const char swept[] =
    "{\"p\": {\"lm\": {\"model\": \"m\"}, \"demos\": [{\"a\": 1.50, \"b\": [\"x\"], \"z\": 0}],"
    " \"signature\": {\"instructions\": \"i\", \"fields\": [{\"prefix\": \"A:\", \"description\":"
    " \"d\"}, {\"prefix\": \"Bee:\", \"description\": \"${b}\"}]}}, \"metadata\":"
    " {\"dependency_versions\": {\"python\": \"3.11\"}}}";

static void try_one(const char *text, size_t len, const struct signature *sig, size_t *read)
{
    struct program_state *s = program_state_read("x", text, len, NULL);
    struct state_application a;

    if (!s)
        return;
    *read += 1;
    if (program_state_apply(&s->predictors[0], sig, false, &a, NULL) == 0)
        state_application_clear(&a);
    program_state_free(s);
}

static void damage_is_survived(void **state)
{
    struct signature *sig = line("a: float -> b: list[str]", 0);
    size_t len = strlen(swept), read = 0;

    (void)state;
    try_one(swept, len, sig, &read);
    assert_int_equal(read, 1);
    for (size_t cut = 0; cut < len; cut++) {
        char *part = mem_dup(swept, cut);

        try_one(part, cut, sig, &read);
        mem_free(part);
    }
    assert_int_equal(read, 1); /* no part of it is a whole */
    for (size_t bit = 0; bit < len * 8; bit++) {
        char *flipped = mem_dup(swept, len);

        flipped[bit / 8] = (char)(flipped[bit / 8] ^ (1 << bit % 8));
        try_one(flipped, len, sig, &read);
        mem_free(flipped);
    }
    assert_in_range(read, 100, len * 8 - 100);
    signature_free(sig);
}

static void lost_memory_is_survived(void **state)
{
    struct signature *sig = line("a: float -> b: list[str]", 0);
    struct state_application a = {0};
    struct program_state *s;
    struct state_export e;
    struct err err;
    unsigned nth = 0;
    char *text;
    int rc;

    (void)state;
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        s = program_state_read("x", swept, strlen(swept), &err);
        mem_fail_at(0);
        assert_true(s || err.code == ERR_NOMEM);
    } while (!s && nth < 1000);
    assert_in_range(nth, 20, 999);
    nth = 0;
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        rc = program_state_apply(&s->predictors[0], sig, false, &a, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 20, 999);
    e = (struct state_export){"p", a.sig, a.demos, a.demos_count};
    nth = 0;
    do {
        err.code = ERR_NONE;
        mem_fail_at(++nth);
        text = program_state_print(&e, 1, s, &err);
        mem_fail_at(0);
        assert_true(text || err.code == ERR_NOMEM);
    } while (!text && nth < 1000);
    assert_in_range(nth, 10, 999);
    mem_free(text);
    state_application_clear(&a);
    program_state_free(s);
    program_state_free(NULL);
    signature_free(sig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_optimised_program_comes_along),
        cmocka_unit_test(what_dspy_wrote_is_read),
        cmocka_unit_test(nested_predictors_are_found),
        cmocka_unit_test(older_layouts_are_read),
        cmocka_unit_test(what_does_not_fit_changes_nothing),
        cmocka_unit_test(typed_demos_are_held_against_the_record),
        cmocka_unit_test(oddities_are_noted),
        cmocka_unit_test(what_cannot_be_read_is_refused_by_name),
        cmocka_unit_test(folders_and_missing_files_are_refused),
        cmocka_unit_test(a_printed_state_reads_back),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, asked_setup, asked_teardown);
}
