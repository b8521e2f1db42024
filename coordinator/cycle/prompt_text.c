/* prompt_text.c - see prompt_text.h. */
#include "coordinator/cycle/prompt_text.h"

#include "common/core/buf.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/model/record.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void prompt_number(struct buf *b, double v)
{
    bool plain = fabs(v) < 1e6 && (fabs(v) >= 100 || v == floor(v));

    if (!known_f64(v))
        buf_adds(b, "?");
    else
        buf_addf(b, plain ? "%.0f" : "%.3g", v);
}

double prompt_scaled(int64_t v, double unit)
{
    return known_i64(v) ? (double)v / unit : UNKNOWN_F64;
}

double prompt_whole(int64_t v)
{
    return prompt_scaled(v, 1);
}

/* Characters that show as nothing or as other than they are: line and paragraph separators, marks
 * and changes of direction, invisible ones, and the tags of U+E0000. */
static bool is_hidden(const unsigned char *p, size_t n)
{
    unsigned long c = 0;

    if (n == 3)
        c = (p[0] & 0x0fUL) << 12 | (p[1] & 0x3fUL) << 6 | (p[2] & 0x3fUL);
    else if (n == 4)
        c = (p[0] & 0x07UL) << 18 | (p[1] & 0x3fUL) << 12 | (p[2] & 0x3fUL) << 6 | (p[3] & 0x3fUL);
    else if (n == 2)
        c = (p[0] & 0x1fUL) << 6 | (p[1] & 0x3fUL);
    return (c >= 0x80 && c <= 0x9f) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xe0000 && c <= 0xe007f);
}

void prompt_name(struct buf *b, const char *text, size_t max)
{
    char clean[PROMPT_NAME_MAX + 1];
    size_t n;

    if (!text || !*text) {
        buf_adds(b, "?");
        return;
    }
    text_clean(clean, (max < PROMPT_NAME_MAX ? max : PROMPT_NAME_MAX) + 1, text);
    for (const char *p = clean; *p; p += n) {
        n = text_utf8_len(p, strlen(p));
        if (*p == '|' || *p == '[' || *p == ']')
            buf_addc(b, '/');
        else if (n > 1 && is_hidden((const unsigned char *)p, n))
            buf_addc(b, '?');
        else
            buf_add(b, p, n);
    }
}

void prompt_fact(struct buf *b, const char *label, double v, const char *unit)
{
    if (!known_f64(v))
        return;
    buf_adds(b, label);
    buf_addc(b, ' ');
    prompt_number(b, v);
    buf_addf(b, "%s%s\n", *unit ? " " : "", unit);
}

void prompt_word(struct buf *b, const char *label, const struct enum_names *names, int v)
{
    if (v != 0 && enum_name(names, v))
        buf_addf(b, "%s %s\n", label, enum_name(names, v));
}

void prompt_truth(struct buf *b, const char *label, int v)
{
    if (known_tri((enum tristate)v))
        buf_addf(b, "%s %s\n", label, v == TRI_TRUE ? "yes" : "no");
}

void prompt_named(struct buf *b, const char *label, const char *text, size_t max)
{
    if (!text || !*text)
        return;
    buf_addf(b, "%s ", label);
    prompt_name(b, text, max);
    buf_addc(b, '\n');
}

void prompt_prose(struct buf *b, const char *text)
{
    size_t left, n;

    if (!text || !*text)
        return;
    if (b->len > 0)
        buf_adds(b, "In the owner's words:\n");
    left = strlen(text);
    for (const char *p = text; left > 0; p += n, left -= n) {
        bool plain;

        n = text_utf8_len(p, left);
        plain =
            n > 1 ? !is_hidden((const unsigned char *)p, n)
                  : n == 1 && ((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t') && *p != 0x7f;
        n = n ? n : 1;
        if (plain)
            buf_add(b, p, n);
        else
            buf_addc(b, ' ');
    }
}

void prompt_range_take(struct prompt_range *r, double v)
{
    if (!known_f64(v))
        return;
    r->min = known_f64(r->min) && r->min < v ? r->min : v;
    r->max = known_f64(r->max) && r->max > v ? r->max : v;
}

void prompt_range_add(struct buf *b, const char *label, const struct prompt_range *r,
                      const char *unit)
{
    if (!known_f64(r->min))
        return;
    buf_addf(b, ", %s ", label);
    prompt_number(b, r->min);
    if (r->max > r->min) {
        buf_adds(b, " to ");
        prompt_number(b, r->max);
    }
    buf_addf(b, "%s%s", *unit ? " " : "", unit);
}
