/* show_signature.c - see show_signature.h. */
#include "coordinator/cli/show_signature.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/proposal.h"
#include "common/model/signature_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/table.h"
#include "coordinator/signature/datum_json.h"

#include <inttypes.h>
#include <string.h>

static size_t count_of(const struct signature_info *s, int direction)
{
    size_t n = 0;

    for (size_t i = 0; i < s->fields_count; i++)
        n += s->fields[i].direction == direction;
    return n;
}

static const char *word_of(const struct enum_names *names, int value)
{
    const char *word = value ? enum_name(names, value) : NULL;

    return word ? word : "-";
}

void show_signatures(struct page *p, const struct signatures_reply *reply)
{
    static const struct column columns[] = {{.title = "signature", .most = 48, .whole = true},
                                            {.title = "category"},
                                            {.title = "in", .right = true},
                                            {.title = "out", .right = true},
                                            {.title = "typed", .keep = 2},
                                            {.title = "instructions", .most = 60, .keep = 1}};
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

    for (size_t i = 0; i < reply->signatures_count; i++) {
        const struct signature_info *s = &reply->signatures[i];

        table_cell(t, STYLE_STRONG, "%s", s->name);
        table_cell(t, STYLE_PLAIN, "%s", word_of(&signature_category_names, s->category));
        table_cell(t, STYLE_PLAIN, "%zu", count_of(s, SIGNATURE_INPUT));
        table_cell(t, STYLE_PLAIN, "%zu", count_of(s, SIGNATURE_OUTPUT));
        table_cell(t, STYLE_PLAIN, "%s", s->typed ? s->typed : "-");
        table_cell(t, STYLE_FAINT, "%.200s", s->instructions ? s->instructions : "");
        table_row(t);
    }
    table_print(t, p);
    table_free(t);
}

/* ---- one ---- */

static void show_field(struct page *p, const struct signature_field_info *f)
{
    page_spaces(p, 2);
    page_cell(p, STYLE_STRONG, f->name, 0, false);
    page_cell(p, STYLE_FAINT, " ", 0, false);
    page_cell(p, STYLE_FAINT, f->type ? f->type : "str", 0, false);
    if (f->role && f->role != SIGNATURE_ROLE_OTHER) {
        page_cell(p, STYLE_FAINT, ", ", 0, false);
        page_cell(p, STYLE_FAINT, word_of(&signature_role_names, f->role), 0, false);
    }
    page_end_line(p);
    if (f->description)
        page_wrap(p, 6, STYLE_PLAIN, "%s", f->description);
    if (f->fallback)
        page_wrap(p, 6, STYLE_FAINT, "default: %s", f->fallback);
}

static void show_fields(struct page *p, const struct signature_info *s, int direction,
                        const char *title)
{
    page_blank(p);
    page_line(p, STYLE_STRONG, "%s", title);
    for (size_t i = 0; i < s->fields_count; i++)
        if (s->fields[i].direction == direction)
            show_field(p, &s->fields[i]);
}

void show_signature(struct page *p, const struct signature_reply *reply)
{
    const struct signature_info *s = reply->signature;

    page_line(p, STYLE_STRONG, "%s%s", s->name, s->is_typed == TRI_TRUE ? " (typed form)" : "");
    page_pair(p, "category", "%s", word_of(&signature_category_names, s->category));
    if (s->extends)
        page_pair(p, "extends", "%s", s->extends);
    if (s->typed)
        page_pair(p, "record", "%s", s->typed);
    page_pair(p, "instructions", "%s", s->instructions ? s->instructions : "");
    if (s->no_context)
        page_pair(p, "no context", "%s", s->no_context);
    show_fields(p, s, SIGNATURE_INPUT, "Inputs");
    show_fields(p, s, SIGNATURE_OUTPUT, "Outputs");
    if (reply->line) {
        page_blank(p);
        page_line(p, STYLE_STRONG, "As one line");
        page_wrap(p, 2, STYLE_PLAIN, "%s", reply->line);
    }
    if (reply->findings_count > 0) {
        page_blank(p);
        page_line(p, STYLE_STRONG, "What the linter says");
        show_findings(p, reply);
    }
}

void show_findings(struct page *p, const struct signature_reply *reply)
{
    for (size_t i = 0; i < reply->findings_count; i++) {
        const struct finding *f = &reply->findings[i];
        enum style style = f->level == FINDING_LEVEL_ERROR ? STYLE_BAD : STYLE_WARN;

        page_line(p, style, "  %s %s%s%s", word_of(&finding_level_names, f->level), f->rule,
                  f->field ? ": " : "", f->field ? f->field : "");
        page_wrap(p, 6, STYLE_PLAIN, "%s", f->why ? f->why : "");
        if (f->what)
            page_wrap(p, 6, STYLE_FAINT, "-> %s", f->what);
    }
    if (reply->findings_count == 0)
        page_line(p, STYLE_GOOD, "%s: nothing to say", reply->signature->name);
}

