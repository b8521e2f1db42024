/* store_sqlite_load.c - all that a starting coordinator needs, read at once. */
#include "coordinator/store/store_sqlite.h"

#include "common/core/mem.h"

#include <string.h>

/* Room for one more item; doubling from 16. */
static void *grow(void *block, size_t count, size_t size, struct err *err)
{
    void *more = block;

    if (count == 0 || (count >= 16 && (count & (count - 1)) == 0))
        more = mem_realloc_array(block, count ? count * 2 : 16, size);
    if (!more)
        err_set(err, ERR_NOMEM, "contents of the database");
    return more;
}

static int load_id(struct sqlite_store *s, struct store_contents *c, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_META_GET, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, "coordinator_id");
    rc = sql_step(&s->q, st, err);
    if (rc == 1)
        rc = sql_text(st, 0, &c->coordinator_id, err);
    else if (rc == 0)
        rc = err_set(err, ERR_MALFORMED, "%s: has no coordinator_id", s->q.path);
    sql_reset(st);
    return rc;
}

static int load_device(struct sqlite_store *s, sqlite3_stmt *st, struct store_device *d,
                       struct err *err)
{
    void *profile = NULL;

    d->generation = sql_i64(st, 4);
    d->first_seen_ms = sql_i64(st, 5);
    d->last_seen_ms = sql_i64(st, 6);
    d->profile_ms = sql_i64(st, 7);
    if (sql_text(st, 0, &d->device_id, err) < 0 || sql_text(st, 1, &d->public_key, err) < 0 ||
        sql_text(st, 3, &d->digest, err) < 0 ||
        sql_record(&s->q, st, 2, &profile_type, &profile, err) < 0)
        return -1;
    d->profile = profile;
    return 0;
}

static int load_delivery(struct sqlite_store *s, sqlite3_stmt *st, struct store_delivery *d,
                         struct err *err)
{
    void *assignment = NULL;

    record_init(&delivery_type, &d->delivery);
    d->created_ms = sql_i64(st, 10);
    if (sqlite_delivery_row(st, &d->delivery, err) < 0 ||
        sql_record(&s->q, st, 11, &assignment_type, &assignment, err) < 0)
        return -1;
    d->assignment = assignment;
    return 0;
}

/* One row of a statement into the contents. */
typedef int load_row_fn(struct sqlite_store *s, sqlite3_stmt *st, struct store_contents *c,
                        struct err *err);

static int add_device(struct sqlite_store *s, sqlite3_stmt *st, struct store_contents *c,
                      struct err *err)
{
    struct store_device *block = grow(c->devices, c->devices_count, sizeof *block, err);

    if (!block)
        return -1;
    c->devices = block;
    memset(&block[c->devices_count], 0, sizeof *block);
    return load_device(s, st, &block[c->devices_count++], err);
}

static int add_delivery(struct sqlite_store *s, sqlite3_stmt *st, struct store_contents *c,
                        struct err *err)
{
    struct store_delivery *block = grow(c->deliveries, c->deliveries_count, sizeof *block, err);

    if (!block)
        return -1;
    c->deliveries = block;
    memset(&block[c->deliveries_count], 0, sizeof *block);
    return load_delivery(s, st, &block[c->deliveries_count++], err);
}

static int add_spent(struct sqlite_store *s, sqlite3_stmt *st, struct store_contents *c,
                     struct err *err)
{
    struct store_spent *block = grow(c->spent, c->spent_count, sizeof *block, err);

    (void)s;
    if (!block)
        return -1;
    c->spent = block;
    memset(&block[c->spent_count], 0, sizeof *block);
    return sqlite_spent_row(st, &block[c->spent_count++], err);
}

static int add_key(struct sqlite_store *s, sqlite3_stmt *st, struct store_contents *c,
                   struct err *err)
{
    void *record = NULL;
    struct key *k;

    if (sql_record(&s->q, st, 0, &key_type, &record, err) < 0)
        return -1;
    if (!record || !(k = records_add(&key_type, &c->keys, &c->keys_count, err))) {
        key_free(record);
        return -1;
    }
    *k = *(struct key *)record;
    mem_free(record);
    return 0;
}

static int add_calibration(struct sqlite_store *s, sqlite3_stmt *st, struct store_contents *c,
                           struct err *err)
{
    void *record = NULL;
    struct calibration *to;

    if (sql_record(&s->q, st, 0, &calibration_type, &record, err) < 0)
        return -1;
    if (!record ||
        !(to = records_add(&calibration_type, &c->calibrations, &c->calibrations_count, err))) {
        calibration_free(record);
        return -1;
    }
    *to = *(struct calibration *)record;
    mem_free(record);
    return 0;
}

static int add_summary(struct sqlite_store *s, sqlite3_stmt *st, struct store_contents *c,
                       struct err *err)
{
    return sqlite_summary_row(s, st, &c->plans, &c->plans_count, err);
}

static int load_rows(struct sqlite_store *s, enum sql name, int64_t value, load_row_fn *fn,
                     struct store_contents *c, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, name, err);
    int rc;

    if (!st)
        return -1;
    if (known_i64(value))
        sql_bind_i64(&s->q, st, 1, value);
    while ((rc = sql_step(&s->q, st, err)) == 1)
        if (fn(s, st, c, err) < 0) {
            sql_reset(st);
            return -1;
        }
    return rc;
}

int sqlite_load(struct store_backend *b, struct store_contents *out, struct err *err)
{
    struct sqlite_store *s = (struct sqlite_store *)b;

    if (load_id(s, out, err) < 0 ||
        load_rows(s, SQL_LOAD_DEVICES, UNKNOWN_I64, add_device, out, err) < 0 ||
        load_rows(s, SQL_LOAD_KEYS, UNKNOWN_I64, add_key, out, err) < 0 ||
        load_rows(s, SQL_LOAD_CALIBRATION, UNKNOWN_I64, add_calibration, out, err) < 0 ||
        load_rows(s, SQL_LOAD_SUMMARIES, STORE_PLANS_LOADED, add_summary, out, err) < 0 ||
        load_rows(s, SQL_LOAD_DELIVERIES, STORE_TELL_MS, add_delivery, out, err) < 0 ||
        load_rows(s, SQL_LOAD_SPENT, UNKNOWN_I64, add_spent, out, err) < 0)
        return -1;
    return 0;
}
