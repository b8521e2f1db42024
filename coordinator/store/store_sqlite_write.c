/* store_sqlite_write.c - one function per kind of write, each inside the caller's savepoint. */
#include "coordinator/store/store_sqlite.h"

#include "common/core/mem.h"
#include "coordinator/store/store_ledger.h"

#include <stdio.h>
#include <string.h>

/* --- requests --- */

static int purge_requests(struct sqlite_store *s, int64_t now_ms, struct err *err)
{
    sqlite3_stmt *st;

    if (now_ms - s->purged_ms < STORE_PURGE_MS && now_ms >= s->purged_ms)
        return 0;
    if (!(st = sql_start(&s->q, SQL_REQUEST_PURGE, err)))
        return -1;
    sql_bind_i64(&s->q, st, 1, now_ms - s->request_keep_ms);
    if (sql_finish(&s->q, st, err) < 0)
        return -1;
    s->purged_ms = now_ms;
    return 0;
}

/* 1: it was new (or its old answer is forgotten); 0: its answer is there. */
static int put_request(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    sqlite3_stmt *st;

    if (purge_requests(s, op->now_ms, err) < 0 || !(st = sql_start(&s->q, SQL_REQUEST_PUT, err)))
        return -1;
    sql_bind_text(&s->q, st, 1, op->request_id);
    sql_bind_i64(&s->q, st, 2, op->now_ms);
    sql_bind_blob(&s->q, st, 3, op->answer, op->answer_len);
    sql_bind_i64(&s->q, st, 4, op->now_ms - s->request_keep_ms);
    return sql_finish(&s->q, st, err) < 0 ? -1 : sqlite3_changes(s->q.db);
}

/* --- plans --- */

static int supersede_older(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    char reason[128];
    sqlite3_stmt *st = sql_start(&s->q, SQL_DELIVERIES_SUPERSEDE, err);

    if (!st)
        return -1;
    snprintf(reason, sizeof reason, "plan %s took its place", op->plan->plan_id);
    sql_bind_text(&s->q, st, 1, op->plan->job_id);
    sql_bind_text(&s->q, st, 2, reason);
    sql_bind_i64(&s->q, st, 3, op->now_ms);
    if (sql_finish(&s->q, st, err) < 0 || !(st = sql_start(&s->q, SQL_PLAN_SUPERSEDE, err)))
        return -1;
    sql_bind_text(&s->q, st, 1, op->plan->job_id);
    return sql_finish(&s->q, st, err);
}

static int put_plan_row(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    struct plan bare = *op->plan; /* borrows; what is delivered has rows of its own */
    struct plan_summary summary;
    sqlite3_stmt *st;
    int rc = -1;

    bare.assignments = mem_calloc(bare.assignments_count + 1, sizeof *bare.assignments);
    if (!bare.assignments)
        return err_set(err, ERR_NOMEM, "plan %s", bare.plan_id);
    bare.assignments_count = 0;
    for (size_t i = 0; i < op->plan->assignments_count; i++)
        if (!store_is_delivered(&op->plan->assignments[i]))
            bare.assignments[bare.assignments_count++] = op->plan->assignments[i];
    if (store_summary_of(op->plan, &summary, err) < 0) {
        mem_free(bare.assignments);
        return -1;
    }
    if (!(st = sql_start(&s->q, SQL_PLAN_PUT, err)))
        goto out;
    sql_bind_text(&s->q, st, 1, bare.plan_id);
    sql_bind_text(&s->q, st, 2, bare.job_id);
    sql_bind_i64(&s->q, st, 3, bare.state);
    if (sql_bind_record(&s->q, st, 4, &plan_summary_type, &summary, err) < 0 ||
        sql_bind_record(&s->q, st, 5, &plan_type, &bare, err) < 0 ||
        sql_bind_record(&s->q, st, 6, &job_type, op->job, err) < 0) {
        sql_reset(st);
        goto out;
    }
    rc = sql_finish(&s->q, st, err);
out:
    record_clear(&plan_summary_type, &summary);
    mem_free(bare.assignments);
    return rc;
}

