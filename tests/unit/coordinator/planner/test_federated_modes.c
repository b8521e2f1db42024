/* test_federated_modes.c - selection, ranks, compression, privacy, masks and buffers in whole
 * plans.
 */
#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/cost.h"
#include "coordinator/planner/privacy.h"

#include <math.h>
#include <stdio.h>

#define MACS 40

/* 40 Macs: from M1 to M2 Ultra, links from slow to fast. */
static struct snapshot *fleet(void)
{
    static struct kit_mac macs[MACS];
    static char ids[MACS][8];

    for (int i = 0; i < MACS; i++) {
        snprintf(ids[i], sizeof ids[i], "m%02d", i);
        macs[i] = (struct kit_mac){ids[i],
                                   i % 4 == 0   ? "Apple M1"
                                   : i % 4 == 1 ? "Apple M2 Pro"
                                   : i % 4 == 2 ? "Apple M4 Max"
                                                : "Apple M2 Ultra",
                                   i % 4 == 0   ? 8
                                   : i % 4 == 1 ? 19
                                   : i % 4 == 2 ? 40
                                                : 76,
                                   i % 4 == 0   ? 16
                                   : i % 4 == 1 ? 32
                                   : i % 4 == 2 ? 64
                                                : 192,
                                   0,
                                   5.0 + 10 * i,
                                   200,
                                   0};
    }
    return kit_fleet(macs, MACS);
}

static struct job *job_of(int selection, int64_t wanted)
{
    struct job *j = kit_job(KIT_LLAMA_1B);
    struct federated_job *f = j->federated;

    f->round->selection = selection;
    f->round->clients_wanted = wanted;
    assert_non_null(f->privacy = privacy_spec_new(NULL));
    assert_non_null(f->aggregation = aggregation_spec_new(NULL));
    assert_non_null(f->communication = communication_spec_new(NULL));
    assert_non_null(f->data = data_spec_new(NULL));
    return j;
}

static struct plan *plan_of(const struct job *j)
{
    struct snapshot *s = fleet();
    struct err err = {0};
    struct plan *plan = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err);

    snapshot_unref(s);
    if (!plan)
        fail_msg("%s", err.text);
    return plan;
}

static void refused(const struct job *j, const char *a, const char *b)
{
    struct snapshot *s = fleet();
    struct err err = {0};

    assert_null(kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err));
    if (!strstr(err.text, a) || !strstr(err.text, b))
        fail_msg("no \"%s\" and \"%s\" in: %s", a, b, err.text);
    snapshot_unref(s);
}

static size_t serving(const struct plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->assignments_count; i++)
        n += plan->assignments[i].participate == TRI_TRUE;
    return n;
}

/* Each client is told its rounds; about as many as wanted serve in each. */
static void random_selection_draws_every_round(void **state)
{
    struct job *j = job_of(SELECTION_RANDOM, 10);
    struct plan *plan, *again;
    size_t all = 0, per_round[200] = {0}, enough = 0;

    (void)state;
    j->federated->round->rounds = 200;
    j->federated->round->selection_seed = 42;
    plan = plan_of(j);
    again = plan_of(j);
    assert_int_equal(serving(plan), MACS);
    kit_close(plan->federated->sampling_rate, 0.382758,
              1e-6); /* P(Bin(40, 0.94 of it) >= 10) is 0.95 */
    assert_int_equal(plan->federated->selection_seed, 42);
    for (size_t i = 0; i < MACS; i++) {
        const struct training *t = plan->assignments[i].training;

        assert_true(record_equal(&training_type, t, again->assignments[i].training));
        for (size_t k = 0; k < t->serve_rounds_count; k++) {
            assert_in_range(t->serve_rounds[k], 1, 200);
            per_round[t->serve_rounds[k] - 1]++;
        }
        all += t->serve_rounds_count;
        assert_true(isnan(t->weight)); /* who else serves is drawn anew each round */
    }
    kit_close((double)all / 200 / MACS, plan->federated->sampling_rate, 0.02);
    for (int k = 0; k < 200; k++)
        enough += per_round[k] >= 10;
    assert_true(enough >= 180); /* 0.95 and more: nobody drops out here */
    plan_free(plan);
    plan_free(again);
    j->federated->round->rounds = 1;
    plan = plan_of(j);
    assert_in_range(serving(plan), 4, 25);
    plan_free(plan);
    j->federated->round->rounds = 20000;
    refused(j, "round.rounds", "at most 10000");
    job_free(j);
}

