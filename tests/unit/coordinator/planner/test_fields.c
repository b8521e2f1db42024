/* test_fields.c - every row of the two tables moves the plan, and is recorded as used. */
#include "coordinator/planner/fields.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

/* ---- federated ---- */

static struct federated_proposal *empty_federated(void)
{
    struct federated_proposal *p = federated_proposal_new(NULL);

    assert_non_null(p);
    p->optimization_strategy = optimization_strategy_new(NULL);
    p->resource_allocation = resource_allocation_new(NULL);
    p->communication_protocol = communication_protocol_new(NULL);
    p->convergence_strategy = convergence_strategy_new(NULL);
    assert_non_null(p->optimization_strategy);
    assert_non_null(p->resource_allocation);
    assert_non_null(p->communication_protocol);
    assert_non_null(p->convergence_strategy);
    return p;
}

static struct client_optimization *client_for(struct federated_proposal *p, const char *class_id)
{
    struct client_optimization *c = records_add(&client_optimization_type, &p->client_optimization,
                                                &p->client_optimization_count, NULL);

    assert_non_null(c);
    assert_int_equal(text_set(&c->client_class, class_id, NULL), 0);
    return c;
}

/* One value within the envelope, other than the planner's own. c1 is a small part of the fleet, so
 * that what slows it does not make the whole plan worse. */
static void federated_change(enum federated_field id, struct federated_proposal *p)
{
    static const char *const others[] = {"c2", "c3", "c4"};

    switch (id) {
    case FF_STRATEGY_FORMAT:
        p->optimization_strategy->model_format = MODEL_FORMAT_Q4G64;
        break;
    case FF_STRATEGY_CHECKPOINT: /* for c1: the others have their own */
        p->optimization_strategy->grad_checkpoint = TRI_TRUE;
        for (int i = 0; i < 3; i++)
            client_for(p, others[i])->grad_checkpoint = TRI_FALSE;
        break;
    case FF_STRATEGY_SEQUENCE:
        p->optimization_strategy->sequence_length = 320;
        break;
    case FF_RANK:
        p->resource_allocation->rank = 4;
        break;
    case FF_LAYERS:
        p->resource_allocation->layers = 12;
        break;
    case FF_MEMORY_SHARE:
        p->resource_allocation->memory_share = 0.85;
        break;
    case FF_CLIENT_CLASS:
        client_for(p, "c2")->local_steps = 70;
        break;
    case FF_PARTICIPATE:
        client_for(p, "c1")->participate = TRI_FALSE;
        break;
    case FF_FORMAT:
        client_for(p, "c1")->model_format = MODEL_FORMAT_Q4G64;
        break;
    case FF_BATCH:
        client_for(p, "c1")->batch_size = 2;
        break;
    case FF_ACCUMULATION:
        client_for(p, "c1")->grad_accumulation = 4;
        break;
    case FF_SEQUENCE:
        client_for(p, "c1")->sequence_length = 256;
        break;
    case FF_CHECKPOINT:
        client_for(p, "c1")->grad_checkpoint = TRI_TRUE;
        break;
    case FF_LOCAL_STEPS:
        client_for(p, "c1")->local_steps = 20;
        break;
    case FF_UPLOAD_FORMAT:
        p->communication_protocol->upload_format = UPLOAD_FORMAT_INT8;
        break;
    case FF_LEARNING_RATE:
        p->convergence_strategy->learning_rate = 2e-5;
        break;
    case FF_LR_SCHEDULE:
        p->convergence_strategy->lr_schedule = LR_SCHEDULE_COSINE;
        break;
    case FF_WARMUP_STEPS:
        p->convergence_strategy->warmup_steps = 5;
        break;
    case FF_STEPS_MAX:
        p->convergence_strategy->local_steps_max = 290;
        break;
    case FF_SERVER_LEARNING_RATE:
        p->convergence_strategy->server_learning_rate = 0.5;
        break;
    case FF_PROXIMAL_MU:
        p->convergence_strategy->proximal_mu = 0.1;
        break;
    default:
        fail_msg("row %d has no test", id);
    }
}

/* What reaches the clients and the aggregator: the plan without who proposed what. */
static char *what_matters(const struct plan *plan)
{
    char *text = mem_strdup("");

    assert_non_null(text);
    for (size_t i = 0; i <= plan->assignments_count; i++) {
        char *part, *both;
        size_t a = strlen(text), b;

        if (i == plan->assignments_count)
            part = plan->federated ? kit_dump(&federated_plan_type, plan->federated)
                                   : kit_dump(&pipeline_plan_type, plan->pipeline);
        else if (plan->assignments[i].training)
            part = kit_dump(&training_type, plan->assignments[i].training);
        else
            part = mem_strdup("none\n");
        assert_non_null(part);
        b = strlen(part);
        both = mem_alloc(a + b + 1);
        assert_non_null(both);
        memcpy(both, text, a);
        memcpy(both + a, part, b + 1);
        mem_free(text);
        mem_free(part);
        text = both;
    }
    return text;
}

