/* table.c - see table.h. */
#include "coordinator/cli/table.h"

#include "common/core/mem.h"
#include "coordinator/cli/format.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#define SPAN_MIN 24 /* columns of a spanning text, even where the page ends before */

struct cell {
    char *text; /* cleaned; NULL: empty */
    enum style style;
};

struct row {
    struct cell cells[TABLE_COLUMNS_MAX];
    size_t span; /* the cell that runs to the end of the line; `count` when none does */
};

struct table {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX]; /* as printed so far; 0: gone */
    bool gone[TABLE_COLUMNS_MAX];
    size_t count;
    struct row *rows;
    size_t rows_count, rows_room;
    size_t at; /* cell of the row under way, the last of rows; */
    bool open; /* there is a row under way */
    bool headed;
    bool spans_last; /* the last column has held a span, which wraps: it keeps its room */
    bool failed;     /* for memory */
};

struct table *table_new(const struct column *columns, size_t count)
{
    struct table *t = mem_zalloc(sizeof *t);

    assert(count > 0 && count <= TABLE_COLUMNS_MAX);
    if (!t)
        return NULL;
    memcpy(t->columns, columns, count * sizeof *columns);
    t->count = count;
    return t;
}

static void clear_rows(struct table *t)
{
    for (size_t i = 0; i < t->rows_count; i++)
        for (size_t k = 0; k < t->count; k++)
            mem_free(t->rows[i].cells[k].text);
    t->rows_count = 0;
    t->open = false;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    clear_rows(t);
    mem_free(t->rows);
    mem_free(t);
}

static struct row *row_under_way(struct table *t)
{
    if (!t->open) {
        if (t->rows_count == t->rows_room) {
            size_t room = t->rows_room ? 2 * t->rows_room : 32;
            struct row *rows = mem_realloc_array(t->rows, room, sizeof *rows);

            if (!rows) {
                t->failed = true;
                return NULL;
            }
            t->rows = rows;
            t->rows_room = room;
        }
        memset(&t->rows[t->rows_count], 0, sizeof t->rows[0]);
        t->rows[t->rows_count++].span = t->count;
        t->open = true;
        t->at = 0;
    }
    return &t->rows[t->rows_count - 1];
}

/* Put the formatted, cleaned text in the next cell; false where there is none. */
static bool put(struct table *t, enum style style, const char *fmt, va_list args)
{
    struct row *row = row_under_way(t);
    struct buf b;
    char *raw;

    if (!row || t->at >= t->count || row->span < t->count)
        return false;
    buf_init(&b, PAGE_TEXT_MAX);
    buf_addv(&b, fmt, args);
    buf_adds(&b, "");
    raw = buf_take(&b, NULL, NULL);
    row->cells[t->at].text = raw ? page_clean_text(raw) : NULL;
    row->cells[t->at].style = style;
    mem_free(raw);
    if (!row->cells[t->at].text)
        t->failed = true;
    t->at++;
    return true;
}

void table_cell(struct table *t, enum style style, const char *fmt, ...)
{
    va_list args;

    if (!t)
        return;
    va_start(args, fmt);
    put(t, style, fmt, args);
    va_end(args);
}

void table_span(struct table *t, enum style style, const char *fmt, ...)
{
    va_list args;

    if (!t)
        return;
    va_start(args, fmt);
    if (put(t, style, fmt, args))
        t->rows[t->rows_count - 1].span = t->at - 1;
    va_end(args);
}

void table_row(struct table *t)
{
    if (t && row_under_way(t))
        t->open = false;
}

static const char *cell_text(const struct row *row, size_t k)
{
    return row->cells[k].text ? row->cells[k].text : "";
}

/* Columns that a cell wants. A span takes what is to the right of it; in the last column, where
 * nothing is, it wants room for a few words. */
static size_t wanted(struct table *t, const struct row *row, size_t k)
{
    size_t taken = k <= row->span ? format_columns(cell_text(row, k)) : 0;

    if (k != row->span)
        return taken;
    if (k + 1 < t->count)
        return 0;
    t->spans_last = true;
    return taken < SPAN_MIN ? taken : SPAN_MIN;
}

static void measure(struct table *t)
{
    for (size_t k = 0; k < t->count; k++) {
        size_t width = format_columns(t->columns[k].title);

        for (size_t i = 0; i < t->rows_count; i++) {
            size_t taken = wanted(t, &t->rows[i], k);

            width = taken > width ? taken : width;
        }
        if (t->columns[k].most && width > t->columns[k].most)
            width = t->columns[k].most;
        if (width > t->widths[k])
            t->widths[k] = width;
    }
}