static int raise_generation(struct sqlite_store *s, const char *device_id, int64_t generation,
                            struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_DEVICE_GENERATION, err);

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, device_id);
    sql_bind_i64(&s->q, st, 2, generation);
    return sql_finish(&s->q, st, err);
}

static int put_assignment(struct sqlite_store *s, const struct store_op *op,
                          const struct assignment *a, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_DELIVERY_PUT, err);

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->plan->plan_id);
    sql_bind_text(&s->q, st, 2, a->device_id);
    sql_bind_text(&s->q, st, 3, a->device_name);
    sql_bind_text(&s->q, st, 4, op->plan->job_id);
    sql_bind_i64(&s->q, st, 5, a->generation);
    sql_bind_i64(&s->q, st, 6, DELIVERY_STATE_PENDING);
    sql_bind_i64(&s->q, st, 7, op->now_ms);
    if (sql_bind_record(&s->q, st, 8, &assignment_type, a, err) < 0) {
        sql_reset(st);
        return err_prefix(err, "assignment of %s", a->device_id);
    }
    if (sql_finish(&s->q, st, err) < 0)
        return -1;
    return raise_generation(s, a->device_id, a->generation, err);
}

/* Every charge of the job so far into the ledger. */
static int read_charges(struct sqlite_store *s, const char *job_id, struct ledger *l,
                        struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_CHARGES_OF_JOB, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, job_id);
    while ((rc = sql_step(&s->q, st, err)) == 1) {
        double spend[STORE_ORDERS];
        bool has = sqlite3_column_type(st, 3) != SQLITE_NULL;

        if (has && sqlite3_column_bytes(st, 3) != (int)sizeof spend) {
            sql_reset(st);
            return err_set(err, ERR_MALFORMED, "%s: a damaged charge of job %s", s->q.path, job_id);
        }
        if (has)
            memcpy(spend, sqlite3_column_blob(st, 3), sizeof spend);
        if (ledger_add(l, sql_i64(st, 0), sql_i64(st, 1), sql_f64(st, 2), has ? spend : NULL, err) <
            0) {
            sql_reset(st);
            return -1;
        }
    }
    return rc;
}

static int check_charge(struct sqlite_store *s, const struct store_op *op, double *spent,
                        struct err *err)
{
    struct ledger *l = ledger_new(err);
    int rc = -1;

    if (l && read_charges(s, op->plan->job_id, l, err) == 0)
        rc = ledger_charge(l, op->plan->job_id, op->charge, spent, err);
    ledger_free(l);
    return rc;
}

static int put_charge(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err)
{
    const struct store_charge *c = op->charge;
    double spent = 0;
    sqlite3_stmt *st;

    if (check_charge(s, op, &spent, err) < 0 || !(st = sql_start(&s->q, SQL_CHARGE_PUT, err)))
        return -1;
    sql_bind_text(&s->q, st, 1, op->plan->plan_id);
    sql_bind_text(&s->q, st, 2, op->plan->job_id);
    sql_bind_i64(&s->q, st, 3, c->round_first);
    sql_bind_i64(&s->q, st, 4, c->round_last);
    sql_bind_f64(&s->q, st, 5, c->rho);
    sql_bind_f64(&s->q, st, 6, c->sigma);
    sql_bind_f64(&s->q, st, 7, c->epsilon);
    sql_bind_f64(&s->q, st, 8, c->delta);
    sql_bind_f64(&s->q, st, 9, c->target);
    sql_bind_f64(&s->q, st, 10, c->rate);
    sql_bind_blob(&s->q, st, 11, c->spend, sizeof c->spend);
    if (sql_finish(&s->q, st, err) < 0 || !(st = sql_start(&s->q, SQL_SPENT_OF_JOB, err)))
        return -1;
    if (!(r->spent = mem_zalloc(sizeof *r->spent)))
        return err_set(err, ERR_NOMEM, "privacy of %s", op->plan->job_id);
    sql_bind_text(&s->q, st, 1, op->plan->job_id);
    if (sql_step(&s->q, st, err) != 1 || sqlite_spent_row(st, r->spent, err) < 0) {
        sql_reset(st);
        return -1;
    }
    sql_reset(st);
    r->spent->charged_epsilon = spent;
    return 0;
}

