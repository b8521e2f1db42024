/* cast.c - a value is found in the text first, then held against the type. */
#include "coordinator/signature/cast.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "coordinator/signature/cast_text.h"
#include "coordinator/signature/cast_value.h"
#include "coordinator/signature/lenient_json.h"
#include "coordinator/signature/marker.h"
#include "coordinator/signature/notes.h"
#include "coordinator/signature/reply.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value.h"
#include "coordinator/signature/value_type.h"

#include <stdlib.h>
#include <string.h>

/* What was found: a tree, and the text that it was made of where that is JSON, so that numbers keep
 * their digits. */
struct found {
    struct json *v;
    char *text; /* NULL: the tree is all there is */
};

static void found_clear(struct found *f)
{
    json_free(f->v);
    mem_free(f->text);
    *f = (struct found){0};
}

/* ---- the value in a text ---- */

static int lost(struct cast *c, const char *name)
{
    return err_set(c->err, ERR_NOMEM, "%s", name);
}

static int found_text(struct cast *c, const char *name, const char *text, size_t len,
                      struct found *out)
{
    out->v = json_new_text_n(text, len);
    return out->v ? 0 : lost(c, name);
}

/* A number, a truth or nothing, as Python too writes them; 1: found. */
static int find_scalar(struct cast *c, const char *name, const char *text, size_t len,
                       struct found *out)
{
    static const char *const words[] = {"none", "null", "false", "true"};
    char number[CAST_NUMBER_MAX];
    size_t i = 0;

    if (cast_number(text, len, false, number)) {
        out->v = json_new_f64(strtod(number, NULL));
        out->text = out->v ? mem_strdup(number) : NULL;
        return out->text ? 1 : lost(c, name);
    }
    while (i < 4 && !(strlen(words[i]) == len && text_equals_ci(text, words[i])))
        i++;
    if (i == 4)
        return 0;
    out->v = i < 2 ? json_new_null() : json_new_bool(i == 3);
    return out->v ? 1 : lost(c, name);
}

/* "1, 2": numbers with a blank after each comma, so that 1,000 is none of them. */
static bool is_bare_tuple(const char *text, size_t len)
{
    size_t commas = 0;

    for (size_t i = 0; i < len; i++) {
        if (!memchr("0123456789+-.eE, ", text[i], 17))
            return false;
        if (text[i] == ',' && (i + 1 == len || text[i + 1] != ' '))
            return false;
        commas += text[i] == ',';
    }
    return commas > 0;
}

/* ('a', 'b'), {'a', 'b'} and 1, 2 are lists; the text with brackets of JSON, or NULL. *len is its
 * length then. */
static char *as_list(const char *text, size_t *length)
{
    size_t len = *length;
    bool tuple = len > 1 && text[0] == '(' && text[len - 1] == ')';
    bool set = len > 2 && text[0] == '{' && text[len - 1] == '}' && !memchr(text, ':', len) &&
               (text[1] == '\'' || text[1] == '"');
    char *copy;

    if (is_bare_tuple(text, len)) {
        if (!(copy = mem_zalloc(len + 3)))
            return NULL;
        memcpy(copy + 1, text, len);
        *length = len += 2;
    } else if (!(copy = tuple || set ? mem_strndup(text, len) : NULL)) {
        return NULL;
    }
    copy[0] = '[';
    copy[len - 1] = ']';
    return copy;
}

/* An array or an object, with or without words around it; 1: found. */
static int find_container(struct cast *c, const struct signature_field *f, const char *text,
                          size_t len, struct found *out)
{
    const struct value_type *t = f->type->kind == VALUE_OPTIONAL ? f->type->item : f->type;
    bool object = t && t->kind == VALUE_DICT;
    struct err why = {0};
    char *list;

    if (!memchr(text, '{', len) && !memchr(text, '[', len) && text[0] != '(' &&
        !(object && memchr(text, '}', len)) &&
        (!t || t->kind != VALUE_LIST || !is_bare_tuple(text, len)))
        return 0;
    list = object ? NULL : as_list(text, &len);
    if (list)
        note_add(c->notes, "%s: a tuple or set of Python, read as a list", f->name);
    out->v = lenient_json_parse(f->name, list ? list : text, len,
                                LENIENT_KEEP | (object ? LENIENT_OBJECT : LENIENT_ARRAY), c->notes,
                                &why);
    mem_free(list);
    if (!out->v && why.code == ERR_NOMEM)
        return lost(c, f->name);
    return out->v ? 1 : 0;
}

