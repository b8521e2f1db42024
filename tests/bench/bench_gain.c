/* bench_gain.c - what planning per Mac is worth: round time and useful work beside other ways.
 *
 * 24 synthetic fleets (10 to 500 Macs, kinds, links and memory differ) x 3 models; every way has to
 * train the same number of tokens in a round. Beside the planner's plan:
 *
 *   hand-made  one configuration for all, sized for the Mac with the least room, as many updates
 * for each: the plan of `forecast` and `baseline` of a plan random     that configuration on a
 * third of the clients, drawn by chance (mean of 20 draws) oort       that configuration on a
 * third, by loss and speed (losses drawn; preferred duration the median; round 100)
 *
 * Times are the cost model's, first as predicted, then with each Mac's speed off by a log-normal
 * factor that no planner knew (skew 0.15, the same for every way). Utilisation is busy seconds over
 * clients x round seconds. The same third is planned too, by speed. All of it is synthetic. */
#include "synthetic_fleet.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"
#include "coordinator/planner/federated_fit.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLEETS 24
#define CASES (FLEETS * BENCH_MODELS)
#define DRAWS 20
#define CLIENTS_MAX 512

struct round_result {
    double round, utilisation;
};

/* What one client does in a round. */
struct work {
    double fixed, step, updates;
};

struct lab {
    struct snapshot *snapshot;
    struct job *job;
    struct envelope *envelope;
    double jitter[CLIENTS_MAX];
    size_t in[CLIENTS_MAX]; /* clients that take part, as the planner's plan has it */
    size_t count;
    struct work common[CLIENTS_MAX]; /* of each of `in`, with the one configuration, updates 0 */
    double tokens_per_update;
};

static struct plan *make_plan(struct lab *l)
{
    struct policy policy = policy_default();
    struct plan *plan = NULL;
    struct err err = {0};

