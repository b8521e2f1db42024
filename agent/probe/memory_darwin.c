/* memory_darwin.c - see memory.h. */
#include "agent/probe/memory.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "common/model/device.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define STATISTICS_MAX 1024 /* integers; macOS 15 gives 38, later ones more */
#define STATISTICS_MIN (sizeof(struct darwin_vm_statistics) / 4)
#define PAGE_MAX (1u << 20)
#define NO_ANSWER (-1) /* beside the kernel's own codes */

int memory_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    char why[160];
    int64_t usable;

    if (known_i64(source->memory_bytes)) {
        if (profile_put_i64(p, err, "memory_bytes", source->memory_bytes, "sysctl hw.memsize") < 0)
            return -1;
    } else {
        errno = source->memory_errno;
        if (profile_unknown(p, err, "memory_bytes", "%s",
                            darwin_sysctl_reason("hw.memsize", why, sizeof why)) < 0)
            return -1;
    }
    if (darwin_sysctl_i64(source, "hw.memsize_usable", &usable) == 0)
        return profile_put_i64(p, err, "memory_usable_bytes", usable, "sysctl hw.memsize_usable");
    return profile_unknown(p, err, "memory_usable_bytes", "%s",
                           darwin_sysctl_reason("hw.memsize_usable", why, sizeof why));
}

/* 0; else what the kernel said. */
static int read_statistics(const struct darwin_source *source, struct darwin_vm_statistics *out,
                           int64_t *page)
{
    int info[STATISTICS_MAX] = {0};
    uint32_t count = STATISTICS_MAX;
    uintptr_t bytes = 0;
    int rc = source->calls->host_statistics64(source->host, DARWIN_HOST_VM_INFO64, info, &count);

    static_assert(sizeof(struct darwin_vm_statistics) == 152, "as macOS 13 has it");
    if (rc != 0)
        return rc;
    if (count < STATISTICS_MIN)
        return NO_ANSWER;
    memcpy(out, info, sizeof *out);
    if ((rc = source->calls->host_page_size(source->host, &bytes)) != 0)
        return rc;
    if (bytes == 0 || bytes > PAGE_MAX)
        return NO_ANSWER;
    *page = (int64_t)bytes;
    return 0;
}

static int put_available(const struct darwin_source *source, struct state *s,
                         const struct darwin_vm_statistics *v, int64_t page, struct err *err)
{
    int64_t used = ((int64_t)v->internal_page_count - v->purgeable_count + v->wire_count +
                    v->compressor_page_count) *
                   page;

    if (!known_i64(source->memory_bytes))
        return state_unknown(s, err, "memory_available_bytes", "sysctl hw.memsize does not answer");
    if (used < 0 ||
        used > source->memory_bytes) /* counters of different moments; or one of them is wrong */
        return state_unknown(s, err, "memory_available_bytes",
                             "host_statistics64 counts %" PRId64 " bytes in use of %" PRId64, used,
                             source->memory_bytes);
    s->memory_available_bytes = source->memory_bytes - used;
    return state_note(
        s, err, "memory_available_bytes", FACT_SOURCE_DERIVED,
        "hw.memsize - (internal - purgeable + wire + compressor) of host_statistics64");
}

static int put_statistics(const struct darwin_source *source, struct state *s, struct err *err)
{
    static const char *const fields[] = {"memory_available_bytes", "memory_free_bytes",
                                         "memory_wired_bytes", "memory_compressed_bytes"};
    struct darwin_vm_statistics v;
    int64_t page, free_pages;
    int rc = read_statistics(source, &v, &page);

    if (rc != 0) {
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
            if (state_unknown(s, err, fields[i],
                              rc == NO_ANSWER ? "host_statistics64 gives too little"
                                              : "host_statistics64 gives error %d",
                              rc) < 0)
                return -1;
        }
        return 0;
    }
    /* speculative pages were read ahead: they are counted as free, and hold something */
    free_pages = v.free_count > v.speculative_count ? v.free_count - v.speculative_count : 0;
    if (put_available(source, s, &v, page, err) < 0 ||
        state_put_i64(s, err, "memory_free_bytes", free_pages * page, NULL) < 0 ||
        state_put_i64(s, err, "memory_wired_bytes", v.wire_count * page, NULL) < 0)
        return -1;
    return state_put_i64(s, err, "memory_compressed_bytes", v.compressor_page_count * page, NULL);
}

static int put_swap(const struct darwin_source *source, struct state *s, struct err *err)
{
    struct darwin_swap swap;
    size_t len = sizeof swap;
    char why[160];

    memset(&swap, 0, sizeof swap);
    if (source->calls->sysctlbyname("vm.swapusage", &swap, &len, NULL, 0) < 0)
        darwin_sysctl_reason("vm.swapusage", why, sizeof why);
    else if (len < offsetof(struct darwin_swap, page_bytes))
        snprintf(why, sizeof why, "sysctl vm.swapusage gives %zu bytes", len);
    else if (swap.total > INT64_MAX || swap.used > INT64_MAX)
        snprintf(why, sizeof why, "sysctl vm.swapusage makes no sense");
    else
        return state_put_i64(s, err, "swap_total_bytes", (int64_t)swap.total,
                             "sysctl vm.swapusage") < 0 ||
                       state_put_i64(s, err, "swap_used_bytes", (int64_t)swap.used,
                                     "sysctl vm.swapusage") < 0
                   ? -1
                   : 0;
    return state_unknown(s, err, "swap_total_bytes", "%s", why) < 0 ||
                   state_unknown(s, err, "swap_used_bytes", "%s", why) < 0
               ? -1
               : 0;
}

/* 1, 2 and 4: flags of which one is set, not a scale. */
static int put_pressure(const struct darwin_source *source, struct state *s, struct err *err)
{
    static const char key[] = "kern.memorystatus_vm_pressure_level";
    char why[160];
    int64_t level;

    if (darwin_sysctl_i64(source, key, &level) < 0)
        return state_unknown(s, err, "memory_pressure", "%s",
                             darwin_sysctl_reason(key, why, sizeof why));
    if (level != 1 && level != 2 && level != 4)
        return state_unknown(s, err, "memory_pressure", "%s is %" PRId64 ", wanted 1, 2 or 4", key,
                             level);
    s->memory_pressure = level == 1   ? MEMORY_PRESSURE_NORMAL
                         : level == 2 ? MEMORY_PRESSURE_WARN
                                      : MEMORY_PRESSURE_CRITICAL;
    return 0;
}

int memory_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    char why[160];
    int64_t percent;

    if (put_statistics(source, s, err) < 0 || put_swap(source, s, err) < 0 ||
        put_pressure(source, s, err) < 0)
        return -1;
    if (darwin_sysctl_i64(source, "kern.memorystatus_level", &percent) == 0)
        return state_put_f64(s, err, "memory_free_percent", (double)percent,
                             "sysctl kern.memorystatus_level");
    return state_unknown(s, err, "memory_free_percent", "%s",
                         darwin_sysctl_reason("kern.memorystatus_level", why, sizeof why));
}
