/* simulate.c - the records of a simulation, tallies, luck. */
#include "coordinator/planner/simulate.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/draw.h"
#include "coordinator/planner/simulate_play.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct field simulated_policy_fields[] = {
    ROW_TEXT(simulated_policy, name, 64, FIELD_REQUIRED, "plan, by-hand, random, oort, ..."),
    ROW_TEXT(simulated_policy, text, 512, 0, "what it does"),
    ROW_I64(simulated_policy, rounds, 0, 0x1p53, "rounds", 0, "played"),
    ROW_I64(simulated_policy, void_rounds, 0, 0x1p53, "rounds", 0, "with too few reports"),
    ROW_F64(simulated_policy, clients, 0, 1e9, "clients", 0, "selected in a round, mean"),
    ROW_F64(simulated_policy, round_seconds_median, 0, 1e12, "s", 0, "from start to end"),
    ROW_F64(simulated_policy, round_seconds_p95, 0, 1e12, "s", 0, "19 of 20 rounds are shorter"),
    ROW_F64(simulated_policy, utilisation, 0, 1, "share", 0,
            "useful busy time over clients x round"),
    ROW_F64(simulated_policy, tokens_per_round, 0, 1e18, "tokens", 0,
            "trained on and counted, mean"),
    ROW_F64(simulated_policy, tokens_per_second, 0, 1e15, "tokens/s", 0, "over all rounds"),
    ROW_F64(simulated_policy, same_work_seconds, 0, 1e15, "s", 0,
            "for the tokens of one mean round of the plan"),
    ROW_F64(simulated_policy, same_work_wh, 0, 1e15, "Wh", 0, "for the same tokens"),
    ROW_F64(simulated_policy, bytes_per_round, 0, 1e18, "bytes", 0, "down and up, mean"),
    ROW_F64(simulated_policy, energy_wh_per_round, 0, 1e12, "Wh", 0, "at the wall, mean"),
    ROW_F64(simulated_policy, fairness, 0, 1, "share", 0,
            "Jain's index of useful rounds per client"),
    ROW_I64S(simulated_policy, round_ms, SIMULATE_ROUNDS_MAX, 0, 0x1p53, "ms", 0,
             "each round that has a length, as it came"),
};
RECORD_DEFINE(simulated_policy, "SimulatedPolicy");

static const struct field simulation_fields[] = {
    ROW_TEXT(simulation, job_id, 64, 0, "job that was played"),
    ROW_TEXT(simulation, fleet, 256, 0, "on which devices"),
    ROW_I64(simulation, devices, 0, 1e9, "devices", 0, "in that fleet"),
    ROW_I64(simulation, taking_part, 0, 1e9, "devices", 0, "in the plan"),
    ROW_I64(simulation, seed, 0, 0x1p53, "", 0, "what everything was drawn from"),
    ROW_F64(simulation, jitter, 0, SIMULATE_JITTER_MAX, "", 0,
            "deviation of the log-normal factor"),
    ROW_TEXT(simulation, availability, 32, 0, "drawn or always"),
    ROW_TEXT(simulation, energy_source, 256, 0, "where watts come from"),
    ROW_RECORDS(simulation, policies, simulated_policy, 16, 0, "the plan first"),
    ROW_TEXTS(simulation, warnings, 1000, 512, 0, "what the plan warns of"),
};
RECORD_DEFINE(simulation, "Simulation");

/* ---- tallies ---- */

int tally_make(struct tally *t, int64_t rounds, size_t participants, struct err *err)
{
    memset(t, 0, sizeof *t);
    t->cap = (size_t)rounds;
    t->participants = participants;
    t->seconds = mem_calloc(t->cap + 1, sizeof *t->seconds);
    t->useful = mem_calloc(participants + 1, sizeof *t->useful);
    if (t->seconds && t->useful)
        return 0;
    tally_clear(t);
    return err_set(err, ERR_NOMEM, "%zu rounds of %zu clients", t->cap, participants);
}

void tally_clear(struct tally *t)
{
    mem_free(t->seconds);
    mem_free(t->useful);
    t->seconds = NULL;
    t->useful = NULL;
}

void tally_round(struct tally *t, double seconds)
{
    t->played++;
    if (known_f64(seconds) && t->count < t->cap)
        t->seconds[t->count++] = seconds;
}

static int double_compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The smallest value that at least this share of them do not pass. */
static double quantile(const double *sorted, size_t count, double share)
{
    size_t at = count ? (size_t)ceil(share * (double)count) : 0;

    return count ? sorted[at ? at - 1 : 0] : 0;
}

