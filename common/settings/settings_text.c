/* settings_text.c - what people read: --help, the sample file, `config show`. All from the rows. */
#include "common/settings/settings_inner.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <stdio.h>
#include <string.h>

#define PAGE_MAX (256 * 1024) /* bytes: a hundred rows with a paragraph each */
#define FLAG_COLUMN 34        /* where the help of a flag starts */
#define SHOW_COLUMN 60        /* where the source of a value starts */

static const char *word_of(const struct setting *row)
{
    static const char *const words[] = {
        [SETTING_TEXT] = "TEXT",  [SETTING_PATH] = "PATH",      [SETTING_WORDS] = "COMMAND",
        [SETTING_INT] = "N",      [SETTING_BYTES] = "BYTES",    [SETTING_DURATION] = "TIME",
        [SETTING_F64] = "NUMBER", [SETTING_BOOL] = "[=yes|no]", [SETTING_CHOICE] = "WORD",
    };

    return row->word ? row->word : words[row->type];
}

/* "  --lm-url TEXT" up to the column; a longer one gets its own line. */
static void add_flag(struct buf *b, const struct setting *row)
{
    size_t start = b->len;

    buf_adds(b, "  --");
    for (const char *p = row->name; *p; p++)
        buf_addc(b, *p == '_' ? '-' : *p);
    buf_adds(b, row->type == SETTING_BOOL ? "" : " ");
    buf_adds(b, word_of(row));
    if (b->len - start + 1 > FLAG_COLUMN) {
        buf_adds(b, "\n");
        start = b->len;
    }
    while (!b->failed && b->len - start < FLAG_COLUMN)
        buf_addc(b, ' ');
}

/* "(5s; 100ms to 1h)" */
static void add_facts(struct buf *b, const struct setting *row)
{
    struct buf wanted;

    buf_init(&wanted, 512);
    if (row->type != SETTING_BOOL)
        setting_add_wanted(&wanted, row);
    buf_addf(b, " (%s",
             row->standard        ? row->standard
             : row->standard_help ? row->standard_help
                                  : "unset");
    if (wanted.len)
        buf_addf(b, "; %s", wanted.data);
    buf_addc(b, ')');
    buf_clear(&wanted);
}

static void add_group(struct buf *b, const struct setting *row, const char *mark)
{
    if (row->group)
        buf_addf(b, "\n%s%s\n", mark, row->group);
}

char *settings_help(const struct settings_spec *spec, struct err *err)
{
    const char *prefix = spec->env_prefix ? spec->env_prefix : "ESPALIER_";
    struct buf b;

    buf_init(&b, PAGE_MAX);
    buf_addf(&b, "usage: %s %s\n", spec->program, spec->usage ? spec->usage : "[OPTION...]");
    if (spec->summary)
        buf_addf(&b, "%s\n", spec->summary);
    for (size_t i = 0; i < spec->count; i++) {
        const struct setting *row = &spec->rows[i];

        add_group(&b, row, "");
        if (row->flags & SETTING_NO_FLAG)
            buf_addf(&b, "  %-*s", FLAG_COLUMN - 2, "(no flag)");
        else
            add_flag(&b, row);
        buf_adds(&b, row->help);
        add_facts(&b, row);
        if (row->flags & SETTING_NO_FLAG) {
            buf_addf(&b, ": %s", prefix);
            for (const char *p = row->name; *p; p++)
                buf_addc(&b, (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p));
        }
        buf_addc(&b, '\n');
    }
    buf_addf(&b,
             "\n"
             "  --config FILE                   read settings from FILE (or %sCONFIG)\n"
             "  --help, --version               print this, or the version\n"
             "\n"
             "A setting --some-name is also the variable %sSOME_NAME and the line\n"
             "\"some_name = value\" of the file. A flag wins over a variable, a variable over\n"
             "the file.\n",
             prefix, prefix);
    return buf_take(&b, NULL, err);
}

char *settings_sample(const struct settings_spec *spec, struct err *err)
{
    struct buf b;

    buf_init(&b, PAGE_MAX);
    buf_addf(
        &b,
        "# Settings of %s. Every line is a default, commented out: take the # away to change it.\n"
        "# NAME = VALUE; # or ; starts a comment.\n",
        spec->program);
    for (size_t i = 0; i < spec->count; i++) {
        const struct setting *row = &spec->rows[i];

        add_group(&b, row, "# --- ");
        if (row->flags & SETTING_NO_FILE)
            continue;
        buf_addf(&b, "\n# %s", row->help);
        add_facts(&b, row);
        buf_addf(&b, "%s\n#%s =%s%s\n",
                 row->flags & SETTING_RELOADABLE ? "; may change while running" : "", row->name,
                 row->standard ? " " : "", row->standard ? row->standard : "");
    }
    return buf_take(&b, NULL, err);
}

char *settings_show(const struct settings *s, struct err *err)
{
    struct buf b;

    buf_init(&b, PAGE_MAX);
    for (size_t i = 0; i < s->spec->count; i++) {
        const struct setting *row = &s->spec->rows[i];
        const char *where = s->origins[i].where;
        char *value;
        size_t start = b.len;

        if (settings_value(s, i, &value, NULL, NULL, err) < 0) {
            buf_clear(&b);
            return NULL;
        }
        if (value)
            buf_addf(&b, "%s = %s", row->name, value);
        else
            buf_addf(&b, "%s = (%s)", row->name, row->standard_help ? row->standard_help : "unset");
        mem_free(value);
        do
            buf_addc(&b, ' ');
        while (!b.failed && b.len - start < SHOW_COLUMN);
        buf_addf(&b, "# %s\n", where ? where : "default");
    }
    return buf_take(&b, NULL, err);
}
