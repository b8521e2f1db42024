/* bench_planner.c - one federated planning turn, from 10 devices to 1,000,000: the curve.
 *
 * A turn is what the coordinator does for a plan request: the envelope of every class, the
 * planner's own proposal, its verification, the plan with its reasons. CPU seconds of this
 * process, which runs on one core; the fastest of a few turns where they are short. Usage:
 * bench_planner [MOST_DEVICES]. */
#include "synthetic_fleet.h"

#include "common/core/err.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct turn {
    double envelope, propose, verify;
    int64_t clients;
};

static void one_turn(const struct snapshot *s, const struct job *job, struct turn *out)
{
    struct policy policy = policy_default();
    struct federated_proposal *p = NULL;
    struct plan *plan = NULL;
    struct err err = {0};
    double t0 = bench_cpu_seconds(), t1, t2, t3;
    struct envelope *e = envelope_build(s, job, &policy, &err);

    t1 = bench_cpu_seconds();
    if (!e || federated_propose(s, job, e, &p, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    t2 = bench_cpu_seconds();
    if (federated_verify(s, job, e, ENGINE_KIND_ANALYTIC, p, &plan, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    t3 = bench_cpu_seconds();
    *out = (struct turn){t1 - t0, t2 - t1, t3 - t2, plan->forecast->clients};
    plan_free(plan);
    federated_proposal_free(p);
    envelope_free(e);
}

static double total(const struct turn *t)
{
    return t->envelope + t->propose + t->verify;
}

static struct turn best_turn(const struct snapshot *s, const struct job *job)
{
    struct turn best = {0};
    int times = s->clients_count <= 10000 ? 5 : s->clients_count <= 100000 ? 3 : 1;

    for (int i = 0; i < times; i++) {
        struct turn t;

        one_turn(s, job, &t);
        if (i == 0 || total(&t) < total(&best))
            best = t;
    }
    return best;
}

static void curve(const char *title, const struct job *job, size_t most)
{
    double per_device_10000 = 0;

    printf("%s\n%9s %8s %9s %10s %10s %10s %10s %8s %7s %9s\n", title, "devices", "classes",
           "take part", "envelope", "propose", "verify", "turn ms", "us each", "growth", "peak MB");
    for (size_t n = 10; n <= most; n *= 10) {
        struct fleet_recipe recipe = fleet_recipe_default(n, 7);
        struct snapshot *s = fleet_make(&recipe);
        struct turn t = best_turn(s, job);
        double each = total(&t) / (double)n;
        struct rusage usage;

        getrusage(RUSAGE_SELF, &usage);
        printf("%9zu %8zu %9lld %10.2f %10.2f %10.2f %10.2f %8.2f ", n, s->classes_count,
               (long long)t.clients, t.envelope * 1e3, t.propose * 1e3, t.verify * 1e3,
               total(&t) * 1e3, each * 1e6);
        if (n == 10000)
            per_device_10000 = each;
        if (n > 10000)
            printf("%6.2fx", each / per_device_10000);
        else
            printf("%7s", "");
        printf(" %9.1f\n", (double)usage.ru_maxrss / 1e3);
        fflush(stdout);
        snapshot_unref(s);
    }
    printf("aims: 50 ms at 10,000, 1000 ms at 100,000; growth is time per device over that at "
           "10,000, 1.00x is linear\n\n");
}

int main(int argc, char **argv)
{
    size_t most = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 1000000;
    struct job *job = bench_job(BENCH_LLAMA_1B);

    job->federated->round->deadline_seconds = 900;
    curve("a deadline of 900 s", job, most);
    job->federated->round->clients_wanted = (int64_t)(most > 1000 ? 1000 : most / 2);
    job->federated->round->deadline_seconds = UNKNOWN_F64;
    job->federated->round->token_goal = 1e8;
    curve("a goal of 1e8 tokens from 1,000 selected clients", job, most);
    job_free(job);
    return 0;
}
