/* recording_features.c - what the recorded CPU can do: its sysctls of 0 and 1. */
#include "common/recording/recording_source.h"

#include "common/core/err.h"
#include "common/json/json.h"
#include "common/model/cpu_feature.h"
#include "common/model/device.h"

#include <stdio.h>

int recording_features(struct recording *r)
{
    struct profile *p = r->profile;
    bool answered = false;
    char key[64];
    int has;

    for (size_t i = 0; i < cpu_features_count; i++) {
        snprintf(key, sizeof key, CPU_FEATURE_PREFIX "%s", cpu_features[i]);
        has = 0;
        switch (recording_integer(r, "sysctl", key, 0, 1, &has)) {
        case -1:
            return -1;
        case 1:
            answered = true;
            break;
        default:
            break;
        }
        if (has && texts_add(&p->cpu_features, &p->cpu_features_count, cpu_features[i], r->err) < 0)
            return -1;
    }
    if (p->cpu_features_count > 0)
        return recording_note(&p->facts, &p->facts_count, "", "cpu_features", FACT_SOURCE_READ,
                              "sysctl." CPU_FEATURE_PREFIX "*", r->err);
    if (answered)
        recording_reason(r, "cpu_features", "none of the known " CPU_FEATURE_PREFIX "* is 1");
    return 0;
}
