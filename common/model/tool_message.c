/* tool_message.c - one row per field: name, limits, unit, help. The rows drive checking, copying,
 * the wire and JSON. */
#include "common/model/tool_message.h"

#include "common/model/signature_message.h"

RECORD_DEFINE_EMPTY(status_request, "StatusRequest");

static const struct field devices_request_fields[] = {
    ROW_TEXT(devices_request, device_id, 64, 0,
             "one device, or the start of its id or its name; absent: all"),
    ROW_TEXT(devices_request, after, 64, 0, "page: devices after this id"),
    ROW_I64(devices_request, limit, 1, 10000, "devices", 0, "page size; default 1000"),
};
RECORD_DEFINE(devices_request, "DevicesRequest");

static const struct field plan_request_fields[] = {
    ROW_RECORD(plan_request, job, job, FIELD_REQUIRED, "what is wanted"),
    ROW_ENUM(plan_request, engine, engine_kind, 0,
             "who is asked; default: lm where the coordinator has one"),
    ROW_BOOL(plan_request, dry_run, 0, "show it, store and deliver nothing"),
};
RECORD_DEFINE(plan_request, "PlanRequest");

static const struct field plans_request_fields[] = {
    ROW_TEXT(plans_request, after, 64, 0, "page: plans older than this id"),
    ROW_I64(plans_request, limit, 1, 10000, "plans", 0, "page size; default 100"),
};
RECORD_DEFINE(plans_request, "PlansRequest");

static const struct field plan_get_request_fields[] = {
    ROW_TEXT(plan_get_request, plan_id, 64, FIELD_REQUIRED,
             "plan, or the start of its id, or a job id (its newest plan)"),
    ROW_TEXT(plan_get_request, device_id, 64, 0, "only this client's part"),
    ROW_BOOL(plan_get_request, proposal, 0, "with the engine's whole answer"),
    ROW_TEXT(plan_get_request, after, 64, 0, "page: assignments of devices after this id"),
    ROW_I64(plan_get_request, limit, 1, 10000, "assignments", 0, "page size; default 1000"),
};
RECORD_DEFINE(plan_get_request, "PlanGetRequest");

static const struct field plan_cancel_request_fields[] = {
    ROW_TEXT(plan_cancel_request, plan_id, 64, FIELD_REQUIRED, "plan"),
    ROW_TEXT(plan_cancel_request, reason, 512, 0, "why"),
};
RECORD_DEFINE(plan_cancel_request, "PlanCancelRequest");

static const struct field deliveries_request_fields[] = {
    ROW_TEXT(deliveries_request, plan_id, 64, FIELD_REQUIRED, "plan"),
    ROW_I64(deliveries_request, revision, 0, 0x1p53, "", 0,
            "answer once something is newer than this; absent: at once"),
    ROW_I64(deliveries_request, wait_ms, 0, 60000, "ms", 0, "answer after this long at the latest"),
};
RECORD_DEFINE(deliveries_request, "DeliveriesRequest");

static const struct field key_allow_request_fields[] = {
    ROW_TEXT(key_allow_request, public_key, 40, FIELD_REQUIRED, "Z85, 40 characters"),
    ROW_ENUM(key_allow_request, kind, key_kind, 0, "agent or tool; default agent"),
    ROW_ENUM(key_allow_request, role, role, 0, "of a tool; default viewer"),
    ROW_TEXT(key_allow_request, name, 128, 0, "for people"),
    ROW_TEXT(key_allow_request, device_id, 64, 0,
             "of an agent: the device it stands for from now on"),
};
RECORD_DEFINE(key_allow_request, "KeyAllowRequest");

static const struct field key_forget_request_fields[] = {
    ROW_TEXT(key_forget_request, id, 64, FIELD_REQUIRED, "device id or public key"),
};
RECORD_DEFINE(key_forget_request, "KeyForgetRequest");

RECORD_DEFINE_EMPTY(keys_request, "KeysRequest");

static const struct field measurements_request_fields[] = {
    ROW_TEXT(measurements_request, plan_id, 64, FIELD_REQUIRED, "plan"),
    ROW_TEXT(measurements_request, device_id, 64, 0, "only this client"),
    ROW_I64(measurements_request, limit, 1, 10000, "measurements", 0, "newest ones; default 100"),
};
RECORD_DEFINE(measurements_request, "MeasurementsRequest");

RECORD_DEFINE_EMPTY(calibration_request, "CalibrationRequest");

