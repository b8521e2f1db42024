/* store_sqlite.h - what the files of the SQLite backend share. */
#ifndef COORDINATOR_STORE_STORE_SQLITE_H
#define COORDINATOR_STORE_STORE_SQLITE_H

#include "coordinator/store/store_backend.h"
#include "coordinator/store/store_sql.h"

struct sqlite_store {
    struct store_backend base; /* first */
    struct sql_db q;
    int lock; /* descriptor of PATH.lock */
    int64_t request_keep_ms, reply_keep_ms;
    int64_t purged_ms; /* when old answers were last dropped; 0: not yet */
};

/* Each carries out one operation of its kinds. */
int sqlite_write(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                 struct err *err);
int sqlite_read(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                struct err *err);
int sqlite_put_reply(struct sqlite_store *s, const struct store_op *op, struct err *err);
int sqlite_find_reply(struct sqlite_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err);
int sqlite_load(struct store_backend *b, struct store_contents *out, struct err *err);

/* What reading and loading share: the columns of DELIVERY_COLUMNS, a summary row with its counts,
 * sums of charges. */
int sqlite_delivery_row(sqlite3_stmt *st, struct delivery *out, struct err *err);
int sqlite_summary_row(struct sqlite_store *s, sqlite3_stmt *st, struct plan_summary **list,
                       size_t *count, struct err *err);
int sqlite_spent_row(sqlite3_stmt *st, struct store_spent *out, struct err *err);

#endif
