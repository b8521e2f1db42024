/* test_wire_proto.c - the rows of the model and the .proto files say the same.
 *
 * Names, types, labels and one-ofs are compared through the descriptors, names of enum values too;
 * the limits, which protobuf does not know, through the comments: each ends in what its row gives,
 * as in
 * "(bytes, 1 to 2^50; required)". A failure names the field and what was wanted. */
#include "common/core/err.h"
#include "common/model/record.h"
#include "common/wire/wire.h"
#include "common/wire/wire_map.h"
#include "tests/unit/common/wire/proto_text.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const files[] = {"agent", "device", "device_proposal", "enums",     "event",
                                    "job",   "plan",   "proposal",        "signature", "tool"};
static const char *const models[] = {
    "agent_message", "device",   "device_proposal",   "event",       "job",
    "plan",          "proposal", "signature_message", "tool_message"};

/* A fault of the matching itself names record and field. */
static void every_record_has_its_message(void **state)
{
    struct err err = {.code = ERR_NONE};
    size_t n = 0;

    (void)state;
    for (const struct wire_type *t; (t = wire_type_at(n, &err)); n++) {
        assert_true(t->done);
        assert_string_equal(t->record->name, t->pb->short_name);
        for (size_t i = 0; i < t->count; i++) {
            assert_non_null(t->fields[i].row);
            assert_string_equal(t->fields[i].row->name, t->fields[i].pb->name);
        }
    }
    if (err.code != ERR_NONE)
        fail_msg("%s", err.text);
    assert_true(n > 50);
}

static const struct wire_type *type_named(const char *name)
{
    const struct wire_type *t;

    for (size_t i = 0; (t = wire_type_at(i, NULL)); i++)
        if (strcmp(t->record->name, name) == 0)
            return t;
    return NULL;
}

/* Every RECORD_DEFINE of the model travels. */
static void every_record_of_the_model_travels(void **state)
{
    char path[512], line[512], name[96];
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        FILE *file;

        snprintf(path, sizeof path, "%s/%s.c", ESPALIER_MODEL, models[i]);
        file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file)) {
            if (sscanf(line, "RECORD_DEFINE%*[^\"]\"%95[A-Za-z]", name) != 1)
                continue;
            seen++;
            if (!type_named(name))
                fail_msg("%s: record %s is in no message", path, name);
        }
        fclose(file);
    }
    assert_true(seen > 50);
}

static const struct enum_names *enum_named(const char *name)
{
    const struct wire_type *t;

    for (size_t i = 0; (t = wire_type_at(i, NULL)); i++)
        for (size_t j = 0; j < t->count; j++)
            if (t->fields[j].row->names && strcmp(t->fields[j].row->names->name, name) == 0)
                return t->fields[j].row->names;
    return NULL;
}

/* Thermal, fair -> THERMAL_FAIR; LinkKind, wifi -> LINK_KIND_WIFI. */
static void value_name(const char *type, const char *word, char *out, size_t size)
{
    size_t at = 0;

    for (const char *p = type; *p && at + 2 < size; p++) {
        if (isupper((unsigned char)*p) && p != type)
            out[at++] = '_';
        out[at++] = (char)toupper((unsigned char)*p);
    }
    out[at++] = '_';
    for (const char *p = word; *p && at + 1 < size; p++)
        out[at++] = (char)toupper((unsigned char)*p);
    out[at] = '\0';
}

static void every_enum_value_has_its_word(void **state)
{
    const struct wire_type *t;
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; (t = wire_type_at(i, NULL)); i++) {
        for (size_t j = 0; j < t->count; j++) {
            const struct enum_names *names = t->fields[j].row->names;
            const ProtobufCEnumDescriptor *e = t->fields[j].pb->descriptor;

            if (!names)
                continue;
            assert_int_equal(names->count, e->n_values);
            for (size_t k = 0; k < names->count; k++) {
                const ProtobufCEnumValue *v =
                    protobuf_c_enum_descriptor_get_value(e, names->values[k].value);
                char wanted[128];

                value_name(names->name, names->values[k].name, wanted, sizeof wanted);
                if (!v || strcmp(v->name, wanted) != 0)
                    fail_msg("%s.%s: number %d is \"%s\" in the model, %s in the .proto, wanted %s",
                             t->record->name, t->fields[j].row->name, names->values[k].value,
                             names->values[k].name, v ? v->name : "absent", wanted);
                seen++;
            }
        }
    }
    assert_true(seen > 100);
}

