/* synthetic_fleet.c - devices drawn from a table of Macs and a few states each. */
#include "synthetic_fleet.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GIB 1073741824.0
#define SHARES 6 /* steps of available memory, as fleet rounds it */
#define HEATS 3
#define POWERS 2

static const struct kind {
    const char *chip;
    int64_t gpu_cores;
    double memory_gib;
    int generation;
    double weight; /* how common it is in a mixed lab: an assumption */
} kinds[] = {
    {"Apple M1", 8, 8, 1, 6},          {"Apple M1", 8, 16, 1, 8},
    {"Apple M1 Pro", 16, 16, 1, 5},    {"Apple M1 Max", 32, 64, 1, 3},
    {"Apple M1 Ultra", 64, 128, 1, 1}, {"Apple M2", 10, 8, 2, 5},
    {"Apple M2", 10, 16, 2, 7},        {"Apple M2 Pro", 19, 32, 2, 5},
    {"Apple M2 Max", 38, 64, 2, 3},    {"Apple M2 Ultra", 76, 192, 2, 1},
    {"Apple M3", 10, 16, 3, 7},        {"Apple M3 Pro", 18, 36, 3, 5},
    {"Apple M3 Max", 40, 64, 3, 3},    {"Apple M3 Ultra", 80, 256, 3, 1},
    {"Apple M4", 10, 16, 4, 8},        {"Apple M4", 10, 24, 4, 6},
    {"Apple M4 Pro", 20, 48, 4, 5},    {"Apple M4 Max", 40, 64, 4, 3},
    {"Apple M4 Max", 40, 128, 4, 2},   {"Apple M5", 10, 24, 5, 4},
    {"Apple M5 Max", 40, 128, 5, 2},   {"Apple M5 Ultra", 80, 256, 5, 1},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* What places a device in its class. */
struct draw {
    size_t kind;
    int share, heat, power;
};

static void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return p;
}

static uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double dice_uniform(struct dice *d, double low, double high)
{
    return low + (high - low) * (double)(dice_next(d) >> 11) * 0x1p-53;
}

size_t dice_index(struct dice *d, size_t count)
{
    return (size_t)(dice_next(d) % count);
}

struct fleet_recipe fleet_recipe_default(size_t devices, uint64_t seed)
{
    return (struct fleet_recipe){.devices = devices,
                                 .seed = seed,
                                 .hot = 0.05,
                                 .on_battery = 0.15,
                                 .away = 0.05,
                                 .link_low = 5,
                                 .link_high = 500,
                                 .available_low = 0.4};
}

static bool kind_allowed(const struct fleet_recipe *r, const struct kind *k)
{
    return k->memory_gib >= r->memory_low_gb &&
           (r->chips == 0 || (r->chips & (1u << (k->generation - 1))));
}

static size_t draw_kind(const struct fleet_recipe *r, struct dice *d)
{
    double all = 0, at;

    for (size_t i = 0; i < KINDS; i++)
        all += kind_allowed(r, &kinds[i]) ? kinds[i].weight : 0;
    at = dice_uniform(d, 0, all);
    for (size_t i = 0; i < KINDS; i++) {
        if (!kind_allowed(r, &kinds[i]))
            continue;
        at -= kinds[i].weight;
        if (at <= 0)
            return i;
    }
    return KINDS - 1;
}

static void class_fill(struct device_class *c, const struct fleet_recipe *r, const struct draw *w)
{
    const struct kind *k = &kinds[w->kind];
    double share = r->available_low + (0.9 - r->available_low) * (w->share + 0.5) / SHARES;
    struct state *s = c->state = need(state_new(NULL));
    struct profile *p = c->profile = need(profile_new(NULL));

    p->origin = DEVICE_ORIGIN_COMPOSED;
    text_set(&p->chip, k->chip, NULL);
    text_set(&p->os_name, "macOS", NULL);
    text_set(&p->os_version, "26.1", NULL);
    p->gpu_cores = k->gpu_cores;
    p->memory_bytes = (int64_t)(k->memory_gib * GIB);
    p->metal = need(metal_new(NULL));
    p->metal->working_set_bytes =
        (int64_t)(k->memory_gib * GIB * (k->memory_gib > 32 ? 0.75 : 0.667));
    s->synthetic = TRI_TRUE;
    s->memory_available_bytes = (int64_t)(k->memory_gib * GIB * share);
    s->memory_pressure = MEMORY_PRESSURE_NORMAL;
    s->thermal = w->heat == 0 ? THERMAL_NOMINAL : w->heat == 1 ? THERMAL_FAIR : THERMAL_SERIOUS;
    s->power_source = w->power ? POWER_SOURCE_BATTERY : POWER_SOURCE_AC;
    s->battery_percent = w->power ? 80 : UNKNOWN_F64;
    s->low_power_mode = TRI_FALSE;
    s->user_idle_seconds = 3600;
    s->disk_free_bytes = 100000000000;
}

