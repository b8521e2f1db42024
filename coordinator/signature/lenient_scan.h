/* lenient_scan.h - the reader behind lenient_json.c: one value from one place of a text, forgiving.
 */
#ifndef COORDINATOR_SIGNATURE_LENIENT_SCAN_H
#define COORDINATOR_SIGNATURE_LENIENT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct json;

/* Each kind of forgiveness, for one note. */
enum lenient_kind {
    LENIENT_AROUND = 1 << 0,   /* a code fence or prose around the value */
    LENIENT_QUOTES = 1 << 1,   /* single or typographic quotes */
    LENIENT_BARE = 1 << 2,     /* keys or words without quotes */
    LENIENT_PYTHON = 1 << 3,   /* True, False, None */
    LENIENT_COMMENT = 1 << 4,  /* comments */
    LENIENT_COMMA = 1 << 5,    /* a comma too many or too few */
    LENIENT_BREAK = 1 << 6,    /* a control character or bad escape in a string */
    LENIENT_INNER = 1 << 7,    /* quotes inside a string */
    LENIENT_CUT = 1 << 8,      /* it ends too early: what was open is closed, a cut value dropped */
    LENIENT_REPEATED = 1 << 9, /* a key stands twice: the later value counts */
    LENIENT_SEVERAL = 1 << 10, /* several objects in a row */
    LENIENT_NUMBER = 1 << 11,  /* a number in a form that JSON does not have */
    LENIENT_BRACES = 1 << 12,  /* members without braces around them */
    LENIENT_NO_VALUE = 1 << 13, /* a key without a value: dropped */
    LENIENT_CUT_TEXT = 1 << 14, /* a text that the end cut off, kept as far as it goes */
    LENIENT_STRAY = 1 << 15,    /* a brace, quote or colon too many, or a colon too few */
};

struct lenient_scan {
    const char *p, *end;
    unsigned kinds; /* of forgiveness, so far */
    size_t values;  /* made so far */
    int depth;
    int arrays;     /* of those, open arrays */
    bool ends_well; /* the end of the text may end a value: nothing is open there */
    bool keep;      /* nulls, and the text that the end cuts off */
    bool no_memory;
    bool too_much; /* past a limit: nesting, values, members */
};

/* The object or array that starts at p ('{' or '['); NULL with no_memory or too_much set.
 * Afterwards p stands behind it. */
struct json *lenient_scan_container(struct lenient_scan *s);

/* The members from p to the end, without braces around them. NULL likewise. */
struct json *lenient_scan_members(struct lenient_scan *s);

void lenient_scan_blanks(struct lenient_scan *s); /* and comments */

/* A key and its ':' (lenient_key.c); NULL when none stands there, with p moved past it. */
char *lenient_scan_key(struct lenient_scan *s);

/* ---- lenient_string.c: NULL with no_memory set, or where nothing usable stands (p moved on) ----
 */

/* A quoted text at p. *cut: the text ended before the quote did. */
char *lenient_scan_string(struct lenient_scan *s, bool *cut);
bool lenient_at_quote(const struct lenient_scan *s);

/* Text without quotes, to a delimiter. A key ends at ':' or '=' too. */
char *lenient_scan_bare(struct lenient_scan *s, bool key, bool *cut);

/* A text fit for JSON from any bytes; yours. */
char *lenient_scan_text(const char *p, size_t len);

#endif
