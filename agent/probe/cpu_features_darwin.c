/* cpu_features_darwin.c - see cpu_features.h. */
#include "agent/probe/cpu_features.h"
#include "agent/probe/darwin.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/cpu_feature.h"
#include "common/model/device.h"

#include <stdio.h>

#define PREFIX CPU_FEATURE_PREFIX

static int put_features(const struct darwin_source *source, struct profile *p, struct err *err)
{
    bool answered = false;
    char name[64];
    int64_t has;

    for (size_t i = 0; i < cpu_features_count; i++) {
        snprintf(name, sizeof name, PREFIX "%s", cpu_features[i]);
        if (darwin_sysctl_i64(source, name, &has) < 0)
            continue;
        answered = true;
        if (has == 1 &&
            texts_add(&p->cpu_features, &p->cpu_features_count, cpu_features[i], err) < 0)
            return -1;
    }
    if (p->cpu_features_count > 0)
        return profile_note(p, err, "cpu_features", FACT_SOURCE_READ, "sysctl " PREFIX "*");
    return profile_unknown(p, err, "cpu_features", "%s",
                           answered ? "none of the known " PREFIX "* is 1"
                                    : "this macOS has none of the known sysctl " PREFIX "*");
}

int cpu_features_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    char why[160];
    int64_t value;
    int rc;

    if (put_features(source, p, err) < 0)
        return -1;
    if (darwin_sysctl_i64(source, PREFIX "sme_max_svl_b", &value) == 0)
        rc = profile_put_i64(p, err, "sme_vector_bytes", value, "sysctl " PREFIX "sme_max_svl_b");
    else
        rc = profile_unknown(p, err, "sme_vector_bytes", "%s",
                             darwin_sysctl_reason(PREFIX "sme_max_svl_b", why, sizeof why));
    if (rc < 0)
        return -1;
    if (darwin_sysctl_u32(source, "hw.cpufamily", &value) == 0)
        return profile_put_i64(p, err, "cpu_family", value, "sysctl hw.cpufamily");
    return profile_unknown(p, err, "cpu_family", "%s",
                           darwin_sysctl_reason("hw.cpufamily", why, sizeof why));
}
