/* job_input.c - see job_input.h. */
#include "coordinator/cli/job_input.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/document/job_file.h"
#include "common/model/job.h"
#include "coordinator/cli/cli.h"

#include <string.h>

/* Files that a job names lie beside it, unless their path is absolute. */
static int read_beside(void *arg, const char *path, size_t max, char **data, size_t *len,
                       struct err *err)
{
    const char *job = arg, *slash = strrchr(job, '/');
    char *full = *path == '/' || !slash ? file_path(err, "%s", path)
                                        : file_path(err, "%.*s/%s", (int)(slash - job), job, path);
    int rc = full ? file_read(full, max, data, len, err) : -1;

    mem_free(full);
    return rc;
}

static int read_job(const char *path, struct job **out, struct err *err)
{
    char *text = NULL;
    size_t len;
    int rc;

    if (file_read(path, JSON_TEXT_MAX, &text, &len, err) < 0)
        return -1;
    rc = job_file_read(text, len, read_beside, (void *)(uintptr_t)path, out, err);
    mem_free(text);
    return rc < 0 ? err_prefix(err, "%s", path) : 0;
}

int job_input_read(struct cli *c, const char *path, struct job **out)
{
    struct err err = {0};

    if (read_job(path, out, &err) == 0)
        return CLI_OK;
    cli_say(c, "%s", err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

int job_input_plan(struct cli *c, const char *path, struct job **out)
{
    struct err err = {0};
    int rc = job_input_read(c, path, out);

    if (rc == CLI_OK && ((*out)->lora || (*out)->diffusion)) {
        cli_say(c, "%s: job %s is for one device: its plan, also with --dry-run, predicts it", path,
                (*out)->job_id);
        job_free(*out);
        *out = NULL;
        return CLI_USAGE;
    }
    if (rc != CLI_OK || job_fill_shape(*out, &err) == 0)
        return rc;
    cli_say(c, "%s: %s", path, err.text);
    job_free(*out);
    *out = NULL;
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}
