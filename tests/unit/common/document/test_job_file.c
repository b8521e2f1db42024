/* test_job_file.c - job files, and the config that one may name. */
#include "common/document/job_file.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG                                                                                   \
    "{\"model_type\":\"llama\",\"num_hidden_layers\":2,\"hidden_size\":8,\"intermediate_size\":" \
    "16,\"vocab_size\":10,\"num_attention_heads\":4}"
#define JOB(id, model)                                                                           \
    "{\"format_version\":1,\"job_id\":\"" id "\",\"federated\":{\"model\":{" model               \
    "\"variants\":[{\"format\":\"bf16\"}]},\"tuning\":{\"method\":\"lora\",\"sequence_length\":" \
    "512},\"round\":{}}}"

/* The callback of a caller who has one file, config.json. */
struct folder {
    const char *content;
    char asked[64];
};

static int read_one(void *arg, const char *path, size_t max, char **data, size_t *len,
                    struct err *err)
{
    struct folder *folder = arg;

    snprintf(folder->asked, sizeof folder->asked, "%s", path);
    if (strcmp(path, "config.json") != 0)
        return err_set(err, ERR_NOT_FOUND, "%s: No such file or directory", path);
    assert_in_range(strlen(folder->content), 0, max);
    *len = strlen(folder->content);
    *data = mem_strdup(folder->content);
    return *data ? 0 : err_set(err, ERR_NOMEM, "%s", path);
}

static int read_job(const char *text, const char *content, struct job **out, struct err *err)
{
    struct folder folder = {content, ""};

    return job_file_read(text, strlen(text), content ? read_one : NULL, &folder, out, err);
}

static void a_config_is_read_beside_the_job(void **state)
{
    struct job *job = NULL;

    (void)state;
    assert_int_equal(read_job(JOB("a", "\"config\":\"config.json\","), CONFIG, &job, NULL), 0);
    assert_string_equal(job->federated->model->config_json, CONFIG);
    assert_null(job->federated->model->shape); /* made when it is needed */
    assert_int_equal(job_fill_shape(job, NULL), 0);
    assert_int_equal(job->federated->model->shape->parameters, 1480);
    assert_int_equal(job_fill_shape(job, NULL), 0); /* twice is fine */
    job_free(job);
}

#define LORA(model)                                                                              \
    "{\"format_version\":1,\"job_id\":\"l\",\"lora\":{\"model\":{" model                         \
    "\"variants\":[{\"format\":\"bf16\"}]},\"tuning\":{\"method\":\"lora\",\"sequence_length\":" \
    "512},\"data\":{\"examples\":9}}}"

/* A LoRA job's model is read as a federated one's, under its own name. */
static void a_lora_job_has_a_config_too(void **state)
{
    struct job *job = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_job(LORA("\"config\":\"config.json\","), CONFIG, &job, NULL), 0);
    assert_string_equal(job->lora->model->config_json, CONFIG);
    assert_int_equal(job_fill_shape(job, NULL), 0);
    assert_int_equal(job->lora->model->shape->parameters, 1480);
    job_free(job);
    assert_int_equal(read_job(LORA("\"config\":7,"), CONFIG, &job, &err), -1);
    assert_non_null(strstr(err.text, "lora.model.config: 7, wanted the path"));
    assert_int_equal(read_job(LORA("\"config_json\":\"{}\","), NULL, &job, &err), -1);
    assert_non_null(strstr(err.text, "lora.model.config: model_type: missing"));
    assert_int_equal(read_job(LORA(""), NULL, &job, NULL), 0);
    assert_int_equal(job_fill_shape(job, &err), -1);
    assert_non_null(strstr(err.text, "lora.model.config_json: missing"));
    job_free(job);
}

static void jobs_without_a_path_need_no_reader(void **state)
{
    static const char pipeline[] =
        "{\"format_version\":1,\"job_id\":\"p\",\"pipeline\":{\"stages\":[{\"name\":\"s\"}]}}";
    struct job *job = NULL;

    (void)state;
    assert_int_equal(read_job(pipeline, NULL, &job, NULL), 0);
    assert_int_equal(job_fill_shape(job, NULL), 0);
    job_free(job);
    assert_int_equal(read_job(JOB("a", ""), NULL, &job, NULL), 0);
    assert_int_equal(job_fill_shape(job, NULL), -1);
    job_free(job);
}

