/* split.h - one model's layers cut over several devices, and what the cut costs.
 *
 * Three ways: layers by memory (as exo does: blind to speed and links; kept for comparison), layers
 * so that the slowest part is as fast as can be (dynamic program over the cuts, exact for the given
 * order of devices), and every layer on all devices (tensor parallel: two all-reduces a layer).
 * Pure; bytes and seconds as doubles. */
#ifndef COORDINATOR_PLANNER_SPLIT_H
#define COORDINATOR_PLANNER_SPLIT_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* In proportion to memory, by largest remainder, at least one layer each. ERR_INVALID where there
 * are fewer layers than devices or no memory at all. count: per device. */
int split_by_memory(size_t layers, const double *memory, size_t devices, size_t *count,
                    struct err *err);

struct split_problem {
    size_t layers;
    const double *layer_bytes; /* memory of each, where it lies */
    const double *layer_work;  /* of each; over a device's speed: seconds */
    size_t devices;            /* in the order in which the layers pass through them */
    const double *room_bytes, *speed;
    const double *hop_seconds; /* of each: to get a micro-batch from the device before it */
};

struct split {
    size_t *count;  /* layers of each device; 0: not needed. The caller's, room for all devices */
    double slowest; /* seconds of the slowest part, its hop included */
    double sum;     /* seconds through all parts */
    size_t parts;   /* devices with layers */
};

/* The smallest slowest part; among equals the one with fewest devices. ERR_INFEASIBLE where the
 * layers do not fit all devices together: the text says how many do. O(layers^2 x devices). */
int split_balance(const struct split_problem *p, struct split *out, struct err *err);

/* m micro-batches through s parts: the share of time that the parts are busy. */
double split_efficiency(int64_t micro_batches, size_t parts);

/* All micro-batches through all parts, one after another into the first. */
double split_seconds(const struct split *s, int64_t micro_batches);

/* Bytes that one all-reduce of `tokens` activations of `hidden` 16-bit values sends per device. */
double split_all_reduce_bytes(size_t devices, double tokens, int64_t hidden);

/* What tensor parallelism adds to a pass: two all-reduces per layer. */
double split_tensor_seconds(size_t layers, double latency_seconds, double bytes,
                            double bytes_per_s);

/* Latency of one collective between Macs over Thunderbolt: measured by others at 300 us over TCP
 * and under 50 us with RDMA (macOS 26.2, Thunderbolt 5). */
#define SPLIT_LATENCY_TCP 300e-6
#define SPLIT_LATENCY_RDMA 50e-6

#endif
