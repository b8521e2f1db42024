/* token_estimate.c - see token_estimate.h. */
#include "coordinator/cycle/token_estimate.h"

#include <stdbool.h>

#define LETTERS_PER_TOKEN 4

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t token_estimate(const char *text, size_t len)
{
    size_t tokens = 0, run = 0;

    for (size_t i = 0; i < len; i++) {
        if (is_letter(text[i])) {
            tokens += run % LETTERS_PER_TOKEN == 0;
            run++;
            continue;
        }
        run = 0;
        tokens += text[i] != ' ' || (i + 1 < len && is_digit(text[i + 1]));
    }
    return tokens;
}
