/* darwin_system.c - binds darwin_calls.h to the Mac it runs on, and holds darwin_abi.h against its
 * headers. The only file that needs them.
 *
 * libSystem's functions are linked; those of frameworks are looked up, so that one binary starts on
 * every macOS and says what it does not find. dlopen is asked outright: libraries of the system are
 * not files any more. */
#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/process.h"

#include <assert.h>
#include <dlfcn.h>
#include <libproc.h>
#include <mach/mach.h>
#include <mach/mach_host.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_types.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/sysctl.h>
#include <time.h>
#include <unistd.h>

/* libSystem has them; not every SDK has their header */
uint32_t notify_register_check(const char *name, int *token);
uint32_t notify_get_state(int token, uint64_t *state);
uint32_t notify_cancel(int token);

/* ---- darwin_abi.h is what the Mac's headers say ---- */

#define SAME(ours, theirs) static_assert((ours) == (theirs), #theirs)
#define SAME_AT(ours, our_member, theirs, their_member) \
    SAME(offsetof(struct ours, our_member), offsetof(struct theirs, their_member))

SAME(DARWIN_HOST_CPU_LOAD_INFO, HOST_CPU_LOAD_INFO);
SAME(DARWIN_HOST_VM_INFO64, HOST_VM_INFO64);
SAME(DARWIN_CPU_STATES, CPU_STATE_MAX);
SAME(DARWIN_CPU_IDLE, CPU_STATE_IDLE);
SAME_AT(darwin_vm_statistics, free_count, vm_statistics64, free_count);
SAME_AT(darwin_vm_statistics, wire_count, vm_statistics64, wire_count);
SAME_AT(darwin_vm_statistics, purgeable_count, vm_statistics64, purgeable_count);
SAME_AT(darwin_vm_statistics, speculative_count, vm_statistics64, speculative_count);
SAME_AT(darwin_vm_statistics, compressor_page_count, vm_statistics64, compressor_page_count);
SAME_AT(darwin_vm_statistics, internal_page_count, vm_statistics64, internal_page_count);
static_assert(sizeof(struct darwin_vm_statistics) <= sizeof(struct vm_statistics64), "it grew");
SAME(sizeof(struct darwin_swap), sizeof(struct xsw_usage));
SAME_AT(darwin_swap, total, xsw_usage, xsu_total);
SAME_AT(darwin_swap, used, xsw_usage, xsu_used);
SAME(sizeof(struct darwin_statfs), sizeof(struct statfs));
SAME_AT(darwin_statfs, f_bsize, statfs, f_bsize);
SAME_AT(darwin_statfs, f_bavail, statfs, f_bavail);
SAME(DARWIN_CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_RAW);
SAME(DARWIN_RUSAGE_INFO_V0, RUSAGE_INFO_V0);
SAME(sizeof(struct darwin_rusage), sizeof(struct rusage_info_v0));
SAME_AT(darwin_rusage, ri_phys_footprint, rusage_info_v0, ri_phys_footprint);
SAME(DARWIN_CTL_NET, CTL_NET);
SAME(DARWIN_PF_ROUTE, PF_ROUTE);
SAME(DARWIN_NET_RT_IFLIST2, NET_RT_IFLIST2);
SAME(DARWIN_RTM_IFINFO2, RTM_IFINFO2);
SAME(DARWIN_AF_LINK, AF_LINK);
SAME(DARWIN_AF_INET, AF_INET);
SAME(DARWIN_SOCK_DGRAM, SOCK_DGRAM);
SAME(DARWIN_IFF_UP, IFF_UP);
SAME(DARWIN_IFF_RUNNING, IFF_RUNNING);
SAME(DARWIN_IFT_ETHER, IFT_ETHER);
SAME(DARWIN_IFT_LOOP, IFT_LOOP);
SAME(DARWIN_IFT_BRIDGE, IFT_BRIDGE);
SAME(sizeof(struct darwin_if_message), sizeof(struct if_msghdr2));
SAME_AT(darwin_if_message, ifm_type, if_msghdr2, ifm_type);
SAME_AT(darwin_if_message, ifm_flags, if_msghdr2, ifm_flags);
SAME_AT(darwin_if_message, ifi_type, if_msghdr2, ifm_data.ifi_type);
SAME_AT(darwin_if_message, ifi_baudrate, if_msghdr2, ifm_data.ifi_baudrate);
SAME_AT(darwin_sockaddr_dl, sdl_family, sockaddr_dl, sdl_family);
SAME_AT(darwin_sockaddr_dl, sdl_nlen, sockaddr_dl, sdl_nlen);
SAME_AT(darwin_sockaddr_dl, sdl_data, sockaddr_dl, sdl_data);
SAME(DARWIN_IFNAME_MAX, IFNAMSIZ);
SAME(sizeof(struct darwin_ifreq), sizeof(struct ifreq));
SAME_AT(darwin_ifreq, ifru_functional_type, ifreq, ifr_ifru.ifru_functional_type);
SAME(DARWIN_SIOCGIFFUNCTIONALTYPE, SIOCGIFFUNCTIONALTYPE);
SAME(DARWIN_FUNCTIONAL_LOOPBACK, IFRTYPE_FUNCTIONAL_LOOPBACK);
SAME(DARWIN_FUNCTIONAL_WIRED, IFRTYPE_FUNCTIONAL_WIRED);
SAME(DARWIN_FUNCTIONAL_WIFI_INFRA, IFRTYPE_FUNCTIONAL_WIFI_INFRA);
SAME(DARWIN_FUNCTIONAL_WIFI_AWDL, IFRTYPE_FUNCTIONAL_WIFI_AWDL);
SAME(DARWIN_FUNCTIONAL_CELLULAR, IFRTYPE_FUNCTIONAL_CELLULAR);
SAME(sizeof(struct darwin_ifmediareq), sizeof(struct ifmediareq));
SAME_AT(darwin_ifmediareq, ifm_current, ifmediareq, ifm_current);
SAME_AT(darwin_ifmediareq, ifm_status, ifmediareq, ifm_status);
SAME(DARWIN_SIOCGIFXMEDIA, SIOCGIFXMEDIA);

