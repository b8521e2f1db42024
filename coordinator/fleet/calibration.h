/* calibration.h - what measurements have taught of the planner's model, per kind of run.
 *
 * A kind is a key, "backend/chip/model/method" (planner/learned.h makes it). Each has two factors,
 * measured over predicted: of activations and of step time. A reading moves its factor by an
 * exponentially weighted mean; the first counts whole, since nothing stands against it.
 *
 * One bad reading moves nothing far: what is not finite, or off by more than CALIBRATION_REFUSED,
 * moves nothing; what is off by more than CALIBRATION_STEP from where the factor stands counts as
 * if it were just that far off; and a factor stays within its clamp. So a factor moves by at most
 * 50 % the first time, by 15 % later.
 *
 * No clock, no I/O; owned by one thread, as the fleet that it is a part of. */
#ifndef COORDINATOR_FLEET_CALIBRATION_H
#define COORDINATOR_FLEET_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

struct calibration;
struct calibration_table;
struct err;

#define CALIBRATION_WEIGHT 0.3 /* of a reading, against what stands */
#define CALIBRATION_STEP 1.5   /* a reading counts as at most this many times what stands */
#define CALIBRATION_REFUSED 20 /* further off than this (or its inverse) is no reading */
#define CALIBRATION_ACTIVATION_MIN 0.8
#define CALIBRATION_ACTIVATION_MAX 1.5
#define CALIBRATION_TIME_MIN 0.25
#define CALIBRATION_TIME_MAX 4.0

#define CALIBRATIONS_MAX 10000 /* kinds; far more than chips, models and methods of one lab */

struct calibration_table *calibration_table_new(struct err *err);
void calibration_table_free(struct calibration_table *t); /* NULL is fine */

/* Measured over predicted; NaN: not measured. */
struct calibration_reading {
    double activations, step;
};

/* Learn from one reading. *out is the kind as it stands now, borrowed until the next call; NULL
 * where nothing could be learnt (which is no failure). ERR_TOO_BIG past CALIBRATIONS_MAX. */
int calibration_learn(struct calibration_table *t, const char *key,
                      const struct calibration_reading *reading, int64_t now_ms,
                      const struct calibration **out, struct err *err);

/* A kind as the store kept it. */
int calibration_restore(struct calibration_table *t, const struct calibration *from,
                        struct err *err);

/* Borrowed until the next change; NULL: nothing is known of it. */
const struct calibration *calibration_find(const struct calibration_table *t, const char *key);

/* A copy of all, by key: *out and its texts are yours. */
int calibration_copy(const struct calibration_table *t, struct calibration **out, size_t *count,
                     struct err *err);

#endif
