/* darwin_recorded.c - what a recorded Mac would have answered to each call.
 *
 * A recording holds what programs printed; each line here says which call that program made for it.
 * What is printed rounded is answered rounded: the test compares with the recording, not with the
 * Mac. The group `stated` is an author's word, and answers nothing. */
#include "tests/support/darwin_double_inside.h"

#include "common/json/json.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0
#define GIB 1073741824.0

static const struct json *first_of(const struct json *recording, const char *group,
                                   const char *const *keys)
{
    const struct json *found = NULL;

    for (size_t i = 0; keys[i] && !found; i++)
        found = json_member(json_member(recording, group), keys[i]);
    return found;
}

#define KEYS(...)         \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static void must(int rc)
{
    if (rc < 0)
        double_die("no memory for a recorded machine");
}

static struct json *must_have(struct json *object)
{
    if (!object)
        double_die("no memory for a recorded machine");
    return object;
}

static void copy(struct json *to, const char *name, const struct json *value)
{
    struct json *own = value ? json_dup(value) : NULL;

    if (value)
        must(json_set(to, name, &own));
}

/* A number that may have been printed as text, with a decimal point or comma. */
static double number_of(const struct json *value)
{
    const char *text = json_text(value);
    char plain[64], *comma;

    if (!text)
        return json_number(value);
    snprintf(plain, sizeof plain, "%s", text);
    if ((comma = strchr(plain, ',')))
        *comma = '.';
    return strtod(plain, NULL);
}

/* ---- sysctl ---- */

static void put_sysctl(struct json *sysctl, const struct json *r)
{
    static const struct {
        const char *name, *group, *keys[3];
    } rows[] = {
        /* system_profiler and ioreg print the same property of the device tree */
        {"hw.model", "system_profiler", {"machine_model", "Model Identifier"}},
        {"hw.model", "ioreg", {"IOPlatformExpertDevice.model"}},
        {"machdep.cpu.brand_string", "system_profiler", {"Chip", "chip_type"}},
        /* sw_vers and uname */
        {"kern.osproductversion", "os", {"version"}},
        {"kern.osversion", "os", {"build"}},
        {"kern.osrelease", "os", {"darwin"}},
    };
    const struct json *memory = first_of(r, "system_profiler", KEYS("physical_memory", "Memory"));
    const struct json *used = json_member(json_member(r, "other"), "swap_used_mb");
    const struct json *total = json_member(json_member(r, "other"), "swap_total_mb");
    struct json *swap;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!json_member(sysctl, rows[i].name))
            copy(sysctl, rows[i].name, first_of(r, rows[i].group, rows[i].keys));
    }
    if (json_text(memory) && strstr(json_text(memory), " GB") && !json_member(sysctl, "hw.memsize"))
        must(json_set_i64(sysctl, "hw.memsize", (int64_t)(number_of(memory) * GIB)));
    if (used && total) { /* sysctl vm.swapusage prints its struct in MiB */
        swap = must_have(json_set_object(sysctl, "vm.swapusage"));
        must(json_set_i64(swap, "total", (int64_t)floor(number_of(total) * MIB + 0.5)));
        must(json_set_i64(swap, "used", (int64_t)floor(number_of(used) * MIB + 0.5)));
    }
}

/* ---- ioreg ---- */

static void add_text(struct json *array, const char *text)
{
    must(json_append_text(array, text));
}

/* "gpu-core-count" and "PerformanceStatistics.Alloc system memory" of one accelerator.
 * system_profiler's core count is read from the same key. */
static void put_accelerator(struct json *registry, const struct json *r)
{
    static const char statistics[] = "PerformanceStatistics.";
    const struct json *ioreg = json_member(r, "ioreg");
    const struct json *cores = json_member(ioreg, "gpu-core-count");
    const struct json *class_name = json_member(ioreg, "class");
    const struct json *shown =
        first_of(r, "system_profiler", KEYS("sppci_cores", "GPU Total Number of Cores"));
    struct json *entry, *properties, *inner = NULL, *conforms;

    if (!cores && !shown && !class_name)
        return;
    entry = must_have(json_append_object(registry));
    must(json_set_text(entry, "class", class_name ? json_text(class_name) : "AGXAcceleratorG00X"));
    conforms = must_have(json_set_array(entry, "conforms"));
    add_text(conforms, "AGXAccelerator");
    add_text(conforms, "IOAccelerator");
    properties = must_have(json_set_object(entry, "properties"));
    if (cores || shown)
        must(json_set_i64(properties, "gpu-core-count", (int64_t)number_of(cores ? cores : shown)));
    for (const struct json *m = json_first(ioreg); m; m = json_next(m)) {
        if (strncmp(json_name(m), statistics, strlen(statistics)) != 0)
            continue;
        if (!inner)
            inner = must_have(json_set_object(properties, "PerformanceStatistics"));
        copy(inner, json_name(m) + strlen(statistics), m);
    }
}

