/* test_properties.c - what must hold for any fleet, job and proposal.
 *
 * Cases are made from a seed; of one that fails, seed and smallest fleet are printed. Proposals are
 * hostile: impossible numbers, classes that do not exist, everything twice. */
#include "planner_random.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/cost.h"
#include "coordinator/planner/privacy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GIB 1073741824.0
/* ---- making cases ---- */

static void random_tuning(struct kit_random *r, struct tuning_spec *t, int64_t layers)
{
    t->method = (int)kit_range(r, 1, 3);
    t->targets = (int)kit_range(r, 0, 2);
    t->rank = maybe(r, 1, 64);
    t->layers = maybe(r, 1, layers);
    t->batch_size = kit_chance(r, 0.2) ? kit_range(r, 1, 32) : UNKNOWN_I64;
    t->effective_batch = kit_chance(r, 0.3) ? kit_range(r, 1, 64) : UNKNOWN_I64;
    t->sequence_length = kit_range(r, 32, 3000);
    t->sequence_length_min = maybe(r, 32, 3000);
    t->grad_checkpoint = kit_chance(r, 0.3) ? (int)kit_range(r, 0, 1) : TRI_UNKNOWN;
    t->optimizer = (int)kit_range(r, 0, 4);
    t->learning_rate = kit_chance(r, 0.3) ? kit_uniform(r, 1e-6, 1e-3) : UNKNOWN_F64;
}

static void random_round(struct kit_random *r, struct round_spec *d)
{
    d->rounds = maybe(r, 1, 200);
    d->deadline_seconds = kit_chance(r, 0.7) ? kit_uniform(r, 20, 20000) : UNKNOWN_F64;
    d->token_goal = kit_chance(r, 0.4) ? exp(kit_uniform(r, log(1e3), log(1e9))) : UNKNOWN_F64;
    d->local_steps_min = maybe(r, 1, 10);
    d->local_steps_max = maybe(r, 1, 2000);
    d->min_reports = kit_chance(r, 0.2) ? kit_range(r, 1, 8) : UNKNOWN_I64;
    d->clients_wanted = kit_chance(r, 0.3) ? kit_range(r, 1, 12) : UNKNOWN_I64;
    if (known_i64(d->clients_wanted)) {
        d->selection = (int)kit_range(r, 0, 5);
        d->selection_seed = maybe(r, 0, 1000000);
        d->tiers = maybe(r, 2, 20);
        d->rounds_done = maybe(r, 0, 300);
        d->preferred_seconds = kit_chance(r, 0.3) ? kit_uniform(r, 10, 2000) : UNKNOWN_F64;
    }
}

static void random_rules_of_sums(struct kit_random *r, struct federated_job *f)
{
    struct aggregation_spec *a = f->aggregation = aggregation_spec_new(NULL);
    struct communication_spec *c = f->communication = communication_spec_new(NULL);

    assert_non_null(a);
    assert_non_null(c);
    a->strategy = kit_chance(r, 0.5) ? (int)kit_range(r, 0, 8) : 0;
    a->adapters = kit_chance(r, 0.4) ? (int)kit_range(r, 0, 8) : 0;
    a->buffer_size = maybe(r, 1, 40);
    a->concurrency = maybe(r, 1, 40);
    a->local_momentum = kit_chance(r, 0.2) ? kit_uniform(r, 0, 0.99) : UNKNOWN_F64;
    c->compression = (int)kit_range(r, 0, 2);
    c->top_k_share = kit_chance(r, 0.2) ? kit_uniform(r, 0.001, 0.3) : UNKNOWN_F64;
    c->upload_share_max = kit_chance(r, 0.4) ? kit_uniform(r, 0.005, 0.5) : UNKNOWN_F64;
    f->tuning->rank_policy = (int)kit_range(r, 0, 2);
}

static struct job *random_job(struct kit_random *r)
{
    struct job *j = kit_job((enum kit_model)kit_range(r, 0, KIT_MODELS - 1));
    struct federated_job *f = j->federated;

