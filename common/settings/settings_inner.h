/* settings_inner.h - what the files of this room share: setting_value.c (one value),
 * settings_file.c (inih), settings.c (all sources together), settings_text.c (for people). Nobody
 * outside includes it. */
#ifndef COMMON_SETTINGS_SETTINGS_INNER_H
#define COMMON_SETTINGS_SETTINGS_INNER_H

#include "common/settings/settings.h"

struct buf;

/* Where a value came from. */
struct setting_origin {
    enum setting_source source;
    char *where; /* "espalier.conf:12", "ESPALIER_LM_URL", "--lm-url"; NULL: the default */
};

struct settings {
    const struct settings_spec *spec;
    void *values;
    struct setting_origin *origins; /* one per row */
    char *file;
    char **args;
    size_t args_count;
    bool help, version;
};

#define SETTINGS_TEXT_MAX 4096 /* bytes of a text whose row has no max: a path */
#define SETTINGS_WORDS_MAX 64  /* words of one value */

/* The row's default into values; what was there is not freed. */
int setting_set_standard(const struct setting *row, void *values, struct err *err);

/* Read `text` into the row's member; the value before is freed. On failure it stands, and err names
 * the row, the text (no secret's) and what was wanted. `home` may be NULL. */
int setting_parse(const struct setting *row, const char *text, const char *home, void *values,
                  struct err *err);
void setting_clear(const struct setting *row, void *values); /* frees; wipes a secret */

/* As one would write it; NULL in *out when unset. */
int setting_print(const struct setting *row, const void *values, char **out, struct err *err);
bool setting_is_set(const struct setting *row, const void *values);
bool setting_is_text(const struct setting *row); /* text, path or words: can be unset */

/* "1 to 65535", "250ms or more", "one of err, warn, info": what the row accepts; empty when
 * anything. */
void setting_add_wanted(struct buf *b, const struct setting *row);

/* A found key: handed to fn with its line. A failing fn ends the reading with its error. */
typedef int settings_file_fn(void *arg, const char *name, const char *value, int line,
                             struct err *err);
int settings_file_read(const char *path, settings_file_fn *fn, void *arg, struct err *err);

#endif
