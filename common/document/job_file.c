/* job_file.c - see job_file.h. */
#include "common/document/job_file.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/document/document.h"
#include "common/document/document_words.h"
#include "common/document/model_shape.h"
#include "common/json/json.h"
#include "common/model/job.h"

#include <stdio.h>
#include <string.h>

/* The members of a job that hold a base model. */
static const char *const model_jobs[] = {"federated", "lora"};
#define MODEL_JOBS (sizeof model_jobs / sizeof model_jobs[0])

/* The content of the file that "config" names, as a JSON text. `where`: "federated.model.config".
 */
static struct json *read_named(const struct json *config, const char *where,
                               job_file_read_fn *read_file, void *arg, struct err *err)
{
    const struct field *row = record_field(&model_spec_type, "config_json");
    const char *path = json_text(config);
    char shown[DOCUMENT_VALUE_MAX];
    struct json *content;
    char *data = NULL;
    size_t len = 0;

    document_shown(config, shown);
    if (!path || !*path || strlen(path) > PATH_TEXT_MAX) {
        err_set(err, ERR_INVALID, "%s: %s, wanted the path of a config.json", where, shown);
        return NULL;
    }
    if (!read_file) {
        err_set(err, ERR_UNSUPPORTED, "%s: %s, but no file can be read here: give config_json",
                where, shown);
        return NULL;
    }
    if (read_file(arg, path, (size_t)row->max, &data, &len, err) < 0) {
        err_prefix(err, "%s", where);
        return NULL;
    }
    content = json_new_text_n(data, len);
    if (!content && text_utf8_valid(data, len))
        err_set(err, ERR_NOMEM, "%s of %zu bytes", where, len);
    else if (!content)
        err_set(err, ERR_INVALID, "%s: %s is not UTF-8 text", where, shown);
    mem_free(data);
    return content;
}

/* Put the content of the file named by "config" in the model, as config_json. */
static int take_config(struct json *model, const char *where, job_file_read_fn *read_file,
                       void *arg, struct err *err)
{
    struct json *config = json_remove(model, "config"), *content;
    int rc = 0;

    if (config && json_member(model, "config_json")) {
        rc = err_set(err, ERR_INVALID, "%s: both config and config_json are given, wanted one",
                     where);
    } else if (config) {
        content = read_named(config, where, read_file, arg, err);
        if (!content)
            rc = -1;
        else if (json_set(model, "config_json", &content) < 0)
            rc = err_set(err, ERR_NOMEM, "%s", where);
    }
    json_free(config);
    return rc;
}

static int take_configs(struct json *v, job_file_read_fn *read_file, void *arg, struct err *err)
{
    for (size_t i = 0; i < MODEL_JOBS; i++) {
        struct json *model =
            (struct json *)(uintptr_t)json_member(json_member(v, model_jobs[i]), "model");
        char where[64];

        snprintf(where, sizeof where, "%s.model.config", model_jobs[i]);
        if (json_type_of(model) == JSON_OBJECT &&
            take_config(model, where, read_file, arg, err) < 0)
            return -1;
    }
    return 0;
}

/* Letters, digits, dot, dash, underscore: an id is a file's name on the Macs. */
int job_check_id(const char *id, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".-_";

    if (id[0] != '.' && id[strspn(id, allowed)] == '\0')
        return 0;
    return err_set(err, ERR_INVALID,
                   "job_id: \"%.64s\", wanted letters, digits, dot, dash and underscore, not "
                   "starting with a dot",
                   id);
}

/* NULL: a job without a base model. */
static struct model_spec *model_of(const struct job *job, const char **member)
{
    *member = job->federated ? model_jobs[0] : model_jobs[1];
    if (job->federated)
        return job->federated->model;
    return job->lora ? job->lora->model : NULL;
}

static int check_config(const struct job *job, struct err *err)
{
    const char *member;
    const struct model_spec *model = model_of(job, &member);
    struct model_shape *shape = NULL;

    if (!model || model->shape || !model->config_json)
        return 0;
    if (model_shape_read(model->config_json, strlen(model->config_json), &shape, err) < 0)
        return err_prefix(err, "%s.model.config", member);
    model_shape_free(shape);
    return 0;
}

static int read_job(struct json *v, job_file_read_fn *read_file, void *arg, struct job **out,
                    struct err *err)
{
    struct job *job;
    void *record = NULL;

    if (take_configs(v, read_file, arg, err) < 0 || document_read(&job_type, v, &record, err) < 0)
        return -1;
    job = record;
    if (job_check_id(job->job_id, err) < 0 || check_config(job, err) < 0) {
        job_free(job);
        return -1;
    }
    *out = job;
    return 0;
}

int job_file_read(const char *text, size_t len, job_file_read_fn *read_file, void *arg,
                  struct job **out, struct err *err)
{
    struct json *v = json_parse(text, len, err);
    int rc = v ? read_job(v, read_file, arg, out, err) : -1;

    json_free(v);
    return rc;
}

int job_fill_shape(struct job *job, struct err *err)
{
    const char *member;
    struct model_spec *model = model_of(job, &member);

    if ((!job->federated && !job->lora) || (model && model->shape))
        return 0;
    if (!model || !model->config_json)
        return err_set(err, ERR_INVALID,
                       "%s.model.config_json: missing, wanted the text of a config.json", member);
    if (model_shape_read(model->config_json, strlen(model->config_json), &model->shape, err) < 0)
        return err_prefix(err, "%s.model.config_json", member);
    return 0;
}