    random_tuning(r, f->tuning, f->model->shape->layers);
    random_round(r, f->round);
    if (kit_chance(r, 0.6))
        random_rules_of_sums(r, f);
    if (kit_chance(r, 0.5))
        f->model->variants[1].format = (int)kit_range(r, 2, 14);
    if (kit_chance(r, 0.5)) {
        f->data = data_spec_new(NULL);
        assert_non_null(f->data);
        f->data->examples_per_client = maybe(r, 1, 5000);
        f->data->tokens_per_example = kit_chance(r, 0.5) ? kit_uniform(r, 1, 4000) : UNKNOWN_F64;
    }
    if (kit_chance(r, 0.3)) {
        f->privacy = privacy_spec_new(NULL);
        assert_non_null(f->privacy);
        f->privacy->epsilon = kit_chance(r, 0.7) ? kit_uniform(r, 0.1, 20) : UNKNOWN_F64;
        f->privacy->delta = 1e-5;
        f->privacy->secure_aggregation = (int)kit_range(r, -1, 1);
        f->privacy->min_clients = maybe(r, 1, 5);
        f->privacy->secure_protocol = (int)kit_range(r, 0, 3);
        f->privacy->malicious_server = (int)kit_range(r, -1, 1);
    }
    if (kit_chance(r, 0.5)) {
        f->rules = rule_spec_new(NULL);
        assert_non_null(f->rules);
        f->rules->require_ac_power = (int)kit_range(r, -1, 1);
        f->rules->max_thermal = (int)kit_range(r, 0, 4);
        f->rules->allow_cpu = (int)kit_range(r, -1, 1);
        f->rules->unknown = (int)kit_range(r, 0, 2);
    }
    return j;
}

static void hostile_client(struct kit_random *r, const struct snapshot *s,
                           struct federated_proposal *p)
{
    struct client_optimization *c = records_add(&client_optimization_type, &p->client_optimization,
                                                &p->client_optimization_count, NULL);
    size_t k = (size_t)kit_range(r, 0, (int64_t)s->classes_count - 1);

    assert_non_null(c);
    assert_int_equal(
        text_set(&c->client_class, kit_chance(r, 0.9) ? s->classes[k].id : "c\x1b[2J%n\xff", NULL),
        0);
    c->participate = kit_chance(r, 0.9) ? (int)kit_range(r, -1, 1) : 7;
    c->model_format = hostile_enum(r, 14);
    c->batch_size = hostile_i64(r, 1, 64);
    c->grad_accumulation = hostile_i64(r, 1, 16);
    c->sequence_length = hostile_i64(r, 32, 4000);
    c->grad_checkpoint = (int)kit_range(r, -1, 1);
    c->local_steps = hostile_i64(r, 1, 3000);
}

static struct federated_proposal *hostile_proposal(struct kit_random *r, const struct snapshot *s)
{
    struct federated_proposal *p = federated_proposal_new(NULL);
    int clients = (int)kit_range(r, 0, 20);

    assert_non_null(p);
    if (kit_chance(r, 0.7) && (p->optimization_strategy = optimization_strategy_new(NULL))) {
        p->optimization_strategy->model_format = hostile_enum(r, 14);
        p->optimization_strategy->grad_checkpoint = (int)kit_range(r, -1, 1);
        p->optimization_strategy->sequence_length = hostile_i64(r, 32, 4000);
    }
    if (kit_chance(r, 0.7) && (p->resource_allocation = resource_allocation_new(NULL))) {
        p->resource_allocation->rank = hostile_i64(r, 1, 128);
        p->resource_allocation->layers = hostile_i64(r, 1, 80);
        p->resource_allocation->memory_share = hostile_f64(r, 0.1, 1);
    }
    if (kit_chance(r, 0.7) && (p->communication_protocol = communication_protocol_new(NULL)))
        p->communication_protocol->upload_format = hostile_enum(r, 5);
    if (kit_chance(r, 0.7) && (p->convergence_strategy = convergence_strategy_new(NULL))) {
        p->convergence_strategy->learning_rate = hostile_f64(r, 1e-6, 1e-2);
        p->convergence_strategy->lr_schedule = hostile_enum(r, 3);
        p->convergence_strategy->warmup_steps = hostile_i64(r, 0, 100);
        p->convergence_strategy->local_steps_max = hostile_i64(r, 1, 3000);
        p->convergence_strategy->server_learning_rate = hostile_f64(r, 0.1, 2);
        p->convergence_strategy->proximal_mu = hostile_f64(r, 0, 1);
    }
    for (int i = 0; i < clients; i++)
        hostile_client(r, s, p);
    return p;
}

