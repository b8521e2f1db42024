/* process_linux.c - see process.h. */
#include "agent/probe/process.h"
#include "common/core/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Group and resident pages of a process from /proc/PID/stat: "pid (name) state ppid pgrp ...", the
 * name may hold blanks and brackets; resident pages are field 24. */
static int read_stat(const char *pid, int64_t *group, int64_t *pages)
{
    char path[300], text[1024];
    const char *p;
    long long pgrp, rss;
    ssize_t len;
    int fd;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return -1;
    len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0)
        return -1;
    text[len] = '\0';
    if (!(p = strrchr(text, ')')) ||
        sscanf(p + 1,
               " %*c %*d %lld %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
               "%*u %*u %lld",
               &pgrp, &rss) != 2)
        return -1;
    *group = pgrp;
    *pages = rss;
    return 0;
}

int process_groups_memory(const int64_t *groups, size_t count, int64_t *out, struct err *err)
{
    int64_t total = 0, group, pages, page = sysconf(_SC_PAGESIZE);
    const struct dirent *entry;
    DIR *dir;

    if (count == 0) {
        *out = 0;
        return 0;
    }
    if (!(dir = opendir("/proc")))
        return err_set_errno(err, errno, "/proc");
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            read_stat(entry->d_name, &group, &pages) < 0 || pages <= 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            if (groups[i] == group) {
                total += pages * page;
                break;
            }
        }
    }
    closedir(dir);
    *out = total;
    return 0;
}