/* Jain's index: 1 when all had the same, 1/n when one had everything. */
static double jain(const size_t *counts, size_t n)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++) {
        sum += (double)counts[i];
        squares += (double)counts[i] * (double)counts[i];
    }
    return squares > 0 ? sum * sum / ((double)n * squares) : 0;
}

static int rounds_write(const struct tally *t, struct simulated_policy *p, struct err *err)
{
    double *sorted = mem_dup(t->seconds, (t->count + 1) * sizeof *sorted);

    p->round_ms = mem_calloc(t->count + 1, sizeof *p->round_ms);
    if (!sorted || !p->round_ms) {
        mem_free(sorted);
        return err_set(err, ERR_NOMEM, "%zu rounds", t->count);
    }
    p->round_ms_count = t->count;
    for (size_t i = 0; i < t->count; i++)
        p->round_ms[i] = (int64_t)llround(t->seconds[i] * 1000);
    if (t->count > 1)
        qsort(sorted, t->count, sizeof *sorted, double_compare);
    p->round_seconds_median = quantile(sorted, t->count, 0.5);
    p->round_seconds_p95 = quantile(sorted, t->count, 0.95);
    mem_free(sorted);
    return 0;
}

int tally_write(const struct tally *t, const char *name, const char *text, struct simulation *out,
                struct err *err)
{
    struct simulated_policy *p =
        records_add(&simulated_policy_type, &out->policies, &out->policies_count, err);
    double n = t->played ? (double)t->played : 1, seconds = 0;

    if (!p || text_set(&p->name, name, err) < 0 || text_set(&p->text, text, err) < 0 ||
        rounds_write(t, p, err) < 0)
        return -1;
    for (size_t i = 0; i < t->count; i++)
        seconds += t->seconds[i];
    p->rounds = t->played;
    p->void_rounds = t->void_rounds;
    p->clients = t->clients / n;
    p->utilisation = t->client_seconds > 0 ? fmin(t->busy / t->client_seconds, 1) : 0;
    if (t->participants > 0) { /* a pipeline has no tokens and no clients that take turns */
        p->tokens_per_round = t->tokens / n;
        p->tokens_per_second = seconds > 0 ? t->tokens / seconds : 0;
        p->fairness = jain(t->useful, t->participants);
    }
    p->bytes_per_round = t->bytes / n;
    p->energy_wh_per_round = t->wh / n;
    return 0;
}

void simulation_compare(struct simulation *s)
{
    for (size_t i = 0; i < s->policies_count; i++) {
        struct simulated_policy *p = &s->policies[i];

        if (!known_f64(p->tokens_per_second) || !(p->tokens_per_second > 0))
            continue;
        p->same_work_seconds = s->policies[0].tokens_per_round / p->tokens_per_second;
        p->same_work_wh =
            p->energy_wh_per_round * s->policies[0].tokens_per_round / p->tokens_per_round;
    }
}

/* ---- luck ---- */

double luck(const struct simulate_settings *s, uint64_t device, uint64_t round, uint64_t what)
{
    struct draw d = draw_stream(s->seed ^ (what << 56), device, round);

    return s->jitter > 0 ? exp(s->jitter * draw_normal(&d)) : 1;
}

struct availability availability_of(const struct snapshot *s, const struct simulate_settings *set,
                                    size_t client)
{
    const struct profile *p = s->classes[s->clients[client].class_index].profile;

    if (set->always_on)
        return availability_always();
    return availability_draw(set->seed, client, !(p->chip && strstr(p->chip, "Ultra")));
}

int simulate(const struct snapshot *s, const struct job *job, const struct policy *policy,
             const struct simulate_settings *settings, struct simulation **out, struct err *err)
{
    struct simulation *sim;
    int rc = -1;

    if (job->lora || job->diffusion)
        return err_set(err, ERR_UNSUPPORTED,
                       "a job for one device is not simulated: its plan, also a dry run, predicts "
                       "it");
    if (!(sim = simulation_new(err)))
        return -1;
    sim->devices = (int64_t)s->clients_count;
    sim->seed = (int64_t)(settings->seed & ((UINT64_C(1) << 53) - 1));
    sim->jitter = settings->jitter;
    if (text_set(&sim->job_id, job->job_id, err) == 0 &&
        text_set(&sim->availability, settings->always_on ? "always" : "drawn", err) == 0 &&
        text_set(
            &sim->energy_source,
            "wall figures of Apple's support pages 102027 and 103253; other Macs are taken for "
            "the nearest of their tier",
            err) == 0)
        rc = job->pipeline ? simulate_pipeline(s, job, policy, settings, sim, err)
                           : simulate_federated(s, job, policy, settings, sim, err);
    if (rc < 0) {
        simulation_free(sim);
        return -1;
    }
    simulation_compare(sim);
    *out = sim;
    return 0;
}
