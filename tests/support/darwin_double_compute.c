/* darwin_double_compute.c - Metal's queues, kernels, buffers and commands: how long they would
 * take.
 *
 * "metal": {"compute": {"flops": 2.6e12, "bandwidth": 6.6e10, ...}} makes every device compute at
 * these rates. Also "compiler_error", "kernel_error", "command_error" (texts: that step fails with
 * them), "no_buffers" and "no_times" (true). Without "compute" a device has no command queue.
 * Nothing is computed; that a kernel got its buffers, large enough for its threads, is checked. */
#include "tests/support/darwin_double_inside.h"
#include "tests/support/darwin_double_objects.h"

#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "common/json/json.h"

#include <string.h>

#define STATUS_COMPLETED 4
#define STATUS_ERROR 5
#define PRODUCT_DEPTH 2048 /* of the kernel that multiplies: rows, columns and depth */

static const struct json *compute(void)
{
    return double_at("metal", "compute");
}

static const char *compute_text(const char *name)
{
    return json_text(json_member(compute(), name));
}

static struct double_object *string_new(const char *text)
{
    struct double_object *o = double_object_new(DOUBLE_STRING, NULL, 0);

    o->text = text;
    return o;
}

static void *error_new(const char *text, void **error)
{
    struct double_object *o = double_object_new(DOUBLE_ERROR, NULL, 0);

    o->text = text;
    if (error)
        *error = o;
    return NULL;
}

static void end_encoding(struct double_object *encoder)
{
    if (encoder->ended)
        double_die("endEncoding twice");
    encoder->ended = true;
    encoder->at->ended = true;
}

static void commit(struct double_object *commands)
{
    if (!commands->ended || commands->committed)
        double_die("commit of commands that are %s", commands->ended ? "on their way" : "open");
    commands->committed = true;
}

static void wait_until_completed(struct double_object *commands)
{
    if (!commands->committed)
        double_die("waiting for commands that were not committed: for ever");
    commands->waited = true;
}

bool double_compute_void(void *self, void *selector)
{
    if (double_is(selector, "endEncoding"))
        end_encoding(double_want(self, DOUBLE_ENCODER, selector));
    else if (double_is(selector, "commit"))
        commit(double_want(self, DOUBLE_COMMANDS, selector));
    else if (double_is(selector, "waitUntilCompleted"))
        wait_until_completed(double_want(self, DOUBLE_COMMANDS, selector));
    else
        return false;
    return true;
}

bool double_compute_object(void *self, void *selector, void **out)
{
    struct double_object *o;

    if (double_is(selector, "newCommandQueue")) {
        double_want(self, DOUBLE_DEVICE, selector);
        *out = compute() ? double_object_new(DOUBLE_QUEUE, NULL, 1) : NULL;
    } else if (double_is(selector, "commandBuffer")) {
        double_want(self, DOUBLE_QUEUE, selector);
        *out = double_object_new(DOUBLE_COMMANDS, NULL, 0);
    } else if (double_is(selector, "computeCommandEncoder")) {
        o = double_object_new(DOUBLE_ENCODER, NULL, 0);
        o->at = double_want(self, DOUBLE_COMMANDS, selector);
        *out = o;
    } else if (double_is(selector, "localizedDescription")) {
        *out = string_new(double_want(self, DOUBLE_ERROR, selector)->text);
    } else if (double_is(selector, "error")) {
        error_new(compute_text("command_error"), out);
    } else {
        return false;
    }
    return true;
}

uint64_t double_compute_status(void *self, void *selector)
{
    if (!double_want(self, DOUBLE_COMMANDS, selector)->waited)
        double_die("status of commands that nobody waited for");
    return compute_text("command_error") ? STATUS_ERROR : STATUS_COMPLETED;
}

static void *double_get_class(const char *name)
{
    static struct double_object string_class = {.kind = DOUBLE_CLASS};

    if (strcmp(name, "NSString") != 0)
        double_die("class %s", name);
    return &string_class;
}

static void *double_object_of_text(void *self, void *selector, const char *text)
{
    double_want(self, DOUBLE_CLASS, selector);
    if (!double_is(selector, "stringWithUTF8String:"))
        double_die("\"%s\" of a text", (const char *)selector);
    return string_new(text);
}

static void *double_object_of(void *self, void *selector, void *other)
{
    struct double_object *o;

    double_want(self, DOUBLE_LIBRARY, selector);
    if (!double_is(selector, "newFunctionWithName:"))
        double_die("\"%s\" of an object", (const char *)selector);
    o = double_object_new(DOUBLE_FUNCTION, NULL, 1);
    o->text = double_want(other, DOUBLE_STRING, selector)->text;
    return o;
}

static void *double_build(void *self, void *selector, void *what, void **error)
{
    struct double_object *o;

    double_want(self, DOUBLE_DEVICE, selector);
    if (!double_is(selector, "newComputePipelineStateWithFunction:error:"))
        double_die("\"%s\" of a function", (const char *)selector);
    if (compute_text("kernel_error"))
        return error_new(compute_text("kernel_error"), error);
    o = double_object_new(DOUBLE_PIPELINE, NULL, 1);
    o->text = double_want(what, DOUBLE_FUNCTION, selector)->text;
    return o;
}

