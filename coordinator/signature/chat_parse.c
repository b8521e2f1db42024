/* chat_parse.c - a reply cut into the sections of its outputs.
 *
 * First as DSPy cuts it: a section begins at a line that starts with the exact marker. If other
 * spacing and decoration lets more outputs be found, the whole is cut again by that. If there is no
 * marker at all, a reply that is one JSON object with the outputs as members is taken too. */
#include "coordinator/signature/chat.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/lenient_json.h"
#include "coordinator/signature/marker.h"
#include "coordinator/signature/signature.h"

#include <string.h>
#include <strings.h>

/* Where one output's text stands in the reply. */
struct place {
    size_t from, to;
    unsigned times; /* how often its marker stands */
    bool found;
    bool after_thinking; /* it stands after the last </think> */
};

struct cutting {
    const struct signature *sig;
    const char *reply;
    size_t len, thinking_end;
    struct place places[SIGNATURE_FIELDS_MAX];
    size_t found;
};

static size_t find_output(const struct signature *sig, const struct marker *m,
                          enum marker_form form)
{
    for (size_t i = 0; i < sig->outputs; i++) {
        const char *name = signature_outputs(sig)[i].name;

        if (strlen(name) == m->name_len &&
            (form == MARKER_EXACT ? memcmp(name, m->name, m->name_len) == 0
                                  : strncasecmp(name, m->name, m->name_len) == 0))
            return i;
    }
    return sig->outputs;
}

/* One marker of an output: the first counts, but one after the model's thinking beats one inside
 * it. */
static void take_place(struct cutting *c, size_t i, size_t from)
{
    struct place *p = &c->places[i];
    bool after = from >= c->thinking_end;

    p->times++;
    if (p->found && (p->after_thinking || !after))
        return;
    if (!p->found)
        c->found++;
    p->found = true;
    p->after_thinking = after;
    p->from = from;
    p->to = c->len;
}

static void cut(struct cutting *c, enum marker_form form)
{
    size_t at = 0, line_len, open = c->sig->outputs;
    struct marker m;

    while (at < c->len) {
        size_t step = marker_line(c->reply + at, c->len - at, &line_len);

        if (marker_match(c->reply + at, line_len, form, &m)) {
            size_t i = find_output(c->sig, &m, form);
            size_t from = (size_t)(m.rest - c->reply);

            if (open < c->sig->outputs && c->places[open].to == c->len)
                c->places[open].to = at;
            open = c->sig->outputs;
            if (i < c->sig->outputs) {
                take_place(c, i, from);
                if (c->places[i].from == from)
                    open = i;
            }
        }
        at += step;
    }
}

static size_t find_thinking_end(const char *reply, size_t len)
{
    static const char tag[] = "</think>";
    size_t end = 0;

    for (const char *p = reply; len >= sizeof tag - 1 && p <= reply + len - (sizeof tag - 1); p++) {
        p = memchr(p, '<', (size_t)(reply + len - p));
        if (!p || (size_t)(reply + len - p) < sizeof tag - 1)
            break;
        if (memcmp(p, tag, sizeof tag - 1) == 0)
            end = (size_t)(p - reply) + sizeof tag - 1;
    }
    return end;
}

/* A NUL would end it for whoever reads on. */
static void add_line(struct buf *b, const char *p, size_t len)
{
    const char *end = p + len, *nul;

    for (; (nul = memchr(p, '\0', (size_t)(end - p))); p = nul + 1) {
        buf_add(b, p, (size_t)(nul - p));
        buf_addc(b, '?');
    }
    buf_add(b, p, (size_t)(end - p));
}

/* Its lines joined by LF, without the blanks around the whole. */
static char *section_text(const char *p, size_t len, struct err *err)
{
    struct buf b;

    marker_trim(&p, &len);
    buf_init(&b, REPLY_TEXT_MAX);
    while (len > 0) {
        size_t line, step = marker_line(p, len, &line);

        add_line(&b, p, line);
        if (step > line)
            buf_addc(&b, '\n');
        p += step;
        len -= step;
    }
    return buf_take(&b, NULL, err);
}

static int take_sections(const struct cutting *c, struct answer *a, struct err *err)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct place *p = &c->places[i];
        const char *name = signature_outputs(c->sig)[i].name;

        if (!p->found)
            continue;
        if (!(a->sections[i] = section_text(c->reply + p->from, p->to - p->from, err)))
            return err_set(err, ERR_NOMEM, "%s", name);
        if (p->times > 1)
            note_add(&a->notes, "%s: its marker stands %u times, the %s one was taken", name,
                     p->times, c->thinking_end && p->after_thinking ? "first later" : "first");
    }
    return 0;
}

static int parse_object(const struct signature *sig, const char *reply, size_t len,
                        struct answer *a, struct err *err)
{
    struct notes forgiven = {0};
    struct json *object;
    struct err why = {0};
    int rc = 0;

    object = lenient_json_parse("reply", reply, len, LENIENT_OBJECT, &forgiven, &why);
    if (!object) {
        notes_clear(&forgiven);
        return why.code == ERR_NOMEM ? err_set(err, ERR_NOMEM, "reply") : 0;
    }
    rc = json_layout_take(sig, object, NULL, a, err);
    json_free(object);
    for (size_t i = 0; rc == 0 && i < a->count; i++) {
        if (!a->sections[i])
            continue;
        note_add(&a->notes, "reply: no markers, read as one JSON object");
        for (size_t j = 0; j < forgiven.count; j++)
            note_add(&a->notes, "%s", forgiven.items[j]);
        break;
    }
    if (rc == 0)
        rc = notes_ok(&forgiven, err);
    notes_clear(&forgiven);
    return rc;
}

static int cut_reply(const struct signature *sig, const char *reply, size_t len, struct answer *a,
                     struct err *err)
{
    struct cutting exact = {.sig = sig, .reply = reply, .len = len}, lenient;

    exact.thinking_end = find_thinking_end(reply, len);
    lenient = exact;
    cut(&exact, MARKER_EXACT);
    if (exact.found < sig->outputs)
        cut(&lenient, MARKER_LENIENT);
    if (lenient.found > exact.found)
        note_add(&a->notes, "reply: markers of another form, %zu fields found by them",
                 lenient.found - exact.found);
    if (take_sections(lenient.found > exact.found ? &lenient : &exact, a, err) < 0)
        return -1;
    return lenient.found == 0 && exact.found == 0 ? parse_object(sig, reply, len, a, err) : 0;
}

int chat_parse(const struct signature *sig, const char *reply, size_t len, struct answer *out,
               struct err *err)
{
    return answer_parse(sig, reply, len, cut_reply, out, err);
}
