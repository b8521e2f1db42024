/* cast_text.c - Python's spellings of scalars. */
#include "coordinator/signature/cast_text.h"

#include "common/core/buf.h"
#include "common/core/text.h"
#include "coordinator/signature/value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with single underscores between them, copied without those; how many of the text. */
static size_t take_digits(const char *p, char *out, size_t *at)
{
    size_t i = 0;

    while (is_digit(p[i]) || (p[i] == '_' && i > 0 && is_digit(p[i - 1]) && is_digit(p[i + 1]))) {
        if (p[i] != '_')
            out[(*at)++] = p[i];
        i++;
    }
    return i;
}

static bool read_hexadecimal(const char *p, bool negative, char out[CAST_NUMBER_MAX])
{
    char *end;
    unsigned long long n;

    if (!isxdigit((unsigned char)p[2]) || strlen(p) > 15) /* 52 bits: exact wherever it goes */
        return false;
    n = strtoull(p, &end, 16);
    if (*end)
        return false;
    snprintf(out, CAST_NUMBER_MAX, "%s%llu", negative && n ? "-" : "", n);
    return true;
}

bool cast_float(const char *plain, char out[CAST_NUMBER_MAX])
{
    double value = strtod(plain, NULL);
    struct buf b;

    if (!isfinite(value))
        return false;
    buf_init(&b, CAST_NUMBER_MAX - 1);
    value_add_float(&b, value);
    if (b.data)
        snprintf(out, CAST_NUMBER_MAX, "%s", b.data);
    buf_clear(&b);
    return b.max > 0 && out[0];
}

/* After the sign. `plain` collects what strtod reads. */
static bool read_decimal(const char *p, bool zeros, char *plain, size_t at,
                         char out[CAST_NUMBER_MAX])
{
    size_t start = at, whole, n;
    bool fraction = false;

    whole = take_digits(p, plain, &at);
    p += whole;
    if (whole > 1 && plain[start] == '0' && !zeros)
        return false;
    if (*p == '.') {
        plain[at++] = *p++;
        fraction = true;
        n = take_digits(p, plain, &at);
        p += n;
        if (whole + n == 0)
            return false;
    } else if (whole == 0) {
        return false;
    }
    if (*p == 'e' || *p == 'E') {
        plain[at++] = *p++;
        fraction = true;
        if (*p == '+' || *p == '-')
            plain[at++] = *p++;
        n = take_digits(p, plain, &at);
        p += n;
        if (n == 0)
            return false;
    }
    plain[at] = '\0';
    if (*p)
        return false;
    if (fraction)
        return cast_float(plain, out);
    for (n = start; plain[n] == '0' && plain[n + 1]; n++)
        ;
    memmove(plain + start, plain + n, at - n + 1);
    snprintf(out, CAST_NUMBER_MAX, "%s", strcmp(plain, "-0") == 0 ? "0" : plain);
    return true;
}

bool cast_number(const char *text, size_t len, bool zeros, char out[CAST_NUMBER_MAX])
{
    char copy[CAST_NUMBER_MAX], plain[CAST_NUMBER_MAX];
    const char *p = copy;
    bool negative;

    if (len == 0 || len >= CAST_NUMBER_MAX - 2)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    out[0] = '\0';
    negative = *p == '-';
    if (*p == '+' || *p == '-')
        p++;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
        return read_hexadecimal(p, negative, out);
    plain[0] = '-';
    return read_decimal(p, zeros, plain, negative, out);
}

int cast_truth(const char *text)
{
    static const char *const words[][6] = {{"false", "no", "off", "0", "f", "n"},
                                           {"true", "yes", "on", "1", "t", "y"}};

    for (int truth = 0; truth < 2; truth++)
        for (size_t i = 0; i < 6; i++)
            if (text_equals_ci(text, words[truth][i]))
                return truth;
    return -1;
}

bool cast_integer(const char *number, char out[CAST_NUMBER_MAX])
{
    double value;

    if (!strpbrk(number, ".eE")) {
        snprintf(out, CAST_NUMBER_MAX, "%s", number);
        return true;
    }
    value = strtod(number, NULL);
    if (!isfinite(value) || value != floor(value) || fabs(value) > 1e300)
        return false;
    snprintf(out, CAST_NUMBER_MAX, "%.0f", value + 0.0); /* + 0.0: no -0 */
    return true;
}
