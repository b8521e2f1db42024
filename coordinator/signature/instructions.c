/* instructions.c - docstrings, as inspect.cleandoc of Python 3.11 leaves them. */
#include "coordinator/signature/instructions.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "coordinator/signature/signature.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TAB_STOP 8

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static void expand_tabs(struct buf *b, const char *text, size_t len)
{
    size_t column = 0; /* in characters */

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\t') {
            do
                buf_addc(b, ' ');
            while (++column % TAB_STOP);
            continue;
        }
        if (text[i] == '\n' || text[i] == '\r')
            column = 0;
        else if (((unsigned char)text[i] & 0xc0) != 0x80)
            column++;
        buf_addc(b, text[i]);
    }
}

/* Blanks at the start of a line; SIZE_MAX where there is nothing else in it. */
static size_t indentation(const char *line, size_t len)
{
    size_t i = 0;

    while (i < len && is_blank(line[i]))
        i++;
    return i < len ? i : SIZE_MAX;
}

static size_t line_length(const char *line)
{
    return strcspn(line, "\n");
}

/* What all lines but the first share; SIZE_MAX when they are blank. */
static size_t margin_of(const char *text)
{
    size_t margin = SIZE_MAX, len = line_length(text);

    for (const char *p = text + len; *p; p += len) {
        size_t indent;

        p++;
        len = line_length(p);
        indent = indentation(p, len);
        if (indent < margin)
            margin = indent;
    }
    return margin;
}

static void add_lines(struct buf *b, const char *text)
{
    size_t margin = margin_of(text), pending = 0, lines = 0;
    const char *p = text;

    for (;;) {
        size_t len = line_length(p), cut = margin == SIZE_MAX ? 0 : margin;

        if (p == text)
            for (cut = 0; cut < len && is_blank(p[cut]);)
                cut++;
        if (cut < len) {
            for (; pending && lines; pending--)
                buf_addc(b, '\n');
            pending = 0;
            buf_add(b, p + cut, len - cut);
            lines++;
        }
        pending++;
        if (!p[len])
            return;
        p += len + 1;
    }
}

char *instructions_clean(const char *text, size_t len, struct err *err)
{
    struct buf expanded, b;
    char *plain, *clean;

    if (len > TEXT_MAX) {
        err_set(err, ERR_TOO_BIG, "instructions of %zu bytes, limit %d", len, TEXT_MAX);
        return NULL;
    }
    buf_init(&expanded, (size_t)TEXT_MAX * TAB_STOP);
    buf_adds(&expanded, "");
    expand_tabs(&expanded, text, len);
    if (!(plain = buf_take(&expanded, NULL, err)))
        return NULL;
    buf_init(&b, (size_t)TEXT_MAX);
    buf_adds(&b, "");
    add_lines(&b, plain);
    clean = buf_take(&b, NULL, err);
    mem_free(plain);
    return clean;
}

static void add_names(struct buf *b, const struct signature_field *f, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_addf(b, "%s`%s`", i ? ", " : "", f[i].name);
}

char *instructions_default(const struct signature *sig, struct err *err)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_adds(&b, "Given the fields ");
    add_names(&b, sig->fields, sig->inputs);
    buf_adds(&b, ", produce the fields ");
    add_names(&b, signature_outputs(sig), sig->outputs);
    buf_addc(&b, '.');
    return buf_take(&b, NULL, err);
}

int instructions_set(struct signature *sig, const char *text, struct err *err)
{
    char *made =
        text ? instructions_clean(text, strlen(text), err) : instructions_default(sig, err);

    if (!made)
        return -1;
    mem_free(sig->instructions);
    sig->instructions = made;
    return 0;
}
