/* json_layout.c - messages that ask for an object, and the object found in a reply. */
#include "coordinator/signature/json_layout.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/layout.h"
#include "coordinator/signature/lenient_json.h"
#include "coordinator/signature/marker.h"
#include "coordinator/signature/raw_json.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value.h"

#include <string.h>

/* ---- rendering ---- */

static int add_placeholder(struct buf *b, const struct framing *fr, const struct signature_field *f,
                           struct err *err)
{
    struct buf plain;
    char *text;

    buf_init(&plain, PROMPT_TEXT_MAX);
    buf_addf(&plain, "{%s}", f->name);
    if (layout_add_note(&plain, fr, f, err) < 0) {
        buf_clear(&plain);
        return -1;
    }
    if (!(text = buf_take(&plain, NULL, err)))
        return -1;
    value_add_quoted(b, text);
    mem_free(text);
    return 0;
}

static int add_structure(struct buf *b, const struct signature *sig, const struct framing *fr,
                         struct err *err)
{
    buf_addf(b, "%s\n\n%s", fr->structure_heading, fr->json_inputs_heading);
    layout_add_inputs(b, sig);
    buf_addf(b, "\n\n%s\n\n{", fr->json_outputs_heading);
    for (size_t i = 0; i < sig->outputs; i++) {
        buf_addf(b, "%s\n  \"%s\": ", i ? "," : "", signature_outputs(sig)[i].name);
        if (add_placeholder(b, fr, signature_outputs(sig) + i, err) < 0)
            return -1;
    }
    buf_adds(b, sig->outputs ? "\n}" : "}");
    return 0;
}

static void add_reminder(struct buf *b, const struct signature *sig, const struct framing *fr)
{
    buf_adds(b, fr->json_reminder);
    for (size_t i = 0; i < sig->outputs; i++) {
        buf_addf(b, "%s`%s`", i ? ", then " : "", signature_outputs(sig)[i].name);
        layout_add_type(b, fr, signature_outputs(sig) + i);
    }
    buf_addc(b, '.');
}

static int add_answer(struct buf *b, const struct signature *sig, const struct framing *fr,
                      const struct state_demo *demo, enum layout_missing missing, struct err *err)
{
    buf_addc(b, '{');
    for (size_t i = 0; i < sig->outputs; i++) {
        const char *name = signature_outputs(sig)[i].name;
        const char *json = layout_demo_value(demo, name);

        buf_addf(b, "%s\n  \"%s\": ", i ? "," : "", name);
        if (json && value_add_json(b, name, json, 1, err) < 0)
            return -1;
        if (!json && missing == LAYOUT_DEMO)
            value_add_quoted(b, fr->demo_missing);
        else if (!json)
            buf_adds(b, "null");
    }
    buf_adds(b, sig->outputs ? "\n}" : "}");
    return 0;
}

int json_layout_render(const struct signature *sig, const struct framing *framing,
                       const struct prompt_content *content, struct prompt *out, struct err *err)
{
    static const struct layout json = {add_structure, add_reminder, add_answer};

    return layout_render(&json, sig, framing, content, out, err);
}

/* ---- parsing ---- */

static const struct json *find_member(const struct json *object, const char *name,
                                      struct notes *notes)
{
    const struct json *v = json_member(object, name);

    if (v)
        return v;
    for (const struct json *m = json_first(object); m; m = json_next(m))
        if (text_equals_ci(json_name(m), name)) {
            note_add(notes, "%s: written in other letters", name);
            return m;
        }
    return NULL;
}

/* A member's own text, where the object's is known: its numbers keep their digits. */
static char *member_text(const struct json *object, const struct json *member, const char *raw,
                         struct err *err)
{
    struct raw_value part = {raw, raw};
    struct raw_json r;
    struct buf b;

    if (!raw)
        return json_print(member, false, err);
    raw_json_open(&r, raw);
    for (const struct json *m = json_first(object); m && raw_json_next(&r, &part); m = json_next(m))
        if (m == member)
            break;
    buf_init(&b, REPLY_TEXT_MAX);
    raw_json_add(&b, part);
    return buf_take(&b, NULL, err);
}

int json_layout_take(const struct signature *sig, const struct json *object, const char *raw,
                     struct answer *a, struct err *err)
{
    for (size_t i = 0; i < a->count; i++) {
        const char *name = signature_outputs(sig)[i].name;
        const struct json *v = find_member(object, name, &a->notes);
        const char *text = json_text(v);

        if (!v)
            continue;
        a->sections[i] = text ? mem_strdup(text) : member_text(object, v, raw, err);
        a->is_json[i] = !text;
        if (!a->sections[i])
            return err_set(err, ERR_NOMEM, "reply");
    }
    return 0;
}

static bool holds_output(const struct signature *sig, const struct json *object)
{
    for (size_t i = 0; i < sig->outputs; i++)
        if (find_member(object, signature_outputs(sig)[i].name, NULL))
            return true;
    return false;
}

/* {"answer": {...}}: the one object inside, where the outer holds no output. Borrowed. */
static const struct json *unwrap(const struct signature *sig, const struct json *object,
                                 struct notes *notes)
{
    const struct json *only = json_first(object);

    if (holds_output(sig, object) || !only || json_next(only) ||
        json_type_of(only) != JSON_OBJECT || !holds_output(sig, only))
        return object;
    note_add(notes, "reply: an object inside an object, unwrapped");
    return only;
}

/* What comes after the model's thinking, as for markers; the whole where nothing does. */
static void skip_thinking(const char **reply, size_t *len)
{
    static const char tag[] = "</think>";

    for (size_t i = *len; i >= sizeof tag - 1; i--)
        if (memcmp(*reply + i - (sizeof tag - 1), tag, sizeof tag - 1) == 0) {
            if (i < *len) {
                *reply += i;
                *len -= i;
            }
            return;
        }
}

/* A reply that is JSON already: with its own text. */
static int take_strict(const struct signature *sig, const char *reply, size_t len,
                       const struct json *object, struct answer *a, struct err *err)
{
    const struct json *inner = unwrap(sig, object, &a->notes);
    char *copy = mem_strndup(reply, len); /* with a NUL behind it, which the cutting needs */
    int rc;

    if (!copy)
        return err_set(err, ERR_NOMEM, "reply");
    rc = json_layout_take(sig, inner, inner == object ? copy : NULL, a, err);
    mem_free(copy);
    return rc;
}

static int cut_reply(const struct signature *sig, const char *reply, size_t len, struct answer *a,
                     struct err *err)
{
    struct json *object;
    int rc;

    if (len == 0)
        return 0; /* nothing is found, which is said */
    skip_thinking(&reply, &len);
    marker_trim(&reply, &len);
    if ((object = json_parse(reply, len, NULL)) && json_type_of(object) == JSON_OBJECT) {
        rc = take_strict(sig, reply, len, object, a, err);
    } else {
        json_free(object);
        object =
            lenient_json_parse("reply", reply, len, LENIENT_OBJECT | LENIENT_KEEP, &a->notes, err);
        rc = object ? json_layout_take(sig, unwrap(sig, object, &a->notes), NULL, a, err) : -1;
    }
    json_free(object);
    return rc;
}

int json_layout_parse(const struct signature *sig, const char *reply, size_t len,
                      struct answer *out, struct err *err)
{
    return answer_parse(sig, reply, len, cut_reply, out, err);
}
