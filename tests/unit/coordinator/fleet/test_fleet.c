/* test_fleet.c - devices come, report, fall silent, go; snapshots show them by class. */
#include "coordinator/fleet/fleet.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GIB (INT64_C(1) << 30)

static struct fleet *small_fleet(size_t max)
{
    struct fleet_settings settings = {.max_devices = max, .late_ms = 1000, .offline_ms = 5000};
    struct fleet *f = fleet_new(&settings, NULL);

    assert_non_null(f);
    return f;
}

static struct profile *profile_of(const char *name, int64_t memory_bytes)
{
    struct profile *p = profile_new(NULL);

    assert_int_equal(text_set(&p->name, name, NULL), 0);
    assert_int_equal(text_set(&p->chip, "Apple M1", NULL), 0);
    p->memory_bytes = memory_bytes;
    return p;
}

static struct state *state_of(int64_t available_bytes)
{
    struct state *s = state_new(NULL);

    s->memory_available_bytes = available_bytes;
    s->up_bps = 2e7;
    return s;
}

/* Enrols the device and hands in both reports. */
static void join(struct fleet *f, const char *id, int64_t memory_bytes, int64_t available_bytes,
                 int64_t now_ms)
{
    struct profile *p = profile_of(id, memory_bytes);
    struct state *s = state_of(available_bytes);

    assert_int_equal(fleet_enrol(f, id, NULL, NULL), 0);
    assert_int_equal(fleet_profile(f, id, &p, "d1", now_ms, NULL), 1);
    assert_int_equal(fleet_state(f, id, &s, now_ms, NULL), 0);
    assert_null(p);
    assert_null(s);
}

static void count_moves(void *arg, const struct fleet_device *d)
{
    (void)d;
    ++*(int *)arg;
}

/* The life of a device, as the coordinator plays it. */
static void a_device_lives(void **unused)
{
    struct fleet *f = small_fleet(10);
    const struct fleet_device *d;
    const struct snapshot *s;
    struct device *shown;
    int moves = 0;

    (void)unused;
    join(f, "d1", 8 * GIB, 4 * GIB, 100);
    d = fleet_find(f, "d1");
    assert_int_equal(d->liveness, LIVENESS_ONLINE);
    assert_string_equal(d->name, "d1");
    assert_string_equal(d->profile_digest, "d1");

    assert_int_equal(fleet_tick(f, 1100, count_moves, &moves), 0);
    assert_int_equal(fleet_tick(f, 1101, count_moves, &moves), 1);
    assert_int_equal(d->liveness, LIVENESS_LATE);
    assert_int_equal(fleet_tick(f, 5100, count_moves, &moves), 0);
    assert_int_equal(fleet_tick(f, 5101, count_moves, &moves), 1);
    assert_int_equal(d->liveness, LIVENESS_OFFLINE);
    assert_int_equal(moves, 2);
    assert_int_equal(fleet_counts(f).offline, 1);
    assert_int_equal(fleet_heard(f, "d1", 6000), 1);
    assert_int_equal(fleet_heard(f, "d1", 6001), 0);

    s = fleet_snapshot(f, 6100, 777, NULL);
    assert_int_equal(s->taken_ms, 777);
    assert_int_equal(s->clients_count, 1);
    assert_int_equal(s->classes_count, 1);
    assert_string_equal(s->classes[0].id, "c1");
    assert_int_equal(s->classes[0].profile->memory_bytes, 8 * GIB);
    assert_null(s->classes[0].profile->name);
    assert_string_equal(s->clients[0].name, "d1");
    assert_int_equal(s->clients[0].state_age_ms, 6000);
    assert_true(s->clients[0].up_bps == 2e7);
    assert_false(known_f64(s->clients[0].down_bps));
    snapshot_unref(s);

    assert_int_equal(fleet_device_to_model(f, d, 6100, &shown, NULL), 0);
    assert_string_equal(shown->client_class, "c1");
    assert_int_equal(shown->last_seen_age_ms, 99);
    assert_int_equal(shown->profile_age_ms, 6000);
    assert_int_equal(record_check(&device_type, shown, NULL), 0);
    device_free(shown);

    assert_int_equal(fleet_goodbye(f, "d1", 6200), 1);
    assert_int_equal(fleet_goodbye(f, "d1", 6200), 0);
    assert_int_equal(d->liveness, LIVENESS_OFFLINE);
    assert_int_equal(fleet_forget(f, "d1"), 0);
    assert_int_equal(fleet_forget(f, "d1"), -1);
    assert_null(fleet_find(f, "d1"));
    assert_int_equal(fleet_counts(f).enrolled, 0);
    assert_int_equal(fleet_counts(f).classes, 0);
    fleet_free(f);
}

