/* test_plan_check.c - whose an assignment is, whether it fits, and where its folders are. */
#include "agent/apply/plan_check.h"
#include "common/core/err.h"
#include "tests/unit/agent/apply/apply_lab.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void an_assignment_for_us_passes(void **state)
{
    struct assignment *a = lab_assignment(1);

    (void)state;
    assert_int_equal(plan_check_identity(a, "dtest", "c1", NULL), 0);
    assignment_free(a);
}

static void what_is_not_ours_is_refused_by_name(void **state)
{
    static const struct {
        const char *device, *coordinator, *named;
    } rows[] = {{"dother", "c1", "device_id"},
                {NULL, "c1", "device_id"},
                {"dtest", "c2", "coordinator_id"},
                {"dtest", NULL, "coordinator_id"}};
    struct assignment *a = lab_assignment(1);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err;

        assert_int_equal(plan_check_identity(a, rows[i].device, rows[i].coordinator, &err), -1);
        assert_int_equal(err.code, ERR_DENIED);
        assert_memory_equal(err.text, rows[i].named, strlen(rows[i].named));
    }
    assignment_free(a);
}

static void job_ids_that_are_no_folder_names_are_refused(void **state)
{
    static const char *const bad[] = {"",     ".",   "..",    ".hidden",     "a/b",
                                      "/etc", "a b", "a\\b",  "caf\xc3\xa9", "a\n",
                                      "~",    "a:b", "..%2f", "$HOME",       "*"};
    static const char *const good[] = {"a", "job-1", "A.b_c-9", "current", "9", "-rf"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct assignment *a = lab_assignment(1);

        text_set(&a->job_id, bad[i], NULL);
        assert_int_equal(plan_check_identity(a, "dtest", "c1", NULL), -1);
        assignment_free(a);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct assignment *a = lab_assignment(1);

        text_set(&a->job_id, good[i], NULL);
        assert_int_equal(plan_check_identity(a, "dtest", "c1", NULL), 0);
        assignment_free(a);
    }
}

/* What a device that takes part needs, by the kind of its plan. */
static void a_part_without_its_body_is_refused(void **state)
{
    static const struct {
        int kind;
        bool training, upload, images;
        const char *named; /* NULL: it passes */
    } rows[] = {{PLAN_KIND_FEDERATED, true, true, false, NULL},
                {PLAN_KIND_FEDERATED, true, false, false, "training.upload_format"},
                {PLAN_KIND_LORA, true, false, false, NULL},
                {PLAN_KIND_LORA, false, false, false, "training"},
                {PLAN_KIND_DIFFUSION, false, false, true, NULL},
                {PLAN_KIND_DIFFUSION, true, false, false, "image_generation"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct assignment *a = lab_assignment(1);
        struct err err = {0};
        int rc;

        a->kind = rows[i].kind;
        a->training->upload_format = rows[i].upload ? UPLOAD_FORMAT_F16 : UPLOAD_FORMAT_UNSET;
        if (!rows[i].training) {
            training_free(a->training);
            a->training = NULL;
        }
        if (rows[i].images)
            a->image_generation = image_generation_new(NULL);
        rc = plan_check_identity(a, "dtest", "c1", &err);
        assert_int_equal(rc, rows[i].named ? -1 : 0);
        if (rows[i].named)
            assert_memory_equal(err.text, rows[i].named, strlen(rows[i].named));
        assignment_free(a);
    }
}

static void images_are_held_against_memory_too(void **state)
{
    struct plan_limits limits = {.memory_bytes = 1000, .disk_free_bytes = UNKNOWN_I64};
    struct assignment *a = lab_assignment(1);
    struct err err = {0};

    (void)state;
    training_free(a->training);
    a->training = NULL;
    a->image_generation = image_generation_new(NULL);
    a->image_generation->memory_limit_bytes = 1000;
    assert_int_equal(plan_check_memory(a, &limits, &err), 0);
    a->image_generation->memory_limit_bytes = 1001;
    assert_int_equal(plan_check_memory(a, &limits, &err), -1);
    assert_non_null(strstr(err.text, "image_generation.memory_limit_bytes"));
    assignment_free(a);
}

static void an_assignment_without_identity_is_refused(void **state)
{
    for (int i = 0; i < 5; i++) {
        struct assignment *a = lab_assignment(1);

        if (i == 0)
            text_set(&a->plan_id, NULL, NULL);
        else if (i == 1)
            text_set(&a->job_id, NULL, NULL);
        else if (i == 2)
            text_set(&a->coordinator_id, NULL, NULL);
        else if (i == 3)
            a->generation = UNKNOWN_I64;
        else {
            training_free(a->training);
            a->training = NULL;
        }
        assert_int_equal(plan_check_identity(a, "dtest", "c1", NULL), -1);
        assignment_free(a);
    }
    (void)state;
}

static void memory_at_the_limit_fits_and_a_byte_more_does_not(void **state)
{
    struct plan_limits limits = {LAB_MEMORY / 2, "memory available now", UNKNOWN_I64};
    struct assignment *a = lab_assignment(1);
    struct err err;

    (void)state;
    assert_int_equal(plan_check_memory(a, &limits, &err), 0);
    limits.memory_bytes--;
    assert_int_equal(plan_check_memory(a, &limits, &err), -1);
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(err.text, "memory_limit_bytes"));
    assert_non_null(strstr(err.text, "memory available now"));
    a->participate = TRI_FALSE; /* takes no part: needs nothing */
    assert_int_equal(plan_check_memory(a, &limits, &err), 0);
    a->participate = TRI_TRUE;
    limits.memory_bytes = UNKNOWN_I64;
    assert_int_equal(plan_check_memory(a, &limits, &err), 0);
    assignment_free(a);
}

