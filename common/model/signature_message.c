/* signature_message.c - one row per field: name, limits, unit, help. The rows drive checking,
 * copying, the wire and JSON. */
#include "common/model/signature_message.h"

#include "common/model/proposal.h"

/* What a model or a data set may hold in one value: a prompt's own limit. */
#define LONG_TEXT 1048576

static const struct field datum_fields[] = {
    ROW_ENUM(datum, form, value_form, FIELD_REQUIRED, "which of the others holds it"),
    ROW_PROSE(datum, text, LONG_TEXT, 0, "of form text"),
    ROW_I64(datum, integer, -0x1p53, 0x1p53, "", 0, "of form integer"),
    ROW_F64(datum, number, -1e300, 1e300, "", 0, "of form number"),
    ROW_BOOL(datum, truth, 0, "of form truth"),
    ROW_RECORDS(datum, items, datum, 100000, 0, "of form list"),
    ROW_RECORDS(datum, members, named_datum, 100000, 0, "of form map"),
};
RECORD_DEFINE(datum, "Value");

static const struct field named_datum_fields[] = {
    ROW_PROSE(named_datum, name, 4096, FIELD_REQUIRED, "name"),
    ROW_RECORD(named_datum, value, datum, FIELD_REQUIRED, "value"),
};
RECORD_DEFINE(named_datum, "NamedValue");

static const struct field signature_field_info_fields[] = {
    ROW_TEXT(signature_field_info, name, 64, FIELD_REQUIRED, "letters, digits and _"),
    ROW_ENUM(signature_field_info, direction, signature_direction, 0, "input or output"),
    ROW_ENUM(signature_field_info, role, signature_role, 0, "what it is about; default other"),
    ROW_PROSE(signature_field_info, type, 4096, 0, "as Python spells it; default str"),
    ROW_PROSE(signature_field_info, description, 65536, 0, "what it holds"),
    ROW_PROSE(signature_field_info, fallback, 65536, 0, "an input's text when none is given"),
    ROW_PROSE(signature_field_info, constraints, 65536, 0, "its bounds in words, for the prompt"),
};
RECORD_DEFINE(signature_field_info, "SignatureField");

static const struct field signature_info_fields[] = {
    ROW_TEXT(signature_info, name, 128, FIELD_REQUIRED, "letters, digits and _"),
    ROW_TEXT(signature_info, extends, 128, 0, "the signature it extends"),
    ROW_ENUM(signature_info, category, signature_category, 0, "what it is for"),
    ROW_PROSE(signature_info, instructions, 65536, 0, "what the model is to do"),
    ROW_RECORDS(signature_info, fields, signature_field_info, 64, 0, "inputs, then outputs"),
    ROW_TEXT(signature_info, typed, 128, 0, "record of its typed outputs"),
    ROW_BOOL(signature_info, is_typed, 0, "this is the typed form"),
    ROW_PROSE(signature_info, no_context, 512, 0,
              "why it asks for no hardware or performance context"),
};
RECORD_DEFINE(signature_info, "Signature");

static const struct field signature_choice_fields[] = {
    ROW_PROSE(signature_choice, name, 16384, 0,
              "one that the coordinator has, or a line like \"question -> answer\""),
    ROW_RECORD(signature_choice, defined, signature_info, 0, "or one that comes along"),
    ROW_BOOL(signature_choice, typed, 0, "its typed form; default: the text form"),
    ROW_ENUM(signature_choice, module, signature_module, 0, "default predict"),
    ROW_PROSE(signature_choice, no_context, 512, 0,
              "of a line: why it asks for no hardware or performance context"),
};
RECORD_DEFINE(signature_choice, "SignatureChoice");

static const struct field signature_list_request_fields[] = {
    ROW_ENUM(signature_list_request, category, signature_category, 0, "only these"),
};
RECORD_DEFINE(signature_list_request, "SignatureListRequest");

static const struct field signature_show_request_fields[] = {
    ROW_RECORD(signature_show_request, signature, signature_choice, FIELD_REQUIRED, "which"),
    ROW_BOOL(signature_show_request, python, 0, "with the Python class it would be in DSPy"),
};
RECORD_DEFINE(signature_show_request, "SignatureShowRequest");

