/* clock.c - see clock.h. */
#include "common/core/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

/* The monotonic clock that goes on while the machine sleeps: Darwin's CLOCK_MONOTONIC does, Linux
 * has another for it. */
#ifdef CLOCK_BOOTTIME
#define CLOCK_THROUGH_SLEEP CLOCK_BOOTTIME
#else
#define CLOCK_THROUGH_SLEEP CLOCK_MONOTONIC
#endif

/* And the one that stops meanwhile. */
#ifdef CLOCK_UPTIME_RAW
#define CLOCK_WHILE_AWAKE CLOCK_UPTIME_RAW
#else
#define CLOCK_WHILE_AWAKE CLOCK_MONOTONIC
#endif

static int64_t clock_read_ms(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);

    assert(rc == 0);
    (void)rc;
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
    return clock_read_ms(CLOCK_THROUGH_SLEEP);
}

int64_t clock_awake_ms(void)
{
    return clock_read_ms(CLOCK_WHILE_AWAKE);
}

int64_t clock_wall_ms(void)
{
    return clock_read_ms(CLOCK_REALTIME);
}

char *clock_format_utc(int64_t wall_ms, char out[CLOCK_TEXT_MAX])
{
    const int64_t first = -62167219200000, last = 253402300799999; /* years 0000 and 9999 */
    int64_t seconds = wall_ms / 1000 - (wall_ms % 1000 < 0);
    time_t when = (time_t)seconds;
    struct tm tm;

    /* UNKNOWN_I64 is before the first */
    if (wall_ms < first || wall_ms > last || !gmtime_r(&when, &tm)) {
        snprintf(out, CLOCK_TEXT_MAX, "unknown");
        return out;
    }
    snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(wall_ms - seconds * 1000));
    return out;
}
