/* settings.h - the one table of a program's settings, and what is made from it.
 *
 * A program has a struct of plain members and a row per member. From the rows come the reading of
 * flags, environment and file, the checks, --help, the sample file and `config show`, so that none
 * of them can say what another does not. Precedence: flag, environment, file, default. The row
 * "lm_url" is the flag --lm-url, the variable ESPALIER_LM_URL and the line lm_url = ... of a file.
 *
 * An unknown key or flag, a key given twice and a value out of range are refused, naming where it
 * stood (file and line, variable or flag), the value and what was wanted. The value of a secret is
 * never shown, not even in an error. An empty value unsets a text (an empty variable is as if it
 * were not there). Variables that no row names are left alone: other programs have theirs. A flag
 * given twice counts as its last.
 *
 *     static const struct setting rows[] = {
 *         SETTING_ROW(conf, port, .type = SETTING_INT, .standard = "7420", .min = 1, .max = 65535,
 *                     .help = "port of the agents"),
 *     };
 *     static const struct settings_spec spec = {
 *         .program = "demo", .rows = rows, .count = 1, .size = sizeof(struct conf)};
 *     struct settings_input in = {argc, argv, environ, NULL};
 *     struct settings *s = settings_load(&spec, &in, &err);
 *     const struct conf *conf = settings_values(s);
 *
 * Thread: none; a loaded settings object never changes. A reload makes a new one. */
#ifndef COMMON_SETTINGS_SETTINGS_H
#define COMMON_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct settings;

/* What a member holds. Unset text is NULL; every other type has a standard value. */
enum setting_type {
    SETTING_TEXT,     /* char *: one line of UTF-8 */
    SETTING_PATH,     /* char *: a leading ~/ becomes the home folder */
    SETTING_WORDS,    /* char **, NULL at the end: split at blanks, "..." keeps them; NULL: unset */
    SETTING_INT,      /* int64_t */
    SETTING_BYTES,    /* int64_t: 512MB, 1.5GiB */
    SETTING_DURATION, /* int64_t milliseconds: 250ms, 5s, 1.5h */
    SETTING_F64,      /* double */
    SETTING_BOOL,     /* bool: yes or no, true or false, on or off; the flag alone is yes */
    SETTING_CHOICE    /* int: index into choices */
};

enum setting_flags {
    SETTING_RELOADABLE = 1, /* may change while the program runs */
    SETTING_SECRET = 2,     /* never shown */
    SETTING_NO_FLAG = 4,    /* not on the command line, where others could see it */
    SETTING_NO_FILE = 8     /* not in the file */
};

struct setting {
    const char *name;
    enum setting_type type;
    unsigned flags; /* enum setting_flags */
    size_t offset;
    const char *standard;      /* the default, as one would write it; NULL: unset (of texts) */
    const char *standard_help; /* says what the program does when unset */
    double min, max; /* of numbers, bytes and milliseconds; of texts max is bytes, 0: 4096 */
    const char *const *choices; /* NULL at the end */
    const char *word;           /* stands for the value in --help; NULL: by type */
    const char *help;           /* one sentence, no full stop */
    const char *group;          /* heading in --help and sample; NULL: as the row before */
};

#define SETTING_ROW(s, m, ...)                                   \
    {                                                            \
        .name = #m, .offset = offsetof(struct s, m), __VA_ARGS__ \
    }
/* The same where the member carries a unit that the value has itself: interval_ms and interval. */
#define SETTING_ROW_AS(s, m, n, ...)                            \
    {                                                           \
        .name = n, .offset = offsetof(struct s, m), __VA_ARGS__ \
    }

struct settings_spec {
    const char *program;    /* espalier-agent */
    const char *usage;      /* after the program's name: "[OPTION...] [probe]" */
    const char *summary;    /* one sentence under it */
    const char *env_prefix; /* NULL: "ESPALIER_" */
    const struct setting *rows;
    size_t count;
    size_t size; /* of the struct */
    /* Checks that need more than one value; NULL: none. Names the setting at fault. */
    int (*check)(const void *values, struct err *err);
};

struct settings_input {
    int argc;
    char *const *argv; /* argv[0] is the program */
    char *const *env;  /* NAME=value, NULL at the end; NULL: empty */
    const char *file;  /* read when there is one and no --config or ESPALIER_CONFIG names another;
                          NULL: none */
};

#define SETTINGS_FILE_MAX (64 * 1024) /* a hundred times the sample */
#define SETTINGS_ARGS_MAX 256         /* words beside the flags */

/* --config FILE, --help and --version are understood everywhere. Flags and words may be mixed; all
 * that follows "--" is words. With --help or --version nothing else is checked. A file that
 * --config or ESPALIER_CONFIG names must exist. */
struct settings *settings_load(const struct settings_spec *spec, const struct settings_input *in,
                               struct err *err);
void settings_free(struct settings *s); /* NULL is fine; secrets are overwritten */

/* The program's struct, filled; borrowed until settings_free. */
const void *settings_values(const struct settings *s);

bool settings_wants_help(const struct settings *s);
bool settings_wants_version(const struct settings *s);
const char *settings_file(const struct settings *s); /* the file that was read; NULL: none */

/* The words that are no flags, in order, NULL at the end. */
char *const *settings_args(const struct settings *s, size_t *count);

/* The same input once more, read afresh and checked whole. A row that is not SETTING_RELOADABLE and
 * would change is refused by name; `s` stays as it is and stays yours. `changed` (may be NULL) gets
 * how many rows differ. */
struct settings *settings_reload(const struct settings *s, const struct settings_input *in,
                                 size_t *changed, struct err *err);

/* Texts for people; yours to mem_free. NULL without memory. */
char *settings_help(const struct settings_spec *spec, struct err *err);
char *settings_sample(const struct settings_spec *spec,
                      struct err *err); /* a config file, all commented out */
char *settings_show(const struct settings *s,
                    struct err *err); /* each value and where it came from */

/* One row of a loaded settings object, for `config show --json` and tests. `value` is yours to
 * mem_free: NULL when unset, "(set)" for a secret. */
enum setting_source {
    SETTING_FROM_STANDARD,
    SETTING_FROM_FILE,
    SETTING_FROM_ENV,
    SETTING_FROM_FLAG
};
int settings_value(const struct settings *s, size_t row, char **value, enum setting_source *source,
                   const char **where, struct err *err);
const struct settings_spec *settings_spec_of(const struct settings *s);

#endif
