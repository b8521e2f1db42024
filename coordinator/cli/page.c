/* page.c - see page.h. */
#include "coordinator/cli/page.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "coordinator/cli/format.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void page_init(struct page *p, size_t width, bool color)
{
    buf_init(&p->text, PAGE_TEXT_MAX);
    p->width = width < PAGE_WIDTH_MIN   ? PAGE_WIDTH_MIN
               : width > PAGE_WIDTH_MAX ? PAGE_WIDTH_MAX
                                        : width;
    p->color = color;
}

void page_clear(struct page *p)
{
    buf_clear(&p->text);
}

char *page_clean_text(const char *text)
{
    size_t size = text ? strlen(text) + 1 : 1;
    char *clean = mem_alloc(size); /* cleaning never makes it longer */

    if (clean)
        text_clean(clean, size, text);
    return clean;
}

void page_lost(struct page *p)
{
    p->text.failed = p->text.no_memory = true;
}

void page_spaces(struct page *p, size_t count)
{
    if (count > 0)
        buf_addf(&p->text, "%*s", (int)count, "");
}

void page_cell(struct page *p, enum style style, const char *clean, size_t columns, bool right)
{
    static const char *const codes[] = {"", "1", "2", "32", "33", "31"};
    size_t taken = format_columns(clean);
    size_t pad = columns > taken ? columns - taken : 0;
    bool painted = p->color && style != STYLE_PLAIN && *clean;

    if (right)
        page_spaces(p, pad);
    if (painted)
        buf_addf(&p->text, "\033[%sm", codes[style]);
    buf_adds(&p->text, clean);
    if (painted)
        buf_adds(&p->text, "\033[0m");
    if (!right)
        page_spaces(p, pad);
}

void page_end_line(struct page *p)
{
    while (!p->text.failed && p->text.len > 0 && p->text.data[p->text.len - 1] == ' ')
        p->text.data[--p->text.len] = '\0';
    buf_addc(&p->text, '\n');
}

/* The formatted and cleaned text; NULL is noted in the page. */
static char *formatted(struct page *p, const char *fmt, va_list args)
{
    struct buf b;
    char *raw, *clean;

    buf_init(&b, PAGE_TEXT_MAX);
    buf_addv(&b, fmt, args);
    buf_adds(&b, "");
    raw = buf_take(&b, NULL, NULL);
    clean = raw ? page_clean_text(raw) : NULL;
    if (!clean)
        page_lost(p);
    mem_free(raw);
    return clean;
}

void page_line(struct page *p, enum style style, const char *fmt, ...)
{
    va_list args;
    char *clean;

    va_start(args, fmt);
    clean = formatted(p, fmt, args);
    va_end(args);
    if (!clean)
        return;
    page_cell(p, style, clean, 0, false);
    page_end_line(p);
    mem_free(clean);
}

void page_blank(struct page *p)
{
    size_t len = p->text.len;

    if (len == 0 || (len > 1 && p->text.data[len - 1] == '\n' && p->text.data[len - 2] == '\n'))
        return;
    buf_addc(&p->text, '\n');
}

size_t page_break(const char *text, size_t from, size_t columns, size_t *next)
{
    size_t fits = format_fit(text + from, columns), end = fits;

    if (fits == 0 && text[from]) /* one wide character in one column */
        end = fits = text_utf8_len(text + from, strlen(text + from));
    if (text[from + fits]) {
        while (end > 0 && text[from + end] != ' ')
            end--;
        if (end == 0)
            end = fits;
    }
    *next = from + end + strspn(text + from + end, " ");
    while (end > 0 && text[from + end - 1] == ' ')
        end--;
    return end;
}

/* The first line starts where the page stands; the others after `indent` blanks. */
static void add_wrapped(struct page *p, size_t indent, enum style style, char *clean)
{
    size_t room = p->width > indent + 20 ? p->width - indent : 20, at = 0, next;

    do {
        size_t len = page_break(clean, at, room, &next);
        char kept = clean[at + len];

        if (at > 0)
            page_spaces(p, indent);
        clean[at + len] = '\0';
        page_cell(p, style, clean + at, 0, false);
        clean[at + len] = kept;
        page_end_line(p);
        at = next;
    } while (clean[at]);
}

void page_wrap(struct page *p, size_t indent, enum style style, const char *fmt, ...)
{
    va_list args;
    char *clean;

    va_start(args, fmt);
    clean = formatted(p, fmt, args);
    va_end(args);
    if (!clean)
        return;
    page_spaces(p, indent);
    add_wrapped(p, indent, style, clean);
    mem_free(clean);
}

void page_pair(struct page *p, const char *label, const char *fmt, ...)
{
    char *name = page_clean_text(label), *clean;
    va_list args;

    va_start(args, fmt);
    clean = formatted(p, fmt, args);
    va_end(args);
    if (name && clean) {
        page_spaces(p, 2);
        page_cell(p, STYLE_FAINT, name, PAGE_LABEL - 2, false);
        if (format_columns(name) >= PAGE_LABEL - 2)
            page_spaces(p, 1);
        add_wrapped(p, PAGE_LABEL, STYLE_PLAIN, clean);
    } else {
        page_lost(p);
    }
    mem_free(name);
    mem_free(clean);
}

void page_flow(struct page *p, size_t indent, const char *text)
{
    char *clean = page_clean_text(text);

    if (clean)
        add_wrapped(p, indent, STYLE_PLAIN, clean);
    else
        page_lost(p);
    mem_free(clean);
}

static void prose_line(struct page *p, size_t indent, const char *line, size_t len)
{
    struct buf b;
    char *text;

    buf_init(&b, PAGE_TEXT_MAX);
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\t')
            buf_adds(&b, "    ");
        else
            buf_addc(&b, line[i]);
    buf_adds(&b, "");
    text = buf_take(&b, NULL, NULL);
    if (text)
        page_wrap(p, indent, STYLE_PLAIN, "%s", text);
    else
        page_lost(p);
    mem_free(text);
}

void page_prose(struct page *p, size_t indent, const char *text)
{
    while (text && *text) {
        size_t len = strcspn(text, "\n");

        prose_line(p, indent, text, len);
        text += len + (text[len] == '\n');
    }
}

int page_write(struct page *p, FILE *out, struct err *err)
{
    size_t len = p->text.len;
    int rc = 0;

    if (len > 1 && p->text.data[len - 1] == '\n' && p->text.data[len - 2] == '\n')
        len--; /* what should have followed the empty line was not there */
    if (p->text.failed)
        rc = err_set(err, p->text.no_memory ? ERR_NOMEM : ERR_TOO_BIG, "what was to be printed");
    else if (len > 0 && (fwrite(p->text.data, 1, len, out) != len || fflush(out) != 0))
        rc = err_set_errno(err, errno, "output");
    buf_clear(&p->text);
    return rc;
}