/* ---- what must hold ---- */

static int64_t or_i64(int64_t v, int64_t otherwise)
{
    return known_i64(v) ? v : otherwise;
}

static void check_training(const struct job *j, const struct plan *plan, const struct assignment *a)
{
    const struct federated_job *f = j->federated;
    const struct training *t = a->training;
    int64_t rows = t->batch_size * t->grad_accumulation;
    bool listed = false;

    holds(a->prediction->memory_bytes <= t->memory_limit_bytes + 1);
    holds(t->memory_limit_bytes <= a->memory_limit_bytes);
    holds(a->prediction->round_seconds <= t->deadline_seconds);
    if (known_f64(f->round->deadline_seconds))
        holds(a->prediction->round_seconds <= f->round->deadline_seconds);
    holds(t->local_steps >= or_i64(f->round->local_steps_min, 1));
    if (known_i64(f->round->local_steps_max))
        holds(t->local_steps <= f->round->local_steps_max);
    holds(t->iters == t->local_steps * t->grad_accumulation);
    holds(t->warmup_steps < t->local_steps);
    holds(t->sequence_length <= f->tuning->sequence_length);
    if (known_i64(f->tuning->sequence_length_min))
        holds(t->sequence_length >= f->tuning->sequence_length_min);
    if (known_i64(f->tuning->batch_size))
        holds(t->batch_size <= f->tuning->batch_size);
    if (f->data && known_i64(f->data->examples_per_client))
        holds(rows * t->local_steps <= f->data->examples_per_client);
    holds(t->layers == plan->federated->layers);
    holds(t->layers <= or_i64(f->tuning->layers, f->model->shape->layers));
    if (f->tuning->method != FINE_TUNE_METHOD_FULL)
        holds(t->rank <= plan->federated->rank &&
              t->rank >= or_i64(plan->federated->rank_min, plan->federated->rank) &&
              plan->federated->rank <= or_i64(f->tuning->rank, 64));
    if (known_f64(f->tuning->learning_rate))
        holds(t->learning_rate == f->tuning->learning_rate);
    for (size_t i = 0; i < f->model->variants_count; i++)
        listed = listed || f->model->variants[i].format == t->model_format;
    holds(listed);
    if (f->tuning->method == FINE_TUNE_METHOD_FULL)
        holds(!cost_format_is_quantised(t->model_format));
}

/* The prediction is the formula's, not a number from the proposal. */
static void check_memory(const struct job *j, const struct snapshot *s, const struct plan *plan,
                         size_t i)
{
    const struct assignment *a = &plan->assignments[i];
    const struct training *t = a->training;
    const struct device_class *c = &s->classes[s->clients[i].class_index];
    struct cost_setup setup = {.format = t->model_format,
                               .method = t->method,
                               .targets = t->targets ? t->targets : LORA_TARGETS_ALL,
                               .optimizer = t->optimizer,
                               .rank = known_i64(t->rank) ? t->rank : 1,
                               .layers = t->layers,
                               .batch_size = t->batch_size,
                               .grad_accumulation = t->grad_accumulation,
                               .sequence_length = t->sequence_length,
                               .grad_checkpoint = t->grad_checkpoint == TRI_TRUE};
    struct cost_memory m;

    cost_memory(j->federated->model->shape, &setup, c->profile->chip ? COST_METAL : COST_CPU, 1,
                &m);
    holds(fabs(m.peak - (double)a->prediction->memory_bytes) <= 2);
}

