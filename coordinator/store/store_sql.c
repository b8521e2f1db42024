/* store_sql.c - the texts of all statements, and the few calls of SQLite around them. */
#include "coordinator/store/store_sql.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/wire/wire.h"

#include <string.h>

/* Numbers in the texts are of enum plan_state (2 active, 3 superseded, 4 cancelled) and enum
 * delivery_state (below 6: not final; 9 superseded, 10 cancelled); tests/unit/coordinator/store
 * holds them together. */
#define DELIVERY_COLUMNS                                                                \
    "d.plan_id, d.device_id, d.device_name, d.job_id, d.generation, d.state, d.reason," \
    " d.exit_code, d.updated_ms, d.attempts"

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN", /* reads go on where nothing can be written */
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT operation",
    [SQL_RELEASE] = "RELEASE operation",
    [SQL_ROLLBACK_TO] = "ROLLBACK TO operation",
    [SQL_META_GET] = "SELECT value FROM meta WHERE name = ?1",
    [SQL_META_PUT] = "INSERT INTO meta (name, value) VALUES (?1, ?2)",

    [SQL_PLAN_EXISTS] = "SELECT 1 FROM plans WHERE plan_id = ?1",
    [SQL_PLAN_PUT] = "INSERT INTO plans (plan_id, job_id, state, summary, plan, job)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_PLAN_SUPERSEDE] = "UPDATE plans SET state = 3 WHERE job_id = ?1 AND state = 2",
    [SQL_DELIVERIES_SUPERSEDE] =
        "UPDATE deliveries SET state = 9, reason = ?2, updated_ms = ?3 WHERE state < 6 AND"
        " plan_id IN"
        " (SELECT plan_id FROM plans WHERE job_id = ?1 AND state = 2)",
    [SQL_PLAN_STATE] = "UPDATE plans SET state = ?2 WHERE plan_id = ?1",
    [SQL_DELIVERIES_CANCEL] =
        "UPDATE deliveries SET state = 10, reason = ?2, updated_ms = ?3 WHERE plan_id = ?1 AND"
        " state < 6",
    [SQL_DELIVERY_PUT] =
        "INSERT INTO deliveries (plan_id, device_id, device_name, job_id, generation, state,"
        " created_ms,"
        " updated_ms, attempts, assignment) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 0, ?8)",
    [SQL_DELIVERY_UPDATE] =
        "UPDATE deliveries SET state = ?3, reason = ?4, exit_code = ?5, updated_ms = ?6, attempts"
        " = ?7"
        " WHERE plan_id = ?1 AND device_id = ?2",

    [SQL_DEVICE_PUT] = "INSERT INTO devices (device_id, public_key, first_seen_ms, last_seen_ms)"
                       " VALUES (?1, ?2, ?3, ?3) ON CONFLICT (device_id) DO UPDATE SET"
                       " public_key = coalesce(excluded.public_key, public_key),"
                       " first_seen_ms = coalesce(first_seen_ms, excluded.first_seen_ms),"
                       " last_seen_ms = excluded.last_seen_ms",
    [SQL_DEVICE_PROFILE] =
        "INSERT INTO devices (device_id, profile, digest, profile_ms, first_seen_ms, last_seen_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?4, ?4) ON CONFLICT (device_id) DO UPDATE SET"
        " profile = excluded.profile, digest = excluded.digest, profile_ms = excluded.profile_ms,"
        " first_seen_ms = coalesce(first_seen_ms, excluded.first_seen_ms),"
        " last_seen_ms = excluded.last_seen_ms",
    [SQL_DEVICE_GENERATION] =
        "INSERT INTO devices (device_id, generation) VALUES (?1, ?2) ON CONFLICT (device_id) DO"
        " UPDATE SET"
        " generation = max(generation, excluded.generation)",
    [SQL_DEVICE_FORGET] = "DELETE FROM devices WHERE device_id = ?1",
    [SQL_KEY_PUT] = "INSERT INTO keys (public_key, device_id, record) VALUES (?1, ?2, ?3)"
                    " ON CONFLICT (public_key) DO UPDATE SET device_id = excluded.device_id,"
                    " record = excluded.record",
    [SQL_KEY_FORGET] = "DELETE FROM keys WHERE public_key = ?1",
    [SQL_KEY_FORGET_DEVICE] = "DELETE FROM keys WHERE device_id = ?1",
    [SQL_MEASUREMENT_PUT] =
        "INSERT OR IGNORE INTO measurements (plan_id, device_id, generation, sequence, record)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_CHARGE_PUT] =
        "INSERT INTO charges (plan_id, job_id, round_first, round_last, rho, sigma, epsilon, delta,"
        " target, rate, spend) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [SQL_CHARGES_OF_JOB] =
        "SELECT round_first, round_last, rho, spend FROM charges WHERE job_id = ?1",
    [SQL_SPENT_OF_JOB] = "SELECT job_id, count(*), sum(rho), sum(epsilon), sum(delta) FROM charges"
                         " WHERE job_id = ?1 GROUP BY job_id",
    [SQL_REQUEST_PUT] =
        "INSERT INTO requests (request_id, at_ms, answer) VALUES (?1, ?2, ?3) ON CONFLICT"
        " (request_id)"
        " DO UPDATE SET at_ms = excluded.at_ms, answer = excluded.answer WHERE at_ms <= ?4",
    [SQL_REQUEST_GET] = "SELECT answer FROM requests WHERE request_id = ?1 AND at_ms > ?2",
    [SQL_REQUEST_PURGE] = "DELETE FROM requests WHERE at_ms <= ?1",
    [SQL_CALIBRATION_PUT] = "INSERT OR REPLACE INTO calibration (key, record) VALUES (?1, ?2)",
    [SQL_REPLY_PUT] = "INSERT INTO replies (digest, at_ms, bytes, reply) VALUES (?1, ?2, ?3, ?4)"
                      " ON CONFLICT (digest) DO UPDATE SET at_ms = excluded.at_ms,"
                      " bytes = excluded.bytes, reply = excluded.reply",
    [SQL_REPLY_GET] = "SELECT reply FROM replies WHERE digest = ?1 AND at_ms > ?2",
    [SQL_REPLY_PURGE] = "DELETE FROM replies WHERE at_ms <= ?1",
    /* all but the newest that fit both limits; the index holds what is looked at */
    [SQL_REPLY_TRIM] =
        "DELETE FROM replies WHERE digest IN (SELECT digest FROM (SELECT digest,"
        " row_number() OVER newest AS number, sum(bytes) OVER newest AS total FROM replies"
        " WINDOW newest AS (ORDER BY at_ms DESC, digest ROWS UNBOUNDED PRECEDING))"
        " WHERE number > ?1 OR total > ?2)",

    [SQL_FIND_EXACT] = "SELECT plan_id, state, serial FROM plans WHERE plan_id = ?1",
    [SQL_FIND_JOB] = "SELECT plan_id, state, serial FROM plans WHERE job_id = ?1"
                     " ORDER BY serial DESC LIMIT 1",
    [SQL_FIND_PREFIX] = "SELECT plan_id, state, serial FROM plans WHERE plan_id >= ?1"
                        " AND plan_id < ?1 || char(1114111) ORDER BY plan_id LIMIT 2",
    [SQL_PLAN_GET] = "SELECT plan FROM plans WHERE plan_id = ?1",
    [SQL_JOB_GET] = "SELECT job FROM plans WHERE plan_id = ?1",
    [SQL_ASSIGNMENTS_GET] = "SELECT assignment FROM deliveries WHERE plan_id = ?1"
                            " AND (?2 IS NULL OR device_id = ?2) ORDER BY device_id",
    [SQL_DELIVERIES_GET] = "SELECT " DELIVERY_COLUMNS " FROM deliveries d WHERE d.plan_id = ?1"
                           " AND (?2 IS NULL OR d.device_id = ?2) ORDER BY d.device_id",
    [SQL_MEASUREMENTS_GET] = "SELECT device_id, record FROM measurements WHERE plan_id = ?1"
                             " AND (?2 IS NULL OR device_id = ?2) ORDER BY rowid DESC LIMIT ?3",
    [SQL_SUMMARIES_BEFORE] = "SELECT summary, state, plan_id FROM plans WHERE serial < ?1"
                             " ORDER BY serial DESC LIMIT ?2",
    [SQL_COUNTS_OF_PLAN] =
        "SELECT state, count(*) FROM deliveries WHERE plan_id = ?1 GROUP BY state",

    [SQL_LOAD_DEVICES] = "SELECT device_id, public_key, profile, digest, generation, first_seen_ms,"
                         " last_seen_ms, profile_ms FROM devices ORDER BY device_id",
    [SQL_LOAD_CALIBRATION] = "SELECT record FROM calibration ORDER BY key",
    [SQL_LOAD_KEYS] = "SELECT record FROM keys ORDER BY public_key",
    [SQL_LOAD_SUMMARIES] = "SELECT summary, state, plan_id FROM plans WHERE state = 2 OR"
                           " serial > (SELECT coalesce(max(serial), 0) FROM plans) - ?1"
                           " ORDER BY serial DESC",
    /* Of a cancelled or superseded delivery the agent must hear, unless it has something newer of
       the job. */
    [SQL_LOAD_DELIVERIES] =
        "SELECT " DELIVERY_COLUMNS ", d.created_ms, CASE WHEN d.state < 6 THEN d.assignment END"
        " FROM plans p JOIN deliveries d ON d.plan_id = p.plan_id WHERE p.state = 2 OR p.plan_id IN"
        " (SELECT c.plan_id FROM deliveries c WHERE c.state IN (9, 10) AND c.attempts > 0"
        "  AND c.updated_ms > (SELECT coalesce(max(updated_ms), 0) FROM deliveries) - ?1"
        "  AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.device_id = c.device_id"
        "  AND n.job_id = c.job_id AND n.generation > c.generation))"
        " ORDER BY p.serial, d.device_id",
    [SQL_LOAD_SPENT] = "SELECT job_id, count(*), sum(rho), sum(epsilon), sum(delta) FROM charges"
                       " GROUP BY job_id ORDER BY job_id",
};

