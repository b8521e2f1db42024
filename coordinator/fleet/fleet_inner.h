/* fleet_inner.h - what the files of this room share: fleet.c (the set), fleet_device.c (one
 * device's changes), fleet_snapshot.c (classes and what leaves the room). Nobody outside includes
 * it. */
#ifndef COORDINATOR_FLEET_FLEET_INNER_H
#define COORDINATOR_FLEET_FLEET_INNER_H

#include "coordinator/fleet/fleet.h"

#include "common/core/buf.h"

struct map;

/* One kind of device. It lives while it has members. */
struct fleet_class {
    char *key;
    struct profile *profile; /* cut and rounded: what the planner sees */
    struct state *state;
    size_t members;
    size_t index; /* place in fleet.order, while that is valid */
};

struct fleet_commitment {
    char *job_id;
    int64_t bytes;
};

struct fleet_member {
    struct fleet_device pub; /* first: a fleet_device is a member */
    char *profile_key;       /* the profile's part of the class key */
    struct fleet_class *class;
    struct fleet_commitment *committed;
};

struct fleet {
    struct fleet_settings settings;
    struct map *by_id;            /* id -> struct fleet_member */
    struct map *classes;          /* key -> struct fleet_class */
    struct fleet_member **sorted; /* by id, once sorted_ok */
    size_t sorted_cap;
    bool sorted_ok;
    struct fleet_class **order; /* by falling members, then key, once order_ok */
    size_t order_cap;
    bool order_ok;
    size_t by_liveness[LIVENESS_OFFLINE + 1];
    struct calibration_table *calibration;
    struct buf scratch;      /* a class key being made */
    struct snapshot *latest; /* the last one made; NULL: something changed since */
    int64_t latest_ms;       /* monotonic */
};

struct fleet_member *fleet_member_find(const struct fleet *f, const char *id);

/* Something that a snapshot shows is different now. */
void fleet_changed(struct fleet *f);

/* 1 when it was another. */
int fleet_member_set_liveness(struct fleet *f, struct fleet_member *m, enum liveness liveness);

/* The class for these (made when it is new), one member more. NULL without memory: nothing changed.
 */
struct fleet_class *fleet_class_join(struct fleet *f, const char *profile_key,
                                     const struct fleet_class *current,
                                     const struct profile *profile, const struct state *state,
                                     struct err *err);
void fleet_class_leave(struct fleet *f, struct fleet_class *class);

/* All members by id; borrowed until one joins or goes. */
struct fleet_member *const *fleet_sorted(struct fleet *f);

void fleet_member_free(void *member);
void fleet_class_free(void *class);
char *fleet_profile_key(const struct profile *p, struct err *err);

#endif
