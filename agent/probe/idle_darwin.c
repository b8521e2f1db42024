/* idle_darwin.c - see idle.h. */
#include "agent/probe/darwin.h"
#include "agent/probe/darwin_calls.h"
#include "agent/probe/fact.h"
#include "agent/probe/fact_put.h"
#include "agent/probe/idle.h"

int idle_darwin_state(struct darwin_source *source, struct state *s, struct err *err)
{
    const char *missing = source->calls->registry_missing;
    uint32_t entry = missing ? 0 : darwin_service(source, "IOHIDSystem");
    int64_t ns = 0;
    bool found;

    if (!entry)
        return state_unknown(s, err, "user_idle_seconds", "%s",
                             missing ? missing : "the registry has no IOHIDSystem");
    found = darwin_property_i64(source, entry, "HIDIdleTime", &ns);
    source->calls->IOObjectRelease(entry);
    if (!found)
        return state_unknown(s, err, "user_idle_seconds", "IOHIDSystem has no HIDIdleTime");
    return state_put_f64(s, err, "user_idle_seconds", (double)ns / 1e9, "IOHIDSystem HIDIdleTime");
}