static int check_new_plan(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_PLAN_EXISTS, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->plan->plan_id);
    if ((rc = sql_step(&s->q, st, err)) != 1)
        return rc;
    sql_reset(st);
    return err_set(err, ERR_EXISTS, "plan %s is stored already", op->plan->plan_id);
}

static int write_plan(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err)
{
    int rc;

    if (check_new_plan(s, op, err) < 0)
        return -1;
    if (op->request_id) {
        if ((rc = put_request(s, op, err)) < 0)
            return -1;
        if (rc == 0)
            return err_set(err, ERR_EXISTS, "request %s was answered already", op->request_id);
    }
    if (supersede_older(s, op, err) < 0 || put_plan_row(s, op, err) < 0)
        return -1;
    for (size_t i = 0; i < op->plan->assignments_count; i++)
        if (store_is_delivered(&op->plan->assignments[i]) &&
            put_assignment(s, op, &op->plan->assignments[i], err) < 0)
            return -1;
    if (op->charge && put_charge(s, op, r, err) < 0)
        return -1;
    r->plan_state = op->plan->state;
    return text_set(&r->plan_id, op->plan->plan_id, err);
}

static int write_plan_state(struct sqlite_store *s, const struct store_op *op,
                            struct store_result *r, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_PLAN_STATE, err);

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->plan_id);
    sql_bind_i64(&s->q, st, 2, op->plan_state);
    if (sql_finish(&s->q, st, err) < 0)
        return -1;
    if (sqlite3_changes(s->q.db) == 0)
        return err_set(err, ERR_NOT_FOUND, "no plan %s", op->plan_id);
    r->plan_state = op->plan_state;
    if (text_set(&r->plan_id, op->plan_id, err) < 0)
        return -1;
    if (op->plan_state != PLAN_STATE_CANCELLED)
        return 0;
    if (!(st = sql_start(&s->q, SQL_DELIVERIES_CANCEL, err)))
        return -1;
    sql_bind_text(&s->q, st, 1, op->plan_id);
    sql_bind_text(&s->q, st, 2, op->text);
    sql_bind_i64(&s->q, st, 3, op->now_ms);
    return sql_finish(&s->q, st, err);
}

/* --- devices and keys --- */

static int write_device(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_DEVICE_PUT, err);

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->device_id);
    sql_bind_text(&s->q, st, 2, op->public_key);
    sql_bind_i64(&s->q, st, 3, op->now_ms);
    return sql_finish(&s->q, st, err);
}

static int write_profile(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_DEVICE_PROFILE, err);

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->device_id);
    sql_bind_text(&s->q, st, 3, op->digest);
    sql_bind_i64(&s->q, st, 4, op->now_ms);
    if (sql_bind_record(&s->q, st, 2, &profile_type, op->profile, err) < 0) {
        sql_reset(st);
        return -1;
    }
    return sql_finish(&s->q, st, err);
}

/* A statement of one text. */
static int write_text(struct sqlite_store *s, enum sql name, const char *text, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, name, err);

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, text);
    return sql_finish(&s->q, st, err);
}

static int write_key(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_KEY_PUT, err);

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->key->public_key);
    sql_bind_text(&s->q, st, 2, op->key->device_id);
    if (sql_bind_record(&s->q, st, 3, &key_type, op->key, err) < 0) {
        sql_reset(st);
        return -1;
    }
    return sql_finish(&s->q, st, err);
}

/* --- batches --- */

