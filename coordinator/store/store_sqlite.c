/* store_sqlite.c - the database file: opened, locked, transactions.
 *
 * WAL with synchronous=FULL: a commit is one fsync of the log, and what was committed survives the
 * power going. The file is ours alone (PATH.lock), so no statement ever waits for another process
 * of ours; somebody who reads the database with another tool does not disturb, one who writes makes
 * us wait BUSY_MS at most. */
#include "coordinator/store/store_sqlite.h"

#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/random.h"
#include "coordinator/store/store_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS \
    5000 /* longer than a checkpoint of a slow disk, shorter than a tool waits for its answer */

static struct sqlite_store *of(struct store_backend *b)
{
    return (struct sqlite_store *)b;
}

static int begin(struct store_backend *b, struct err *err)
{
    return sql_do(&of(b)->q, SQL_BEGIN, err);
}

static int commit(struct store_backend *b, struct err *err)
{
    return sql_do(&of(b)->q, SQL_COMMIT, err);
}

static bool in_transaction(const struct store_backend *b)
{
    return !sqlite3_get_autocommit(((const struct sqlite_store *)b)->q.db);
}

static void rollback(struct store_backend *b)
{
    if (in_transaction(b))
        sql_do(&of(b)->q, SQL_ROLLBACK, NULL);
}

static int apply(struct store_backend *b, const struct store_op *op, struct store_result *r,
                 struct err *err)
{
    struct sqlite_store *s = of(b);

    if (op->kind >= STORE_GET_PLAN)
        return sqlite_read(s, op, r, err);
    if (sql_do(&s->q, SQL_SAVEPOINT, err) < 0)
        return -1;
    if (sqlite_write(s, op, r, err) == 0)
        return sql_do(&s->q, SQL_RELEASE, err);
    /* a transaction that the failure ended has no savepoint any more */
    if (in_transaction(b) &&
        (sql_do(&s->q, SQL_ROLLBACK_TO, NULL) < 0 || sql_do(&s->q, SQL_RELEASE, NULL) < 0))
        rollback(b);
    return -1;
}

static void backend_close(struct store_backend *b)
{
    struct sqlite_store *s = of(b);

    if (!s)
        return;
    sql_close(&s->q);
    file_unlock(s->lock);
    mem_free(s);
}

static const struct store_backend_type sqlite_type = {
    .name = "sqlite",
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .in_transaction = in_transaction,
    .apply = apply,
    .load = sqlite_load,
    .close = backend_close,
};

/* SQLite would make it readable by all. Its -wal and -shm take its mode. */
static int make_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set_errno(err, errno, "database %s", path);
    close(fd);
    return 0;
}

static int lock(struct sqlite_store *s, const char *path, struct err *err)
{
    char *name = file_path(err, "%s.lock", path);
    int rc = name ? file_lock(name, &s->lock, err) : -1;

    mem_free(name);
    return rc;
}

static int set_wal(struct sql_db *q, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(q->db, "PRAGMA journal_mode = WAL", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW) {
        const char *mode = (const char *)sqlite3_column_text(st, 0);

        if (mode && strcmp(mode, "wal") == 0)
            rc = 0;
        else
            err_set(err, ERR_UNSUPPORTED, "%s: this file system cannot hold a write-ahead log",
                    q->path);
    } else {
        sql_fail(q, "open", err);
    }
    sqlite3_finalize(st);
    return rc;
}

static int open_database(struct sql_db *q, const char *path, struct err *err)
{
    if (!(q->path = mem_strdup(path)))
        return err_set(err, ERR_NOMEM, "database %s", path);
    if (sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return sql_fail(q, "open", err);
    sqlite3_extended_result_codes(q->db, 1);
    sqlite3_busy_timeout(q->db, BUSY_MS);
    if (set_wal(q, err) < 0 ||
        sql_run(q,
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
                err) < 0)
        return -1;
    return store_schema_migrate(q, store_schema_steps, store_schema_count, err);
}

/* The database's own random id, made with it. */
static int make_id(struct sql_db *q, struct err *err)
{
    sqlite3_stmt *st = sql_start(q, SQL_META_GET, err);
    char id[33];
    int rc;

    if (!st)
        return -1;
    sql_bind_text(q, st, 1, "coordinator_id");
    if ((rc = sql_step(q, st, err)) == 1)
        sql_reset(st);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (random_hex(id, 32, err) < 0 || !(st = sql_start(q, SQL_META_PUT, err)))
        return -1;
    sql_bind_text(q, st, 1, "coordinator_id");
    sql_bind_text(q, st, 2, id);
    return sql_finish(q, st, err);
}

struct store_backend *store_sqlite_open(const struct store_settings *settings, struct err *err)
{
    const char *path = settings->path;
    struct sqlite_store *s = mem_zalloc(sizeof *s);

    if (!s) {
        err_set(err, ERR_NOMEM, "database %s", path);
        return NULL;
    }
    s->base.type = &sqlite_type;
    s->lock = -1;
    s->request_keep_ms = settings->request_keep_ms;
    s->reply_keep_ms = settings->reply_keep_ms;
    if (lock(s, path, err) < 0 || make_private(path, err) < 0 ||
        open_database(&s->q, path, err) < 0 || make_id(&s->q, err) < 0) {
        backend_close(&s->base);
        return NULL;
    }
    return &s->base;
}
