/* snapshot.h - the fleet at one moment, as the planner sees it.
 *
 * Made by coordinator/fleet, read by cycle and planner, never changed once made: whoever holds a
 * reference may read it from any thread. Devices that the planner cannot tell apart are one class;
 * what is each client's own (link, data, liveness) stays with the client. */
#ifndef COMMON_MODEL_SNAPSHOT_H
#define COMMON_MODEL_SNAPSHOT_H

#include "common/model/device.h"
#include "common/model/enums.h"

#include <stddef.h>
#include <stdint.h>

/* Devices with the same profile and the same state after rounding (the class key of fleet). */
struct device_class {
    char id[16];             /* "c1", "c2", ...: by falling number of devices, then by class key */
    struct profile *profile; /* what the members share: no name, no per-device facts */
    struct state *state; /* rounded towards the worse, so that a plan for it fits every member */
    size_t devices;      /* how many clients of the snapshot belong to it */
};

struct client {
    char *device_id;
    char *name;               /* for people; NULL when it has none */
    size_t class_index;       /* into classes */
    enum liveness liveness;   /* online, late or offline */
    int64_t state_age_ms;     /* UNKNOWN_I64: never reported */
    double up_bps, down_bps;  /* NaN: unknown */
    int64_t committed_bytes;  /* what assignments of other jobs may use on it now; 0: nothing */
    char **committed_job_ids; /* the jobs behind committed_bytes */
    int64_t *committed_job_bytes;
    size_t committed_jobs;
};

struct calibration;

struct snapshot {
    int64_t taken_ms; /* wall clock */
    struct device_class *classes;
    size_t classes_count;
    struct client *clients; /* by rising device_id */
    size_t clients_count;
    struct calibration *calibrations; /* what measurements taught, by rising key */
    size_t calibrations_count;
    int refs; /* touched only by snapshot_ref and snapshot_unref, atomically */
};

struct err;

/* An empty one with room for so many; refs 1. NULL without memory. */
struct snapshot *snapshot_new(size_t classes, size_t clients, struct err *err);
const struct snapshot *snapshot_ref(const struct snapshot *s);
void snapshot_unref(const struct snapshot *s); /* NULL is fine; the last one frees */

/* What was learnt of this kind of run; NULL: nothing. Logarithmic. */
const struct calibration *snapshot_calibration(const struct snapshot *s, const char *key);

/* Bytes that jobs other than `job_id` hold on this client. */
int64_t client_committed_bytes(const struct client *c, const char *job_id);

#endif
