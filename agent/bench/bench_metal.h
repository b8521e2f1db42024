/* bench_metal.h - bench_run on the GPU of a Mac, through Metal.
 *
 * The kernels are compiled at run time by the system's own compiler, so that nothing but this
 * file's text has to be carried. Products are of 16-bit floats with 32-bit sums, on the matrix
 * units of a SIMD group (simdgroup_matrix: Apple7, every Apple Silicon GPU, and later); copies are
 * of buffers that no cache holds, counted as read and written. Time is the GPU's own, from command
 * buffer to command buffer, so a slow compiler or a busy CPU does not count.
 *
 * All calls go through agent/probe/darwin_calls.h. Not yet run on a Mac: the sequence of calls is
 * exercised against the double, the kernels' text is not. */
#ifndef AGENT_BENCH_BENCH_METAL_H
#define AGENT_BENCH_BENCH_METAL_H

struct bench_options;
struct bench_result;
struct darwin_calls;
struct err;

/* As bench_run; ERR_UNSUPPORTED, with Metal's reason, where there is no Metal device or it does not
 * take the kernels. Blocks for some tens of milliseconds at a time between looks at the stop. */
int bench_metal_run(const struct darwin_calls *calls, const struct bench_options *options,
                    struct bench_result *out, struct err *err);

#endif