/* 'text' as Python writes it. */
static bool is_quoted(const char *text, size_t len)
{
    return len > 1 && text[0] == '\'' && text[len - 1] == '\'' && !memchr(text + 1, '\'', len - 2);
}

/* As DSPy looks: JSON, then Python, then the text as it is. */
static int find_value(struct cast *c, const struct signature_field *f, const char *text, size_t len,
                      struct found *out)
{
    struct err why = {0};
    int rc;

    if ((out->v = json_parse(text, len, &why))) {
        out->text = mem_strndup(text, len);
        return out->text ? 0 : lost(c, f->name);
    }
    if (why.code == ERR_NOMEM)
        return lost(c, f->name);
    if ((rc = find_scalar(c, f->name, text, len, out)) != 0)
        return rc < 0 ? -1 : 0;
    if (is_quoted(text, len))
        return found_text(c, f->name, text + 1, len - 2, out);
    if ((rc = find_container(c, f, text, len, out)) != 0)
        return rc < 0 ? -1 : 0;
    return found_text(c, f->name, text, len, out);
}

/* Without one code fence around it. */
static void strip_fence(struct cast *c, const char *name, const char **text, size_t *len)
{
    const char *body = memchr(*text, '\n', *len), *end = *text + *len;

    if (*len < 7 || !body || memcmp(*text, "```", 3) != 0 || memcmp(end - 3, "```", 3) != 0 ||
        body >= end - 3)
        return;
    note_add(c->notes, "%s: a code fence around it, passed over", name);
    *text = body + 1;
    *len = (size_t)(end - 3 - *text);
    marker_trim(text, len);
}

/* ---- sections ---- */

static int find_word(struct cast *c, const struct signature_field *f, const char *text, size_t len)
{
    for (const struct json *w = json_first(f->type->words); w; w = json_next(w))
        if (json_text(w) && strlen(json_text(w)) == len && memcmp(json_text(w), text, len) == 0) {
            value_add_quoted(c->out, json_text(w));
            return 1;
        }
    return 0;
}

static bool is_quoted_by(const char *text, size_t len, const char *quotes)
{
    return len > 1 && text[0] == text[len - 1] && strchr(quotes, text[0]);
}

/* A word as it is, in quotes, or as Literal[word]; 1: it is one. */
static int cast_literal_text(struct cast *c, const struct signature_field *f, const char *text)
{
    size_t len = strlen(text), skip = 0;

    if (find_word(c, f, text, len))
        return 1;
    if (len && text[len - 1] == ']')
        skip = strncmp(text, "Literal[", 8) == 0 ? 8 : strncmp(text, "str[", 4) == 0 ? 4 : 0;
    if (skip) {
        text += skip;
        len -= skip + 1;
    }
    /* "'word'": as JSON and as Python at once */
    for (int pairs = 0; pairs < 2 && is_quoted_by(text, len, pairs ? "'" : "\"'"); pairs++) {
        text++;
        len -= 2;
    }
    if (!find_word(c, f, text, len))
        return 0;
    note_add(c->notes, "%s: the word without what stands around it", f->name);
    return 1;
}

static int cast_found(struct cast *c, const struct signature_field *f, const struct found *found)
{
    struct raw_value raw = {NULL, NULL};

    if (found->text) {
        size_t len = strlen(found->text);

        raw.text = found->text + strspn(found->text, " \t\r\n");
        while (len && strchr(" \t\r\n", found->text[len - 1]))
            len--;
        raw.end = found->text + len;
    }
    return cast_value(c, f->type, f->name, found->v, raw);
}

