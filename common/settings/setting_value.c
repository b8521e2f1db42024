/* setting_value.c - one value: read, printed, freed, described. */
#include "common/settings/settings_inner.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void *member(const struct setting *row, const void *values)
{
    return (char *)(uintptr_t)values + row->offset;
}

bool setting_is_text(const struct setting *row)
{
    return row->type == SETTING_TEXT || row->type == SETTING_PATH || row->type == SETTING_WORDS;
}

/* A limit of the row as an integer; doubles past int64_t are its ends. */
static int64_t limit_i64(double limit)
{
    if (limit >= 0x1p63)
        return INT64_MAX;
    return limit <= -0x1p63 ? INT64_MIN : (int64_t)limit;
}

static bool has_limits(const struct setting *row)
{
    return row->min != 0 || row->max != 0;
}

/* --- reading --- */

/* Texts in errors: those of secrets are left out. */
static int refuse(const struct setting *row, const char *text, const char *wanted, struct err *err)
{
    if (row->flags & SETTING_SECRET)
        return err_set(err, ERR_INVALID, "%s: wanted %s", row->name, wanted);
    return err_set(err, ERR_INVALID, "%s: \"%.100s\", wanted %s", row->name, text, wanted);
}

static int check_text(const struct setting *row, const char *text, struct err *err)
{
    size_t len = strlen(text), max = row->max > 0 ? (size_t)row->max : SETTINGS_TEXT_MAX;
    char wanted[64];

    if (len > max) {
        snprintf(wanted, sizeof wanted, "at most %zu bytes", max);
        return refuse(row, text, wanted, err);
    }
    if (!text_utf8_valid(text, len))
        return refuse(row, "(bytes)", "UTF-8 text", err);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return refuse(row, "(text)", "one line without control characters", err);
    return 0;
}

static void words_free(char **words)
{
    for (char **w = words; w && *w; w++)
        mem_free(*w);
    mem_free(words);
}

/* The next word at *text, which moves behind it; NULL with *text at its end, or when memory is out,
 * or on a quote that never ends (*text then at it). */
static char *word_next(const char **text)
{
    const char *p = *text + strspn(*text, " \t");
    bool quoted = *p == '"';
    size_t len;
    char *word;

    *text = p;
    if (!*p)
        return NULL;
    p += quoted;
    len = strcspn(p, quoted ? "\"" : " \t");
    if (quoted && !p[len])
        return NULL;
    if ((word = mem_strndup(p, len)))
        *text = p + len + quoted;
    return word;
}

static int parse_words(const struct setting *row, const char *text, char ***out, struct err *err)
{
    char **words = mem_calloc(SETTINGS_WORDS_MAX + 1, sizeof *words);
    const char *rest = text;
    size_t count = 0;

    if (!words)
        return err_set(err, ERR_NOMEM, "%s", row->name);
    while (count < SETTINGS_WORDS_MAX && (words[count] = word_next(&rest)))
        count++;
    rest += strspn(rest, " \t");
    if (!*rest) {
        *out = words;
        return 0;
    }
    words_free(words);
    if (count == SETTINGS_WORDS_MAX)
        return refuse(row, text, "at most 64 words", err);
    if (*rest == '"' && !strchr(rest + 1, '"'))
        return refuse(row, text, "a quote at the end too", err);
    return err_set(err, ERR_NOMEM, "%s", row->name);
}

static int parse_text(const struct setting *row, const char *text, const char *home, void *values,
                      struct err *err)
{
    char *copy = NULL, **words = NULL;

