/* clock.h - what time it is.
 *
 * Timers and ages use the monotonic clock, people the wall clock. Only loops read clocks; the rooms
 * below are handed now_ms, so that tests need not wait. */
#ifndef COMMON_CORE_CLOCK_H
#define COMMON_CORE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed moment, never going back. Counts sleep: a Mac that slept an hour
 * finds its timers due. */
int64_t clock_mono_ms(void);

/* Milliseconds that the machine was awake since some fixed moment: what the clock above counts,
 * less the time it slept. */
int64_t clock_awake_ms(void);

/* Milliseconds since 1970-01-01 UTC; may jump when somebody sets the clock. */
int64_t clock_wall_ms(void);

#define CLOCK_TEXT_MAX 32

/* "2026-11-23T06:41:00.123Z" from wall milliseconds; "unknown" for UNKNOWN_I64 and for years that
 * do not have four digits. Returns out. */
char *clock_format_utc(int64_t wall_ms, char out[CLOCK_TEXT_MAX]);

#endif
