/* store_schema.c - the steps of the schema, and taking them. */
#include "coordinator/store/store_schema.h"

#include "common/core/err.h"
#include "coordinator/store/store_sql.h"

#include <stdio.h>

/* Blobs are protobuf of the record named beside them; columns are what is searched, or changes by
 * itself. Times are wall clock milliseconds. States are numbers of enum plan_state and enum
 * delivery_state. */
static const char step_1[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE devices (device_id TEXT PRIMARY KEY, public_key TEXT,"
    " profile BLOB," /* Profile */
    " digest TEXT, profile_ms INTEGER, generation INTEGER NOT NULL DEFAULT 0,"
    " first_seen_ms INTEGER, last_seen_ms INTEGER);"

    "CREATE TABLE keys (public_key TEXT PRIMARY KEY, device_id TEXT,"
    " record BLOB NOT NULL);" /* Key */
    "CREATE INDEX keys_of_device ON keys (device_id);"

    "CREATE TABLE plans (serial INTEGER PRIMARY KEY AUTOINCREMENT, plan_id TEXT NOT NULL UNIQUE,"
    " job_id TEXT NOT NULL, state INTEGER NOT NULL,"
    " summary BLOB NOT NULL," /* PlanSummary, without counts */
    " plan BLOB NOT NULL,"    /* Plan, without its assignments */
    " job BLOB NOT NULL);"    /* Job */
    "CREATE INDEX plans_of_job ON plans (job_id, serial);"
    "CREATE INDEX plans_by_state ON plans (state);"

    "CREATE TABLE deliveries (plan_id TEXT NOT NULL REFERENCES plans (plan_id),"
    " device_id TEXT NOT NULL, device_name TEXT, job_id TEXT NOT NULL, generation INTEGER NOT NULL,"
    " state INTEGER NOT NULL, reason TEXT, exit_code INTEGER, created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " assignment BLOB NOT NULL," /* Assignment */
    " PRIMARY KEY (plan_id, device_id));"
    "CREATE INDEX deliveries_of_plan ON deliveries (plan_id, state);"
    "CREATE INDEX deliveries_of_device ON deliveries (device_id, job_id, generation);"
    "CREATE INDEX deliveries_by_state ON deliveries (state, updated_ms);"

    "CREATE TABLE measurements (device_id TEXT NOT NULL, plan_id TEXT NOT NULL,"
    " generation INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " record BLOB NOT NULL," /* Measurement */
    " PRIMARY KEY (plan_id, device_id, generation, sequence));"
    "CREATE INDEX measurements_of_plan ON measurements (plan_id);"

    "CREATE TABLE requests (request_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, answer BLOB NOT"
    " NULL);"
    "CREATE INDEX requests_by_age ON requests (at_ms);"

    "CREATE TABLE charges (plan_id TEXT PRIMARY KEY REFERENCES plans (plan_id), job_id TEXT NOT"
    " NULL,"
    " round_first INTEGER NOT NULL, round_last INTEGER NOT NULL, rho REAL NOT NULL, sigma REAL"
    " NOT NULL,"
    " epsilon REAL NOT NULL, delta REAL NOT NULL);"
    "CREATE INDEX charges_of_job ON charges (job_id);";

/* What models said: the reply is a line of JSON, the digest is of the question. */
static const char step_2[] =
    "CREATE TABLE replies (digest TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " reply BLOB NOT NULL);"
    "CREATE INDEX replies_by_age ON replies (at_ms, digest, bytes);";

/* Vectors of the privacy ledger: doubles as this machine writes them. */
static const char step_3[] = "ALTER TABLE charges ADD COLUMN target REAL;"
                             "ALTER TABLE charges ADD COLUMN rate REAL;"
                             "ALTER TABLE charges ADD COLUMN spend BLOB;";
/* What measurements taught of the planner's model, one row per kind of run. */
static const char step_4[] = "CREATE TABLE calibration (key TEXT PRIMARY KEY,"
                             " record BLOB NOT NULL) WITHOUT ROWID;"; /* Calibration */

const char *const store_schema_steps[] = {step_1, step_2, step_3, step_4};
const size_t store_schema_count = sizeof store_schema_steps / sizeof *store_schema_steps;

static int read_version(struct sql_db *q, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(q->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW) {
        *out = sqlite3_column_int64(st, 0);
        rc = 0;
    } else {
        sql_fail(q, "read the schema's version", err);
    }
    sqlite3_finalize(st);
    return rc;
}

int store_schema_migrate(struct sql_db *q, const char *const *steps, size_t count, struct err *err)
{
    char set_version[64];
    int64_t version;

    if (read_version(q, &version, err) < 0)
        return -1;
    if (version < 0 || (uint64_t)version > count)
        return err_set(err, ERR_VERSION,
                       "%s: schema version %lld, wanted at most %zu: it is of a newer coordinator",
                       q->path, (long long)version, count);
    for (size_t i = (size_t)version; i < count; i++) {
        snprintf(set_version, sizeof set_version, "PRAGMA user_version = %zu", i + 1);
        if (sql_run(q, "BEGIN IMMEDIATE", err) < 0)
            return -1;
        if (sql_run(q, steps[i], err) < 0 || sql_run(q, set_version, err) < 0 ||
            sql_run(q, "COMMIT", err) < 0) {
            sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
            return err_prefix(err, "schema step %zu", i + 1);
        }
    }
    return 0;
}
