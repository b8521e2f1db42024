/* delivery_inner.h - what the files of this room share: delivery.c (single deliveries),
 * delivery_plan.c (plans and devices as a whole). Nobody outside includes it. */
#ifndef COORDINATOR_DELIVERY_DELIVERY_INNER_H
#define COORDINATOR_DELIVERY_DELIVERY_INNER_H

#include "coordinator/delivery/delivery.h"

struct map;

struct delivery_device;
struct delivery_plan;

struct delivery_entry {
    struct delivery_item pub; /* first: an item is an entry */
    struct assignment *assignment;
    struct prediction *prediction; /* of the assignment, once that is gone */
    struct delivery_plan *plan;
    struct delivery_device *device;
    struct delivery_entry *next; /* of the device, by rising generation */
    bool agent_ended;            /* its agent reported a final state */
};

struct delivery_plan {
    char *plan_id;
    struct delivery_entry **entries;
    size_t count, cap;
    bool sorted; /* entries are in order of device id */
    int64_t revision;
    size_t by_state[DELIVERY_STATE_EXPIRED + 1];
};

struct delivery_device {
    char *device_id;
    struct delivery_entry *first;
};

struct delivery_table {
    size_t max_items;
    int64_t expire_ms;
    size_t items;
    struct map *plans;   /* plan id -> struct delivery_plan, in order of opening */
    struct map *devices; /* device id -> struct delivery_device */
    size_t by_state[DELIVERY_STATE_EXPIRED + 1];
};

/* The state after the event; true when it is another. Counts, revision and assignment follow. */
bool delivery_entry_apply(struct delivery_table *t, struct delivery_entry *e,
                          enum delivery_event event, bool newer, int64_t now_ms);
/* Something else about it changed: a reason, an exit code, attempts. */
void delivery_entry_touch(struct delivery_entry *e, int64_t now_ms);

struct delivery_device *delivery_device_find(const struct delivery_table *t, const char *device_id);
struct delivery_plan *delivery_plan_find(const struct delivery_table *t, const char *plan_id);

void delivery_plan_free(void *plan); /* and its entries */
/* Takes the plan out of the table and out of its devices' lists, and frees it. */
void delivery_plan_drop(struct delivery_table *t, struct delivery_plan *plan);

#endif
