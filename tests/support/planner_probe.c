/* planner_probe.c - the planner's answers as lines of JSON, for tests that compare them with
 * others'.
 *
 *   planner_probe rdp RATE SIGMA ORDER
 *   planner_probe epsilon RATE SIGMA ROUNDS DELTA
 *   planner_probe sigma RATE ROUNDS EPSILON DELTA
 *   planner_probe federated SEED
 *       A small random fleet and job, the planner's plan for it, and what a solver needs to find
 * the best one by itself: for each client every set-up that its memory allows, with the seconds and
 * tokens of one update. */
#include "tests/bench/synthetic_fleet.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/cost.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/privacy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 6
#define EFFECTIVE_BATCH 8

static struct snapshot *small_fleet(struct dice *d, uint64_t seed)
{
    struct fleet_recipe r = fleet_recipe_default(2 + dice_index(d, CLIENTS_MAX - 1), seed);

    r.hot = r.on_battery = r.away = 0; /* all could serve: what binds is memory, link and time */
    return fleet_make(&r);
}

/* A goal and no deadline, so that the plan's T* is what is to be least. */
static struct job *small_job(struct dice *d)
{
    struct job *j = bench_job((enum bench_model)dice_index(d, BENCH_MODELS));
    struct federated_job *f = j->federated;

    f->round->token_goal = exp(dice_uniform(d, log(2e4), log(3e6)));
    f->round->local_steps_min = 1 + (int64_t)dice_index(d, 4);
    f->round->local_steps_max = (int64_t)exp(dice_uniform(d, log(10), log(2000)));
    f->tuning->layers = f->tuning->layers_min = f->model->shape->layers;
    f->tuning->rank_min = f->tuning->rank;
    f->tuning->sequence_length_min = f->tuning->sequence_length;
    f->tuning->effective_batch = EFFECTIVE_BATCH;
    f->tuning->rank_policy = RANK_POLICY_COMMON;
    f->communication = communication_spec_new(NULL);
    f->communication->compression = COMPRESSION_UNIFORM;
    return j;
}

/* Every set-up of a client: format, micro-batch that divides the update, with and without
 * checkpoints; those that fit. */
static void print_setups(const struct job *j, const struct machine *m, double room)
{
    static const int formats[] = {MODEL_FORMAT_BF16, MODEL_FORMAT_Q4G64};
    bool first = true;

    printf("\"setups\": [");
    for (size_t f = 0; f < 2; f++) {
        for (int64_t b = 1; b <= EFFECTIVE_BATCH; b *= 2) {
            for (int on = 0; on < 2; on++) {
                struct cost_setup s = {.format = formats[f],
                                       .method = FINE_TUNE_METHOD_LORA,
                                       .targets = LORA_TARGETS_ALL,
                                       .optimizer = OPTIMIZER_ADAMW,
                                       .rank = j->federated->tuning->rank,
                                       .layers = j->federated->tuning->layers,
                                       .batch_size = b,
                                       .grad_accumulation = EFFECTIVE_BATCH / b,
                                       .sequence_length = j->federated->tuning->sequence_length,
                                       .grad_checkpoint = on};
                struct cost_memory memory;
                struct cost_time time;

                cost_memory(j->federated->model->shape, &s, m->backend, 1, &memory);
                if (memory.peak > room)
                    continue;
                cost_step(j->federated->model->shape, &s, m->rates.flops, m->rates.bandwidth,
                          m->slow, &time);
                printf("%s{\"format\": %zu, \"batch\": %" PRId64
                       ", \"checkpoint\": %d, \"step_seconds\": %.17g}",
                       first ? "" : ", ", f, b, on, time.step_seconds);
                first = false;
            }
        }
    }
    printf("]");
}

static void print_client(const struct job *j, const struct envelope *e, const struct snapshot *s,
                         size_t i, const struct plan *plan)
{
    const struct client *c = &s->clients[i];
    const struct machine *m = envelope_machine(e, c->class_index);
    const struct assignment *a = &plan->assignments[i];
    struct cost_setup trained = {.format = MODEL_FORMAT_BF16,
                                 .method = FINE_TUNE_METHOD_LORA,
                                 .targets = LORA_TARGETS_ALL,
                                 .rank = j->federated->tuning->rank,
                                 .layers = j->federated->tuning->layers};
    double bytes =
        cost_update_bytes(cost_trainable(j->federated->model->shape, &trained), UPLOAD_FORMAT_F16);
    struct cost_link link = {c->up_bps, c->down_bps, 0.05};

    printf("%s{\"fixed_seconds\": %.17g, \"upload_seconds\": %.17g, ", i ? ", " : "",
           cost_fixed_seconds(&link, bytes, bytes, 30), bytes * 8 / c->up_bps);
    print_setups(j, m, (double)m->limit_bytes * policy_default().memory_share);
    printf(", \"steps\": %" PRId64 ", \"step_seconds\": %.17g}",
           a->training ? a->training->local_steps : 0,
           a->prediction ? a->prediction->step_seconds : 0);
}

static int federated(uint64_t seed)
{
    struct dice d = {seed};
    struct snapshot *s = small_fleet(&d, seed);
    struct job *j = small_job(&d);
    struct policy policy = policy_default();
    struct err err = {0};
    struct envelope *e = envelope_build(s, j, &policy, &err);
    struct plan *plan = NULL;

    if (!e || federated_verify(s, j, e, ENGINE_KIND_ANALYTIC, NULL, &plan, &err) < 0) {
        printf("{\"refused\": true}\n");
    } else {
        const struct round_spec *r = j->federated->round;

        printf("{\"refused\": false, \"token_goal\": %.17g, \"steps_min\": %" PRId64
               ", \"steps_max\": %" PRId64 ", \"tokens_per_step\": %d, \"upload_share\": 0.2, "
               "\"round_seconds\": %.17g, \"tokens\": %.17g, \"clients\": [",
               r->token_goal, r->local_steps_min, r->local_steps_max,
               EFFECTIVE_BATCH * (int)j->federated->tuning->sequence_length,
               plan->forecast->round_seconds, plan->forecast->tokens_per_round);
        for (size_t i = 0; i < s->clients_count; i++)
            print_client(j, e, s, i, plan);
        printf("]}\n");
    }
    plan_free(plan);
    envelope_free(e);
    job_free(j);
    snapshot_unref(s);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    double v[4] = {0};

    for (int i = 2; i < argc && i < 6; i++)
        v[i - 2] = strtod(argv[i], NULL);
    if (strcmp(what, "rdp") == 0 && argc == 5) {
        printf("%.17g\n", privacy_rdp(v[0], v[1], (int)v[2]));
    } else if (strcmp(what, "epsilon") == 0 && argc == 6) {
        int order = 0;
        double epsilon = privacy_epsilon(v[0], v[1], (int64_t)v[2], v[3], &order);

        printf("{\"epsilon\": %.17g, \"order\": %d}\n", epsilon, order);
    } else if (strcmp(what, "sigma") == 0 && argc == 6) {
        struct err err = {0};
        double sigma = 0;

        if (privacy_noise(v[0], (int64_t)v[1], v[2], v[3], &sigma, &err) < 0)
            printf("{\"error\": true}\n");
        else
            printf("{\"sigma\": %.17g}\n", sigma);
    } else if (strcmp(what, "federated") == 0 && argc == 3) {
        return federated((uint64_t)strtoull(argv[2], NULL, 10));
    } else {
        fprintf(stderr, "planner_probe: rdp|epsilon|sigma NUMBERS, or federated SEED\n");
        return 2;
    }
    return 0;
}
