/* network_darwin.c - see network.h. */
#include "agent/probe/network.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/device.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define LIST_MAX (256 * 1024) /* 40 interfaces take 10 KB */
#define SPEED_MAX 1e13        /* as the row of the model */

/* One interface as the list has it. */
struct interface {
    char name[DARWIN_IFNAME_MAX];
    int flags;
    uint8_t type;
    uint64_t baudrate;
};

/* Peers cannot be reached through these: AirDrop, tunnels, the Mac's own coprocessors, what serves
 * an iPhone, and bridges for virtual machines. */
static bool is_internal(const char *name)
{
    static const char *const prefixes[] = {"awdl", "llw", "utun", "anpi", "ap", "gif", "stf"};

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t len = strlen(prefixes[i]);

        if (strncmp(name, prefixes[i], len) == 0 && name[len] >= '0' && name[len] <= '9')
            return true;
    }
    return strncmp(name, "bridge", 6) == 0 && strlen(name) >= 9; /* bridge100 */
}

/* All routing messages, *list yours to mem_free: 0; 1 with errno when the kernel refuses; -1. */
static int read_list(const struct darwin_calls *c, char **list, size_t *len, struct err *err)
{
    int mib[] = {DARWIN_CTL_NET, DARWIN_PF_ROUTE, 0, 0, DARWIN_NET_RT_IFLIST2, 0};
    char *text;

    *len = 0;
    if (c->sysctl(mib, 6, NULL, len, NULL, 0) < 0)
        return 1;
    if (*len > LIST_MAX) {
        errno = E2BIG;
        return 1;
    }
    *len += 1024; /* an interface may have come in between */
    if (!(text = mem_zalloc(*len)))
        return err_set(err, ERR_NOMEM, "list of interfaces");
    if (c->sysctl(mib, 6, text, len, NULL, 0) < 0) {
        int saved = errno;

        mem_free(text);
        errno = saved;
        return 1;
    }
    *list = text;
    return 0;
}

/* The interface of a message; false when it is of another kind, or says less than it should. */
static bool read_message(const char *at, size_t len, struct interface *out)
{
    struct darwin_if_message m;
    struct darwin_sockaddr_dl name;

    if (len < sizeof m + offsetof(struct darwin_sockaddr_dl, sdl_data))
        return false;
    memcpy(&m, at, sizeof m);
    memset(&name, 0, sizeof name);
    memcpy(&name, at + sizeof m, offsetof(struct darwin_sockaddr_dl, sdl_data));
    if (m.ifm_type != DARWIN_RTM_IFINFO2 || name.sdl_family != DARWIN_AF_LINK ||
        name.sdl_nlen == 0 || name.sdl_nlen >= sizeof out->name ||
        sizeof m + offsetof(struct darwin_sockaddr_dl, sdl_data) + name.sdl_nlen > len)
        return false;
    memcpy(out->name, at + sizeof m + offsetof(struct darwin_sockaddr_dl, sdl_data), name.sdl_nlen);
    out->name[name.sdl_nlen] = '\0';
    out->flags = m.ifm_flags;
    out->type = m.ifi_type;
    out->baudrate = m.ifi_baudrate;
    return true;
}

/* The kind that the interface's driver says; `media` is of SIOCGIFXMEDIA, 0 when that fails. */
static int link_kind(const struct darwin_calls *c, int fd, const struct interface *in, int media)
{
    struct darwin_ifreq r;

    memset(&r, 0, sizeof r);
    memcpy(r.ifr_name, in->name, sizeof r.ifr_name);
    if (c->ioctl(fd, DARWIN_SIOCGIFFUNCTIONALTYPE, &r) == 0) {
        switch (r.ifru_functional_type) {
        case DARWIN_FUNCTIONAL_LOOPBACK:
            return LINK_KIND_LOOPBACK;
        case DARWIN_FUNCTIONAL_WIRED:
            return LINK_KIND_ETHERNET;
        case DARWIN_FUNCTIONAL_WIFI_INFRA:
        case DARWIN_FUNCTIONAL_WIFI_AWDL:
            return LINK_KIND_WIFI;
        case DARWIN_FUNCTIONAL_CELLULAR:
            return LINK_KIND_CELLULAR;
        default: /* 0: it does not say; others are newer than we are */
            break;
        }
    }
    if (in->type == DARWIN_IFT_LOOP)
        return LINK_KIND_LOOPBACK;
    if (in->type == DARWIN_IFT_ETHER && media)
        return (media & DARWIN_IFM_NMASK) == DARWIN_IFM_IEEE80211 ? LINK_KIND_WIFI
                                                                  : LINK_KIND_ETHERNET;
    return in->type == DARWIN_IFT_ETHER ? LINK_KIND_UNSET : LINK_KIND_OTHER;
}

