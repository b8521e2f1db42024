/* chip_darwin.c - see chip.h. */
#include "agent/probe/chip.h"
#include "agent/probe/darwin.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/device.h"

#include <stdio.h>

static int put_model(const struct darwin_source *source, struct profile *p, struct err *err)
{
    static const char *const keys[] = {"hw.product", "hw.model"}; /* the first is newer */
    char text[128], from[64], why[160];

    for (size_t i = 0; i < 2; i++) {
        if (darwin_sysctl_text(source, keys[i], text, sizeof text) == 0) {
            snprintf(from, sizeof from, "sysctl %s", keys[i]);
            return profile_put_text(p, err, "model_identifier", text, from);
        }
    }
    return profile_unknown(p, err, "model_identifier", "%s",
                           darwin_sysctl_reason(keys[1], why, sizeof why));
}

int chip_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    char text[256], why[160];
    int64_t vm;
    int rc;

    if (darwin_sysctl_text(source, "machdep.cpu.brand_string", text, sizeof text) == 0)
        rc = profile_put_text(p, err, "chip", text, "sysctl machdep.cpu.brand_string");
    else
        rc = profile_unknown(p, err, "chip", "%s",
                             darwin_sysctl_reason("machdep.cpu.brand_string", why, sizeof why));
    if (rc < 0 || put_model(source, p, err) < 0)
        return -1;
    if (darwin_sysctl_i64(source, "kern.hv_vmm_present", &vm) < 0)
        return profile_unknown(p, err, "virtual_machine", "%s",
                               darwin_sysctl_reason("kern.hv_vmm_present", why, sizeof why));
    p->virtual_machine = vm ? TRI_TRUE : TRI_FALSE;
    return 0;
}
