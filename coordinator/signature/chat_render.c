/* chat_render.c - the layout with markers. */
#include "coordinator/signature/chat.h"

#include "common/core/buf.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/layout.h"
#include "coordinator/signature/signature.h"

static int add_structure(struct buf *b, const struct signature *sig, const struct framing *fr,
                         struct err *err)
{
    buf_adds(b, fr->structure_heading);
    layout_add_inputs(b, sig);
    for (size_t i = 0; i < sig->outputs; i++) {
        const struct signature_field *f = signature_outputs(sig) + i;

        buf_adds(b, "\n\n");
        layout_add_placeholder(b, f);
        if (layout_add_note(b, fr, f, err) < 0)
            return -1;
    }
    if (sig->outputs == 0)
        buf_adds(b, "\n\n");
    buf_adds(b, "\n\n[[ ## completed ## ]]");
    return 0;
}

static void add_reminder(struct buf *b, const struct signature *sig, const struct framing *fr)
{
    buf_adds(b, fr->reminder_lead);
    for (size_t i = 0; i < sig->outputs; i++) {
        const struct signature_field *f = signature_outputs(sig) + i;

        buf_addf(b, "%s`[[ ## %s ## ]]`", i ? ", then " : "", f->name);
        layout_add_type(b, fr, f);
    }
    buf_adds(b, fr->reminder_end);
}

static int add_answer(struct buf *b, const struct signature *sig, const struct framing *fr,
                      const struct state_demo *demo, enum layout_missing missing, struct err *err)
{
    size_t broken = 0;

    for (size_t i = 0; i < sig->outputs; i++) {
        const struct signature_field *f = signature_outputs(sig) + i;
        const char *json = layout_demo_value(demo, f->name);

        buf_adds(b, i ? "\n\n" : "");
        layout_add_marker(b, f->name);
        if (!json)
            buf_adds(b, missing == LAYOUT_DEMO ? fr->demo_missing : "None");
        else if (layout_add_value(b, f, json, &broken, err) < 0)
            return -1;
    }
    layout_trim(b, 0);
    buf_adds(b, "\n\n[[ ## completed ## ]]\n");
    return 0;
}

int chat_render(const struct signature *sig, const struct framing *framing,
                const struct prompt_content *content, struct prompt *out, struct err *err)
{
    static const struct layout chat = {add_structure, add_reminder, add_answer};

    return layout_render(&chat, sig, framing, content, out, err);
}
