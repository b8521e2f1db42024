/* synthetic_fleet.h - fleets of any size from a seed, as snapshots for the planner's benchmarks.
 *
 * Kinds are public Macs (chip, GPU cores, memory sizes), states are drawn: free memory, heat,
 * power, links; all of it is made up, and every state says so (synthetic). Devices that are alike
 * share a class, as coordinator/fleet would have it: the number of classes stops growing long
 * before the number of devices does. */
#ifndef TESTS_BENCH_SYNTHETIC_FLEET_H
#define TESTS_BENCH_SYNTHETIC_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;
struct snapshot;

/* Numbers from a seed, the same everywhere. */
struct dice {
    uint64_t state;
};
double dice_uniform(struct dice *d, double low, double high);
size_t dice_index(struct dice *d, size_t count); /* 0 .. count - 1 */

struct fleet_recipe {
    size_t devices;
    uint64_t seed;
    double hot, on_battery, away; /* shares of the devices */
    double link_low, link_high;   /* Mbit/s, drawn evenly in its logarithm */
    double memory_low_gb;         /* no Mac with less */
    double available_low;         /* least share of memory that is available; the most is 0.9 */
    unsigned chips;               /* mask of generations, bit 0: M1; 0: all */
};

struct fleet_recipe fleet_recipe_default(size_t devices, uint64_t seed);

/* Exits where memory is lacking: a benchmark has no other use for that. */
struct snapshot *fleet_make(const struct fleet_recipe *r);

/* The public models of the planner's worked examples. */
enum bench_model { BENCH_LLAMA_1B, BENCH_QWEN_4B, BENCH_LLAMA_8B, BENCH_MODELS };
const char *bench_model_name(enum bench_model m);

/* LoRA rank 16 on all linears, 1024 tokens (at least 512), bf16 and q4g64. */
struct job *bench_job(enum bench_model m);

double bench_seconds(void);     /* monotonic */
double bench_cpu_seconds(void); /* of this process */

#endif
