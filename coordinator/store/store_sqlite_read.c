/* store_sqlite_read.c - one function per kind of read. */
#include "coordinator/store/store_sqlite.h"

#include "common/core/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- rows --- */

int sqlite_delivery_row(sqlite3_stmt *st, struct delivery *out, struct err *err)
{
    out->generation = sql_i64(st, 4);
    out->state = sqlite3_column_int(st, 5);
    out->exit_code = sql_i64(st, 7);
    out->updated_ms = sql_i64(st, 8);
    out->attempts = sql_i64(st, 9);
    if (sql_text(st, 0, &out->plan_id, err) < 0 || sql_text(st, 1, &out->device_id, err) < 0 ||
        sql_text(st, 2, &out->device_name, err) < 0 || sql_text(st, 3, &out->job_id, err) < 0 ||
        sql_text(st, 6, &out->reason, err) < 0)
        return -1;
    return 0;
}

static int count_deliveries(struct sqlite_store *s, struct plan_summary *p, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_COUNTS_OF_PLAN, err);
    int rc;

    if (!st)
        return -1;
    store_summary_count(p, DELIVERY_STATE_UNSET, 0);
    sql_bind_text(&s->q, st, 1, p->plan_id);
    while ((rc = sql_step(&s->q, st, err)) == 1)
        store_summary_count(p, sqlite3_column_int(st, 0), sqlite3_column_int64(st, 1));
    return rc;
}

int sqlite_summary_row(struct sqlite_store *s, sqlite3_stmt *st, struct plan_summary **list,
                       size_t *count, struct err *err)
{
    void *record = NULL;
    struct plan_summary *p;

    if (sql_record(&s->q, st, 0, &plan_summary_type, &record, err) < 0)
        return -1;
    if (!record || !(p = records_add(&plan_summary_type, list, count, err))) {
        plan_summary_free(record);
        return record ? -1 : err_set(err, ERR_MALFORMED, "%s: a plan without summary", s->q.path);
    }
    *p = *(struct plan_summary *)record; /* its texts are p's now */
    mem_free(record);
    p->state = sqlite3_column_int(st, 1);
    return count_deliveries(s, p, err);
}

int sqlite_spent_row(sqlite3_stmt *st, struct store_spent *out, struct err *err)
{
    out->charges = sql_i64(st, 1);
    out->rho = sql_f64(st, 2);
    out->epsilon = sql_f64(st, 3);
    out->delta = sql_f64(st, 4);
    return sql_text(st, 0, &out->job_id, err);
}

/* --- finding a plan --- */

/* Looks with one statement: 1 found (result and *serial set), 0 not, -1 failed or ambiguous. */
static int find_with(struct sqlite_store *s, enum sql name, const char *text,
                     struct store_result *r, int64_t *serial, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, name, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, text);
    if ((rc = sql_step(&s->q, st, err)) != 1)
        return rc;
    r->plan_state = sqlite3_column_int(st, 1);
    *serial = sqlite3_column_int64(st, 2);
    if (sql_text(st, 0, &r->plan_id, err) < 0) {
        sql_reset(st);
        return -1;
    }
    if ((rc = sql_step(&s->q, st, err)) == 1) {
        err_set(err, ERR_INVALID, "plan \"%.60s\" could be %s or %s: give more of it", text,
                r->plan_id, (const char *)sqlite3_column_text(st, 0));
        sql_reset(st);
        return -1;
    }
    return rc < 0 ? -1 : 1;
}

static int find_plan(struct sqlite_store *s, const char *text, struct store_result *r,
                     int64_t *serial, struct err *err)
{
    static const enum sql ways[] = {SQL_FIND_EXACT, SQL_FIND_JOB, SQL_FIND_PREFIX};
    int found = 0;

    for (size_t i = 0; i < 3 && found == 0 && *text; i++)
        found = find_with(s, ways[i], text, r, serial, err);
    if (found == 0)
        err_set(err, ERR_NOT_FOUND, "no plan \"%.80s\"", text);
    return found == 1 ? 0 : -1;
}

/* --- reads --- */

/* One record in column 0 of the plan's row. */
static void *get_record(struct sqlite_store *s, enum sql name, const char *plan_id,
                        const struct record_type *type, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, name, err);
    void *record = NULL;
    int rc;

    if (!st)
        return NULL;
    sql_bind_text(&s->q, st, 1, plan_id);
    rc = sql_step(&s->q, st, err);
    if (rc == 1 && sql_record(&s->q, st, 0, type, &record, err) == 0 && !record)
        err_set(err, ERR_MALFORMED, "%s: plan %s has no %s", s->q.path, plan_id, type->name);
    if (rc == 0)
        err_set(err, ERR_NOT_FOUND, "no plan %s", plan_id);
    sql_reset(st);
    return record;
}

static int get_assignments(struct sqlite_store *s, const struct store_op *op, struct plan *plan,
                           struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_ASSIGNMENTS_GET, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, plan->plan_id);
    sql_bind_text(&s->q, st, 2, op->device_id);
    while ((rc = sql_step(&s->q, st, err)) == 1) {
        void *record = NULL;
        struct assignment *a;

        if (sql_record(&s->q, st, 0, &assignment_type, &record, err) < 0 || !record ||
            !(a = records_add(&assignment_type, &plan->assignments, &plan->assignments_count,
                              err))) {
            assignment_free(record);
            sql_reset(st);
            return -1;
        }
        *a = *(struct assignment *)record;
        mem_free(record);
    }
    return rc;
}

