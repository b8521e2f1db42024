/* event.c - one row per field: name, limits, unit, help. The rows drive checking, copying, the wire
 * and JSON. */
#include "common/model/event.h"

static const struct field event_fields[] = {
    ROW_I64(event, sequence, 1, 0x1p53, "", FIELD_REQUIRED,
            "rises by one; a gap means lost events"),
    ROW_I64(event, at_ms, 0, 0x1p53, "ms", 0, "wall clock, UTC"),
    ROW_ENUM(event, kind, event_kind, FIELD_REQUIRED, "what happened"),
    ROW_TEXT(event, device_id, 64, 0, "device that it concerns"),
    ROW_TEXT(event, plan_id, 64, 0, "plan that it concerns"),
    ROW_TEXT(event, job_id, 64, 0, "job that it concerns"),
    ROW_ENUM(event, delivery_state, delivery_state, 0, "new state, with EVENT_KIND_DELIVERY"),
    ROW_TEXT(event, text, 512, 0, "in words"),
};
RECORD_DEFINE(event, "Event");