static int write_deliveries(struct sqlite_store *s, const struct store_op *op,
                            struct store_result *r, struct err *err)
{
    for (size_t i = 0; i < op->deliveries_count; i++) {
        const struct delivery *d = &op->deliveries[i];
        sqlite3_stmt *st = sql_start(&s->q, SQL_DELIVERY_UPDATE, err);

        if (!st)
            return -1;
        sql_bind_text(&s->q, st, 1, d->plan_id);
        sql_bind_text(&s->q, st, 2, d->device_id);
        sql_bind_i64(&s->q, st, 3, d->state);
        sql_bind_text(&s->q, st, 4, d->reason);
        sql_bind_i64(&s->q, st, 5, d->exit_code);
        sql_bind_i64(&s->q, st, 6, known_i64(d->updated_ms) ? d->updated_ms : op->now_ms);
        sql_bind_i64(&s->q, st, 7, known_i64(d->attempts) ? d->attempts : 0);
        if (sql_finish(&s->q, st, err) < 0)
            return -1;
        r->added += (size_t)sqlite3_changes(s->q.db);
    }
    return 0;
}

static int write_measurements(struct sqlite_store *s, const struct store_op *op,
                              struct store_result *r, struct err *err)
{
    for (size_t i = 0; i < op->measurements_count; i++) {
        const struct device_measurement *d = &op->measurements[i];
        sqlite3_stmt *st;

        if (record_check(&device_measurement_type, d, err) < 0)
            return err_prefix(err, "measurements[%zu]", i);
        if (!(st = sql_start(&s->q, SQL_MEASUREMENT_PUT, err)))
            return -1;
        sql_bind_text(&s->q, st, 1, d->measurement->plan_id);
        sql_bind_text(&s->q, st, 2, d->device_id);
        sql_bind_i64(&s->q, st, 3, d->measurement->generation);
        sql_bind_i64(&s->q, st, 4, d->measurement->sequence);
        if (sql_bind_record(&s->q, st, 5, &measurement_type, d->measurement, err) < 0) {
            sql_reset(st);
            return -1;
        }
        if (sql_finish(&s->q, st, err) < 0)
            return -1;
        r->added += (size_t)sqlite3_changes(s->q.db);
    }
    return 0;
}

static int write_calibrations(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    for (size_t i = 0; i < op->calibrations_count; i++) {
        const struct calibration *c = &op->calibrations[i];
        sqlite3_stmt *st;

        if (record_check(&calibration_type, c, err) < 0)
            return err_prefix(err, "calibrations[%zu]", i);
        if (!(st = sql_start(&s->q, SQL_CALIBRATION_PUT, err)))
            return -1;
        sql_bind_text(&s->q, st, 1, c->key);
        if (sql_bind_record(&s->q, st, 2, &calibration_type, c, err) < 0) {
            sql_reset(st);
            return -1;
        }
        if (sql_finish(&s->q, st, err) < 0)
            return -1;
    }
    return 0;
}

int sqlite_write(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                 struct err *err)
{
    switch (op->kind) {
    case STORE_PLAN:
        return write_plan(s, op, r, err);
    case STORE_PLAN_STATE:
        return write_plan_state(s, op, r, err);
    case STORE_DEVICE:
        return write_device(s, op, err);
    case STORE_PROFILE:
        return write_profile(s, op, err);
    case STORE_GENERATION:
        return raise_generation(s, op->device_id, op->generation, err);
    case STORE_FORGET:
        if (write_text(s, SQL_KEY_FORGET_DEVICE, op->device_id, err) < 0)
            return -1;
        return write_text(s, SQL_DEVICE_FORGET, op->device_id, err);
    case STORE_KEY:
        return write_key(s, op, err);
    case STORE_KEY_FORGET:
        return write_text(s, SQL_KEY_FORGET, op->public_key, err);
    case STORE_DELIVERIES:
        return write_deliveries(s, op, r, err);
    case STORE_MEASUREMENTS:
        return write_measurements(s, op, r, err);
    case STORE_CALIBRATION:
        return write_calibrations(s, op, err);
    case STORE_REQUEST:
        return put_request(s, op, err) < 0 ? -1 : 0;
    case STORE_REPLY:
        return sqlite_put_reply(s, op, err);
    default:
        return err_set(err, ERR_INTERNAL, "%s is no write", store_kind_name(op->kind));
    }
}
