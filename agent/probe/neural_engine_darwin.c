/* neural_engine_darwin.c - see neural_engine.h. */
#include "agent/probe/neural_engine.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/device.h"

struct engines {
    int64_t count;         /* services */
    int64_t cores;         /* of those that say it */
    int64_t silent;        /* those that do not: then the sum is not known */
    char architecture[65]; /* of the first that says it; "" */
};

static bool take_engine(const struct darwin_source *source, uint32_t entry, void *arg)
{
    const void *properties = darwin_property(source, entry, "DeviceProperties");
    struct engines *e = arg;
    int64_t cores;

    e->count++;
    if (darwin_cf_i64(source, darwin_cf_member(source, properties, "ANEDevicePropertyNumANECores"),
                      &cores) &&
        cores > 0 && cores <= 4096)
        e->cores += cores;
    else
        e->silent++;
    if (!e->architecture[0] &&
        !darwin_cf_text(
            source,
            darwin_cf_member(source, properties, "ANEDevicePropertyTypeANEArchitectureTypeStr"),
            e->architecture, sizeof e->architecture))
        e->architecture[0] = '\0';
    if (properties)
        source->calls->CFRelease(properties);
    return e->count < 16;
}

int neural_engine_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    const char *missing = source->calls->registry_missing;
    struct engines e = {0};
    int rc;

    if (!missing)
        darwin_services(source, "H11ANEIn", take_engine, &e);
    if (e.count == 0) {
        if (!missing)
            missing = "the registry has no H11ANEIn";
        return profile_unknown(p, err, "neural_engine_cores", "%s", missing) < 0 ||
                       profile_unknown(p, err, "neural_engine_architecture", "%s", missing) < 0
                   ? -1
                   : 0;
    }
    if (e.silent > 0)
        rc = profile_unknown(p, err, "neural_engine_cores",
                             "H11ANEIn has no usable ANEDevicePropertyNumANECores");
    else
        rc = profile_put_i64(p, err, "neural_engine_cores", e.cores,
                             "ioreg ANEDevicePropertyNumANECores");
    if (rc < 0)
        return -1;
    return profile_put_text(p, err, "neural_engine_architecture", e.architecture,
                            "ioreg ANEDevicePropertyTypeANEArchitectureTypeStr");
}
