/* fleet.h - what the coordinator believes about every device.
 *
 * A fleet belongs to one thread, holds no socket and reads no clock: callers pass now_ms
 * (monotonic), so a test plays an hour in one line. Invariant: every device is in the map and in
 * the sorted list exactly once, and is a member of exactly one class.
 *
 * Liveness: what was heard within late_ms is online, within offline_ms late, else (or after a
 * goodbye, or never heard) offline. fleet_tick moves devices down, fleet_heard and reports move
 * them up. Classes are kept as reports come in (device_class.h has the list of fields), so that a
 * snapshot only copies; the newest snapshot is kept and handed out again while nothing changed. */
#ifndef COORDINATOR_FLEET_FLEET_H
#define COORDINATOR_FLEET_FLEET_H

#include "common/model/enums.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct calibration;
struct calibration_reading;
struct calibration_table;
struct device;
struct err;
struct fleet;
struct profile;
struct snapshot;
struct state;

struct fleet_settings {
    size_t max_devices; /* an enrolment past it is refused; 1..DEVICES_MAX */
    int64_t late_ms;    /* silent for longer: late */
    int64_t offline_ms; /* silent for longer: offline; more than late_ms */
};

/* One device, to read. Ages are now_ms less these; UNKNOWN_I64 is never. */
struct fleet_device {
    char *id;
    char *public_key; /* NULL when its key is not known here */
    const char *name; /* what people call it: in the profile; NULL when it has none */
    enum liveness liveness;
    int64_t heard_ms;
    int64_t profile_ms;
    int64_t state_ms;
    struct profile *profile; /* NULL until reported */
    char *profile_digest;    /* as in Hello; NULL until reported */
    struct state *state;     /* NULL until reported, and after a restart */
    int64_t generation;      /* highest given to it; 0: none */
    int64_t committed_bytes; /* sum of its commitments */
    size_t commitments;
};

struct fleet_counts {
    size_t enrolled;
    size_t online, late, offline; /* sum: enrolled */
    size_t classes;
};

struct fleet *fleet_new(const struct fleet_settings *settings, struct err *err);
void fleet_free(struct fleet *f); /* NULL is fine */

/* While running; nobody's liveness changes before the next tick. */
int fleet_set_times(struct fleet *f, int64_t late_ms, int64_t offline_ms, struct err *err);

/* A new device, offline and never heard. ERR_EXISTS when it is enrolled already, ERR_TOO_BIG when
 * the fleet is full. public_key may be NULL. */
int fleet_enrol(struct fleet *f, const char *id, const char *public_key, struct err *err);

/* What the store kept of a device, after a restart: enrols it. *profile moves in (NULL: none).
 * Times are monotonic milliseconds of this run, so they may be negative; UNKNOWN_I64: never. */
struct fleet_saved {
    const char *id;
    const char *public_key;
    const char *profile_digest;
    int64_t heard_ms;
    int64_t profile_ms;
    int64_t generation;
};
int fleet_restore(struct fleet *f, const struct fleet_saved *saved, struct profile **profile,
                  struct err *err);
int fleet_forget(struct fleet *f, const char *id); /* -1: not enrolled */

/* Something came from it. 1: it came online by this; 0: it was; -1: not enrolled. */
int fleet_heard(struct fleet *f, const char *id, int64_t now_ms);

/* A report. The record moves in, replacing the one before; on failure it stays the caller's and the
 * fleet is as it was. Also counts as heard: 1 when the device came online by this, else 0. */
int fleet_profile(struct fleet *f, const char *id, struct profile **profile, const char *digest,
                  int64_t now_ms, struct err *err);
int fleet_state(struct fleet *f, const char *id, struct state **state, int64_t now_ms,
                struct err *err);

/* It said that it leaves: offline at once. 1: it was not before; 0: it was; -1: not enrolled. */
int fleet_goodbye(struct fleet *f, const char *id, int64_t now_ms);

/* Move silent devices down; `fn` is called for each that moved, and must not change the fleet.
 * Looks at every device: 100,000 in a few milliseconds. Returns how many moved. */
typedef void fleet_moved_fn(void *arg, const struct fleet_device *d);
size_t fleet_tick(struct fleet *f, int64_t now_ms, fleet_moved_fn *fn, void *arg);

/* Borrowed until the device is forgotten; NULL when unknown. */
const struct fleet_device *fleet_find(const struct fleet *f, const char *id);
const struct fleet_device *fleet_find_key(const struct fleet *f, const char *public_key);

/* In order of id: the first device whose id is greater than after (NULL: the first of all).
 * Amortised logarithmic. */
const struct fleet_device *fleet_next(struct fleet *f, const char *after);
/* The same among devices whose id or name starts with `prefix`; linear. */
const struct fleet_device *fleet_next_match(struct fleet *f, const char *after, const char *prefix);
/* The device of exactly this id or name, else the only one that starts so. NULL with ERR_NOT_FOUND,
 * or with ERR_INVALID naming the first two when it could be several. */
const struct fleet_device *fleet_find_prefix(struct fleet *f, const char *prefix, struct err *err);

struct fleet_counts fleet_counts(const struct fleet *f);

/* As tools see it: ages, class now. plans_open is the delivery table's to fill. The copy is yours.
 */
int fleet_device_to_model(struct fleet *f, const struct fleet_device *d, int64_t now_ms,
                          struct device **out, struct err *err);

/* The device's next generation; -1: not enrolled. Store it before it is sent. */
int64_t fleet_generation_next(struct fleet *f, const char *id);
/* Its counter is at least this (an agent's Hello, or the store). -1: not enrolled. */
int fleet_generation_jump(struct fleet *f, const char *id, int64_t at_least);

#define FLEET_COMMITMENTS_MAX 64 /* current jobs of one device: far more than fit its memory */

/* What the current assignment of a job may use on a device: set, replaced or (0 bytes) taken back.
 */
int fleet_commit(struct fleet *f, const char *id, const char *job_id, int64_t bytes,
                 struct err *err);
void fleet_release(struct fleet *f, const char *id, const char *job_id);

/* The fleet now: every enrolled device, by id. A reference of yours (snapshot_unref). mono_now_ms
 * makes the ages, wall_now_ms is its taken_ms. */
const struct snapshot *fleet_snapshot(struct fleet *f, int64_t mono_now_ms, int64_t wall_now_ms,
                                      struct err *err);

/* What measurements taught (calibration.h has the bounds); the next snapshot has it. */
int fleet_learn(struct fleet *f, const char *key, const struct calibration_reading *reading,
                int64_t wall_now_ms, const struct calibration **out, struct err *err);
int fleet_restore_calibration(struct fleet *f, const struct calibration *from, struct err *err);
const struct calibration_table *fleet_learnt(const struct fleet *f);

/* The class key of a device: "chip=Apple M1|memory_bytes=...". Borrowed as the device. */
const char *fleet_device_class_key(const struct fleet_device *d);

#endif
