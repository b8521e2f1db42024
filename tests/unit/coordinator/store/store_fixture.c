/* store_fixture.c - see store_fixture.h. */
#include "store_fixture.h"

#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/net/actor.h"
#include "common/net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WAIT_MS                                                                      \
    30000 /* far more than any operation takes; a test that waits so long has failed \
           */

void fixture_open(struct store_fixture *fx)
{
    memset(fx, 0, sizeof *fx);
    snprintf(fx->folder, sizeof fx->folder, "store-test-XXXXXX");
    assert_non_null(mkdtemp(fx->folder));
    snprintf(fx->path, sizeof fx->path, "%s/store.db", fx->folder);
    assert_non_null(fx->net = net_new(1, NULL));
}

void fixture_close(struct store_fixture *fx)
{
    net_free(fx->net);
    file_remove_tree(fx->folder, NULL);
}

struct store *fixture_store(const struct store_fixture *fx, bool memory)
{
    struct store_settings settings = {.path = memory ? NULL : fx->path};
    struct err err = {ERR_NONE, ""};
    struct store *s = store_open(fx->net, &settings, &err);

    if (!s)
        fail_msg("store_open: %s", err.text);
    return s;
}

struct store_result *store_next(struct store *s)
{
    struct store_result *r = NULL;

    for (int i = 0; i < WAIT_MS && !(r = store_receive(s)); i++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    assert_non_null(r);
    return r;
}

struct store_result *store_call(struct store *s, struct store_op *op)
{
    struct err err = {ERR_NONE, ""};

    assert_non_null(op);
    if (store_submit(s, &op, &err) < 0)
        fail_msg("store_submit: %s", err.text);
    assert_null(op);
    assert_int_equal(store_pending(s), 1);
    return store_next(s);
}

void store_expect(struct store *s, struct store_op *op)
{
    struct store_result *r = store_call(s, op);

    if (r->err.code != ERR_NONE)
        fail_msg("%s: %s", store_kind_name(r->kind), r->err.text);
    store_result_free(r);
}

struct store_op *op_of(enum store_kind kind)
{
    struct store_op *op = store_op_new(kind, 7, 1000, NULL);

    assert_non_null(op);
    return op;
}

struct plan *plan_for_test(const char *plan_id, const char *job_id, size_t clients,
                           int64_t generation)
{
    struct plan *p = plan_new(NULL);
    char id[32];

    p->format_version = 1;
    text_set(&p->plan_id, plan_id, NULL);
    text_set(&p->job_id, job_id, NULL);
    text_set(&p->job_name, "a job", NULL);
    p->kind = PLAN_KIND_FEDERATED;
    p->state = PLAN_STATE_ACTIVE;
    p->engine_asked = ENGINE_KIND_ANALYTIC;
    p->created_ms = 1000;
    p->federated = federated_plan_new(NULL);
    p->federated->aggregation = AGGREGATION_FEDAVG;
    p->forecast = forecast_new(NULL);
    p->forecast->clients = (int64_t)clients;
    for (size_t i = 0; i < clients; i++) {
        struct assignment *a =
            records_add(&assignment_type, &p->assignments, &p->assignments_count, NULL);

        snprintf(id, sizeof id, "d%zu", i + 1);
        text_set(&a->coordinator_id, "c", NULL);
        text_set(&a->plan_id, plan_id, NULL);
        text_set(&a->job_id, job_id, NULL);
        text_set(&a->device_id, id, NULL);
        text_set(&a->device_name, "mac", NULL);
        text_set(&a->reason, "fits", NULL);
        a->generation = generation;
        a->kind = PLAN_KIND_FEDERATED;
        a->participate = TRI_FALSE;
    }
    return p;
}

struct job *job_for_test(const char *job_id)
{
    struct job *j = job_new(NULL);
    struct stage *stage;

    j->format_version = 1;
    text_set(&j->job_id, job_id, NULL);
    j->pipeline = pipeline_job_new(NULL);
    stage = records_add(&stage_type, &j->pipeline->stages, &j->pipeline->stages_count, NULL);
    text_set(&stage->name, "load", NULL);
    stage->kind = STAGE_KIND_DATA_LOADING;
    return j;
}

struct store_op *plan_op(const char *plan_id, const char *job_id, size_t clients,
                         int64_t generation)
{
    struct store_op *op = op_of(STORE_PLAN);

    op->plan = plan_for_test(plan_id, job_id, clients, generation);
    op->job = job_for_test(job_id);
    return op;
}

struct store_op *delivery_op(const char *plan_id, const char *device_id, int state,
                             int64_t attempts)
{
    struct store_op *op = op_of(STORE_DELIVERIES);
    struct delivery *d = records_add(&delivery_type, &op->deliveries, &op->deliveries_count, NULL);

    text_set(&d->plan_id, plan_id, NULL);
    text_set(&d->device_id, device_id, NULL);
    text_set(&d->reason, "so it is", NULL);
    d->state = state;
    d->attempts = attempts;
    d->updated_ms = 2000;
    return op;
}

struct store_op *measurement_op(const char *plan_id, const char *device_id, int64_t first,
                                int64_t count)
{
    struct store_op *op = op_of(STORE_MEASUREMENTS);

    for (int64_t i = first; i < first + count; i++) {
        struct device_measurement *d =
            records_add(&device_measurement_type, &op->measurements, &op->measurements_count, NULL);

        text_set(&d->device_id, device_id, NULL);
        d->measurement = measurement_new(NULL);
        text_set(&d->measurement->plan_id, plan_id, NULL);
        text_set(&d->measurement->job_id, "j1", NULL);
        d->measurement->generation = 1;
        d->measurement->sequence = i;
        d->measurement->loss = 1.5;
    }
    return op;
}

struct store_op *get_op(enum store_kind kind, const char *plan_id, const char *device_id)
{
    struct store_op *op = op_of(kind);

    text_set(&op->plan_id, plan_id, NULL);
    text_set(&op->device_id, device_id, NULL);
    return op;
}
