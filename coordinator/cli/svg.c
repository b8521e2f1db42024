/* svg.c - see svg.h. */
#include "coordinator/cli/svg.h"

#include "common/core/err.h"

#include <stdarg.h>
#include <stdio.h>

#define SVG_TEXT_MAX (16UL * 1024 * 1024) /* a line of 10,000 points is 200 kB */
#define WORDS_MAX 512

static void escaped(struct buf *b, const char *words)
{
    for (; *words; words++) {
        if (*words == '<')
            buf_adds(b, "&lt;");
        else if (*words == '>')
            buf_adds(b, "&gt;");
        else if (*words == '&')
            buf_adds(b, "&amp;");
        else if (*words == '"')
            buf_adds(b, "&quot;");
        else if ((unsigned char)*words < ' ' || *words == 127)
            buf_addc(b, ' '); /* no XML holds a control character */
        else
            buf_addc(b, *words);
    }
}

void svg_begin(struct svg *s, double width, double height, const char *title)
{
    buf_init(&s->text, SVG_TEXT_MAX);
    buf_addf(&s->text,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
             "viewBox=\"0 0 %.0f %.0f\" font-family=\"Helvetica, Arial, sans-serif\">\n<title>",
             width, height, width, height);
    escaped(&s->text, title);
    buf_adds(&s->text, "</title>\n");
    svg_box(s, (struct svg_point){0, 0}, width, height, "#ffffff");
}

void svg_line(struct svg *s, struct svg_point from, struct svg_point to, const char *color,
              double width)
{
    buf_addf(&s->text,
             "<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" stroke=\"%s\" "
             "stroke-width=\"%.2f\"/>\n",
             from.x, from.y, to.x, to.y, color, width);
}

void svg_path(struct svg *s, const struct svg_point *points, size_t count, const char *color,
              double width)
{
    buf_addf(&s->text, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.2f\" points=\"",
             color, width);
    for (size_t i = 0; i < count; i++)
        buf_addf(&s->text, "%s%.2f,%.2f", i ? " " : "", points[i].x, points[i].y);
    buf_adds(&s->text, "\"/>\n");
}

void svg_box(struct svg *s, struct svg_point corner, double width, double height, const char *color)
{
    buf_addf(&s->text, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"/>\n",
             corner.x, corner.y, width > 0 ? width : 0, height > 0 ? height : 0, color);
}

void svg_words(struct svg *s, struct svg_point at, enum svg_anchor anchor, double size,
               const char *color, const char *fmt, ...)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    char words[WORDS_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    buf_addf(&s->text,
             "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">", at.x,
             at.y, size, anchors[anchor], color);
    escaped(&s->text, words);
    buf_adds(&s->text, "</text>\n");
}

char *svg_end(struct svg *s, size_t *len, struct err *err)
{
    buf_adds(&s->text, "</svg>\n");
    return buf_take(&s->text, len, err);
}
