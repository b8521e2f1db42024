/* marker.h - where one field ends and the next begins: [[ ## name ## ]].
 *
 * Shared by the parser, which looks for markers, and the renderer, which keeps them out of values.
 * Lines end where Python's splitlines ends them, as DSPy splits replies. */
#ifndef COORDINATOR_SIGNATURE_MARKER_H
#define COORDINATOR_SIGNATURE_MARKER_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum marker_form {
    MARKER_EXACT,  /* as DSPy reads it: nothing but blanks before it, every space in its place */
    MARKER_LENIENT /* other spacing, any number of #, bold or list decoration around it */
};

struct marker {
    const char *name; /* in the line */
    size_t name_len;
    const char *rest; /* what follows on the line, to its end */
    size_t rest_len;
};

/* Whether the line is one; *out is then filled. */
bool marker_match(const char *line, size_t len, enum marker_form form, struct marker *out);

/* The line that starts at text: its length without the line break in *line_len; returns the bytes
 * to advance (0 at the end of the text). */
size_t marker_line(const char *text, size_t len, size_t *line_len);

/* Add text to b with every [[ that could open a marker broken up as "[ [". Returns how many were.
 */
size_t marker_neutralise(struct buf *b, const char *text, size_t len);

/* Without the blanks around it, as Python's strip() does. */
void marker_trim(const char **text, size_t *len);

#endif
