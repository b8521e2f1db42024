/* test_store_sqlite.c - the database file: reopened, migrated, damaged, full, not ours. */
#include "store_fixture.h"

#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "coordinator/store/store_backend.h"
#include "coordinator/store/store_schema.h"
#include "coordinator/store/store_sql.h"
#include "coordinator/store/store_sqlite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct store_fixture *fx = mem_zalloc(sizeof *fx);

    fixture_open(fx);
    *state = fx;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    mem_free(*state);
    return 0;
}

static struct store_op *device_op(enum store_kind kind, const char *id, int64_t now_ms)
{
    struct store_op *op = get_op(kind, NULL, id);

    op->now_ms = now_ms;
    return op;
}

static void fill(struct store *s)
{
    struct store_op *op = device_op(STORE_DEVICE, "d1", 100);

    text_set(&op->public_key, "KEY", NULL);
    store_expect(s, op);
    store_expect(s, device_op(STORE_DEVICE, "d1", 300));
    op = device_op(STORE_PROFILE, "d1", 200);
    op->profile = profile_new(NULL);
    text_set(&op->profile->chip, "Apple M4", NULL);
    text_set(&op->digest, "abc", NULL);
    store_expect(s, op);
    op = device_op(STORE_GENERATION, "d1", 0);
    op->generation = 9;
    store_expect(s, op);
    op = device_op(STORE_GENERATION, "d1", 0);
    op->generation = 4;
    store_expect(s, op);
    op = op_of(STORE_KEY);
    op->key = key_new(NULL);
    op->key->kind = KEY_KIND_AGENT;
    text_set(&op->key->public_key, "KEY", NULL);
    text_set(&op->key->device_id, "d1", NULL);
    store_expect(s, op);
    for (int i = 0; i < 2; i++) { /* the second takes the first one's place */
        struct calibration *learnt;

        op = op_of(STORE_CALIBRATION);
        learnt = records_add(&calibration_type, &op->calibrations, &op->calibrations_count, NULL);
        text_set(&learnt->key, "metal/Apple M1/llama-100/lora", NULL);
        learnt->activation_factor = i ? 0.9 : 1.4;
        learnt->step_factor = 1.25;
        learnt->memory_samples = 3 + i;
        store_expect(s, op);
    }
    op = plan_op("p1", "j1", 2, 3);
    op->charge = mem_zalloc(sizeof *op->charge);
    *op->charge = (struct store_charge){1, 2, 0.5, 1, 3, 1e-5, .target = 10, .rate = 1};
    store_expect(s, op);
    store_expect(s, plan_op("p2", "j2", 2, 12));
    store_expect(s, delivery_op("p2", "d2", DELIVERY_STATE_DONE, 1));
}

