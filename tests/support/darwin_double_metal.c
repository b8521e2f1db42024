/* darwin_double_metal.c - libobjc and Metal: a list of devices, and what each answers.
 *
 * "metal": {"devices": [device, ...], "default": device}, both optional; a device has the selectors
 * it answers as members: name, recommendedMaxWorkingSetSize, maxBufferLength,
 * maxThreadgroupMemoryLength, hasUnifiedMemory, architecture, and `families`, a list of numbers.
 * What a device computes is darwin_double_compute.c's. */
#include "tests/support/darwin_double_inside.h"
#include "tests/support/darwin_double_objects.h"

#include "agent/probe/darwin_calls.h"
#include "common/json/json.h"

#include <stdlib.h>
#include <string.h>

#define SELECTORS_MAX 64

static const char *selectors[SELECTORS_MAX];
static struct double_object *pool;
static int pool_depth;
static size_t live;

size_t double_metal_live(void)
{
    return live + (size_t)pool_depth;
}

struct double_object *double_object_new(enum double_kind kind, const struct json *value,
                                        unsigned references)
{
    struct double_object *o = double_alloc(sizeof *o);

    *o = (struct double_object){.kind = kind, .value = value, .references = references};
    live++;
    if (references == 0) {
        if (pool_depth == 0)
            double_die("something is autoreleased, and there is no pool");
        o->next = pool;
        pool = o;
    }
    return o;
}

static void object_release(struct double_object *o)
{
    if (o->references == 0)
        double_die("release of something that is the pool's");
    if (--o->references > 0)
        return;
    if (o->device)
        object_release(o->device);
    free(o);
    live--;
}

static void *double_push(void)
{
    pool_depth++;
    return &pool_depth;
}

static void double_pop(void *token)
{
    if (token != &pool_depth || pool_depth != 1)
        double_die("objc_autoreleasePoolPop: not what was pushed");
    while (pool) {
        struct double_object *next = pool->next;

        free(pool);
        live--;
        pool = next;
    }
    pool_depth--;
}

static void *double_selector(const char *name)
{
    for (size_t i = 0; i < SELECTORS_MAX; i++) {
        if (!selectors[i])
            selectors[i] = name; /* the probes' names are literals */
        if (strcmp(selectors[i], name) == 0)
            return (void *)(uintptr_t)selectors[i];
    }
    double_die("more than %d selectors", SELECTORS_MAX);
}

bool double_is(const void *selector, const char *name)
{
    return strcmp(selector, name) == 0;
}

struct double_object *double_want(void *self, enum double_kind kind, const void *selector)
{
    struct double_object *o = self;

    if (!o || o->kind != kind)
        double_die("\"%s\" to %s", (const char *)selector, o ? "another kind of object" : "nil");
    return o;
}

static void *double_all_devices(void)
{
    const struct json *devices = double_at("metal", "devices");
    struct double_object *list;

    double_note("MTLCopyAllDevices", "");
    if (!devices)
        return NULL;
    list = double_object_new(DOUBLE_LIST, devices, 1);
    if (json_first(devices))
        list->device = double_object_new(DOUBLE_DEVICE, json_first(devices), 1);
    return list;
}

static void *double_default_device(void)
{
    const struct json *device = double_at("metal", "default");

    double_note("MTLCreateSystemDefaultDevice", "");
    return device ? double_object_new(DOUBLE_DEVICE, device, 1) : NULL;
}

static void double_message_void(void *self, void *selector)
{
    if (double_compute_void(self, selector))
        return;
    if (!self || !double_is(selector, "release"))
        double_die("\"%s\" for nothing", (const char *)selector);
    object_release(self);
}

static void *double_message_object(void *self, void *selector)
{
    struct double_object *o = self;
    const struct json *value;
    void *made;

    if (double_compute_object(self, selector, &made))
        return made;
    if (double_is(selector, "retain")) {
        o->references++;
        return o;
    }
    if (o->kind == DOUBLE_ARCHITECTURE && double_is(selector, "name"))
        return double_object_new(DOUBLE_STRING, o->value, 0);
    value = json_member(double_want(self, DOUBLE_DEVICE, selector)->value, selector);
    if (double_is(selector, "name"))
        return value ? double_object_new(DOUBLE_STRING, value, 0) : NULL;
    if (!double_is(selector, "architecture") || !value)
        double_die("\"%s\": unrecognized selector", (const char *)selector);
    return double_object_new(DOUBLE_ARCHITECTURE, value, 0);
}

static void *double_message_at(void *self, void *selector, unsigned long i)
{
    struct double_object *list = double_want(self, DOUBLE_LIST, selector);

    if (!double_is(selector, "objectAtIndex:") || i != 0 || !list->device)
        double_die("\"%s\" %lu: beyond its bounds", (const char *)selector, i);
    return list->device;
}

static const char *double_message_text(void *self, void *selector)
{
    if (!double_is(selector, "UTF8String"))
        double_die("\"%s\" for a text", (const char *)selector);
    double_want(self, DOUBLE_STRING, selector);
    return ((struct double_object *)self)->text ? ((struct double_object *)self)->text
                                                : json_text(((struct double_object *)self)->value);
}

static uint64_t double_message_u64(void *self, void *selector)
{
    double value;

    if (double_is(selector, "status"))
        return double_compute_status(self, selector);
    if (double_is(selector, "count"))
        return json_count(double_want(self, DOUBLE_LIST, selector)->value);
    if (!double_is(selector, "recommendedMaxWorkingSetSize") &&
        !double_is(selector, "maxBufferLength") &&
        !double_is(selector, "maxThreadgroupMemoryLength"))
        double_die("\"%s\" for a number", (const char *)selector);
    value = json_number(json_member(double_want(self, DOUBLE_DEVICE, selector)->value, selector));
    return value > 0 ? (uint64_t)value : 0;
}

static bool double_message_bool(void *self, void *selector)
{
    if (!double_is(selector, "hasUnifiedMemory"))
        double_die("\"%s\" for a yes or no", (const char *)selector);
    return json_bool_value(
        json_member(double_want(self, DOUBLE_DEVICE, selector)->value, selector));
}

static bool double_message_bool_of(void *self, void *selector, long value)
{
    const struct json *f;

    if (!double_is(selector, "supportsFamily:"))
        double_die("\"%s\" of a number", (const char *)selector);
    f = json_first(json_member(double_want(self, DOUBLE_DEVICE, selector)->value, "families"));
    while (f && json_integer(f) != value)
        f = json_next(f);
    return f != NULL;
}

static bool double_message_responds(void *self, void *selector, void *other)
{
    if (!double_is(selector, "respondsToSelector:"))
        double_die("\"%s\" of a selector", (const char *)selector);
    return json_member(double_want(self, DOUBLE_DEVICE, selector)->value, other) != NULL;
}

void double_fill_metal(struct darwin_calls *calls)
{
    calls->objc_autoreleasePoolPush = double_push;
    calls->objc_autoreleasePoolPop = double_pop;
    calls->sel_registerName = double_selector;
    calls->MTLCopyAllDevices = double_all_devices;
    calls->MTLCreateSystemDefaultDevice = double_default_device;
    calls->message_void = double_message_void;
    calls->message_object = double_message_object;
    calls->message_object_at = double_message_at;
    calls->message_text = double_message_text;
    calls->message_u64 = double_message_u64;
    calls->message_bool = double_message_bool;
    calls->message_bool_of = double_message_bool_of;
    calls->message_responds = double_message_responds;
    double_fill_compute(calls);
}
