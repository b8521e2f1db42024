/* darwin_double_system.c - libSystem: sysctl, the kernel's statistics, interfaces, processes. */
#include "tests/support/darwin_double_inside.h"

#include "agent/probe/darwin_abi.h"
#include "agent/probe/darwin_calls.h"
#include "common/json/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST 0x103
#define SOCKET 77
#define KERN_FAILURE 5
#define TOKENS_MAX 4

static size_t cpu_calls;
static bool host_asked, socket_open;
static const char *tokens[TOKENS_MAX]; /* names that are registered */
static void *rdma_list;

void double_start_system(void)
{
    cpu_calls = 0;
    host_asked = socket_open = false;
    memset(tokens, 0, sizeof tokens);
    rdma_list = NULL;
}

size_t double_system_live(void)
{
    size_t live = socket_open + (rdma_list != NULL);

    for (size_t i = 0; i < TOKENS_MAX; i++)
        live += tokens[i] != NULL;
    return live;
}

/* ---- sysctl ---- */

/* As the kernel: what does not fit is cut, and ENOMEM. */
static int give(const void *value, size_t size, void *out, size_t *len)
{
    size_t room = *len;

    if (!out) {
        *len = size;
        return 0;
    }
    memcpy(out, value, size < room ? size : room);
    if (size > room) {
        errno = ENOMEM;
        return -1;
    }
    *len = size;
    return 0;
}

/* Keys of 8 bytes; all others that are numbers have 4. */
static bool is_wide(const char *name)
{
    static const char *const wide[] = {
        "hw.memsize",           "hw.memsize_usable",      "hw.cachelinesize", "hw.l1icachesize",
        "hw.l1dcachesize",      "hw.l2cachesize",         "hw.tbfrequency",   "hw.pagesize",
        "hw.optional.arm.caps", "debug.iogpu.wired_limit"};

    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        if (strcmp(name, wide[i]) == 0)
            return true;
    }
    return false;
}

/* {"errno": 1}, {"bytes": 2} (a value of so many zeros) or {"total": ..., "used": ...} of swap */
static int give_object(const struct json *value, void *out, size_t *len)
{
    int64_t number = double_i64(value, "errno", 0), bytes = double_i64(value, "bytes", -1);
    struct darwin_swap swap = {.total = (uint64_t)double_i64(value, "total", 0),
                               .used = (uint64_t)double_i64(value, "used", 0)};
    char zeros[256] = {0};

    if (number) {
        errno = (int)number;
        return -1;
    }
    if (bytes >= 0 && (size_t)bytes <= sizeof zeros)
        return give(zeros, (size_t)bytes, out, len);
    return give(&swap, sizeof swap, out, len);
}

static int double_sysctlbyname(const char *name, void *out, size_t *len, void *in, size_t in_len)
{
    const struct json *value = json_member(json_member(double_root(), "sysctl"), name);
    const char *text = json_text(value);
    int64_t wide = json_integer(value);
    int32_t narrow = (int32_t)wide;

    if (in || in_len)
        double_die("sysctl %s is written", name);
    double_note("sysctl", name);
    if (!value) {
        errno = ENOENT;
        return -1;
    }
    if (text)
        return give(text, strlen(text) + 1, out, len);
    if (json_type_of(value) == JSON_OBJECT)
        return give_object(value, out, len);
    if (!json_is_integer(value))
        double_die("sysctl %s: no value that a Mac could give", name);
    return is_wide(name) ? give(&wide, sizeof wide, out, len)
                         : give(&narrow, sizeof narrow, out, len);
}

/* ---- interfaces ---- */

