/* lenient_string.c - strings and bare words as models write them. */
#include "coordinator/signature/lenient_scan.h"

#include "common/core/buf.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"

#include <string.h>

/* Bytes of the quote at p: ' " ` and the typographic ones; 0 when it is none. */
static size_t quote_len(const char *p, const char *end)
{
    if (p < end && (*p == '"' || *p == '\'' || *p == '`'))
        return 1;
    /* U+2018 to U+201F */
    if (end - p > 2 && memcmp(p, "\xe2\x80", 2) == 0 && (unsigned char)p[2] >= 0x98 &&
        (unsigned char)p[2] <= 0x9f)
        return 3;
    return 0;
}

bool lenient_at_quote(const struct lenient_scan *s)
{
    return quote_len(s->p, s->end) > 0;
}

/* Whether a quote of len bytes at p closes what one like `open` opened. */
static bool same_quote(const char *open, size_t open_len, const char *p, size_t len)
{
    return open_len == len && (len == 3 || *open == *p);
}

/* A quote closes its string where a delimiter comes next, or, after a blank, the next quote: else
 * it belongs to the text. */
static bool closes(const char *after, const char *end)
{
    const char *p = after;

    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    if (p == end)
        return true;
    if (*p && strchr(",:}]#=;", *p))
        return true;
    if (*p == '/' && end - p > 1 && (p[1] == '/' || p[1] == '*'))
        return true;
    return p > after && (quote_len(p, end) > 0 || memchr(after, '\n', (size_t)(p - after)));
}

static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void add_code_point(struct buf *b, long c)
{
    if (c == 0 || (c >= 0xd800 && c <= 0xdfff)) {
        buf_addc(b, '?');
    } else if (c < 0x80) {
        buf_addc(b, (char)c);
    } else if (c < 0x800) {
        buf_addc(b, (char)(0xc0 | (c >> 6)));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_addc(b, (char)(0xe0 | (c >> 12)));
        buf_addc(b, (char)(0x80 | ((c >> 6) & 0x3f)));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_addc(b, (char)(0xf0 | (c >> 18)));
        buf_addc(b, (char)(0x80 | ((c >> 12) & 0x3f)));
        buf_addc(b, (char)(0x80 | ((c >> 6) & 0x3f)));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    }
}

/* \uXXXX, perhaps two that make one character; p stands behind the u. */
static void scan_unicode(struct lenient_scan *s, struct buf *b)
{
    long c = hex4(s->p, s->end), low;

    if (c < 0) {
        s->kinds |= LENIENT_BREAK;
        buf_adds(b, "\\u");
        return;
    }
    s->p += 4;
    if (c >= 0xd800 && c <= 0xdbff && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u') {
        low = hex4(s->p + 2, s->end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            s->p += 6;
        }
    }
    if (c == 0 || (c >= 0xd800 && c <= 0xdfff))
        s->kinds |= LENIENT_BREAK;
    add_code_point(b, c);
}

/* The escape behind a backslash. */
static void scan_escape(struct lenient_scan *s, struct buf *b)
{
    static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";
    char c = *s->p++;
    const char *found = c ? strchr(from, c) : NULL;

    if (c == 'u') {
        scan_unicode(s, b);
    } else if (found) {
        buf_addc(b, to[found - from]);
    } else { /* \' and \_ mean the character; \d is a slip, and keeps its backslash */
        s->kinds |= LENIENT_BREAK;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
            buf_addc(b, '\\');
        buf_addc(b, c);
    }
}

/* What was gathered, made fit for JSON. */
static char *take(struct lenient_scan *s, struct buf *b)
{
    size_t len = 0;
    char *raw = buf_take(b, &len, NULL), *text = raw ? lenient_scan_text(raw, len) : NULL;

    mem_free(raw);
    if (!text)
        s->no_memory = true;
    return text;
}

char *lenient_scan_string(struct lenient_scan *s, bool *cut)
{
    const char *open = s->p;
    size_t open_len = quote_len(open, s->end), n;
    struct buf b;

    *cut = false;
    if (*open != '"')
        s->kinds |= LENIENT_QUOTES;
    buf_init(&b, JSON_TEXT_MAX);
    for (s->p += open_len; s->p < s->end;) {
        if (*s->p == '\\' && s->end - s->p > 1) {
            s->p++;
            scan_escape(s, &b);
            continue;
        }
        n = quote_len(s->p, s->end);
        if (n > 0 && same_quote(open, open_len, s->p, n)) {
            if (closes(s->p + n, s->end)) {
                s->p += n;
                return take(s, &b);
            }
            if (*open != '\'') /* it's: an apostrophe is no slip */
                s->kinds |= LENIENT_INNER;
        }
        if ((unsigned char)*s->p < 0x20)
            s->kinds |= LENIENT_BREAK;
        buf_addc(&b, *s->p++);
    }
    s->kinds |= LENIENT_CUT;
    *cut = true;
    return take(s, &b);
}

/* A comment behind a word: a # or // with a blank before it. */
static bool starts_comment(const char *p, const char *from, const char *end)
{
    if (p == from || (p[-1] != ' ' && p[-1] != '\t'))
        return false;
    return *p == '#' || (*p == '/' && end - p > 1 && p[1] == '/');
}

char *lenient_scan_bare(struct lenient_scan *s, bool key, bool *cut)
{
    const char *from = s->p;
    const char *to;
    char *text;

    while (s->p < s->end && !strchr(key ? ",;}]\n:=" : ",;}]\n", *s->p ? *s->p : ' ') &&
           !starts_comment(s->p, from, s->end))
        s->p++;
    *cut = s->p == s->end;
    for (to = s->p; to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'); to--)
        ;
    if (key) /* a list of "- rank: 8" */
        while (from < to && (*from == '-' || *from == '*' || *from == ' '))
            from++;
    while (key && to > from && (to[-1] == '*' || to[-1] == '"'))
        to--;
    if (!(text = lenient_scan_text(from, (size_t)(to - from))))
        s->no_memory = true;
    return text;
}

char *lenient_scan_text(const char *p, size_t len)
{
    char *text = mem_alloc(len + 1);
    size_t at = 0, n;

    if (!text)
        return NULL;
    for (size_t i = 0; i < len; i += n ? n : 1) {
        n = p[i] ? text_utf8_len(p + i, len - i) : 0;
        if (n == 0)
            text[at++] = '?';
        for (size_t j = 0; j < n; j++)
            text[at++] = p[i + j];
    }
    text[at] = '\0';
    return text;
}
