/* program_state_apply.c - a predictor's words and demos held against a signature. */
#include "coordinator/signature/program_state.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/record.h"
#include "coordinator/signature/lenient_json.h"
#include "coordinator/signature/prefix.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WHERE_MAX 160
/* What DSPy 2.5 to 3.1 labelled a chain of thought with. */
#define OLD_REASONING_PREFIX "Reasoning: Let's think step by step in order to"

void state_application_clear(struct state_application *a)
{
    for (size_t i = 0; i < a->changes_count; i++) {
        mem_free(a->changes[i].what);
        mem_free(a->changes[i].was);
        mem_free(a->changes[i].becomes);
    }
    mem_free(a->changes);
    state_demos_free(a->demos, a->demos_count);
    signature_free(a->sig);
    notes_clear(&a->notes);
    *a = (struct state_application){0};
}

static int text_dup(char **out, const char *text)
{
    *out = text ? mem_strdup(text) : NULL;
    return text && !*out ? -1 : 0;
}

static bool text_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

/* Note a change, and make it: *field is the signature's own text. */
static int change(struct state_application *a, const char *name, const char *what, char **field,
                  const char *becomes, struct err *err)
{
    struct state_change c = {0}, *grown;
    struct buf b;
    char *copy;

    if (text_same(*field, becomes))
        return 0;
    buf_init(&b, NAME_TEXT_MAX * 2);
    buf_addf(&b, "%s%s%s", name, *name ? " " : "", what);
    if (!(c.what = buf_take(&b, NULL, err)))
        return -1;
    grown = mem_realloc_array(a->changes, a->changes_count + 1, sizeof *grown);
    if (grown)
        a->changes = grown;
    if (!grown || text_dup(&c.was, *field) < 0 || text_dup(&c.becomes, becomes) < 0 ||
        text_dup(&copy, becomes) < 0) {
        mem_free(c.what);
        mem_free(c.was);
        mem_free(c.becomes);
        return err_set(err, ERR_NOMEM, "state");
    }
    a->changes[a->changes_count++] = c;
    mem_free(*field);
    *field = copy;
    return 0;
}

/* ---- words ---- */

/* ${name} is what DSPy writes where there are no words. */
static const char *own_description(const struct state_field *sf, const char *name)
{
    const char *d = sf->description;
    size_t len = strlen(name);

    if (d && strncmp(d, "${", 2) == 0 && strncmp(d + 2, name, len) == 0 &&
        strcmp(d + 2 + len, "}") == 0)
        return NULL;
    return d;
}

/* The field of the signature whose label the prefix is; NULL. */
static const struct signature_field *labelled(const struct signature *sig, const char *prefix)
{
    for (size_t i = 0; i < sig->inputs + sig->outputs; i++)
        if (prefix_is_inferred(sig->fields[i].name, prefix))
            return &sig->fields[i];
    return NULL;
}

static void note_prefix(struct notes *notes, const struct signature *sig,
                        const struct signature_field *f, const char *prefix)
{
    const struct signature_field *other = labelled(sig, prefix);
    char shown[NOTE_QUOTE_MAX + 4];

    if (f->role == SIGNATURE_ROLE_REASONING && strcmp(prefix, OLD_REASONING_PREFIX) == 0)
        return;
    note_quote(shown, prefix, strlen(prefix));
    if (other && other != f)
        note_add(notes, "%s: its prefix \"%s\" is that of %s: were the fields in another order?",
                 f->name, shown, other->name);
    else if (!other)
        note_add(notes, "%s: its prefix is \"%s\": its own, or that of another field", f->name,
                 shown);
}

static int apply_field(struct state_application *a, struct signature_field *f,
                       const struct state_field *sf, bool with_description, struct err *err)
{
    bool usual = prefix_is_inferred(f->name, sf->prefix);

    if (!usual)
        note_prefix(&a->notes, a->sig, f, sf->prefix);
    if (change(a, f->name, "prefix", &f->prefix, usual ? NULL : sf->prefix, err) < 0)
        return -1;
    return with_description ? change(a, f->name, "description", &f->description,
                                     own_description(sf, f->name), err)
                            : 0;
}

