/* store_sql.h - SQLite, one statement at a time.
 *
 * Statements are prepared once and named by enum sql. Binding never fails on the spot: the first
 * failure is kept and reported by sql_step, so callers bind all and check once. Unknown values are
 * NULL in the database. */
#ifndef COORDINATOR_STORE_STORE_SQL_H
#define COORDINATOR_STORE_STORE_SQL_H

#include "common/model/record.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT,
    SQL_RELEASE,
    SQL_ROLLBACK_TO,
    SQL_META_GET,
    SQL_META_PUT,
    SQL_PLAN_EXISTS,
    SQL_PLAN_PUT,
    SQL_PLAN_SUPERSEDE,
    SQL_DELIVERIES_SUPERSEDE,
    SQL_PLAN_STATE,
    SQL_DELIVERIES_CANCEL,
    SQL_DELIVERY_PUT,
    SQL_DELIVERY_UPDATE,
    SQL_DEVICE_PUT,
    SQL_DEVICE_PROFILE,
    SQL_DEVICE_GENERATION,
    SQL_DEVICE_FORGET,
    SQL_KEY_PUT,
    SQL_KEY_FORGET,
    SQL_KEY_FORGET_DEVICE,
    SQL_MEASUREMENT_PUT,
    SQL_CHARGE_PUT,
    SQL_CHARGES_OF_JOB,
    SQL_SPENT_OF_JOB,
    SQL_REQUEST_PUT,
    SQL_REQUEST_GET,
    SQL_REQUEST_PURGE,
    SQL_CALIBRATION_PUT,
    SQL_REPLY_PUT,
    SQL_REPLY_GET,
    SQL_REPLY_PURGE,
    SQL_REPLY_TRIM,
    SQL_FIND_EXACT,
    SQL_FIND_JOB,
    SQL_FIND_PREFIX,
    SQL_PLAN_GET,
    SQL_JOB_GET,
    SQL_ASSIGNMENTS_GET,
    SQL_DELIVERIES_GET,
    SQL_MEASUREMENTS_GET,
    SQL_SUMMARIES_BEFORE,
    SQL_COUNTS_OF_PLAN,
    SQL_LOAD_DEVICES,
    SQL_LOAD_CALIBRATION,
    SQL_LOAD_KEYS,
    SQL_LOAD_SUMMARIES,
    SQL_LOAD_DELIVERIES,
    SQL_LOAD_SPENT,
    SQL_COUNT
};

struct sql_db {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *statements[SQL_COUNT];
    int bind_failed; /* first failing result of a bind; SQLITE_OK: none */
};

void sql_close(struct sql_db *q);

/* The reason SQLite gives, as an err: "PATH: what: disk is full". Always -1. */
int sql_fail(struct sql_db *q, const char *what, struct err *err);

/* A script of statements that return nothing. */
int sql_run(struct sql_db *q, const char *text, struct err *err);

/* The statement, ready for binding from 1; NULL on failure. */
sqlite3_stmt *sql_start(struct sql_db *q, enum sql name, struct err *err);
void sql_bind_text(struct sql_db *q, sqlite3_stmt *st, int at,
                   const char *text); /* borrowed until reset */
void sql_bind_i64(struct sql_db *q, sqlite3_stmt *st, int at, int64_t value);
void sql_bind_f64(struct sql_db *q, sqlite3_stmt *st, int at, double value);
void sql_bind_blob(struct sql_db *q, sqlite3_stmt *st, int at, const void *p, size_t len);
/* A record as protobuf, checked; NULL record: NULL. -1: it does not encode. */
int sql_bind_record(struct sql_db *q, sqlite3_stmt *st, int at, const struct record_type *type,
                    const void *record, struct err *err);

/* 1: a row; 0: the end; -1 failed. The statement is reset after the last two. */
int sql_step(struct sql_db *q, sqlite3_stmt *st, struct err *err);
/* For a statement without rows: to its end. */
int sql_finish(struct sql_db *q, sqlite3_stmt *st, struct err *err);
/* Start, no values, to the end. */
int sql_do(struct sql_db *q, enum sql name, struct err *err);
void sql_reset(sqlite3_stmt *st); /* after reading fewer rows than there are */

/* Columns, from 0. */
int64_t sql_i64(sqlite3_stmt *st, int at); /* UNKNOWN_I64 for NULL */
double sql_f64(sqlite3_stmt *st, int at);
int sql_text(sqlite3_stmt *st, int at, char **field, struct err *err); /* as text_set */
/* NULL for NULL. What does not decode is refused: the database is damaged. */
int sql_record(struct sql_db *q, sqlite3_stmt *st, int at, const struct record_type *type,
               void **out, struct err *err);

#endif