static void wrong_settings_are_refused(void **unused)
{
    static const struct fleet_settings bad[] = {
        {0, 1000, 2000}, {1000001, 1000, 2000}, {10, 0, 2000}, {10, 1000, 1000}, {10, 1000, -5},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {ERR_NONE, ""};

        assert_null(fleet_new(&bad[i], &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void a_full_fleet_refuses(void **unused)
{
    struct fleet *f = small_fleet(2);
    struct err err;
    char longer[66];

    (void)unused;
    memset(longer, 'x', 65);
    longer[65] = '\0';
    assert_int_equal(fleet_enrol(f, "", NULL, &err), -1);
    assert_int_equal(fleet_enrol(f, NULL, NULL, &err), -1);
    assert_int_equal(fleet_enrol(f, longer, NULL, &err), -1);
    assert_int_equal(fleet_enrol(f, "a", NULL, &err), 0);
    assert_int_equal(fleet_enrol(f, "a", NULL, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(fleet_enrol(f, "b", NULL, &err), 0);
    assert_int_equal(fleet_enrol(f, "c", NULL, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    assert_int_equal(fleet_forget(f, "a"), 0);
    assert_int_equal(fleet_enrol(f, "c", NULL, &err), 0);
    fleet_free(f);
}

static void strangers_are_unknown(void **unused)
{
    struct fleet *f = small_fleet(2);
    struct profile *p = profile_of("x", GIB);
    struct state *s = state_of(GIB);
    struct err err;

    (void)unused;
    assert_int_equal(fleet_heard(f, "x", 1), -1);
    assert_int_equal(fleet_goodbye(f, "x", 1), -1);
    assert_int_equal(fleet_profile(f, "x", &p, NULL, 1, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(fleet_state(f, "x", &s, 1, &err), -1);
    assert_non_null(p);
    assert_non_null(s);
    assert_int_equal(fleet_generation_next(f, "x"), -1);
    assert_int_equal(fleet_generation_jump(f, "x", 5), -1);
    assert_int_equal(fleet_commit(f, "x", "j", 1, &err), -1);
    fleet_release(f, "x", "j");
    assert_null(fleet_next(f, NULL));
    profile_free(p);
    state_free(s);
    fleet_free(f);
}

static void classes_go_by_size_then_key(void **unused)
{
    struct fleet *f = small_fleet(10);
    const struct snapshot *s;
    struct state *moved;

    (void)unused;
    join(f, "m1", 8 * GIB, 4 * GIB, 0);
    join(f, "m2", 16 * GIB, 8 * GIB, 0);
    join(f, "m3", 16 * GIB, 8 * GIB + 1000, 0);
    assert_int_equal(fleet_enrol(f, "m0", NULL, NULL), 0);
    s = fleet_snapshot(f, 10, 10, NULL);
    assert_int_equal(s->classes_count, 3);
    assert_int_equal(s->classes[0].devices, 2);
    assert_int_equal(s->classes[0].profile->memory_bytes, 16 * GIB);
    assert_int_equal(s->classes[0].state->memory_available_bytes, 8 * GIB);
    assert_string_equal(s->clients[0].device_id, "m0");
    assert_null(s->clients[0].name);
    assert_int_equal(s->clients[0].state_age_ms, UNKNOWN_I64);
    assert_int_equal(s->clients[2].class_index, 0);
    assert_int_equal(s->clients[3].class_index, 0);
    snapshot_unref(s);
    /* m2 moves over: c1 has one member less */
    moved = state_of(2 * GIB);
    assert_int_equal(fleet_state(f, "m2", &moved, 20, NULL), 0);
    assert_int_equal(fleet_counts(f).classes, 4);
    moved = state_of(8 * GIB + 5);
    assert_int_equal(fleet_state(f, "m2", &moved, 30, NULL), 0);
    assert_int_equal(fleet_counts(f).classes, 3);
    assert_string_equal(fleet_device_class_key(fleet_find(f, "m2")),
                        fleet_device_class_key(fleet_find(f, "m3")));
    fleet_free(f);
}

static void an_unchanged_fleet_gets_the_same_snapshot(void **unused)
{
    struct fleet *f = small_fleet(3);
    const struct snapshot *a, *b, *c, *d;
    struct state *s;

    (void)unused;
    join(f, "m1", 8 * GIB, 4 * GIB, 0);
    a = fleet_snapshot(f, 10, 10, NULL);
    b = fleet_snapshot(f, 500, 500, NULL);
    assert_ptr_equal(a, b);
    c = fleet_snapshot(f, 1010, 1010, NULL);
    assert_ptr_not_equal(a, c);
    s = state_of(4 * GIB);
    assert_int_equal(fleet_state(f, "m1", &s, 1020, NULL), 0);
    d = fleet_snapshot(f, 1030, 1030, NULL);
    assert_ptr_not_equal(c, d);
    assert_int_equal(a->clients[0].state_age_ms, 10);
    assert_int_equal(d->clients[0].state_age_ms, 10);
    snapshot_unref(a);
    snapshot_unref(b);
    snapshot_unref(c);
    snapshot_unref(d);
    fleet_free(f);
}

static void pages_go_by_id(void **unused)
{
    static const char *const ids[] = {"d5", "d1", "d9", "d3", "d7"};
    struct fleet *f = small_fleet(10);
    const struct fleet_device *d;
    char order[16] = "";
    struct err err;

    (void)unused;
    for (size_t i = 0; i < 5; i++)
        join(f, ids[i], 8 * GIB, GIB, 0);
    for (d = fleet_next(f, NULL); d; d = fleet_next(f, d->id))
        strncat(order, d->id + 1, 2);
    assert_string_equal(order, "13579");
    assert_string_equal(fleet_next(f, "d4")->id, "d5");
    assert_int_equal(fleet_forget(f, "d5"), 0);
    assert_string_equal(fleet_next(f, "d4")->id, "d7");
    assert_null(fleet_next(f, "d9"));
    assert_string_equal(fleet_find_prefix(f, "d7", &err)->id, "d7");
    assert_null(fleet_find_prefix(f, "d", &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "d1 or d3"));
    assert_null(fleet_find_prefix(f, "e", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    fleet_free(f);
}

static void names_find_devices(void **unused)
{
    struct fleet *f = small_fleet(10);
    struct profile *p = profile_of("studio", GIB), *q = profile_of("studio-2", GIB);

    (void)unused;
    assert_int_equal(fleet_enrol(f, "x1", "key-1", NULL), 0);
    assert_int_equal(fleet_enrol(f, "x2", NULL, NULL), 0);
    assert_int_equal(fleet_profile(f, "x1", &p, NULL, 0, NULL), 1);
    assert_int_equal(fleet_profile(f, "x2", &q, NULL, 0, NULL), 1);
    assert_string_equal(fleet_find_prefix(f, "studio", NULL)->id, "x1");
    assert_string_equal(fleet_find_prefix(f, "studio-", NULL)->id, "x2");
    assert_null(fleet_find_prefix(f, "stud", NULL));
    assert_string_equal(fleet_find_key(f, "key-1")->id, "x1");
    assert_null(fleet_find_key(f, "key-2"));
    fleet_free(f);
}

static void generations_only_rise(void **unused)
{
    struct fleet *f = small_fleet(2);

    (void)unused;
    assert_int_equal(fleet_enrol(f, "a", NULL, NULL), 0);
    assert_int_equal(fleet_generation_next(f, "a"), 1);
    assert_int_equal(fleet_generation_next(f, "a"), 2);
    assert_int_equal(fleet_generation_jump(f, "a", 40), 0);
    assert_int_equal(fleet_generation_jump(f, "a", 7), 0);
    assert_int_equal(fleet_generation_next(f, "a"), 41);
    assert_int_equal(fleet_generation_jump(f, "a", INT64_MAX), 0);
    assert_int_equal(fleet_generation_next(f, "a"), -1);
    fleet_free(f);
}

static void commitments_are_per_job(void **unused)
{
    struct fleet *f = small_fleet(2);
    const struct fleet_device *d;
    const struct snapshot *s;
    char job[16];
    struct err err;

    (void)unused;
    join(f, "a", 8 * GIB, 4 * GIB, 0);
    d = fleet_find(f, "a");
    assert_int_equal(fleet_commit(f, "a", "j1", 100, NULL), 0);
    assert_int_equal(fleet_commit(f, "a", "j2", 50, NULL), 0);
    assert_int_equal(fleet_commit(f, "a", "j1", 70, NULL), 0);
    assert_int_equal(d->committed_bytes, 120);
    assert_int_equal(fleet_commit(f, "a", "j1", -1, &err), -1);
    s = fleet_snapshot(f, 0, 0, NULL);
    assert_int_equal(s->clients[0].committed_bytes, 120);
    assert_int_equal(client_committed_bytes(&s->clients[0], "j1"), 50);
    snapshot_unref(s);
    fleet_release(f, "a", "j1");
    fleet_release(f, "a", "j1");
    assert_int_equal(fleet_commit(f, "a", "j2", 0, NULL), 0);
    assert_int_equal(fleet_commit(f, "a", "j2", 0, NULL), 0);
    assert_int_equal(d->committed_bytes, 0);
    assert_int_equal(d->commitments, 0);
    for (int i = 0; i < FLEET_COMMITMENTS_MAX; i++) {
        snprintf(job, sizeof job, "job-%d", i);
        assert_int_equal(fleet_commit(f, "a", job, 1, NULL), 0);
    }
    assert_int_equal(fleet_commit(f, "a", "one-more", 1, &err), -1);
    assert_int_equal(err.code, ERR_TOO_BIG);
    fleet_free(f);
}

static void a_restart_brings_devices_back(void **unused)
{
    struct fleet *f = small_fleet(2);
    struct profile *p = profile_of("mini", 8 * GIB);
    struct fleet_saved saved = {"a", "key", "digest", -9000, -20000, 12};
    const struct fleet_device *d;
    struct device *shown;

    (void)unused;
    assert_int_equal(fleet_restore(f, &saved, &p, NULL), 0);
    assert_null(p);
    d = fleet_find(f, "a");
    assert_int_equal(d->liveness, LIVENESS_OFFLINE);
    assert_string_equal(d->name, "mini");
    assert_string_equal(d->profile_digest, "digest");
    assert_int_equal(fleet_generation_next(f, "a"), 13);
    assert_int_equal(fleet_device_to_model(f, d, 1000, &shown, NULL), 0);
    assert_int_equal(shown->last_seen_age_ms, 10000);
    assert_int_equal(shown->profile_age_ms, 21000);
    assert_int_equal(shown->state_age_ms, UNKNOWN_I64);
    device_free(shown);
    p = profile_of("mini", 8 * GIB);
    assert_int_equal(fleet_restore(f, &saved, &p, NULL), -1);
    assert_non_null(p);
    profile_free(p);
    fleet_free(f);
}

static void times_may_change_while_running(void **unused)
{
    struct fleet *f = small_fleet(2);

    (void)unused;
    join(f, "a", GIB, GIB, 0);
    assert_int_equal(fleet_set_times(f, 10, 5, NULL), -1);
    assert_int_equal(fleet_set_times(f, 10, 20, NULL), 0);
    assert_int_equal(fleet_tick(f, 11, NULL, NULL), 1);
    assert_int_equal(fleet_find(f, "a")->liveness, LIVENESS_LATE);
    /* a clock that seems to go back makes nobody younger */
    assert_int_equal(fleet_heard(f, "a", -100), 1);
    assert_int_equal(fleet_find(f, "a")->heard_ms, 0);
    fleet_free(f);
}

/* A hundred thousand in no order: every one found, paged and in the snapshot. */
static void a_large_fleet_works(void **unused)
{
    enum { N = 100000 };
    struct fleet *f = small_fleet(N);
    const struct fleet_device *d;
    const struct snapshot *s;
    char id[16], last[16] = "";
    size_t seen = 0;

    (void)unused;
    for (unsigned i = 0; i < N; i++) {
        struct state *state = state_of((int64_t)(i % 7) * GIB);

        snprintf(id, sizeof id, "d%06u", (unsigned)(((uint64_t)i * 7919) % N));
        assert_int_equal(fleet_enrol(f, id, NULL, NULL), 0);
        assert_int_equal(fleet_state(f, id, &state, 0, NULL), 1);
    }
    for (d = fleet_next(f, NULL); d; d = fleet_next(f, d->id), seen++) {
        assert_true(strcmp(last, d->id) < 0);
        snprintf(last, sizeof last, "%s", d->id);
    }
    assert_int_equal(seen, N);
    s = fleet_snapshot(f, 0, 0, NULL);
    assert_int_equal(s->clients_count, N);
    assert_int_equal(s->classes_count, 7);
    snapshot_unref(s);
    assert_int_equal(fleet_tick(f, 2000, NULL, NULL), N);
    fleet_free(f);
}

/* Whichever allocation fails, the call refuses and the fleet is as it was. */
static void reports_survive_lost_memory(void **unused)
{
    struct fleet *f = small_fleet(3);
    struct state *s = state_of(4 * GIB);
    struct profile *p = profile_of("new", 16 * GIB);
    const struct snapshot *snap = NULL;
    unsigned nth;
    int rc;

    (void)unused;
    join(f, "a", 8 * GIB, GIB, 0);
    for (nth = 1, rc = -1; rc < 0 && nth < 1000; nth++) {
        mem_fail_at(nth);
        rc = fleet_enrol(f, "b", "key", NULL);
        mem_fail_at(0);
        assert_int_equal(fleet_counts(f).enrolled, rc < 0 ? 1 : 2);
    }
    assert_in_range(nth, 4, 999);
    for (nth = 1, rc = -1; rc < 0 && nth < 1000; nth++) {
        mem_fail_at(nth);
        rc = fleet_profile(f, "a", &p, "d2", 7, NULL);
        mem_fail_at(0);
        assert_true((rc < 0) == (p != NULL));
        assert_string_equal(fleet_find(f, "a")->name, rc < 0 ? "a" : "new");
        assert_int_equal(fleet_counts(f).classes, 2);
    }
    assert_in_range(nth, 4, 999);
    for (nth = 1, rc = -1; rc < 0 && nth < 1000; nth++) {
        mem_fail_at(nth);
        rc = fleet_state(f, "a", &s, 8, NULL);
        mem_fail_at(0);
        assert_true((rc < 0) == (s != NULL));
        assert_int_equal(fleet_counts(f).classes, 2);
    }
    assert_in_range(nth, 3, 999);
    for (nth = 1, rc = -1; rc < 0 && nth < 1000; nth++) {
        mem_fail_at(nth);
        rc = fleet_commit(f, "a", "job", 5, NULL);
        mem_fail_at(0);
        assert_int_equal(fleet_find(f, "a")->committed_bytes, rc < 0 ? 0 : 5);
    }
    assert_in_range(nth, 3, 999);
    for (nth = 1; !snap && nth < 1000; nth++) {
        mem_fail_at(nth);
        snap = fleet_snapshot(f, 9, 9, NULL);
        mem_fail_at(0);
    }
    assert_in_range(nth, 8, 999);
    assert_int_equal(snap->clients_count, 2);
    snapshot_unref(snap);
    fleet_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_lives),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(a_full_fleet_refuses),
        cmocka_unit_test(strangers_are_unknown),
        cmocka_unit_test(classes_go_by_size_then_key),
        cmocka_unit_test(an_unchanged_fleet_gets_the_same_snapshot),
        cmocka_unit_test(pages_go_by_id),
        cmocka_unit_test(names_find_devices),
        cmocka_unit_test(generations_only_rise),
        cmocka_unit_test(commitments_are_per_job),
        cmocka_unit_test(a_restart_brings_devices_back),
        cmocka_unit_test(times_may_change_while_running),
        cmocka_unit_test(a_large_fleet_works),
        cmocka_unit_test(reports_survive_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
