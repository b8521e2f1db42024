/* recording_text.c - integers beyond 2^53 in quotes, so that the strict reader takes the rest.
 *
 * Only whole tokens outside strings are touched: a minus and digits, no leading zero. */
#include "common/recording/recording_source.h"

#include "common/core/buf.h"
#include "common/core/limits.h"
#include "common/recording/recording.h"

#include <stdint.h>
#include <string.h>

#define DIGITS_ALWAYS_FIT 15 /* 10^15 < 2^53 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_of_number(char c)
{
    return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool is_wide(const char *token, size_t len)
{
    uint64_t value = 0;
    size_t i = token[0] == '-' ? 1 : 0;

    if (len - i <= DIGITS_ALWAYS_FIT || token[i] == '0')
        return false;
    for (; i < len; i++) {
        if (!is_digit(token[i]))
            return false;
        if (value <= JSON_INTEGER_MAX)
            value = value * 10 + (uint64_t)(token[i] - '0');
    }
    return value > JSON_INTEGER_MAX;
}

/* Bytes of the string that starts at the quote p[0], both quotes included, or all that is left. */
static size_t string_len(const char *p, size_t left)
{
    size_t i = 1;

    while (i < left && p[i] != '"')
        i += p[i] == '\\' ? 2 : 1;
    return i < left ? i + 1 : left;
}

static size_t token_len(const char *p, size_t left)
{
    size_t i = 0;

    if (p[0] == '"')
        return string_len(p, left);
    while (i < left && is_of_number(p[i]))
        i++;
    return i ? i : 1;
}

char *recording_quote_wide(const char *text, size_t len, size_t *out_len, struct err *err)
{
    struct buf b;
    size_t n;

    buf_init(&b, 2 * RECORDING_TEXT_MAX);
    for (size_t i = 0; i < len; i += n) {
        bool wide;

        n = token_len(text + i, len - i);
        wide = is_wide(text + i, n);
        if (wide)
            buf_addc(&b, '"');
        buf_add(&b, text + i, n);
        if (wide)
            buf_addc(&b, '"');
    }
    buf_adds(&b, ""); /* of an empty text too, there is something to take */
    return buf_take(&b, out_len, err);
}
