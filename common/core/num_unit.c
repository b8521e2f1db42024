/* num_unit.c - quantities with units: bytes and durations (num.h).
 *
 * "1.5GiB" is digits, an optional fraction, a unit of the table. The arithmetic is in integers, so
 * that what a user writes is exact. */
#include "common/core/num.h"
#include "common/core/err.h"
#include "common/core/unknown.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit byte_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"KiB", 1024},
    {"MiB", 1048576},
    {"GiB", 1073741824},
    {"TiB", 1099511627776},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};

#define FRACTION_MAX 6 /* digits: 10^6 times the largest unit still fits 64 bits */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int64_t unit_size(const struct unit *units, const char *name, size_t len)
{
    for (; units->name; units++)
        if (strlen(units->name) == len && memcmp(units->name, name, len) == 0)
            return units->size;
    return 0;
}

/* Read the fraction after a point: its digits as an integer, and the power of ten below it. */
static bool read_fraction(const char *text, size_t len, size_t *at, int64_t *part, int64_t *of)
{
    size_t from = *at;

    for (; *at < len && is_digit(text[*at]) && *at - from < FRACTION_MAX; (*at)++) {
        *part = *part * 10 + (text[*at] - '0');
        *of *= 10;
    }
    return *at > from;
}

/* A quantity in the base unit; false when it is none or does not fit. */
static bool read_quantity(const struct unit *units, const char *text, size_t len, int64_t *out)
{
    int64_t whole = 0, part = 0, of = 1, size;
    size_t at = 0;

    for (; at < len && is_digit(text[at]); at++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, text[at] - '0', &whole))
            return false;
    if (at == 0 || (text[0] == '0' && at > 1))
        return false;
    if (at < len && text[at] == '.') {
        at++;
        if (!read_fraction(text, len, &at, &part, &of))
            return false;
    }
    size = at == len && whole == 0 && part == 0 ? 1 : unit_size(units, text + at, len - at);
    if (size == 0 || (size == 1 && of > 1) || __builtin_mul_overflow(whole, size, &whole) ||
        __builtin_add_overflow(whole, part * size / of, &whole))
        return false;
    *out = whole;
    return true;
}

int num_parse_bytes(const char *text, size_t len, int64_t min, int64_t max, int64_t *out,
                    const char *name, struct err *err)
{
    char low[NUM_BYTES_TEXT_MAX], high[NUM_BYTES_TEXT_MAX];
    int64_t value;

    if (text && read_quantity(byte_units, text, len, &value) && value >= min && value <= max) {
        *out = value;
        return 0;
    }
    return err_set(err, ERR_INVALID,
                   "%s is \"%.*s\", want bytes such as 1024, 512MB or 8GiB, from %s to %s", name,
                   (int)(len < 60 ? len : 60), text ? text : "", num_format_bytes(min, low),
                   num_format_bytes(max, high));
}

/* The largest unit that divides it: 90000 -> "90s". */
static const char *format_ms(int64_t ms, char out[NUM_BYTES_TEXT_MAX])
{
    int best = 0;

    for (int i = 1; duration_units[i].name; i++)
        if (ms != 0 && ms % duration_units[i].size == 0)
            best = i;
    snprintf(out, NUM_BYTES_TEXT_MAX, "%lld%s", (long long)(ms / duration_units[best].size),
             duration_units[best].name);
    return out;
}

int num_parse_duration_ms(const char *text, size_t len, int64_t min, int64_t max, int64_t *out,
                          const char *name, struct err *err)
{
    char low[NUM_BYTES_TEXT_MAX], high[NUM_BYTES_TEXT_MAX];
    int64_t value;

    if (text && read_quantity(duration_units, text, len, &value) && value >= min && value <= max) {
        *out = value;
        return 0;
    }
    return err_set(err, ERR_INVALID,
                   "%s is \"%.*s\", want a time such as 250ms, 5s, 2m or 1h, from %s to %s", name,
                   (int)(len < 60 ? len : 60), text ? text : "", format_ms(min, low),
                   format_ms(max, high));
}

char *num_format_bytes(int64_t bytes, char out[NUM_BYTES_TEXT_MAX])
{
    static const char *const names[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double size = bytes < 0 ? -(double)bytes : (double)bytes;
    const char *sign = bytes < 0 ? "-" : "";
    size_t unit = 0;

    if (!known_i64(bytes)) {
        snprintf(out, NUM_BYTES_TEXT_MAX, "unknown");
        return out;
    }
    if (size < 1000) {
        snprintf(out, NUM_BYTES_TEXT_MAX, "%s%.0f B", sign, size);
        return out;
    }
    /* 999.5 would round to the four digits of 1000: it goes to the next unit. */
    for (size /= 1000; size >= 999.5 && unit < 5; unit++)
        size /= 1000;
    snprintf(out, NUM_BYTES_TEXT_MAX, "%s%.*f %s", sign,
             size < 9.995   ? 2
             : size < 99.95 ? 1
                            : 0,
             size, names[unit]);
    return out;
}