static int check_count(const struct state_predictor *p, const struct signature *sig,
                       struct err *err)
{
    size_t has = sig->inputs + sig->outputs;
    bool thinks = signature_field(sig, "reasoning") != NULL;

    if (p->form == STATE_2_4 || p->fields_count == has)
        return 0;
    return err_set(err, ERR_INVALID, "signature.fields: %zu fields, and %.80s has %zu%s",
                   p->fields_count, sig->name, has,
                   p->fields_count == has + 1 && !thinks  ? " (one more with a chain of thought)"
                   : p->fields_count + 1 == has && thinks ? " (one less without chain of thought)"
                                                          : "");
}

static int apply_words(struct state_application *a, const struct state_predictor *p,
                       struct err *err)
{
    struct signature *sig = a->sig;
    size_t last = sig->inputs + sig->outputs;

    if (change(a, "", "instructions", &sig->instructions, p->instructions, err) < 0)
        return -1;
    if (p->form == STATE_2_4)
        return p->fields_count && last
                   ? apply_field(a, &sig->fields[last - 1], &p->fields[0], false, err)
                   : 0;
    for (size_t i = 0; i < p->fields_count; i++)
        if (apply_field(a, &sig->fields[i], &p->fields[i], true, err) < 0)
            return -1;
    return 0;
}

/* ---- demos ---- */

/* A value of the model's record, held against the one field. */
static int check_row(const struct signature *sig, const struct signature_field *f,
                     const struct json *v, struct err *err)
{
    struct json *object = json_object(), *copy = json_dup(v);
    void *record = NULL;
    int rc = -1;

    lenient_drop_nulls(copy); /* Python dumps what is unset as null */
    if (!object || json_set(object, f->name, &copy) < 0)
        err_set(err, ERR_NOMEM, "demo");
    else
        rc = document_read(sig->typed, object, &record, err);
    json_free(copy);
    json_free(object);
    if (rc == 0)
        record_free(sig->typed, record);
    return rc;
}

static int check_type(const struct signature *sig, const struct signature_field *f,
                      const struct json *v, struct err *err)
{
    return f->row ? check_row(sig, f, v, err) : value_type_check(f->type, v, f->name, err);
}

/* Null stands for what the demo lacks; a text may hold the value as a model wrote it. */
static int check_value(const struct signature *sig, const struct signature_field *f,
                       const struct json *v, struct err *err)
{
    struct json *inner;
    int rc;

    if (json_type_of(v) == JSON_NULL || (!f->row && value_type_is_text(f->type)) ||
        check_type(sig, f, v, err) == 0)
        return 0;
    if (!json_text(v) || (err && err->code == ERR_NOMEM))
        return -1;
    if (!(inner = json_parse(json_text(v), strlen(json_text(v)), NULL)))
        return -1;
    rc = check_type(sig, f, inner, err);
    json_free(inner);
    return rc;
}

static int check_demo_value(const struct signature *sig, const struct signature_field *f,
                            const struct state_value *value, size_t demo, struct err *err)
{
    struct err own = {0};
    struct json *v = json_parse(value->json, strlen(value->json), &own);
    int rc = v ? check_value(sig, f, v, &own) : -1;

    json_free(v);
    if (rc < 0)
        err_set(err, own.code, "demos[%zu].%s%s", demo, own.text,
                own.code == ERR_NOMEM ? "" : "; run the program as text to keep it");
    return rc;
}

/* What the demo's key means here: the chain of thought was called rationale once. */
static const struct signature_field *demo_field(const struct signature *sig,
                                                const struct state_demo *demo, size_t i)
{
    const struct signature_field *f = signature_field(sig, demo->values[i].name);

    if (f || strcmp(demo->values[i].name, "rationale") != 0)
        return f;
    for (size_t k = 0; k < demo->count; k++)
        if (strcmp(demo->values[k].name, "reasoning") == 0)
            return NULL;
    f = signature_field(sig, "reasoning");
    return f && f->role == SIGNATURE_ROLE_REASONING ? f : NULL;
}

static bool is_marking(const char *name)
{
    return strcmp(name, "augmented") == 0 || strncmp(name, "dspy_", 5) == 0;
}

