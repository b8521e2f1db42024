/* record_check.c - a record against the limits of its rows. The first fault found is named by its
 * path.
 *
 * Without an err to fill, no path is written. */
#include "common/model/record.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PATH_TEXT_MAX 160 /* a longer path is cut: it only serves an error */

static int check_i64(const struct field *f, int64_t v, const char *path, struct err *err)
{
    if (v >= (int64_t)f->min && v <= (int64_t)f->max)
        return 0;
    return err_set(err, ERR_INVALID, "%s: %" PRId64 ", wanted an integer from %.0f to %.0f%s%s",
                   path, v, f->min, f->max, f->unit[0] ? " " : "", f->unit);
}

static int check_f64(const struct field *f, double v, const char *path, struct err *err)
{
    if (isfinite(v) && v >= f->min && v <= f->max)
        return 0;
    return err_set(err, ERR_INVALID, "%s: %g, wanted a number from %g to %g%s%s", path, v, f->min,
                   f->max, f->unit[0] ? " " : "", f->unit);
}

static int check_text(const struct field *f, const char *v, const char *path, struct err *err)
{
    size_t len = strlen(v);

    if ((double)len > f->max)
        return err_set(err, ERR_TOO_BIG, "%s: text of %zu bytes, wanted at most %.0f", path, len,
                       f->max);
    if (len == 0 && f->flags & FIELD_REQUIRED)
        return err_set(err, ERR_INVALID, "%s: empty, wanted a text", path);
    if (!text_utf8_valid(v, len))
        return err_set(err, ERR_INVALID, "%s: not UTF-8", path);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)v[i];
        bool blank = c == '\n' || c == '\t' || c == '\r';

        if ((c < 0x20 || c == 0x7f) && !(blank && f->type == FIELD_PROSE))
            return err_set(err, ERR_INVALID, "%s: control character 0x%02x at byte %zu, wanted %s",
                           path, c, i, f->type == FIELD_PROSE ? "text" : "one line of text");
    }
    return 0;
}

static int check_enum(const struct field *f, int v, const char *path, struct err *err)
{
    if (enum_name(f->names, v))
        return 0;
    return err_set(err, ERR_INVALID, "%s: %d is no value of %s", path, v, f->names->name);
}

static int check_under(const struct record_type *type, const void *record, const char *path,
                       struct err *err);

/* Not inlined: check_under, which is called for every record of every message, would make room for
 * item_path too. */
static __attribute__((noinline)) int check_items(const struct field *f, const void *record,
                                                 const char *path, struct err *err)
{
    size_t count = field_count(f, record);
    char *block = *(char **)field_at(f, record);
    char item_path[PATH_TEXT_MAX];

    item_path[0] = '\0';
    if (count > f->items_max)
        return err_set(err, ERR_TOO_BIG, "%s: %zu items, wanted at most %zu", path, count,
                       f->items_max);
    for (size_t i = 0; i < count; i++) {
        int rc = 0;

        if (err)
            snprintf(item_path, sizeof item_path, "%s[%zu]", path, i);
        if (f->type == FIELD_RECORDS)
            rc = check_under(f->record, block + i * f->record->size, item_path, err);
        else if (f->type == FIELD_TEXTS)
            rc = check_text(f, ((char **)(void *)block)[i], item_path, err);
        else
            rc = check_i64(f, ((int64_t *)(void *)block)[i], item_path, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int check_absent(const struct field *f, const char *path, struct err *err)
{
    if (!(f->flags & FIELD_REQUIRED))
        return 0;
    return err_set(err, ERR_INVALID, "%s: missing%s", path,
                   f->type == FIELD_F64 ? ", wanted a number" : "");
}

/* As field_check; inlined into the walk over a record's fields. */
static inline int check_field(const struct field *f, const void *record, const char *path,
                              struct err *err)
{
    const void *at = field_at(f, record);

    if (!field_is_known(f, record))
        return check_absent(f, path, err);
    switch (f->type) {
    case FIELD_I64:
        return check_i64(f, *(const int64_t *)at, path, err);
    case FIELD_F64:
        return check_f64(f, *(const double *)at, path, err);
    case FIELD_BOOL:
        if (*(const int *)at == TRI_FALSE || *(const int *)at == TRI_TRUE)
            return 0;
        return err_set(err, ERR_INVALID, "%s: %d is neither true nor false", path,
                       *(const int *)at);
    case FIELD_ENUM:
        return check_enum(f, *(const int *)at, path, err);
    case FIELD_TEXT:
    case FIELD_PROSE:
        return check_text(f, *(char *const *)at, path, err);
    case FIELD_RECORD:
        return check_under(f->record, *(void *const *)at, path, err);
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        break;
    }
    return check_items(f, record, path, err);
}

int field_check(const struct field *f, const void *record, const char *path, struct err *err)
{
    return check_field(f, record, path, err);
}

static int check_one_of(const struct record_type *type, const void *record, const char *path,
                        struct err *err)
{
    const struct field *first = NULL;
    const char *seen = NULL;

    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];

        if (!(f->flags & (FIELD_ONE_OF | FIELD_ONE_REQUIRED)))
            continue;
        if (!first)
            first = f;
        if (!field_is_known(f, record))
            continue;
        if (seen)
            return err_set(err, ERR_INVALID, "%s%s%s: both %s and %s are given, wanted one", path,
                           path[0] ? " " : "", type->name, seen, f->name);
        seen = f->name;
    }
    if (first && first->flags & FIELD_ONE_REQUIRED && !seen)
        return err_set(err, ERR_INVALID, "%s%s%s: no known body, wanted one of %s, ...", path,
                       path[0] ? " " : "", type->name, first->name);
    return 0;
}

static int check_under(const struct record_type *type, const void *record, const char *path,
                       struct err *err)
{
    char field_path[PATH_TEXT_MAX];
    unsigned flags = 0;

    field_path[0] = '\0'; /* and no more: zeroing it all for every record would show */
    for (size_t i = 0; i < type->count; i++) {
        if (err)
            snprintf(field_path, sizeof field_path, "%s%s%s", path, path[0] ? "." : "",
                     type->fields[i].name);
        if (check_field(&type->fields[i], record, field_path, err) < 0)
            return -1;
        flags |= type->fields[i].flags;
    }
    return flags & (FIELD_ONE_OF | FIELD_ONE_REQUIRED) ? check_one_of(type, record, path, err) : 0;
}

int record_check(const struct record_type *type, const void *record, struct err *err)
{
    /* Paths are written on a second walk, when there is a fault to name: nearly every record of
     * nearly every message is sound, and printing the path of each field costs more than checking
     * it. */
    if (check_under(type, record, "", NULL) == 0)
        return 0;
    return err ? check_under(type, record, "", err) : -1;
}
