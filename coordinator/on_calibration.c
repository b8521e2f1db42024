/* on_calibration.c - what measurements teach: from agents and from runs imported by a person.
 *
 * The planner (coordinator/planner/learned.h) says what a reading is measured over predicted of;
 * the fleet keeps the bounded mean per kind of run; the store keeps it over a restart. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/agent_message.h"
#include "common/model/plan.h"
#include "common/model/tool_message.h"
#include "coordinator/delivery/delivery.h"
#include "coordinator/fleet/calibration.h"
#include "coordinator/fleet/fleet.h"
#include "coordinator/planner/chip_rates.h"
#include "coordinator/planner/learned.h"
#include "coordinator/store/store.h"

#include <stdio.h>
#include <string.h>

int restore_calibrations(struct coordinator *c, struct store_contents *s, struct err *err)
{
    for (size_t i = 0; i < s->calibrations_count; i++)
        if (fleet_restore_calibration(c->fleet, &s->calibrations[i], err) < 0)
            return -1;
    return 0;
}

/* A copy of the kind at the end of the operation's batch. */
static int add_to_op(struct store_op *op, const struct calibration *from, struct err *err)
{
    struct calibration *to =
        records_add(&calibration_type, &op->calibrations, &op->calibrations_count, err);
    char *key = NULL;

    if (!to || text_set(&key, from->key, err) < 0)
        return -1;
    *to = *from;
    to->key = key;
    return 0;
}

/* ---- from agents ---- */

struct lesson {
    char key[LEARNED_KEY_MAX];
    struct calibration_reading reading;
};

static struct calibration_reading reading_of(const struct measurement *m,
                                             const struct prediction *p)
{
    struct calibration_reading r = {UNKNOWN_F64, UNKNOWN_F64};

    if (known_i64(m->peak_bytes) && known_i64(p->fixed_bytes) && known_i64(p->activation_bytes))
        r.activations = learned_activation_ratio((double)m->peak_bytes, (double)p->fixed_bytes,
                                                 (double)p->activation_bytes);
    if (known_f64(m->step_seconds) && known_f64(p->micro_seconds) && p->micro_seconds > 0)
        r.step = m->step_seconds / p->micro_seconds;
    return r;
}

struct lesson *lesson_of(const struct delivery_item *item, const struct measurement *m)
{
    const struct prediction *p = delivery_prediction(item);
    struct lesson *lesson;

    /* a validation pass holds less and does less than a step */
    if (!p || !p->calibration_key || (m->event && strcmp(m->event, "val") == 0) ||
        !(lesson = mem_zalloc(sizeof *lesson)))
        return NULL;
    snprintf(lesson->key, sizeof lesson->key, "%s", p->calibration_key);
    lesson->reading = reading_of(m, p);
    return lesson;
}

void learn(struct coordinator *c, const char *device_id, const struct lesson *lesson)
{
    const struct calibration *now = NULL;
    struct store_op *op;
    struct err err = {0};

    if (fleet_learn(c->fleet, lesson->key, &lesson->reading, c->wall_ms, &now, &err) < 0) {
        log_warn(device_id, "nothing is learnt of %s: %s", lesson->key, err.text);
        return;
    }
    if (!now)
        return;
    log_debug(device_id, "%s: activations x %.3f, steps x %.3f", now->key, now->activation_factor,
              now->step_factor);
    op = store_op_new(STORE_CALIBRATION, 0, c->wall_ms, &err);
    if (op && add_to_op(op, now, &err) == 0)
        submit_write(c, &op);
    else
        log_err(device_id, "what was learnt of %s is not stored: %s", now->key, err.text);
    store_op_free(op);
}

/* ---- for tools ---- */

static void answer_calibration(struct coordinator *c, struct pending *p,
                               struct calibration_reply *reply)
{
    struct response response;

    record_init(&response_type, &response);
    response.code = RESPONSE_CODE_OK;
    response.calibration = reply;
    answer(c, p, &response);
}

void show_calibration(struct coordinator *c, struct pending *p)
{
    struct err err = {0};
    struct calibration_reply *reply = calibration_reply_new(&err);

    if (!reply || calibration_copy(fleet_learnt(c->fleet), &reply->calibrations,
                                   &reply->calibrations_count, &err) < 0) {
        calibration_reply_free(reply);
        answer_error(c, p, &err, NULL);
        return;
    }
    answer_calibration(c, p, reply);
}

