/* bench_metal.c - see bench_metal.h.
 *
 * Ownership in Objective-C: what new... gives is released here; what the other messages give is the
 * autorelease pool's, which is pushed and popped around each command buffer. */
#include "agent/bench/bench_metal.h"
#include "agent/bench/bench.h"
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "common/core/err.h"
#include "common/core/unknown.h"

#include <stdio.h>
#include <string.h>

/* One product is of two square matrices of this size: 34 GFLOP, some milliseconds on a fast GPU,
 * half a second on the first M1 under load. 2048 needs 3 x 8 MB. */
#define PRODUCT_SIZE 2048
#define PRODUCT_FLOP (2.0 * PRODUCT_SIZE * PRODUCT_SIZE * PRODUCT_SIZE)
#define TILE 32 /* of the result, for each SIMD group: 4 x 4 units of 8 x 8 */
#define SIMD_WIDTH 32
#define COPY_ITEM 16 /* bytes: a float4 for each thread */
#define COPY_GROUP 256
#define BATCH_SECONDS 0.05 /* of a command buffer: long against its start */
#define BATCH_MAX 1024     /* dispatches in one */
#define STORAGE_PRIVATE 32 /* MTLResourceStorageModePrivate: the GPU's alone */
#define STATUS_COMPLETED 4 /* MTLCommandBufferStatusCompleted */

/* Sides are multiples of TILE, so nothing is checked at an edge. */
static const char kernels[] =
    "#include <metal_stdlib>\n"
    "#include <metal_simdgroup_matrix>\n"
    "using namespace metal;\n"
    "constant uint SIZE = 2048;\n"
    "kernel void multiply(device const half *a [[buffer(0)]], device const half *b [[buffer(1)]],\n"
    "                     device float *c [[buffer(2)]],\n"
    "                     uint2 group [[threadgroup_position_in_grid]])\n"
    "{\n"
    "    simdgroup_half8x8 left[4], right[4];\n"
    "    simdgroup_float8x8 sums[4][4];\n"
    "    device const half *rows = a + group.y * 32 * SIZE;\n"
    "    device const half *columns = b + group.x * 32;\n"
    "    for (uint i = 0; i < 4; i++)\n"
    "        for (uint j = 0; j < 4; j++)\n"
    "            sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);\n"
    "    for (uint k = 0; k < SIZE; k += 8) {\n"
    "        for (uint i = 0; i < 4; i++) {\n"
    "            simdgroup_load(left[i], rows + i * 8 * SIZE + k, SIZE);\n"
    "            simdgroup_load(right[i], columns + k * SIZE + i * 8, SIZE);\n"
    "        }\n"
    "        for (uint i = 0; i < 4; i++)\n"
    "            for (uint j = 0; j < 4; j++)\n"
    "                simdgroup_multiply_accumulate(sums[i][j], left[i], right[j], sums[i][j]);\n"
    "    }\n"
    "    device float *result = c + group.y * 32 * SIZE + group.x * 32;\n"
    "    for (uint i = 0; i < 4; i++)\n"
    "        for (uint j = 0; j < 4; j++)\n"
    "            simdgroup_store(sums[i][j], result + i * 8 * SIZE + j * 8, SIZE);\n"
    "}\n"
    "kernel void copy(device const float4 *from [[buffer(0)]], device float4 *to [[buffer(1)]],\n"
    "                 uint i [[thread_position_in_grid]])\n"
    "{\n"
    "    to[i] = from[i];\n"
    "}\n";

struct metal_bench {
    const struct darwin_calls *calls;
    const struct bench_options *options;
    void *device, *queue, *library;
    char name[64]; /* of the device */
};

/* One kernel with what it works on. */
struct work {
    const char *kernel;
    void *pipeline;
    void *buffers[3];
    size_t bytes[3]; /* 0: no such buffer */
    struct darwin_metal_size groups, threads;
    double amount; /* FLOP, or bytes, of one dispatch */
};

static void *sel(const struct metal_bench *m, const char *name)
{
    return m->calls->sel_registerName(name);
}

static void release(const struct metal_bench *m, void *object)
{
    if (object)
        m->calls->message_void(object, sel(m, "release"));
}

