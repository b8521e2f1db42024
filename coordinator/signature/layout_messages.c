/* layout_messages.c - questions and answers: examples, earlier turns, and what is asked now. */
#include "coordinator/signature/layout.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/marker.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value.h"
#include "coordinator/signature/value_type.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What one question or answer is made of: what a caller gave, or an example's values. */
struct source {
    const struct prompt_content *content;
    const struct state_demo *demo;
};

/* ---- values ---- */

const char *layout_demo_value(const struct state_demo *demo, const char *name)
{
    for (size_t i = 0; i < demo->count; i++)
        if (*demo->values[i].name == *name && strcmp(demo->values[i].name, name) == 0)
            return demo->values[i].json;
    return NULL;
}

/* No byte above 0x7f, none below a blank: 8 at a time, by what overflows into their top bits. */
static bool is_plain_ascii(const char *p, size_t len)
{
    const uint64_t tops = 0x8080808080808080, blanks = 0x2020202020202020;
    uint64_t eight, odd = 0;

    for (; len >= sizeof eight; p += sizeof eight, len -= sizeof eight) {
        memcpy(&eight, p, sizeof eight);
        odd |= (eight | (eight - blanks)) & tops;
    }
    for (; len > 0; p++, len--)
        odd |= (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7f;
    return odd == 0;
}

/* A text of ASCII without escapes, which is what most values are, stands between its quotes as it
 * is shown.
 */
static const char *plain_text(const char *json, size_t *len)
{
    const char *end = *json == '"' ? strpbrk(json + 1, "\"\\") : NULL;

    if (!end || *end != '"' || end[1])
        return NULL;
    *len = (size_t)(end - json - 1);
    return is_plain_ascii(json + 1, *len) ? json + 1 : NULL;
}

int layout_add_value(struct buf *b, const struct signature_field *f, const char *json,
                     size_t *broken, struct err *err)
{
    struct buf plain;
    size_t len = 0;
    const char *shown = plain_text(json, &len);
    char *text;

    if (shown) {
        *broken += marker_neutralise(b, shown, len);
        return 0;
    }
    buf_init(&plain, PROMPT_TEXT_MAX);
    buf_adds(&plain, "");
    if (value_add(&plain, f, json, err) < 0) {
        buf_clear(&plain);
        return -1;
    }
    if (!(text = buf_take(&plain, &len, err)))
        return -1;
    *broken += marker_neutralise(b, text, len);
    mem_free(text);
    return 0;
}

static const struct prompt_value *find_value(const struct prompt_value *values, size_t count,
                                             const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (values[i].name && strcmp(values[i].name, name) == 0)
            return &values[i];
    return NULL;
}

/* What the source says of the input, as one of both; false: nothing. */
static bool find_input(const struct source *s, const struct signature_field *f, const char **text,
                       const char **json)
{
    const struct prompt_value *v;

    *text = NULL;
    *json = NULL;
    if (s->demo) {
        *json = layout_demo_value(s->demo, f->name);
    } else if (s->content) {
        v = find_value(s->content->values, s->content->count, f->name);
        *text = v ? v->text : NULL;
        *json = v ? v->json : NULL;
        if (!*text && !*json)
            *text = f->fallback;
    }
    return *text || *json;
}

static bool is_history(const struct signature_field *f)
{
    return !f->row && f->type && f->type->kind == VALUE_HISTORY;
}

/* `reminder`: the layout's, or NULL. */
static int add_question(struct prompt *out, const struct signature *sig, const struct framing *fr,
                        const struct source *s, const char *prefix, const struct layout *reminder,
                        struct err *err)
{
    const char *text, *json;
    struct buf b;
    char *message;

    buf_init(&b, PROMPT_TEXT_MAX);
    buf_adds(&b, prefix);
    for (size_t i = 0; i < sig->inputs; i++) {
        const struct signature_field *f = &sig->fields[i];
        size_t broken = 0;

        if (is_history(f))
            continue;
        if (!find_input(s, f, &text, &json)) {
            if (!s->demo)
                note_add(&out->notes, "%s: no value, left out of the prompt", f->name);
            continue;
        }
        buf_adds(&b, "\n\n");
        layout_add_marker(&b, f->name);
        if (text)
            broken = marker_neutralise(&b, text, strlen(text));
        else if (layout_add_value(&b, f, json, &broken, err) < 0)
            goto fail;
        if (broken)
            note_add(&out->notes, "%s: %zu times what looks like a marker, broken up", f->name,
                     broken);
    }
    if (reminder) {
        buf_adds(&b, "\n\n");
        reminder->add_reminder(&b, sig, fr);
    }
    layout_trim(&b, 0);
    if (b.len == 0 && !b.failed) { /* a turn that had an answer only */
        buf_clear(&b);
        return 0;
    }
    if (!(message = buf_take(&b, NULL, err)))
        return -1;
    return prompt_add(out, "user", &message, err);
fail:
    buf_clear(&b);
    return -1;
}

static int add_answer(struct prompt *out, const struct layout *l, const struct signature *sig,
                      const struct framing *fr, const struct state_demo *demo,
                      enum layout_missing missing, struct err *err)
{
    struct buf b;
    char *message;

    buf_init(&b, PROMPT_TEXT_MAX);
    if (l->add_answer(&b, sig, fr, demo, missing, err) < 0) {
        buf_clear(&b);
        return -1;
    }
    if (!(message = buf_take(&b, NULL, err)))
        return -1;
    return prompt_add(out, "assistant", &message, err);
}

/* ---- examples ---- */

static bool is_null(const char *json)
{
    while (*json == ' ' || *json == '\t' || *json == '\r' || *json == '\n')
        json++;
    return *json == 'n'; /* of JSON's values null alone begins so */
}

enum demo_kind { DEMO_USELESS, DEMO_PART, DEMO_WHOLE };

static enum demo_kind demo_kind_of(const struct signature *sig, const struct state_demo *demo)
{
    bool whole = true, inputs = false, outputs = false;

    for (size_t i = 0; i < sig->inputs + sig->outputs; i++) {
        const char *json = layout_demo_value(demo, sig->fields[i].name);

        whole &= json && !is_null(json);
        inputs |= json && i < sig->inputs;
        outputs |= json && i >= sig->inputs;
    }
    if (whole)
        return DEMO_WHOLE;
    return inputs && outputs ? DEMO_PART : DEMO_USELESS;
}

static int add_demos(struct prompt *out, const struct layout *l, const struct signature *sig,
                     const struct framing *fr, const struct prompt_content *content,
                     enum demo_kind kind, struct err *err)
{
    for (size_t i = 0; i < content->demos_count; i++) {
        const struct state_demo *demo = &content->demos[i];
        struct source s = {.demo = demo};

        if (demo_kind_of(sig, demo) != kind)
            continue;
        if (add_question(out, sig, fr, &s, kind == DEMO_PART ? fr->demo_incomplete : "", NULL,
                         err) < 0 ||
            add_answer(out, l, sig, fr, demo, LAYOUT_DEMO, err) < 0)
            return err_prefix(err, "demos[%zu]", i);
    }
    return 0;
}

/* ---- earlier turns ---- */

static bool has_input(const struct signature *sig, const struct state_demo *turn)
{
    for (size_t i = 0; i < sig->inputs; i++)
        if (!is_history(&sig->fields[i]) && layout_demo_value(turn, sig->fields[i].name))
            return true;
    return false;
}

static int add_turn(struct prompt *out, const struct layout *l, const struct signature *sig,
                    const struct framing *fr, const struct json *v, struct raw_value raw,
                    const char *where, struct err *err)
{
    bool reminded = strcmp(fr->turn_form, "reminded") == 0;
    struct state_demo *turn = mem_zalloc(sizeof *turn);
    struct source s = {.demo = turn};
    int rc = -1;

    if (!turn)
        return err_set(err, ERR_NOMEM, "%s", where);
    if (state_demo_read(turn, v, raw, where, err) == 0 &&
        add_question(out, sig, fr, &s, "", reminded && has_input(sig, turn) ? l : NULL, err) == 0)
        rc = add_answer(out, l, sig, fr, turn, LAYOUT_TURN, err);
    state_demos_free(turn, 1);
    return rc;
}

/* The array of turns, as a tree (yours, whole) and as text. */
static int add_turns(struct prompt *out, const struct layout *l, const struct signature *sig,
                     const struct framing *fr, const struct signature_field *f, const char *text,
                     struct err *err)
{
    struct json *root = json_parse(text, strlen(text), err);
    const struct json *turns = NULL;
    struct raw_value raw = {text, text}, part;
    char where[ID_TEXT_MAX + 40];
    struct raw_json r;
    size_t i = 0;
    int rc = 0;

    if (!root)
        return err_prefix(err, "%s", f->name);
    raw_json_open(&r, text);
    for (const struct json *m = json_first(root); m && raw_json_next(&r, &part); m = json_next(m))
        if (json_name(m) && strcmp(json_name(m), "messages") == 0) {
            turns = m;
            raw = part;
        }
    if (json_type_of(turns) != JSON_ARRAY)
        rc = err_set(err, ERR_INVALID, "%s: wanted {\"messages\": [{field: value}, ...]}", f->name);
    else
        raw_json_open(&r, raw.text);
    for (const struct json *m = rc == 0 ? json_first(turns) : NULL;
         m && rc == 0 && raw_json_next(&r, &part); m = json_next(m)) {
        snprintf(where, sizeof where, "%s.messages[%zu]", f->name, i++);
        rc = add_turn(out, l, sig, fr, m, part, where, err);
    }
    json_free(root);
    return rc;
}

static int add_history(struct prompt *out, const struct layout *l, const struct signature *sig,
                       const struct framing *fr, const struct prompt_content *content,
                       struct err *err)
{
    for (size_t i = 0; i < sig->inputs; i++) {
        const struct signature_field *f = &sig->fields[i];
        const struct prompt_value *v = find_value(content->values, content->count, f->name);
        const char *json = v && v->json ? v->json : v ? v->text : NULL;

        if (is_history(f) && json && !is_null(json) && add_turns(out, l, sig, fr, f, json, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- the whole ---- */

static int check_values(const struct signature *sig, const struct prompt_content *content,
                        struct err *err)
{
    for (size_t i = 0; i < content->count; i++) {
        const struct prompt_value *v = &content->values[i];
        const char *name = v->name ? v->name : "";
        const struct signature_field *f = signature_field(sig, name);

        if (!f || f->direction != SIGNATURE_INPUT)
            return err_set(err, ERR_INVALID, "%.80s is no input of %s", name, sig->name);
        if (find_value(content->values, i, name))
            return err_set(err, ERR_INVALID, "%s is given twice", name);
        if (v->text && !text_utf8_valid(v->text, strlen(v->text)))
            return err_set(err, ERR_INVALID, "%s: not UTF-8", name);
    }
    return 0;
}

int layout_render(const struct layout *l, const struct signature *sig, const struct framing *fr,
                  const struct prompt_content *content, struct prompt *out, struct err *err)
{
    struct source given = {.content = content};
    struct prompt p = {0};

    if (check_values(sig, content, err) < 0)
        return -1;
    if (layout_add_system(&p, l, sig, fr, err) < 0 ||
        add_demos(&p, l, sig, fr, content, DEMO_PART, err) < 0 ||
        add_demos(&p, l, sig, fr, content, DEMO_WHOLE, err) < 0 ||
        add_history(&p, l, sig, fr, content, err) < 0 ||
        add_question(&p, sig, fr, &given, "", l, err) < 0 || notes_ok(&p.notes, err) < 0) {
        prompt_clear(&p);
        return -1;
    }
    *out = p;
    return 0;
}
