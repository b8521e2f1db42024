/* thermal_darwin.c - see thermal.h. */
#include "agent/probe/thermal.h"
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "common/model/device.h"

#include <inttypes.h>

#define KEY "com.apple.system.thermalpressurelevel"

void thermal_darwin_open(struct darwin_source *source)
{
    source->thermal_status = source->calls->notify_register_check(KEY, &source->thermal_token);
    if (source->thermal_status != 0)
        source->thermal_token = DARWIN_TOKEN_NONE;
}

void thermal_darwin_close(struct darwin_source *source)
{
    if (source->thermal_token != DARWIN_TOKEN_NONE)
        source->calls->notify_cancel(source->thermal_token);
    source->thermal_token = DARWIN_TOKEN_NONE;
}

int thermal_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    /* nominal, moderate, heavy, trapping, sleeping */
    static const int words[] = {THERMAL_NOMINAL, THERMAL_FAIR, THERMAL_SERIOUS, THERMAL_CRITICAL,
                                THERMAL_CRITICAL};
    uint32_t status = source->thermal_status;
    uint64_t level = 0;

    if (status == 0)
        status = source->calls->notify_get_state(source->thermal_token, &level);
    if (status != 0)
        return state_unknown(s, err, "thermal", "notify " KEY " gives status %" PRIu32, status);
    if (level >= sizeof words / sizeof words[0])
        return state_unknown(s, err, "thermal", "notify " KEY " is %" PRIu64 ", wanted 0 to 4",
                             level);
    s->thermal = words[level];
    return 0;
}