static const struct field factory_spec_fields[] = {
    ROW_TEXT(factory_spec, domain, 64, FIELD_REQUIRED, "letters, digits and _"),
    ROW_RECORDS(factory_spec, hardware, named_datum, 256, 0,
                "facts; they become the default of hardware_constraints"),
    ROW_RECORDS(factory_spec, fields, signature_field_info, 64, 0, "outputs of your own"),
};
RECORD_DEFINE(factory_spec, "FactorySpec");

static const struct field line_spec_fields[] = {
    ROW_PROSE(line_spec, line, 16384, FIELD_REQUIRED, "a, b: int -> c: float"),
    ROW_TEXT(line_spec, name, 128, 0, "of the new signature; default StringSignature"),
    ROW_PROSE(line_spec, instructions, 65536, 0, "default: made from the names of the fields"),
};
RECORD_DEFINE(line_spec, "LineSpec");

static const struct field insertion_fields[] = {
    ROW_I64(insertion, index, -64, 64, "", 0, "within its own section; default -1: after the last"),
    ROW_RECORD(insertion, field, signature_field_info, FIELD_REQUIRED, "the field"),
};
RECORD_DEFINE(insertion, "Insertion");

static const struct field compose_spec_fields[] = {
    ROW_TEXTS(compose_spec, bases, 16, 128, 0, "names; at least one"),
    ROW_TEXT(compose_spec, name, 128, 0, "of the new signature; default: the base's"),
    ROW_PROSE(compose_spec, instructions, 65536, 0, "default: the base's"),
    ROW_RECORDS(compose_spec, insertions, insertion, 64, 0, "one after the other"),
    ROW_TEXTS(compose_spec, without, 64, 64, 0, "fields to leave out"),
    ROW_PROSE(compose_spec, append_instructions, 65536, 0, "added after a blank line"),
};
RECORD_DEFINE(compose_spec, "ComposeSpec");

static const struct field signature_create_request_fields[] = {
    ROW_RECORD(signature_create_request, factory, factory_spec, FIELD_ONE_REQUIRED, "for a domain"),
    ROW_RECORD(signature_create_request, line, line_spec, FIELD_ONE_REQUIRED, "from one line"),
    ROW_RECORD(signature_create_request, composition, compose_spec, FIELD_ONE_REQUIRED,
               "from other signatures"),
    ROW_BOOL(signature_create_request, python, 0, "with the Python class it would be in DSPy"),
    ROW_PROSE(signature_create_request, no_context, 512, 0,
              "why it needs no hardware or performance context, where it has none"),
};
RECORD_DEFINE(signature_create_request, "SignatureCreateRequest");

static const struct field rendered_message_fields[] = {
    ROW_TEXT(rendered_message, role, 64, FIELD_REQUIRED, "system, user or assistant"),
    ROW_PROSE(rendered_message, content, LONG_TEXT, 0, "as the model gets it"),
};
RECORD_DEFINE(rendered_message, "PromptMessage");

static const struct field signature_question_fields[] = {
    ROW_RECORD(signature_question, signature, signature_choice, FIELD_REQUIRED, "which"),
    ROW_RECORDS(signature_question, inputs, named_datum, 64, 0, "values by name"),
    ROW_ENUM(signature_question, adapter, signature_adapter, 0, "default chat"),
    ROW_PROSE(signature_question, framing, 65536, 0, "text of a framing file; default: our own"),
    ROW_PROSE(signature_question, state, 8388608, 0, "text of a program that DSPy saved"),
    ROW_PROSE(signature_question, state_path, 1024, 0, "predictor in it; default: the only one"),
    ROW_BOOL(signature_question, as_text, 0, "take its demos as they are, whatever their types"),
};
RECORD_DEFINE(signature_question, "SignatureQuestion");

static const struct field signature_render_request_fields[] = {
    ROW_RECORD(signature_render_request, question, signature_question, FIELD_REQUIRED,
               "what would be asked"),
};
RECORD_DEFINE(signature_render_request, "SignatureRenderRequest");

static const struct field signature_check_request_fields[] = {
    ROW_RECORD(signature_check_request, signature, signature_choice, FIELD_REQUIRED, "which"),
    ROW_PROSE(signature_check_request, state, 8388608, FIELD_REQUIRED,
              "text of a program that DSPy saved"),
    ROW_PROSE(signature_check_request, state_path, 1024, 0,
              "predictor in it; default: the only one"),
    ROW_BOOL(signature_check_request, as_text, 0,
             "take its demos as they are, whatever their types"),
};
RECORD_DEFINE(signature_check_request, "SignatureCheckRequest");