/* One run. 1: it taught something, *out is its kind; 0: nothing; -1: no run can be like this. */
static int import_run(struct coordinator *c, const struct measured_run *run,
                      const struct chip_table *chips, const struct calibration **out,
                      struct err *err)
{
    struct calibration_reading reading;
    char key[LEARNED_KEY_MAX];

    if (learned_from_run(run, chips, key, &reading.activations, &reading.step, err) < 0 ||
        fleet_learn(c->fleet, key, &reading, c->wall_ms, out, err) < 0)
        return -1;
    return *out != NULL;
}

/* Every run is looked at before any teaches anything: an import is taken whole or not at all. */
static int check_runs(const struct calibration_import_request *asked,
                      const struct chip_table *chips, struct err *err)
{
    char key[LEARNED_KEY_MAX];
    double activations, step;

    for (size_t i = 0; i < asked->runs_count; i++)
        if (learned_from_run(&asked->runs[i], chips, key, &activations, &step, err) < 0)
            return err_prefix(err, "calibration_import.runs[%zu]", i);
    return 0;
}

/* The kinds that a run changed, each once, as they stand at the end. */
static int note_changed(struct calibration_reply *reply, const struct calibration *now,
                        struct err *err)
{
    struct calibration *to = NULL;
    char *key = NULL;

    for (size_t i = 0; i < reply->calibrations_count && !to; i++)
        if (strcmp(reply->calibrations[i].key, now->key) == 0)
            to = &reply->calibrations[i];
    if (!to)
        to = records_add(&calibration_type, &reply->calibrations, &reply->calibrations_count, err);
    if (!to || text_set(&key, now->key, err) < 0)
        return -1;
    mem_free(to->key);
    *to = *now;
    to->key = key;
    return 0;
}

static int import_runs(struct coordinator *c, const struct calibration_import_request *asked,
                       struct calibration_reply *reply, struct err *err)
{
    struct chip_table *chips = chip_table_new(err);
    int rc = chips ? check_runs(asked, chips, err) : -1;

    reply->learnt = reply->skipped = 0;
    for (size_t i = 0; rc == 0 && i < asked->runs_count; i++) {
        const struct calibration *now = NULL;
        int taught = import_run(c, &asked->runs[i], chips, &now, err);

        if (taught < 0 || (taught && note_changed(reply, now, err) < 0))
            rc = -1;
        reply->learnt += taught == 1;
        reply->skipped += taught == 0;
    }
    chip_table_free(chips);
    return rc;
}

void import_calibration(struct coordinator *c, struct pending *p)
{
    struct err err = {0};
    struct store_op *op = store_op_new(STORE_CALIBRATION, 0, c->wall_ms, &err);
    struct calibration_reply *reply = op ? calibration_reply_new(&err) : NULL;

    if (!reply || import_runs(c, p->request->calibration_import, reply, &err) < 0)
        goto fail;
    for (size_t i = 0; i < reply->calibrations_count; i++)
        if (add_to_op(op, &reply->calibrations[i], &err) < 0)
            goto fail;
    log_info(p->tool.user_id, "%lld measured runs imported, %lld without a reading",
             (long long)reply->learnt, (long long)reply->skipped);
    p->kind = PENDING_IMPORT;
    if (!(p->response = response_new(&err)))
        goto fail;
    p->response->calibration = reply;
    reply = NULL;
    if (submit(c, &op, p, &err) == 0)
        return;
fail:
    store_op_free(op);
    calibration_reply_free(reply);
    answer_error(c, p, &err, err.code == ERR_INVALID ? "calibration_import.runs" : NULL);
}

void calibration_stored(struct coordinator *c, struct pending *p, struct store_result *r)
{
    struct calibration_reply *reply = p->response->calibration;

    if (r->err.code != ERR_NONE) {
        answer_error(c, p, &r->err, NULL);
        return;
    }
    p->response->calibration = NULL;
    response_free(p->response);
    p->response = NULL;
    answer_calibration(c, p, reply);
}
