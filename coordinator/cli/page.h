/* page.h - what a command prints: lines of a known width, safe for a terminal.
 *
 * A page is text that grows; a command fills one, then writes it. Everything that enters is cleaned
 * (common/core/text.h) here and in table.c, and colours are added after that: whatever a device's
 * name, a job or a model's reply holds, no control character of theirs reaches the terminal. Want
 * of memory sticks and is reported by page_write. Not for two threads at once. */
#ifndef COORDINATOR_CLI_PAGE_H
#define COORDINATOR_CLI_PAGE_H

#include "common/core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct err;

#define PAGE_WIDTH 120    /* where it is no terminal and COLUMNS says nothing */
#define PAGE_WIDTH_MIN 40 /* narrower is taken for this */
#define PAGE_WIDTH_MAX 1000
#define PAGE_TEXT_MAX (1024UL * 1024 * 1024) /* a plan of a million lines is 200 MB */

enum style { STYLE_PLAIN, STYLE_STRONG, STYLE_FAINT, STYLE_GOOD, STYLE_WARN, STYLE_BAD };

struct page {
    struct buf text;
    size_t width; /* columns */
    bool color;
};

void page_init(struct page *p, size_t width, bool color);
void page_clear(struct page *p);

/* One line; not wrapped. */
void page_line(struct page *p, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void page_blank(struct page *p); /* an empty line, unless the page is empty or ends in one */

/* Words wrapped at the width, each line after so many blanks. */
void page_wrap(struct page *p, size_t indent, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* "  label    value": the value wrapped in a column of its own. */
#define PAGE_LABEL 16 /* columns of indent and label together */
void page_pair(struct page *p, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Wrapped from where the line stands, which is at column `indent`; the next lines start there. */
void page_flow(struct page *p, size_t indent, const char *text);

/* Text of several lines as it stands, each line indented and cleaned; a tab is four blanks. */
void page_prose(struct page *p, size_t indent, const char *text);

/* For table.c: cleaned text in a style, padded to so many columns (0: not), on the current line. */
void page_cell(struct page *p, enum style style, const char *clean, size_t columns, bool right);
void page_spaces(struct page *p, size_t count);
void page_end_line(struct page *p); /* blanks at the end of the line go away */

/* Something could not be added, for want of memory: page_write will say so. */
void page_lost(struct page *p);

/* A cleaned copy, yours to mem_free; NULL without memory. */
char *page_clean_text(const char *text);

/* Bytes of `text` (cleaned, at word `from`) that fill a line of so many columns; *next is where the
 * next line starts. A word that is longer than a line is cut. */
size_t page_break(const char *text, size_t from, size_t columns, size_t *next);

/* Write all of it and empty the page. */
int page_write(struct page *p, FILE *out, struct err *err);

#endif
