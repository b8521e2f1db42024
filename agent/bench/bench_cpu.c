/* bench_cpu.c - bench_run on the cores of a CPU; options are checked by then.
 *
 * Each thread works until its time is over and tells how much it did in how long; rates add up, so
 * a core that others hold counts for what was left of it. */
#include "agent/bench/bench.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 256       /* steps of one product: its panels stay in the first cache */
#define PANELS 16       /* of each side: 260 KB together, in the second cache */
#define STOP_LOOK_MS 50 /* how often the stop is asked about */

struct worker {
    pthread_t thread;
    bool started;
    struct bench *bench;
    size_t share_bytes; /* of each buffer */
    char *from, *to;
    double flops, bandwidth; /* rates it reached */
    bool failed;             /* no memory */
};

struct bench {
    double seconds; /* for each of the two parts */
    atomic_bool stop;
    struct worker workers[BENCH_THREADS_MAX];
    int count;
};

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Panels of small whole numbers, so that sums are exact and the compiler can leave nothing out. */
static float *make_panels(size_t width)
{
    size_t count = (size_t)PANELS * DEPTH * width;
    float *panels = mem_calloc(count, sizeof *panels);

    for (size_t i = 0; panels && i < count; i++)
        panels[i] = (float)(i % 7);
    return panels;
}

/* FLOP/s of one thread; 0 without memory. */
static double multiply(struct worker *w)
{
    float *a = make_panels(BENCH_ROWS), *b = make_panels(BENCH_COLUMNS);
    float c[BENCH_ROWS * BENCH_COLUMNS] = {0};
    double begun = seconds_now(), now = begun, done = 0;

    while (a && b && now - begun < w->bench->seconds && !atomic_load(&w->bench->stop)) {
        for (int i = 0; i < PANELS; i++)
            for (int k = 0; k < PANELS; k++)
                bench_product(a + (size_t)i * DEPTH * BENCH_ROWS,
                              b + (size_t)k * DEPTH * BENCH_COLUMNS, c, DEPTH);
        done += 2.0 * BENCH_ROWS * BENCH_COLUMNS * DEPTH * PANELS * PANELS;
        memset(c, 0, sizeof c);
        now = seconds_now();
    }
    w->failed |= !a || !b;
    mem_free(a);
    mem_free(b);
    return now > begun ? done / (now - begun) : 0;
}

/* Bytes read and written a second. One copy before the time counts: it brings the pages in. */
static double copy(struct worker *w)
{
    double begun, now, done = 0;

    memset(w->from, 1, w->share_bytes);
    memcpy(w->to, w->from, w->share_bytes);
    begun = now = seconds_now();
    while (now - begun < w->bench->seconds && !atomic_load(&w->bench->stop)) {
        memcpy(w->to, w->from, w->share_bytes);
        w->from[(size_t)done % w->share_bytes] ^= 1; /* what is copied differs each time */
        done += 2.0 * (double)w->share_bytes;
        now = seconds_now();
    }
    return now > begun ? done / (now - begun) : 0;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    w->flops = multiply(w);
    w->from = mem_alloc(w->share_bytes);
    w->to = mem_alloc(w->share_bytes);
    if (w->from && w->to)
        w->bandwidth = copy(w);
    else
        w->failed = true;
    mem_free(w->from);
    mem_free(w->to);
    return NULL;
}

static int cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > BENCH_THREADS_MAX ? BENCH_THREADS_MAX : (int)count;
}

/* Ask about the stop until the time is over; the threads end by themselves. */
static void wait_for_time(struct bench *b, const struct bench_options *o)
{
    double until = seconds_now() + o->seconds;

    while (o->stop && !atomic_load(&b->stop) && seconds_now() < until) {
        if (o->stop(o->stop_arg))
            atomic_store(&b->stop, true);
        else
            nanosleep(&(struct timespec){0, STOP_LOOK_MS * 1000000L}, NULL);
    }
}

static int run_workers(struct bench *b, const struct bench_options *o, struct err *err)
{
    size_t bytes = o->buffer_bytes ? o->buffer_bytes : BENCH_BUFFER_BYTES;
    bool started = true, failed = false;

    for (int i = 0; i < b->count && started; i++) {
        struct worker *w = &b->workers[i];

        w->bench = b;
        w->share_bytes = bytes / (size_t)b->count + 1;
        started = w->started = pthread_create(&w->thread, NULL, work, w) == 0;
    }
    if (started)
        wait_for_time(b, o);
    else
        atomic_store(&b->stop, true);
    for (int i = 0; i < b->count; i++) {
        if (b->workers[i].started)
            pthread_join(b->workers[i].thread, NULL);
        failed |= b->workers[i].failed;
    }
    if (!started)
        return err_set(err, ERR_IO, "bench: no thread could be started");
    if (atomic_load(&b->stop))
        return err_set(err, ERR_CANCELLED, "bench: stopped");
    return failed ? err_set(err, ERR_NOMEM, "bench") : 0;
}

int bench_cpu_run(const struct bench_options *options, struct bench_result *out, struct err *err)
{
    struct bench_result r = {.at_ms = UNKNOWN_I64};
    struct bench *b;
    double begun = seconds_now();
    int rc;

    if (!(b = mem_zalloc(sizeof *b)))
        return err_set(err, ERR_NOMEM, "bench");
    b->seconds = options->seconds / 2;
    b->count = options->threads ? options->threads : cores();
    rc = run_workers(b, options, err);
    for (int i = 0; i < b->count; i++) {
        r.flops += b->workers[i].flops;
        r.bandwidth += b->workers[i].bandwidth;
    }
    r.seconds = seconds_now() - begun;
    snprintf(r.how, sizeof r.how, "CPU, %d thread%s, f32, %s", b->count, b->count == 1 ? "" : "s",
             bench_product_name());
    mem_free(b);
    if (rc == 0)
        *out = r;
    return rc;
}
