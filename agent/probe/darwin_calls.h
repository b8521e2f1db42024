/* darwin_calls.h - every function of macOS that a probe calls, in one list.
 *
 * The *_darwin.c files call macOS through this table and in no other way, and include no header of
 * a Mac, so that they compile and run anywhere. On a Mac darwin_system.c fills the table, without a
 * line of logic: libSystem's functions by name, those of frameworks by dlopen. In tests a double
 * (tests/support/darwin_double.h) fills it from recorded and from invented machines.
 *
 * Types are those of the system, written out: CFTypeRef, id, SEL and ibv_device are pointers,
 * io_object_t and mach_port_t uint32_t, kern_return_t and IOReturn int, CFIndex long, Boolean
 * unsigned char. The structs that calls fill are in darwin_abi.h. The rules of CoreFoundation hold:
 * what a Create or Copy gives is released with CFRelease, what a Get gives is borrowed;
 * IOServiceGetMatchingServices takes the matching dictionary over; iterators and what they give are
 * released with IOObjectRelease. */
#ifndef AGENT_PROBE_DARWIN_CALLS_H
#define AGENT_PROBE_DARWIN_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct darwin_metal_size;
struct darwin_statfs;

/* X(result, name, arguments) */

/* libSystem: always there. ioctl is not variadic here: arm64 passes such arguments another way. */
#define DARWIN_SYSTEM_CALLS(X)                                                                  \
    X(int, sysctlbyname, (const char *name, void *out, size_t *len, void *in, size_t in_len))   \
    X(int, sysctl, (int *mib, unsigned count, void *out, size_t *len, void *in, size_t in_len)) \
    X(uint32_t, mach_host_self, (void))                                                         \
    X(int, host_page_size, (uint32_t host, uintptr_t * bytes))                                  \
    X(int, host_statistics, (uint32_t host, int flavor, int *info, uint32_t *count))            \
    X(int, host_statistics64, (uint32_t host, int flavor, int *info, uint32_t *count))          \
    X(int, getloadavg, (double *averages, int count))                                           \
    X(uint64_t, clock_gettime_nsec_np, (unsigned clock))                                        \
    X(int, statfs, (const char *path, struct darwin_statfs *out))                               \
    X(int, socket, (int domain, int type, int protocol))                                        \
    X(int, ioctl, (int fd, unsigned long request, void *argument))                              \
    X(int, close, (int fd))                                                                     \
    X(uint32_t, notify_register_check, (const char *name, int *token))                          \
    X(uint32_t, notify_get_state, (int token, uint64_t *state))                                 \
    X(uint32_t, notify_cancel, (int token))                                                     \
    X(int, proc_listpgrppids, (pid_t group, void *pids, int size))                              \
    X(int, proc_pid_rusage, (int pid, int flavor, void *out))

/* CoreFoundation and IOKit: the registry of devices, and what feeds the machine */
#define DARWIN_REGISTRY_CALLS(X)                                                                 \
    X(void, CFRelease, (const void *object))                                                     \
    X(unsigned long, CFGetTypeID, (const void *object))                                          \
    X(unsigned long, CFStringGetTypeID, (void))                                                  \
    X(unsigned long, CFNumberGetTypeID, (void))                                                  \
    X(unsigned long, CFBooleanGetTypeID, (void))                                                 \
    X(unsigned long, CFDictionaryGetTypeID, (void))                                              \
    X(unsigned long, CFArrayGetTypeID, (void))                                                   \
    X(const void *, CFStringCreateWithCString,                                                   \
      (const void *allocator, const char *text, uint32_t encoding))                              \
    X(unsigned char, CFStringGetCString,                                                         \
      (const void *string, char *out, long size, uint32_t encoding))                             \
    X(unsigned char, CFNumberGetValue, (const void *number, long type, void *out))               \
    X(unsigned char, CFBooleanGetValue, (const void *boolean))                                   \
    X(const void *, CFDictionaryGetValue, (const void *dictionary, const void *key))             \
    X(long, CFArrayGetCount, (const void *array))                                                \
    X(const void *, CFArrayGetValueAtIndex, (const void *array, long i))                         \
    X(void *, IOServiceMatching, (const char *class_name))                                       \
    X(void *, IOBSDNameMatching, (uint32_t port, uint32_t options, const char *name))            \
    X(int, IOServiceGetMatchingServices, (uint32_t port, void *matching, uint32_t *iterator))    \
    X(uint32_t, IOIteratorNext, (uint32_t iterator))                                             \
    X(int, IOObjectRelease, (uint32_t object))                                                   \
    X(unsigned char, IOObjectConformsTo, (uint32_t object, const char *class_name))              \
    X(const void *, IORegistryEntryCreateCFProperty,                                             \
      (uint32_t entry, const void *key, const void *allocator, uint32_t options))                \
    X(int, IORegistryEntryGetParentEntry, (uint32_t entry, const char *plane, uint32_t *parent)) \
    X(const void *, IOPSCopyPowerSourcesInfo, (void))                                            \
    X(const void *, IOPSCopyPowerSourcesList, (const void *info))                                \
    X(const void *, IOPSGetPowerSourceDescription, (const void *info, const void *source))       \
    X(const void *, IOPSGetProvidingPowerSourceType, (const void *info))

