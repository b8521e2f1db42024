/* disk_linux.c - see disk.h. */
#include "agent/probe/disk.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/model/device.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

int disk_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    struct statvfs v;

    if (statvfs(source->volume, &v) < 0)
        return state_unknown(s, err, "disk_free_bytes", "statvfs %s: %s", source->volume,
                             strerror(errno));
    if (v.f_frsize == 0 || v.f_bavail > (1ULL << 50) / v.f_frsize)
        return state_unknown(s, err, "disk_free_bytes", "statvfs %s gives no usable number",
                             source->volume);
    s->disk_free_bytes = (int64_t)(v.f_bavail * v.f_frsize);
    return 0;
}