/* Epsilon by the accountant's own word; amplified only where selection is random. */
static void check_privacy(const struct privacy_spec *p, const struct plan *plan, int64_t clients)
{
    const struct federated_plan *f = plan->federated;

    if (p && known_f64(p->epsilon)) {
        holds(f->epsilon <= p->epsilon);
        holds(f->accounted_rate == 1 || f->selection == SELECTION_RANDOM);
        holds(privacy_epsilon(f->accounted_rate, f->noise_multiplier, f->rounds, f->delta, NULL) <=
              p->epsilon);
        holds(f->aggregation != AGGREGATION_FEDNOVA && f->adapters != ADAPTERS_FLORA);
    }
    if (!p || p->secure_aggregation != TRI_TRUE)
        return;
    holds(f->upload_format == UPLOAD_FORMAT_F32 && clients >= 3);
    holds(f->secure->threshold >= 2 && f->min_reports >= f->secure->threshold);
    holds(f->adapters != ADAPTERS_HETLORA && f->adapters != ADAPTERS_FLEXLORA);
}

static void check_server(const struct job *j, const struct plan *plan, int64_t clients)
{
    const struct federated_plan *f = plan->federated;
    double weights = 0;

    holds(f->selection != SELECTION_UNSET && f->adapters != ADAPTERS_AUTO);
    if (known_i64(f->rank_min))
        holds(f->rank_min < f->rank && f->adapters > ADAPTERS_NAIVE &&
              f->adapters != ADAPTERS_FFA_LORA && f->aggregation != AGGREGATION_SCAFFOLD);
    for (size_t i = 0; i < plan->assignments_count; i++) {
        const struct training *t = plan->assignments[i].training;

        if (!t)
            continue;
        weights += known_f64(t->weight) ? t->weight : 0;
        holds(!known_f64(f->sampling_rate) || t->serve_rounds_count > 0);
        holds(!known_f64(t->top_k_share) || !j->federated->privacy ||
              j->federated->privacy->secure_aggregation != TRI_TRUE);
    }
    if (weights > 0 && !known_f64(f->sampling_rate) && f->aggregation != AGGREGATION_FEDBUFF)
        holds(fabs(weights - 1) < 1e-6);
    if (f->aggregation == AGGREGATION_FEDBUFF)
        holds(f->server->buffer_size <= f->server->concurrency &&
              f->server->concurrency <= clients);
}

static void check_plan(const struct job *j, const struct snapshot *s, const struct plan *plan)
{
    const struct privacy_spec *privacy = j->federated->privacy;
    int64_t clients = 0;
    double tokens_min = 0;

    holds(plan->assignments_count == s->clients_count);
    for (size_t i = 0; i < s->clients_count; i++) {
        const struct assignment *a = &plan->assignments[i];

        holds(strcmp(a->device_id, s->clients[i].device_id) == 0);
        holds(a->reasons_count > 0);
        holds((a->participate == TRI_TRUE) == (a->training != NULL));
        if (!a->training)
            continue;
        holds(s->clients[i].liveness == LIVENESS_ONLINE || s->clients[i].liveness == LIVENESS_LATE);
        check_training(j, plan, a);
        check_memory(j, s, plan, i);
        clients++;
        tokens_min += (double)a->training->local_steps;
    }
    holds(clients == plan->forecast->clients && clients >= 1);
    holds(plan->federated->min_reports <= clients);
    check_server(j, plan, clients);
    holds(tokens_min > 0 && plan->forecast->tokens_per_round > 0);
    check_privacy(privacy, plan, clients);
    for (size_t i = 0; i < plan->decisions_count; i++)
        holds(plan->decisions[i].outcome != OUTCOME_UNSET);
}

struct tally {
    int planned, refused, replaced;
};

static void one_plan_keeps_every_limit(uint64_t seed, void *arg)
{
    struct kit_random r = {seed}, of_job = {seed ^ 0x9e3779b9}, of_proposal = {seed ^ 0x51ed270b};
    struct tally *tally = arg;
    struct snapshot *s = random_fleet(&r);
    struct job *j = random_job(&of_job);
    struct federated_proposal *p = hostile_proposal(&of_proposal, s);
    struct err err = {0};
    struct plan *own = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, &err), *plan;

    if (!own) {
        holds(err.code == ERR_INFEASIBLE || err.code == ERR_INVALID || err.code == ERR_UNSUPPORTED);
        holds(err.text[0]);
        holds(!kit_plan(s, j, ENGINE_KIND_LM, p, &err)); /* a proposal cannot make it possible */
        tally->refused++;
    } else {
        plan = kit_plan(s, j, ENGINE_KIND_LM, p, &err);
        if (!plan)
            print_error("%s\n", err.text);
        holds(plan);
        check_plan(j, s, own);
        check_plan(j, s, plan);
        holds(plan->forecast->tokens_per_second * 1.1000001 >= own->forecast->tokens_per_second);
        tally->replaced += kit_warned(plan, "the proposal was replaced");
        plan_free(plan);
        plan_free(own);
        tally->planned++;
    }
    federated_proposal_free(p);
    job_free(j);
    snapshot_unref(s);
}

