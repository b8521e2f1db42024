/* test_federated.c - federated plans: each Mac its own part, and what happens at every limit. */
#include "coordinator/planner/federated.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GIB 1073741824.0

/* The happy path, as a caller writes it. */
static void every_mac_gets_its_own_part(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct policy policy = policy_default();
    struct envelope *e = envelope_build(s, j, &policy, NULL);
    struct federated_proposal *p = NULL;
    struct plan *plan = NULL;
    const struct training *small, *large;

    (void)state;
    assert_non_null(e);
    assert_int_equal(federated_propose(s, j, e, &p, NULL), 0);
    assert_int_equal(federated_verify(s, j, e, ENGINE_KIND_ANALYTIC, p, &plan, NULL), 0);

    assert_int_equal(plan->assignments_count, 4);
    small = kit_assignment(plan, "mac-1")->training;
    large = kit_assignment(plan, "mac-4")->training;
    assert_true(small->batch_size < large->batch_size);
    assert_true(small->local_steps * 5 < large->local_steps);
    assert_int_equal(small->batch_size * small->grad_accumulation, 8);
    assert_int_equal(small->iters, small->local_steps * small->grad_accumulation);
    assert_int_equal(small->rank, large->rank);
    assert_string_equal(small->model_path, "base-bf16");
    assert_true(plan->forecast->tokens_per_second > 2 * plan->baseline->tokens_per_second);
    assert_true(plan->forecast->round_seconds <= 600);
    assert_non_null(strstr(kit_reason(kit_assignment(plan, "mac-1"), "training.batch_size"), "GB"));
    plan_free(plan);
    federated_proposal_free(p);
    envelope_free(e);
    job_free(j);
    snapshot_unref(s);
}

/* The planner's own answer, verified, is the plan without any answer; only the decisions differ. */
static void the_own_proposal_changes_nothing(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct policy policy = policy_default();

    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        struct job *j = kit_job(KIT_LLAMA_1B);
        struct envelope *e;
        struct federated_proposal *p = NULL;
        struct plan *with, *without;

        if (variant > 0)
            j->federated->round->deadline_seconds = UNKNOWN_F64;
        if (variant == 1)
            j->federated->round->token_goal = 1e6;
        e = envelope_build(s, j, &policy, NULL);
        assert_non_null(e);
        assert_int_equal(federated_propose(s, j, e, &p, NULL), 0);
        with = kit_plan(s, j, ENGINE_KIND_ANALYTIC, p, NULL);
        without = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
        assert_non_null(with);
        assert_non_null(without);
        for (size_t i = 0; i < 4; i++)
            assert_true(record_equal(&training_type, with->assignments[i].training,
                                     without->assignments[i].training));
        assert_true(record_equal(&forecast_type, with->forecast, without->forecast));
        assert_int_equal(kit_decision(with, "c1", "client_optimization[].batch_size")->outcome,
                         OUTCOME_USED);
        assert_int_equal(kit_decision(without, "c1", "client_optimization[].batch_size")->outcome,
                         OUTCOME_MISSING);
        plan_free(with);
        plan_free(without);
        federated_proposal_free(p);
        envelope_free(e);
        job_free(j);
    }
    snapshot_unref(s);
}

static void what_fits_nowhere_is_left_out_with_what_would_help(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_8B);
    struct plan *plan;
    const struct assignment *a;

    (void)state;
    j->federated->model->variants_count = 1; /* bf16 only */
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    a = kit_assignment(plan, "mac-1");
    assert_int_equal(a->participate, TRI_FALSE);
    assert_null(a->training);
    assert_int_equal(a->reasons[0].constraint, CONSTRAINT_MEMORY);
    assert_non_null(strstr(a->reason, "more would let it in"));
    assert_int_equal(kit_assignment(plan, "mac-4")->participate, TRI_TRUE);
    plan_free(plan);
    j->federated->model->variants_count = 2;
    job_free(j);
    snapshot_unref(s);
}

