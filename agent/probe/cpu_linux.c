/* cpu_linux.c - see cpu.h. */
#include "agent/probe/cpu.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/model/device.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define CPU_DIR "/sys/devices/system/cpu"
#define CPUS_MAX 4096 /* as the rows of the model allow a level */

/* The core that a CPU belongs to, as one number; UNKNOWN_I64 when its topology is not there. */
static int64_t core_of(const struct linux_source *source, int64_t cpu)
{
    int64_t package, core;
    char path[128];

    snprintf(path, sizeof path, CPU_DIR "/cpu%lld/topology/physical_package_id", (long long)cpu);
    if (linux_read_i64(source, path, -1, 65535, &package) < 0)
        return UNKNOWN_I64;
    snprintf(path, sizeof path, CPU_DIR "/cpu%lld/topology/core_id", (long long)cpu);
    if (linux_read_i64(source, path, -1, 65535, &core) < 0)
        return UNKNOWN_I64;
    return (package + 1) * 65537 + core + 1;
}

/* CPUs of a list such as "0-7,16": at most max; -1 when it does not read. */
static int cpu_list_read(const char *text, int64_t *cpus, size_t max, size_t *count)
{
    *count = 0;
    while (*text) {
        size_t len = strspn(text, "0123456789");
        int64_t first, last;

        if (num_parse_i64(text, len, 0, CPUS_MAX, &first, "cpus", NULL) < 0)
            return -1;
        last = first;
        text += len;
        if (*text == '-') {
            len = strspn(++text, "0123456789");
            if (num_parse_i64(text, len, first, CPUS_MAX, &last, "cpus", NULL) < 0)
                return -1;
            text += len;
        }
        for (int64_t cpu = first; cpu <= last; cpu++) {
            if (*count == max)
                return -1;
            cpus[(*count)++] = cpu;
        }
        if (*text == ',')
            text++;
        else if (*text)
            return -1;
    }
    return *count ? 0 : -1;
}

/* Distinct cores among the CPUs; 0 when the topology of one is not there. */
static int64_t count_cores(const struct linux_source *source, const int64_t *cpus, size_t count)
{
    int64_t *cores = mem_calloc(count, sizeof *cores), found = 0;

    for (size_t i = 0; cores && i < count; i++) {
        int64_t core = core_of(source, cpus[i]), k = 0;

        if (!known_i64(core)) {
            found = 0;
            break;
        }
        while (k < found && cores[k] != core)
            k++;
        if (k == found)
            cores[found++] = core;
    }
    mem_free(cores);
    return found;
}

/* One level per kind of core, where the kernel keeps them apart. */
static int fill_levels(struct linux_source *source, struct profile *p, int64_t *cpus,
                       struct err *err)
{
    static const char *const kinds[] = {"cpu_core", "cpu_atom"}; /* fastest first */
    char path[128], text[1024];
    size_t count;

    for (size_t i = 0; i < 2; i++) {
        struct cpu_level *level;
        int64_t cores;

        snprintf(path, sizeof path, "/sys/devices/%s/cpus", kinds[i]);
        if (linux_read(source, path, text, sizeof text) <= 0 ||
            cpu_list_read(text, cpus, CPUS_MAX, &count) < 0 ||
            (cores = count_cores(source, cpus, count)) == 0)
            continue;
        level = records_add(&cpu_level_type, &p->cpu_levels, &p->cpu_levels_count, err);
        if (!level || text_set(&level->name, kinds[i], err) < 0)
            return -1;
        level->cores = cores;
    }
    if (p->cpu_levels_count == 0)
        return profile_unknown(p, err, "cpu_levels", "the kernel tells no kinds of cores apart");
    return 0;
}

int cpu_linux_profile(struct linux_source *source, struct profile *p, struct err *err)
{
    int64_t *cpus = mem_calloc(CPUS_MAX, sizeof *cpus), cores = 0;
    char text[1024];
    size_t count;
    int rc;

    if (!cpus)
        return profile_unknown(p, err, "cpu_cores", "no memory to count them");
    if (linux_read(source, CPU_DIR "/online", text, sizeof text) > 0 &&
        cpu_list_read(text, cpus, CPUS_MAX, &count) == 0)
        cores = count_cores(source, cpus, count);
    if (cores > 0) {
        p->cpu_cores = cores;
        rc = profile_note(p, err, "cpu_cores", FACT_SOURCE_READ, CPU_DIR "/*/topology");
    } else {
        rc = profile_unknown(p, err, "cpu_cores", "%s has no topology", CPU_DIR);
    }
    if (rc == 0)
        rc = fill_levels(source, p, cpus, err);
    mem_free(cpus);
    return rc;
}
