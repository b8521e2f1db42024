/* plan_warn.c - see plan_warn.h. */
#include "coordinator/planner/plan_warn.h"

#include "common/model/plan.h"

#include <stdarg.h>
#include <stdio.h>

int plan_warn(struct plan *plan, struct err *err, const char *fmt, ...)
{
    char text[PLAN_WARN_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return texts_add(&plan->warnings, &plan->warnings_count, text, err);
}