static void show_notes(struct page *p, char *const *notes, size_t count)
{
    if (count == 0)
        return;
    page_blank(p);
    page_line(p, STYLE_STRONG, "Notes");
    for (size_t i = 0; i < count; i++)
        page_wrap(p, 2, STYLE_PLAIN, "%s", notes[i]);
}

/* ---- a saved program ---- */

static void show_side(struct page *p, const char *label, const char *text)
{
    page_spaces(p, 2);
    page_cell(p, STYLE_FAINT, label, 6, false);
    if (!text)
        page_cell(p, STYLE_FAINT, "(nothing)", 0, false);
    if (!text || !*text)
        page_end_line(p);
    else if (strchr(text, '\n')) {
        page_end_line(p);
        page_prose(p, 8, text);
    } else {
        page_flow(p, 8, text);
    }
}

void show_state_check(struct page *p, const struct signature_check_reply *reply)
{
    page_line(p, STYLE_STRONG, "%s",
              reply->state_path && *reply->state_path ? reply->state_path
                                                      : "the program's one predictor");
    if (reply->dspy)
        page_pair(p, "saved by", "DSPy %s", reply->dspy);
    page_pair(p, "examples", "%" PRId64 " fit", known_i64(reply->demos) ? reply->demos : 0);
    page_blank(p);
    page_line(p, STYLE_STRONG, "What it changes");
    if (reply->changes_count == 0)
        page_line(p, STYLE_PLAIN, "  nothing");
    for (size_t i = 0; i < reply->changes_count; i++) {
        page_line(p, STYLE_PLAIN, "  %s", reply->changes[i].what);
        show_side(p, "from", reply->changes[i].was);
        show_side(p, "to", reply->changes[i].becomes);
    }
    show_notes(p, reply->notes, reply->notes_count);
}

/* ---- a prompt ---- */

/* Line by line as it stands, neither indented nor wrapped. */
static void show_verbatim(struct page *p, const char *text)
{
    do {
        size_t len = strcspn(text, "\n");

        page_line(p, STYLE_PLAIN, "%.*s", (int)len, text);
        text += len + (text[len] == '\n');
    } while (*text);
}

void show_prompt(struct page *p, const struct prompt_reply *reply)
{
    for (size_t i = 0; i < reply->messages_count; i++) {
        const struct rendered_message *m = &reply->messages[i];

        page_line(p, STYLE_STRONG, "---- %s (%zu bytes)", m->role,
                  m->content ? strlen(m->content) : 0);
        show_verbatim(p, m->content ? m->content : "");
    }
    if (reply->response_format) {
        page_line(p, STYLE_STRONG, "---- response_format");
        show_verbatim(p, reply->response_format);
    }
    show_notes(p, reply->notes, reply->notes_count);
}

/* ---- a run ---- */

static void show_output(struct page *p, const struct named_datum *d)
{
    char *text = NULL;

    page_line(p, STYLE_STRONG, "%s", d->name);
    if (d->value && d->value->form == VALUE_FORM_TEXT) {
        page_prose(p, 2, d->value->text ? d->value->text : "");
        return;
    }
    text = d->value ? datum_print(d->name, d->value, NULL) : NULL;
    page_wrap(p, 2, STYLE_PLAIN, "%s", text ? text : "(nothing)");
    mem_free(text);
}

static void show_cost(struct page *p, const struct usage *u)
{
    char seconds[FORMAT_MAX], in[FORMAT_MAX] = "?", out[FORMAT_MAX] = "?";

    if (known_i64(u->prompt_tokens))
        format_integer(u->prompt_tokens, in);
    if (known_i64(u->completion_tokens))
        format_integer(u->completion_tokens, out);
    page_pair(p, "cost", "%" PRId64 " %s, %s tokens in, %s out, %s",
              known_i64(u->calls) ? u->calls : 0, u->calls == 1 ? "call" : "calls", in, out,
              known_f64(u->seconds) ? format_seconds(u->seconds, seconds) : "?");
    if (u->model)
        page_pair(p, "model", "%s", u->model);
}

void show_run(struct page *p, const struct signature_run_reply *reply)
{
    for (size_t i = 0; i < reply->outputs_count; i++)
        show_output(p, &reply->outputs[i]);
    page_blank(p);
    if (reply->failure)
        page_pair(p, "failed", "%s", reply->failure);
    if (reply->adapter)
        page_pair(p, "adapter", "%s", word_of(&signature_adapter_names, reply->adapter));
    if (reply->usage)
        show_cost(p, reply->usage);
    for (size_t i = 0; i < reply->steps_count; i++)
        page_pair(p, i == 0 ? "calls" : "", "%s", reply->steps[i]);
    show_notes(p, reply->notes, reply->notes_count);
    if (reply->failure && reply->reply) {
        page_blank(p);
        page_line(p, STYLE_STRONG, "What the model sent last");
        page_prose(p, 2, reply->reply);
    }
}