static void drawn_selections_keep_their_number_and_say_why(void **state)
{
    static const int kinds[] = {SELECTION_FASTEST, SELECTION_OORT, SELECTION_TIERS};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct job *j = job_of(kinds[i], 10);
        struct plan *plan = plan_of(j);

        assert_int_equal(serving(plan), 12); /* 10, each lost with 0.06 */
        for (size_t k = 0; k < MACS; k++)
            if (plan->assignments[k].participate != TRI_TRUE)
                assert_int_equal(plan->assignments[k].reasons[0].constraint, CONSTRAINT_OBJECTIVE);
        plan_free(plan);
        j->federated->round->clients_wanted = UNKNOWN_I64;
        refused(j, "round.clients_wanted", "missing");
        job_free(j);
    }
}

/* Losses that the job states move Oort's choice. */
static void oort_follows_losses(void **state)
{
    struct job *j = job_of(SELECTION_OORT, 10);
    struct plan *plan;

    (void)state;
    j->federated->round->rounds_done = 500; /* exploration is at its floor */
    j->federated->round->preferred_seconds = 1e6;
    for (int i = 0; i < MACS; i++) {
        struct client_data *c = records_add(&client_data_type, &j->federated->data->clients,
                                            &j->federated->data->clients_count, NULL);
        char id[8];

        snprintf(id, sizeof id, "m%02d", i);
        assert_non_null(c);
        assert_int_equal(text_set(&c->device_id, id, NULL), 0);
        c->examples = 100000;
        c->mean_square_loss = i < 12 ? 1e12 : 1e-12;
        c->last_round = 499;
        c->picks = 1;
    }
    plan = plan_of(j);
    for (int i = 0; i < MACS; i++)
        assert_true((plan->assignments[i].participate == TRI_TRUE) == (i < 12));
    plan_free(plan);
    for (int i = 0; i < 6; i++)
        j->federated->data->clients[i].picks = 10;
    plan = plan_of(j);
    for (int i = 0; i < 6; i++)
        assert_int_equal(plan->assignments[i].participate, TRI_FALSE); /* had their say */
    plan_free(plan);
    job_free(j);
}

/* The rule that people get wrong: only random selection amplifies. */
static void selection_by_speed_voids_amplification(void **state)
{
    struct job *j = job_of(SELECTION_RANDOM, 4);
    double sigma_random;
    struct plan *plan;

    (void)state;
    j->federated->privacy->epsilon = 8;
    j->federated->privacy->delta = 1e-3;
    j->federated->round->rounds = 50;
    plan = plan_of(j);
    sigma_random = plan->federated->noise_multiplier;
    assert_true(plan->federated->accounted_rate == plan->federated->sampling_rate);
    assert_true(plan->federated->epsilon <= 8 && plan->federated->epsilon > 7.9);
    kit_close(kit_assignment(plan, "m01")->training->weight,
              1 / (plan->federated->sampling_rate * MACS), 1e-9); /* a fixed denominator */
    plan_free(plan);
    for (int kind = SELECTION_FASTEST; kind <= SELECTION_TIERS; kind++) {
        if (kind == SELECTION_RANDOM)
            continue;
        j->federated->round->selection = kind;
        plan = plan_of(j);
        assert_true(plan->federated->accounted_rate == 1);
        kit_close(plan->federated->noise_multiplier, 3.692, 1e-3);
        assert_true(plan->federated->noise_multiplier > sigma_random * 1.3);
        assert_true(kit_warned(plan, "voids amplification by sampling"));
        plan_free(plan);
    }
    job_free(j);
}

