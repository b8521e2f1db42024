/* num.c - see num.h. The grammar is checked by hand, character by character; the C library only
 * converts what passed, since strtod alone takes blanks, "inf", hex and a locale's comma. */
#include "common/core/num.h"
#include "common/core/err.h"
#include "common/core/unknown.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 60   /* of the text in an error */
#define NUMBER_MAX 400 /* 1.8e308 written out has 309 digits; no honest number is longer */

/* The text as it appears in an error: cut, never past its end. */
static int shown_len(size_t len)
{
    return len < SHOWN_MAX ? (int)len : SHOWN_MAX;
}

static int refuse_i64(const char *text, size_t len, int64_t min, int64_t max, const char *name,
                      struct err *err)
{
    return err_set(err, ERR_INVALID, "%s is \"%.*s\", want an integer %lld..%lld", name,
                   shown_len(len), text ? text : "", (long long)min, (long long)max);
}

/* Digits without leading zeros and an optional minus, within int64_t. */
static bool read_i64(const char *text, size_t len, int64_t *out)
{
    bool negative = len > 0 && text[0] == '-';
    size_t at = negative;
    int64_t value = 0; /* counts downwards: INT64_MIN has no positive twin */

    if (at == len || (text[at] == '0' && (len - at > 1 || negative)))
        return false;
    for (; at < len; at++) {
        if (text[at] < '0' || text[at] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text[at] - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

int num_parse_i64(const char *text, size_t len, int64_t min, int64_t max, int64_t *out,
                  const char *name, struct err *err)
{
    int64_t value;

    if (!read_i64(text, len, &value) || value < min || value > max)
        return refuse_i64(text, len, min, max, name, err);
    *out = value;
    return 0;
}

static size_t digits(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* RFC 8259: [-] int [. digits] [e [+-] digits], nothing else. */
static bool is_number(const char *text, size_t len)
{
    size_t at = len > 0 && text[0] == '-', from = at;

    at = digits(text, len, at);
    if (at == from || (text[from] == '0' && at - from > 1))
        return false;
    if (at < len && text[at] == '.') {
        from = ++at;
        at = digits(text, len, at);
        if (at == from)
            return false;
    }
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < len && (text[at] == '+' || text[at] == '-'))
            at++;
        from = at;
        at = digits(text, len, at);
        if (at == from)
            return false;
    }
    return at == len;
}

/* A digit other than 0 before the exponent: the number is not zero, whatever strtod says. */
static bool has_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len && text[i] != 'e' && text[i] != 'E'; i++)
        if (text[i] >= '1' && text[i] <= '9')
            return true;
    return false;
}

const char *num_read_f64(const char *text, size_t len, double *out)
{
    char copy[NUMBER_MAX + 1];
    double value;

    if (!is_number(text, len))
        return "is no number";
    if (len > NUMBER_MAX)
        return "has too many digits";
    memcpy(copy, text, len);
    copy[len] = '\0';
    value = strtod(copy, NULL);
    if (isinf(value))
        return "is too large";
    if (value == 0.0 && has_value(text, len))
        return "is too small to tell from 0";
    *out = value;
    return NULL;
}

int num_parse_f64(const char *text, size_t len, double min, double max, double *out,
                  const char *name, struct err *err)
{
    const char *wrong;
    double value = 0.0;

    if ((wrong = num_read_f64(text, len, &value)))
        return err_set(err, ERR_INVALID, "%s is \"%.*s\", which %s; want a number %g..%g", name,
                       shown_len(len), text ? text : "", wrong, min, max);
    if (value < min || value > max)
        return err_set(err, ERR_INVALID, "%s is \"%.*s\", want a number %g..%g", name,
                       shown_len(len), text, min, max);
    *out = value;
    return 0;
}

/* Every number has a text of at most 17 digits that reads back; most need 15 or fewer, which %g
 * gives at 15. Numbers below DBL_MIN have fewer digits to begin with. */
char *num_format_f64(double value, char out[NUM_F64_TEXT_MAX])
{
    int precision = fabs(value) < DBL_MIN ? 1 : 15;

    if (isnan(value) || isinf(value)) {
        snprintf(out, NUM_F64_TEXT_MAX, "%s",
                 isnan(value) ? "unknown" : (value > 0 ? "inf" : "-inf"));
        return out;
    }
    do {
        snprintf(out, NUM_F64_TEXT_MAX, "%.*g", precision, value);
    } while (strtod(out, NULL) != value && ++precision <= 17);
    return out;
}
