/* text.c - see text.h. */
#include "common/core/text.h"

#include <stdint.h>
#include <string.h>

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The well-formed sequences are table 3-7 of the Unicode standard: only the second byte's range
 * depends on the first. */
size_t text_utf8_len(const char *p, size_t left)
{
    unsigned char first, second;

    if (left == 0)
        return 0;
    first = (unsigned char)p[0];
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4 || left < 2)
        return 0;
    second = (unsigned char)p[1];
    if (first < 0xE0)
        return is_tail(p[1]) ? 2 : 0;
    if (first < 0xF0) {
        if (second < (first == 0xE0 ? 0xA0 : 0x80) || second > (first == 0xED ? 0x9F : 0xBF))
            return 0;
        return left >= 3 && is_tail(p[2]) ? 3 : 0;
    }
    if (second < (first == 0xF0 ? 0x90 : 0x80) || second > (first == 0xF4 ? 0x8F : 0xBF))
        return 0;
    return left >= 4 && is_tail(p[2]) && is_tail(p[3]) ? 4 : 0;
}

bool text_utf8_valid(const char *p, size_t len)
{
    size_t at = 0, n;

    while (at < len) {
        if ((signed char)p[at] > 0) { /* ASCII: nearly every byte */
            at++;
            continue;
        }
        if (p[at] == '\0' || !(n = text_utf8_len(p + at, len - at)))
            return false;
        at += n;
    }
    return true;
}

size_t text_utf8_fit(const char *p, size_t len, size_t max)
{
    size_t cut;

    if (len <= max)
        return len;
    /* Look back over at most three tail bytes for the start of the character that is cut. */
    for (cut = max; cut > 0 && max - cut < 3 && is_tail(p[cut]); cut--)
        ;
    return is_tail(p[cut]) ? max : cut; /* not UTF-8 anyway */
}

/* U+202A-202E and U+2066-2069 reorder what a terminal shows. */
static bool is_direction(const char *p, size_t n)
{
    unsigned char last;

    if (n != 3 || (unsigned char)p[0] != 0xE2)
        return false;
    last = (unsigned char)p[2];
    return ((unsigned char)p[1] == 0x80 && last >= 0xAA && last <= 0xAE) ||
           ((unsigned char)p[1] == 0x81 && last >= 0xA6 && last <= 0xA9);
}

/* Bytes of the escape sequence at p, which is ESC. CSI and OSC go to their ends, else ESC and one
 * byte; a sequence that does not end takes ESC alone, so it cannot swallow the text. */
static size_t escape_len(const char *p, size_t left)
{
    size_t i;

    if (left < 2)
        return 1;
    if (p[1] == '[') {
        for (i = 2; i < left && p[i] >= 0x20 && p[i] <= 0x3F; i++)
            ;
        return i < left && p[i] >= 0x40 && p[i] <= 0x7E ? i + 1 : 1;
    }
    if (p[1] == ']') {
        for (i = 2; i < left; i++) {
            if (p[i] == '\a')
                return i + 1;
            if (p[i] == '\033')
                return i + 1 < left && p[i + 1] == '\\' ? i + 2 : 1;
        }
        return 1;
    }
    return p[1] >= 0x20 && p[1] <= 0x7E ? 2 : 1;
}

/* How many bytes of p make one unit of output; *plain when they may be shown as they are. */
static size_t clean_unit(const char *p, size_t left, bool *plain)
{
    size_t n = text_utf8_len(p, left);
    unsigned char first = (unsigned char)p[0];

    *plain = false;
    if (n == 0)
        return 1;
    if (first == 033)
        return escape_len(p, left);
    *plain = first >= 0x20 && first != 0x7F && !is_direction(p, n) &&
             !(first == 0xC2 && (unsigned char)p[1] < 0xA0);
    return n;
}

size_t text_clean(char *dst, size_t size, const char *src)
{
    size_t left = src ? strlen(src) : 0, out = 0;
    bool plain;

    if (size == 0)
        return 0;
    while (left > 0) {
        size_t n = clean_unit(src, left, &plain);
        size_t grows = plain ? n : 1;

        if (grows >= size - out)
            break;
        if (plain)
            memcpy(dst + out, src, n);
        else
            dst[out] = '?';
        out += grows;
        src += n;
        left -= n;
    }
    dst[out] = '\0';
    return out;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool text_equals_ci(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (lower(*a) != lower(*b))
            return false;
    return *a == *b;
}
