/* store_schema.h - the database's schema, as the steps that lead to it.
 *
 * PRAGMA user_version counts the steps that were taken. A step is never changed once released: a
 * new one is added at the end. A database with more steps than we know is a newer program's, and
 * refused. */
#ifndef COORDINATOR_STORE_STORE_SCHEMA_H
#define COORDINATOR_STORE_STORE_SCHEMA_H

#include <stddef.h>

struct err;
struct sql_db;

extern const char *const store_schema_steps[];
extern const size_t store_schema_count;

/* Takes the steps that are missing, each with its user_version in one transaction: after a failure
 * the database stands at a whole step. */
int store_schema_migrate(struct sql_db *q, const char *const *steps, size_t count, struct err *err);

#endif
