/* calibration.c - two bounded means per kind of run. */
#include "coordinator/fleet/calibration.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct calibration_table {
    struct map *by_key; /* key -> struct calibration */
};

struct calibration_table *calibration_table_new(struct err *err)
{
    struct calibration_table *t = mem_zalloc(sizeof *t);

    if (!t || !(t->by_key = map_new(CALIBRATIONS_MAX))) {
        mem_free(t);
        err_set(err, ERR_NOMEM, "calibration");
        return NULL;
    }
    return t;
}

static void free_kind(void *kind)
{
    calibration_free(kind);
}

void calibration_table_free(struct calibration_table *t)
{
    if (!t)
        return;
    map_free(t->by_key, free_kind);
    mem_free(t);
}

/* The kind, made where it is new. NULL: no room, or no memory. */
static struct calibration *kind_of(struct calibration_table *t, const char *key, struct err *err)
{
    struct calibration *c = map_get(t->by_key, key);

    if (c)
        return c;
    if (!(c = calibration_new(err)))
        return NULL;
    c->activation_factor = c->step_factor = 1;
    c->memory_samples = c->step_samples = c->outliers = 0;
    if (text_set(&c->key, key, err) < 0 || map_put(t->by_key, key, c, NULL) < 0) {
        err_set(err, map_is_full(t->by_key) ? ERR_TOO_BIG : ERR_NOMEM,
                "calibration of one kind of run more than %zu", map_count(t->by_key));
        calibration_free(c);
        return NULL;
    }
    return c;
}

/* Can it be a reading at all? */
static bool usable(double ratio)
{
    return isfinite(ratio) && ratio > 1.0 / CALIBRATION_REFUSED && ratio < CALIBRATION_REFUSED;
}

static void move(double *factor, int64_t *samples, int64_t *outliers, double ratio, double low,
                 double high)
{
    double bounded = fmin(fmax(ratio, *factor / CALIBRATION_STEP), *factor * CALIBRATION_STEP);
    double weight = *samples > 0 ? CALIBRATION_WEIGHT : 1;

    *outliers += bounded != ratio;
    *factor = fmin(fmax(*factor + weight * (bounded - *factor), low), high);
    ++*samples;
}

int calibration_learn(struct calibration_table *t, const char *key,
                      const struct calibration_reading *r, int64_t now_ms,
                      const struct calibration **out, struct err *err)
{
    bool memory = known_f64(r->activations), step = known_f64(r->step);
    struct calibration *c;

    *out = NULL;
    if (!memory && !step)
        return 0;
    /* what is no reading is counted where its kind is known, and makes no new one */
    if ((!memory || !usable(r->activations)) && (!step || !usable(r->step))) {
        if ((c = map_get(t->by_key, key)))
            c->outliers++;
        return 0;
    }
    if (!(c = kind_of(t, key, err)))
        return -1;
    if (memory && usable(r->activations))
        move(&c->activation_factor, &c->memory_samples, &c->outliers, r->activations,
             CALIBRATION_ACTIVATION_MIN, CALIBRATION_ACTIVATION_MAX);
    else
        c->outliers += memory;
    if (step && usable(r->step))
        move(&c->step_factor, &c->step_samples, &c->outliers, r->step, CALIBRATION_TIME_MIN,
             CALIBRATION_TIME_MAX);
    else
        c->outliers += step;
    c->updated_ms = now_ms;
    *out = c;
    return 0;
}

int calibration_restore(struct calibration_table *t, const struct calibration *from,
                        struct err *err)
{
    struct calibration *c = kind_of(t, from->key, err);

    if (!c)
        return -1;
    c->activation_factor =
        fmin(fmax(from->activation_factor, CALIBRATION_ACTIVATION_MIN), CALIBRATION_ACTIVATION_MAX);
    c->step_factor = fmin(fmax(from->step_factor, CALIBRATION_TIME_MIN), CALIBRATION_TIME_MAX);
    c->memory_samples = known_i64(from->memory_samples) ? from->memory_samples : 0;
    c->step_samples = known_i64(from->step_samples) ? from->step_samples : 0;
    c->outliers = known_i64(from->outliers) ? from->outliers : 0;
    c->updated_ms = from->updated_ms;
    return 0;
}

const struct calibration *calibration_find(const struct calibration_table *t, const char *key)
{
    return map_get(t->by_key, key);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct calibration *)a)->key, ((const struct calibration *)b)->key);
}

static int copy_one(struct calibration *to, const struct calibration *from, struct err *err)
{
    *to = *from;
    to->key = NULL;
    return text_set(&to->key, from->key, err);
}

int calibration_copy(const struct calibration_table *t, struct calibration **out, size_t *count,
                     struct err *err)
{
    size_t n = map_count(t->by_key), made = 0, cursor = 0;
    struct calibration *all = n > 0 ? mem_calloc(n, sizeof *all) : NULL;
    const struct map_entry *e;

    if (n > 0 && !all)
        return err_set(err, ERR_NOMEM, "%zu calibrations", n);
    while (all && (e = map_next(t->by_key, &cursor))) {
        if (copy_one(&all[made], e->value, err) < 0) {
            while (made > 0)
                record_clear(&calibration_type, &all[--made]);
            mem_free(all);
            return -1;
        }
        made++;
    }
    if (made > 1)
        qsort(all, made, sizeof *all, compare);
    *out = all;
    *count = made;
    return 0;
}