    if (check_text(row, text, err) < 0)
        return -1;
    if (row->type == SETTING_WORDS) {
        if (text[strspn(text, " \t")] && parse_words(row, text, &words, err) < 0)
            return -1;
        setting_clear(row, values);
        memcpy(member(row, values), &words, sizeof words);
        return 0;
    }
    if (row->type == SETTING_PATH && text[0] == '~' && text[1] == '/') {
        struct buf b;

        if (!home || !*home)
            return refuse(row, text, "a path without ~: HOME is not set", err);
        buf_init(&b, PATH_TEXT_MAX);
        buf_adds(&b, home);
        buf_adds(&b, text + 1);
        if (!(copy = buf_take(&b, NULL, err)))
            return err_prefix(err, "%s", row->name);
    } else if (*text && !(copy = mem_strdup(text))) {
        return err_set(err, ERR_NOMEM, "%s", row->name);
    }
    setting_clear(row, values);
    memcpy(member(row, values), &copy, sizeof copy);
    return 0;
}

static int parse_number(const struct setting *row, const char *text, void *values, struct err *err)
{
    int64_t min = has_limits(row) ? limit_i64(row->min) : INT64_MIN;
    int64_t max = has_limits(row) ? limit_i64(row->max) : INT64_MAX;
    size_t len = strlen(text);
    int64_t value;
    int rc;

    if (row->type == SETTING_INT)
        rc = num_parse_i64(text, len, min, max, &value, row->name, err);
    else if (row->type == SETTING_BYTES)
        rc = num_parse_bytes(text, len, has_limits(row) ? min : 0, max, &value, row->name, err);
    else
        rc = num_parse_duration_ms(text, len, has_limits(row) ? min : 0, max, &value, row->name,
                                   err);
    if (rc == 0)
        memcpy(member(row, values), &value, sizeof value);
    return rc;
}

static int parse_f64(const struct setting *row, const char *text, void *values, struct err *err)
{
    double value;

    if (num_parse_f64(text, strlen(text), has_limits(row) ? row->min : -HUGE_VAL,
                      has_limits(row) ? row->max : HUGE_VAL, &value, row->name, err) < 0)
        return -1;
    memcpy(member(row, values), &value, sizeof value);
    return 0;
}

static int parse_bool(const struct setting *row, const char *text, void *values, struct err *err)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};

    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (text_equals_ci(text, yes[i]) || text_equals_ci(text, no[i])) {
            bool value = text_equals_ci(text, yes[i]);

            memcpy(member(row, values), &value, sizeof value);
            return 0;
        }
    return refuse(row, text, "yes or no", err);
}

static int parse_choice(const struct setting *row, const char *text, void *values, struct err *err)
{
    struct buf wanted;
    int rc;

    for (int i = 0; row->choices[i]; i++)
        if (strcmp(text, row->choices[i]) == 0) {
            memcpy(member(row, values), &i, sizeof i);
            return 0;
        }
    buf_init(&wanted, 256);
    setting_add_wanted(&wanted, row);
    rc = refuse(row, text, wanted.data ? wanted.data : "a listed word", err);
    buf_clear(&wanted);
    return rc;
}

int setting_parse(const struct setting *row, const char *text, const char *home, void *values,
                  struct err *err)
{
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_WORDS:
        return parse_text(row, text, home, values, err);
    case SETTING_INT:
    case SETTING_BYTES:
    case SETTING_DURATION:
        return parse_number(row, text, values, err);
    case SETTING_F64:
        return parse_f64(row, text, values, err);
    case SETTING_BOOL:
        return parse_bool(row, text, values, err);
    case SETTING_CHOICE:
        return parse_choice(row, text, values, err);
    }
    return err_set(err, ERR_INTERNAL, "%s: type %d", row->name, (int)row->type);
}

int setting_set_standard(const struct setting *row, void *values, struct err *err)
{
    if (!row->standard)
        return setting_is_text(row)
                   ? 0
                   : err_set(err, ERR_INTERNAL, "%s: its type needs a default", row->name);
    return setting_parse(row, row->standard, NULL, values, err);
}

