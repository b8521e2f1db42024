/* svg.h - a small writer of SVG pictures: lines, boxes, words.
 *
 * Coordinates are pixels from the upper left. Words are escaped, so a job's name or a device's may
 * hold anything; numbers are written with two digits. Want of memory sticks and is told by svg_end.
 */
#ifndef COORDINATOR_CLI_SVG_H
#define COORDINATOR_CLI_SVG_H

#include "common/core/buf.h"

#include <stddef.h>

struct err;

struct svg {
    struct buf text;
};

struct svg_point {
    double x, y;
};

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* An opaque white picture with a title for readers of the file. */
void svg_begin(struct svg *s, double width, double height, const char *title);
void svg_line(struct svg *s, struct svg_point from, struct svg_point to, const char *color,
              double width);
void svg_path(struct svg *s, const struct svg_point *points, size_t count, const char *color,
              double width);
void svg_box(struct svg *s, struct svg_point corner, double width, double height,
             const char *color);
void svg_words(struct svg *s, struct svg_point at, enum svg_anchor anchor, double size,
               const char *color, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The whole text, yours to mem_free; NULL without memory. The writer is empty afterwards. */
char *svg_end(struct svg *s, size_t *len, struct err *err);

#endif