/* 2^50 rather than 1125899906842624. */
static void number_text(double v, bool integer, char *out, size_t size)
{
    int exponent;

    if (integer && v > 4096 && frexp(v, &exponent) == 0.5)
        snprintf(out, size, "2^%d", exponent - 1);
    else
        snprintf(out, size, integer ? "%.0f" : "%g", v);
}

/* What the comment of a field must end in; empty: its row has no limit. */
static void limits_text(const struct field *row, char *out, size_t size)
{
    bool integer = row->type == FIELD_I64 || row->type == FIELD_I64S;
    char low[32], high[32], limits[160] = "", items[64] = "";
    const char *needed = row->flags & FIELD_REQUIRED ? "required" : "";

    if (integer || row->type == FIELD_F64) {
        number_text(row->min, integer, low, sizeof low);
        number_text(row->max, integer, high, sizeof high);
        snprintf(limits, sizeof limits, "%s%s%s to %s", row->unit, row->unit[0] ? ", " : "", low,
                 high);
    }
    if (row->type == FIELD_I64S)
        snprintf(items, sizeof items, "; at most %zu items", row->items_max);
    if (row->type == FIELD_TEXT || row->type == FIELD_PROSE)
        snprintf(limits, sizeof limits, "at most %.0f bytes", row->max);
    if (row->type == FIELD_TEXTS)
        snprintf(limits, sizeof limits, "at most %zu items of %.0f bytes", row->items_max,
                 row->max);
    if (row->type == FIELD_RECORDS)
        snprintf(limits, sizeof limits, "at most %zu", row->items_max);
    out[0] = '\0';
    if (limits[0] || needed[0])
        snprintf(out, size, "(%s%s%s%s)", limits, items, limits[0] && needed[0] ? "; " : "",
                 needed);
}

static bool ends_in(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void field_text_check(const struct proto_item *item)
{
    const struct wire_type *t = type_named(item->owner);
    const struct field *row = t ? record_field(t->record, item->name) : NULL;
    char wanted[256];

    if (!row) {
        fail_msg("%s:%d: %s.%s is no field of the model", item->file, item->line, item->owner,
                 item->name);
        return;
    }
    limits_text(row, wanted, sizeof wanted);
    if (!ends_in(item->comment, wanted))
        fail_msg("%s:%d: the comment of %s.%s must end in %s", item->file, item->line, item->owner,
                 item->name, wanted);
    if (strlen(item->comment) <= strlen(wanted))
        fail_msg("%s:%d: %s.%s has no words", item->file, item->line, item->owner, item->name);
    if (row->flags & FIELD_REQUIRED && !strstr(item->comment, "required"))
        fail_msg("%s:%d: %s.%s does not say that it is required", item->file, item->line,
                 item->owner, item->name);
}

static void item_check(const struct proto_item *item, void *arg)
{
    size_t *seen = arg;

    (*seen)++;
    if (!item->comment[0] && item->kind != PROTO_VALUE)
        fail_msg("%s:%d: %s has no comment", item->file, item->line, item->name);
    if (item->kind == PROTO_MESSAGE && !type_named(item->owner))
        fail_msg("%s:%d: message %s belongs to no record", item->file, item->line, item->owner);
    if (item->kind == PROTO_ENUM && !enum_named(item->owner))
        fail_msg("%s:%d: enum %s belongs to no field", item->file, item->line, item->owner);
    if (item->kind == PROTO_FIELD)
        field_text_check(item);
}

static void every_comment_states_the_limits(void **state)
{
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512];

        snprintf(path, sizeof path, "%s/espalier/v1/%s.proto", ESPALIER_PROTO, files[i]);
        assert_true(proto_text_read(path, item_check, &seen));
    }
    assert_true(seen > 500);
}