static const struct field signature_run_request_fields[] = {
    ROW_RECORD(signature_run_request, question, signature_question, FIELD_REQUIRED, "what to ask"),
    ROW_BOOL(signature_run_request, retry, 0,
             "one more call that shows the model its reply and what was wrong; default true"),
    ROW_BOOL(signature_run_request, fallback, 0,
             "go on as JSON where a chat reply cannot be read; default true"),
};
RECORD_DEFINE(signature_run_request, "SignatureRunRequest");

static const struct field finding_fields[] = {
    ROW_TEXT(finding, rule, 64, FIELD_REQUIRED, "which rule"),
    ROW_ENUM(finding, level, finding_level, FIELD_REQUIRED, "how much it weighs"),
    ROW_TEXT(finding, field, 64, 0, "absent: the whole signature"),
    ROW_PROSE(finding, why, 4096, 0, "why it matters"),
    ROW_PROSE(finding, what, 4096, 0, "what to do"),
};
RECORD_DEFINE(finding, "Finding");

static const struct field signatures_reply_fields[] = {
    ROW_RECORDS(signatures_reply, signatures, signature_info, 1000, 0, "by name"),
};
RECORD_DEFINE(signatures_reply, "SignaturesReply");

static const struct field signature_reply_fields[] = {
    ROW_RECORD(signature_reply, signature, signature_info, FIELD_REQUIRED, "the signature"),
    ROW_PROSE(signature_reply, definition, 262144, 0, "its data file"),
    ROW_PROSE(signature_reply, line, 1048576, 0, "its string form"),
    ROW_RECORDS(signature_reply, findings, finding, 1000, 0, "of the linter"),
    ROW_PROSE(signature_reply, python, 1048576, 0, "where it was asked for"),
};
RECORD_DEFINE(signature_reply, "SignatureReply");

static const struct field prompt_reply_fields[] = {
    ROW_RECORDS(prompt_reply, messages, rendered_message, 256, 0, "in order"),
    ROW_PROSE(prompt_reply, response_format, LONG_TEXT, 0, "JSON that goes with them"),
    ROW_TEXTS(prompt_reply, notes, 1000, 512, 0, "what was changed on the way"),
};
RECORD_DEFINE(prompt_reply, "PromptReply");

static const struct field state_difference_fields[] = {
    ROW_PROSE(state_difference, what, 256, FIELD_REQUIRED,
              "instructions, a field's description or prefix, demos"),
    ROW_PROSE(state_difference, was, 65536, 0, "absent: nothing"),
    ROW_PROSE(state_difference, becomes, 65536, 0, "absent: nothing"),
};
RECORD_DEFINE(state_difference, "StateDifference");

static const struct field signature_check_reply_fields[] = {
    ROW_PROSE(signature_check_reply, state_path, 1024, 0, "predictor; empty: a bare one"),
    ROW_TEXT(signature_check_reply, dspy, 64, 0, "version that wrote it"),
    ROW_RECORDS(signature_check_reply, changes, state_difference, 200, 0, "what it would change"),
    ROW_I64(signature_check_reply, demos, 0, 10000, "demos", 0, "that fit"),
    ROW_TEXTS(signature_check_reply, notes, 1000, 512, 0, "what is odd, or left alone"),
};
RECORD_DEFINE(signature_check_reply, "SignatureCheckReply");

static const struct field signature_run_reply_fields[] = {
    ROW_RECORDS(signature_run_reply, outputs, named_datum, 64, 0, "in the signature's order"),
    ROW_ENUM(signature_run_reply, adapter, signature_adapter, 0, "whose answer was used"),
    ROW_TEXTS(signature_run_reply, steps, 64, 512, 0,
              "each call: how it was asked, and what came of it"),
    ROW_TEXTS(signature_run_reply, notes, 1000, 512, 0, "what was forgiven, repaired or dropped"),
    ROW_PROSE(signature_run_reply, reply, LONG_TEXT, 0, "the model's last reply"),
    ROW_PROSE(signature_run_reply, failure, 512, 0, "why there are no outputs"),
    ROW_RECORD(signature_run_reply, usage, usage, 0, "what it cost"),
};
RECORD_DEFINE(signature_run_reply, "SignatureRunReply");
