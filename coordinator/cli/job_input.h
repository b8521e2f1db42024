/* job_input.h - the job that a command is given: a file, and the files that it names. */
#ifndef COORDINATOR_CLI_JOB_INPUT_H
#define COORDINATOR_CLI_JOB_INPUT_H

struct cli;
struct job;

/* CLI_OK: *out is a checked job, yours to job_free. Else it was said why. */
int job_input_read(struct cli *c, const char *path, struct job **out);

/* The same, ready to be planned here for a fleet: the model's shape is filled too, and a job for
 * one device is refused. */
int job_input_plan(struct cli *c, const char *path, struct job **out);

#endif