    envelope_free(l->envelope);
    l->envelope = envelope_build(l->snapshot, l->job, &policy, &err);
    if (!l->envelope || federated_verify(l->snapshot, l->job, l->envelope, ENGINE_KIND_ANALYTIC,
                                         NULL, &plan, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return plan;
}

static struct round_result run(const struct work *w, const double *jitter, size_t count)
{
    struct round_result o = {0, 0};
    double busy = 0;

    for (size_t i = 0; i < count; i++) {
        double j = jitter ? jitter[i] : 1;

        o.round = fmax(o.round, w[i].fixed + w[i].updates * w[i].step * j);
        busy += w[i].updates * w[i].step * j;
    }
    o.utilisation = busy / ((double)count * o.round);
    return o;
}

static struct round_result run_plan(const struct lab *l, const struct plan *plan, bool jitter)
{
    struct work w[CLIENTS_MAX];
    double j[CLIENTS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < plan->assignments_count; i++) {
        const struct assignment *a = &plan->assignments[i];

        if (!a->training)
            continue;
        j[n] = l->jitter[i];
        w[n++] = (struct work){a->prediction->round_seconds -
                                   (double)a->training->local_steps * a->prediction->step_seconds,
                               a->prediction->step_seconds, (double)a->training->local_steps};
    }
    return run(w, jitter ? j : NULL, n);
}

/* The one configuration: the fastest that fits where there is the least room, with the layers of
 * the planner's plan. */
static void make_common(struct lab *l, const struct plan *plan)
{
    const struct federated_want *w = envelope_want(l->envelope);
    double share = envelope_policy(l->envelope)->memory_share, least = INFINITY;
    struct fit_ask ask = fit_ask_open();
    struct fit_place place = {.want = w,
                              .activation_factor = 1,
                              .rank = w->rank,
                              .layers = plan->federated->layers,
                              .batch_max = 1 << 20};
    struct cost_setup trained = {.format = w->formats[0],
                                 .method = w->method,
                                 .targets = w->targets,
                                 .rank = w->rank,
                                 .layers = plan->federated->layers};
    double bytes = cost_update_bytes(cost_trainable(w->shape, &trained), w->upload_format);
    struct fit common;

    for (size_t i = 0; i < l->count; i++) {
        const struct machine *m =
            envelope_machine(l->envelope, l->snapshot->clients[l->in[i]].class_index);

        if ((double)m->limit_bytes * share < least) {
            least = place.room = (double)m->limit_bytes * share;
            place.machine = m;
        }
    }
    if (!fit_any(&place, &ask, &common)) {
        fprintf(stderr, "no common configuration\n");
        exit(1);
    }
    l->tokens_per_update = (double)(common.setup.batch_size * common.setup.grad_accumulation *
                                    common.setup.sequence_length);
    for (size_t i = 0; i < l->count; i++) {
        const struct client *c = &l->snapshot->clients[l->in[i]];
        struct cost_link link = {c->up_bps, c->down_bps, w->latency_seconds};

        place.machine = envelope_machine(l->envelope, c->class_index);
        fit_time(&place, &common);
        l->common[i] = (struct work){cost_fixed_seconds(&link, bytes, bytes, w->warmup_seconds),
                                     common.time.step_seconds, 0};
    }
}

/* The common configuration on some clients, with the same number of updates each. */
static struct round_result run_common(const struct lab *l, const size_t *chosen, size_t count,
                                      bool jitter)
{
    double updates =
        ceil(l->job->federated->round->token_goal / (l->tokens_per_update * (double)count));
    struct work w[CLIENTS_MAX];
    double j[CLIENTS_MAX];

    for (size_t i = 0; i < count; i++) {
        w[i] = l->common[chosen[i]];
        w[i].updates = updates;
        j[i] = l->jitter[l->in[chosen[i]]];
    }
    return run(w, jitter ? j : NULL, count);
}

static struct round_result run_hand_made(const struct lab *l, bool jitter)
{
    size_t all[CLIENTS_MAX];

    for (size_t i = 0; i < l->count; i++)
        all[i] = i;
    return run_common(l, all, l->count, jitter);
}

static struct round_result run_random(const struct lab *l, size_t n, uint64_t seed, bool jitter)
{
    struct round_result mean = {0, 0};

    for (int draw = 0; draw < DRAWS; draw++) {
        size_t all[CLIENTS_MAX] = {0};
        struct round_result o;

        for (size_t i = 0; i < l->count; i++)
            all[i] = i;
        for (size_t i = 0; i < n; i++) {
            size_t k = i + (size_t)(selection_uniform(&seed) * (double)(l->count - i)),
                   keep = all[i];

            all[i] = all[k];
            all[k] = keep;
        }
        o = run_common(l, all, n, jitter);
        mean.round += o.round / DRAWS;
        mean.utilisation += o.utilisation / DRAWS;
    }
    return mean;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double quantile(double *v, size_t count, double q)
{
    qsort(v, count, sizeof *v, by_number);
    return v[(size_t)(q * (double)(count - 1) + 0.5)];
}

static struct round_result run_oort(const struct lab *l, size_t n, uint64_t seed, bool jitter)
{
    static struct candidate c[CLIENTS_MAX];
    double seconds[CLIENTS_MAX];
    size_t chosen[CLIENTS_MAX], count = 0;
    struct oort o = {.round = 100, .seed = (int64_t)(seed >> 12)};

    for (size_t i = 0; i < l->count; i++) {
        double loss = exp(0.5 * (selection_uniform(&seed) + selection_uniform(&seed) - 1));

        seconds[i] = l->common[i].fixed + 20 * l->common[i].step;
        c[i] = (struct candidate){.seconds = seconds[i],
                                  .examples = 100,
                                  .mean_square_loss = loss * loss,
                                  .last_round = 99,
                                  .picks = 1};
    }
    o.preferred_seconds = quantile(seconds, l->count, 0.5);
    if (selection_oort(c, l->count, n, &o, NULL) < 0)
        exit(1);
    for (size_t i = 0; i < l->count; i++)
        if (c[i].chosen)
            chosen[count++] = i;
    return run_common(l, chosen, count, jitter);
}

/* ---- cases ---- */

enum way { PLANNED, HAND_MADE, PLANNED_THIRD, RANDOM, OORT, WAYS };

struct measured {
    struct round_result ways[WAYS];
};

static struct fleet_recipe recipe_of(int fleet)
{
    static const size_t sizes[] = {10, 16, 25, 40, 60, 100, 200, 500};
    static const unsigned chips[] = {0, 0x07, 0x1c}; /* all; M1 to M3; M3 to M5 */
    static const double links[][2] = {{5, 500}, {50, 1000}, {2, 50}};
    struct fleet_recipe r = fleet_recipe_default(sizes[fleet % 8], 1000 + (uint64_t)fleet);

    r.chips = chips[fleet / 8];
    r.link_low = links[(fleet + fleet / 8) % 3][0];
    r.link_high = links[(fleet + fleet / 8) % 3][1];
    r.memory_low_gb = fleet % 2 ? 16 : 0;
    return r;
}

static void lab_open(struct lab *l, int fleet, enum bench_model model)
{
    static const double tokens_each[BENCH_MODELS] = {200e3, 100e3, 50e3};
    struct fleet_recipe r = recipe_of(fleet);
    uint64_t seed = r.seed ^ 0x5eed;

    memset(l, 0, sizeof *l);
    l->snapshot = fleet_make(&r);
    l->job = bench_job(model);
    l->job->federated->round->token_goal = tokens_each[model] * (double)r.devices;
    for (size_t i = 0; i < r.devices; i++) {
        double u = selection_uniform(&seed), v = selection_uniform(&seed);

        l->jitter[i] = exp(0.15 * sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v));
    }
}

static void lab_close(struct lab *l)
{
    envelope_free(l->envelope);
    job_free(l->job);
    snapshot_unref(l->snapshot);
}

static void measure(int fleet, enum bench_model model, struct measured out[2])
{
    static struct lab l;
    struct plan *plan, *third;
    size_t n;

    lab_open(&l, fleet, model);
    plan = make_plan(&l);
    for (size_t i = 0; i < plan->assignments_count; i++)
        if (plan->assignments[i].training)
            l.in[l.count++] = i;
    make_common(&l, plan);
    n = l.count / 3 < 2 ? 2 : l.count / 3;
    l.job->federated->round->clients_wanted = (int64_t)n;
    l.job->federated->round->dropout_rate = 0;
    third = make_plan(&l);
    for (int jitter = 0; jitter < 2; jitter++) {
        struct round_result *w = out[jitter].ways;

        w[PLANNED] = run_plan(&l, plan, jitter);
        w[HAND_MADE] = run_hand_made(&l, jitter);
        w[PLANNED_THIRD] = run_plan(&l, third, jitter);
        w[RANDOM] = run_random(&l, n, 77 + (uint64_t)fleet, jitter);
        w[OORT] = run_oort(&l, n, 99 + (uint64_t)fleet, jitter);
    }
    plan_free(plan);
    plan_free(third);
    lab_close(&l);
}

/* ---- what is printed ---- */

static void distribution(const char *name, const struct measured m[CASES], enum way ours,
                         enum way theirs)
{
    static const double at[] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
    double shorter[CASES], busier[CASES];

    for (int i = 0; i < CASES; i++) {
        shorter[i] = 100 * (1 - m[i].ways[ours].round / m[i].ways[theirs].round);
        busier[i] = 100 * (m[i].ways[ours].utilisation / m[i].ways[theirs].utilisation - 1);
    }
    printf("%-34s round shorter by %%  ", name);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
        printf("%8.1f", quantile(shorter, CASES, at[i]));
    printf("\n%-34s utilisation up by %%", "");
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
        printf("%8.1f", quantile(busier, CASES, at[i]));
    printf("\n");
}

static void report(const char *title, const struct measured m[CASES])
{
    printf("\n%s, %d cases%*s least     5 %%    25 %%  median    75 %%    95 %%    most\n", title,
           CASES, (int)(44 - strlen(title)), "");
    distribution("plan over hand-made", m, PLANNED, HAND_MADE);
    distribution("plan over random third", m, PLANNED, RANDOM);
    distribution("plan over oort's third", m, PLANNED, OORT);
    distribution("planned third over random third", m, PLANNED_THIRD, RANDOM);
    distribution("planned third over oort's third", m, PLANNED_THIRD, OORT);
}

int main(void)
{
    static struct measured predicted[CASES], jittered[CASES];

    printf("%-14s %7s | %9s %9s %9s %9s %9s | utilisation %%, in the same order\n", "model",
           "devices", "plan s", "hand s", "third s", "random s", "oort s");
    for (int fleet = 0; fleet < FLEETS; fleet++) {
        for (int model = 0; model < BENCH_MODELS; model++) {
            struct measured m[2];
            int at = fleet * BENCH_MODELS + model;
            struct fleet_recipe r = recipe_of(fleet);

            measure(fleet, (enum bench_model)model, m);
            predicted[at] = m[0];
            jittered[at] = m[1];
            printf("%-14s %7zu |", bench_model_name((enum bench_model)model), r.devices);
            for (int w = 0; w < WAYS; w++)
                printf(" %9.1f", m[0].ways[w].round);
            printf(" |");
            for (int w = 0; w < WAYS; w++)
                printf(" %4.0f", 100 * m[0].ways[w].utilisation);
            printf("\n");
        }
    }
    report("as predicted", predicted);
    report("with speeds off by a log-normal factor", jittered);
    printf("\naims beside hand-made, in the median: round at least 40 %% shorter, utilisation at "
           "least 30 %% up\n");
    return 0;
}