static void every_federated_field_moves_the_plan(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct plan *own;
    char *before;

    (void)state;
    j->federated->aggregation = aggregation_spec_new(NULL);
    assert_non_null(j->federated->aggregation);
    j->federated->aggregation->strategy = AGGREGATION_FEDPROX;
    own = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(own);
    before = what_matters(own);
    for (int id = 0; id < FEDERATED_FIELDS; id++) {
        const struct field_map *row = &federated_field_map[id];
        struct federated_proposal *p;
        struct plan *plan;
        bool used = false;
        char *after;

        if (row->prose)
            continue;
        p = empty_federated();
        federated_change((enum federated_field)id, p);
        plan = kit_plan(s, j, ENGINE_KIND_LM, p, NULL);
        assert_non_null(plan);
        after = what_matters(plan);
        if (strcmp(before, after) == 0)
            fail_msg("%s changes nothing: %s", row->proposal_field, plan->engine_text);
        for (size_t i = 0; i < plan->decisions_count; i++)
            used = used || ((strcmp(plan->decisions[i].field, row->proposal_field) == 0 ||
                             id == FF_CLIENT_CLASS) &&
                            plan->decisions[i].outcome == OUTCOME_USED &&
                            plan->decisions[i].engine == ENGINE_KIND_LM);
        if (!used)
            fail_msg("%s is not recorded as used: %s", row->proposal_field, plan->engine_text);
        mem_free(after);
        plan_free(plan);
        federated_proposal_free(p);
    }
    mem_free(before);
    plan_free(own);
    job_free(j);
    snapshot_unref(s);
}

/* ---- pipeline ---- */

static struct pipeline_proposal *empty_pipeline(void)
{
    struct pipeline_proposal *p = pipeline_proposal_new(NULL);

    assert_non_null(p);
    p->pipeline_architecture = pipeline_architecture_new(NULL);
    assert_non_null(p->pipeline_architecture);
    return p;
}

static struct stage_schedule *schedule_for(struct pipeline_proposal *p, const char *stage)
{
    struct stage_schedule *r = records_add(&stage_schedule_type, &p->resource_scheduling,
                                           &p->resource_scheduling_count, NULL);

    assert_non_null(r);
    assert_int_equal(text_set(&r->stage, stage, NULL), 0);
    return r;
}

static struct monitor_rule *rule_for(struct pipeline_proposal *p, const char *stage, int metric)
{
    struct monitor_rule *r = records_add(&monitor_rule_type, &p->monitoring_strategy,
                                         &p->monitoring_strategy_count, NULL);

    assert_non_null(r);
    assert_int_equal(text_set(&r->stage, stage, NULL), 0);
    r->metric = metric;
    return r;
}

static struct deploy_step *step_for(struct pipeline_proposal *p, int64_t order, const char *stage,
                                    int action)
{
    struct deploy_step *d =
        records_add(&deploy_step_type, &p->deployment_plan, &p->deployment_plan_count, NULL);

    assert_non_null(d);
    assert_int_equal(text_set(&d->stage, stage, NULL), 0);
    d->order = order;
    d->action = action;
    return d;
}

static void pipeline_change(enum pipeline_field id, struct pipeline_proposal *p)
{
    struct stage_group *g;

    switch (id) {
    case PF_MAX_DEVICES:
        p->pipeline_architecture->max_devices = 1;
        break;
    case PF_COLOCATE:
        g = records_add(&stage_group_type, &p->pipeline_architecture->colocate,
                        &p->pipeline_architecture->colocate_count, NULL);
        assert_non_null(g);
        assert_int_equal(texts_add(&g->stages, &g->stages_count, "left", NULL), 0);
        assert_int_equal(texts_add(&g->stages, &g->stages_count, "right", NULL), 0);
        break;
    case PF_STAGE: /* which stage an entry speaks of decides what it moves */
    case PF_CLIENT_CLASS:
        assert_int_equal(text_set(&schedule_for(p, "left")->client_class, "c3", NULL), 0);
        break;
    case PF_PRIORITY:
        schedule_for(p, "left")->priority = 900;
        schedule_for(p, "right")->priority = 1000;
        break;
    case PF_MONITOR_STAGE:
    case PF_METRIC:
        rule_for(p, "left", METRIC_QUEUE_LENGTH)->warn = 3;
        break;
    case PF_WARN:
        rule_for(p, "left", METRIC_STAGE_SECONDS)->warn = 1;
        break;
    case PF_PAGE:
        rule_for(p, "left", METRIC_STAGE_SECONDS)->page = 1e6;
        break;
    case PF_WINDOW:
        rule_for(p, "left", METRIC_STAGE_SECONDS)->window_seconds = 777;
        break;
    case PF_DEPLOY_ORDER: /* right before left: the planner has it the other way */
        step_for(p, 1, "load", DEPLOY_ACTION_START);
        step_for(p, 2, "right", DEPLOY_ACTION_START);
        step_for(p, 3, "left", DEPLOY_ACTION_START);
        break;
    case PF_DEPLOY_STAGE:
    case PF_DEPLOY_ACTION:
        step_for(p, 1, "right", DEPLOY_ACTION_CANARY);
        break;
    default:
        fail_msg("row %d has no test", id);
    }
}

