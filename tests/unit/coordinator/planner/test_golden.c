/* test_golden.c - whole plans of a fixed fleet, kept as text under tests/data/golden/planner.
 *
 * A change of the planner shows there as a difference to be read. ESPALIER_GOLDEN=write writes the
 * files anew. Numbers have six digits: libraries differ in the last ones. */
#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

static void compare(const char *name, const struct plan *plan)
{
    char path[512], *wanted, *got = kit_dump(&plan_type, plan);
    size_t len = strlen(got), have;
    FILE *f;

    snprintf(path, sizeof path, "%s/golden/planner/%s.txt", ESPALIER_TEST_DATA, name);
    if (getenv("ESPALIER_GOLDEN")) {
        f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(got, 1, len, f), len);
        assert_int_equal(fclose(f), 0);
    }
    f = fopen(path, "rb");
    if (!f)
        fail_msg("no %s: ESPALIER_GOLDEN=write makes it", path);
    wanted = calloc(1, len + 2);
    assert_non_null(wanted);
    have = fread(wanted, 1, len + 1, f);
    assert_int_equal(fclose(f), 0);
    if (have != len || memcmp(wanted, got, len) != 0) {
        size_t at = 0;

        while (at < have && wanted[at] == got[at])
            at++;
        while (at > 0 && got[at - 1] != '\n')
            at--;
        fail_msg("%s differs from byte %zu on:\nwas  %.120s\nis   %.120s", path, at, wanted + at,
                 got + at);
    }
    free(wanted);
    mem_free(got);
}

/* A Mac too small, one offline, one hot, three that train; an engine with one good idea, one bad.
 */
static void federated_plan_is_as_it_was(void **state)
{
    static const struct kit_mac macs[] = {
        {"air", "Apple M1", 7, 8, 5, 10, 50, 0},
        {"desk", "Apple M2 Pro", 19, 32, 0, 100, 400, 0},
        {"hot", "Apple M3 Pro", 18, 36, 0, 50, 100, 0},
        {"mini", "Apple M4", 10, 16, 0, 40, 200, 0},
        {"mini-2", "Apple M4", 10, 16, 0, 40, 200, 4},
        {"studio", "Apple M2 Ultra", 76, 192, 0, 1000, 1000, 0},
    };
    struct snapshot *s = kit_fleet(macs, 6);
    struct job *j = kit_job(KIT_QWEN_4B);
    struct federated_proposal *p = federated_proposal_new(NULL);
    struct client_optimization *c;
    struct plan *plan;

    (void)state;
    s->classes[2].state->thermal = THERMAL_SERIOUS;
    s->clients[4].liveness = LIVENESS_OFFLINE;
    j->federated->round->deadline_seconds = 1200;
    assert_non_null(p);
    p->resource_allocation = resource_allocation_new(NULL);
    assert_non_null(p->resource_allocation);
    p->resource_allocation->rank = 4;
    c = records_add(&client_optimization_type, &p->client_optimization,
                    &p->client_optimization_count, NULL);
    assert_true(c && text_set(&c->client_class, "c2", NULL) == 0);
    c->batch_size = 4096; /* never fits */
    c->grad_accumulation = 1;
    plan = kit_plan(s, j, ENGINE_KIND_LM, p, NULL);
    assert_non_null(plan);
    compare("federated", plan);
    plan_free(plan);
    federated_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void pipeline_plan_is_as_it_was(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_pipeline();
    struct plan *plan;

    (void)state;
    kit_stage(j, "evaluate", STAGE_KIND_EVALUATION, "train", 2e14, 8, 0.001);
    kit_stage(j, "report", STAGE_KIND_MONITORING, "load", 3e14, 1, 0);
    plan = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    compare("pipeline", plan);
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(federated_plan_is_as_it_was),
        cmocka_unit_test(pipeline_plan_is_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