static const struct field measured_run_fields[] = {
    ROW_TEXT(measured_run, backend, 16, FIELD_REQUIRED, "metal or cpu"),
    ROW_TEXT(measured_run, chip, 64, 0, "as its profile names it; absent: any, for memory only"),
    ROW_I64(measured_run, gpu_cores, 1, 1024, "cores", 0, "of that chip"),
    ROW_RECORD(measured_run, shape, model_shape, FIELD_REQUIRED, "the model"),
    ROW_ENUM(measured_run, model_format, model_format, FIELD_REQUIRED,
             "how its weights were stored"),
    ROW_ENUM(measured_run, method, fine_tune_method, FIELD_REQUIRED, "how it was trained"),
    ROW_ENUM(measured_run, targets, lora_targets, 0, "layers with adapters; default all"),
    ROW_I64(measured_run, rank, 1, 1024, "", FIELD_REQUIRED, "of the adapters"),
    ROW_I64(measured_run, layers, 1, 4096, "layers", FIELD_REQUIRED,
            "blocks trained, from the top"),
    ROW_I64(measured_run, batch_size, 1, 4096, "sequences", FIELD_REQUIRED, "in a micro-batch"),
    ROW_I64(measured_run, sequence_length, 32, 1048576, "tokens", FIELD_REQUIRED, "in a sequence"),
    ROW_BOOL(measured_run, grad_checkpoint, 0, "activations were recomputed; default false"),
    ROW_I64(measured_run, peak_bytes, 1, 0x1p50, "bytes", 0,
            "peak memory as the engine reports it, without its runtime"),
    ROW_I64(measured_run, resident_bytes, 1, 0x1p50, "bytes", 0,
            "of it held between steps; absent: predicted"),
    ROW_F64(measured_run, step_seconds, 1e-6, 1e9, "s", 0, "one micro-step"),
};
RECORD_DEFINE(measured_run, "MeasuredRun");

static const struct field calibration_import_request_fields[] = {
    ROW_RECORDS(calibration_import_request, runs, measured_run, 1000, FIELD_REQUIRED,
                "in the order they were measured"),
};
RECORD_DEFINE(calibration_import_request, "CalibrationImportRequest");

static const struct field request_fields[] = {
    ROW_I64(request, protocol_version, 1, 1000, "", FIELD_REQUIRED, "1"),
    ROW_TEXT(request, request_id, 64, FIELD_REQUIRED,
             "chosen by the tool; a repeated one gets the stored answer"),
    ROW_BOOL(request, progress, 0, "send Progress before the Response (never with a REQ socket)"),
    ROW_RECORD(request, status, status_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, devices, devices_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, plan, plan_request, FIELD_ONE_REQUIRED, "operator"),
    ROW_RECORD(request, plans, plans_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, plan_get, plan_get_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, plan_cancel, plan_cancel_request, FIELD_ONE_REQUIRED, "operator"),
    ROW_RECORD(request, deliveries, deliveries_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, key_allow, key_allow_request, FIELD_ONE_REQUIRED, "operator"),
    ROW_RECORD(request, key_forget, key_forget_request, FIELD_ONE_REQUIRED, "operator"),
    ROW_RECORD(request, keys, keys_request, FIELD_ONE_REQUIRED, "operator"),
    ROW_RECORD(request, measurements, measurements_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, signature_list, signature_list_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, signature_show, signature_show_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, signature_create, signature_create_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, signature_render, signature_render_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, signature_check, signature_check_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, signature_run, signature_run_request, FIELD_ONE_REQUIRED, "operator"),
    ROW_RECORD(request, calibration, calibration_request, FIELD_ONE_REQUIRED, "viewer"),
    ROW_RECORD(request, calibration_import, calibration_import_request, FIELD_ONE_REQUIRED,
               "operator"),
};
RECORD_DEFINE(request, "Request");