/* What an NSError says of itself. */
static int fail(const struct metal_bench *m, const char *what, void *error, struct err *err)
{
    void *text = error ? m->calls->message_object(error, sel(m, "localizedDescription")) : NULL;
    const char *words = text ? m->calls->message_text(text, sel(m, "UTF8String")) : NULL;

    return err_set(err, ERR_UNSUPPORTED, "bench: Metal's %s: %.120s", what,
                   words ? words : "no reason given");
}

static void *string(const struct metal_bench *m, const char *text)
{
    return m->calls->message_object_of_text(m->calls->objc_getClass("NSString"),
                                            sel(m, "stringWithUTF8String:"), text);
}

static int open_device(struct metal_bench *m, struct err *err)
{
    void *error = NULL, *name;
    const char *text;

    if (!(m->device = m->calls->MTLCreateSystemDefaultDevice()))
        return err_set(err, ERR_UNSUPPORTED, "bench: no Metal device");
    name = m->calls->message_object(m->device, sel(m, "name"));
    text = name ? m->calls->message_text(name, sel(m, "UTF8String")) : NULL;
    snprintf(m->name, sizeof m->name, "%s", text ? text : "Metal");
    if (!(m->queue = m->calls->message_object(m->device, sel(m, "newCommandQueue"))))
        return fail(m, "command queue", NULL, err);
    m->library = m->calls->message_compile(m->device, sel(m, "newLibraryWithSource:options:error:"),
                                           string(m, kernels), NULL, &error);
    return m->library ? 0 : fail(m, "compiler", error, err);
}

static int open_work(const struct metal_bench *m, struct work *w, struct err *err)
{
    void *function = m->calls->message_object_of(m->library, sel(m, "newFunctionWithName:"),
                                                 string(m, w->kernel));
    void *error = NULL;

    if (!function)
        return fail(m, w->kernel, NULL, err);
    w->pipeline = m->calls->message_build(
        m->device, sel(m, "newComputePipelineStateWithFunction:error:"), function, &error);
    release(m, function);
    if (!w->pipeline)
        return fail(m, w->kernel, error, err);
    for (size_t i = 0; i < 3; i++) {
        if (w->bytes[i] == 0)
            continue;
        w->buffers[i] = m->calls->message_allocate(
            m->device, sel(m, "newBufferWithLength:options:"), w->bytes[i], STORAGE_PRIVATE);
        if (!w->buffers[i])
            return err_set(err, ERR_NOMEM, "bench: Metal gives no buffer of %zu bytes",
                           w->bytes[i]);
    }
    return 0;
}

static void close_work(const struct metal_bench *m, struct work *w)
{
    for (size_t i = 0; i < 3; i++)
        release(m, w->buffers[i]);
    release(m, w->pipeline);
}

static void encode(const struct metal_bench *m, const struct work *w, void *commands, int count)
{
    const struct darwin_calls *c = m->calls;
    void *encoder = c->message_object(commands, sel(m, "computeCommandEncoder"));

    c->message_give(encoder, sel(m, "setComputePipelineState:"), w->pipeline);
    for (unsigned long i = 0; i < 3; i++) {
        if (w->buffers[i])
            c->message_give_at(encoder, sel(m, "setBuffer:offset:atIndex:"), w->buffers[i], 0, i);
    }
    for (int i = 0; i < count; i++)
        c->message_dispatch(encoder, sel(m, "dispatchThreadgroups:threadsPerThreadgroup:"),
                            w->groups, w->threads);
    c->message_void(encoder, sel(m, "endEncoding"));
}

static double gpu_seconds(const struct metal_bench *m, void *commands, struct err *err)
{
    double seconds = m->calls->message_f64(commands, sel(m, "GPUEndTime")) -
                     m->calls->message_f64(commands, sel(m, "GPUStartTime"));

    if (seconds > 0)
        return seconds;
    err_set(err, ERR_UNSUPPORTED, "bench: Metal tells no times");
    return -1;
}

/* Seconds that the GPU took for so many dispatches; -1 with the reason. */
static double run_batch(const struct metal_bench *m, const struct work *w, int count,
                        struct err *err)
{
    const struct darwin_calls *c = m->calls;
    void *pool = c->objc_autoreleasePoolPush();
    void *commands = c->message_object(m->queue, sel(m, "commandBuffer"));
    double seconds = -1;

