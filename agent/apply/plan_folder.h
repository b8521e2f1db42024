/* plan_folder.h - where assignments lie on disk, and that they lie there whole.
 *
 *     plans/JOB/GENERATION/plan.json      the assignment, as document of an Assignment
 *                          lora.yaml      for mlx_lm.lora, where there is something to train
 *                          status.json    where it stands, and whether the coordinator knows
 *                          started        made, and synced, before the command runs
 *                          running        locked by the command for as long as it lives
 *                          output         the command's last words (output.1 those before)
 *                          events.jsonl   $ESPALIER_EVENTS
 *                          events.position  up to where the coordinator has them
 *                          adapters/      adapter_path of lora.yaml
 *     plans/JOB/current -> GENERATION     switched by rename: always one or the other
 *     generation                          the highest ever accepted
 *
 * A folder without plan.json is what a crash left of one that nobody was told of: it is removed. */
#ifndef AGENT_APPLY_PLAN_FOLDER_H
#define AGENT_APPLY_PLAN_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct assignment;
struct assignment_status;
struct err;

#define PLAN_FILE_MAX (16 * 1024 * 1024) /* JSON_TEXT_MAX: what we wrote we can read */

/* Letters, digits, '.', '-' and '_', at most ID_TEXT_MAX, not starting with a dot: a job id that is
 * safe as the name of a folder. */
bool plan_name_is_safe(const char *job_id);

/* FOLDER/plans/JOB/GENERATION; `folder` is the agent's own. Yours to mem_free. */
char *plan_folder_path(const char *folder, const char *job_id, int64_t generation, struct err *err);

/* Make the folder and write plan.json, all synced: afterwards it survives anything. */
int plan_folder_store(const char *folder, const struct assignment *a, struct err *err);

/* *out is checked, yours to assignment_free. */
int plan_folder_load(const char *path, struct assignment **out, struct err *err);

int plan_folder_write_yaml(const char *path, const char *yaml, struct err *err);

/* Point plans/JOB/current at the generation; generation 0 removes the link. */
int plan_folder_make_current(const char *folder, const char *job_id, int64_t generation,
                             struct err *err);
/* 0 when there is none. */
int64_t plan_folder_current(const char *folder, const char *job_id);

/* status.json: `start` says that the command is to run (or ran), `reported` that the coordinator
 * has stored this status. */
int plan_folder_write_status(const char *path, const struct assignment_status *status, bool start,
                             bool reported, struct err *err);
int plan_folder_read_status(const char *path, struct assignment_status **status, bool *start,
                            bool *reported, struct err *err);

/* The `started` file. Reading gives the process group, 0 where the file is there and does not read;
 * ERR_NOT_FOUND where there is none. */
int plan_folder_mark_started(const char *path, int64_t group, int64_t at_ms, struct err *err);
int plan_folder_read_started(const char *path, int64_t *group, struct err *err);
int plan_folder_unmark_started(const char *path, struct err *err);

/* Jobs, and generations of a job in rising order; whatever else lies there is passed over. */
int plan_folder_jobs(const char *folder, size_t max, char ***names, size_t *count, struct err *err);
int plan_folder_generations(const char *folder, const char *job_id, int64_t *out, size_t max,
                            size_t *count, struct err *err);

int plan_folder_remove(const char *folder, const char *job_id, int64_t generation, struct err *err);

/* The highest generation: 0 before the first. */
int plan_folder_read_highest(const char *folder, int64_t *out, struct err *err);
int plan_folder_write_highest(const char *folder, int64_t generation, struct err *err);

#endif