static int cast_typed_text(struct cast *c, const struct signature_field *f, const char *text)
{
    size_t len = strlen(text);
    struct found found = {0};
    int rc;

    if (f->type->kind == VALUE_OPTIONAL && value_type_is_text(f->type->item)) {
        value_add_quoted(c->out, text);
        return 0;
    }
    marker_trim(&text, &len);
    strip_fence(c, f->name, &text, &len);
    rc = find_value(c, f, text, len, &found);
    if (rc == 0)
        rc = cast_found(c, f, &found);
    found_clear(&found);
    return rc;
}

static int cast_typed_json(struct cast *c, const struct signature_field *f, const char *text)
{
    struct found found = {0};
    int rc = -1;

    found.v = json_parse(text, strlen(text), c->err);
    found.text = found.v ? mem_strdup(text) : NULL;
    if (found.text)
        rc = cast_found(c, f, &found);
    else
        err_prefix(c->err, "%s", f->name);
    found_clear(&found);
    return rc;
}

/* A field of text takes anything: what is no text as Python would show it. */
static int cast_plain(struct cast *c, const struct signature_field *f, const char *section,
                      bool is_json)
{
    struct buf b;
    char *text;

    if (!is_json) {
        value_add_quoted(c->out, section);
        return 0;
    }
    buf_init(&b, REPLY_TEXT_MAX);
    if (value_add_python(&b, f->name, section, c->err) < 0) {
        buf_clear(&b);
        return -1;
    }
    if (!(text = buf_take(&b, NULL, c->err)))
        return -1;
    note_add(c->notes, "%s: not a text, taken as one", f->name);
    value_add_quoted(c->out, text);
    mem_free(text);
    return 0;
}

int cast_section(const struct signature_field *f, const char *section, bool is_json, char **out,
                 struct notes *notes, struct err *err)
{
    struct cast c = {.notes = notes, .err = err};
    struct buf b;
    int rc;

    buf_init(&b, 2 * (size_t)REPLY_TEXT_MAX);
    c.out = &b;
    if (f->row || value_is_text(f))
        rc = cast_plain(&c, f, section, is_json);
    else if (!is_json && f->type->kind == VALUE_LITERAL && cast_literal_text(&c, f, section))
        rc = 0;
    else
        rc = is_json ? cast_typed_json(&c, f, section) : cast_typed_text(&c, f, section);
    if (rc == 0 && (*out = buf_take(&b, NULL, err)))
        return 0;
    buf_clear(&b);
    return -1;
}

void cast_values_clear(struct cast_values *v)
{
    for (size_t i = 0; i < v->count && v->json; i++)
        mem_free(v->json[i]);
    mem_free(v->json);
    *v = (struct cast_values){0};
}

static int cast_output(const struct signature_field *f, const struct answer *a, size_t i,
                       char **out, struct notes *notes, struct err *err)
{
    if (a->sections[i])
        return cast_section(f, a->sections[i], a->is_json[i], out, notes, err);
    if (!f->row && value_type_takes_null(f->type) && f->type->kind == VALUE_OPTIONAL)
        return (*out = mem_strdup("null")) ? 0 : err_set(err, ERR_NOMEM, "%s", f->name);
    return err_set(err, ERR_MALFORMED, "%s: missing", f->name);
}

int cast_answer(const struct signature *sig, const struct answer *a, struct cast_values *out,
                struct notes *notes, struct err *err)
{
    struct cast_values v = {.count = a->count};

    if (!(v.json = mem_calloc(a->count, sizeof *v.json)))
        return err_set(err, ERR_NOMEM, "answer");
    for (size_t i = 0; i < a->count; i++)
        if (cast_output(signature_outputs(sig) + i, a, i, &v.json[i], notes, err) < 0) {
            cast_values_clear(&v);
            return -1;
        }
    if (notes_ok(notes, err) < 0) {
        cast_values_clear(&v);
        return -1;
    }
    *out = v;
    return 0;
}