void setting_clear(const struct setting *row, void *values)
{
    void *at = member(row, values);
    char *text, **words;

    if (!setting_is_text(row))
        return;
    if (row->type == SETTING_WORDS) {
        memcpy(&words, at, sizeof words);
        words_free(words);
    } else {
        memcpy(&text, at, sizeof text);
        if (text && (row->flags & SETTING_SECRET))
            mem_wipe(text, strlen(text));
        mem_free(text);
    }
    memset(at, 0, sizeof(void *));
}

bool setting_is_set(const struct setting *row, const void *values)
{
    void *p = NULL;

    if (setting_is_text(row))
        memcpy(&p, member(row, values), sizeof p);
    return p || !setting_is_text(row);
}

/* --- printing --- */

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit byte_units[] = {
    {"TiB", INT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};
static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

/* In the largest unit of five that divides it. */
static void add_in_units(struct buf *b, int64_t value, const struct unit units[5])
{
    size_t i = 0;

    while (i < 4 && (value == 0 || value % units[i].size != 0))
        i++;
    buf_addf(b, "%" PRId64 "%s", value / units[i].size, value ? units[i].name : "");
}

static void add_number(struct buf *b, const struct setting *row, int64_t value)
{
    if (row->type == SETTING_BYTES)
        add_in_units(b, value, byte_units);
    else if (row->type == SETTING_DURATION)
        add_in_units(b, value, duration_units);
    else
        buf_addf(b, "%" PRId64, value);
}

static void add_words(struct buf *b, char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        bool quote = !*words[i] || strpbrk(words[i], " \t") != NULL;

        buf_adds(b, i ? " " : "");
        buf_adds(b, quote ? "\"" : "");
        buf_adds(b, words[i]);
        buf_adds(b, quote ? "\"" : "");
    }
}

int setting_print(const struct setting *row, const void *values, char **out, struct err *err)
{
    const void *at = member(row, values);
    char number[NUM_F64_TEXT_MAX], *text, **words;
    struct buf b;
    int64_t i;
    double d;
    bool yes;
    int n;

    if (!setting_is_set(row, values)) {
        *out = NULL;
        return 0;
    }
    buf_init(&b, 64 * 1024);
    buf_adds(&b, "");
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        memcpy(&text, at, sizeof text);
        buf_adds(&b, text);
        break;
    case SETTING_WORDS:
        memcpy(&words, at, sizeof words);
        add_words(&b, words);
        break;
    case SETTING_INT:
    case SETTING_BYTES:
    case SETTING_DURATION:
        memcpy(&i, at, sizeof i);
        add_number(&b, row, i);
        break;
    case SETTING_F64:
        memcpy(&d, at, sizeof d);
        buf_adds(&b, num_format_f64(d, number));
        break;
    case SETTING_BOOL:
        memcpy(&yes, at, sizeof yes);
        buf_adds(&b, yes ? "yes" : "no");
        break;
    case SETTING_CHOICE:
        memcpy(&n, at, sizeof n);
        buf_adds(&b, row->choices[n]);
        break;
    }
    text = buf_take(&b, NULL, err);
    if (!text)
        return -1;
    *out = text;
    return 0;
}

void setting_add_wanted(struct buf *b, const struct setting *row)
{
    char low[NUM_F64_TEXT_MAX], high[NUM_F64_TEXT_MAX];

    switch (row->type) {
    case SETTING_CHOICE:
        for (size_t i = 0; row->choices[i]; i++)
            buf_addf(b, "%s%s", i ? ", " : "one of ", row->choices[i]);
        break;
    case SETTING_BOOL:
        buf_adds(b, "yes or no");
        break;
    case SETTING_F64:
        if (has_limits(row))
            buf_addf(b, "%s to %s", num_format_f64(row->min, low), num_format_f64(row->max, high));
        break;
    case SETTING_INT:
    case SETTING_BYTES:
    case SETTING_DURATION:
        if (!has_limits(row))
            break;
        add_number(b, row, limit_i64(row->min));
        buf_adds(b, " to ");
        add_number(b, row, limit_i64(row->max));
        break;
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_WORDS:
        break;
    }
}