void sql_close(struct sql_db *q)
{
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(q->statements[i]);
    sqlite3_close(q->db);
    mem_free(q->path);
    memset(q, 0, sizeof *q);
}

static enum err_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_DENIED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_MALFORMED;
    case SQLITE_TOOBIG:
        return ERR_TOO_BIG;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    default:
        return ERR_IO;
    }
}

int sql_fail(struct sql_db *q, const char *what, struct err *err)
{
    int result = q->bind_failed ? q->bind_failed : q->db ? sqlite3_errcode(q->db) : SQLITE_NOMEM;
    const char *why = q->db && !q->bind_failed ? sqlite3_errmsg(q->db) : sqlite3_errstr(result);

    return err_set(err, code_of(result), "%.100s: %s: %s", q->path, what, why);
}

int sql_run(struct sql_db *q, const char *text, struct err *err)
{
    if (sqlite3_exec(q->db, text, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fail(q, "write", err);
    return 0;
}

sqlite3_stmt *sql_start(struct sql_db *q, enum sql name, struct err *err)
{
    sqlite3_stmt **st = &q->statements[name];

    q->bind_failed = SQLITE_OK;
    if (!*st && sqlite3_prepare_v3(q->db, texts[name], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) !=
                    SQLITE_OK) {
        sql_fail(q, "prepare", err);
        return NULL;
    }
    return *st;
}

static void bound(struct sql_db *q, int result)
{
    if (result != SQLITE_OK && q->bind_failed == SQLITE_OK)
        q->bind_failed = result;
}

void sql_bind_text(struct sql_db *q, sqlite3_stmt *st, int at, const char *text)
{
    bound(q, text ? sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC) : sqlite3_bind_null(st, at));
}

void sql_bind_i64(struct sql_db *q, sqlite3_stmt *st, int at, int64_t value)
{
    bound(q, known_i64(value) ? sqlite3_bind_int64(st, at, value) : sqlite3_bind_null(st, at));
}

void sql_bind_f64(struct sql_db *q, sqlite3_stmt *st, int at, double value)
{
    bound(q, sqlite3_bind_double(st, at, value));
}

void sql_bind_blob(struct sql_db *q, sqlite3_stmt *st, int at, const void *p, size_t len)
{
    bound(q, sqlite3_bind_blob64(st, at, p ? p : "", len, SQLITE_STATIC));
}

int sql_bind_record(struct sql_db *q, sqlite3_stmt *st, int at, const struct record_type *type,
                    const void *record, struct err *err)
{
    uint8_t *bytes;
    size_t len;

    if (!record) {
        bound(q, sqlite3_bind_null(st, at));
        return 0;
    }
    if (wire_encode(type, record, &bytes, &len, err) < 0)
        return -1;
    bound(q, sqlite3_bind_blob64(st, at, bytes, len, mem_free)); /* freed also when it fails */
    return 0;
}

void sql_reset(sqlite3_stmt *st)
{
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

int sql_step(struct sql_db *q, sqlite3_stmt *st, struct err *err)
{
    int result = q->bind_failed ? SQLITE_ERROR : sqlite3_step(st);

    if (result == SQLITE_ROW)
        return 1;
    if (result != SQLITE_DONE)
        sql_fail(q, sqlite3_stmt_readonly(st) ? "read" : "write", err);
    sql_reset(st);
    q->bind_failed = SQLITE_OK;
    return result == SQLITE_DONE ? 0 : -1;
}

int sql_finish(struct sql_db *q, sqlite3_stmt *st, struct err *err)
{
    int rc;

    while ((rc = sql_step(q, st, err)) == 1)
        continue;
    return rc;
}

int sql_do(struct sql_db *q, enum sql name, struct err *err)
{
    sqlite3_stmt *st = sql_start(q, name, err);

    return st ? sql_finish(q, st, err) : -1;
}

int64_t sql_i64(sqlite3_stmt *st, int at)
{
    return sqlite3_column_type(st, at) == SQLITE_NULL ? UNKNOWN_I64 : sqlite3_column_int64(st, at);
}

double sql_f64(sqlite3_stmt *st, int at)
{
    return sqlite3_column_type(st, at) == SQLITE_NULL ? unknown_f64()
                                                      : sqlite3_column_double(st, at);
}

int sql_text(sqlite3_stmt *st, int at, char **field, struct err *err)
{
    bool is_null = sqlite3_column_type(st, at) == SQLITE_NULL;
    const char *text = (const char *)sqlite3_column_text(st, at);

    if (!text && !is_null)
        return err_set(err, ERR_NOMEM, "read a text from the database");
    return text_set(field, text, err);
}

int sql_record(struct sql_db *q, sqlite3_stmt *st, int at, const struct record_type *type,
               void **out, struct err *err)
{
    const void *bytes = sqlite3_column_blob(st, at);
    int len = sqlite3_column_bytes(st, at);

    if (sqlite3_column_type(st, at) == SQLITE_NULL) {
        *out = NULL;
        return 0;
    }
    if (!bytes && len == 0)
        bytes = "";
    if (!bytes)
        return sql_fail(q, "read", err);
    if (wire_decode(type, WIRE_REPORT, bytes, (size_t)len, WIRE_RECORD_MAX, out, NULL, err) < 0)
        return err_prefix(err, "%.80s: stored %s", q->path, type->name);
    return 0;
}