static void nobody_fits_and_the_error_counts_why(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_8B);
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        s->classes[i].state->memory_available_bytes = (int64_t)(2 * GIB);
    s->clients[3].liveness = LIVENESS_OFFLINE;
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
    print_message("%s\n", err.text);
    assert_non_null(strstr(err.text, "no client of 4 can take part"));
    assert_non_null(strstr(err.text, "3 memory"));
    assert_non_null(strstr(err.text, "1 liveness"));
    assert_non_null(strstr(err.text, "nearest"));
    job_free(j);
    snapshot_unref(s);
    s = kit_fleet(NULL, 0);
    j = kit_job(KIT_LLAMA_1B);
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_non_null(strstr(err.text, "the fleet is empty"));
    job_free(j);
    snapshot_unref(s);
}

static void a_deadline_too_short_names_the_nearest(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct plan *plan;
    struct err err = {0};

    (void)state;
    j->federated->round->deadline_seconds = 30.15; /* warm-up and two latencies are 30.1 */
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
    print_message("%s\n", err.text);
    assert_non_null(strstr(err.text, "4 deadline"));
    assert_non_null(strstr(err.text, "nearest: deadline_seconds"));
    /* and that one can be met */
    j->federated->round->deadline_seconds = strtod(strstr(err.text, "deadline_seconds") + 16, NULL);
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err);
    assert_non_null(plan);
    assert_in_range(plan->forecast->clients, 1, 3); /* rounded up to whole seconds */
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static void other_jobs_memory_is_not_ours(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct client *c = &s->clients[2];
    struct plan *before = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL), *after;
    const struct assignment *a;

    (void)state;
    c->committed_job_ids = mem_calloc(2, sizeof(char *));
    c->committed_job_bytes = mem_calloc(2, sizeof(int64_t));
    assert_non_null(c->committed_job_ids);
    assert_non_null(c->committed_job_bytes);
    c->committed_job_ids[0] = mem_strdup("other");
    c->committed_job_ids[1] = mem_strdup("notes"); /* this very job: it will be superseded */
    c->committed_job_bytes[0] = (int64_t)(25 * GIB);
    c->committed_job_bytes[1] = (int64_t)(10 * GIB);
    c->committed_jobs = 2;
    after = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(before);
    assert_non_null(after);
    a = kit_assignment(after, "mac-3");
    assert_int_equal(a->memory_limit_bytes,
                     kit_assignment(before, "mac-3")->memory_limit_bytes - (int64_t)(25 * GIB));
    assert_true(a->training->batch_size < kit_assignment(before, "mac-3")->training->batch_size);
    assert_true(a->prediction->memory_bytes <= a->training->memory_limit_bytes);
    assert_non_null(strstr(a->memory_limit_source, "other jobs"));
    plan_free(before);
    plan_free(after);
    job_free(j);
    snapshot_unref(s);
}