static size_t put_message(char *at, const struct json *interface, size_t index)
{
    const char *name = json_text(json_member(interface, "name"));
    struct darwin_sockaddr_dl address = {.sdl_len = 20,
                                         .sdl_family = DARWIN_AF_LINK,
                                         .sdl_index = (uint16_t)index,
                                         .sdl_nlen = (uint8_t)strlen(name)};
    struct darwin_if_message m = {.ifm_msglen = sizeof m + sizeof address,
                                  .ifm_version = 5,
                                  .ifm_type = DARWIN_RTM_IFINFO2,
                                  .ifm_flags = (int)double_i64(interface, "flags", 0),
                                  .ifm_index = (uint16_t)index,
                                  .ifi_type = (uint8_t)double_i64(interface, "type", 0)};
    double rate = json_number(json_member(interface, "baudrate"));

    m.ifi_baudrate = rate > 0 ? (uint64_t)rate : 0;
    memcpy(address.sdl_data, name, strlen(name)); /* the names of our files are short */
    memcpy(at, &m, sizeof m);
    memcpy(at + sizeof m, &address, sizeof address);
    return sizeof m + sizeof address;
}

/* Each interface has its message, and then one of another type: an address. */
static int double_sysctl(int *mib, unsigned count, void *out, size_t *len, void *in, size_t in_len)
{
    static const uint16_t other[10] = {20, 0x0c05}; /* 20 bytes, version 5, RTM_NEWADDR */
    static char list[64 * 1024];
    size_t size = 0, index = 0;

    if (count != 6 || mib[0] != DARWIN_CTL_NET || mib[4] != DARWIN_NET_RT_IFLIST2 || in || in_len)
        double_die("sysctl of %d.%d: unexpected", mib[0], mib[1]);
    if (json_member(double_root(), "interfaces_errno")) {
        errno = (int)double_i64(double_root(), "interfaces_errno", EPERM);
        return -1;
    }
    for (const struct json *i = json_first(json_member(double_root(), "interfaces")); i;
         i = json_next(i)) {
        if (size + 512 > sizeof list)
            double_die("too many interfaces");
        size += put_message(list + size, i, ++index);
        memcpy(list + size, other, sizeof other);
        size += sizeof other;
    }
    size -= (size_t)double_i64(double_root(), "interfaces_cut", 0);
    if (out)
        double_note("sysctl", "NET_RT_IFLIST2");
    return give(list, size, out, len);
}

static int double_socket(int domain, int type, int protocol)
{
    if (domain != DARWIN_AF_INET || type != DARWIN_SOCK_DGRAM || protocol != 0)
        double_die("socket(%d, %d, %d)", domain, type, protocol);
    if (json_bool_value(json_member(double_root(), "no_socket")))
        return -1;
    if (socket_open)
        double_die("two sockets");
    socket_open = true;
    return SOCKET;
}

static int double_close(int fd)
{
    if (fd != SOCKET || !socket_open)
        double_die("close(%d)", fd);
    socket_open = false;
    return 0;
}

static const struct json *find_interface(const char *name)
{
    const struct json *i = json_first(json_member(double_root(), "interfaces"));

    while (i && strcmp(json_text(json_member(i, "name")), name) != 0)
        i = json_next(i);
    return i;
}

static int double_ioctl(int fd, unsigned long request, void *argument)
{
    const struct json *interface = find_interface(argument); /* both structs begin with the name */
    const struct json *media = json_member(interface, "media");
    struct darwin_ifmediareq *m = argument;
    struct darwin_ifreq *r = argument;
    int64_t functional = double_i64(interface, "functional", -1);

    if (fd != SOCKET || !socket_open) {
        errno = EBADF;
        return -1;
    }
    if (request == DARWIN_SIOCGIFFUNCTIONALTYPE && functional >= 0) {
        r->ifru_functional_type = (uint32_t)functional;
        return 0;
    }
    if (request == DARWIN_SIOCGIFXMEDIA && media) {
        m->ifm_current = (int)double_i64(media, "current", 0);
        m->ifm_status = (int)double_i64(media, "status", 0);
        return 0;
    }
    errno = EOPNOTSUPP;
    return -1;
}

/* ---- the kernel's statistics ---- */

static uint32_t double_mach_host_self(void)
{
    if (host_asked)
        double_die("mach_host_self twice: each call adds a reference");
    host_asked = true;
    return HOST;
}