/* INT64_MIN and NaN mean unknown inside: no row may allow them. */
static void no_row_allows_what_means_unknown(void **state)
{
    const struct wire_type *t;

    (void)state;
    for (size_t i = 0; (t = wire_type_at(i, NULL)); i++) {
        for (size_t j = 0; j < t->record->count; j++) {
            const struct field *row = &t->record->fields[j];
            bool number =
                row->type == FIELD_I64 || row->type == FIELD_F64 || row->type == FIELD_I64S;

            double lowest = row->type == FIELD_F64 ? -1e300 : -0x1p62;
            double highest = row->type == FIELD_F64 ? 1e300 : 0x1p62;

            if (number && !(row->min >= lowest && row->min <= row->max && row->max <= highest))
                fail_msg("%s.%s: odd limits %g to %g", t->record->name, row->name, row->min,
                         row->max);
            if (row->type == FIELD_TEXT || row->type == FIELD_PROSE || row->type == FIELD_TEXTS)
                assert_true(row->max >= 1);
            if (wire_field_is_repeated(wire_field_find(t, t->pb->fields[j].id)))
                assert_true(t->fields[j].row->items_max >= 1);
        }
    }
}

static size_t hex_add(const char *line, uint8_t *bytes, size_t len, size_t size)
{
    unsigned value;
    int used;

    while (len < size && sscanf(line, " %2x%n", &value, &used) == 1) {
        bytes[len++] = (uint8_t)value;
        line += used;
    }
    return len;
}

static void example_decodes(const char *name, const uint8_t *bytes, size_t len)
{
    const struct wire_type *t = type_named(name);
    struct wire_stats stats;
    struct err err;
    void *record = NULL;

    if (!t) {
        fail_msg("PROTOCOL.md: no message %s", name);
        return;
    }
    if (wire_decode(t->record, WIRE_COMMAND, bytes, len, wire_max(t->record), &record, &stats,
                    &err) < 0)
        fail_msg("PROTOCOL.md: an example of %s: %s", name, err.text);
    assert_int_equal(stats.unknown_fields, 0);
    record_free(t->record, record);
}

/* The bytes in PROTOCOL.md, in blocks that open with ```hex AgentMessage. */
static void examples_of_the_protocol_decode(void **state)
{
    FILE *file = fopen(ESPALIER_PROTO "/PROTOCOL.md", "r");
    char line[1024], name[96] = "";
    uint8_t bytes[1024];
    size_t len = 0, seen = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "```hex %95s", name) == 1) {
            len = 0;
        } else if (name[0] && strncmp(line, "```", 3) == 0) {
            example_decodes(name, bytes, len);
            name[0] = '\0';
            seen++;
        } else if (name[0]) {
            len = hex_add(line, bytes, len, sizeof bytes);
        }
    }
    fclose(file);
    assert_true(seen >= 8);
}

/* The table of section 9. */
static void limits_of_the_protocol_are_ours(void **state)
{
    static const struct {
        const char *row;
        size_t max;
    } rows[] = {
        {"| AgentMessage | 262,144 ", WIRE_AGENT_MAX},
        {"| CoordinatorMessage | 1,048,576 ", WIRE_COORDINATOR_MAX},
        {"| Request | 16,777,216 ", WIRE_REQUEST_MAX},
        {"| ToolMessage | 31,457,280 ", WIRE_TOOL_MAX},
        {"| Event | 4,096 ", WIRE_EVENT_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *file = fopen(ESPALIER_PROTO "/PROTOCOL.md", "r");
        char line[1024], digits[32] = "", wanted[32];
        bool found = false;
        size_t n = 0;

        assert_non_null(file);
        while (!found && fgets(line, sizeof line, file))
            found = strncmp(line, rows[i].row, strlen(rows[i].row)) == 0;
        fclose(file);
        if (!found)
            fail_msg("PROTOCOL.md: no row \"%s\"", rows[i].row);
        for (const char *p = strrchr(rows[i].row, '|'); *p; p++)
            if (isdigit((unsigned char)*p))
                digits[n++] = *p;
        snprintf(wanted, sizeof wanted, "%zu", rows[i].max);
        assert_string_equal(digits, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_has_its_message),
        cmocka_unit_test(every_record_of_the_model_travels),
        cmocka_unit_test(every_enum_value_has_its_word),
        cmocka_unit_test(every_comment_states_the_limits),
        cmocka_unit_test(no_row_allows_what_means_unknown),
        cmocka_unit_test(examples_of_the_protocol_decode),
        cmocka_unit_test(limits_of_the_protocol_are_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