static void data_bounds_steps_and_batches(void **state)
{
    static const struct {
        const char *id;
        int64_t examples;
    } rows[] = {{"mac-1", 3}, {"mac-2", 0}, {"mac-3", 100}};
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct data_spec *d = j->federated->data = data_spec_new(NULL);
    struct plan *plan;

    (void)state;
    assert_non_null(d);
    for (size_t i = 0; i < 3; i++) {
        struct client_data *c =
            records_add(&client_data_type, &d->clients, &d->clients_count, NULL);

        assert_non_null(c);
        assert_int_equal(text_set(&c->device_id, rows[i].id, NULL), 0);
        c->examples = rows[i].examples;
    }
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    /* three rows: one update of at most three sequences */
    assert_int_equal(kit_assignment(plan, "mac-1")->training->local_steps, 1);
    assert_true(kit_assignment(plan, "mac-1")->training->batch_size *
                    kit_assignment(plan, "mac-1")->training->grad_accumulation <=
                3);
    assert_int_equal(kit_assignment(plan, "mac-2")->participate, TRI_FALSE);
    assert_non_null(strstr(kit_assignment(plan, "mac-2")->reason, "no examples"));
    assert_int_equal(kit_assignment(plan, "mac-3")->training->local_steps, 12); /* 100 / 8 */
    assert_true(kit_assignment(plan, "mac-4")->training->local_steps >
                12); /* the job does not say */
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static void a_token_goal_sets_the_shortest_round(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct round_spec *r = j->federated->round;
    struct plan *plan;
    double round_seconds;

    (void)state;
    r->deadline_seconds = UNKNOWN_F64;
    r->token_goal = 2e6;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_true(plan->forecast->tokens_per_round >= 2e6);
    assert_true(plan->forecast->tokens_per_round < 2e6 + 4 * 8 * 512); /* no step too many */
    assert_true(plan->federated->deadline_seconds > plan->forecast->round_seconds);
    round_seconds = plan->forecast->round_seconds;
    plan_free(plan);
    r->token_goal = 4e6;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_true(plan->forecast->round_seconds > 1.8 * round_seconds);
    plan_free(plan);
    r->deadline_seconds = round_seconds; /* too short for 4e6 */
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_true(kit_warned(plan, "round.token_goal"));
    assert_true(plan->forecast->round_seconds <= round_seconds);
    plan_free(plan);
    r->deadline_seconds = UNKNOWN_F64;
    r->token_goal = 1e14; /* past local_steps_max */
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_true(kit_warned(plan, "round.token_goal"));
    assert_int_equal(kit_assignment(plan, "mac-1")->training->local_steps, 1000);
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static void without_deadline_or_goal_the_slowest_does_a_few_steps(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct plan *plan;

    (void)state;
    j->federated->round->deadline_seconds = UNKNOWN_F64;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_int_equal(kit_assignment(plan, "mac-1")->training->local_steps, 10);
    assert_true(kit_warned(plan, "neither deadline_seconds nor token_goal"));
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static void the_wanted_number_of_clients_is_over_selected(void **state)
{
    struct kit_mac macs[30];
    char ids[30][8];
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct snapshot *s;
    struct plan *plan;

    (void)state;
    for (int i = 0; i < 30; i++) {
        snprintf(ids[i], sizeof ids[i], "m%02d", i);
        macs[i] = (struct kit_mac){ids[i], "Apple M2 Pro", 19, 32, 0, 100, 100, i == 0 ? 0 : 1};
    }
    s = kit_fleet(macs, 30);
    j->federated->round->clients_wanted = 10;
    j->federated->round->dropout_rate = 0.1;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_int_equal(plan->forecast->clients, 13);
    assert_int_equal(plan->federated->min_reports, 7);
    for (size_t i = 0; i < 30; i++) /* all alike: the first by device id */
        assert_int_equal(plan->assignments[i].participate, i < 13 ? TRI_TRUE : TRI_FALSE);
    assert_non_null(strstr(plan->assignments[20].reason, "10 updates are wanted"));
    plan_free(plan);
    j->federated->round->min_reports = 14;
    {
        struct err err = {0};

        assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
        assert_int_equal(err.code, ERR_INFEASIBLE);
        assert_non_null(
            strstr(err.text, "round.min_reports: 14, the nearest that can be met is 13"));
    }
    job_free(j);
    snapshot_unref(s);
}

static struct privacy_spec *add_privacy(struct job *j)
{
    j->federated->privacy = privacy_spec_new(NULL);
    assert_non_null(j->federated->privacy);
    return j->federated->privacy;
}

static void privacy_sets_the_noise_and_says_when_it_is_useless(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct privacy_spec *p = add_privacy(j);
    struct err err = {0};
    struct plan *plan;

    (void)state;
    p->epsilon = 8;
    j->federated->round->rounds = 20;
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_non_null(strstr(err.text, "privacy.delta"));
    p->delta = 1e-3;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    kit_close(plan->federated->noise_multiplier, 2.335, 1e-3);
    assert_true(plan->federated->epsilon <= 8 && plan->federated->epsilon > 7.99);
    assert_int_equal(plan->federated->aggregation, AGGREGATION_FEDPROX); /* steps differ a lot */
    assert_true(kit_warned(plan, "is not useful here"));
    assert_true(kit_warned(plan, "same weight"));
    kit_close(kit_assignment(plan, "mac-1")->training->clip_norm, 1, 0);
    plan_free(plan);
    j->federated->aggregation = aggregation_spec_new(NULL);
    assert_non_null(j->federated->aggregation);
    j->federated->aggregation->strategy = AGGREGATION_FEDNOVA;
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "fednova"));
    j->federated->aggregation->strategy = AGGREGATION_FEDAVG;
    p->epsilon = 1e-6;
    p->delta = 1e-15;
    j->federated->round->rounds = 1000000;
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
    job_free(j);
    snapshot_unref(s);
}

static void secure_aggregation_keeps_updates_dense_and_clients_enough(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct federated_proposal *p = federated_proposal_new(NULL);
    struct err err = {0};
    struct plan *plan;

    (void)state;
    add_privacy(j)->secure_aggregation = TRI_TRUE;
    p->communication_protocol = communication_protocol_new(NULL);
    assert_non_null(p->communication_protocol);
    p->communication_protocol->upload_format = UPLOAD_FORMAT_INT8;
    plan = kit_plan(s, j, ENGINE_KIND_LM, p, NULL);
    assert_non_null(plan);
    assert_int_equal(plan->federated->upload_format, UPLOAD_FORMAT_F32);
    assert_int_equal(plan->federated->min_reports, 3); /* more than half of 4 */
    assert_int_equal(plan->federated->secure_aggregation, TRI_TRUE);
    assert_int_equal(kit_assignment(plan, "mac-2")->training->secure_aggregation, TRI_TRUE);
    assert_int_equal(kit_decision(plan, "", "communication_protocol.upload_format")->constraint,
                     CONSTRAINT_PRIVACY);
    plan_free(plan);
    s->clients[0].liveness = s->clients[1].liveness = LIVENESS_OFFLINE;
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(err.text, "privacy.min_clients"));
    federated_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void a_slow_link_costs_rank_or_format_before_the_client(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct plan *plan;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        s->clients[i].up_bps = 5e5; /* 11 MB take 180 s of 600: a fifth allows 120 */
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_int_equal(plan->forecast->clients, 4);
    assert_int_equal(plan->federated->upload_format, UPLOAD_FORMAT_F16);
    assert_int_equal(plan->federated->rank, 8);
    assert_int_equal(kit_assignment(plan, "mac-1")->training->upload_format, UPLOAD_FORMAT_INT8);
    assert_int_equal(kit_assignment(plan, "mac-4")->training->upload_format, UPLOAD_FORMAT_F16);
    plan_free(plan);
    j->federated->communication = communication_spec_new(NULL);
    assert_non_null(j->federated->communication);
    j->federated->communication->compression = COMPRESSION_UNIFORM;
    j->federated->tuning->rank_policy = RANK_POLICY_COMMON;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_int_equal(plan->forecast->clients, 4);
    assert_int_equal(plan->federated->upload_format, UPLOAD_FORMAT_INT8);
    assert_int_equal(kit_assignment(plan, "mac-4")->training->upload_format, UPLOAD_FORMAT_INT8);
    plan_free(plan);
    for (size_t i = 0; i < 3; i++)
        s->clients[i].up_bps = 1e3;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_int_equal(plan->forecast->clients, 1);
    assert_non_null(strstr(kit_assignment(plan, "mac-1")->reason, "Mbit/s would let it in"));
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static void full_training_wants_whole_weights(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct err err = {0};
    struct plan *plan;

    (void)state;
    j->federated->tuning->method = FINE_TUNE_METHOD_FULL;
    j->federated->round->deadline_seconds = 36000;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err);
    assert_non_null(plan);
    for (size_t i = 0; i < 4; i++)
        if (plan->assignments[i].training)
            assert_int_equal(plan->assignments[i].training->model_format, MODEL_FORMAT_BF16);
    plan_free(plan);
    j->federated->model->variants[0].format = MODEL_FORMAT_Q8G64;
    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    assert_int_equal(err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(err.text, "federated.model.variants"));
    job_free(j);
    snapshot_unref(s);
}

static void contradictions_are_named(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct {
        int64_t *field;
        int64_t value;
        const char *says;
    } rows[4];
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct tuning_spec *t = j->federated->tuning;

    (void)state;
    rows[0].field = &t->rank_min, rows[0].value = 9, rows[0].says = "tuning.rank_min: 9";
    rows[1].field = &t->layers, rows[1].value = 17, rows[1].says = "tuning.layers: 17";
    rows[2].field = &t->sequence_length_min, rows[2].value = 513,
    rows[2].says = "tuning.sequence_length_min: 513";
    rows[3].field = &j->federated->round->local_steps_min, rows[3].value = 5,
    rows[3].says = "round.local_steps_min: 5";
    j->federated->round->local_steps_max = 4;
    for (size_t i = 0; i < 4; i++) {
        struct err err = {0};
        int64_t before = *rows[i].field;

        *rows[i].field = rows[i].value;
        assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, rows[i].says));
        *rows[i].field = before;
    }
    job_free(j);
    snapshot_unref(s);
}