static struct draw draw_device(const struct fleet_recipe *r, struct dice *d)
{
    double heat = dice_uniform(d, 0, 1);

    return (struct draw){.kind = draw_kind(r, d),
                         .share = (int)dice_index(d, SHARES),
                         .heat = heat < r->hot       ? 2
                                 : heat < 4 * r->hot ? 1
                                                     : 0,
                         .power = dice_uniform(d, 0, 1) < r->on_battery};
}

struct snapshot *fleet_make(const struct fleet_recipe *r)
{
    size_t cells = KINDS * SHARES * HEATS * POWERS;
    size_t *of = need(calloc(cells, sizeof *of)); /* class + 1 of each cell */
    struct dice d = {r->seed};
    struct snapshot *s = need(snapshot_new(cells, r->devices, NULL));

    s->classes_count = 0;
    for (size_t i = 0; i < r->devices; i++) {
        struct draw w = draw_device(r, &d);
        size_t *cell = &of[((w.kind * SHARES + (size_t)w.share) * HEATS + (size_t)w.heat) * POWERS +
                           (size_t)w.power];
        struct client *c = &s->clients[i];
        char id[24];

        if (!*cell) {
            struct device_class *dc = &s->classes[s->classes_count++];

            snprintf(dc->id, sizeof dc->id, "c%zu", s->classes_count);
            class_fill(dc, r, &w);
            *cell = s->classes_count;
        }
        snprintf(id, sizeof id, "d%08zu", i);
        c->device_id = need(mem_strdup(id));
        c->class_index = *cell - 1;
        s->classes[c->class_index].devices++;
        c->liveness = dice_uniform(&d, 0, 1) < r->away ? LIVENESS_OFFLINE : LIVENESS_ONLINE;
        c->state_age_ms = 2000;
        c->up_bps = 1e6 * exp(dice_uniform(&d, log(r->link_low), log(r->link_high)));
        c->down_bps = c->up_bps * dice_uniform(&d, 1, 5);
    }
    free(of);
    return s;
}

const char *bench_model_name(enum bench_model m)
{
    static const char *const names[] = {"Llama-3.2-1B", "Qwen3-4B", "Llama-3.1-8B"};

    return names[m];
}

static void fill_shape(enum bench_model m, struct model_shape *s)
{
    static const int64_t rows[BENCH_MODELS][9] = {
        {16, 2048, 8192, 32, 8, 64, 128256, 1, 1235800000},
        {36, 2560, 9728, 32, 8, 128, 151936, 1, 4022000000},
        {32, 4096, 14336, 32, 8, 128, 128256, 0, 8030300000},
    };
    const int64_t *r = rows[m];

    text_set(&s->model_type, m == BENCH_QWEN_4B ? "qwen3" : "llama", NULL);
    s->layers = r[0];
    s->hidden_size = r[1];
    s->intermediate_size = r[2];
    s->attention_heads = r[3];
    s->kv_heads = r[4];
    s->head_dim = r[5];
    s->vocab_size = r[6];
    s->tied_embeddings = (int)r[7];
    s->parameters = r[8];
}

struct job *bench_job(enum bench_model m)
{
    static const int formats[] = {MODEL_FORMAT_BF16, MODEL_FORMAT_Q4G64};
    struct job *j = need(job_new(NULL));
    struct federated_job *f = j->federated = need(federated_job_new(NULL));

    j->format_version = 1;
    text_set(&j->job_id, "bench", NULL);
    f->model = need(model_spec_new(NULL));
    f->tuning = need(tuning_spec_new(NULL));
    f->round = need(round_spec_new(NULL));
    f->model->shape = need(model_shape_new(NULL));
    fill_shape(m, f->model->shape);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct model_variant *v = need(
            records_add(&model_variant_type, &f->model->variants, &f->model->variants_count, NULL));

        v->format = formats[i];
        text_set(&v->path, i == 0 ? "base-bf16" : "base-4bit", NULL);
    }
    f->tuning->method = FINE_TUNE_METHOD_LORA;
    f->tuning->rank = 16;
    f->tuning->sequence_length = 1024;
    f->tuning->sequence_length_min = 512;
    f->round->rounds = 20;
    return j;
}

static double clock_seconds(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_seconds(void)
{
    return clock_seconds(CLOCK_MONOTONIC);
}

double bench_cpu_seconds(void)
{
    return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}
