/* metal_darwin.c - see metal.h. */
#include "agent/probe/metal.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <stdio.h>

/* Families by their numbers, in runs; Metal's own names for them. */
static const struct family_run {
    int first, last;
    const char *name; /* the number of `first` in this run is `from` */
    int from;
} runs[] = {{1001, 1020, "Apple", 1},
            {2001, 2002, "Mac", 1},
            {3001, 3005, "Common", 1},
            {5001, 5005, "Metal", 3}};

#define RUN_APPLE 0
#define RUN_METAL 3
#define RUNS (sizeof runs / sizeof runs[0])
#define FAMILIES_MAX 64 /* as the row of the model */

/* A device to ask. */
struct device {
    const struct darwin_calls *calls;
    void *id;
};

static void *selector(const struct device *d, const char *name)
{
    return d->calls->sel_registerName(name);
}

/* The first device: a Mac with Apple Silicon has one. Retained, or NULL. */
static void *open_device(const struct darwin_calls *c)
{
    struct device list = {c, c->MTLCopyAllDevices()};
    void *device = NULL;

    if (list.id) {
        if (c->message_u64(list.id, selector(&list, "count")) > 0)
            device = c->message_object_at(list.id, selector(&list, "objectAtIndex:"), 0);
        if (device)
            device = c->message_object(device, selector(&list, "retain"));
        c->message_void(list.id, selector(&list, "release"));
    }
    return device ? device : c->MTLCreateSystemDefaultDevice();
}

/* A number of the device; 0, and what is out of range, is not known. */
static int put_number(const struct device *d, struct metal *m, const char *name, const char *field,
                      struct profile *p, struct err *err)
{
    uint64_t value = d->calls->message_u64(d->id, selector(d, name));
    char path[64];

    if (value > 0 && value <= INT64_MAX &&
        record_put_i64(&metal_type, m, field, (int64_t)value) == 0)
        return 0;
    snprintf(path, sizeof path, "metal.%s", field);
    return profile_unknown(p, err, path, "Metal's %s is %" PRIu64, name, value);
}

/* Every family that it supports; the highest of Apple's and of Metal's own are put into words. */
static int put_families(const struct device *d, struct metal *m, struct profile *p, struct err *err)
{
    void *supports = selector(d, "supportsFamily:");
    int highest[RUNS] = {0};

    if (!(m->families = mem_calloc(FAMILIES_MAX, sizeof *m->families)))
        return err_set(err, ERR_NOMEM, "families of the GPU");
    for (size_t r = 0; r < RUNS; r++) {
        for (int family = runs[r].first; family <= runs[r].last; family++) {
            if (!d->calls->message_bool_of(d->id, supports, family))
                continue;
            m->families[m->families_count++] = family;
            highest[r] = family;
        }
    }
    for (size_t r = 0; r < RUNS; r++) {
        char **field = r == RUN_APPLE ? &m->family : r == RUN_METAL ? &m->metal_version : NULL;
        const char *path = r == RUN_APPLE ? "metal.family" : "metal.metal_version";

        if (!field)
            continue;
        if (highest[r] == 0) {
            if (profile_unknown(p, err, path, "it supports none of the families %d to %d",
                                runs[r].first, runs[r].last) < 0)
                return -1;
        } else if (text_setf(field, err, "MTLGPUFamily%s%d (%d)", runs[r].name,
                             highest[r] - runs[r].first + runs[r].from, highest[r]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The text behind an NSString. */
static int put_text(const struct device *d, void *string, struct metal *m, const char *field,
                    const char *why, struct profile *p, struct err *err)
{
    const char *text = string ? d->calls->message_text(string, selector(d, "UTF8String")) : NULL;
    char path[64];
    int rc = text ? record_put_text(&metal_type, m, field, text, err) : 1;

    snprintf(path, sizeof path, "metal.%s", field);
    return rc > 0 ? profile_unknown(p, err, path, "%s", why) : rc;
}

static int put_texts(const struct device *d, struct metal *m, struct profile *p, struct err *err)
{
    void *architecture = selector(d, "architecture"), *object = NULL;
    const char *why = "Metal's architecture has no name";

    if (put_text(d, d->calls->message_object(d->id, selector(d, "name")), m, "name",
                 "Metal's device has no name", p, err) < 0)
        return -1;
    if (!d->calls->message_responds(d->id, selector(d, "respondsToSelector:"), architecture))
        why = "Metal tells no architecture before macOS 14";
    else if ((object = d->calls->message_object(d->id, architecture)))
        object = d->calls->message_object(object, selector(d, "name"));
    return put_text(d, object, m, "architecture", why, p, err);
}

static int put_unified(const struct device *d, struct metal *m, struct profile *p, struct err *err)
{
    void *unified = selector(d, "hasUnifiedMemory");

    if (!d->calls->message_responds(d->id, selector(d, "respondsToSelector:"), unified))
        return profile_unknown(p, err, "metal.unified_memory", "Metal does not tell it");
    m->unified_memory = d->calls->message_bool(d->id, unified) ? TRI_TRUE : TRI_FALSE;
    return 0;
}

static int fill_metal(const struct device *d, struct metal *m, struct profile *p, struct err *err)
{
    if (put_texts(d, m, p, err) < 0 ||
        put_number(d, m, "recommendedMaxWorkingSetSize", "working_set_bytes", p, err) < 0 ||
        put_number(d, m, "maxBufferLength", "max_buffer_bytes", p, err) < 0 ||
        put_number(d, m, "maxThreadgroupMemoryLength", "threadgroup_memory_bytes", p, err) < 0)
        return -1;
    if (put_unified(d, m, p, err) < 0)
        return -1;
    return put_families(d, m, p, err);
}

int metal_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    struct device d = {source->calls, NULL};
    void *pool;
    int rc = 0;

    if (d.calls->metal_missing)
        return profile_unknown(p, err, "metal", "%s", d.calls->metal_missing);
    pool = d.calls->objc_autoreleasePoolPush(); /* what Metal hands out on the way */
    if (!(d.id = open_device(d.calls))) {
        rc = profile_unknown(p, err, "metal",
                             "Metal lists no device: so in virtual machines, in sandboxes and in "
                             "some sessions without a screen");
    } else {
        rc = (p->metal = metal_new(err)) ? fill_metal(&d, p->metal, p, err) : -1;
        if (rc == 0)
            rc = profile_note(p, err, "metal", FACT_SOURCE_READ, "MTLDevice");
        d.calls->message_void(d.id, selector(&d, "release"));
    }
    d.calls->objc_autoreleasePoolPop(pool);
    return rc;
}