static void plans_keep_every_limit(void **state)
{
    struct tally t = {0};

    (void)state;
    cases_hold(3000, one_plan_keeps_every_limit, &t);
    print_message("%d planned, %d refused, %d proposals replaced\n", t.planned, t.refused,
                  t.replaced);
    if (!getenv("PLANNER_SEED"))
        assert_true(t.planned > 500 && t.refused > 100 && t.replaced > 100 &&
                    t.replaced < t.planned);
}

static void the_same_inputs_give_the_same_bytes(void **state)
{
    (void)state;
    for (current_seed = 1; current_seed <= 100; current_seed++) {
        char *text[2] = {NULL, NULL};

        for (int i = 0; i < 2; i++) {
            struct kit_random r = {current_seed};
            struct snapshot *s = random_fleet(&r);
            struct job *j = random_job(&r);
            struct federated_proposal *p = hostile_proposal(&r, s);
            struct plan *plan = kit_plan(s, j, ENGINE_KIND_LM, p, NULL);

            text[i] = plan ? kit_dump(&plan_type, plan) : mem_strdup("none");
            plan_free(plan);
            federated_proposal_free(p);
            job_free(j);
            snapshot_unref(s);
        }
        holds(strcmp(text[0], text[1]) == 0);
        mem_free(text[0]);
        mem_free(text[1]);
    }
}

/* Which id a Mac has changes only who gets the part. */
static void permuting_clients_permutes_the_plan(void **state)
{
    (void)state;
    for (current_seed = 1; current_seed <= 200; current_seed++) {
        struct kit_random r = {current_seed};
        struct kit_mac macs[MACS_MAX];
        char ids[MACS_MAX][8];
        size_t n = (size_t)kit_range(&r, 2, MACS_MAX), to[MACS_MAX] = {0};
        struct job *j = kit_job(KIT_LLAMA_1B);
        struct plan *plans[2];

        for (size_t i = 0; i < n; i++) {
            static const char *const chips[] = {"Apple M1", "Apple M2 Pro", "Apple M4 Max"};
            size_t k = (size_t)kit_range(&r, 0, 2);

            to[i] = i;
            macs[i] = (struct kit_mac){NULL,
                                       chips[k],
                                       8 + (int)k * 12,
                                       8.0 * (double)(k * k + 1),
                                       0,
                                       kit_uniform(&r, 1, 500),
                                       kit_uniform(&r, 1, 500),
                                       0};
        }
        for (size_t i = n - 1; i > 0; i--) {
            size_t k = (size_t)kit_range(&r, 0, (int64_t)i), keep = to[i];

            to[i] = to[k];
            to[k] = keep;
        }
        for (int turn = 0; turn < 2; turn++) {
            struct snapshot *s;

            for (size_t i = 0; i < n; i++) {
                snprintf(ids[i], sizeof ids[i], "m%02zu", turn ? to[i] : i);
                macs[i].id = ids[i];
            }
            s = kit_fleet(macs, n);
            plans[turn] = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
            snapshot_unref(s);
        }
        holds((plans[0] != NULL) == (plans[1] != NULL));
        for (size_t i = 0; plans[0] && i < n; i++) {
            char a[8], b[8];
            const struct assignment *x, *y;

            snprintf(a, sizeof a, "m%02zu", i);
            snprintf(b, sizeof b, "m%02zu", to[i]);
            x = kit_assignment(plans[0], a);
            y = kit_assignment(plans[1], b);
            holds(x->participate == y->participate);
            holds((!x->training && !y->training) ||
                  record_equal(&training_type, x->training, y->training));
        }
        plan_free(plans[0]);
        plan_free(plans[1]);
        job_free(j);
    }
}

