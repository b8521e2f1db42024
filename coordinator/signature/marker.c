/* marker.c - lines, blanks and markers, byte by byte. */
#include "coordinator/signature/marker.h"

#include "common/core/buf.h"

#include <string.h>

static size_t break_len(const char *p, size_t left)
{
    unsigned char c = (unsigned char)*p;

    if (c >= 0x20 && c < 0xc2) /* nearly every byte */
        return 0;
    if (c == '\r')
        return left > 1 && p[1] == '\n' ? 2 : 1;
    if (c == '\n' || c == '\v' || c == '\f' || (c >= 0x1c && c <= 0x1e))
        return 1;
    if (left > 1 && memcmp(p, "\xc2\x85", 2) == 0) /* NEL */
        return 2;
    if (left > 2 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0))
        return 3;
    return 0;
}

size_t marker_line(const char *text, size_t len, size_t *line_len)
{
    for (size_t i = 0; i < len; i++) {
        size_t n = break_len(text + i, len - i);

        if (n > 0) {
            *line_len = i;
            return i + n;
        }
    }
    *line_len = len;
    return len;
}

/* Bytes of the blank that starts at p; 0 when it is none. */
static size_t blank_len(const char *p, size_t left)
{
    static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                       "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                       "\xe2\x81\x9f", "\xe3\x80\x80"};
    unsigned char c = (unsigned char)*p;

    if (c > ' ' && c < 0xc2) /* nearly every byte */
        return 0;
    if (c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f))
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (left >= strlen(wide[i]) && memcmp(p, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    if (left > 2 && memcmp(p, "\xe2\x80", 2) == 0 && (unsigned char)p[2] >= 0x80 &&
        (unsigned char)p[2] <= 0x8a) /* U+2000 to U+200A */
        return 3;
    return 0;
}

void marker_trim(const char **text, size_t *len)
{
    size_t n, tail;

    while (*len > 0 && (n = blank_len(*text, *len)) > 0) {
        *text += n;
        *len -= n;
    }
    while (*len > 0) {
        for (tail = 1; tail <= 3 && tail <= *len; tail++)
            if (blank_len(*text + *len - tail, tail) == tail)
                break;
        if (tail > 3 || tail > *len)
            return;
        *len -= tail;
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Over characters of the set; how many. */
static size_t skip(const char **p, const char *end, const char *set)
{
    const char *from = *p;

    while (*p < end && is_in(**p, set))
        ++*p;
    return (size_t)(*p - from);
}

static bool match_exact(const char *p, size_t len, struct marker *out)
{
    static const char open[] = "[[ ## ", close[] = " ## ]]";
    const char *end;

    marker_trim(&p, &len);
    end = p + len;
    if (len < sizeof open - 1 || memcmp(p, open, sizeof open - 1) != 0)
        return false;
    out->name = p += sizeof open - 1;
    while (p < end && is_word(*p))
        p++;
    out->name_len = (size_t)(p - out->name);
    if (out->name_len == 0 || (size_t)(end - p) < sizeof close - 1 ||
        memcmp(p, close, sizeof close - 1) != 0)
        return false;
    out->rest = p + sizeof close - 1;
    out->rest_len = (size_t)(end - out->rest);
    return true;
}

/* Decoration and brackets in any order, the name, and the same again: [[##a##]], **[[ ## a ## ]]**,
 * [** [## a. One bracket alone is a link, unless there is a # with it. */
static bool match_lenient(const char *p, size_t len, struct marker *out)
{
    const char *end;
    size_t brackets = 0, hashes = 0;

    marker_trim(&p, &len);
    for (end = p + len; p < end && is_in(*p, " \t*_#>`-["); p++) {
        brackets += *p == '[';
        hashes += *p == '#' && brackets > 0;
    }
    out->name = p;
    while (p < end && is_word(*p))
        p++;
    out->name_len = (size_t)(p - out->name);
    hashes += skip(&p, end, " \t#*");
    if (brackets < 1 || brackets > 2 || (brackets == 1 && hashes == 0) || out->name_len == 0 ||
        p == end || *p != ']')
        return false;
    skip(&p, end, "]");
    skip(&p, end, " \t*_`:");
    out->rest = p;
    out->rest_len = (size_t)(end - p);
    return true;
}

bool marker_match(const char *line, size_t len, enum marker_form form, struct marker *out)
{
    return form == MARKER_EXACT ? match_exact(line, len, out) : match_lenient(line, len, out);
}

/* Whether [[ at p could open a marker: blanks and then # or a word. */
static bool could_open(const char *p, const char *end)
{
    if (end - p < 2 || p[0] != '[' || p[1] != '[')
        return false;
    for (p += 2; p < end; p++) {
        size_t n = blank_len(p, (size_t)(end - p));

        if (n == 0)
            return *p == '#';
        p += n - 1;
    }
    return false;
}

size_t marker_neutralise(struct buf *b, const char *text, size_t len)
{
    const char *end = text + len, *from = text;
    size_t broken = 0;

    for (const char *p = text; (p = memchr(p, '[', (size_t)(end - p))); p++) {
        if (!could_open(p, end))
            continue;
        buf_add(b, from, (size_t)(p + 1 - from));
        buf_addc(b, ' ');
        from = p + 1;
        broken++;
    }
    buf_add(b, from, (size_t)(end - from));
    return broken;
}
