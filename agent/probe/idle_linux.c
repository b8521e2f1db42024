/* idle_linux.c - see idle.h. */
#include "agent/probe/idle.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"

int idle_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    (void)source;
    return state_unknown(s, err, "user_idle_seconds", "Linux keeps no idle time of its users");
}
