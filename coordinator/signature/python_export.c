/* python_export.c - rows of the model as pydantic fields, records before what holds them. */
#include "coordinator/signature/python_export.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/num.h"
#include "common/json/json.h"
#include "common/model/record.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define PYTHON_TEXT_MAX (1024 * 1024) /* 64 fields with 64 KiB of words each fit no prompt */
#define RECORDS_MAX 64                /* our largest signature has 5 records */

/* A text as a Python literal: what is no control character stands as it is. */
static void add_literal(struct buf *b, const char *text)
{
    buf_addc(b, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_addf(b, "\\%c", *p);
        else if (*p == '\n')
            buf_adds(b, "\\n");
        else if ((unsigned char)*p < 0x20 || *p == 0x7f)
            buf_addf(b, "\\x%02x", (unsigned char)*p);
        else
            buf_addc(b, *p);
    }
    buf_addc(b, '"');
}

static void add_words(struct buf *b, const struct enum_names *names)
{
    buf_adds(b, "Literal[");
    for (size_t i = 0; i < names->count; i++) {
        buf_adds(b, i ? ", " : "");
        add_literal(b, names->values[i].name);
    }
    buf_addc(b, ']');
}

static void add_row_type(struct buf *b, const struct field *row)
{
    static const char *const plain[] = {
        [FIELD_I64] = "int",        [FIELD_F64] = "float", [FIELD_BOOL] = "bool",
        [FIELD_TEXT] = "str",       [FIELD_PROSE] = "str", [FIELD_TEXTS] = "list[str]",
        [FIELD_I64S] = "list[int]",
    };

    if (row->type == FIELD_ENUM)
        add_words(b, row->names);
    else if (row->type == FIELD_RECORD)
        buf_adds(b, row->record->name);
    else if (row->type == FIELD_RECORDS)
        buf_addf(b, "list[%s]", row->record->name);
    else
        buf_adds(b, plain[row->type]);
}

static void add_bound(struct buf *b, const char *name, enum field_type type, double value)
{
    char text[NUM_F64_TEXT_MAX];

    if (!isfinite(value))
        return;
    if (type == FIELD_I64)
        buf_addf(b, ", %s=%" PRId64, name, (int64_t)value);
    else
        buf_addf(b, ", %s=%s", name, num_format_f64(value, text));
}

/* Lengths of texts are left out: ours count bytes, Python's characters. */
static void add_limits(struct buf *b, const struct field *row)
{
    switch (row->type) {
    case FIELD_I64:
    case FIELD_F64:
        add_bound(b, "ge", row->type, row->min);
        add_bound(b, "le", row->type, row->max);
        break;
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        buf_addf(b, ", max_length=%zu", row->items_max);
        break;
    case FIELD_BOOL:
    case FIELD_TEXT:
    case FIELD_PROSE:
    case FIELD_ENUM:
    case FIELD_RECORD:
        break;
    }
}

static void add_row(struct buf *b, const struct field *row)
{
    bool required = row->flags & (FIELD_REQUIRED | FIELD_ONE_REQUIRED);

    buf_addf(b, "    %s: %s", row->name, required ? "" : "Optional[");
    add_row_type(b, row);
    buf_adds(b, required ? " = Field(" : "] = Field(None, ");
    buf_adds(b, "description=");
    add_literal(b, row->help ? row->help : row->name);
    add_limits(b, row);
    buf_adds(b, ")\n");
}

/* ---- records, each once, what it holds before it ---- */

struct record_list {
    const struct record_type *types[RECORDS_MAX];
    size_t count;
};

static int collect(struct record_list *list, const struct record_type *type, int depth,
                   struct err *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->types[i] == type)
            return 0;
    if (depth > RECORDS_MAX)
        return err_set(err, ERR_TOO_BIG, "%s: records nested too deep", type->name);
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].record && collect(list, type->fields[i].record, depth + 1, err) < 0)
            return -1;
    if (list->count == RECORDS_MAX)
        return err_set(err, ERR_TOO_BIG, "more than %d records", RECORDS_MAX);
    list->types[list->count++] = type;
    return 0;
}

static int add_records(struct buf *b, const struct signature *sig, struct err *err)
{
    struct record_list list = {.count = 0};

    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        if (sig->fields[i].row && sig->fields[i].row->record &&
            collect(&list, sig->fields[i].row->record, 0, err) < 0)
            return -1;
    for (size_t i = 0; i < list.count; i++) {
        const struct record_type *t = list.types[i];

        /* pydantic keeps names that start with model_ for itself unless told otherwise */
        buf_addf(b, "\n\nclass %s(BaseModel):\n    model_config = {\"protected_namespaces\": ()}\n",
                 t->name);
        for (size_t k = 0; k < t->count; k++)
            add_row(b, &t->fields[k]);
    }
    return 0;
}

/* ---- the signature ---- */

static void add_field(struct buf *b, const struct signature_field *f)
{
    bool input = f->direction == SIGNATURE_INPUT;
    const char *between = "";

    buf_addf(b, "    %s: ", f->name);
    if (f->row)
        add_row_type(b, f->row);
    else
        value_type_add_source(b, f->type);
    buf_adds(b, input ? " = dspy.InputField(" : " = dspy.OutputField(");
    if (f->description) {
        buf_adds(b, "desc=");
        add_literal(b, f->description);
        between = ", ";
    }
    if (f->prefix) {
        buf_addf(b, "%sprefix=", between);
        add_literal(b, f->prefix);
        between = ", ";
    }
    if (f->fallback) {
        buf_addf(b, "%sdefault=", between);
        add_literal(b, f->fallback);
    }
    buf_adds(b, ")\n");
}

char *python_export(const struct signature *sig, struct err *err)
{
    struct buf b;

    if (signature_check_name(sig->name, err) < 0)
        return NULL;
    buf_init(&b, PYTHON_TEXT_MAX);
    buf_addf(&b, "\"\"\"%s for DSPy.\"\"\"\n\n", sig->name);
    buf_adds(&b, "from typing import Any, Literal, Optional\n\nimport dspy\n"
                 "from pydantic import BaseModel, Field\n");
    if (add_records(&b, sig, err) < 0) {
        buf_clear(&b);
        return NULL;
    }
    buf_addf(&b, "\n\nclass %s(dspy.Signature):\n    ", sig->name);
    add_literal(&b, sig->instructions);
    buf_addc(&b, '\n');
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        if (sig->fields[i].role != SIGNATURE_ROLE_REASONING)
            add_field(&b, &sig->fields[i]);
    return buf_take(&b, NULL, err);
}
