/* handover.h - tells ThreadSanitizer that memory behind p passes from one thread to another.
 *
 * libzmq orders the two sides of a PAIR with atomics of its own, which a sanitizer cannot see in a
 * library that was not built with it. This is the only place that says so. */
#ifndef COMMON_NET_HANDOVER_H
#define COMMON_NET_HANDOVER_H

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
void __tsan_acquire(void *p);
void __tsan_release(void *p);
#define handover_release(p) __tsan_release(p)
#define handover_acquire(p) __tsan_acquire(p)
#else
#define handover_release(p) ((void)(p))
#define handover_acquire(p) ((void)(p))
#endif

#endif
