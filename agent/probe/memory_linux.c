/* memory_linux.c - see memory.h. */
#include "agent/probe/memory.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/model/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MEMORY_MAX (1LL << 50) /* as the rows of the model */
#define BLOCKS_DIR "/sys/devices/system/memory"
#define BLOCKS_MAX 4096 /* 512 GiB of the usual 128 MiB; larger machines have larger blocks */

/* "MemTotal:  16384 kB" in bytes; UNKNOWN_I64 where the line is missing or odd. */
static int64_t meminfo_bytes(const char *text, const char *key)
{
    char value[64];
    int64_t kib;
    size_t len;

    if (linux_value(text, key, value, sizeof value) < 0)
        return UNKNOWN_I64;
    len = strcspn(value, " ");
    if (strcmp(value + len, " kB") != 0 ||
        num_parse_i64(value, len, 0, MEMORY_MAX / 1024, &kib, key, NULL) < 0)
        return UNKNOWN_I64;
    return kib * 1024;
}

/* Physical memory as the kernel has it in blocks; UNKNOWN_I64 where it has none (virtual machines
 * without hotplug, small boards). */
static int64_t plugged_bytes(const struct linux_source *source)
{
    char(*names)[LINUX_NAME_MAX], text[64], path[128];
    int64_t block = 0, online, count = 0;
    size_t n = 0;
    ssize_t len = linux_read(source, BLOCKS_DIR "/block_size_bytes", text, sizeof text);

    if (len <= 0 || !(names = mem_calloc(BLOCKS_MAX, sizeof *names)))
        return UNKNOWN_I64;
    for (ssize_t i = 0; i < len && block >= 0; i++) { /* hexadecimal, without 0x */
        const char *digit = text[i] ? strchr("0123456789abcdef", text[i]) : NULL;

        block = digit && block < MEMORY_MAX / 16 ? block * 16 + (digit - "0123456789abcdef") : -1;
    }
    if (block > 0 && linux_list(source, BLOCKS_DIR, names, BLOCKS_MAX, &n) == 0) {
        for (size_t i = 0; i < n; i++) {
            if (strncmp(names[i], "memory", 6) != 0)
                continue;
            snprintf(path, sizeof path, BLOCKS_DIR "/%s/online", names[i]);
            count += linux_read_i64(source, path, 0, 1, &online) == 0 && online;
        }
    }
    mem_free(names);
    if (n == BLOCKS_MAX)
        return UNKNOWN_I64;
    return count > 0 && block <= MEMORY_MAX / count ? block * count : UNKNOWN_I64;
}

int memory_linux_profile(struct linux_source *source, struct profile *p, struct err *err)
{
    char text[LINUX_TEXT_MAX];
    int64_t total = UNKNOWN_I64;

    if (linux_read(source, "/proc/meminfo", text, sizeof text) > 0)
        total = meminfo_bytes(text, "MemTotal");
    if (total == 0)
        total = UNKNOWN_I64;
    if (!known_i64(total) &&
        (profile_unknown(p, err, "memory_usable_bytes", "/proc/meminfo has no MemTotal") < 0 ||
         profile_unknown(p, err, "memory_bytes", "/proc/meminfo has no MemTotal") < 0))
        return -1;
    p->memory_usable_bytes = total;
    if (source->plugged == 0)
        source->plugged = plugged_bytes(source);
    if (!known_i64(total))
        return 0;
    p->memory_bytes = source->plugged;
    if (known_i64(p->memory_bytes) && p->memory_bytes >= total)
        return profile_note(p, err, "memory_bytes", FACT_SOURCE_READ, BLOCKS_DIR);
    p->memory_bytes = total;
    return profile_note(p, err, "memory_bytes", FACT_SOURCE_DERIVED,
                        "MemTotal: physical memory less what firmware and kernel keep");
}

static int set_or_explain(struct state *s, int64_t *field, const char *name, const char *text,
                          const char *key, struct err *err)
{
    int64_t bytes = meminfo_bytes(text, key);

    if (!known_i64(bytes))
        return state_unknown(s, err, name, "/proc/meminfo has no %s", key);
    *field = bytes;
    return 0;
}

int memory_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    char text[LINUX_TEXT_MAX] = "";
    int64_t swap_free;

    if (linux_read(source, "/proc/meminfo", text, sizeof text) < 0)
        text[0] = '\0';
    swap_free = meminfo_bytes(text, "SwapFree");
    if (set_or_explain(s, &s->memory_available_bytes, "memory_available_bytes", text,
                       "MemAvailable", err) < 0 ||
        set_or_explain(s, &s->memory_free_bytes, "memory_free_bytes", text, "MemFree", err) < 0 ||
        set_or_explain(s, &s->swap_total_bytes, "swap_total_bytes", text, "SwapTotal", err) < 0 ||
        state_unknown(s, err, "memory_pressure", "Linux has no word for memory pressure") < 0)
        return -1;
    if (known_i64(swap_free) && known_i64(s->swap_total_bytes) && swap_free <= s->swap_total_bytes)
        s->swap_used_bytes = s->swap_total_bytes - swap_free;
    else if (state_unknown(s, err, "swap_used_bytes", "/proc/meminfo has no SwapFree") < 0)
        return -1;
    return 0;
}