static void unknown_chips_and_cpus_are_planned_with_care(void **state)
{
    static const struct kit_mac macs[] = {
        {"linux", NULL, 0, 32, 0, 100, 100, 0},
        {"new", "Apple M9 Max", 64, 64, 0, 100, 100, 0},
    };
    struct snapshot *s = kit_fleet(macs, 2);
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct plan *plan;

    (void)state;
    s->classes[0].profile->origin = DEVICE_ORIGIN_LINUX;
    assert_int_equal(text_set(&s->classes[0].profile->os_name, "Linux", NULL), 0);
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_non_null(strstr(kit_assignment(plan, "linux")->reason, "no Metal device"));
    assert_int_equal(kit_assignment(plan, "new")->participate, TRI_TRUE);
    assert_non_null(strstr(plan->classes[1].rate_source, "assumed"));
    plan_free(plan);
    j->federated->rules = rule_spec_new(NULL);
    assert_non_null(j->federated->rules);
    j->federated->rules->allow_cpu = TRI_TRUE;
    j->federated->round->deadline_seconds = 36000;
    plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    assert_non_null(plan);
    assert_int_equal(kit_assignment(plan, "linux")->participate, TRI_TRUE);
    plan_free(plan);
    job_free(j);
    snapshot_unref(s);
}