static const struct field status_reply_fields[] = {
    ROW_TEXT(status_reply, version, 64, 0, "of the coordinator"),
    ROW_I64(status_reply, protocol_version, 1, 1000, "", 0,
            "version of this protocol that it speaks"),
    ROW_TEXT(status_reply, coordinator_id, 64, 0, "random, made with the database"),
    ROW_F64(status_reply, uptime_seconds, 0, 1e+10, "s", 0, "time since it was started"),
    ROW_I64(status_reply, devices_online, 0, 1000000, "devices", 0, "devices heard in time"),
    ROW_I64(status_reply, devices_late, 0, 1000000, "devices", 0,
            "devices of which a heartbeat is missing"),
    ROW_I64(status_reply, devices_offline, 0, 1000000, "devices", 0,
            "enrolled devices that are not heard"),
    ROW_I64(status_reply, classes, 0, 1000000, "classes", 0,
            "kinds of devices the planner can tell apart"),
    ROW_I64(status_reply, plans_active, 0, 0x1p40, "plans", 0,
            "plans that are neither superseded nor cancelled"),
    ROW_I64(status_reply, deliveries_open, 0, 0x1p40, "deliveries", 0,
            "assignments not yet done, failed, refused or ended otherwise"),
    ROW_TEXT(status_reply, lm_url, 512, 0, "endpoint asked by the lm engine; absent: none"),
    ROW_TEXT(status_reply, lm_model, 128, 0, "model that the lm engine asks for"),
    ROW_TEXT(status_reply, agents_endpoint, 512, 0, "where agents connect"),
    ROW_TEXT(status_reply, tools_endpoint, 512, 0, "where tools connect"),
    ROW_TEXT(status_reply, events_endpoint, 512, 0, "where events are published"),
    ROW_TEXT(status_reply, public_key, 40, 0, "the coordinator's own, Z85"),
    ROW_I64(status_reply, messages_in, 0, 0x1p53, "messages", 0, "from agents since start"),
    ROW_I64(status_reply, messages_refused, 0, 0x1p53, "messages", 0, "from agents since start"),
    ROW_I64(status_reply, messages_dropped, 0, 0x1p53, "messages", 0,
            "a slow peer would have blocked us"),
    ROW_I64(status_reply, unknown_values, 0, 0x1p53, "values", 0,
            "fields or enum values of a newer protocol, taken as absent"),
};
RECORD_DEFINE(status_reply, "StatusReply");

static const struct field device_fields[] = {
    ROW_TEXT(device, device_id, 64, FIELD_REQUIRED, "opaque, from its first key"),
    ROW_TEXT(device, public_key, 40, 0, "Z85"),
    ROW_ENUM(device, liveness, liveness, 0, "how lately it was heard"),
    ROW_TEXT(device, client_class, 64, 0, "class now"),
    ROW_I64(device, last_seen_age_ms, 0, 0x1p53, "ms", 0,
            "since anything was heard; absent: never"),
    ROW_I64(device, profile_age_ms, 0, 0x1p53, "ms", 0, "since its profile came"),
    ROW_I64(device, state_age_ms, 0, 0x1p53, "ms", 0, "since its state came"),
    ROW_I64(device, generation, 0, 0x1p53, "", 0, "highest given to it"),
    ROW_RECORD(device, profile, profile, 0, "as last reported"),
    ROW_RECORD(device, state, state, 0, "as last reported"),
    ROW_I64(device, plans_open, 0, 0x1p40, "assignments", 0, "current ones"),
};
RECORD_DEFINE(device, "Device");

static const struct field devices_reply_fields[] = {
    ROW_RECORDS(devices_reply, devices, device, 10000, 0, "this page"),
    ROW_TEXT(devices_reply, next, 64, 0, "ask again with after = this; absent: the end"),
    ROW_I64(devices_reply, total, 0, 1000000, "devices", 0, "enrolled"),
};
RECORD_DEFINE(devices_reply, "DevicesReply");

static const struct field plan_summary_fields[] = {
    ROW_TEXT(plan_summary, plan_id, 64, FIELD_REQUIRED, "the plan"),
    ROW_TEXT(plan_summary, job_id, 64, 0, "job that it answers"),
    ROW_TEXT(plan_summary, job_name, 128, 0, "name of the job for people"),
    ROW_ENUM(plan_summary, kind, plan_kind, 0, "federated or pipeline"),
    ROW_ENUM(plan_summary, state, plan_state, 0, "where it stands"),
    ROW_ENUM(plan_summary, engine_asked, engine_kind, 0, "which engine was asked"),
    ROW_I64(plan_summary, created_ms, 0, 0x1p53, "ms", 0,
            "when, by the coordinator's wall clock since 1970 UTC"),
    ROW_I64(plan_summary, clients, 0, 1000000, "clients", 0, "that take part"),
    ROW_I64(plan_summary, left_out, 0, 1000000, "clients", 0, "clients that do not"),
    ROW_F64(plan_summary, round_seconds, 0, 1e+09, "s", 0, "forecast"),
    ROW_I64(plan_summary, deliveries_open, 0, 1000000, "deliveries", 0,
            "assignments still on their way"),
    ROW_I64(plan_summary, deliveries_done, 0, 1000000, "deliveries", 0, "applied or later"),
    ROW_I64(plan_summary, deliveries_failed, 0, 1000000, "deliveries", 0,
            "failed, refused or expired"),
};
RECORD_DEFINE(plan_summary, "PlanSummary");

