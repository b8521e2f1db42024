/* cost.h - what one training set-up costs on one machine: memory, time, bytes.
 *
 * Pure arithmetic on a model's shape; doubles throughout, SI units (1 GB is 1e9 bytes). The model
 * is fitted to measurements of MLX; each coefficient names the quantity it stands for beside the
 * code. No function fails: callers hand in a shape and a set-up that passed their range checks. */
#ifndef COORDINATOR_PLANNER_COST_H
#define COORDINATOR_PLANNER_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_shape;

/* One way to train. */
struct cost_setup {
    int format;    /* enum model_format */
    int method;    /* enum fine_tune_method */
    int targets;   /* enum lora_targets */
    int optimizer; /* enum optimizer */
    int64_t rank;
    int64_t layers; /* blocks trained, from the top */
    int64_t batch_size;
    int64_t grad_accumulation;
    int64_t sequence_length;
    bool grad_checkpoint;
};

enum cost_backend { COST_METAL, COST_CPU };

/* Bytes. peak = 1.02 weights + training + 1.15 factor activations + runtime. */
struct cost_memory {
    double weights;
    double training;    /* adapters, gradients, optimizer state, DoRA's copies */
    double activations; /* before the factor */
    double peak;
};

/* Seconds. */
struct cost_time {
    double micro_seconds;     /* one micro-batch */
    double step_seconds;      /* one optimizer update: all its micro-batches */
    double tokens_per_second; /* batch x length over time, padding counted */
    double flop_per_token;
    double efficiency;    /* share of the peak rate that is reached */
    bool bandwidth_bound; /* reading weights takes longer than the arithmetic */
};

/* Bits per weight; 16 for bf16, 4.5 for q4g64. */
double cost_bits_per_weight(int format);
bool cost_format_is_quantised(int format);

/* Trainable parameters of one client. */
double cost_trainable(const struct model_shape *shape, const struct cost_setup *s);

void cost_memory(const struct model_shape *shape, const struct cost_setup *s,
                 enum cost_backend backend, double activation_factor, struct cost_memory *out);

/* The parts of a peak as an engine reports it, which counts no runtime: what stays (weights,
 * adapters, gradients, optimizer), and activations with their margin, before the factor. */
double cost_fixed_bytes(const struct cost_memory *m);
double cost_activation_bytes(const struct cost_memory *m);
double cost_resident_bytes(double measured_bytes); /* with the margin of weights */

/* `slow` multiplies time: heat, low-power mode. flops and bandwidth are peak rates. */
void cost_step(const struct model_shape *shape, const struct cost_setup *s, double flops,
               double bandwidth, double slow, struct cost_time *out);

/* Bytes of one update of `parameters` values. */
double cost_update_bytes(double parameters, int upload_format);

/* One client's round: there and back twice the latency, both transfers, warm-up, steps. */
struct cost_link {
    double up_bps, down_bps; /* bits/s */
    double latency_seconds;  /* one way */
};
double cost_fixed_seconds(const struct cost_link *link, double down_bytes, double up_bytes,
                          double warmup_seconds);

/* Optimizer updates that fit before `deadline`: 0 when none does. */
int64_t cost_steps_within(double deadline, double fixed_seconds, double step_seconds);

/* The smallest number of clients to select so that, each being lost with probability `dropout`, at
 * least `wanted` report with probability 0.95; `at_most` where there are no more. dropout 0..0.9.
 */
int64_t cost_over_selection(int64_t wanted, double dropout, int64_t at_most);

#endif
