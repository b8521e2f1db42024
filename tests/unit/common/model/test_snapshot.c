/* test_snapshot.c - one immutable picture of the fleet, shared by counting. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/snapshot.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct snapshot *of_two(void)
{
    struct snapshot *s = snapshot_new(1, 2, NULL);
    struct client *c;

    assert_non_null(s);
    s->classes[0].profile = profile_new(NULL);
    s->classes[0].state = state_new(NULL);
    s->classes[0].devices = 2;
    c = &s->clients[1];
    c->device_id = mem_strdup("d2");
    c->name = mem_strdup("studio");
    c->committed_job_ids = mem_calloc(2, sizeof(char *));
    c->committed_job_bytes = mem_calloc(2, sizeof(int64_t));
    c->committed_jobs = 2;
    c->committed_job_ids[0] = mem_strdup("a");
    c->committed_job_ids[1] = mem_strdup("b");
    c->committed_job_bytes[0] = 5;
    c->committed_job_bytes[1] = 7;
    return s;
}

/* Example of use: whoever holds a reference may read; the last one frees. */
static void a_snapshot_is_shared(void **state)
{
    struct snapshot *s = of_two();
    const struct snapshot *other = snapshot_ref(s);

    (void)state;
    snapshot_unref(s);
    assert_int_equal(other->clients_count, 2);
    assert_string_equal(other->clients[1].device_id, "d2");
    snapshot_unref(other);
    snapshot_unref(NULL);
}

static void other_jobs_commitments_are_summed(void **state)
{
    struct snapshot *s = of_two();

    (void)state;
    assert_int_equal(client_committed_bytes(&s->clients[1], "a"), 7);
    assert_int_equal(client_committed_bytes(&s->clients[1], "b"), 5);
    assert_int_equal(client_committed_bytes(&s->clients[1], "new"), 12);
    assert_int_equal(client_committed_bytes(&s->clients[0], "a"), 0);
    snapshot_unref(s);
}

static void an_empty_fleet_is_a_fleet(void **state)
{
    struct snapshot *s = snapshot_new(0, 0, NULL);

    (void)state;
    assert_non_null(s);
    assert_int_equal(s->clients_count, 0);
    snapshot_unref(s);
}

static void every_allocation_failed(void **state)
{
    struct snapshot *s = NULL;
    unsigned nth = 0;

    (void)state;
    while (!s && nth < 100) {
        struct err err = {.code = ERR_NONE};

        mem_fail_at(++nth);
        s = snapshot_new(3, 5, &err);
        mem_fail_at(0);
        assert_true(s || err.code == ERR_NOMEM);
    }
    assert_int_equal(nth, 4); /* itself, classes, clients, and then none */
    snapshot_unref(s);
}

static void *hold_and_let_go(void *arg)
{
    for (int i = 0; i < 1000; i++)
        snapshot_unref(snapshot_ref(arg));
    return NULL;
}

static void threads_count_together(void **state)
{
    struct snapshot *s = of_two();
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_let_go, s), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s->refs, 1);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_is_shared),
        cmocka_unit_test(other_jobs_commitments_are_summed),
        cmocka_unit_test(an_empty_fleet_is_a_fleet),
        cmocka_unit_test(every_allocation_failed),
        cmocka_unit_test(threads_count_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