static void privacy_chooses_one_factor_and_says_when_it_is_useless(void **state)
{
    struct job *j = job_of(0, UNKNOWN_I64);
    struct plan *plan;

    (void)state;
    j->federated->privacy->epsilon = 8;
    j->federated->privacy->delta = 1e-3;
    plan = plan_of(j);
    assert_int_equal(plan->federated->adapters, ADAPTERS_FFA_LORA);
    assert_true(kit_warned(plan, "is not useful here"));
    kit_close(kit_assignment(plan, "m01")->training->weight, 1. / MACS, 1e-12);
    plan_free(plan);
    j->federated->aggregation->adapters = ADAPTERS_NAIVE;
    plan = plan_of(j);
    assert_true(kit_warned(plan, "multiplied where they meet"));
    plan_free(plan);
    j->federated->aggregation->strategy = AGGREGATION_FEDNOVA;
    refused(j, "fednova", "privacy.epsilon");
    job_free(j);
}

/* A slow uplink costs that client ranks, and nobody else anything; slices average what is unlike.
 */
static void ranks_follow_the_link(void **state)
{
    struct job *j = job_of(0, UNKNOWN_I64);
    struct plan *plan;
    const struct training *slow, *fast;

    (void)state;
    j->federated->tuning->rank = 64;
    j->federated->communication->compression = COMPRESSION_UNIFORM;
    j->federated->communication->upload_share_max = 0.02; /* 12 s of 600 */
    plan = plan_of(j);
    slow = kit_assignment(plan, "m00")->training;
    fast = kit_assignment(plan, "m39")->training;
    assert_true(slow && fast && slow->rank < fast->rank);
    assert_int_equal(plan->federated->rank, fast->rank);
    assert_int_equal(plan->federated->rank_min, slow->rank);
    assert_int_equal(plan->federated->adapters, ADAPTERS_RAFLORA);
    for (size_t i = 0; i < MACS; i++) {
        const struct assignment *a = &plan->assignments[i];

        if (a->training)
            assert_true((double)a->prediction->upload_bytes * 8 / ((5.0 + 10 * (double)i) * 1e6) <=
                        12 * (1 + 1e-9));
    }
    plan_free(plan);
    j->federated->aggregation->adapters = ADAPTERS_FFA_LORA;
    j->federated->tuning->rank_policy = RANK_POLICY_BY_CLIENT;
    refused(j, "ffa_lora", "mixed ranks");
    j->federated->aggregation->adapters = ADAPTERS_HETLORA;
    plan = plan_of(j);
    assert_int_equal(plan->federated->adapters, ADAPTERS_HETLORA);
    assert_true(isnan(kit_assignment(plan, "m39")->training->weight)); /* by norm: the server's */
    plan_free(plan);
    job_free(j);
}

static void formats_follow_the_link(void **state)
{
    struct job *j = job_of(0, UNKNOWN_I64);
    struct plan *plan;
    int seen[8] = {0};

    (void)state;
    j->federated->tuning->rank = j->federated->tuning->rank_min = 64;
    j->federated->communication->upload_share_max = 0.02;
    j->federated->communication->top_k_share = 0.01;
    plan = plan_of(j);
    for (size_t i = 0; i < MACS; i++) {
        const struct training *t = plan->assignments[i].training;

        assert_non_null(t);
        seen[known_f64(t->top_k_share) ? 7 : t->upload_format]++;
    }
    assert_true(seen[UPLOAD_FORMAT_F16] && seen[UPLOAD_FORMAT_INT8] && seen[UPLOAD_FORMAT_INT4]);
    assert_true(seen[7] && kit_warned(plan, "error feedback"));
    assert_int_equal(kit_assignment(plan, "m00")->prediction->upload_bytes,
                     6 * (int64_t)ceil((double)plan->federated->trainable_parameters / 100));
    plan_free(plan);
    j->federated->privacy->secure_aggregation = TRI_TRUE;
    refused(j, "top-k", "privacy.secure_aggregation");
    job_free(j);
}

