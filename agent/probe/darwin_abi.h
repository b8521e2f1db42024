/* darwin_abi.h - constants and structs that macOS's calls take, as its headers have them.
 *
 * Written out here so that the probes compile where those headers are not. darwin_system.c holds
 * every one of them against the Mac's headers when it is compiled. */
#ifndef AGENT_PROBE_DARWIN_ABI_H
#define AGENT_PROBE_DARWIN_ABI_H

#include <stdint.h>

/* Metal/MTLTypes.h: MTLSize, passed by value */
struct darwin_metal_size {
    unsigned long width, height, depth;
};

/* mach/host_info.h, mach/vm_statistics.h */
#define DARWIN_HOST_CPU_LOAD_INFO 3
#define DARWIN_HOST_VM_INFO64 4
#define DARWIN_CPU_STATES 4
#define DARWIN_CPU_IDLE 2

/* The beginning of vm_statistics64, which has not changed since macOS 10.9; pages and counts. Newer
 * kernels give more after it. */
struct darwin_vm_statistics {
    uint32_t free_count;
    uint32_t active_count;
    uint32_t inactive_count;
    uint32_t wire_count;
    uint64_t zero_fill_count;
    uint64_t reactivations;
    uint64_t pageins;
    uint64_t pageouts;
    uint64_t faults;
    uint64_t cow_faults;
    uint64_t lookups;
    uint64_t hits;
    uint64_t purges;
    uint32_t purgeable_count;
    uint32_t speculative_count; /* within free_count */
    uint64_t decompressions;
    uint64_t compressions;
    uint64_t swapins;
    uint64_t swapouts;
    uint32_t compressor_page_count;
    uint32_t throttled_count;
    uint32_t external_page_count;
    uint32_t internal_page_count;
    uint64_t total_uncompressed_pages_in_compressor;
};

/* sys/sysctl.h: of vm.swapusage */
struct darwin_swap {
    uint64_t total, available, used; /* bytes */
    uint32_t page_bytes;
    uint32_t encrypted;
};

/* sys/mount.h: struct statfs, its 64-bit form */
struct darwin_statfs {
    uint32_t f_bsize;
    int32_t f_iosize;
    uint64_t f_blocks;
    uint64_t f_bfree;
    uint64_t f_bavail;
    char rest[2136]; /* names and flags */
};

/* time.h: counts while the machine sleeps, from its start */
#define DARWIN_CLOCK_MONOTONIC_RAW 4

/* CoreFoundation: CFNumberType, CFStringEncoding */
#define DARWIN_CF_NUMBER_I64 4
#define DARWIN_CF_NUMBER_F64 13
#define DARWIN_CF_UTF8 0x08000100

/* libproc.h: RUSAGE_INFO_V0 begins with what later versions go on with */
#define DARWIN_RUSAGE_INFO_V0 0
struct darwin_rusage {
    uint8_t ri_uuid[16];
    uint64_t ri_user_time;
    uint64_t ri_system_time;
    uint64_t ri_pkg_idle_wkups;
    uint64_t ri_interrupt_wkups;
    uint64_t ri_pageins;
    uint64_t ri_wired_size;
    uint64_t ri_resident_size;
    uint64_t ri_phys_footprint; /* bytes, Metal's memory in it */
    uint64_t ri_proc_start_abstime;
    uint64_t ri_proc_exit_abstime;
};

/* net/route.h, net/if.h, net/if_var.h, net/if_dl.h, net/if_types.h */
#define DARWIN_CTL_NET 4
#define DARWIN_PF_ROUTE 17
#define DARWIN_NET_RT_IFLIST2 6
#define DARWIN_RTM_IFINFO2 0x12
#define DARWIN_AF_LINK 18
#define DARWIN_AF_INET 2
#define DARWIN_SOCK_DGRAM 2
#define DARWIN_IFF_UP 0x1
#define DARWIN_IFF_RUNNING 0x40
#define DARWIN_IFT_ETHER 0x06
#define DARWIN_IFT_LOOP 0x18
#define DARWIN_IFT_BRIDGE 0xd1

/* The head of if_msghdr2 (a routing message of one interface) and the parts of if_data64 in it;
 * packed to 4 bytes in the Mac's header. A sockaddr_dl with the name comes after it. */
#pragma pack(push, 4)
struct darwin_if_message {
    uint16_t ifm_msglen;
    uint8_t ifm_version;
    uint8_t ifm_type;
    int32_t ifm_addrs;
    int32_t ifm_flags;
    uint16_t ifm_index;
    int32_t ifm_snd_len;
    int32_t ifm_snd_maxlen;
    int32_t ifm_snd_drops;
    int32_t ifm_timer;
    uint8_t ifi_type;
    uint8_t ifi_rest[7];
    uint32_t ifi_mtu;
    uint32_t ifi_metric;
    uint64_t ifi_baudrate; /* bits/s; 0 where the driver has no idea */
    uint8_t ifi_counters[104];
};
#pragma pack(pop)

struct darwin_sockaddr_dl {
    uint8_t sdl_len;
    uint8_t sdl_family;
    uint16_t sdl_index;
    uint8_t sdl_type;
    uint8_t sdl_nlen; /* bytes of the name, which has no NUL */
    uint8_t sdl_alen;
    uint8_t sdl_slen;
    char sdl_data[12];
};

#define DARWIN_IFNAME_MAX 16

/* net/if.h: struct ifreq, as SIOCGIFFUNCTIONALTYPE uses it */
struct darwin_ifreq {
    char ifr_name[DARWIN_IFNAME_MAX];
    uint32_t ifru_functional_type;
    uint8_t rest[12];
};
#define DARWIN_SIOCGIFFUNCTIONALTYPE 0xc02069adUL
#define DARWIN_FUNCTIONAL_LOOPBACK 1
#define DARWIN_FUNCTIONAL_WIRED 2
#define DARWIN_FUNCTIONAL_WIFI_INFRA 3
#define DARWIN_FUNCTIONAL_WIFI_AWDL 4
#define DARWIN_FUNCTIONAL_CELLULAR 5

/* net/if.h: struct ifmediareq, packed to 4 bytes */
#pragma pack(push, 4)
struct darwin_ifmediareq {
    char ifm_name[DARWIN_IFNAME_MAX];
    int32_t ifm_current;
    int32_t ifm_mask;
    int32_t ifm_status;
    int32_t ifm_active;
    int32_t ifm_count;
    int32_t *ifm_ulist;
};
#pragma pack(pop)
#define DARWIN_SIOCGIFXMEDIA 0xc02c6948UL
#define DARWIN_IFM_NMASK 0xe0
#define DARWIN_IFM_IEEE80211 0x80
#define DARWIN_IFM_AVALID 0x1
#define DARWIN_IFM_ACTIVE 0x2

#endif