static void a_restart_finds_everything(void **state)
{
    const struct store_fixture *fx = *state;
    struct store *s = fixture_store(fx, false);
    struct store_contents *c = store_load(s, NULL);
    char id[40];
    struct stat st;

    snprintf(id, sizeof id, "%s", c->coordinator_id);
    store_contents_free(c);
    fill(s);
    store_close(s);
    assert_int_equal(stat(fx->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    s = fixture_store(fx, false);
    c = store_load(s, NULL);
    assert_string_equal(c->coordinator_id, id);
    assert_int_equal(c->devices_count, 2); /* d2 through its generation */
    assert_string_equal(c->devices[0].public_key, "KEY");
    assert_string_equal(c->devices[0].profile->chip, "Apple M4");
    assert_string_equal(c->devices[0].digest, "abc");
    assert_int_equal(c->devices[0].generation, 12);
    assert_int_equal(c->devices[0].first_seen_ms, 100);
    assert_int_equal(c->devices[0].last_seen_ms, 200); /* the newest word, whatever its clock */
    assert_int_equal(c->devices[0].profile_ms, 200);
    assert_int_equal(c->devices[1].first_seen_ms, UNKNOWN_I64);
    assert_int_equal(c->keys_count, 1);
    assert_string_equal(c->keys[0].device_id, "d1");
    assert_int_equal(c->plans_count, 2);
    assert_string_equal(c->plans[0].plan_id, "p2");
    assert_int_equal(c->plans[0].deliveries_done, 1);
    assert_int_equal(c->plans[1].deliveries_open, 2);
    assert_int_equal(c->deliveries_count, 4);
    assert_string_equal(c->deliveries[0].delivery.plan_id, "p1");
    assert_int_equal(c->deliveries[0].created_ms, 1000);
    assert_string_equal(c->deliveries[0].assignment->device_id, "d1");
    assert_null(c->deliveries[3].assignment); /* done */
    assert_int_equal(c->spent_count, 1);
    assert_true(c->spent[0].epsilon == 3);
    assert_int_equal(c->calibrations_count, 1);
    assert_true(c->calibrations[0].activation_factor == 0.9);
    assert_int_equal(c->calibrations[0].memory_samples, 4);
    store_contents_free(c);
    store_expect(s, device_op(STORE_FORGET, "d1", 1));
    store_close(s);

    s = fixture_store(fx, false);
    c = store_load(s, NULL);
    assert_int_equal(c->devices_count, 1);
    assert_int_equal(c->keys_count, 0);
    assert_int_equal(c->deliveries_count, 4);
    store_contents_free(c);
    store_close(s);
}

/* A cancelled plan's deliveries come back while an agent may not know. */
static void a_restart_remembers_whom_to_tell(void **state)
{
    const struct store_fixture *fx = *state;
    struct store *s = fixture_store(fx, false);
    struct store_op *op;
    struct store_contents *c;

    store_expect(s, plan_op("p1", "j1", 2, 1)); /* sent to d1, then cancelled */
    store_expect(s, delivery_op("p1", "d1", DELIVERY_STATE_SENT, 1));
    op = get_op(STORE_PLAN_STATE, "p1", NULL);
    op->plan_state = PLAN_STATE_CANCELLED;
    store_expect(s, op);
    store_expect(s, plan_op("p2", "j2", 2, 2)); /* never sent, then cancelled: nobody need know */
    op = get_op(STORE_PLAN_STATE, "p2", NULL);
    op->plan_state = PLAN_STATE_CANCELLED;
    store_expect(s, op);
    store_expect(s, plan_op("p3", "j3", 2, 3)); /* replaced: d1 hears of p4, d2 is left out of it */
    store_expect(s, delivery_op("p3", "d2", DELIVERY_STATE_APPLIED, 1));
    store_expect(s, plan_op("p4", "j3", 1, 4));
    store_close(s);
    s = fixture_store(fx, false);
    c = store_load(s, NULL);
    assert_int_equal(c->deliveries_count, 2 + 2 + 1);
    assert_string_equal(c->deliveries[0].delivery.plan_id, "p1");
    assert_int_equal(c->deliveries[0].delivery.state, DELIVERY_STATE_CANCELLED);
    assert_string_equal(c->deliveries[2].delivery.plan_id, "p3");
    assert_int_equal(c->deliveries[3].delivery.state, DELIVERY_STATE_SUPERSEDED);
    assert_string_equal(c->deliveries[4].delivery.plan_id, "p4");
    store_contents_free(c);
    store_close(s);
}

static struct store *open_failing(const struct store_fixture *fx, const char *path, struct err *err)
{
    struct store_settings settings = {.path = path};

    memset(err, 0, sizeof *err);
    return store_open(fx->net, &settings, err);
}

static void one_process_has_it(void **state)
{
    const struct store_fixture *fx = *state;
    struct store *s = fixture_store(fx, false);
    struct err err;

    assert_null(open_failing(fx, fx->path, &err));
    assert_int_equal(err.code, ERR_BUSY);
    assert_non_null(strstr(err.text, "store.db"));
    store_close(s);
    store_close(fixture_store(fx, false));
}

static void paths_that_cannot_be_are_named(void **state)
{
    const struct store_fixture *fx = *state;
    char path[160];
    struct err err;

    snprintf(path, sizeof path, "%s/no/folder/x.db", fx->folder);
    assert_null(open_failing(fx, path, &err));
    assert_non_null(strstr(err.text, "no/folder"));
    snprintf(path, sizeof path, "%s/folder", fx->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(open_failing(fx, path, &err));
    assert_non_null(strstr(err.text, path));
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_newer_database_is_refused_by_name(void **state)
{
    const struct store_fixture *fx = *state;
    char sql[64];
    struct err err;

    store_close(fixture_store(fx, false));
    run_sql(fx->path, "PRAGMA user_version = 99");
    assert_null(open_failing(fx, fx->path, &err));
    assert_int_equal(err.code, ERR_VERSION);
    assert_non_null(strstr(err.text, "store.db"));
    assert_non_null(strstr(err.text, "99"));
    snprintf(sql, sizeof sql, "PRAGMA user_version = %zu", store_schema_count);
    run_sql(fx->path, sql);
    store_close(fixture_store(fx, false));
}

/* What an older coordinator left behind is brought up to date, and stays. */
static void every_older_schema_is_brought_forward(void **state)
{
    const struct store_fixture *fx = *state;

    for (size_t from = 1; from < store_schema_count; from++) {
        struct store_settings settings = {0};
        struct store_contents *c;
        struct sql_db q = {0};
        struct store *s;
        char path[128];

        snprintf(path, sizeof path, "%s/old%zu.db", fx->folder, from);
        q.path = mem_strdup(path);
        assert_int_equal(sqlite3_open(path, &q.db), SQLITE_OK);
        assert_int_equal(store_schema_migrate(&q, store_schema_steps, from, NULL), 0);
        sql_close(&q);
        run_sql(path, "INSERT INTO devices (device_id, generation) VALUES ('d1', 7)");
        settings.path = path;
        s = store_open(fx->net, &settings, NULL);
        assert_non_null(s);
        c = store_load(s, NULL);
        assert_int_equal(c->devices_count, 1);
        assert_int_equal(c->devices[0].generation, 7);
        store_contents_free(c);
        store_close(s);
    }
}

/* Steps of a schema that grew: each database is brought forward from where it stands; a step that
 * fails leaves it there. */
static void migrations_go_forward_from_any_version(void **state)
{
    static const char *const steps[] = {
        "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)",
        "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 5",
        "CREATE TABLE b (z INTEGER); INSERT INTO b SELECT x + y FROM a",
    };
    const char *const broken[] = {steps[0], steps[1],
                                  "CREATE TABLE b (z); INSERT INTO none VALUES (1)"};
    const struct store_fixture *fx = *state;
    char path[128];
    struct err err;

    for (size_t from = 0; from <= 3; from++) {
        struct sql_db q = {0};
        sqlite3_stmt *st;

        snprintf(path, sizeof path, "%s/m%zu.db", fx->folder, from);
        q.path = mem_strdup(path);
        assert_int_equal(sqlite3_open(path, &q.db), SQLITE_OK);
        assert_int_equal(store_schema_migrate(&q, steps, from, NULL), 0);
        if (from == 2) {
            assert_int_equal(store_schema_migrate(&q, broken, 3, &err), -1);
            assert_non_null(strstr(err.text, "schema step 3"));
        }
        assert_int_equal(store_schema_migrate(&q, steps, 3, &err), 0);
        assert_int_equal(store_schema_migrate(&q, steps, 3, &err), 0); /* twice: nothing to do */
        assert_int_equal(store_schema_migrate(&q, steps, 2, &err), -1);
        assert_int_equal(err.code, ERR_VERSION);
        assert_int_equal(sqlite3_prepare_v2(q.db, "SELECT z FROM b", -1, &st, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(st, 0), 6);
        assert_int_equal(sqlite3_step(st), SQLITE_DONE);
        sqlite3_finalize(st);
        sql_close(&q);
    }
}

static void write_over(const char *path, long at, const char *bytes, size_t len)
{
    FILE *f = fopen(path, "r+b");

    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static void a_damaged_database_is_refused(void **state)
{
    const struct store_fixture *fx = *state;
    struct stat st;
    struct err err;
    char junk[4096];

    memset(junk, 0xa5, sizeof junk);
    assert_int_equal(
        file_write_atomic(fx->path, 0600, "this is no database, but long enough", 36, NULL), 0);
    assert_null(open_failing(fx, fx->path, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
    assert_non_null(strstr(err.text, "store.db"));

    unlink(fx->path);
    struct store *s = fixture_store(fx, false);
    fill(s);
    store_close(s); /* the log goes into the file */
    assert_int_equal(stat(fx->path, &st), 0);
    for (long at = 4096; at + 4096 <= st.st_size; at += 4096)
        write_over(fx->path, at, junk, sizeof junk);
    assert_null(open_failing(fx, fx->path, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
}

/* A blob that no longer decodes: the read fails with its name, the rest goes on. */
static void a_damaged_blob_fails_alone(void **state)
{
    const struct store_fixture *fx = *state;
    struct store *s = fixture_store(fx, false);
    struct store_result *r;

    fill(s);
    store_close(s);
    run_sql(fx->path, "UPDATE plans SET plan = x'ffff' WHERE plan_id = 'p1'");
    s = fixture_store(fx, false);
    r = store_call(s, get_op(STORE_GET_PLAN, "p1", NULL));
    assert_int_equal(r->err.code, ERR_MALFORMED);
    assert_non_null(strstr(r->err.text, "Plan"));
    assert_null(r->plan);
    store_result_free(r);
    store_expect(s, get_op(STORE_GET_PLAN, "p2", NULL));
    store_close(s);
}

/* A disk that is full, played by SQLite's own limit of pages: what does not fit fails, in an
 * operation of its own, and what is small goes on once there is room. */
static void a_full_disk_fails_what_does_not_fit(void **state)
{
    const struct store_fixture *fx = *state;
    struct err err = {ERR_NONE, ""};
    const struct store_settings settings = {fx->path, STORE_DAY_MS, STORE_DAY_MS};
    struct store_backend *b = store_sqlite_open(&settings, &err);
    struct sqlite_store *sq = (struct sqlite_store *)b;
    struct store_op *big = plan_op("big", "j", 3000, 1), *small = device_op(STORE_DEVICE, "d1", 1);
    struct store_result r = {0};

    assert_non_null(b);
    assert_int_equal(sql_run(&sq->q, "PRAGMA max_page_count = 64", &err), 0);
    assert_int_equal(b->type->begin(b, &err), 0);
    assert_int_equal(b->type->apply(b, small, &r, &err), 0);
    assert_int_equal(b->type->apply(b, big, &r, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "full"));
    assert_non_null(strstr(err.text, "store.db"));
    b->type->rollback(b);
    store_result_reset(&r);
    assert_int_equal(b->type->begin(b, &err), 0);
    assert_int_equal(b->type->apply(b, small, &r, &err), 0);
    assert_int_equal(b->type->commit(b, &err), 0);
    assert_int_equal(sql_run(&sq->q, "PRAGMA max_page_count = 100000", &err), 0);
    assert_int_equal(b->type->begin(b, &err), 0);
    assert_int_equal(b->type->apply(b, big, &r, &err), 0);
    assert_int_equal(b->type->commit(b, &err), 0);
    store_result_reset(&r);
    store_op_free(big);
    store_op_free(small);
    b->type->close(b);
}

static void a_database_that_may_not_be_written_says_so(void **state)
{
    const struct store_fixture *fx = *state;
    struct err err = {ERR_NONE, ""};
    const struct store_settings settings = {fx->path, STORE_DAY_MS, STORE_DAY_MS};
    struct store_backend *b = store_sqlite_open(&settings, &err);
    struct sqlite_store *sq = (struct sqlite_store *)b;
    struct store_op *op = device_op(STORE_DEVICE, "d1", 1), *read = op_of(STORE_LIST_PLANS);
    struct store_result r = {0};

    assert_int_equal(sql_run(&sq->q, "PRAGMA query_only = ON", &err), 0);
    assert_int_equal(b->type->begin(b, &err), 0);
    assert_int_equal(b->type->apply(b, op, &r, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(b->type->apply(b, read, &r, &err), 0);
    b->type->rollback(b);
    store_op_free(op);
    store_op_free(read);
    store_result_reset(&r);
    b->type->close(b);
}

/* The numbers written in statements are those of the enums. */
static void statements_use_the_numbers_of_the_enums(void **state)
{
    (void)state;
    assert_int_equal(PLAN_STATE_ACTIVE, 2);
    assert_int_equal(PLAN_STATE_SUPERSEDED, 3);
    assert_int_equal(PLAN_STATE_CANCELLED, 4);
    assert_int_equal(DELIVERY_STATE_RUNNING, 5);
    assert_int_equal(DELIVERY_STATE_DONE, 6);
    assert_int_equal(DELIVERY_STATE_SUPERSEDED, 9);
    assert_int_equal(DELIVERY_STATE_CANCELLED, 10);
}

/* Whichever allocation of ours fails, the operation fails whole, and the next one works. */
static void operations_survive_lost_memory(void **state)
{
    const struct store_fixture *fx = *state;
    const struct store_settings settings = {fx->path, STORE_DAY_MS, STORE_DAY_MS};
    struct store_backend *b = NULL;
    struct store_op *op = plan_op("p1", "j1", 2, 1), *get = get_op(STORE_GET_PLAN, "p1", NULL);
    struct store_contents *c = NULL;
    unsigned nth = 0;
    int rc = -1;

    for (nth = 1; !b && nth < 1000; nth++) {
        mem_fail_at(nth);
        b = store_sqlite_open(&settings, NULL);
        mem_fail_at(0);
    }
    assert_in_range(nth, 3, 999);
    op->charge = mem_zalloc(sizeof *op->charge);
    for (nth = 1, rc = -1; rc < 0 && nth < 5000; nth++) {
        struct store_result r = {0};

        assert_int_equal(b->type->begin(b, NULL), 0);
        mem_fail_at(nth);
        rc = b->type->apply(b, op, &r, NULL);
        mem_fail_at(0);
        assert_true(b->type->in_transaction(b));
        assert_int_equal(b->type->commit(b, NULL), 0);
        store_result_reset(&r);
    }
    assert_in_range(nth, 5, 4999);
    for (nth = 1, rc = -1; rc < 0 && nth < 5000; nth++) {
        struct store_result r = {0};

        mem_fail_at(nth);
        rc = b->type->apply(b, get, &r, NULL);
        mem_fail_at(0);
        assert_true(rc < 0 || r.plan->assignments_count == 2);
        store_result_reset(&r);
    }
    assert_in_range(nth, 10, 4999);
    for (nth = 1, rc = -1; rc < 0 && nth < 5000; nth++) {
        c = mem_zalloc(sizeof *c);
        mem_fail_at(nth);
        rc = b->type->load(b, c, NULL);
        mem_fail_at(0);
        assert_true(rc < 0 || c->deliveries_count == 2);
        store_contents_free(c);
    }
    assert_in_range(nth, 10, 4999);
    store_op_free(op);
    store_op_free(get);
    b->type->close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_restart_finds_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_remembers_whom_to_tell, setup, teardown),
        cmocka_unit_test_setup_teardown(one_process_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(paths_that_cannot_be_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_database_is_refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(every_older_schema_is_brought_forward, setup, teardown),
        cmocka_unit_test_setup_teardown(migrations_go_forward_from_any_version, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_database_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_blob_fails_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_fails_what_does_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_database_that_may_not_be_written_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(statements_use_the_numbers_of_the_enums, setup, teardown),
        cmocka_unit_test_setup_teardown(operations_survive_lost_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
