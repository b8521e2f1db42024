/* table.h - rows in columns that fit the width of the page.
 *
 *     static const struct column columns[] = {
 *         {.title = "client", .most = 24}, {.title = "memory", .right = true}, {.title = "seq",
 * .keep = 1}}; struct table *t = table_new(columns, 3); table_cell(t, STYLE_PLAIN, "%s", name);   a
 * row, cell by cell table_span(t, STYLE_FAINT, "%s", why);    or the rest of the row as one wrapped
 * text table_row(t); table_print(t, page);                     all rows so far; the header comes
 * once table_free(t);
 *
 * A column is as wide as its widest cell, up to `most`. Where the page is too narrow, the widest
 * texts are cut somewhat, ending in "...", then columns go, the lowest `keep` first (0 stays
 * always), then texts are cut further. Every cell is cleaned (page.h). Widths never shrink from one
 * table_print to the next, and columns that went stay away, so that a long list may be printed page
 * by page. Want of memory sticks in the page. */
#ifndef COORDINATOR_CLI_TABLE_H
#define COORDINATOR_CLI_TABLE_H

#include "coordinator/cli/page.h"

#include <stdbool.h>
#include <stddef.h>

struct table;

#define TABLE_COLUMNS_MAX 24
#define TABLE_GAP 2        /* blanks between columns */
#define TABLE_SHRUNK 16    /* columns that a cut text keeps before others go */
#define TABLE_SHRUNK_MIN 8 /* columns that it keeps in any case */

struct column {
    const char *title;
    size_t most;  /* columns at most; 0: as wide as it is */
    size_t least; /* columns that it keeps before others go; 0: TABLE_SHRUNK */
    int keep;     /* 0: always shown; else the lowest goes first */
    bool right;   /* numbers */
    bool whole;   /* never cut to make room: half a key is of no use */
};

/* The columns are copied, the titles borrowed. NULL without memory; every call below takes NULL. */
struct table *table_new(const struct column *columns, size_t count);
void table_free(struct table *t);

/* The next cell of the row under way; past the last column it is left off. */
void table_cell(struct table *t, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The rest of the row as one text, wrapped within itself where the table is narrower. */
void table_span(struct table *t, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* End the row; cells that were not given are empty. */
void table_row(struct table *t);

/* Add header (the first time) and rows to the page, and forget them. */
void table_print(struct table *t, struct page *p);

/* The titles of the columns that went, "seq, step", "" when none did; yours to mem_free. NULL
 * without memory. */
char *table_hidden(const struct table *t);

#endif
