/* event.h - what the coordinator publishes.
 *
 * Plain structs, one per message of proto/espalier/v1/event.proto, field for field; ranges and
 * units stand in the tables of event.c. Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 (an enum's
 * unset), NULL or a count of 0. Every pointer is owned by its struct. X_new gives one with every
 * field unknown; X_free frees it whole. */
#ifndef COMMON_MODEL_EVENT_H
#define COMMON_MODEL_EVENT_H

#include "common/model/enums.h"
#include "common/model/record.h"

#include <stddef.h>
#include <stdint.h>

/* something happened; published under the topic of its kind */
struct event {
    int64_t sequence;   /* rises by one; a gap means lost events */
    int64_t at_ms;      /* ms: wall clock, UTC */
    int kind;           /* enum event_kind */
    char *device_id;    /* device that it concerns */
    char *plan_id;      /* plan that it concerns */
    char *job_id;       /* job that it concerns */
    int delivery_state; /* enum delivery_state */
    char *text;         /* in words */
};
RECORD_DECLARE(event);
#endif