static int get_deliveries(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                          struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_DELIVERIES_GET, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, r->plan_id);
    sql_bind_text(&s->q, st, 2, op->device_id);
    while ((rc = sql_step(&s->q, st, err)) == 1) {
        struct delivery *d = records_add(&delivery_type, &r->deliveries, &r->deliveries_count, err);

        if (!d || sqlite_delivery_row(st, d, err) < 0) {
            sql_reset(st);
            return -1;
        }
    }
    return rc;
}

static int compare_assignments(const void *a, const void *b)
{
    return strcmp(((const struct assignment *)a)->device_id,
                  ((const struct assignment *)b)->device_id);
}

/* The plan's own record holds those that are left out. */
static void keep_only(struct plan *plan, const char *device_id)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->assignments_count; i++) {
        if (strcmp(plan->assignments[i].device_id, device_id) == 0)
            plan->assignments[kept++] = plan->assignments[i];
        else
            record_clear(&assignment_type, &plan->assignments[i]);
    }
    plan->assignments_count = kept;
}

static int read_plan(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                     struct err *err)
{
    if (!(r->plan = get_record(s, SQL_PLAN_GET, r->plan_id, &plan_type, err)))
        return -1;
    r->plan->state = r->plan_state;
    if (op->device_id)
        keep_only(r->plan, op->device_id);
    if (get_assignments(s, op, r->plan, err) < 0)
        return -1;
    if (r->plan->assignments_count > 0)
        qsort(r->plan->assignments, r->plan->assignments_count, sizeof *r->plan->assignments,
              compare_assignments);
    if (op->device_id && r->plan->assignments_count == 0)
        return err_set(err, ERR_NOT_FOUND, "plan %s has no part for %.80s", r->plan_id,
                       op->device_id);
    return get_deliveries(s, op, r, err);
}

/* Newest first in the statement, oldest first in the result. */
static int read_measurements(struct sqlite_store *s, const struct store_op *op,
                             struct store_result *r, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_MEASUREMENTS_GET, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, r->plan_id);
    sql_bind_text(&s->q, st, 2, op->device_id);
    sql_bind_i64(&s->q, st, 3, (int64_t)store_limit(op));
    while ((rc = sql_step(&s->q, st, err)) == 1) {
        struct device_measurement *d =
            records_add(&device_measurement_type, &r->measurements, &r->measurements_count, err);
        void *record = NULL;

        if (!d || sql_text(st, 0, &d->device_id, err) < 0 ||
            sql_record(&s->q, st, 1, &measurement_type, &record, err) < 0) {
            sql_reset(st);
            return -1;
        }
        d->measurement = record;
    }
    for (size_t i = 0, j = r->measurements_count; i + 1 < j; i++) {
        struct device_measurement swap = r->measurements[i];

        r->measurements[i] = r->measurements[--j];
        r->measurements[j] = swap;
    }
    return rc;
}

static int list_plans(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err)
{
    struct store_result found = {0};
    int64_t before = INT64_MAX;
    size_t limit = store_limit(op);
    sqlite3_stmt *st;
    int rc;

    rc = op->plan_id ? find_plan(s, op->plan_id, &found, &before, err) : 0;
    mem_free(found.plan_id);
    if (rc < 0 || !(st = sql_start(&s->q, SQL_SUMMARIES_BEFORE, err)))
        return -1;
    sql_bind_i64(&s->q, st, 1, before);
    sql_bind_i64(&s->q, st, 2, (int64_t)limit + 1); /* one more tells whether there is more */
    while ((rc = sql_step(&s->q, st, err)) == 1) {
        r->more = r->plans_count == limit;
        if (!r->more && sqlite_summary_row(s, st, &r->plans, &r->plans_count, err) == 0)
            continue;
        sql_reset(st);
        return r->more ? 0 : -1;
    }
    return rc;
}

static int find_request(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                        struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_REQUEST_GET, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->request_id);
    sql_bind_i64(&s->q, st, 2, op->now_ms - s->request_keep_ms);
    if ((rc = sql_step(&s->q, st, err)) != 1)
        return rc;
    r->answer_len = (size_t)sqlite3_column_bytes(st, 0);
    r->answer = mem_dup(sqlite3_column_blob(st, 0), r->answer_len);
    sql_reset(st);
    return r->answer ? 0 : err_set(err, ERR_NOMEM, "answer of %zu bytes", r->answer_len);
}

int sqlite_read(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                struct err *err)
{
    int64_t serial;

    if (op->kind == STORE_LIST_PLANS)
        return list_plans(s, op, r, err);
    if (op->kind == STORE_FIND_REQUEST)
        return find_request(s, op, r, err);
    if (op->kind == STORE_FIND_REPLY)
        return sqlite_find_reply(s, op, r, err);
    if (find_plan(s, op->plan_id, r, &serial, err) < 0)
        return -1;
    switch (op->kind) {
    case STORE_GET_PLAN:
        return read_plan(s, op, r, err);
    case STORE_GET_JOB:
        return (r->job = get_record(s, SQL_JOB_GET, r->plan_id, &job_type, err)) ? 0 : -1;
    case STORE_GET_DELIVERIES:
        return get_deliveries(s, op, r, err);
    case STORE_GET_MEASUREMENTS:
        return read_measurements(s, op, r, err);
    default:
        return err_set(err, ERR_INTERNAL, "%s is no read", store_kind_name(op->kind));
    }
}