    if (!commands) {
        fail(m, "command buffer", NULL, err);
    } else {
        encode(m, w, commands, count);
        c->message_void(commands, sel(m, "commit"));
        c->message_void(commands, sel(m, "waitUntilCompleted"));
        if (c->message_u64(commands, sel(m, "status")) != STATUS_COMPLETED)
            fail(m, w->kernel, c->message_object(commands, sel(m, "error")), err);
        else
            seconds = gpu_seconds(m, commands, err);
    }
    c->objc_autoreleasePoolPop(pool);
    return seconds;
}

static int next_count(int count, double seconds)
{
    double wanted = (double)count * BATCH_SECONDS / seconds;

    return wanted < 1 ? 1 : wanted > BATCH_MAX ? BATCH_MAX : (int)wanted;
}

/* The rate of one kind of work over half of the time. The first batch warms up: clocks rise, pages
 * come. */
static int time_work(const struct metal_bench *m, const struct work *w, double *rate, double *took,
                     struct err *err)
{
    double half = m->options->seconds / 2, spent = 0, done = 0;
    double seconds = run_batch(m, w, 1, err);
    int count;

    if (seconds < 0)
        return -1;
    count = next_count(1, seconds);
    while (spent < half) {
        if (m->options->stop && m->options->stop(m->options->stop_arg))
            return err_set(err, ERR_CANCELLED, "bench: stopped");
        if ((seconds = run_batch(m, w, count, err)) < 0)
            return -1;
        spent += seconds;
        done += w->amount * count;
        count = next_count(count, seconds);
    }
    *rate = done / spent;
    *took += spent;
    return 0;
}

/* In one pool: what messages give on the way is not needed afterwards. */
static int open_all(struct metal_bench *m, struct work *a, struct work *b, struct err *err)
{
    void *pool = m->calls->objc_autoreleasePoolPush();
    int rc =
        open_device(m, err) < 0 || open_work(m, a, err) < 0 || open_work(m, b, err) < 0 ? -1 : 0;

    m->calls->objc_autoreleasePoolPop(pool);
    return rc;
}

static int measure(struct metal_bench *m, struct bench_result *r, struct err *err)
{
    size_t bytes = m->options->buffer_bytes ? m->options->buffer_bytes : BENCH_BUFFER_BYTES;
    unsigned long items = bytes / COPY_ITEM / COPY_GROUP;
    struct work product = {.kernel = "multiply",
                           .bytes = {2UL * PRODUCT_SIZE * PRODUCT_SIZE,
                                     2UL * PRODUCT_SIZE * PRODUCT_SIZE,
                                     4UL * PRODUCT_SIZE * PRODUCT_SIZE},
                           .groups = {PRODUCT_SIZE / TILE, PRODUCT_SIZE / TILE, 1},
                           .threads = {SIMD_WIDTH, 1, 1},
                           .amount = PRODUCT_FLOP};
    struct work copy = {.kernel = "copy", .threads = {COPY_GROUP, 1, 1}};
    int rc;

    items = items > 0 ? items : 1;
    copy.groups = (struct darwin_metal_size){items, 1, 1};
    copy.bytes[0] = copy.bytes[1] = items * COPY_GROUP * COPY_ITEM;
    copy.amount = 2.0 * (double)copy.bytes[0];
    rc = open_all(m, &product, &copy, err) < 0 ||
                 time_work(m, &product, &r->flops, &r->seconds, err) < 0 ||
                 time_work(m, &copy, &r->bandwidth, &r->seconds, err) < 0
             ? -1
             : 0;
    close_work(m, &product);
    close_work(m, &copy);
    return rc;
}

int bench_metal_run(const struct darwin_calls *calls, const struct bench_options *options,
                    struct bench_result *out, struct err *err)
{
    struct metal_bench m = {.calls = calls, .options = options};
    struct bench_result r = {.at_ms = UNKNOWN_I64};
    int rc;

    if (calls->metal_missing)
        return err_set(err, ERR_UNSUPPORTED, "bench: %s", calls->metal_missing);
    rc = measure(&m, &r, err);
    release(&m, m.library);
    release(&m, m.queue);
    release(&m, m.device);
    if (rc < 0)
        return -1;
    snprintf(r.how, sizeof r.how, "Metal, %s, f16 products, f32 sums", m.name);
    *out = r;
    return 0;
}
