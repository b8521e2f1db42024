/* plan_folder.c - see plan_folder.h. */
#include "agent/apply/plan_folder.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/agent_message.h"
#include "common/model/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Modes under the umask: a command may run as another user, who must be able to read its plan. What
 * is secret (keys) has its own mode. */
#define FOLDER_MODE 0755
#define FILE_MODE 0644
#define STATUS_MAX 8192 /* a status with its texts at their limits has 1 KB */

bool plan_name_is_safe(const char *job_id)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t len = job_id ? strlen(job_id) : 0;

    return len > 0 && len <= ID_TEXT_MAX && job_id[0] != '.' && strspn(job_id, allowed) == len;
}

char *plan_folder_path(const char *folder, const char *job_id, int64_t generation, struct err *err)
{
    return file_path(err, "%s/plans/%s/%" PRId64, folder, job_id, generation);
}

/* The entries of a folder survive a crash: of one that was just made in it, too. */
static int sync_folder(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return err_set_errno(err, errno, "%s", path);
    if (fsync(fd) < 0)
        rc = err_set_errno(err, errno, "sync %s", path);
    close(fd);
    return rc;
}

static int write_file(const char *path, const char *name, const char *text, struct err *err)
{
    char *file = file_path(err, "%s/%s", path, name);
    int rc = file ? file_write_atomic(file, FILE_MODE, text, strlen(text), err) : -1;

    mem_free(file);
    return rc;
}

int plan_folder_store(const char *folder, const struct assignment *a, struct err *err)
{
    char *path = plan_folder_path(folder, a->job_id, a->generation, err), *text = NULL;
    char *job = file_path(err, "%s/plans/%s", folder, a->job_id);
    char *plans = file_path(err, "%s/plans", folder);
    int rc = -1;

    if (path && job && plans && (text = document_print(&assignment_type, a, true, err)) &&
        file_make_dirs(path, FOLDER_MODE, err) == 0 &&
        write_file(path, "plan.json", text, err) == 0 && sync_folder(job, err) == 0 &&
        sync_folder(plans, err) == 0 && sync_folder(folder, err) == 0)
        rc = 0;
    mem_free(text);
    mem_free(plans);
    mem_free(job);
    mem_free(path);
    return rc;
}

int plan_folder_load(const char *path, struct assignment **out, struct err *err)
{
    char *file = file_path(err, "%s/plan.json", path), *text = NULL;
    struct assignment *a = NULL;
    size_t len;
    int rc = -1;

    if (file && file_read(file, PLAN_FILE_MAX, &text, &len, err) == 0 &&
        (rc = document_parse(&assignment_type, text, len, (void **)&a, err)) < 0)
        err_prefix(err, "%s", file);
    if (rc == 0)
        *out = a;
    mem_free(text);
    mem_free(file);
    return rc;
}

int plan_folder_write_yaml(const char *path, const char *yaml, struct err *err)
{
    return write_file(path, "lora.yaml", yaml, err);
}

/* ---- current ---- */

int plan_folder_make_current(const char *folder, const char *job_id, int64_t generation,
                             struct err *err)
{
    char *link = file_path(err, "%s/plans/%s/current", folder, job_id);
    char *fresh = file_path(err, "%s/plans/%s/.current.new", folder, job_id);
    char *job = file_path(err, "%s/plans/%s", folder, job_id);
    char target[24];
    int rc = -1;

    snprintf(target, sizeof target, "%" PRId64, generation);
    if (!link || !fresh || !job)
        goto out;
    if (generation == 0) {
        if (unlink(link) < 0 && errno != ENOENT)
            err_set_errno(err, errno, "remove %s", link);
        else
            rc = sync_folder(job, err);
        goto out;
    }
    unlink(fresh); /* of an earlier crash */
    if (symlink(target, fresh) < 0 || rename(fresh, link) < 0)
        err_set_errno(err, errno, "%s", link);
    else
        rc = sync_folder(job, err);
out:
    mem_free(job);
    mem_free(fresh);
    mem_free(link);
    return rc;
}

int64_t plan_folder_current(const char *folder, const char *job_id)
{
    char *link = file_path(NULL, "%s/plans/%s/current", folder, job_id), target[24];
    int64_t generation = 0;
    ssize_t len = link ? readlink(link, target, sizeof target) : -1;

    if (len > 0)
        num_parse_i64(target, (size_t)len, 1, JSON_INTEGER_MAX, &generation, "current", NULL);
    mem_free(link);
    return generation;
}

/* ---- status ---- */

int plan_folder_write_status(const char *path, const struct assignment_status *status, bool start,
                             bool reported, struct err *err)
{
    struct json *doc = json_object(), *inner = NULL;
    char *text = NULL;
    int rc = -1;

    if (!(inner = document_write(&assignment_status_type, status, err)))
        goto out;
    if (!doc || json_set_i64(doc, "format_version", 1) < 0 ||
        json_set_bool(doc, "start", start) < 0 || json_set_bool(doc, "reported", reported) < 0 ||
        json_set(doc, "status", &inner) < 0) {
        err_set(err, ERR_NOMEM, "status");
        goto out;
    }
    if ((text = json_print(doc, true, err)))
        rc = write_file(path, "status.json", text, err);
out:
    mem_free(text);
    json_free(inner);
    json_free(doc);
    return rc;
}

