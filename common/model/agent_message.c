/* agent_message.c - one row per field: name, limits, unit, help. The rows drive checking, copying,
 * the wire and JSON. */
#include "common/model/agent_message.h"

static const struct field hello_fields[] = {
    ROW_I64(hello, protocol_version, 1, 1000, "", FIELD_REQUIRED, "1"),
    ROW_TEXT(hello, agent_version, 64, 0, "version of the agent"),
    ROW_TEXT(hello, boot_id, 64, FIELD_REQUIRED, "changes when the agent starts"),
    ROW_TEXT(hello, profile_digest, 64, FIELD_REQUIRED, "changes when the profile does"),
    ROW_I64(hello, highest_generation, 0, 0x1p52, "", 0,
            "highest generation the agent has on disk"),
};
RECORD_DEFINE(hello, "Hello");

static const struct field assignment_status_fields[] = {
    ROW_TEXT(assignment_status, coordinator_id, 64, FIELD_REQUIRED, "from the assignment"),
    ROW_TEXT(assignment_status, plan_id, 64, FIELD_REQUIRED, "plan"),
    ROW_TEXT(assignment_status, job_id, 64, FIELD_REQUIRED, "job"),
    ROW_I64(assignment_status, generation, 1, 0x1p53, "", FIELD_REQUIRED, "generation"),
    ROW_ENUM(assignment_status, state, delivery_state, FIELD_REQUIRED, "received or later"),
    ROW_TEXT(assignment_status, reason, 512, 0, "why refused or failed"),
    ROW_I64(assignment_status, exit_code, -1, 255, "", 0,
            "of the command; -1 where a signal ended it"),
    ROW_I64(assignment_status, at_ms, 0, 0x1p53, "ms", 0, "wall clock of the agent"),
};
RECORD_DEFINE(assignment_status, "AssignmentStatus");

static const struct field measurement_fields[] = {
    ROW_TEXT(measurement, plan_id, 64, FIELD_REQUIRED, "plan"),
    ROW_TEXT(measurement, job_id, 64, FIELD_REQUIRED, "job"),
    ROW_I64(measurement, generation, 1, 0x1p53, "", FIELD_REQUIRED, "generation"),
    ROW_I64(measurement, sequence, 1, 0x1p53, "", FIELD_REQUIRED, "line of the event file, from 1"),
    ROW_TEXT(measurement, event, 64, 0, "name the command gave it: train, val, ..."),
    ROW_I64(measurement, iteration, 0, 0x1p40, "micro-steps", 0, "micro-step it speaks of"),
    ROW_F64(measurement, loss, -1e+12, 1e+12, "", 0, "training or validation loss"),
    ROW_F64(measurement, step_seconds, 0, 1e+07, "s", 0, "one micro-step"),
    ROW_F64(measurement, tokens_per_second, 0, 1e+12, "tokens/s", 0, "real tokens"),
    ROW_I64(measurement, tokens, 0, 0x1p50, "tokens", 0, "trained on so far"),
    ROW_I64(measurement, peak_bytes, 0, 0x1p50, "bytes", 0, "peak memory so far"),
    ROW_TEXT(measurement, text, 512, 0, "anything else"),
    ROW_I64(measurement, at_ms, 0, 0x1p53, "ms", 0, "wall clock of the agent"),
};
RECORD_DEFINE(measurement, "Measurement");

static const struct field goodbye_fields[] = {
    ROW_TEXT(goodbye, reason, 512, 0, "why"),
};
RECORD_DEFINE(goodbye, "Goodbye");

static const struct field agent_message_fields[] = {
    ROW_I64(agent_message, sequence, 1, 0x1p53, "", 0,
            "set on status and measurement: repeated until a receipt names it"),
    ROW_RECORD(agent_message, hello, hello, FIELD_ONE_REQUIRED, "first message of a session"),
    ROW_RECORD(agent_message, profile, profile, FIELD_ONE_REQUIRED, "once per change"),
    ROW_RECORD(agent_message, state, state, FIELD_ONE_REQUIRED, "every few seconds; may be lost"),
    ROW_RECORD(agent_message, status, assignment_status, FIELD_ONE_REQUIRED, "never lost"),
    ROW_RECORD(agent_message, measurement, measurement, FIELD_ONE_REQUIRED, "never lost"),
    ROW_RECORD(agent_message, goodbye, goodbye, FIELD_ONE_REQUIRED, "last message"),
};
RECORD_DEFINE(agent_message, "AgentMessage");

static const struct field welcome_fields[] = {
    ROW_TEXT(welcome, coordinator_id, 64, FIELD_REQUIRED, "random, made with the database"),
    ROW_TEXT(welcome, device_id, 64, FIELD_REQUIRED, "who the coordinator takes the agent for"),
    ROW_I64(welcome, heartbeat_ms, 100, 3600000, "ms", FIELD_REQUIRED,
            "send a state at least this often"),
    ROW_BOOL(welcome, want_profile, FIELD_REQUIRED,
             "the coordinator does not have this profile_digest"),
    ROW_TEXT(welcome, coordinator_version, 64, 0, "version of the coordinator"),
    ROW_I64(welcome, wall_ms, 0, 0x1p53, "ms", 0, "wall clock of the coordinator"),
};
RECORD_DEFINE(welcome, "Welcome");

static const struct field cancel_fields[] = {
    ROW_TEXT(cancel, plan_id, 64, FIELD_REQUIRED, "plan"),
    ROW_TEXT(cancel, job_id, 64, FIELD_REQUIRED, "job"),
    ROW_I64(cancel, generation, 1, 0x1p53, "", FIELD_REQUIRED, "generation cancelled"),
    ROW_TEXT(cancel, reason, 512, 0, "why"),
};
RECORD_DEFINE(cancel, "Cancel");

static const struct field refusal_fields[] = {
    ROW_ENUM(refusal, code, response_code, FIELD_REQUIRED, "code"),
    ROW_TEXT(refusal, field, 128, 0, "field at fault"),
    ROW_TEXT(refusal, reason, 512, FIELD_REQUIRED, "what was wrong and what was wanted"),
    ROW_I64(refusal, retry_after_ms, 0, 86400000, "ms", 0, "try again after; absent: do not"),
    ROW_I64(refusal, sequence, 1, 0x1p53, "", 0, "of the refused message, where it had one"),
};
RECORD_DEFINE(refusal, "Refusal");

static const struct field receipt_fields[] = {
    ROW_I64S(receipt, sequences, 10000, 1, 0x1p53, "", FIELD_REQUIRED,
             "they need not be sent again"),
};
RECORD_DEFINE(receipt, "Receipt");

static const struct field coordinator_message_fields[] = {
    ROW_RECORD(coordinator_message, welcome, welcome, FIELD_ONE_REQUIRED, "answer to Hello"),
    ROW_RECORD(coordinator_message, assignment, assignment, FIELD_ONE_REQUIRED,
               "the device's part of a plan"),
    ROW_RECORD(coordinator_message, cancel, cancel, FIELD_ONE_REQUIRED, "stop an assignment"),
    ROW_RECORD(coordinator_message, refusal, refusal, FIELD_ONE_REQUIRED,
               "a message was not taken"),
    ROW_RECORD(coordinator_message, receipt, receipt, FIELD_ONE_REQUIRED, "stored"),
};
RECORD_DEFINE(coordinator_message, "CoordinatorMessage");