/* What the Thunderbolt port behind an interface says; false when it is no such port. */
static bool read_thunderbolt(const struct darwin_source *source, const char *name, int64_t *speed,
                             int64_t *status)
{
    const struct darwin_calls *c = source->calls;
    uint32_t iterator = 0, entry, parent = 0;
    void *matching = c->registry_missing ? NULL : c->IOBSDNameMatching(0, 0, name);
    bool is_port;

    if (!matching || c->IOServiceGetMatchingServices(0, matching, &iterator) != 0)
        return false;
    entry = c->IOIteratorNext(iterator);
    c->IOObjectRelease(iterator);
    if (!entry)
        return false;
    if (c->IORegistryEntryGetParentEntry(entry, "IOService", &parent) != 0)
        parent = 0;
    c->IOObjectRelease(entry);
    is_port = parent && c->IOObjectConformsTo(parent, "AppleThunderboltIPPort");
    if (is_port && !darwin_property_i64(source, parent, "IOLinkSpeed", speed))
        *speed = UNKNOWN_I64;
    if (is_port && !darwin_property_i64(source, parent, "IOLinkStatus", status))
        *status = UNKNOWN_I64;
    if (parent)
        c->IOObjectRelease(parent);
    return is_port;
}

/* Kind, whether it carries traffic, and speed. */
static void fill_link(const struct darwin_source *source, int fd, const struct interface *in,
                      struct link *link)
{
    bool running = in->flags & DARWIN_IFF_UP && in->flags & DARWIN_IFF_RUNNING;
    double speed = (double)in->baudrate;
    int64_t port_speed, port_status;
    struct darwin_ifmediareq m;

    memset(&m, 0, sizeof m);
    memcpy(m.ifm_name, in->name, sizeof m.ifm_name);
    if (source->calls->ioctl(fd, DARWIN_SIOCGIFXMEDIA, &m) < 0)
        memset(&m, 0, sizeof m);
    /* RUNNING stays set when a cable is pulled; the medium knows, where there is one */
    link->up = running && (!(m.ifm_status & DARWIN_IFM_AVALID) || m.ifm_status & DARWIN_IFM_ACTIVE)
                   ? TRI_TRUE
                   : TRI_FALSE;
    link->kind = link_kind(source->calls, fd, in, m.ifm_current);
    if (in->type == DARWIN_IFT_BRIDGE && strcmp(in->name, "bridge0") == 0) {
        link->kind = LINK_KIND_THUNDERBOLT; /* the bridge that macOS makes over its ports */
    } else if (read_thunderbolt(source, in->name, &port_speed, &port_status)) {
        link->kind = LINK_KIND_THUNDERBOLT;
        if (known_i64(port_status))
            link->up = running && port_status & DARWIN_IFM_ACTIVE ? TRI_TRUE : TRI_FALSE;
        if (known_i64(port_speed) && port_speed > 0)
            speed = (double)port_speed;
    }
    if (link->kind != LINK_KIND_LOOPBACK && speed >= 1 && speed <= SPEED_MAX)
        link->speed_bps = speed;
}

static int add_link(const struct darwin_source *source, int fd, const struct interface *in,
                    struct state *s, struct err *err)
{
    char clean[DARWIN_IFNAME_MAX + 1];
    struct link *link = records_add(&link_type, &s->links, &s->links_count, err);

    if (!link)
        return -1;
    text_clean(clean, sizeof clean, in->name);
    if (text_set(&link->name, clean, err) < 0) {
        record_clear(&link_type, &s->links[--s->links_count]);
        return -1;
    }
    fill_link(source, fd, in, link);
    return 0;
}

static int add_links(const struct darwin_source *source, int fd, const char *list, size_t len,
                     struct state *s, struct err *err)
{
    struct interface in;
    uint16_t size;

    for (size_t at = 0; at + sizeof size <= len && s->links_count < LINKS_MAX; at += size) {
        memcpy(&size, list + at, sizeof size);
        if (size < sizeof size || size > len - at)
            break;
        if (read_message(list + at, size, &in) && !is_internal(in.name) &&
            add_link(source, fd, &in, s, err) < 0)
            return -1;
    }
    return s->links_count ? 0 : state_unknown(s, err, "links", "no network interface");
}

int network_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    const struct darwin_calls *c = source->calls;
    char *list = NULL;
    size_t len;
    int fd, rc = read_list(c, &list, &len, err);

    if (rc < 0)
        return -1;
    if (rc > 0)
        return state_unknown(s, err, "links", "sysctl NET_RT_IFLIST2: %s", strerror(errno));
    fd = c->socket(DARWIN_AF_INET, DARWIN_SOCK_DGRAM, 0); /* -1: each ioctl says so */
    rc = add_links(source, fd, list, len, s, err);
    if (fd >= 0)
        c->close(fd);
    mem_free(list);
    return rc;
}