static void masks_have_thresholds(void **state)
{
    struct job *j = job_of(0, UNKNOWN_I64);
    struct plan *plan;

    (void)state;
    j->federated->privacy->secure_aggregation = TRI_TRUE;
    plan = plan_of(j);
    assert_int_equal(plan->federated->secure->protocol, SECURE_PROTOCOL_BONAWITZ);
    assert_int_equal(plan->federated->secure->threshold, 21);
    assert_int_equal(plan->federated->min_reports, 21);
    assert_int_equal(kit_assignment(plan, "m00")->training->secure_threshold, 21);
    plan_free(plan);
    j->federated->privacy->malicious_server = TRI_TRUE;
    plan = plan_of(j);
    assert_int_equal(plan->federated->secure->threshold, 27);
    plan_free(plan);
    j->federated->privacy->secure_protocol = SECURE_PROTOCOL_LIGHTSECAGG;
    plan = plan_of(j);
    assert_true(plan->federated->secure->privacy_threshold > 0);
    plan_free(plan);
    j->federated->aggregation->strategy = AGGREGATION_FEDBUFF;
    plan = plan_of(j); /* works asynchronously */
    plan_free(plan);
    j->federated->privacy->secure_protocol = SECURE_PROTOCOL_SECAGG_PLUS;
    refused(j, "secagg_plus", "fedbuff");
    j->federated->aggregation->strategy = AGGREGATION_AUTO;
    j->federated->aggregation->adapters = ADAPTERS_FLEXLORA;
    refused(j, "flexlora", "privacy.secure_aggregation");
    job_free(j);
}

static void rules_carry_their_parameters(void **state)
{
    struct job *j = job_of(0, UNKNOWN_I64);
    struct plan *plan;

    (void)state;
    j->federated->aggregation->strategy = AGGREGATION_FEDADAM;
    plan = plan_of(j);
    kit_close(plan->federated->server->beta1, 0.9, 0);
    kit_close(plan->federated->server->beta2, 0.99, 0);
    kit_close(plan->federated->server->adaptivity, 1e-3, 0);
    kit_close(plan->federated->server_learning_rate, 0.1, 0);
    plan_free(plan);
    j->federated->aggregation->strategy = AGGREGATION_FEDBUFF;
    plan = plan_of(j);
    assert_int_equal(plan->federated->server->buffer_size, 10);
    assert_int_equal(plan->federated->server->concurrency, MACS);
    assert_true(plan->federated->server->staleness_expected > 3); /* 40 at a time, 10 a buffer */
    assert_true(plan->federated->server->staleness_max >=
                (int64_t)plan->federated->server->staleness_expected);
    plan_free(plan);
    j->federated->aggregation->strategy = AGGREGATION_SCAFFOLD;
    plan = plan_of(j);
    assert_true(kit_warned(plan, "twice the traffic"));
    assert_int_equal(kit_assignment(plan, "m39")->prediction->upload_bytes,
                     4 * plan->federated->trainable_parameters); /* two vectors of 16 bits */
    plan_free(plan);
    j->federated->tuning->rank_policy = RANK_POLICY_BY_CLIENT;
    j->federated->aggregation->adapters = ADAPTERS_RAFLORA;
    refused(j, "scaffold", "mixed ranks");
    job_free(j);
}

static void weights_add_up(void **state)
{
    static const int rules[] = {AGGREGATION_FEDAVG, AGGREGATION_FEDNOVA, AGGREGATION_SCAFFOLD};

    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct job *j = job_of(0, UNKNOWN_I64);
        double sum = 0, effective = 0;
        struct plan *plan;

        j->federated->aggregation->strategy = rules[i];
        plan = plan_of(j);
        for (size_t k = 0; k < MACS; k++) {
            const struct training *t = plan->assignments[k].training;

            sum += t->weight;
            effective += t->weight * (double)t->local_steps;
            if (rules[i] == AGGREGATION_FEDNOVA)
                kit_close(t->update_scale * (double)t->local_steps,
                          plan->federated->server->effective_steps, 1e-6);
        }
        kit_close(sum, 1, 1e-9);
        if (rules[i] == AGGREGATION_FEDNOVA)
            kit_close(effective, plan->federated->server->effective_steps, 1e-6);
        plan_free(plan);
        job_free(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_selection_draws_every_round),
        cmocka_unit_test(drawn_selections_keep_their_number_and_say_why),
        cmocka_unit_test(oort_follows_losses),
        cmocka_unit_test(selection_by_speed_voids_amplification),
        cmocka_unit_test(privacy_chooses_one_factor_and_says_when_it_is_useless),
        cmocka_unit_test(ranks_follow_the_link),
        cmocka_unit_test(formats_follow_the_link),
        cmocka_unit_test(masks_have_thresholds),
        cmocka_unit_test(rules_carry_their_parameters),
        cmocka_unit_test(weights_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
