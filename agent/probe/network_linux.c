/* network_linux.c - see network.h. */
#include "agent/probe/network.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"
#include "common/core/text.h"
#include "common/model/device.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* Values of /sys/class/net/NAME/type (ARPHRD_*). */
#define TYPE_ETHERNET 1
#define TYPE_LOOPBACK 772

static int link_kind(const struct linux_source *source, const char *name)
{
    char path[160], text[64];
    int64_t type;

    snprintf(path, sizeof path, "/sys/class/net/%s/type", name);
    if (linux_read_i64(source, path, 0, 65535, &type) < 0)
        return LINK_KIND_UNSET;
    if (type == TYPE_LOOPBACK)
        return LINK_KIND_LOOPBACK;
    snprintf(path, sizeof path, "/sys/class/net/%s/wireless/retry_short_limit", name);
    if (linux_read(source, path, text, sizeof text) >= 0)
        return LINK_KIND_WIFI;
    snprintf(path, sizeof path, "/sys/class/net/%s/phy80211/name", name);
    if (linux_read(source, path, text, sizeof text) >= 0)
        return LINK_KIND_WIFI;
    return type == TYPE_ETHERNET ? LINK_KIND_ETHERNET : LINK_KIND_OTHER;
}

static int add_link(const struct linux_source *source, const char *name, unsigned flags,
                    struct state *s, struct err *err)
{
    char path[160], clean[65];
    struct link *link;
    int64_t mbit;

    text_clean(clean, sizeof clean, name);
    if (!(link = records_add(&link_type, &s->links, &s->links_count, err)))
        return -1;
    if (text_set(&link->name, clean, err) < 0) {
        record_clear(&link_type, &s->links[--s->links_count]);
        return -1;
    }
    link->kind = link_kind(source, name);
    link->up = flags & IFF_UP && flags & IFF_RUNNING ? TRI_TRUE : TRI_FALSE;
    /* Mbit/s; -1, or an error, where the driver has no idea (virtual interfaces, Wi-Fi) */
    snprintf(path, sizeof path, "/sys/class/net/%s/speed", name);
    if (linux_read_i64(source, path, 1, 10000000, &mbit) == 0)
        link->speed_bps = (double)mbit * 1e6;
    return 0;
}

static int has_link(const struct state *s, const char *name)
{
    for (size_t i = 0; i < s->links_count; i++) {
        if (strcmp(s->links[i].name, name) == 0)
            return 1;
    }
    return 0;
}

int network_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    struct ifaddrs *list = NULL;
    int rc = 0;

    if (getifaddrs(&list) < 0)
        return state_unknown(s, err, "links", "getifaddrs: %s", strerror(errno));
    /* an interface is listed once for each of its addresses */
    for (const struct ifaddrs *a = list; a && rc == 0 && s->links_count < LINKS_MAX;
         a = a->ifa_next) {
        if (a->ifa_name && strlen(a->ifa_name) < LINUX_NAME_MAX && !has_link(s, a->ifa_name))
            rc = add_link(source, a->ifa_name, a->ifa_flags, s, err);
    }
    freeifaddrs(list);
    if (rc == 0 && s->links_count == 0)
        rc = state_unknown(s, err, "links", "no network interface");
    return rc;
}
