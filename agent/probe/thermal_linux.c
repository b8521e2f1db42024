/* thermal_linux.c - see thermal.h. */
#include "agent/probe/thermal.h"
#include "agent/probe/fact.h"
#include "agent/probe/linux.h"

int thermal_linux_state(struct linux_source *source, struct state *s, struct err *err)
{
    (void)source;
    return state_unknown(s, err, "thermal", "Linux states temperatures, no thermal state");
}
