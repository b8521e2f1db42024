/* layout.c - the system message: what does not depend on how an answer is written. */
#include "coordinator/signature/layout.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/json/json.h"
#include "common/model/record.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/marker.h"
#include "coordinator/signature/schema.h"
#include "coordinator/signature/shape.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value.h"
#include "coordinator/signature/value_type.h"

#include <string.h>

#define INDENT "        " /* before a note and each line of the objective */

void layout_trim(struct buf *b, size_t from)
{
    const char *p;
    size_t len;

    if (b->failed || b->len == from)
        return;
    p = b->data + from;
    len = b->len - from;
    marker_trim(&p, &len);
    memmove(b->data + from, p, len);
    b->len = from + len;
    b->data[b->len] = '\0';
}

void layout_add_slot(struct buf *b, const char *slot, const struct signature_field *f)
{
    const char *hole = strstr(slot, "{type}");

    if (!hole) {
        buf_adds(b, slot);
        return;
    }
    buf_add(b, slot, (size_t)(hole - slot));
    signature_field_add_type(b, f);
    buf_adds(b, hole + strlen("{type}"));
}

void layout_add_type(struct buf *b, const struct framing *fr, const struct signature_field *f)
{
    if (!value_is_text(f))
        layout_add_slot(b, fr->reminder_type, f);
}

/* ---- the system message ---- */

static void add_list(struct buf *b, const struct framing *fr, const struct signature_field *fields,
                     size_t count)
{
    size_t from = b->len;

    for (size_t i = 0; i < count; i++) {
        buf_addf(b, "%s%zu. `%s` (", i ? "\n" : "", i + 1, fields[i].name);
        signature_field_add_type(b, &fields[i]);
        buf_adds(b, "): ");
        if (fields[i].description)
            buf_adds(b, fields[i].description);
        if (fields[i].constraints)
            buf_addf(b, "\n%s%s", fr->constraints_label, fields[i].constraints);
    }
    layout_trim(b, from);
}

void layout_add_marker(struct buf *b, const char *name)
{
    buf_adds(b, "[[ ## ");
    buf_adds(b, name);
    buf_adds(b, " ## ]]\n");
}

void layout_add_placeholder(struct buf *b, const struct signature_field *f)
{
    layout_add_marker(b, f->name);
    buf_addc(b, '{');
    buf_adds(b, f->name);
    buf_addc(b, '}');
}

void layout_add_inputs(struct buf *b, const struct signature *sig)
{
    if (sig->inputs == 0)
        buf_adds(b, "\n\n");
    for (size_t i = 0; i < sig->inputs; i++) {
        buf_adds(b, "\n\n");
        layout_add_placeholder(b, &sig->fields[i]);
    }
}

static void add_words(struct buf *b, const struct json *words)
{
    const char *between = "";

    for (const struct json *w = json_first(words); w; w = json_next(w), between = "; ") {
        buf_adds(b, between);
        if (json_text(w))
            buf_adds(b, json_text(w));
        else if (json_type_of(w) == JSON_NUMBER)
            buf_addf(b, "%lld", (long long)json_integer(w));
        else if (json_type_of(w) == JSON_BOOL)
            buf_adds(b, json_bool_value(w) ? "True" : "False");
        else
            buf_adds(b, "None");
    }
}

static int add_shape(struct buf *b, const struct framing *fr, const struct signature_field *f,
                     struct err *err)
{
    buf_adds(b, fr->note_schema);
    if (!f->row || strcmp(fr->schema_form, "json") == 0)
        return schema_add_note(b, f, err);
    shape_add(b, f->row);
    return 0;
}

static int add_row_note(struct buf *b, const struct framing *fr, const struct signature_field *f,
                        struct err *err)
{
    switch (f->row->type) {
    case FIELD_BOOL:
        buf_adds(b, fr->note_bool);
        return 0;
    case FIELD_I64:
    case FIELD_F64:
        layout_add_slot(b, fr->note_number, f);
        return 0;
    case FIELD_ENUM:
        buf_adds(b, fr->note_enum);
        for (size_t i = 0; i < f->row->names->count; i++)
            buf_addf(b, "%s%s", i ? "; " : "", f->row->names->values[i].name);
        return 0;
    default:
        return add_shape(b, fr, f, err);
    }
}

int layout_add_note(struct buf *b, const struct framing *fr, const struct signature_field *f,
                    struct err *err)
{
    if (value_is_text(f))
        return 0;
    buf_addf(b, "%s%s", INDENT, fr->note_lead);
    if (f->row)
        return add_row_note(b, fr, f, err);
    switch (f->type->kind) {
    case VALUE_BOOL:
        buf_adds(b, fr->note_bool);
        return 0;
    case VALUE_INT:
    case VALUE_FLOAT:
        layout_add_slot(b, fr->note_number, f);
        return 0;
    case VALUE_LITERAL:
        buf_adds(b, fr->note_literal);
        add_words(b, f->type->words);
        return 0;
    default:
        return add_shape(b, fr, f, err);
    }
}

/* A line of nothing but blanks says nothing: Python's dedent empties it too. */
static size_t without_blanks(const char *line, size_t len)
{
    size_t i = 0;

    while (i < len && (line[i] == ' ' || line[i] == '\t'))
        i++;
    return i == len ? 0 : len;
}

static void add_objective(struct buf *b, const struct signature *sig, const struct framing *fr)
{
    const char *p = sig->instructions;
    size_t left = strlen(p), line;

    buf_adds(b, fr->objective_heading);
    while (left > 0) {
        size_t step = marker_line(p, left, &line);

        buf_adds(b, "\n" INDENT);
        buf_add(b, p, without_blanks(p, line));
        p += step;
        left -= step;
    }
}

int layout_add_system(struct prompt *out, const struct layout *l, const struct signature *sig,
                      const struct framing *fr, struct err *err)
{
    struct buf b;
    char *text;
    size_t from;

    buf_init(&b, PROMPT_TEXT_MAX);
    buf_addf(&b, "%s\n", fr->inputs_heading);
    add_list(&b, fr, sig->fields, sig->inputs);
    buf_addf(&b, "\n%s\n", fr->outputs_heading);
    add_list(&b, fr, signature_outputs(sig), sig->outputs);
    buf_addc(&b, '\n');
    from = b.len;
    if (l->add_structure(&b, sig, fr, err) < 0) {
        buf_clear(&b);
        return -1;
    }
    layout_trim(&b, from);
    buf_addc(&b, '\n');
    add_objective(&b, sig, fr);
    if (!(text = buf_take(&b, NULL, err)))
        return -1;
    return prompt_add(out, "system", &text, err);
}