/* ---- Metal ---- */

static void put_bytes(struct json *device, const char *selector, const struct json *value,
                      double unit)
{
    if (value && !json_member(device, selector))
        must(json_set_i64(device, selector, (int64_t)floor(number_of(value) * unit + 0.5)));
}

/* The number at the end of "MTLGPUFamilyApple9 (1009)", "apple9", "Apple 9", "spdisplays_metal4"; 0
 * when there is none. */
static int family_of(const struct json *printed)
{
    const char *text = json_text(printed), *digits = text ? strpbrk(text, "0123456789") : NULL;

    return digits ? (int)strtol(digits, NULL, 10) : 0;
}

/* A GPU supports all families up to its own. */
static void add_families(struct json *families, int first, int last)
{
    for (int f = first; f <= last; f++) {
        struct json *number = json_new_i64(f);

        must(json_append(families, &number));
    }
}

static void put_metal(struct json *machine, const struct json *r)
{
    const struct json *metal = json_member(r, "metal");
    const struct json *divisor = json_member(metal, "printed_divisor");
    const struct json *unified = json_member(metal, "has_unified_memory");
    const struct json *own = json_member(metal, "gpu_family_metal");
    int apple = family_of(json_member(metal, "gpu_family")), generation = family_of(own);
    struct json *device, *devices, *families;

    if (!own)
        generation = family_of(first_of(r, "system_profiler",
                                        KEYS("spdisplays_mtlgpufamilysupport", "Metal Support")));
    if (json_count(metal) == 0 && !generation)
        return;
    devices = must_have(json_set_array(must_have(json_set_object(machine, "metal")), "devices"));
    device = must_have(json_append_object(devices));
    copy(device, "name", json_member(metal, "name"));
    copy(device, "architecture", json_member(metal, "architecture"));
    if (unified) /* 1, of some */
        must(json_set_bool(device, "hasUnifiedMemory",
                           json_bool_value(unified) || json_number(unified) == 1));
    copy(device, "maxThreadgroupMemoryLength", json_member(metal, "max_threadgroup_memory_length"));
    put_bytes(device, "maxBufferLength", json_member(metal, "max_buffer_length"), 1);
    put_bytes(device, "maxBufferLength", json_member(metal, "max_buffer_length_mib"), MIB);
    put_bytes(device, "recommendedMaxWorkingSetSize",
              json_member(metal, "recommended_max_working_set_bytes"), 1);
    put_bytes(device, "recommendedMaxWorkingSetSize",
              json_member(metal, "recommended_max_working_set_mib"), MIB);
    put_bytes(device, "recommendedMaxWorkingSetSize",
              json_member(metal, "recommended_max_working_set_gib"), GIB);
    put_bytes(device, "recommendedMaxWorkingSetSize",
              json_member(metal, "recommended_max_working_set_gb"), 1e9);
    put_bytes(device, "recommendedMaxWorkingSetSize",
              json_member(metal, "recommended_max_working_set_printed"),
              divisor ? json_number(divisor) : 1);
    families = must_have(json_set_array(device, "families"));
    add_families(families, 1001, 1000 + apple);
    add_families(families, 5001, 5000 + generation - 2); /* Metal3 is 5001 */
}

struct json *double_from_recording(const struct json *r)
{
    struct json *machine = must_have(json_object()), *sysctl, *registry;
    const struct json *printed = json_member(r, "sysctl");

    if (printed)
        copy(machine, "sysctl", printed);
    sysctl = json_remove(machine, "sysctl");
    if (!sysctl)
        sysctl = must_have(json_object());
    put_sysctl(sysctl, r);
    must(json_set(machine, "sysctl", &sysctl));
    registry = must_have(json_set_array(machine, "registry"));
    put_accelerator(registry, r);
    put_metal(machine, r);
    return machine;
}
