/* lint_words.c - words in ASCII text; bytes beyond it count as letters. */
#include "coordinator/signature/lint_words.h"

#include <string.h>

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (unsigned char)c >= 0x80;
}

static bool starts_with(const char *text, const char *word)
{
    while (*word && lower(*text) == *word) {
        text++;
        word++;
    }
    return !*word;
}

bool lint_words_part(const char *name, const char *const *words)
{
    for (; *words; words++)
        for (const char *p = name; *p; p++)
            if (starts_with(p, *words))
                return true;
    return false;
}

static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = text; *p; p++)
        if ((p == text || !is_letter(p[-1])) && starts_with(p, word) && !is_letter(p[len]))
            return true;
    return false;
}

bool lint_words_any(const char *text, const char *const *words)
{
    for (; text && *words; words++)
        if (has_word(text, *words))
            return true;
    return false;
}

bool lint_words_chip(const char *text)
{
    for (const char *p = text; *p; p++) {
        size_t digits = 1;

        if ((*p != 'M' && *p != 'A') || !is_digit(p[1]) ||
            (p != text && (is_letter(p[-1]) || is_digit(p[-1]))))
            continue;
        while (is_digit(p[digits]))
            digits++;
        if (digits <= 3 && !is_letter(p[digits]))
            return true;
    }
    return false;
}

size_t lint_words_count(const char *text)
{
    size_t count = 0;
    bool inside = false;

    for (; *text; text++) {
        bool now = is_letter(*text) || is_digit(*text);

        count += now && !inside;
        inside = now;
    }
    return count;
}

bool lint_words_alike(const char *a, const char *b)
{
    for (;;) {
        while (*a == '_')
            a++;
        while (*b == '_')
            b++;
        if (!*a || !*b || lower(*a) != lower(*b))
            return !*a && !*b;
        a++;
        b++;
    }
}
