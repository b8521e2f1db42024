/* string_form.c - the line cut at its arrow, each side at its commas, each part at its colon. */
#include "coordinator/signature/string_form.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "coordinator/signature/instructions.h"
#include "coordinator/signature/marker.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <stdint.h>
#include <string.h>

#define SHOWN_MAX 48

struct part {
    const char *text;
    size_t len;
};

static char *shown(char out[SHOWN_MAX], const char *text, size_t len)
{
    char raw[SHOWN_MAX];

    if (len >= sizeof raw)
        len = text_utf8_fit(text, len, sizeof raw - 1);
    memcpy(raw, text, len);
    raw[len] = '\0';
    text_clean(out, SHOWN_MAX, raw);
    return out;
}

/* How far a piece goes: to one of `stops` outside brackets and quotes. SIZE_MAX: something is never
 * closed. */
static size_t piece(const char *text, size_t len, const char *stops)
{
    char open[VALUE_TYPE_DEPTH_MAX * 2];
    size_t depth = 0;
    char quote = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (quote) {
            if (c == '\\')
                i++;
            else if (c == quote)
                quote = 0;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '[' || c == '(' || c == '{') {
            if (depth == sizeof open)
                return SIZE_MAX;
            open[depth++] = c == '[' ? ']' : c == '(' ? ')' : '}';
        } else if (c == ']' || c == ')' || c == '}') {
            if (depth == 0 || open[--depth] != c)
                return SIZE_MAX;
        } else if (depth == 0 && c && strchr(stops, c)) {
            return i;
        }
    }
    return depth || quote ? SIZE_MAX : len;
}

static int refuse_twice(const struct signature_field *old, const struct signature_field *f,
                        struct err *err)
{
    struct buf a, b;

    if (old->direction != f->direction)
        return err_set(err, ERR_EXISTS, "field %s is both an input and an output", f->name);
    buf_init(&a, VALUE_TYPE_TEXT_MAX);
    buf_init(&b, VALUE_TYPE_TEXT_MAX);
    signature_field_add_type(&a, old);
    signature_field_add_type(&b, f);
    err_set(err, ERR_EXISTS, "field %s has two types: %.60s and %.60s", f->name,
            a.data ? a.data : "", b.data ? b.data : "");
    buf_clear(&a);
    buf_clear(&b);
    return -1;
}

/* name, name: type, with the default cut off. */
static int add_field(struct signature *sig, struct part p, enum signature_direction direction,
                     struct err *err)
{
    size_t colon = piece(p.text, p.len, ":"), name_len = colon < p.len ? colon : p.len;
    struct signature_field f = {.direction = direction, .role = SIGNATURE_ROLE_OTHER};
    const struct signature_field *old;
    const char *name = p.text;
    int rc = -1;

    marker_trim(&name, &name_len);
    if (!(f.name = mem_strndup(name, name_len)))
        return err_set(err, ERR_NOMEM, "field");
    if (signature_check_field_name(f.name, err) < 0)
        goto out;
    if (colon < p.len && !(f.type = value_type_read(p.text + colon + 1, p.len - colon - 1, err))) {
        err_prefix(err, "field %s", f.name);
        goto out;
    }
    if ((old = signature_field(sig, f.name)) && !signature_field_same(old, &f))
        refuse_twice(old, &f, err);
    else
        rc = old ? 0 : signature_put_field(sig, &f, err);
out:
    value_type_free(f.type);
    mem_free(f.name);
    return rc;
}

/* What only Python has: *args is passed over, what it would do to others is refused. */
static int check_star(struct part p, bool *star, bool *is_field, struct err *err)
{
    char seen[SHOWN_MAX];

    *is_field = false;
    if (p.len && *p.text == '/')
        return err_set(err, ERR_UNSUPPORTED, "\"/\" would drop the fields before it");
    if (p.len && *p.text == '*') {
        *star = true;
        return 0;
    }
    if (*star)
        return err_set(err, ERR_UNSUPPORTED, "field \"%s\" after a * would be dropped",
                       shown(seen, p.text, p.len));
    *is_field = true;
    return 0;
}

static int read_side(struct signature *sig, const char *text, size_t len,
                     enum signature_direction direction, struct err *err)
{
    const char *side = direction == SIGNATURE_INPUT ? "inputs" : "outputs";
    bool star = false, defaults = false;

    marker_trim(&text, &len);
    while (len) {
        size_t comma = piece(text, len, ","), equals;
        struct part p = {text, comma};
        bool is_field;

        if (comma == SIZE_MAX)
            return err_set(err, ERR_INVALID, "%s: a bracket or quote without its other half", side);
        marker_trim(&p.text, &p.len);
        if (p.len == 0)
            return err_set(err, ERR_INVALID, "%s: a comma without a field before it", side);
        if ((equals = piece(p.text, p.len, "=")) < p.len) {
            defaults = true;
            p.len = equals;
        } else if (defaults && *p.text != '*') {
            return err_set(err, ERR_INVALID, "%s: a field without default after one with", side);
        }
        if (check_star(p, &star, &is_field, err) < 0 ||
            (is_field && add_field(sig, p, direction, err) < 0)) {
            err_prefix(err, "%s", side);
            return -1;
        }
        if (comma < len)
            comma++;
        text += comma;
        len -= comma;
        marker_trim(&text, &len);
    }
    return 0;
}

static const char *find_arrow(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if (text[i] == '-' && text[i + 1] == '>')
            return text + i;
    return NULL;
}

struct signature *string_form_read(const char *name, const char *text, size_t len,
                                   const char *instructions, struct err *err)
{
    const char *arrow = find_arrow(text, len), *end = text + len;
    struct signature *sig;
    char seen[SHOWN_MAX];

    if (len > STRING_FORM_TEXT_MAX) {
        err_set(err, ERR_TOO_BIG, "signature of %zu bytes, limit %d", len, STRING_FORM_TEXT_MAX);
        return NULL;
    }
    if (!text_utf8_valid(text, len)) {
        err_set(err, ERR_INVALID, "signature \"%s\": is not UTF-8, or holds a NUL",
                shown(seen, text, len));
        return NULL;
    }
    if (!arrow || find_arrow(arrow + 2, (size_t)(end - arrow) - 2)) {
        err_set(err, ERR_INVALID, "signature \"%s\": wanted exactly one ->, in types too",
                shown(seen, text, len));
        return NULL;
    }
    name = name ? name : STRING_FORM_NAME;
    if (signature_check_name(name, err) < 0 || !(sig = signature_new(name, "", err)))
        return NULL;
    if (read_side(sig, text, (size_t)(arrow - text), SIGNATURE_INPUT, err) < 0 ||
        read_side(sig, arrow + 2, (size_t)(end - arrow) - 2, SIGNATURE_OUTPUT, err) < 0 ||
        instructions_set(sig, instructions && *instructions ? instructions : NULL, err) < 0) {
        signature_free(sig);
        return NULL;
    }
    return sig;
}

static void add_side(struct buf *b, const struct signature_field *f, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_addf(b, "%s%s", i ? ", " : "", f[i].name);
        if (!f[i].row && !value_type_is_text(f[i].type)) {
            buf_adds(b, ": ");
            value_type_add_source(b, f[i].type);
        }
    }
}

char *string_form_print(const struct signature *sig, struct err *err)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    add_side(&b, sig->fields, sig->inputs);
    buf_adds(&b, " -> ");
    add_side(&b, signature_outputs(sig), sig->outputs);
    return buf_take(&b, NULL, err);
}
