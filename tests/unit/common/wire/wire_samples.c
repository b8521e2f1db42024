/* wire_samples.c - see wire_samples.h. */
#include "tests/unit/common/wire/wire_samples.h"

#include "common/model/agent_message.h"
#include "common/model/event.h"
#include "common/model/tool_message.h"
#include "tests/support/record_fill.h"

const struct wire_sample wire_samples[] = {
    {"agent-hello", &agent_message_type, "hello", WIRE_REPORT},
    {"agent-profile", &agent_message_type, "profile", WIRE_REPORT},
    {"agent-state", &agent_message_type, "state", WIRE_REPORT},
    {"agent-status", &agent_message_type, "status", WIRE_REPORT},
    {"agent-measurement", &agent_message_type, "measurement", WIRE_REPORT},
    {"agent-goodbye", &agent_message_type, "goodbye", WIRE_REPORT},
    {"coordinator-welcome", &coordinator_message_type, "welcome", WIRE_COMMAND},
    {"coordinator-assignment", &coordinator_message_type, "assignment", WIRE_COMMAND},
    {"coordinator-cancel", &coordinator_message_type, "cancel", WIRE_COMMAND},
    {"coordinator-refusal", &coordinator_message_type, "refusal", WIRE_COMMAND},
    {"coordinator-receipt", &coordinator_message_type, "receipt", WIRE_COMMAND},
    {"request-status", &request_type, "status", WIRE_COMMAND},
    {"request-devices", &request_type, "devices", WIRE_COMMAND},
    {"request-plan-federated", &request_type, "plan.federated", WIRE_COMMAND},
    {"request-plan-pipeline", &request_type, "plan.pipeline", WIRE_COMMAND},
    {"request-plans", &request_type, "plans", WIRE_COMMAND},
    {"request-plan-get", &request_type, "plan_get", WIRE_COMMAND},
    {"request-plan-cancel", &request_type, "plan_cancel", WIRE_COMMAND},
    {"request-deliveries", &request_type, "deliveries", WIRE_COMMAND},
    {"request-key-allow", &request_type, "key_allow", WIRE_COMMAND},
    {"request-key-forget", &request_type, "key_forget", WIRE_COMMAND},
    {"request-keys", &request_type, "keys", WIRE_COMMAND},
    {"request-measurements", &request_type, "measurements", WIRE_COMMAND},
    {"request-signature-list", &request_type, "signature_list", WIRE_COMMAND},
    {"request-signature-show", &request_type, "signature_show", WIRE_COMMAND},
    {"request-signature-factory", &request_type, "signature_create.factory", WIRE_COMMAND},
    {"request-signature-line", &request_type, "signature_create.line", WIRE_COMMAND},
    {"request-signature-composition", &request_type, "signature_create.composition", WIRE_COMMAND},
    {"request-signature-render", &request_type, "signature_render", WIRE_COMMAND},
    {"request-signature-check", &request_type, "signature_check", WIRE_COMMAND},
    {"request-signature-run", &request_type, "signature_run", WIRE_COMMAND},
    {"tool-status", &tool_message_type, "response.status", WIRE_REPORT},
    {"tool-devices", &tool_message_type, "response.devices", WIRE_REPORT},
    {"tool-plan", &tool_message_type, "response.plan", WIRE_REPORT},
    {"tool-plans", &tool_message_type, "response.plans", WIRE_REPORT},
    {"tool-deliveries", &tool_message_type, "response.deliveries", WIRE_REPORT},
    {"tool-keys", &tool_message_type, "response.keys", WIRE_REPORT},
    {"tool-measurements", &tool_message_type, "response.measurements", WIRE_REPORT},
    {"tool-done", &tool_message_type, "response.done", WIRE_REPORT},
    {"tool-signatures", &tool_message_type, "response.signatures", WIRE_REPORT},
    {"tool-signature", &tool_message_type, "response.signature", WIRE_REPORT},
    {"tool-prompt", &tool_message_type, "response.prompt", WIRE_REPORT},
    {"tool-signature-check", &tool_message_type, "response.signature_check", WIRE_REPORT},
    {"tool-signature-run", &tool_message_type, "response.signature_run", WIRE_REPORT},
    {"tool-progress", &tool_message_type, "progress", WIRE_REPORT},
    {"event", &event_type, NULL, WIRE_REPORT},
};
const size_t wire_samples_count = sizeof wire_samples / sizeof wire_samples[0];

void *wire_sample_record(const struct wire_sample *sample)
{
    struct fill how = {.seed = (uint64_t)(sample - wire_samples), .body = sample->body};

    how.items = 1;
    how.text = 6;
    return record_fill(sample->type, &how);
}