static void *double_compile(void *self, void *selector, void *source, void *options, void **error)
{
    const char *text = double_want(source, DOUBLE_STRING, selector)->text;

    double_want(self, DOUBLE_DEVICE, selector);
    if (!double_is(selector, "newLibraryWithSource:options:error:") || options)
        double_die("\"%s\" of a source", (const char *)selector);
    if (!strstr(text, "kernel void multiply(") || !strstr(text, "kernel void copy("))
        double_die("a source without its kernels");
    if (compute_text("compiler_error"))
        return error_new(compute_text("compiler_error"), error);
    return double_object_new(DOUBLE_LIBRARY, NULL, 1);
}

static void *double_allocate(void *self, void *selector, unsigned long bytes, unsigned long options)
{
    struct double_object *o;

    double_want(self, DOUBLE_DEVICE, selector);
    if (!double_is(selector, "newBufferWithLength:options:") || bytes == 0 || options != 32)
        double_die("\"%s\" %lu %lu", (const char *)selector, bytes, options);
    if (json_bool_value(json_member(compute(), "no_buffers")))
        return NULL;
    o = double_object_new(DOUBLE_BUFFER, NULL, 1);
    o->bytes = bytes;
    return o;
}

static void double_give(void *self, void *selector, void *what)
{
    if (!double_is(selector, "setComputePipelineState:"))
        double_die("\"%s\" with an object", (const char *)selector);
    double_want(self, DOUBLE_ENCODER, selector)->pipeline =
        double_want(what, DOUBLE_PIPELINE, selector);
}

static void double_give_at(void *self, void *selector, void *what, unsigned long offset,
                           unsigned long i)
{
    if (!double_is(selector, "setBuffer:offset:atIndex:") || offset != 0 || i > 2)
        double_die("\"%s\" %lu %lu", (const char *)selector, offset, i);
    double_want(self, DOUBLE_ENCODER, selector)->buffers[i] =
        double_want(what, DOUBLE_BUFFER, selector);
}

static void want_bytes(const struct double_object *encoder, int i, unsigned long bytes)
{
    if (!encoder->buffers[i] || encoder->buffers[i]->bytes < bytes)
        double_die("kernel %s: buffer %d is too small for its threads", encoder->pipeline->text, i);
}

/* Seconds of one dispatch, at the rates of the file. */
static double dispatch_seconds(const struct double_object *encoder, struct darwin_metal_size groups,
                               struct darwin_metal_size threads)
{
    unsigned long rows = groups.height * 32, columns = groups.width * 32;

    if (strcmp(encoder->pipeline->text, "multiply") == 0) {
        if (threads.width != 32 || threads.height != 1 || threads.depth != 1 || groups.depth != 1)
            double_die("a SIMD group has 32 threads, in one row");
        want_bytes(encoder, 0, 2 * rows * PRODUCT_DEPTH);
        want_bytes(encoder, 1, 2 * columns * PRODUCT_DEPTH);
        want_bytes(encoder, 2, 4 * rows * columns);
        return 2.0 * (double)rows * (double)columns * PRODUCT_DEPTH /
               json_number(json_member(compute(), "flops"));
    }
    want_bytes(encoder, 0, 16 * groups.width * threads.width);
    want_bytes(encoder, 1, 16 * groups.width * threads.width);
    return 2.0 * 16 * (double)(groups.width * threads.width) /
           json_number(json_member(compute(), "bandwidth"));
}

static void double_dispatch(void *self, void *selector, struct darwin_metal_size groups,
                            struct darwin_metal_size threads)
{
    struct double_object *encoder = double_want(self, DOUBLE_ENCODER, selector);

    if (!double_is(selector, "dispatchThreadgroups:threadsPerThreadgroup:"))
        double_die("\"%s\" of sizes", (const char *)selector);
    if (!encoder->pipeline || encoder->ended)
        double_die("a dispatch without a kernel, or after its end");
    encoder->at->seconds += dispatch_seconds(encoder, groups, threads);
}

static double double_f64(void *self, void *selector)
{
    const struct double_object *commands = double_want(self, DOUBLE_COMMANDS, selector);

    if (!commands->waited)
        double_die("\"%s\" of commands that nobody waited for", (const char *)selector);
    if (json_bool_value(json_member(compute(), "no_times")))
        return 0;
    return double_is(selector, "GPUEndTime") ? 1000 + commands->seconds : 1000;
}

void double_fill_compute(struct darwin_calls *calls)
{
    calls->objc_getClass = double_get_class;
    calls->message_f64 = double_f64;
    calls->message_object_of = double_object_of;
    calls->message_object_of_text = double_object_of_text;
    calls->message_build = double_build;
    calls->message_compile = double_compile;
    calls->message_allocate = double_allocate;
    calls->message_give = double_give;
    calls->message_give_at = double_give_at;
    calls->message_dispatch = double_dispatch;
}
