/* lenient_key.c - the key of a member and its colon, with what stands about them by mistake. */
#include "coordinator/signature/lenient_scan.h"

#include "common/core/mem.h"

#include <string.h>

static bool next_is(const struct lenient_scan *s, size_t ahead, const char *set)
{
    return (size_t)(s->end - s->p) > ahead && s->p[ahead] && strchr(set, s->p[ahead]);
}

static size_t skip_set(const struct lenient_scan *s, size_t ahead, const char *set)
{
    while (next_is(s, ahead, set))
        ahead++;
    return ahead;
}

/* What stands before a key by mistake: {{"a": 1}, {["a": 1}, {""a": 1}. */
static void skip_before_key(struct lenient_scan *s)
{
    while (next_is(s, 0, "{") || (s->arrays == 0 && next_is(s, 0, "["))) {
        s->kinds |= LENIENT_STRAY;
        s->p++;
        lenient_scan_blanks(s);
    }
    if (next_is(s, 0, "\"") && next_is(s, 1, "\"") && !next_is(s, 2, ":= \t\r\n,}")) {
        s->kinds |= LENIENT_STRAY;
        s->p++;
    }
}

/* A key of one word whose end is not as it should be: "a: "text", "a"": 1, "a",: 1. NULL: it is
 * none; else p stands at the colon. */
static char *scan_bad_key(struct lenient_scan *s)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t end = next_is(s, 0, "\"'") ? skip_set(s, 1, word) : 0, colon = end;
    char *key;

    if (end < 2)
        return NULL;
    if (next_is(s, end, "\"'")) {
        colon = skip_set(s, end + 1, "[]{},\"'");
        if (colon == end + 1 || colon > end + 3 || !next_is(s, colon, ":"))
            return NULL;
    } else if (!next_is(s, colon, ":") ||
               !next_is(s, skip_set(s, colon + 1, " \t"), "\"{[-0123456789")) {
        return NULL;
    }
    if (!(key = lenient_scan_text(s->p + 1, end - 1))) {
        s->no_memory = true;
        return NULL;
    }
    s->kinds |= LENIENT_STRAY;
    s->p += colon;
    return key;
}

/* p stands behind a key: over its colon, or over nothing where a quoted key is followed by a value
 * at once. */
static bool take_colon(struct lenient_scan *s, bool quoted)
{
    size_t blanks;

    if (next_is(s, 0, "[]\"'") && next_is(s, 1, ":")) {
        s->kinds |= LENIENT_STRAY;
        s->p++;
    }
    if (!next_is(s, 0, ":=")) {
        if (!quoted || !next_is(s, 0, "\"{[-0123456789"))
            return false;
        s->kinds |= LENIENT_STRAY;
        return true;
    }
    if (*s->p == '=')
        s->kinds |= LENIENT_BARE;
    for (s->p++; next_is(s, 0, ":"); s->p++)
        s->kinds |= LENIENT_STRAY;
    blanks = skip_set(s, 0, " \t");
    if (s->arrays == 0 && next_is(s, blanks, "]")) {
        s->kinds |= LENIENT_STRAY;
        s->p += blanks + 1;
    }
    return true;
}

char *lenient_scan_key(struct lenient_scan *s)
{
    bool cut = false, quoted;
    char *key;

    skip_before_key(s);
    quoted = lenient_at_quote(s);
    key = scan_bad_key(s);
    if (!key && !s->no_memory)
        key = quoted ? lenient_scan_string(s, &cut) : lenient_scan_bare(s, true, &cut);
    if (!key)
        return NULL;
    lenient_scan_blanks(s);
    if (cut || s->p == s->end || !*key || !take_colon(s, quoted)) {
        s->kinds |= cut || s->p == s->end ? LENIENT_CUT : LENIENT_NO_VALUE;
        mem_free(key);
        return NULL;
    }
    if (!quoted)
        s->kinds |= LENIENT_BARE;
    lenient_scan_blanks(s);
    return key;
}
