/* sleep_watch.c - see sleep_watch.h. */
#include "agent/link/sleep_watch.h"

void sleep_watch_init(struct sleep_watch *w, int64_t mono_ms, int64_t awake_ms)
{
    w->behind_ms = mono_ms - awake_ms;
}

int64_t sleep_watch_look(struct sleep_watch *w, int64_t mono_ms, int64_t awake_ms)
{
    int64_t slept = mono_ms - awake_ms - w->behind_ms;

    if (slept < SLEEP_WATCH_LEAST_MS)
        return 0;
    w->behind_ms += slept;
    return slept;
}
