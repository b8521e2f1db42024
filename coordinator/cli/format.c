/* format.c - see format.h. */
#include "coordinator/cli/format.h"

#include "common/core/clock.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/model/record.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define GIB 1073741824LL

static char *put(char out[FORMAT_MAX], const char *text)
{
    snprintf(out, FORMAT_MAX, "%s", text);
    return out;
}

/* Three digits, and no zeros after the point that say nothing. */
static void three_digits(double value, char out[FORMAT_MAX])
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    char *end;

    snprintf(out, FORMAT_MAX, "%.*f", decimals, value);
    if (!strchr(out, '.'))
        return;
    for (end = out + strlen(out) - 1; *end == '0'; end--)
        *end = '\0';
    if (*end == '.')
        *end = '\0';
}

/* value in the largest unit of which it has one; the units are a thousand apart. */
static char *scaled(double value, const char *const *units, size_t count, char out[FORMAT_MAX])
{
    char digits[FORMAT_MAX];
    size_t unit = 0;

    while (unit + 1 < count && fabs(value) >= 999.5) {
        value /= 1000;
        unit++;
    }
    three_digits(fabs(value), digits);
    snprintf(out, FORMAT_MAX, "%s%.16s%s", value < 0 ? "-" : "", digits, units[unit]);
    return out;
}

char *format_bytes(int64_t bytes, char out[FORMAT_MAX])
{
    static const char *const units[] = {" B", " kB", " MB", " GB", " TB", " PB"};

    if (!known_i64(bytes))
        return put(out, "?");
    return scaled((double)bytes, units, 6, out);
}

char *format_memory(int64_t bytes, char out[FORMAT_MAX])
{
    if (known_i64(bytes) && bytes >= GIB && bytes % GIB == 0) {
        snprintf(out, FORMAT_MAX, "%lld GB", (long long)(bytes / GIB));
        return out;
    }
    return format_bytes(bytes, out);
}

char *format_used(int64_t used, int64_t limit, char out[FORMAT_MAX])
{
    char a[FORMAT_MAX], b[FORMAT_MAX];
    char *unit_a, *unit_b;

    format_bytes(used, a);
    format_bytes(limit, b);
    unit_a = strchr(a, ' ');
    unit_b = strchr(b, ' ');
    if (unit_a && unit_b && strcmp(unit_a, unit_b) == 0)
        *unit_a = '\0';
    snprintf(out, FORMAT_MAX, "%.20s of %.20s", a, b);
    return out;
}

char *format_seconds(double seconds, char out[FORMAT_MAX])
{
    char digits[FORMAT_MAX];
    long long whole;

    if (!known_f64(seconds) || seconds < 0)
        return put(out, "?");
    if (seconds < 0.9995) {
        three_digits(seconds * 1000 < 9.95 ? round(seconds * 1e4) / 10 : round(seconds * 1000),
                     digits);
        snprintf(out, FORMAT_MAX, "%.16s ms", digits);
        return seconds == 0 ? put(out, "0 s") : out;
    }
    if (seconds < 59.5) {
        three_digits(seconds < 9.95 ? round(seconds * 10) / 10 : round(seconds), digits);
        snprintf(out, FORMAT_MAX, "%.16s s", digits);
        return out;
    }
    whole = seconds < 1e15 ? llround(seconds) : 0;
    if (seconds >= 1e15)
        snprintf(out, FORMAT_MAX, "%.3g s", seconds);
    else if (whole < 3600)
        snprintf(out, FORMAT_MAX, whole % 60 ? "%lld min %lld s" : "%lld min", whole / 60,
                 whole % 60);
    else if ((whole = (whole + 30) / 60) < 1440) /* minutes from here on */
        snprintf(out, FORMAT_MAX, whole % 60 ? "%lld h %lld min" : "%lld h", whole / 60,
                 whole % 60);
    else
        snprintf(out, FORMAT_MAX, whole / 60 % 24 ? "%lld d %lld h" : "%lld d", whole / 1440,
                 whole / 60 % 24);
    return out;
}

char *format_age(int64_t age_ms, char out[FORMAT_MAX])
{
    char span[FORMAT_MAX];

    if (!known_i64(age_ms))
        return put(out, "never");
    if (age_ms < 1000)
        return put(out, "now");
    format_seconds(floor((double)age_ms / 1000), span);
    snprintf(out, FORMAT_MAX, "%.32s ago", span);
    return out;
}

char *format_when(int64_t wall_ms, char out[FORMAT_MAX])
{
    char text[CLOCK_TEXT_MAX];

    clock_format_utc(wall_ms, text);
    if (strlen(text) < 19)
        return put(out, "?");
    snprintf(out, FORMAT_MAX, "%.10s %.8s UTC", text, text + 11);
    return out;
}

char *format_integer(int64_t value, char out[FORMAT_MAX])
{
    char digits[32];
    size_t len, at = 0, from = 0;

    if (!known_i64(value))
        return put(out, "?");
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    len = strlen(digits);
    if (digits[0] == '-')
        out[at++] = digits[from++];
    for (; from < len; from++) {
        out[at++] = digits[from];
        if (from + 1 < len && (len - from - 1) % 3 == 0)
            out[at++] = ',';
    }
    out[at] = '\0';
    return out;
}

char *format_amount(double value, char out[FORMAT_MAX])
{
    static const char *const units[] = {"", " k", " M", " G", " T", " P"};

    if (!known_f64(value))
        return put(out, "?");
    return scaled(value, units, 6, out);
}

char *format_share(double share, char out[FORMAT_MAX])
{
    if (!known_f64(share))
        return put(out, "?");
    snprintf(out, FORMAT_MAX, share > 0 && share < 0.0995 ? "%.1f %%" : "%.0f %%", share * 100);
    return out;
}