static void check_host(uint32_t host)
{
    if (host != HOST)
        double_die("host %u", host);
}

static int double_host_page_size(uint32_t host, uintptr_t *bytes)
{
    check_host(host);
    *bytes = (uintptr_t)double_i64(json_member(double_root(), "host"), "page_bytes", 16384);
    return 0;
}

static int double_host_statistics(uint32_t host, int flavor, int *info, uint32_t *count)
{
    const struct json *rows = double_at("host", "cpu"), *row;
    size_t rows_count = json_count(rows);

    check_host(host);
    double_note("host_statistics", "");
    if (flavor != DARWIN_HOST_CPU_LOAD_INFO || *count < DARWIN_CPU_STATES)
        double_die("host_statistics flavor %d of %u", flavor, *count);
    if (rows_count == 0)
        return KERN_FAILURE;
    row = json_item(rows, cpu_calls < rows_count ? cpu_calls : rows_count - 1);
    cpu_calls++;
    for (size_t i = 0; i < DARWIN_CPU_STATES; i++)
        info[i] = (int)(uint32_t)json_integer(json_item(row, i));
    *count = DARWIN_CPU_STATES;
    return 0;
}

static int double_host_statistics64(uint32_t host, int flavor, int *info, uint32_t *count)
{
    const struct json *vm = double_at("host", "vm");
    struct darwin_vm_statistics v = {
        .free_count = (uint32_t)double_i64(vm, "free", 0),
        .speculative_count = (uint32_t)double_i64(vm, "speculative", 0),
        .wire_count = (uint32_t)double_i64(vm, "wire", 0),
        .purgeable_count = (uint32_t)double_i64(vm, "purgeable", 0),
        .compressor_page_count = (uint32_t)double_i64(vm, "compressor", 0),
        .internal_page_count = (uint32_t)double_i64(vm, "internal", 0)};
    int64_t given = double_i64(vm, "count", 38), words = given < 38 ? given : 38;

    check_host(host);
    double_note("host_statistics64", "");
    if (flavor != DARWIN_HOST_VM_INFO64)
        double_die("host_statistics64 flavor %d", flavor);
    if (!vm)
        return KERN_FAILURE;
    if ((int64_t)*count < given)
        double_die("host_statistics64: this kernel has %lld, asked for %u", (long long)given,
                   *count);
    memcpy(info, &v, (size_t)words * sizeof *info);
    for (int64_t i = 38; i < given; i++)
        info[i] = -1; /* what newer kernels add must not be taken for anything */
    *count = (uint32_t)given;
    return 0;
}

static int double_getloadavg(double *averages, int count)
{
    double value = json_number(double_at("host", "load_average"));

    double_note("getloadavg", "");
    if (!(value >= 0) || count < 1)
        return -1;
    averages[0] = value;
    return 1;
}

static uint64_t double_clock_gettime(unsigned clock)
{
    if (clock != DARWIN_CLOCK_MONOTONIC_RAW)
        double_die("clock %u", clock);
    double_note("clock_gettime_nsec_np", "");
    return (uint64_t)double_i64(json_member(double_root(), "host"), "uptime_ns", 0);
}

static int double_statfs(const char *path, struct darwin_statfs *out)
{
    const struct json *disk = json_member(double_root(), "disk");

    double_note("statfs", path);
    if (!disk) {
        errno = ENOENT;
        return -1;
    }
    out->f_bsize = (uint32_t)double_i64(disk, "block_bytes", 4096);
    out->f_bavail = (uint64_t)double_i64(disk, "available_blocks", 0);
    return 0;
}

/* ---- notify ---- */

static uint32_t double_notify_register(const char *name, int *token)
{
    if (!json_member(json_member(double_root(), "notify"), name))
        return 4; /* NOTIFY_STATUS_... whichever: not OK */
    for (int i = 0; i < TOKENS_MAX; i++) {
        if (!tokens[i]) {
            tokens[i] = name;
            *token = i + 1;
            return 0;
        }
    }
    double_die("too many tokens");
}