static void a_pipeline_needs_its_largest_stage(void **state)
{
    struct plan_limits limits = {5000, "", UNKNOWN_I64};
    struct assignment *a = lab_assignment(1);

    (void)state;
    training_free(a->training);
    a->training = NULL;
    a->kind = PLAN_KIND_PIPELINE;
    assert_int_equal(plan_check_memory(a, &limits, NULL), 0); /* nothing said */
    for (int i = 0; i < 3; i++) {
        struct stage_part *p = records_add(&stage_part_type, &a->stages, &a->stages_count, NULL);

        p->memory_bytes = i == 1 ? 5001 : 10;
    }
    assert_int_equal(plan_check_memory(a, &limits, NULL), -1);
    a->stages[1].memory_bytes = 5000;
    assert_int_equal(plan_check_memory(a, &limits, NULL), 0);
    assignment_free(a);
}

static void a_disk_must_hold_two_updates_and_some(void **state)
{
    struct assignment *a = lab_assignment(1);
    struct plan_limits limits = {UNKNOWN_I64, "", PLAN_DISK_EXTRA_BYTES + 250};
    struct err err;

    (void)state;
    a->prediction = prediction_new(NULL);
    a->prediction->upload_bytes = 100;
    a->prediction->download_bytes = 50;
    assert_int_equal(plan_check_disk(a, &limits, &err), 0);
    limits.disk_free_bytes--;
    assert_int_equal(plan_check_disk(a, &limits, &err), -1);
    assert_non_null(strstr(err.text, "disk"));
    limits.disk_free_bytes = UNKNOWN_I64;
    assert_int_equal(plan_check_disk(a, &limits, &err), 0);
    assignment_free(a);
}

static void the_owners_folders_win(void **state)
{
    char *dir = folder_make(), *models = file_path(NULL, "%s/models", dir), *out = NULL;
    char *tiny = file_path(NULL, "%s/models/tiny", dir);
    struct plan_place place = {.what = "model", .marker = "config.json", .own = models};
    struct err err;

    (void)state;
    folder_put(dir, "models/tiny/config.json", "{}");
    /* a folder of models: the last part of what the job says */
    assert_int_equal(plan_find_folder(&place, "mlx-community/tiny", &out, &err), 0);
    assert_string_equal(out, tiny);
    mem_free(out);
    assert_int_equal(plan_find_folder(&place, "mlx-community/huge", &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(plan_find_folder(&place, "a/..", &out, &err), -1);
    assert_int_equal(plan_find_folder(&place, "a/", &out, &err), -1);
    assert_int_equal(plan_find_folder(&place, NULL, &out, &err), -1);
    /* a model: whatever the job says */
    place.own = tiny;
    assert_int_equal(plan_find_folder(&place, "mlx-community/huge", &out, &err), 0);
    assert_string_equal(out, tiny);
    mem_free(out);
    mem_free(tiny);
    mem_free(models);
    folder_remove(dir);
}

static void without_them_the_job_is_taken_at_its_word(void **state)
{
    struct plan_place place = {.what = "data", .marker = "train.jsonl", .standard = "/agent/data"};
    static const struct {
        const char *wanted, *found;
    } rows[] = {{"notes", "/agent/data/notes"},
                {"/abs/notes", "/abs/notes"},
                {"hub/notes", "hub/notes"},
                {"../notes", "../notes"}, /* the operator's word, as an absolute path would be */
                {NULL, "/agent/data"}};
    char *out;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(plan_find_folder(&place, rows[i].wanted, &out, NULL), 0);
        assert_string_equal(out, rows[i].found);
        mem_free(out);
    }
    place.standard = NULL;
    assert_int_equal(plan_find_folder(&place, "Qwen3-0.6B", &out, NULL), 0);
    assert_string_equal(out, "Qwen3-0.6B");
    mem_free(out);
    assert_int_equal(plan_find_folder(&place, NULL, &out, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_for_us_passes),
        cmocka_unit_test(what_is_not_ours_is_refused_by_name),
        cmocka_unit_test(job_ids_that_are_no_folder_names_are_refused),
        cmocka_unit_test(a_part_without_its_body_is_refused),
        cmocka_unit_test(images_are_held_against_memory_too),
        cmocka_unit_test(an_assignment_without_identity_is_refused),
        cmocka_unit_test(memory_at_the_limit_fits_and_a_byte_more_does_not),
        cmocka_unit_test(a_pipeline_needs_its_largest_stage),
        cmocka_unit_test(a_disk_must_hold_two_updates_and_some),
        cmocka_unit_test(the_owners_folders_win),
        cmocka_unit_test(without_them_the_job_is_taken_at_its_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
