/* settings.c - all sources together: defaults, then the file, then the environment, then flags,
 * each checked as it is read and overriding what came before. A bad value is refused also where a
 * stronger source overrides it. */
#include "common/settings/settings_inner.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 128 /* of a setting: twice the longest of ours */

static const char *env_prefix(const struct settings_spec *spec)
{
    return spec->env_prefix ? spec->env_prefix : "ESPALIER_";
}

/* Value of NAME in the list; NULL: not there. */
static const char *env_get(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; env && *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    return NULL;
}

/* ESPALIER_LM_URL for lm_url. */
static void env_name(const struct settings_spec *spec, const char *name, char out[NAME_MAX_BYTES])
{
    snprintf(out, NAME_MAX_BYTES, "%s%s", env_prefix(spec), name);
    for (char *p = out; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
}

/* lm-url and lm_url are one name. */
static bool same_name(const char *name, const char *given, size_t len)
{
    if (strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (name[i] != (given[i] == '-' ? '_' : given[i]))
            return false;
    return true;
}

static const struct setting *row_find(const struct settings_spec *spec, const char *name,
                                      size_t len)
{
    for (size_t i = 0; i < spec->count; i++)
        if (same_name(spec->rows[i].name, name, len))
            return &spec->rows[i];
    return NULL;
}

void settings_free(struct settings *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->values && i < s->spec->count; i++)
        setting_clear(&s->spec->rows[i], s->values);
    for (size_t i = 0; s->origins && i < s->spec->count; i++)
        mem_free(s->origins[i].where);
    for (size_t i = 0; s->args && i < s->args_count; i++)
        mem_free(s->args[i]);
    mem_free(s->args);
    mem_free(s->origins);
    mem_free(s->values);
    mem_free(s->file);
    mem_free(s);
}

/* --- one value from one source --- */

struct loading {
    struct settings *s;
    const struct settings_input *in;
    const char *config; /* --config FILE */
    enum setting_source source;
};

static int apply(struct loading *l, const struct setting *row, const char *text, const char *where,
                 struct err *err)
{
    struct setting_origin *origin = &l->s->origins[row - l->s->spec->rows];
    char *copy = mem_strdup(where);

    if (!copy)
        return err_set(err, ERR_NOMEM, "%s", where);
    if (setting_parse(row, text, env_get(l->in->env, "HOME"), l->s->values, err) < 0) {
        err_prefix(err, "%s", where);
        mem_free(copy);
        return -1;
    }
    mem_free(origin->where);
    origin->where = copy;
    origin->source = l->source;
    return 0;
}

static int apply_file_line(void *arg, const char *name, const char *value, int line,
                           struct err *err)
{
    struct loading *l = arg;
    const struct setting *row = row_find(l->s->spec, name, strlen(name));
    char where[SETTINGS_TEXT_MAX + 32];

    snprintf(where, sizeof where, "%s:%d", l->s->file, line);
    if (!row || strchr(name, '-'))
        return err_set(err, ERR_INVALID, "%s: unknown setting \"%.100s\"", where, name);
    if (row->flags & SETTING_NO_FILE)
        return err_set(err, ERR_INVALID, "%s: %s cannot be set in a file", where, row->name);
    if (l->s->origins[row - l->s->spec->rows].source == SETTING_FROM_FILE)
        return err_set(err, ERR_INVALID, "%s: %s is set twice, first in %s", where, row->name,
                       l->s->origins[row - l->s->spec->rows].where);
    return apply(l, row, value, where, err);
}

static int apply_file(struct loading *l, struct err *err)
{
    char name[NAME_MAX_BYTES];
    const char *path = l->config;

    env_name(l->s->spec, "config", name);
    if (!path)
        path = env_get(l->in->env, name);
    if (!path || !*path) {
        path = l->in->file;
        if (!path || !file_exists(path))
            return 0;
    }
    if (strlen(path) > SETTINGS_TEXT_MAX)
        return err_set(err, ERR_TOO_BIG, "config file: a path of %zu bytes, wanted at most %d",
                       strlen(path), SETTINGS_TEXT_MAX);
    if (!(l->s->file = mem_strdup(path)))
        return err_set(err, ERR_NOMEM, "%s", path);
    l->source = SETTING_FROM_FILE;
    return settings_file_read(path, apply_file_line, l, err);
}

static int apply_env(struct loading *l, struct err *err)
{
    const struct settings_spec *spec = l->s->spec;
    char name[NAME_MAX_BYTES];

    l->source = SETTING_FROM_ENV;
    for (size_t i = 0; i < spec->count; i++) {
        const char *value;

        env_name(spec, spec->rows[i].name, name);
        value = env_get(l->in->env, name);
        if (value && *value && apply(l, &spec->rows[i], value, name, err) < 0)
            return -1;
    }
    return 0;
}

/* --- the command line --- */

static int add_word(struct settings *s, const char *word, struct err *err)
{
    if (s->args_count == SETTINGS_ARGS_MAX)
        return err_set(err, ERR_TOO_BIG, "command line: wanted at most %d words",
                       SETTINGS_ARGS_MAX);
    if (!(s->args[s->args_count] = mem_strdup(word)))
        return err_set(err, ERR_NOMEM, "command line");
    s->args_count++;
    return 0;
}

/* One flag and its value. */
struct flag {
    const char *name;
    size_t name_len;
    const char *value; /* NULL: none follows */
    bool joined;       /* --name=value */
};

static struct flag flag_split(const struct settings_input *in, int at)
{
    const char *text = in->argv[at] + 2, *equals = strchr(text, '=');
    struct flag f = {text, equals ? (size_t)(equals - text) : strlen(text),
                     equals ? equals + 1 : NULL, equals != NULL};

    if (!equals && at + 1 < in->argc)
        f.value = in->argv[at + 1];
    return f;
}

static bool flag_is(const struct flag *f, const char *name)
{
    return same_name(name, f->name, f->name_len);
}

/* What the row takes from the command line; how many words it used, -1 refused. Values are looked
 * at only where `use` is set: the first pass only wants to know about --help and --config. */
static int take_row_flag(struct loading *l, const struct flag *f, bool use, struct err *err)
{
    const struct setting *row = row_find(l->s->spec, f->name, f->name_len);
    char where[NAME_MAX_BYTES + 8], variable[NAME_MAX_BYTES];
    const char *value = f->value;

    if (!row)
        return err_set(err, ERR_INVALID, "unknown flag --%.*s (--help lists them)",
                       (int)(f->name_len < 100 ? f->name_len : 100), f->name);
    if (row->flags & SETTING_NO_FLAG) {
        env_name(l->s->spec, row->name, variable);
        return err_set(err, ERR_INVALID,
                       "--%.*s: not on the command line, where others see it; use %s",
                       (int)f->name_len, f->name, variable);
    }
    snprintf(where, sizeof where, "--%.*s", (int)f->name_len, f->name);
    if (row->type == SETTING_BOOL && !f->joined)
        value = "yes";
    if (!value)
        return err_set(err, ERR_INVALID, "%s: wanted a value", where);
    if (use && apply(l, row, value, where, err) < 0)
        return -1;
    return row->type == SETTING_BOOL || f->joined ? 1 : 2;
}

/* How many words the argument at `at` uses; -1 refused. */
static int take_argument(struct loading *l, int at, bool use, struct err *err)
{
    const char *text = l->in->argv[at];
    struct flag f;

    if (strcmp(text, "-h") == 0) {
        l->s->help = true;
        return 1;
    }
    if (text[0] != '-' || !text[1])
        return use && add_word(l->s, text, err) < 0 ? -1 : 1;
    if (text[1] != '-')
        return err_set(err, ERR_INVALID, "unknown flag %.100s (--help lists them)", text);
    f = flag_split(l->in, at);
    if (flag_is(&f, "help") || flag_is(&f, "version")) {
        *(flag_is(&f, "help") ? &l->s->help : &l->s->version) = true;
        return 1;
    }
    if (!flag_is(&f, "config"))
        return take_row_flag(l, &f, use, err);
    if (!f.value || !*f.value)
        return err_set(err, ERR_INVALID, "--config: wanted a file");
    l->config = f.value;
    return f.joined ? 1 : 2;
}

static int take_arguments(struct loading *l, bool use, struct err *err)
{
    int at = 1, used;

    l->source = SETTING_FROM_FLAG;
    while (at < l->in->argc && strcmp(l->in->argv[at], "--") != 0) {
        if ((used = take_argument(l, at, use, err)) < 0)
            return -1;
        at += used;
    }
    for (at++; use && at < l->in->argc; at++)
        if (add_word(l->s, l->in->argv[at], err) < 0)
            return -1;
    return 0;
}

/* --help counts also beside flags that are wrong. */
static bool asks_for_help(const struct settings_input *in)
{
    for (int i = 1; i < in->argc && strcmp(in->argv[i], "--") != 0; i++)
        if (strcmp(in->argv[i], "--help") == 0 || strcmp(in->argv[i], "-h") == 0)
            return true;
    return false;
}

/* --- loading --- */

static struct settings *settings_new(const struct settings_spec *spec, struct err *err)
{
    struct settings *s = mem_zalloc(sizeof *s);

    if (s)
        s->spec = spec;
    if (!s || !(s->values = mem_zalloc(spec->size)) ||
        !(s->origins = mem_calloc(spec->count + 1, sizeof *s->origins)) ||
        !(s->args = mem_calloc(SETTINGS_ARGS_MAX + 1, sizeof *s->args))) {
        err_set(err, ERR_NOMEM, "settings");
        settings_free(s);
        return NULL;
    }
    for (size_t i = 0; i < spec->count; i++)
        if (setting_set_standard(&spec->rows[i], s->values, err) < 0) {
            err_prefix(err, "default");
            settings_free(s);
            return NULL;
        }
    return s;
}

struct settings *settings_load(const struct settings_spec *spec, const struct settings_input *in,
                               struct err *err)
{
    struct settings *s = settings_new(spec, err);
    struct loading l = {s, in, NULL, SETTING_FROM_STANDARD};

    if (!s)
        return NULL;
    if (asks_for_help(in)) {
        s->help = true;
        return s;
    }
    if (take_arguments(&l, false, err) < 0)
        goto fail;
    if (s->help || s->version)
        return s;
    if (apply_file(&l, err) < 0 || apply_env(&l, err) < 0 || take_arguments(&l, true, err) < 0 ||
        (spec->check && spec->check(s->values, err) < 0))
        goto fail;
    return s;
fail:
    settings_free(s);
    return NULL;
}

/* Both print alike (secrets included: the texts stay in here). -1: no memory. */
static int row_equal(const struct setting *row, const void *a, const void *b, bool *equal,
                     struct err *err)
{
    char *x = NULL, *y = NULL;
    int rc = -1;

    if (setting_print(row, a, &x, err) == 0 && setting_print(row, b, &y, err) == 0) {
        *equal = x && y ? strcmp(x, y) == 0 : x == y;
        rc = 0;
    }
    if (x)
        mem_wipe(x, strlen(x));
    if (y)
        mem_wipe(y, strlen(y));
    mem_free(x);
    mem_free(y);
    return rc;
}

struct settings *settings_reload(const struct settings *s, const struct settings_input *in,
                                 size_t *changed, struct err *err)
{
    struct settings *fresh = settings_load(s->spec, in, err);
    size_t count = 0;

    for (size_t i = 0; fresh && i < s->spec->count; i++) {
        const struct setting *row = &s->spec->rows[i];
        const char *where = fresh->origins[i].where;
        bool equal = false;

        if (row_equal(row, s->values, fresh->values, &equal, err) < 0)
            goto fail;
        count += !equal;
        if (!equal && !(row->flags & SETTING_RELOADABLE)) {
            err_set(err, ERR_UNSUPPORTED, "%s: %s cannot change while running; restart for it",
                    where ? where : "default", row->name);
            goto fail;
        }
    }
    if (fresh && changed)
        *changed = count;
    return fresh;
fail:
    settings_free(fresh);
    return NULL;
}

/* --- reading --- */

const void *settings_values(const struct settings *s)
{
    return s->values;
}

bool settings_wants_help(const struct settings *s)
{
    return s->help;
}

bool settings_wants_version(const struct settings *s)
{
    return s->version;
}

const char *settings_file(const struct settings *s)
{
    return s->file;
}

char *const *settings_args(const struct settings *s, size_t *count)
{
    if (count)
        *count = s->args_count;
    return s->args;
}

const struct settings_spec *settings_spec_of(const struct settings *s)
{
    return s->spec;
}

int settings_value(const struct settings *s, size_t row, char **value, enum setting_source *source,
                   const char **where, struct err *err)
{
    const struct setting *r = &s->spec->rows[row];

    if ((r->flags & SETTING_SECRET) && setting_is_set(r, s->values)) {
        if (!(*value = mem_strdup("(set)")))
            return err_set(err, ERR_NOMEM, "%s", r->name);
    } else if (setting_print(r, s->values, value, err) < 0) {
        return -1;
    }
    if (source)
        *source = s->origins[row].source;
    if (where)
        *where = s->origins[row].where;
    return 0;
}