/* libobjc and Metal */
#define DARWIN_METAL_CALLS(X)                       \
    X(void *, objc_autoreleasePoolPush, (void))     \
    X(void, objc_autoreleasePoolPop, (void *pool))  \
    X(void *, sel_registerName, (const char *name)) \
    X(void *, objc_getClass, (const char *name))    \
    X(void *, MTLCopyAllDevices, (void))            \
    X(void *, MTLCreateSystemDefaultDevice, (void))

/* objc_msgSend under each type that we call it by: it has none of its own, and on arm64 a call by
 * the wrong one passes its arguments wrongly */
#define DARWIN_MESSAGE_CALLS(X)                                                        \
    X(void, message_void, (void *self, void *selector))                                \
    X(void *, message_object, (void *self, void *selector))                            \
    X(void *, message_object_at, (void *self, void *selector, unsigned long i))        \
    X(const char *, message_text, (void *self, void *selector))                        \
    X(uint64_t, message_u64, (void *self, void *selector))                             \
    X(bool, message_bool, (void *self, void *selector))                                \
    X(bool, message_bool_of, (void *self, void *selector, long value))                 \
    X(bool, message_responds, (void *self, void *selector, void *other))               \
    /* the rest is of agent/bench */                                                   \
    X(double, message_f64, (void *self, void *selector))                               \
    X(void *, message_object_of, (void *self, void *selector, void *other))            \
    X(void *, message_object_of_text, (void *self, void *selector, const char *text))  \
    X(void *, message_build, (void *self, void *selector, void *what, void **error))   \
    X(void *, message_compile,                                                         \
      (void *self, void *selector, void *source, void *options, void **error))         \
    X(void *, message_allocate,                                                        \
      (void *self, void *selector, unsigned long bytes, unsigned long options))        \
    X(void, message_give, (void *self, void *selector, void *what))                    \
    X(void, message_give_at,                                                           \
      (void *self, void *selector, void *what, unsigned long offset, unsigned long i)) \
    X(void, message_dispatch,                                                          \
      (void *self, void *selector, struct darwin_metal_size groups,                    \
       struct darwin_metal_size threads))

/* librdma, of macOS 26.2 and later */
#define DARWIN_RDMA_CALLS(X)                             \
    X(void **, ibv_get_device_list, (int *count))        \
    X(const char *, ibv_get_device_name, (void *device)) \
    X(void, ibv_free_device_list, (void **list))

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name and its arguments, not values */
#define DARWIN_MEMBER(result, name, arguments) result(*name) arguments;

struct darwin_calls {
    DARWIN_SYSTEM_CALLS(DARWIN_MEMBER)
    DARWIN_REGISTRY_CALLS(DARWIN_MEMBER)
    DARWIN_METAL_CALLS(DARWIN_MEMBER)
    DARWIN_MESSAGE_CALLS(DARWIN_MEMBER)
    DARWIN_RDMA_CALLS(DARWIN_MEMBER)
    /* NULL: that list's functions are all there; else what is missing, and none may be called */
    const char *registry_missing;
    const char *metal_missing;
    const char *rdma_missing;
};

#ifdef __APPLE__
/* This Mac's own; filled at the first call, good for the life of the program. One thread. */
const struct darwin_calls *darwin_system_calls(void);
#endif

#endif