static void planning_survives_lost_memory(void **state)
{
    struct snapshot *s = kit_fleet_mixed();
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct policy policy = policy_default();
    char *wanted = NULL, *got;
    unsigned nth = 0;
    int rc;

    (void)state;
    do {
        struct envelope *e;
        struct federated_proposal *p = NULL;
        struct plan *plan = NULL;
        struct err err = {0};

        mem_fail_at(++nth);
        e = envelope_build(s, j, &policy, &err);
        rc = e ? 0 : -1;
        if (rc == 0)
            rc = federated_propose(s, j, e, &p, &err);
        assert_true((rc == 0) == (p != NULL));
        if (rc == 0) {
            rc = federated_verify(s, j, e, ENGINE_KIND_LM, p, &plan, &err);
            assert_true((rc == 0) == (plan != NULL));
        }
        mem_fail_at(0);
        if (rc < 0)
            assert_int_equal(err.code, ERR_NOMEM);
        else
            wanted = kit_dump(&plan_type, plan);
        plan_free(plan);
        federated_proposal_free(p);
        envelope_free(e);
    } while (rc < 0 && nth < 5000);
    assert_in_range(nth, 100, 4999);
    { /* and it is the plan that it would have been anyway */
        struct federated_proposal *p = NULL;
        struct envelope *e = envelope_build(s, j, &policy, NULL);
        struct plan *plan;

        assert_int_equal(federated_propose(s, j, e, &p, NULL), 0);
        plan = kit_plan(s, j, ENGINE_KIND_LM, p, NULL);
        got = kit_dump(&plan_type, plan);
        assert_string_equal(got, wanted);
        plan_free(plan);
        federated_proposal_free(p);
        envelope_free(e);
    }
    mem_free(got);
    mem_free(wanted);
    job_free(j);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mac_gets_its_own_part),
        cmocka_unit_test(the_own_proposal_changes_nothing),
        cmocka_unit_test(what_fits_nowhere_is_left_out_with_what_would_help),
        cmocka_unit_test(nobody_fits_and_the_error_counts_why),
        cmocka_unit_test(a_deadline_too_short_names_the_nearest),
        cmocka_unit_test(other_jobs_memory_is_not_ours),
        cmocka_unit_test(data_bounds_steps_and_batches),
        cmocka_unit_test(a_token_goal_sets_the_shortest_round),
        cmocka_unit_test(without_deadline_or_goal_the_slowest_does_a_few_steps),
        cmocka_unit_test(the_wanted_number_of_clients_is_over_selected),
        cmocka_unit_test(privacy_sets_the_noise_and_says_when_it_is_useless),
        cmocka_unit_test(secure_aggregation_keeps_updates_dense_and_clients_enough),
        cmocka_unit_test(a_slow_link_costs_rank_or_format_before_the_client),
        cmocka_unit_test(full_training_wants_whole_weights),
        cmocka_unit_test(contradictions_are_named),
        cmocka_unit_test(unknown_chips_and_cpus_are_planned_with_care),
        cmocka_unit_test(planning_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