static size_t line_width(const struct table *t)
{
    size_t total = 0, shown = 0;

    for (size_t k = 0; k < t->count; k++) {
        if (!t->gone[k]) {
            total += t->widths[k];
            shown++;
        }
    }
    return total + (shown > 1 ? TABLE_GAP * (shown - 1) : 0);
}

/* The shown column that may go first; count when none may. */
static size_t least_wanted(const struct table *t)
{
    size_t least = t->count;

    for (size_t k = 0; k < t->count; k++)
        if (!t->gone[k] && t->columns[k].keep > 0 &&
            (least == t->count || t->columns[k].keep <= t->columns[least].keep))
            least = k;
    return least;
}

/* The widest column of text that may be cut still; count when there is none. */
static size_t widest_text(const struct table *t, bool at_last)
{
    size_t widest = t->count;

    for (size_t k = 0; k < t->count - t->spans_last; k++) {
        size_t least = at_last               ? TABLE_SHRUNK_MIN
                       : t->columns[k].least ? t->columns[k].least
                                             : TABLE_SHRUNK;

        if (!t->gone[k] && !t->columns[k].right && !t->columns[k].whole && t->widths[k] > least &&
            (widest == t->count || t->widths[k] > t->widths[widest]))
            widest = k;
    }
    return widest;
}

static void fit(struct table *t, size_t width)
{
    size_t k;

    while (line_width(t) > width && (k = widest_text(t, false)) < t->count)
        t->widths[k]--;
    while (line_width(t) > width && (k = least_wanted(t)) < t->count)
        t->gone[k] = true;
    while (line_width(t) > width && (k = widest_text(t, true)) < t->count)
        t->widths[k]--;
}

/* A cell within its column: what is too long ends in "...". */
static void print_cell(struct page *p, enum style style, const char *text, size_t width, bool right)
{
    char *cut;

    if (format_columns(text) <= width) {
        page_cell(p, style, text, width, right);
        return;
    }
    cut = mem_strdup(text);
    if (!cut) {
        page_lost(p);
        return;
    }
    if (width > 3) {
        size_t at = format_fit(cut, width - 3);

        memcpy(cut + at, "...", 4); /* the text is at least that much longer: it did not fit */
    } else {
        cut[format_fit(cut, width)] = '\0';
    }
    page_cell(p, style, cut, width, right);
    mem_free(cut);
}

static void print_span(struct page *p, enum style style, char *text, size_t column)
{
    size_t room = p->width > column + SPAN_MIN ? p->width - column : SPAN_MIN, at = 0, next;

    do {
        size_t len = page_break(text, at, room, &next);
        char kept = text[at + len];

        if (at > 0) {
            page_end_line(p);
            page_spaces(p, column);
        }
        text[at + len] = '\0';
        page_cell(p, style, text + at, 0, false);
        text[at + len] = kept;
        at = next;
    } while (text[at]);
}

static void print_row(struct table *t, struct page *p, const struct row *row)
{
    size_t column = 0;

    for (size_t k = 0; k < t->count; k++) {
        if (k == row->span && row->cells[k].text) {
            print_span(p, row->cells[k].style, row->cells[k].text, column);
            break;
        }
        if (t->gone[k])
            continue;
        print_cell(p, row->cells[k].style, cell_text(row, k), t->widths[k], t->columns[k].right);
        page_spaces(p, TABLE_GAP);
        column += t->widths[k] + TABLE_GAP;
    }
    page_end_line(p);
}

static void print_header(struct table *t, struct page *p)
{
    for (size_t k = 0; k < t->count; k++) {
        if (t->gone[k])
            continue;
        print_cell(p, STYLE_STRONG, t->columns[k].title, t->widths[k], t->columns[k].right);
        page_spaces(p, TABLE_GAP);
    }
    page_end_line(p);
    t->headed = true;
}

void table_print(struct table *t, struct page *p)
{
    if (!t || t->failed) {
        page_lost(p);
        return;
    }
    measure(t);
    fit(t, p->width);
    if (!t->headed)
        print_header(t, p);
    for (size_t i = 0; i < t->rows_count; i++)
        print_row(t, p, &t->rows[i]);
    clear_rows(t);
}

char *table_hidden(const struct table *t)
{
    struct buf b;

    buf_init(&b, 1024);
    for (size_t k = 0; t && k < t->count; k++)
        if (t->gone[k])
            buf_addf(&b, "%s%s", b.len ? ", " : "", t->columns[k].title);
    buf_adds(&b, "");
    return buf_take(&b, NULL, NULL);
}
