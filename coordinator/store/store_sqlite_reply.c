/* store_sqlite_reply.c - what models said, kept for a while and within bounds. */
#include "coordinator/store/store_sqlite.h"

#include "common/core/err.h"
#include "common/core/mem.h"

static int purge(struct sqlite_store *s, int64_t now_ms, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_REPLY_PURGE, err);

    if (!st)
        return -1;
    sql_bind_i64(&s->q, st, 1, now_ms - s->reply_keep_ms);
    return sql_finish(&s->q, st, err);
}

static int trim(struct sqlite_store *s, struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_REPLY_TRIM, err);

    if (!st)
        return -1;
    sql_bind_i64(&s->q, st, 1, STORE_REPLIES_MAX);
    sql_bind_i64(&s->q, st, 2, STORE_REPLIES_BYTES);
    return sql_finish(&s->q, st, err);
}

int sqlite_put_reply(struct sqlite_store *s, const struct store_op *op, struct err *err)
{
    sqlite3_stmt *st;

    if (purge(s, op->now_ms, err) < 0 || !(st = sql_start(&s->q, SQL_REPLY_PUT, err)))
        return -1;
    sql_bind_text(&s->q, st, 1, op->digest);
    sql_bind_i64(&s->q, st, 2, op->now_ms);
    sql_bind_i64(&s->q, st, 3, (int64_t)op->answer_len);
    sql_bind_blob(&s->q, st, 4, op->answer, op->answer_len);
    return sql_finish(&s->q, st, err) < 0 ? -1 : trim(s, err);
}

int sqlite_find_reply(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err)
{
    sqlite3_stmt *st = sql_start(&s->q, SQL_REPLY_GET, err);
    int rc;

    if (!st)
        return -1;
    sql_bind_text(&s->q, st, 1, op->digest);
    sql_bind_i64(&s->q, st, 2, op->now_ms - s->reply_keep_ms);
    if ((rc = sql_step(&s->q, st, err)) != 1)
        return rc;
    r->answer_len = (size_t)sqlite3_column_bytes(st, 0);
    r->answer = mem_dup(sqlite3_column_blob(st, 0), r->answer_len);
    sql_reset(st);
    return r->answer ? 0 : err_set(err, ERR_NOMEM, "reply of %zu bytes", r->answer_len);
}
