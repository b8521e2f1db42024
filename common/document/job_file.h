/* job_file.h - job files as people write them.
 *
 * A job file is the document of a Job (document.h) with one convenience: where federated.model
 * or lora.model holds "config": "PATH", the content of that file becomes config_json. The path is
 * read through a function of the caller, who alone knows where the job file lies: jobs that came
 * over the wire never get here. */
#ifndef COMMON_DOCUMENT_JOB_FILE_H
#define COMMON_DOCUMENT_JOB_FILE_H

#include <stddef.h>

struct err;
struct job;

/* Read the file that a job names, relative to the job file: at most max bytes, *data NUL-terminated
 * after *len and freed with mem_free by us. As file_read of common/core/file.h. */
typedef int job_file_read_fn(void *arg, const char *path, size_t max, char **data, size_t *len,
                             struct err *err);

/* *out is a checked job, yours to job_free. Where it has a config and no shape, the config is
 * checked too (shape is left for job_fill_shape). read_file may be NULL: then "config" is refused.
 */
int job_file_read(const char *text, size_t len, job_file_read_fn *read_file, void *arg,
                  struct job **out, struct err *err);

/* Letters, digits, dot, dash and underscore, not starting with a dot: agents name folders after
 * jobs. A job that came over the wire wants this check too. */
int job_check_id(const char *id, struct err *err);

/* Make the model's shape from config_json where it is absent. A job without a base model, and a
 * shape that is there, stay as they are; a federated or LoRA job with neither is refused. */
int job_fill_shape(struct job *job, struct err *err);

#endif
