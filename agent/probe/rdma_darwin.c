/* rdma_darwin.c - see rdma.h. */
#include "agent/probe/rdma.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "common/core/text.h"
#include "common/model/device.h"

#define DEVICES_MAX 16 /* as the row of the model; a Mac Studio has 6 such ports */

static int add_devices(const struct darwin_calls *c, void **list, int count, struct profile *p,
                       struct err *err)
{
    char clean[65];

    for (int i = 0; i < count && i < DEVICES_MAX && list[i]; i++) {
        if (text_clean(clean, sizeof clean, c->ibv_get_device_name(list[i])) > 0 &&
            texts_add(&p->rdma_devices, &p->rdma_devices_count, clean, err) < 0)
            return -1;
    }
    return 0;
}

int rdma_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err)
{
    const struct darwin_calls *c = source->calls;
    int count = 0, rc = 0;
    void **list;

    if (c->rdma_missing)
        return profile_unknown(p, err, "rdma", "%s", c->rdma_missing) < 0 ||
                       profile_unknown(p, err, "rdma_devices", "%s", c->rdma_missing) < 0
                   ? -1
                   : 0;
    if (!(list = c->ibv_get_device_list(&count)))
        return profile_unknown(p, err, "rdma", "librdma gives no list of devices") < 0 ||
                       profile_unknown(p, err, "rdma_devices", "librdma gives no list of devices") <
                           0
                   ? -1
                   : 0;
    rc = add_devices(c, list, count, p, err);
    c->ibv_free_device_list(list);
    p->rdma = p->rdma_devices_count > 0 ? TRI_TRUE : TRI_FALSE;
    if (rc == 0 && p->rdma_devices_count == 0)
        rc =
            profile_unknown(p, err, "rdma_devices",
                            "librdma lists none: rdma_ctl enable was not run in Recovery, or there "
                            "is no Thunderbolt 5");
    return rc;
}
