/* device_merge.h - reading a stranger's proposal about one device, member by member.
 *
 * Room-internal. Each value is checked against its row, then against what the job allows, and
 * moved or dropped; each reading leaves a note. When the plan is known, merge_used writes the value
 * that stands, and merge_moved why it is another. */
#ifndef COORDINATOR_PLANNER_DEVICE_MERGE_H
#define COORDINATOR_PLANNER_DEVICE_MERGE_H

#include "coordinator/planner/decisions.h"

#include <stdbool.h>
#include <stdint.h>

struct record_type;

struct device_merge {
    struct notes *notes;
    const struct field_map *map;
    const struct record_type *type; /* of the record that is read */
    const void *record;             /* NULL: the engine left it out */
};

/* True where *out was taken; it is then within low..high. */
bool merge_i64(struct device_merge *m, int id, int64_t low, int64_t high, int64_t *out);
bool merge_f64(struct device_merge *m, int id, double low, double high, double *out);
bool merge_int(struct device_merge *m, int id, int *out); /* an enum or a boolean */

/* What the job states stands: the value is read for its note only. */
void merge_stated(struct device_merge *m, int id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The note of a field, to correct it; a spare one where there is none. */
struct note *merge_note(struct notes *notes, const struct field_map *field);

/* A value that was taken and does not stand: repaired, with the reason. */
void merge_moved(struct notes *notes, const struct field_map *field, int constraint,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A prediction is the planner's: the proposed one is used only where it says the same (1 %). */
void merge_predicted(struct device_merge *m, int id, double own);

#endif