char *format_bits_rate(double bps, char out[FORMAT_MAX])
{
    static const char *const units[] = {" bit/s", " kbit/s", " Mbit/s", " Gbit/s", " Tbit/s"};

    if (!known_f64(bps))
        return put(out, "?");
    return scaled(bps, units, 5, out);
}

char *format_change(double now, double before, char out[FORMAT_MAX])
{
    double change;

    if (!known_f64(now) || !known_f64(before) || before <= 0)
        return put(out, "");
    change = (now / before - 1) * 100;
    if (fabs(change) < 0.5)
        return put(out, "same");
    if (change >= 999.5)
        snprintf(out, FORMAT_MAX, "%.3gx", now / before);
    else
        snprintf(out, FORMAT_MAX, "%+.0f %%", change);
    return out;
}

const char *format_chip(const char *chip)
{
    if (!chip)
        return "?";
    return strncmp(chip, "Apple ", 6) == 0 && chip[6] ? chip + 6 : chip;
}

static char *format_f64_unit(double value, const char *unit, char out[FORMAT_MAX])
{
    static const char *const flops[] = {" FLOP/s",  " kFLOP/s", " MFLOP/s",
                                        " GFLOP/s", " TFLOP/s", " PFLOP/s"};
    static const char *const rate[] = {" B/s", " kB/s", " MB/s", " GB/s", " TB/s"};
    char number[NUM_F64_TEXT_MAX];

    if (strcmp(unit, "s") == 0)
        return format_seconds(value, out);
    if (strcmp(unit, "share") == 0)
        return format_share(value, out);
    if (strcmp(unit, "bits/s") == 0)
        return format_bits_rate(value, out);
    if (strcmp(unit, "FLOP/s") == 0)
        return scaled(value, flops, 6, out);
    if (strcmp(unit, "bytes/s") == 0)
        return scaled(value, rate, 5, out);
    if (strcmp(unit, "percent") == 0) {
        snprintf(out, FORMAT_MAX, "%.0f %%", value);
        return out;
    }
    if (*unit && fabs(value) >= 10)
        format_amount(value, out);
    else
        put(out, num_format_f64(value, number));
    if (*unit)
        snprintf(out + strlen(out), FORMAT_MAX - strlen(out), " %s", unit);
    return out;
}

static char *format_i64_unit(int64_t value, const char *name, const char *unit,
                             char out[FORMAT_MAX])
{
    size_t len = strlen(name);

    if (strcmp(unit, "bytes") == 0)
        return strcmp(name, "memory_bytes") == 0 ? format_memory(value, out)
                                                 : format_bytes(value, out);
    if (strcmp(unit, "ms") == 0) {
        if (len > 7 && strcmp(name + len - 7, "_age_ms") == 0)
            return format_age(value, out);
        if (strcmp(name, "at_ms") == 0 || strcmp(name, "created_ms") == 0 ||
            strcmp(name, "updated_ms") == 0)
            return format_when(value, out);
        return format_seconds((double)value / 1000, out);
    }
    format_integer(value, out);
    if (*unit && strcmp(unit, name) != 0) { /* "layers 16" says it already */
        size_t letters = strlen(unit);

        if (value == 1 && unit[letters - 1] == 's')
            letters--;
        snprintf(out + strlen(out), FORMAT_MAX - strlen(out), " %.*s", (int)letters, unit);
    }
    return out;
}

char *format_field(const struct field *f, const void *record, char out[FORMAT_MAX])
{
    const void *at = field_at(f, record);
    const char *unit = f->unit ? f->unit : "";
    const char *word;

    if (!field_is_known(f, record))
        return put(out, "?");
    switch (f->type) {
    case FIELD_I64:
        return format_i64_unit(*(const int64_t *)at, f->name, unit, out);
    case FIELD_F64:
        return format_f64_unit(*(const double *)at, unit, out);
    case FIELD_BOOL:
        return put(out, *(const int *)at == TRI_TRUE ? "yes" : "no");
    case FIELD_ENUM:
        word = enum_name(f->names, *(const int *)at);
        return put(out, word ? word : "?");
    case FIELD_TEXT:
    case FIELD_PROSE:
    case FIELD_RECORD:
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        break;
    }
    return put(out, "");
}

/* Ranges of the Unicode standard's East Asian Width (W and F) and of its combining marks and
 * joiners, joined where what lies between is unassigned; good enough to keep columns straight. */
struct range {
    unsigned first, last;
};

static const struct range wide_ranges[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

static const struct range empty_ranges[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};

static bool within(unsigned code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static unsigned code_point(const char *p, size_t n)
{
    unsigned code = (unsigned char)p[0];

    if (n < 2)
        return code;
    code &= 0xFFu >> (n + 1);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3F);
    return code;
}

/* Columns of the character at p, whose bytes go to *n. */
static size_t char_columns(const char *p, size_t left, size_t *n)
{
    unsigned code;

    *n = text_utf8_len(p, left);
    if (*n == 0) {
        *n = 1;
        return 1;
    }
    code = code_point(p, *n);
    if (within(code, empty_ranges, sizeof empty_ranges / sizeof empty_ranges[0]))
        return 0;
    return within(code, wide_ranges, sizeof wide_ranges / sizeof wide_ranges[0]) ? 2 : 1;
}

size_t format_columns(const char *text)
{
    size_t left = strlen(text), columns = 0, n;

    for (; left > 0; text += n, left -= n)
        columns += char_columns(text, left, &n);
    return columns;
}

size_t format_fit(const char *text, size_t columns)
{
    size_t left = strlen(text), at = 0, n, width;

    while (at < left) {
        width = char_columns(text + at, left - at, &n);
        if (width > columns)
            break;
        columns -= width;
        at += n;
    }
    return at;
}
