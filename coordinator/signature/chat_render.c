/* chat_render.c - the messages of the chat layout. */
#include "coordinator/signature/chat.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/record.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/marker.h"
#include "coordinator/signature/shape.h"
#include "coordinator/signature/signature.h"

#include <string.h>

#define INDENT "        " /* before a note and each line of the objective */

static bool is_text(const struct signature_field *f)
{
    return !f->row || f->row->type == FIELD_TEXT || f->row->type == FIELD_PROSE;
}

/* Take blanks off the end of what stands in b from `from` on. */
static void trim_end(struct buf *b, size_t from)
{
    const char *p;
    size_t len;

    if (b->failed || b->len == from)
        return;
    /* a byte that is no blank in front keeps the trimming from the beginning of the part */
    p = b->data + from;
    len = b->len - from;
    marker_trim(&p, &len);
    b->len = (size_t)(p - b->data) + len;
    b->data[b->len] = '\0';
}

/* A slot with the type's name for {type}. */
static void add_slot(struct buf *b, const char *slot, const struct field *row)
{
    const char *hole = strstr(slot, "{type}");

    if (!hole) {
        buf_adds(b, slot);
        return;
    }
    buf_add(b, slot, (size_t)(hole - slot));
    shape_add_name(b, row);
    buf_adds(b, hole + strlen("{type}"));
}

static void add_list(struct buf *b, const struct signature_field *fields, size_t count)
{
    size_t from = b->len;

    for (size_t i = 0; i < count; i++) {
        buf_addf(b, "%s%zu. `%s` (", i ? "\n" : "", i + 1, fields[i].name);
        shape_add_name(b, fields[i].row);
        buf_addf(b, "): %s", fields[i].description ? fields[i].description : "");
    }
    trim_end(b, from);
}

/* What an output that is not text must look like, after its placeholder. */
static void add_note(struct buf *b, const struct framing *fr, const struct signature_field *f)
{
    if (is_text(f))
        return;
    buf_addf(b, "%s%s", INDENT, fr->note_lead);
    switch (f->row->type) {
    case FIELD_BOOL:
        buf_adds(b, fr->note_bool);
        break;
    case FIELD_I64:
    case FIELD_F64:
        add_slot(b, fr->note_number, f->row);
        break;
    case FIELD_ENUM:
        buf_adds(b, fr->note_enum);
        for (size_t i = 0; i < f->row->names->count; i++)
            buf_addf(b, "%s%s", i ? "; " : "", f->row->names->values[i].name);
        break;
    default:
        buf_adds(b, fr->note_schema);
        shape_add(b, f->row);
        break;
    }
}

static void add_structure(struct buf *b, const struct signature *sig, const struct framing *fr)
{
    size_t from = b->len;

    buf_adds(b, fr->structure_heading);
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++) {
        const struct signature_field *f = &sig->fields[i];

        buf_addf(b, "\n\n[[ ## %s ## ]]\n{%s}", f->name, f->name);
        if (f->direction == SIGNATURE_OUTPUT)
            add_note(b, fr, f);
    }
    buf_adds(b, "\n\n[[ ## completed ## ]]");
    trim_end(b, from);
}

static void add_objective(struct buf *b, const struct signature *sig, const struct framing *fr)
{
    const char *p = sig->instructions;
    size_t left = strlen(p), line;

    buf_adds(b, fr->objective_heading);
    do {
        size_t step = marker_line(p, left, &line);

        buf_adds(b, "\n" INDENT);
        buf_add(b, p, line);
        p += step;
        left -= step;
    } while (left > 0);
}

static char *render_system(const struct signature *sig, const struct framing *fr, struct err *err)
{
    struct buf b;

    buf_init(&b, PROMPT_TEXT_MAX);
    buf_addf(&b, "%s\n", fr->inputs_heading);
    add_list(&b, sig->fields, sig->inputs);
    buf_addf(&b, "\n%s\n", fr->outputs_heading);
    add_list(&b, signature_outputs(sig), sig->outputs);
    buf_addc(&b, '\n');
    add_structure(&b, sig, fr);
    buf_addc(&b, '\n');
    add_objective(&b, sig, fr);
    return buf_take(&b, NULL, err);
}

static void add_reminder(struct buf *b, const struct signature *sig, const struct framing *fr)
{
    buf_adds(b, fr->reminder_lead);
    for (size_t i = 0; i < sig->outputs; i++) {
        const struct signature_field *f = signature_outputs(sig) + i;

        buf_addf(b, "%s`[[ ## %s ## ]]`", i ? ", then " : "", f->name);
        if (!is_text(f))
            add_slot(b, fr->reminder_type, f->row);
    }
    buf_adds(b, fr->reminder_end);
}

static const struct prompt_value *find_value(const struct prompt_value *values, size_t count,
                                             const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (values[i].name && strcmp(values[i].name, name) == 0)
            return &values[i];
    return NULL;
}

static char *render_user(const struct signature *sig, const struct framing *fr,
                         const struct prompt_value *values, size_t count, struct notes *notes,
                         struct err *err)
{
    struct buf b;

    buf_init(&b, PROMPT_TEXT_MAX);
    for (size_t i = 0; i < sig->inputs; i++) {
        const char *name = sig->fields[i].name;
        const struct prompt_value *v = find_value(values, count, name);
        size_t broken;

        if (!v || !v->text) {
            note_add(notes, "%s: no value, left out of the prompt", name);
            continue;
        }
        buf_addf(&b, "[[ ## %s ## ]]\n", name);
        broken = marker_neutralise(&b, v->text, strlen(v->text));
        buf_adds(&b, "\n\n");
        if (broken)
            note_add(notes, "%s: %zu times what looks like a marker, broken up", name, broken);
    }
    add_reminder(&b, sig, fr);
    trim_end(&b, 0);
    return buf_take(&b, NULL, err);
}

static int check_values(const struct signature *sig, const struct prompt_value *values,
                        size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = values[i].name ? values[i].name : "";
        const struct signature_field *f = signature_field(sig, name);

        if (!f || f->direction != SIGNATURE_INPUT)
            return err_set(err, ERR_INVALID, "%.80s is no input of %s", name, sig->name);
        if (find_value(values, i, name))
            return err_set(err, ERR_INVALID, "%s is given twice", name);
        if (values[i].text && !text_utf8_valid(values[i].text, strlen(values[i].text)))
            return err_set(err, ERR_INVALID, "%s: not UTF-8", name);
    }
    return 0;
}

int chat_render(const struct signature *sig, const struct framing *framing,
                const struct prompt_value *values, size_t count, struct prompt *out,
                struct err *err)
{
    struct prompt p = {0};

    if (check_values(sig, values, count, err) < 0)
        return -1;
    if (!(p.system = render_system(sig, framing, err)) ||
        !(p.user = render_user(sig, framing, values, count, &p.notes, err)) ||
        notes_ok(&p.notes, err) < 0) {
        prompt_clear(&p);
        return -1;
    }
    *out = p;
    return 0;
}

void prompt_clear(struct prompt *p)
{
    if (!p)
        return;
    mem_free(p->system);
    mem_free(p->user);
    notes_clear(&p->notes);
    memset(p, 0, sizeof *p);
}
