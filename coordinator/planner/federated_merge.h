/* federated_merge.h - a stranger's proposal made into settings, field by field.
 *
 * Room-internal. Reads only what federated_field_map names; each value is checked against its row,
 * then against what the job allows, and clamped or dropped; what is open keeps the planner's own
 * value. */
#ifndef COORDINATOR_PLANNER_FEDERATED_MERGE_H
#define COORDINATOR_PLANNER_FEDERATED_MERGE_H

struct err;
struct federated_proposal;
struct federated_settings;
struct federated_solution;
struct notes;
struct roster;

/* Settings from `own` with the proposal over them; p may be NULL. A note for every field. */
struct federated_settings *federated_merge(const struct roster *r,
                                           const struct federated_settings *own, int aggregation,
                                           const struct federated_proposal *p, struct notes *notes,
                                           struct err *err);

/* Where common values would cost clients that the planner's own would keep, move them towards
 * these: memory_share up, layers down, rank down, the upload format last. */
int federated_repair_common(const struct roster *r, const struct federated_settings *own,
                            struct federated_settings *s, struct notes *notes, struct err *err);

/* The notes once it is known what each class really got. */
int federated_settle(const struct roster *r, const struct federated_settings *s,
                     const struct federated_solution *solution, struct notes *notes,
                     struct err *err);

#endif