static const struct field plans_reply_fields[] = {
    ROW_RECORDS(plans_reply, plans, plan_summary, 10000, 0, "this page"),
    ROW_TEXT(plans_reply, next, 64, 0, "ask again with after = this; absent: the end"),
};
RECORD_DEFINE(plans_reply, "PlansReply");

static const struct field delivery_fields[] = {
    ROW_TEXT(delivery, plan_id, 64, FIELD_REQUIRED, "plan of the assignment"),
    ROW_TEXT(delivery, device_id, 64, FIELD_REQUIRED, "device that it is for"),
    ROW_TEXT(delivery, device_name, 128, 0, "its name for people"),
    ROW_TEXT(delivery, job_id, 64, 0, "job of the assignment"),
    ROW_I64(delivery, generation, 1, 0x1p53, "", 0, "generation of the assignment"),
    ROW_ENUM(delivery, state, delivery_state, FIELD_REQUIRED, "where it stands"),
    ROW_TEXT(delivery, reason, 512, 0, "why it was refused, failed or ended"),
    ROW_I64(delivery, exit_code, -1, 255, "", 0, "exit code of its command, once it ended"),
    ROW_I64(delivery, updated_ms, 0, 0x1p53, "ms", 0, "wall clock, UTC"),
    ROW_I64(delivery, attempts, 0, 0x1p53, "", 0, "times sent"),
};
RECORD_DEFINE(delivery, "Delivery");

static const struct field deliveries_reply_fields[] = {
    ROW_I64(deliveries_reply, revision, 0, 0x1p53, "", 0,
            "give it back to wait for the next change"),
    ROW_ENUM(deliveries_reply, plan_state, plan_state, 0, "where the plan stands"),
    ROW_RECORDS(deliveries_reply, deliveries, delivery, 1000000, 0,
                "one per assignment, by rising device id"),
};
RECORD_DEFINE(deliveries_reply, "DeliveriesReply");

static const struct field plan_reply_fields[] = {
    ROW_RECORD(plan_reply, plan, plan, FIELD_REQUIRED, "the plan"),
    ROW_RECORDS(plan_reply, deliveries, delivery, 1000000, 0, "none for a dry run"),
    ROW_RECORDS(plan_reply, measurements, device_measurement, 10000, 0, "newest ones"),
    ROW_TEXT(plan_reply, next, 64, 0, "ask again with after = this; absent: the end"),
};
RECORD_DEFINE(plan_reply, "PlanReply");

static const struct field device_measurement_fields[] = {
    ROW_TEXT(device_measurement, device_id, 64, FIELD_REQUIRED, "device that measured"),
    ROW_RECORD(device_measurement, measurement, measurement, FIELD_REQUIRED, "what it measured"),
};
RECORD_DEFINE(device_measurement, "DeviceMeasurement");

static const struct field measurements_reply_fields[] = {
    ROW_RECORDS(measurements_reply, measurements, device_measurement, 10000, 0, "newest last"),
};
RECORD_DEFINE(measurements_reply, "MeasurementsReply");

static const struct field key_fields[] = {
    ROW_TEXT(key, public_key, 40, FIELD_REQUIRED, "Z85"),
    ROW_ENUM(key, kind, key_kind, FIELD_REQUIRED, "which list it is on"),
    ROW_ENUM(key, role, role, 0, "of a tool"),
    ROW_TEXT(key, name, 128, 0, "name for people"),
    ROW_TEXT(key, device_id, 64, 0, "of an agent"),
};
RECORD_DEFINE(key, "Key");