/* ---- libSystem: the types of the table, where the system's differ in name only ---- */

static uint32_t system_mach_host_self(void)
{
    return mach_host_self();
}

static int system_host_page_size(uint32_t host, uintptr_t *bytes)
{
    vm_size_t size = 0;
    int rc = host_page_size(host, &size);

    *bytes = size;
    return rc;
}

static int system_statfs(const char *path, struct darwin_statfs *out)
{
    return statfs(path, (struct statfs *)(void *)out);
}

static int system_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument);
}

static uint64_t system_clock(unsigned clock)
{
    return clock_gettime_nsec_np((clockid_t)clock);
}

static int system_rusage(int pid, int flavor, void *out)
{
    return proc_pid_rusage(pid, flavor, (rusage_info_t *)out);
}

static struct darwin_calls calls = {
    .sysctlbyname = sysctlbyname,
    .sysctl = sysctl,
    .mach_host_self = system_mach_host_self,
    .host_page_size = system_host_page_size,
    .host_statistics = host_statistics,
    .host_statistics64 = host_statistics64,
    .getloadavg = getloadavg,
    .clock_gettime_nsec_np = system_clock,
    .statfs = system_statfs,
    .socket = socket,
    .ioctl = system_ioctl,
    .close = close,
    .notify_register_check = notify_register_check,
    .notify_get_state = notify_get_state,
    .notify_cancel = notify_cancel,
    .proc_listpgrppids = proc_listpgrppids,
    .proc_pid_rusage = system_rusage,
};

/* ---- frameworks ---- */

/* A function of the table, and the symbol that it is. */
struct bound {
    size_t offset;
    const char *symbol;
};

#define BOUND(result, name, arguments) {offsetof(struct darwin_calls, name), #name},
#define BOUND_MESSAGE(result, name, arguments) \
    {offsetof(struct darwin_calls, name), "objc_msgSend"},

static const struct bound registry_calls[] = {DARWIN_REGISTRY_CALLS(BOUND)};
static const struct bound metal_calls[] = {DARWIN_METAL_CALLS(BOUND)
                                               DARWIN_MESSAGE_CALLS(BOUND_MESSAGE)};
static const struct bound rdma_calls[] = {DARWIN_RDMA_CALLS(BOUND)};

#define FRAMEWORK(name) "/System/Library/Frameworks/" name ".framework/" name

/* Look every function up in the libraries (a list that ends with NULL). NULL; or what is missing,
 * which is kept: it is asked once. */
static const char *bind_all(const char *const *libraries, const struct bound *bound, size_t count,
                            char *why, size_t size)
{
    void *handles[4] = {NULL}, *found;

    for (size_t i = 0; libraries[i] && i < 4; i++) {
        if (!(handles[i] = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL))) {
            snprintf(why, size, "this macOS has no %s", libraries[i]);
            return why;
        }
    }
    for (size_t i = 0; i < count; i++) {
        found = NULL;
        for (size_t k = 0; k < 4 && handles[k] && !found; k++)
            found = dlsym(handles[k], bound[i].symbol);
        if (!found) {
            snprintf(why, size, "this macOS has no %s", bound[i].symbol);
            return why;
        }
        memcpy((char *)&calls + bound[i].offset, &found, sizeof found);
    }
    return NULL;
}

const struct darwin_calls *darwin_system_calls(void)
{
    static const char *const registry[] = {FRAMEWORK("CoreFoundation"), FRAMEWORK("IOKit"), NULL};
    /* CoreGraphics is called by nobody here: without it Metal has no default device */
    static const char *const metal[] = {"/usr/lib/libobjc.A.dylib", FRAMEWORK("CoreGraphics"),
                                        FRAMEWORK("Metal"), NULL};
    static const char *const rdma[] = {"/usr/lib/librdma.dylib", NULL};
    static char registry_why[160], metal_why[160], rdma_why[160];
    static bool bound;

    if (bound)
        return &calls;
    bound = true;
    calls.registry_missing =
        bind_all(registry, registry_calls, sizeof registry_calls / sizeof registry_calls[0],
                 registry_why, sizeof registry_why);
    calls.metal_missing = bind_all(metal, metal_calls, sizeof metal_calls / sizeof metal_calls[0],
                                   metal_why, sizeof metal_why);
    calls.rdma_missing = bind_all(rdma, rdma_calls, sizeof rdma_calls / sizeof rdma_calls[0],
                                  rdma_why, sizeof rdma_why);
    return &calls;
}

int process_groups_memory(const int64_t *groups, size_t count, int64_t *out, struct err *err)
{
    return process_darwin_groups_memory(darwin_system_calls(), groups, count, out, err);
}
