/* bench.c - which processor is timed: the one that plans would run on. */
#include "agent/bench/bench.h"
#include "agent/bench/bench_metal.h"
#include "agent/probe/darwin_calls.h"
#include "common/core/err.h"

static int check(const struct bench_options *o, struct err *err)
{
    if (!(o->seconds > 0) || o->seconds > BENCH_SECONDS_MAX)
        return err_set(err, ERR_INVALID, "bench: %g seconds, wanted more than 0, at most %g",
                       o->seconds, BENCH_SECONDS_MAX);
    if (o->threads < 0 || o->threads > BENCH_THREADS_MAX)
        return err_set(err, ERR_INVALID, "bench: %d threads, wanted 1 to %d", o->threads,
                       BENCH_THREADS_MAX);
    return 0;
}

int bench_run(const struct bench_options *options, struct bench_result *out, struct err *err)
{
    if (check(options, err) < 0)
        return -1;
#ifdef __APPLE__
    return bench_metal_run(darwin_system_calls(), options, out, err);
#else
    return bench_cpu_run(options, out, err);
#endif
}