/* load, then two equal halves side by side, on two equal Macs and a third a little slower. */
static struct job *two_sided(struct snapshot **fleet)
{
    static const struct kit_mac macs[] = {
        {"a", "Apple M3 Max", 40, 48, 0, 1000, 1000, 0},
        {"b", "Apple M3 Max", 40, 48, 0, 1000, 1000, 1},
        {"c", "Apple M4 Max", 40, 64, 0, 1000, 1000, 0},
        {"d", "Apple M2 Max", 38, 64, 0, 1000, 1000, 0},
    };
    struct job *j = job_new(NULL);

    assert_non_null(j);
    *fleet = kit_fleet(macs, 4);
    j->format_version = 1;
    assert_int_equal(text_set(&j->job_id, "sides", NULL), 0);
    j->pipeline = pipeline_job_new(NULL);
    assert_non_null(j->pipeline);
    kit_stage(j, "load", STAGE_KIND_DATA_LOADING, NULL, 1e16, 1, 0.001);
    kit_stage(j, "left", STAGE_KIND_PREPROCESSING, "load", 1e13, 1, 0.001);
    kit_stage(j, "right", STAGE_KIND_PREPROCESSING, "load", 1e13, 1, 0.001);
    return j;
}

static void every_pipeline_field_moves_the_plan(void **state)
{
    struct snapshot *s;
    struct job *j = two_sided(&s);
    struct plan *own = kit_pipeline_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    char *before;

    (void)state;
    assert_non_null(own);
    before = what_matters(own);
    for (int id = 0; id < PIPELINE_FIELDS; id++) {
        const struct field_map *row = &pipeline_field_map[id];
        struct pipeline_proposal *p;
        struct plan *plan;
        char *after;

        if (row->prose)
            continue;
        p = empty_pipeline();
        pipeline_change((enum pipeline_field)id, p);
        plan = kit_pipeline_plan(s, j, ENGINE_KIND_LM, p, NULL);
        assert_non_null(plan);
        after = what_matters(plan);
        if (strcmp(before, after) == 0)
            fail_msg("%s changes nothing: %s", row->proposal_field, plan->engine_text);
        mem_free(after);
        plan_free(plan);
        pipeline_proposal_free(p);
    }
    mem_free(before);
    plan_free(own);
    job_free(j);
    snapshot_unref(s);
}

/* ---- the tables themselves ---- */

static void check_rows(const struct field_map *rows, size_t count,
                       const struct record_type *proposal)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *output = record_field(proposal, rows[i].output);

        if (!output)
            fail_msg("row %zu: no output %s", i, rows[i].output);
        if (output && rows[i].member[0] && !record_field(output->record, rows[i].member))
            fail_msg("row %zu: no member %s.%s", i, rows[i].output, rows[i].member);
        assert_non_null(rows[i].within[0]);
        assert_non_null(rows[i].plan_field[0]);
    }
    for (size_t k = 0; k < proposal->count; k++) { /* and no member is without a row */
        const struct record_type *r = proposal->fields[k].record;

        for (size_t m = 0; r && m < r->count; m++) {
            bool found = false;

            for (size_t i = 0; i < count; i++)
                found = found || (strcmp(rows[i].output, proposal->fields[k].name) == 0 &&
                                  strcmp(rows[i].member, r->fields[m].name) == 0);
            if (!found)
                fail_msg("%s.%s has no row", proposal->fields[k].name, r->fields[m].name);
        }
    }
}

static void the_tables_cover_every_member_of_a_proposal(void **state)
{
    (void)state;
    assert_int_equal(federated_field_map_count, FEDERATED_FIELDS);
    assert_int_equal(pipeline_field_map_count, PIPELINE_FIELDS);
    check_rows(federated_field_map, federated_field_map_count, &federated_proposal_type);
    check_rows(pipeline_field_map, pipeline_field_map_count, &pipeline_proposal_type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_federated_field_moves_the_plan),
        cmocka_unit_test(every_pipeline_field_moves_the_plan),
        cmocka_unit_test(the_tables_cover_every_member_of_a_proposal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