static void note_column(struct notes *notes, const char *name)
{
    char shown[NOTE_QUOTE_MAX + 4], text[NOTE_TEXT_MAX];

    snprintf(text, sizeof text, "demos: %s is no field of the signature, left out",
             note_quote(shown, name, strlen(name)));
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->items[i], text) == 0)
            return; /* once for all demos */
    note_add(notes, "%s", text);
}

static int apply_demo(struct state_application *a, const struct state_demo *from, size_t index,
                      bool as_text, struct err *err)
{
    struct state_demo *demo = &a->demos[a->demos_count++];
    size_t inputs = 0, outputs = 0;

    if (!(demo->values = mem_calloc(from->count, sizeof *demo->values)))
        return err_set(err, ERR_NOMEM, "demos");
    for (size_t i = 0; i < from->count; i++) {
        const struct signature_field *f = demo_field(a->sig, from, i);
        struct state_value *to;

        if (!f) {
            if (!is_marking(from->values[i].name))
                note_column(&a->notes, from->values[i].name);
            continue;
        }
        if (!as_text && check_demo_value(a->sig, f, &from->values[i], index, err) < 0)
            return -1;
        to = &demo->values[demo->count++];
        if (text_dup(&to->name, f->name) + text_dup(&to->json, from->values[i].json) < 0)
            return err_set(err, ERR_NOMEM, "demos");
        inputs += f->direction == SIGNATURE_INPUT;
        outputs += f->direction == SIGNATURE_OUTPUT;
    }
    if (inputs && outputs)
        return 0;
    note_add(&a->notes, "demos[%zu]: has no %s of the signature, left out", index,
             inputs ? "output" : "input");
    a->demos_count--;
    for (size_t i = 0; i < demo->count; i++) {
        mem_free(demo->values[i].name);
        mem_free(demo->values[i].json);
    }
    mem_free(demo->values);
    *demo = (struct state_demo){0};
    return 0;
}

static int apply_demos(struct state_application *a, const struct state_predictor *p, bool as_text,
                       struct err *err)
{
    char text[32], *none = NULL;
    int rc;

    if (p->demos_count == 0)
        return 0;
    if (!(a->demos = mem_calloc(p->demos_count, sizeof *a->demos)))
        return err_set(err, ERR_NOMEM, "demos");
    for (size_t i = 0; i < p->demos_count; i++)
        if (apply_demo(a, &p->demos[i], i, as_text, err) < 0)
            return -1;
    snprintf(text, sizeof text, "%zu", a->demos_count);
    rc = a->demos_count ? change(a, "", "demos", &none, text, err) : 0;
    mem_free(none);
    return rc;
}

int program_state_apply(const struct state_predictor *p, const struct signature *sig, bool as_text,
                        struct state_application *out, struct err *err)
{
    struct state_application a = {0};
    char where[WHERE_MAX];

    if (check_count(p, sig, err) < 0 || !(a.sig = signature_dup(sig, err)) ||
        apply_words(&a, p, err) < 0 || apply_demos(&a, p, as_text, err) < 0 ||
        notes_ok(&a.notes, err) < 0) {
        state_application_clear(&a);
        if (*p->path)
            err_prefix(err, "%s", note_quote(where, p->path, strlen(p->path)));
        return -1;
    }
    *out = a;
    return 0;
}

/* ---- the table ---- */

static void add_side(struct buf *b, const char *label, const char *text)
{
    buf_addf(b, "  %s ", label);
    if (!text)
        buf_adds(b, "(nothing)");
    for (const char *p = text; p && *p; p++)
        if (*p == '\n')
            buf_adds(b, "\n       ");
        else if ((unsigned char)*p >= 0x20 && *p != 0x7f)
            buf_addc(b, *p);
        else
            buf_addc(b, ' ');
    buf_addc(b, '\n');
}

void state_application_print(struct buf *b, const struct state_application *a)
{
    if (a->changes_count == 0)
        buf_adds(b, "no change\n");
    for (size_t i = 0; i < a->changes_count; i++) {
        buf_addf(b, "%s\n", a->changes[i].what);
        add_side(b, "from", a->changes[i].was);
        add_side(b, "to  ", a->changes[i].becomes);
    }
}
