/* disk_darwin.c - see disk.h. */
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/disk.h"
#include "agent/probe/fact.h"
#include "common/model/device.h"

#include <errno.h>
#include <string.h>

int disk_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    struct darwin_statfs v;

    memset(&v, 0, sizeof v);
    if (source->calls->statfs(source->volume, &v) < 0)
        return state_unknown(s, err, "disk_free_bytes", "statfs %s: %s", source->volume,
                             strerror(errno));
    if (v.f_bsize == 0 || v.f_bavail > (1ULL << 50) / v.f_bsize)
        return state_unknown(s, err, "disk_free_bytes", "statfs %s gives no usable number",
                             source->volume);
    s->disk_free_bytes = (int64_t)(v.f_bavail * v.f_bsize);
    return 0;
}
