/* chip_linux.c - see chip.h. */
#include "agent/probe/chip.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/core/limits.h"
#include "common/core/text.h"
#include "common/model/device.h"

#include <stdio.h>

/* A machine's own words may be anything: what a terminal should not see becomes '?'. */
static int set_clean(char **field, const char *text, size_t max, struct err *err)
{
    char clean[NAME_TEXT_MAX + 1];

    text_clean(clean, max < sizeof clean ? max + 1 : sizeof clean, text);
    return text_set(field, clean, err);
}

int chip_linux_profile(struct linux_source *source, struct profile *p, struct err *err)
{
    char text[LINUX_TEXT_MAX], value[256];

    if (linux_read(source, "/proc/cpuinfo", text, sizeof text) >= 0 &&
        (linux_value(text, "model name", value, sizeof value) == 0 ||
         linux_value(text, "Model", value, sizeof value) == 0)) {
        if (set_clean(&p->chip, value, 128, err) < 0 ||
            profile_note(p, err, "chip", FACT_SOURCE_READ, "/proc/cpuinfo") < 0)
            return -1;
    } else if (profile_unknown(p, err, "chip", "/proc/cpuinfo names no model") < 0) {
        return -1;
    }
    if (linux_read(source, "/sys/class/dmi/id/product_name", value, sizeof value) > 0 ||
        linux_read(source, "/proc/device-tree/model", value, sizeof value) > 0) {
        if (set_clean(&p->model_identifier, value, 64, err) < 0)
            return -1;
    } else if (profile_unknown(p, err, "model_identifier",
                               "neither DMI nor a device tree names the machine") < 0) {
        return -1;
    }
    return 0;
}