int plan_folder_read_status(const char *path, struct assignment_status **status, bool *start,
                            bool *reported, struct err *err)
{
    char *file = file_path(err, "%s/status.json", path), *text = NULL;
    struct assignment_status *s = NULL;
    struct json *doc = NULL;
    size_t len;
    int rc = -1;

    if (!file || file_read(file, STATUS_MAX, &text, &len, err) < 0 ||
        !(doc = json_parse(text, len, err)))
        goto out;
    if (document_read(&assignment_status_type, json_member(doc, "status"), (void **)&s, err) == 0) {
        *status = s;
        *start = json_bool_value(json_member(doc, "start"));
        *reported = json_bool_value(json_member(doc, "reported"));
        rc = 0;
    }
out:
    if (rc < 0 && file)
        err_prefix(err, "%s", file);
    json_free(doc);
    mem_free(text);
    mem_free(file);
    return rc;
}

int plan_folder_mark_started(const char *path, int64_t group, int64_t at_ms, struct err *err)
{
    char text[96];

    snprintf(text, sizeof text, "{\"process_group\": %" PRId64 ", \"at_ms\": %" PRId64 "}\n", group,
             at_ms);
    return write_file(path, "started", text, err);
}

int plan_folder_read_started(const char *path, int64_t *group, struct err *err)
{
    char *file = file_path(err, "%s/started", path), *text = NULL;
    struct json *doc = NULL;
    int64_t value;
    size_t len;
    int rc = -1;

    if (!file)
        return -1;
    if (!file_exists(file)) {
        err_set(err, ERR_NOT_FOUND, "%s is not there", file);
    } else if (file_read(file, STATUS_MAX, &text, &len, err) == 0) {
        doc = json_parse(text, len, NULL);
        value = json_integer(json_member(doc, "process_group"));
        *group = known_i64(value) && value > 1 ? value : 0;
        rc = 0;
    }
    json_free(doc);
    mem_free(text);
    mem_free(file);
    return rc;
}

int plan_folder_unmark_started(const char *path, struct err *err)
{
    char *file = file_path(err, "%s/started", path);
    int rc = -1;

    if (file && unlink(file) < 0 && errno != ENOENT)
        err_set_errno(err, errno, "remove %s", file);
    else if (file)
        rc = sync_folder(path, err);
    mem_free(file);
    return rc;
}

/* ---- what is there ---- */

int plan_folder_jobs(const char *folder, size_t max, char ***names, size_t *count, struct err *err)
{
    char *plans = file_path(err, "%s/plans", folder);
    int rc = plans && file_make_dirs(plans, FOLDER_MODE, err) == 0
                 ? file_list(plans, max, names, count, err)
                 : -1;

    mem_free(plans);
    return rc;
}

static int rising(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int plan_folder_generations(const char *folder, const char *job_id, int64_t *out, size_t max,
                            size_t *count, struct err *err)
{
    char *job = file_path(err, "%s/plans/%s", folder, job_id), **names = NULL;
    size_t n = 0;
    int rc = -1;

    *count = 0;
    if (job && file_list(job, max + 16, &names, &n, err) == 0) {
        for (size_t i = 0; i < n && *count < max; i++) {
            if (num_parse_i64(names[i], strlen(names[i]), 1, JSON_INTEGER_MAX, &out[*count],
                              "generation", NULL) == 0)
                ++*count;
        }
        qsort(out, *count, sizeof *out, rising);
        rc = 0;
    }
    file_list_free(names, n);
    mem_free(job);
    return rc;
}

int plan_folder_remove(const char *folder, const char *job_id, int64_t generation, struct err *err)
{
    char *path = plan_folder_path(folder, job_id, generation, err);
    char *job = file_path(err, "%s/plans/%s", folder, job_id);
    int rc = path && job ? file_remove_tree(path, err) : -1;

    if (rc == 0)
        rmdir(job); /* when it was the last; else it stays */
    mem_free(job);
    mem_free(path);
    return rc;
}

int plan_folder_read_highest(const char *folder, int64_t *out, struct err *err)
{
    char *file = file_path(err, "%s/generation", folder), *text = NULL;
    size_t len;
    int rc = -1;

    if (file && !file_exists(file)) {
        *out = 0;
        rc = 0;
    } else if (file && file_read(file, 64, &text, &len, err) == 0) {
        rc = num_parse_i64(text, strcspn(text, "\n"), 0, JSON_INTEGER_MAX, out, file, err);
    }
    mem_free(text);
    mem_free(file);
    return rc;
}

int plan_folder_write_highest(const char *folder, int64_t generation, struct err *err)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64 "\n", generation);
    return write_file(folder, "generation", text, err);
}
