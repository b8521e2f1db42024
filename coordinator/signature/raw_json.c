/* raw_json.c - walking over JSON that is known to be well formed. */
#include "coordinator/signature/raw_json.h"

#include "common/core/buf.h"

#include <stddef.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* p stands at the opening quote; the result behind the closing one. */
static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

static const char *skip_value(const char *p)
{
    size_t depth = 0;

    for (; *p; p++) {
        if (*p == '"') {
            p = skip_string(p) - 1;
            if (depth == 0)
                return p + 1;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']') {
            if (depth == 0)
                return p; /* behind a scalar */
            if (--depth == 0)
                return p + 1;
        } else if (depth == 0 && (*p == ',' || is_blank(*p))) {
            return p;
        }
    }
    return p;
}

void raw_json_open(struct raw_json *r, const char *text)
{
    r->p = skip_blanks(text);
    r->object = *r->p == '{';
    if (*r->p)
        r->p++;
}

bool raw_json_next(struct raw_json *r, struct raw_value *out)
{
    const char *p = skip_blanks(r->p);

    if (*p == ',')
        p = skip_blanks(p + 1);
    if (!*p || *p == '}' || *p == ']')
        return false;
    if (r->object) {
        p = skip_blanks(skip_string(p));
        p = skip_blanks(*p == ':' ? p + 1 : p);
    }
    out->text = p;
    out->end = skip_value(p);
    r->p = out->end;
    return out->end > out->text;
}

void raw_json_add(struct buf *b, struct raw_value v)
{
    for (const char *p = v.text; p < v.end;) {
        const char *next = *p == '"' ? skip_string(p) : p + 1;

        if (!is_blank(*p))
            buf_add(b, p, (size_t)(next - p));
        p = next;
    }
}
