/* plan_check.h - may this machine do what an assignment says?
 *
 * The coordinator planned with what it knew; the agent knows what is true now, and what its owner
 * allows. All is pure but looking whether a folder of the owner's is there. A reason is for people:
 * it names the field, its value and the limit. */
#ifndef AGENT_APPLY_PLAN_CHECK_H
#define AGENT_APPLY_PLAN_CHECK_H

#include <stdint.h>

struct assignment;
struct err;

struct plan_limits {
    int64_t memory_bytes;    /* what a plan may use now; UNKNOWN_I64: nothing is known of it */
    char memory_source[160]; /* how that was made, for people */
    int64_t disk_free_bytes; /* on the volume of the agent's folder; may be unknown */
};

/* Room for what a run writes: twice an update (the checkpoint and the final one), and output,
 * events and status beside it. */
#define PLAN_DISK_EXTRA_BYTES (64LL * 1024 * 1024)

/* The identity: fields that must be there, a job id that is safe as a folder's name, addressed to
 * this device by this coordinator. */
int plan_check_identity(const struct assignment *a, const char *device_id,
                        const char *coordinator_id, struct err *err);

/* What the assignment may use, against the limits. An unknown limit refuses nothing. */
int plan_check_memory(const struct assignment *a, const struct plan_limits *limits,
                      struct err *err);
int plan_check_disk(const struct assignment *a, const struct plan_limits *limits, struct err *err);

/* Where model and data of a training assignment are: the owner's folders win over the job's words.
 *
 * `own` is the owner's setting or NULL: the thing itself (it holds `marker`: config.json of a
 * model, train.jsonl of data), or a folder of such things, then the last part of the job's path
 * names one. What is not there is refused: the owner promised it. Without the setting the job's
 * word is taken, unseen: it may be an id on a hub, or something that the command fetches. A plain
 * name then is below `standard` (NULL: taken as it is). *out is yours to mem_free. `what` is the
 * field, for errors. */
struct plan_place {
    const char *what;
    const char *marker;
    const char *own;
    const char *standard;
};
int plan_find_folder(const struct plan_place *place, const char *wanted, char **out,
                     struct err *err);

#endif
