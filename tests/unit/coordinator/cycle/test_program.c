#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "coordinator/cycle/program.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME "MLPipelineOptimizationSignature"

static char folder[64];

static int setup(void **state)
{
    snprintf(folder, sizeof folder, "program-test-XXXXXX");
    *state = catalog_new(NULL);
    return *state && mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    catalog_free(*state);
    return file_remove_tree(folder, NULL);
}

/* What DSPy would save for the signature with these words and this demo; its path. */
static char *saved(const struct catalog *catalog, const char *field, const char *json)
{
    struct signature *sig = signature_derive(catalog_find(catalog, NAME),
                                             SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT, NULL);
    char *name = mem_strdup(field), *value = mem_strdup(json), input[] = "cost_constraints";
    char text[] = "\"none\"", *printed, *path = file_path(NULL, "%s/program.json", folder);
    struct state_value values[] = {{name, value}, {input, text}};
    struct state_demo demo = {values, 2};
    struct state_export e = {"predict", sig, &demo, 1};

    mem_free(sig->instructions);
    sig->instructions = mem_strdup("As optimised.");
    printed = program_state_print(&e, 1, NULL, NULL);
    assert_int_equal(file_write_atomic(path, 0600, printed, strlen(printed), NULL), 0);
    mem_free(printed);
    mem_free(name);
    mem_free(value);
    signature_free(sig);
    return path;
}

static void a_program_is_a_signature_with_other_words(void **state)
{
    char *path = saved(*state, "pipeline_architecture", "{\"max_devices\": 2}");
    struct program plain, p;

    assert_int_equal(program_open(&plain, *state, NAME, NULL, NULL), 0);
    assert_string_equal(signature_outputs(plain.sig)->name, "reasoning");
    assert_non_null(plain.sig->typed);
    assert_int_equal(plain.demos_count, 0);
    assert_int_equal(program_open(&p, *state, NAME, path, NULL), 0);
    assert_string_equal(p.sig->instructions, "As optimised.");
    assert_int_equal(p.sig->outputs, plain.sig->outputs);
    assert_int_equal(p.demos_count, 1);
    program_close(&p);
    program_close(&p); /* twice */
    program_close(&plain);
    mem_free(path);
}

static void a_demo_that_does_not_cast_is_refused_by_name(void **state)
{
    char *path = saved(*state, "pipeline_architecture", "{\"max_devices\": \"some\"}");
    struct err err = {0};
    struct program p;

    assert_int_equal(program_open(&p, *state, NAME, path, &err), -1);
    assert_non_null(strstr(err.text, "program.json"));
    assert_non_null(strstr(err.text, "demos[0].pipeline_architecture.max_devices"));
    program_close(&p);
    mem_free(path);
}

static void what_is_not_there_is_said(void **state)
{
    struct err err = {0};
    struct program p;

    assert_int_equal(program_open(&p, *state, NAME, "no/such/file.json", &err), -1);
    assert_non_null(strstr(err.text, "no/such/file.json"));
    assert_int_equal(program_open(&p, *state, "NoSuchSignature", NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void lost_memory_is_survived(void **state)
{
    char *path = saved(*state, "pipeline_architecture", "{\"max_devices\": 2}");
    unsigned lost = 0;

    for (unsigned nth = 1; nth < 1500; nth++) {
        struct err err = {0};
        struct program p;
        int rc;

        mem_fail_at(nth);
        rc = program_open(&p, *state, NAME, path, &err);
        mem_fail_at(0);
        assert_true(rc == 0 || err.code == ERR_NOMEM);
        lost += rc < 0;
        program_close(&p);
    }
    assert_in_range(lost, 100, 1498); /* the sweep reached the allocations, and ended */
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_a_signature_with_other_words),
        cmocka_unit_test(a_demo_that_does_not_cast_is_refused_by_name),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(lost_memory_is_survived),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
