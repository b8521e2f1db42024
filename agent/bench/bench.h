/* bench.h - how fast this machine multiplies matrices and moves memory, timed for two seconds.
 *
 * The planner knows published rates of chips; what a machine itself did, under its own cooling,
 * power and load, is the better fact, and the only one for a chip that is newer than the table. A
 * rate is told with its conditions, and is never a guess: what cannot be timed stays unknown.
 *
 * Linux: on the CPU, a thread for each core. Products of 32-bit floats, 6 x 16 results at a time
 * kept in registers, panels in cache: what a good library reaches. Copies between two buffers that
 * no cache holds, counted as read and written.
 *
 * macOS: on the GPU, through Metal (bench_metal.h). 16-bit floats with 32-bit sums.
 *
 * In the order of a life: bench_run (some seconds, on a thread of the caller's that may wait),
 * bench_save; at the next start bench_load. */
#ifndef AGENT_BENCH_BENCH_H
#define AGENT_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define BENCH_SECONDS 2.0
#define BENCH_SECONDS_MAX 60.0
#define BENCH_BUFFER_BYTES \
    (64 * 1024 * 1024) /* each of the two: past the caches of all but servers */
#define BENCH_THREADS_MAX 64

/* Asked about every 50 ms: true ends the run early, without a result. */
typedef bool bench_stop_fn(void *arg);

struct bench_options {
    double seconds;      /* in all; above 0, at most BENCH_SECONDS_MAX */
    size_t buffer_bytes; /* 0: BENCH_BUFFER_BYTES. Less on a machine that has little left */
    int threads;         /* 0: one for each core that is on */
    bench_stop_fn *stop; /* NULL: none */
    void *stop_arg;
};

#define BENCH_TEXT_MAX 120

struct bench_result {
    double flops;             /* FLOP/s: matrix products */
    double bandwidth;         /* bytes/s: read and written */
    double seconds;           /* it took */
    int64_t at_ms;            /* wall clock, filled by the caller: UNKNOWN_I64 from bench_run */
    char how[BENCH_TEXT_MAX]; /* "CPU, 8 threads, f32, AVX2" */
    char conditions[BENCH_TEXT_MAX]; /* "thermal nominal, power ac", by the caller; "" from
                                        bench_run */
    char chip[BENCH_TEXT_MAX];       /* whose rates these are, by the caller: profile.chip */
};

/* -1: not finished, and *out is untouched: ERR_INVALID (an option), ERR_NOMEM, ERR_IO (no threads),
 * ERR_UNSUPPORTED (no GPU that could be timed), ERR_CANCELLED (stopped). */
int bench_run(const struct bench_options *options, struct bench_result *out, struct err *err);

/* The same on the cores of the CPU, options unchecked: for bench_run. */
int bench_cpu_run(const struct bench_options *options, struct bench_result *out, struct err *err);

/* The result in one sentence, for the notes of a profile. */
void bench_describe(const struct bench_result *r, char *out, size_t size);

/* As JSON, with the names of the profile's fields: gpu_flops, memory_bandwidth_bytes_per_s, ...
 * Yours to mem_free. */
char *bench_print(const struct bench_result *r, struct err *err);

/* What bench_print wrote. ERR_MALFORMED or ERR_INVALID, naming the field, for anything else. */
int bench_parse(const char *text, size_t len, struct bench_result *out, struct err *err);

#define BENCH_FILE_MAX 4096

/* One file, whole or as it was. */
int bench_save(const char *path, const struct bench_result *r, struct err *err);
/* ERR_NOT_FOUND when there is none. */
int bench_load(const char *path, struct bench_result *out, struct err *err);

/* ---- the product itself, for tests ---- */

#define BENCH_ROWS 6
#define BENCH_COLUMNS 16

/* c (BENCH_ROWS x BENCH_COLUMNS, row after row) += a * b over `depth`: a holds BENCH_ROWS values
 * for each step of depth, b BENCH_COLUMNS. The fastest form this processor has; its name. */
void bench_product(const float *a, const float *b, float *c, size_t depth);
const char *bench_product_name(void);

#endif