static struct job *fixed_job(struct kit_random *r)
{
    struct job *j = kit_job((enum kit_model)kit_range(r, 0, KIT_MODELS - 1));
    struct tuning_spec *t = j->federated->tuning;

    t->rank_min = t->rank;
    t->layers = t->layers_min = kit_range(r, 4, j->federated->model->shape->layers);
    t->sequence_length_min = t->sequence_length = kit_range(r, 32, 2048);
    j->federated->model->variants[0].format = MODEL_FORMAT_Q4G64;
    j->federated->model->variants_count = 1;
    if (kit_chance(r, 0.5)) {
        j->federated->round->token_goal = exp(kit_uniform(r, log(1e4), log(1e8)));
        j->federated->round->deadline_seconds = UNKNOWN_F64;
    }
    return j;
}

static void more_memory(struct snapshot *s, size_t k)
{
    if (known_i64(s->classes[k].state->memory_available_bytes))
        s->classes[k].state->memory_available_bytes += (int64_t)(16 * GIB);
    if (known_i64(s->classes[k].profile->memory_bytes))
        s->classes[k].profile->memory_bytes += (int64_t)(16 * GIB);
    if (s->classes[k].profile->metal)
        s->classes[k].profile->metal->working_set_bytes += (int64_t)(12 * GIB);
}

/* The same chip, cooler and out of its low-power mode; faster links for its members. */
static void more_speed(struct snapshot *s, size_t k)
{
    s->classes[k].state->low_power_mode = TRI_FALSE;
    if (s->classes[k].state->thermal == THERMAL_FAIR)
        s->classes[k].state->thermal = THERMAL_NOMINAL;
    for (size_t i = 0; i < s->clients_count; i++)
        if (s->clients[i].class_index == k && known_f64(s->clients[i].up_bps))
            s->clients[i].up_bps *= 2;
}

/* Tokens within a deadline; time for a goal. With what is common fixed (layers, rank, length, one
 * format), memory and speed can only help. */
static void one_fleet_gains(uint64_t seed, void *arg)
{
    void (*better)(struct snapshot *, size_t) = *(void (**)(struct snapshot *, size_t))arg;
    struct kit_random r = {seed}, of_job = {seed ^ 0x9e3779b9};
    struct snapshot *s = random_fleet(&r);
    struct job *j = fixed_job(&of_job);
    struct plan *before, *after;

    for (size_t k = 0; k < s->classes_count; k++) { /* else other memory may mean another chip */
        s->classes[k].profile->gpu_flops = 5e12 * (double)(1 + k % 4);
        s->classes[k].profile->memory_bandwidth_bytes_per_s = 2e11;
    }
    before = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    holds(s->classes_count > 0);
    better(s, (size_t)(seed % s->classes_count));
    after = kit_plan(s, j, ENGINE_KIND_ANALYTIC, NULL, NULL);
    holds(!before || after);
    if (before && !known_f64(j->federated->round->token_goal))
        holds(after->forecast->tokens_per_round >=
              before->forecast->tokens_per_round * (1 - 1e-12));
    else if (before && before->forecast->tokens_per_round >= j->federated->round->token_goal)
        holds(after->forecast->tokens_per_round >= j->federated->round->token_goal &&
              after->forecast->round_seconds <= before->forecast->round_seconds * 1.01);
    plan_free(before);
    plan_free(after);
    j->federated->model->variants_count = 2;
    job_free(j);
    snapshot_unref(s);
}

static void more_memory_never_trains_less(void **state)
{
    void (*better)(struct snapshot *, size_t) = more_memory;

    (void)state;
    cases_hold(1000, one_fleet_gains, &better);
}

static void more_speed_never_trains_less(void **state)
{
    void (*better)(struct snapshot *, size_t) = more_speed;

    (void)state;
    cases_hold(1000, one_fleet_gains, &better);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_keep_every_limit),
        cmocka_unit_test(the_same_inputs_give_the_same_bytes),
        cmocka_unit_test(permuting_clients_permutes_the_plan),
        cmocka_unit_test(more_memory_never_trains_less),
        cmocka_unit_test(more_speed_never_trains_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
