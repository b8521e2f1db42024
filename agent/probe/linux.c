/* linux.c - the backend that reads the Linux machine it runs on.
 *
 * It serves development, tests and the odd Linux box of a lab: real values of the real machine,
 * origin "linux", and for all that only a Mac has the reason that this is none. */
#include "agent/probe/linux.h"
#include "agent/probe/backend.h"
#include "agent/probe/chip.h"
#include "agent/probe/cpu.h"
#include "agent/probe/disk.h"
#include "agent/probe/fact.h"
#include "agent/probe/gpu.h"
#include "agent/probe/idle.h"
#include "agent/probe/load.h"
#include "agent/probe/memory.h"
#include "agent/probe/network.h"
#include "agent/probe/os.h"
#include "agent/probe/power.h"
#include "agent/probe/probe.h"
#include "agent/probe/thermal.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/model/device.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One fact: NULL where it has nothing to fill. */
struct linux_fact {
    int (*profile)(struct linux_source *source, struct profile *p, struct err *err);
    int (*state)(struct linux_source *source, struct state *s, struct err *err);
};

static const struct linux_fact facts[] = {
    {chip_linux_profile, NULL},
    {memory_linux_profile, memory_linux_state},
    {gpu_linux_profile, gpu_linux_state},
    {cpu_linux_profile, NULL},
    {os_linux_profile, NULL},
    {NULL, load_linux_state},
    {NULL, thermal_linux_state},
    {NULL, power_linux_state},
    {NULL, idle_linux_state},
    {NULL, disk_linux_state},
    {NULL, network_linux_state},
};

#define FACTS (sizeof facts / sizeof facts[0])

static void linux_close(void *source)
{
    struct linux_source *s = source;

    if (!s)
        return;
    mem_free(s->root);
    mem_free(s->volume);
    mem_free(s);
}

static int linux_open(const struct probe_options *options, void **source, struct err *err)
{
    struct linux_source *s = mem_zalloc(sizeof *s);

    if (!s || !(s->root = mem_strdup(options->root ? options->root : "")) ||
        !(s->volume = mem_strdup(options->volume_path ? options->volume_path : "/"))) {
        linux_close(s);
        return err_set(err, ERR_NOMEM, "probe of Linux");
    }
    *source = s;
    return 0;
}

static int linux_profile(void *source, struct profile *out, struct err *err)
{
    out->origin = DEVICE_ORIGIN_LINUX;
    for (size_t i = 0; i < FACTS; i++) {
        if (facts[i].profile && facts[i].profile(source, out, err) < 0)
            return -1;
    }
    return profile_explain_rest(out, "not probed on Linux", err);
}

static int linux_state(void *source, struct state *out, struct err *err)
{
    out->synthetic = TRI_FALSE;
    for (size_t i = 0; i < FACTS; i++) {
        if (facts[i].state && facts[i].state(source, out, err) < 0)
            return -1;
    }
    return state_explain_rest(out, "not probed on Linux", err);
}

const struct probe_backend linux_backend = {"linux",     PROBE_PAUSE_MS, linux_open,
                                            linux_close, linux_profile,  linux_state};

/* ---- what the facts share ---- */

static int full_path(const struct linux_source *source, const char *path, char *out, size_t size)
{
    int len = snprintf(out, size, "%s%s", source->root, path);

    if (len >= 0 && (size_t)len < size)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

ssize_t linux_read(const struct linux_source *source, const char *path, char *out, size_t size)
{
    char full[PATH_TEXT_MAX + 1];
    size_t len = 0;
    ssize_t n = 0;
    int fd;

    if (full_path(source, path, full, sizeof full) < 0 ||
        (fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
        return -1;
    while (len < size - 1 && ((n = read(fd, out + len, size - 1 - len)) > 0 || errno == EINTR)) {
        if (n > 0)
            len += (size_t)n;
        errno = 0;
    }
    if (n < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    close(fd);
    if (len > 0 && out[len - 1] == '\n')
        len--;
    out[len] = '\0';
    return (ssize_t)len;
}

int linux_read_i64(const struct linux_source *source, const char *path, int64_t min, int64_t max,
                   int64_t *out)
{
    char text[64];
    ssize_t len = linux_read(source, path, text, sizeof text);

    if (len < 0)
        return -1;
    if (num_parse_i64(text, (size_t)len, min, max, out, path, NULL) == 0)
        return 0;
    errno = EINVAL;
    return -1;
}

static int name_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

int linux_list(const struct linux_source *source, const char *path, char (*names)[LINUX_NAME_MAX],
               size_t max, size_t *count)
{
    char full[PATH_TEXT_MAX + 1];
    const struct dirent *entry;
    DIR *dir;

    if (full_path(source, path, full, sizeof full) < 0 || !(dir = opendir(full)))
        return -1;
    *count = 0;
    while (*count < max && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < LINUX_NAME_MAX)
            snprintf(names[(*count)++], LINUX_NAME_MAX, "%s", entry->d_name);
    }
    closedir(dir);
    qsort(names, *count, LINUX_NAME_MAX, name_order);
    return 0;
}

int linux_value(const char *text, const char *key, char *out, size_t size)
{
    size_t key_len = strlen(key), len;

    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *p = line + key_len;

        if (strncmp(line, key, key_len) != 0 || !strchr(" \t:=", *p) || !*p)
            continue;
        p += strspn(p, " \t:=");
        len = strcspn(p, "\n");
        while (len > 0 && isspace((unsigned char)p[len - 1]))
            len--;
        if (len >= 2 && p[0] == '"' && p[len - 1] == '"') {
            p++;
            len -= 2;
        }
        if (len == 0 || len >= size)
            return -1;
        memcpy(out, p, len);
        out[len] = '\0';
        return 0;
    }
    return -1;
}
