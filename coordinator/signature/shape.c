/* shape.c - rows of the model in a few words each. */
#include "coordinator/signature/shape.h"

#include "common/core/buf.h"
#include "common/core/num.h"
#include "common/model/record.h"

/* A list's shape is its item's, once; deeper than this nothing of ours goes. */
#define SHAPE_DEPTH_MAX 6

static void add_record(struct buf *b, const struct record_type *type, int depth);

static void add_words(struct buf *b, const struct enum_names *names)
{
    buf_addc(b, '"');
    for (size_t i = 0; i < names->count; i++)
        buf_addf(b, "%s%s", i ? "|" : "", names->values[i].name);
    buf_addc(b, '"');
}

static void add_range(struct buf *b, const char *kind, double min, double max)
{
    char lo[NUM_F64_TEXT_MAX], hi[NUM_F64_TEXT_MAX];

    buf_addf(b, "%s %s..%s", kind, num_format_f64(min, lo), num_format_f64(max, hi));
}

/* What a text is, in the row's own words. */
static void add_text(struct buf *b, const struct field *row)
{
    buf_addf(b, "\"<%s>\"", row->help && *row->help ? row->help : "text");
}

static void add_value(struct buf *b, const struct field *row, int depth)
{
    switch (row->type) {
    case FIELD_I64:
        add_range(b, "integer", row->min, row->max);
        break;
    case FIELD_F64:
        add_range(b, "number", row->min, row->max);
        break;
    case FIELD_BOOL:
        buf_adds(b, "true|false");
        break;
    case FIELD_TEXT:
    case FIELD_PROSE:
        add_text(b, row);
        break;
    case FIELD_ENUM:
        add_words(b, row->names);
        break;
    case FIELD_RECORD:
        add_record(b, row->record, depth);
        break;
    case FIELD_RECORDS:
        buf_addc(b, '[');
        add_record(b, row->record, depth);
        buf_adds(b, ", ...]");
        break;
    case FIELD_TEXTS:
        buf_addc(b, '[');
        add_text(b, row);
        buf_adds(b, ", ...]");
        break;
    case FIELD_I64S:
        buf_addc(b, '[');
        add_range(b, "integer", row->min, row->max);
        buf_adds(b, ", ...]");
        break;
    }
}

static void add_record(struct buf *b, const struct record_type *type, int depth)
{
    if (depth >= SHAPE_DEPTH_MAX) {
        buf_adds(b, "{...}");
        return;
    }
    buf_addc(b, '{');
    for (size_t i = 0; i < type->count; i++) {
        buf_addf(b, "%s\"%s\": ", i ? ", " : "", type->fields[i].name);
        add_value(b, &type->fields[i], depth + 1);
    }
    buf_addc(b, '}');
}

void shape_add(struct buf *b, const struct field *row)
{
    add_value(b, row, 0);
}

void shape_add_name(struct buf *b, const struct field *row)
{
    static const char *const plain[] = {
        [FIELD_I64] = "int",        [FIELD_F64] = "float", [FIELD_BOOL] = "bool",
        [FIELD_TEXT] = "str",       [FIELD_PROSE] = "str", [FIELD_TEXTS] = "list[str]",
        [FIELD_I64S] = "list[int]",
    };

    if (!row)
        buf_adds(b, "str");
    else if (row->type == FIELD_ENUM)
        buf_adds(b, row->names->name);
    else if (row->type == FIELD_RECORD)
        buf_adds(b, row->record->name);
    else if (row->type == FIELD_RECORDS)
        buf_addf(b, "list[%s]", row->record->name);
    else
        buf_adds(b, plain[row->type]);
}