static void what_is_no_job_is_refused(void **state)
{
    static const struct {
        const char *text, *content, *why;
    } rows[] = {
        {"", CONFIG, "1:1"},
        {"[]", CONFIG, "Job: a list, wanted an object"},
        {JOB("a", "\"config\":\"other.json\","), CONFIG,
         "federated.model.config: other.json: No such file"},
        {JOB("a", "\"config\":7,"), CONFIG, "federated.model.config: 7, wanted the path"},
        {JOB("a", "\"config\":\"\","), CONFIG, "federated.model.config: \"\", wanted the path"},
        {JOB("a", "\"config\":\"config.json\","), NULL, "no file can be read here"},
        {JOB("a", "\"config\":\"config.json\",\"config_json\":\"{}\","), CONFIG,
         "both config and config_json"},
        {JOB("a", "\"config\":\"config.json\","), "{\"model_type\":\"mamba\"}",
         "federated.model.config: model_type: \"mamba\", wanted one of"},
        {JOB("a", "\"config\":\"config.json\","), "", "federated.model.config: 1:1"},
        {JOB("a", "\"config\":\"config.json\","), "\xff", "is not UTF-8"},
        {JOB("a", "\"config_json\":\"{}\","), NULL, "federated.model.config: model_type: missing"},
        {JOB("a b", ""), NULL, "job_id: \"a b\", wanted letters, digits, dot"},
        {JOB(".a", ""), NULL, "job_id: \".a\", wanted letters"},
        {JOB("../a", ""), NULL, "job_id: \"../a\", wanted letters"},
        {JOB("a", "\"_comment\":\"x\","), NULL, "federated.model._comment: no such key"},
        {JOB("a", "\"//\":\"x\","), NULL, "federated.model.//: no such key"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct job *job = NULL;
        struct err err = {ERR_NONE, ""};

        assert_int_equal(read_job(rows[i].text, rows[i].content, &job, &err), -1);
        assert_null(job);
        if (!strstr(err.text, rows[i].why))
            print_error("%s\n  gave %s\n", rows[i].text, err.text);
        assert_non_null(strstr(err.text, rows[i].why));
        assert_int_not_equal(err.code, ERR_NONE);
    }
}

static void a_job_file_survives_lost_memory(void **state)
{
    static const char text[] = JOB("a", "\"config\":\"config.json\",");
    struct job *job = NULL;
    int rc, nth = 0;

    (void)state;
    do {
        mem_fail_at((unsigned)++nth);
        rc = read_job(text, CONFIG, &job, NULL);
        assert_true((rc == 0) == (job != NULL));
    } while (rc < 0 && nth < 2000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 1999);
    assert_non_null(job);
    if (!job) /* for the analyzer, which does not know that the line above ends the test */
        return;
    nth = 0;
    do {
        mem_fail_at((unsigned)++nth);
        rc = job_fill_shape(job, NULL);
        assert_true((rc == 0) == (job->federated->model->shape != NULL));
    } while (rc < 0 && nth < 2000);
    mem_fail_at(0);
    assert_in_range(nth, 2, 1999);
    job_free(job);
}

static void every_cut_is_refused(void **state)
{
    static const char text[] = JOB("a", "\"config\":\"config.json\",");

    (void)state;
    for (size_t cut = 0; cut < sizeof text - 1; cut++) {
        struct folder folder = {CONFIG, ""};
        struct job *job = NULL;

        assert_int_equal(job_file_read(text, cut, read_one, &folder, &job, NULL), -1);
        assert_null(job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_is_read_beside_the_job),
        cmocka_unit_test(a_lora_job_has_a_config_too),
        cmocka_unit_test(jobs_without_a_path_need_no_reader),
        cmocka_unit_test(what_is_no_job_is_refused),
        cmocka_unit_test(a_job_file_survives_lost_memory),
        cmocka_unit_test(every_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
