/* bench_pipeline.c - a pipeline planning turn (place, search, verify, write down) by stages and by
 * devices.
 *
 *     bench_pipeline [MOST_STAGES] [MOST_DEVICES]
 *
 * The baseline of each row is the row before: `growth` is the power of the size that the time grew
 * with (1: linearly). Graphs are layered, each stage after one to three of the layer before. */
#include "synthetic_fleet.h"

#include "common/core/err.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/pipeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LAYER 4     /* stages side by side */
#define SECONDS 0.3 /* each row is repeated for so long, the least time counts */
#define REPEATS_MAX 50

static void die(const struct err *err)
{
    fprintf(stderr, "bench_pipeline: %s\n", err->text);
    exit(1);
}

static void add_stage(struct job *j, size_t i, struct dice *d)
{
    struct err err = {0};
    struct stage *s =
        records_add(&stage_type, &j->pipeline->stages, &j->pipeline->stages_count, &err);
    size_t layer = i / LAYER;

    if (!s || text_setf(&s->name, &err, "s%zu", i) < 0)
        die(&err);
    s->kind = i % 3 ? STAGE_KIND_TRAINING : STAGE_KIND_INFERENCE;
    s->flop = dice_uniform(d, 1e14, 1e16);
    s->bytes_moved = dice_uniform(d, 1e11, 1e13);
    s->memory_bytes = (int64_t)dice_uniform(d, 1e8, 3e9);
    s->output_bytes = (int64_t)dice_uniform(d, 1e6, 1e9);
    for (size_t k = 0; layer > 0 && k < 1 + dice_index(d, 3); k++) {
        char name[24];

        snprintf(name, sizeof name, "s%zu", (layer - 1) * LAYER + (i + k) % LAYER);
        if (texts_add(&s->after, &s->after_count, name, &err) < 0)
            die(&err);
    }
}

static struct job *job_of(size_t stages)
{
    struct err err = {0};
    struct job *j = job_new(&err);
    struct dice d = {7};

    if (!j || text_set(&j->job_id, "bench", &err) < 0 || !(j->pipeline = pipeline_job_new(&err)))
        die(&err);
    j->format_version = 1;
    for (size_t i = 0; i < stages; i++)
        add_stage(j, i, &d);
    return j;
}

/* The least time of a turn, and what the plan is worth beside the best single device. */
static double turn(const struct snapshot *s, const struct job *j, double *gain)
{
    struct policy policy = policy_default();
    double best = INFINITY, started = bench_seconds();

    for (int i = 0; i < REPEATS_MAX && (i == 0 || bench_seconds() - started < SECONDS); i++) {
        double before = bench_cpu_seconds();
        struct plan *plan = NULL;
        struct err err = {0};

        if (pipeline_verify(s, j, &policy, ENGINE_KIND_ANALYTIC, NULL, &plan, &err) < 0)
            die(&err);
        best = fmin(best, bench_cpu_seconds() - before);
        *gain = plan->pipeline->single_device_seconds / plan->pipeline->makespan_seconds;
        plan_free(plan);
    }
    return best;
}

static void row(size_t stages, size_t devices, double ratio, double *last)
{
    struct fleet_recipe recipe = fleet_recipe_default(devices, 3);
    struct snapshot *s = fleet_make(&recipe);
    struct job *j = job_of(stages);
    double gain = 0, seconds = turn(s, j, &gain);

    printf("%8zu %9zu %12.2f ms", stages, devices, seconds * 1e3);
    if (*last > 0)
        printf("   x %6.2f  growth %5.2f", seconds / *last, log(seconds / *last) / log(ratio));
    else
        printf("   %23s", "");
    printf("   %.2f times as fast as one Mac\n", gain);
    fflush(stdout);
    *last = seconds;
    job_free(j);
    snapshot_unref(s);
}

int main(int argc, char **argv)
{
    size_t most_stages = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    size_t most_devices = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
    double last = 0;

    printf("%8s %9s %15s\n", "stages", "devices", "one turn, CPU");
    for (size_t n = 8; n <= most_stages && n <= 1000; n = n < 512 ? n * 2 : n < 1000 ? 1000 : 1001)
        row(n, 100, n == 1000 ? 1000.0 / 512 : 2, &last);
    last = 0;
    for (size_t n = 10; n <= most_devices; n *= 10)
        row(16, n, 10, &last);
    return 0;
}