static uint32_t double_notify_get(int token, uint64_t *state)
{
    const char *name = token >= 1 && token <= TOKENS_MAX ? tokens[token - 1] : NULL;

    if (!name)
        double_die("notify_get_state of token %d", token);
    double_note("notify", name);
    if (!json_member(json_member(double_root(), "notify"), name))
        return 2;
    *state = (uint64_t)double_i64(json_member(double_root(), "notify"), name, 0);
    return 0;
}

static uint32_t double_notify_cancel(int token)
{
    if (token < 1 || token > TOKENS_MAX || !tokens[token - 1])
        double_die("notify_cancel of token %d", token);
    tokens[token - 1] = NULL;
    return 0;
}

/* ---- processes ---- */

static int double_listpgrppids(pid_t group, void *pids, int size)
{
    int found = 0;

    for (const struct json *p = json_first(json_member(double_root(), "processes")); p;
         p = json_next(p)) {
        if (double_i64(p, "group", 0) == group && (found + 1) * (int)sizeof(pid_t) <= size)
            ((pid_t *)pids)[found++] = (pid_t)double_i64(p, "pid", 0);
    }
    return found;
}

static int double_pid_rusage(int pid, int flavor, void *out)
{
    struct darwin_rusage *usage = out;

    if (flavor != DARWIN_RUSAGE_INFO_V0)
        double_die("proc_pid_rusage flavor %d", flavor);
    for (const struct json *p = json_first(json_member(double_root(), "processes")); p;
         p = json_next(p)) {
        if (double_i64(p, "pid", 0) == pid && json_member(p, "footprint")) {
            usage->ri_phys_footprint = (uint64_t)double_i64(p, "footprint", 0);
            return 0;
        }
    }
    errno = EPERM; /* another user's */
    return -1;
}

/* ---- librdma ---- */

static void **double_rdma_list(int *count)
{
    const struct json *devices = json_member(double_root(), "rdma");
    void **list;
    size_t i = 0;

    double_note("ibv_get_device_list", "");
    if (json_type_of(devices) != JSON_ARRAY)
        return NULL;
    list = double_alloc((json_count(devices) + 1) * sizeof *list);
    for (const struct json *d = json_first(devices); d; d = json_next(d))
        list[i++] = (void *)(uintptr_t)d;
    *count = (int)i;
    rdma_list = list;
    return list;
}

static const char *double_rdma_name(void *device)
{
    return json_text(device);
}

static void double_rdma_free(void **list)
{
    if (list != rdma_list)
        double_die("ibv_free_device_list of another list");
    rdma_list = NULL;
    free(list);
}

void double_fill_system(struct darwin_calls *calls)
{
    calls->sysctlbyname = double_sysctlbyname;
    calls->sysctl = double_sysctl;
    calls->mach_host_self = double_mach_host_self;
    calls->host_page_size = double_host_page_size;
    calls->host_statistics = double_host_statistics;
    calls->host_statistics64 = double_host_statistics64;
    calls->getloadavg = double_getloadavg;
    calls->clock_gettime_nsec_np = double_clock_gettime;
    calls->statfs = double_statfs;
    calls->socket = double_socket;
    calls->ioctl = double_ioctl;
    calls->close = double_close;
    calls->notify_register_check = double_notify_register;
    calls->notify_get_state = double_notify_get;
    calls->notify_cancel = double_notify_cancel;
    calls->proc_listpgrppids = double_listpgrppids;
    calls->proc_pid_rusage = double_pid_rusage;
    if (json_member(double_root(), "rdma")) {
        calls->ibv_get_device_list = double_rdma_list;
        calls->ibv_get_device_name = double_rdma_name;
        calls->ibv_free_device_list = double_rdma_free;
    } else {
        calls->rdma_missing = "this macOS has no /usr/lib/librdma.dylib";
    }
}