static const struct field calibration_fields[] = {
    ROW_TEXT(calibration, key, 256, FIELD_REQUIRED, "backend/chip/model/method"),
    ROW_F64(calibration, activation_factor, 0.1, 10, "", FIELD_REQUIRED,
            "activations: measured over predicted"),
    ROW_F64(calibration, step_factor, 0.01, 100, "", FIELD_REQUIRED,
            "step time: measured over predicted"),
    ROW_I64(calibration, memory_samples, 0, 0x1p53, "samples", 0, "peaks learnt from"),
    ROW_I64(calibration, step_samples, 0, 0x1p53, "samples", 0, "step times learnt from"),
    ROW_I64(calibration, outliers, 0, 0x1p53, "samples", 0,
            "readings that were bounded or refused"),
    ROW_I64(calibration, updated_ms, 0, 0x1p53, "ms", 0, "wall clock of its last change"),
};
RECORD_DEFINE(calibration, "Calibration");

static const struct field calibration_reply_fields[] = {
    ROW_RECORDS(calibration_reply, calibrations, calibration, 10000, 0, "by key"),
    ROW_I64(calibration_reply, learnt, 0, 1000, "runs", 0, "that taught something"),
    ROW_I64(calibration_reply, skipped, 0, 1000, "runs", 0, "without a usable reading"),
};
RECORD_DEFINE(calibration_reply, "CalibrationReply");

static const struct field keys_reply_fields[] = {
    ROW_RECORDS(keys_reply, keys, key, 100000, 0, "agents and tools"),
};
RECORD_DEFINE(keys_reply, "KeysReply");

static const struct field done_reply_fields[] = {
    ROW_TEXT(done_reply, id, 64, 0, "what it was about"),
    ROW_TEXT(done_reply, text, 512, 0, "in words"),
};
RECORD_DEFINE(done_reply, "DoneReply");

static const struct field response_fields[] = {
    ROW_TEXT(response, request_id, 64, 0, "of the request; absent where it could not be read"),
    ROW_ENUM(response, code, response_code, FIELD_REQUIRED, "OK, or the kind of refusal"),
    ROW_TEXT(response, message, 512, 0, "what was wrong and what was wanted"),
    ROW_TEXT(response, field, 128, 0, "field at fault"),
    ROW_I64(response, retry_after_ms, 0, 86400000, "ms", 0, "send it again after this long"),
    ROW_RECORD(response, status, status_reply, FIELD_ONE_OF, "answers StatusRequest"),
    ROW_RECORD(response, devices, devices_reply, FIELD_ONE_OF, "answers DevicesRequest"),
    ROW_RECORD(response, plan, plan_reply, FIELD_ONE_OF, "answers PlanRequest and PlanGetRequest"),
    ROW_RECORD(response, plans, plans_reply, FIELD_ONE_OF, "answers PlansRequest"),
    ROW_RECORD(response, deliveries, deliveries_reply, FIELD_ONE_OF, "answers DeliveriesRequest"),
    ROW_RECORD(response, keys, keys_reply, FIELD_ONE_OF, "answers KeysRequest"),
    ROW_RECORD(response, calibration, calibration_reply, FIELD_ONE_OF,
               "answers CalibrationRequest and CalibrationImportRequest"),
    ROW_RECORD(response, measurements, measurements_reply, FIELD_ONE_OF,
               "answers MeasurementsRequest"),
    ROW_RECORD(response, done, done_reply, FIELD_ONE_OF,
               "answers PlanCancelRequest, KeyAllowRequest and KeyForgetRequest"),
    ROW_RECORD(response, signatures, signatures_reply, FIELD_ONE_OF,
               "answers SignatureListRequest"),
    ROW_RECORD(response, signature, signature_reply, FIELD_ONE_OF,
               "answers SignatureShowRequest and SignatureCreateRequest"),
    ROW_RECORD(response, prompt, prompt_reply, FIELD_ONE_OF, "answers SignatureRenderRequest"),
    ROW_RECORD(response, signature_check, signature_check_reply, FIELD_ONE_OF,
               "answers SignatureCheckRequest"),
    ROW_RECORD(response, signature_run, signature_run_reply, FIELD_ONE_OF,
               "answers SignatureRunRequest"),
};
RECORD_DEFINE(response, "Response");

static const struct field progress_fields[] = {
    ROW_TEXT(progress, request_id, 64, FIELD_REQUIRED, "as in the request"),
    ROW_TEXT(progress, text, 512, FIELD_REQUIRED, "what is being done"),
};
RECORD_DEFINE(progress, "Progress");

static const struct field tool_message_fields[] = {
    ROW_RECORD(tool_message, response, response, FIELD_ONE_REQUIRED, "the one answer to a request"),
    ROW_RECORD(tool_message, progress, progress, FIELD_ONE_REQUIRED, "a step on the way to it"),
};
RECORD_DEFINE(tool_message, "ToolMessage");
