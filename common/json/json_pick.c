/* json_pick.c - see json_pick.h. */
#include "common/json/json_pick.h"
#include "common/json/json.h"
#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/text.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 48     /* bytes of a value in an error */
#define WANTED_MAX 160   /* bytes of what was wanted */
#define NAME_COMPARED 40 /* longer names are not compared: they are nobody's typing error */
#define TYPING_ERRORS 2  /* so many differences still look like the same name */

/* The path of the member, for an error. */
static const char *path_of(const char *where, const char *name, char out[SHOWN_MAX * 2])
{
    snprintf(out, SHOWN_MAX * 2, "%s%s%s", where ? where : "", where && *where ? "." : "", name);
    return out;
}

/* A value for an error: scalars as they are, cut; containers by kind. */
static const char *value_of(const struct json *v, char out[SHOWN_MAX])
{
    char number[NUM_F64_TEXT_MAX];
    const char *text;
    size_t fit;

    switch (json_type_of(v)) {
    case JSON_STRING:
        text = json_text(v);
        fit = text_utf8_fit(text, strlen(text), SHOWN_MAX - 6);
        snprintf(out, SHOWN_MAX, "\"%.*s%s\"", (int)fit, text, text[fit] ? "..." : "");
        break;
    case JSON_NUMBER:
        snprintf(out, SHOWN_MAX, "%s", num_format_f64(json_number(v), number));
        break;
    case JSON_BOOL:
        snprintf(out, SHOWN_MAX, "%s", json_bool_value(v) ? "true" : "false");
        break;
    case JSON_NULL:
        snprintf(out, SHOWN_MAX, "null");
        break;
    default:
        snprintf(out, SHOWN_MAX, "an %s", json_type_name(json_type_of(v)));
    }
    return out;
}

static int refuse(const struct json *v, const char *where, const char *name, const char *wanted,
                  struct err *err)
{
    char path[SHOWN_MAX * 2], value[SHOWN_MAX];

    return err_set(err, ERR_INVALID, "%s is %s, want %s", path_of(where, name, path),
                   value_of(v, value), wanted);
}

/* Find the member: 1 with *found, 0 when absent and that is allowed, -1 when it is not. */
static int find(const struct json *object, const char *where, const char *name, bool must,
                const char *wanted, const struct json **found, struct err *err)
{
    char path[SHOWN_MAX * 2];

    if (json_type_of(object) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "%s is no object", where && *where ? where : "the JSON");
    if ((*found = json_member(object, name)))
        return 1;
    if (!must)
        return 0;
    return err_set(err, ERR_INVALID, "%s is missing, want %s", path_of(where, name, path), wanted);
}

/* Edits (insert, delete, replace) between two names, by the row-by-row table. */
static size_t edits(const char *a, const char *b)
{
    size_t row[NAME_COMPARED + 1], len_a = strlen(a), len_b = strlen(b);

    if (len_a > NAME_COMPARED || len_b > NAME_COMPARED)
        return NAME_COMPARED;
    for (size_t j = 0; j <= len_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len_b];
}

/* The name that was likely meant, or NULL. */
static const char *likeliest(const char *name, const char *const *names)
{
    const char *best = NULL;
    size_t fewest = TYPING_ERRORS + 1;

    for (; *names; names++) {
        size_t n = edits(name, *names);

        if (n < fewest && n < strlen(*names)) {
            fewest = n;
            best = *names;
        }
    }
    return best;
}

static int place_of(const char *name, const char *const *names)
{
    for (int i = 0; name && names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

int json_only(const struct json *object, const char *where, const char *const *names,
              struct err *err)
{
    char path[SHOWN_MAX * 2];
    const char *meant;

    if (json_type_of(object) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "%s is no object", where && *where ? where : "the JSON");
    for (const struct json *m = json_first(object); m; m = json_next(m)) {
        if (place_of(json_name(m), names) >= 0)
            continue;
        meant = likeliest(json_name(m), names);
        return err_set(err, ERR_INVALID, "%s is not known%s%s%s",
                       path_of(where, json_name(m), path), meant ? ", did you mean " : "",
                       meant ? meant : "", meant ? "?" : "");
    }
    return 0;
}

static int pick_text(const struct json *object, const char *where, const char *name, bool must,
                     size_t max_len, const char **out, struct err *err)
{
    char wanted[WANTED_MAX];
    const struct json *v;
    int rc;

    snprintf(wanted, sizeof wanted, "text of at most %zu bytes", max_len);
    if ((rc = find(object, where, name, must, wanted, &v, err)) <= 0)
        return rc;
    if (!json_text(v) || strlen(json_text(v)) > max_len)
        return refuse(v, where, name, wanted, err);
    *out = json_text(v);
    return 0;
}

int json_want_text(const struct json *object, const char *where, const char *name, size_t max_len,
                   const char **out, struct err *err)
{
    return pick_text(object, where, name, true, max_len, out, err);
}

int json_may_text(const struct json *object, const char *where, const char *name, size_t max_len,
                  const char **out, struct err *err)
{
    return pick_text(object, where, name, false, max_len, out, err);
}

static int pick_i64(const struct json *object, const char *where, const char *name, bool must,
                    int64_t min, int64_t max, int64_t *out, struct err *err)
{
    char wanted[WANTED_MAX];
    const struct json *v;
    int rc;

    snprintf(wanted, sizeof wanted, "an integer %lld..%lld", (long long)min, (long long)max);
    if ((rc = find(object, where, name, must, wanted, &v, err)) <= 0)
        return rc;
    if (!json_is_integer(v) || json_integer(v) < min || json_integer(v) > max)
        return refuse(v, where, name, wanted, err);
    *out = json_integer(v);
    return 0;
}

int json_want_i64(const struct json *object, const char *where, const char *name, int64_t min,
                  int64_t max, int64_t *out, struct err *err)
{
    return pick_i64(object, where, name, true, min, max, out, err);
}

int json_may_i64(const struct json *object, const char *where, const char *name, int64_t min,
                 int64_t max, int64_t *out, struct err *err)
{
    return pick_i64(object, where, name, false, min, max, out, err);
}

static int pick_f64(const struct json *object, const char *where, const char *name, bool must,
                    double min, double max, double *out, struct err *err)
{
    char wanted[WANTED_MAX];
    const struct json *v;
    int rc;

    snprintf(wanted, sizeof wanted, "a number %g..%g", min, max);
    if ((rc = find(object, where, name, must, wanted, &v, err)) <= 0)
        return rc;
    if (!(json_number(v) >= min && json_number(v) <= max)) /* NaN when it is no number */
        return refuse(v, where, name, wanted, err);
    *out = json_number(v);
    return 0;
}

int json_want_f64(const struct json *object, const char *where, const char *name, double min,
                  double max, double *out, struct err *err)
{
    return pick_f64(object, where, name, true, min, max, out, err);
}

int json_may_f64(const struct json *object, const char *where, const char *name, double min,
                 double max, double *out, struct err *err)
{
    return pick_f64(object, where, name, false, min, max, out, err);
}

/* A member of the given type. */
static int pick_type(const struct json *object, const char *where, const char *name, bool must,
                     enum json_type type, const char *wanted, const struct json **out,
                     struct err *err)
{
    const struct json *v;
    int rc;

    if ((rc = find(object, where, name, must, wanted, &v, err)) <= 0)
        return rc;
    if (json_type_of(v) != type)
        return refuse(v, where, name, wanted, err);
    *out = v;
    return 0;
}

static int pick_bool(const struct json *object, const char *where, const char *name, bool must,
                     bool *out, struct err *err)
{
    const struct json *v = NULL;

    if (pick_type(object, where, name, must, JSON_BOOL, "true or false", &v, err) < 0)
        return -1;
    if (v)
        *out = json_bool_value(v);
    return 0;
}

int json_want_bool(const struct json *object, const char *where, const char *name, bool *out,
                   struct err *err)
{
    return pick_bool(object, where, name, true, out, err);
}

int json_may_bool(const struct json *object, const char *where, const char *name, bool *out,
                  struct err *err)
{
    return pick_bool(object, where, name, false, out, err);
}

/* "one of a, b, c", cut when there are many. */
static const char *one_of(const char *const *names, char out[WANTED_MAX])
{
    size_t len = (size_t)snprintf(out, WANTED_MAX, "one of");

    for (int i = 0; names[i] && len < WANTED_MAX; i++)
        len += (size_t)snprintf(out + len, WANTED_MAX - len, "%s %s", i ? "," : "", names[i]);
    return out;
}

static int pick_enum(const struct json *object, const char *where, const char *name, bool must,
                     const char *const *names, int *out, struct err *err)
{
    char wanted[WANTED_MAX];
    const struct json *v;
    int rc, place;

    one_of(names, wanted);
    if ((rc = find(object, where, name, must, wanted, &v, err)) <= 0)
        return rc;
    if ((place = place_of(json_text(v), names)) < 0)
        return refuse(v, where, name, wanted, err);
    *out = place;
    return 0;
}

int json_want_enum(const struct json *object, const char *where, const char *name,
                   const char *const *names, int *out, struct err *err)
{
    return pick_enum(object, where, name, true, names, out, err);
}

int json_may_enum(const struct json *object, const char *where, const char *name,
                  const char *const *names, int *out, struct err *err)
{
    return pick_enum(object, where, name, false, names, out, err);
}

int json_want_object(const struct json *object, const char *where, const char *name,
                     const struct json **out, struct err *err)
{
    return pick_type(object, where, name, true, JSON_OBJECT, "an object", out, err);
}

int json_may_object(const struct json *object, const char *where, const char *name,
                    const struct json **out, struct err *err)
{
    return pick_type(object, where, name, false, JSON_OBJECT, "an object", out, err);
}

static int pick_array(const struct json *object, const char *where, const char *name, bool must,
                      size_t max_count, const struct json **out, struct err *err)
{
    char wanted[WANTED_MAX], path[SHOWN_MAX * 2];
    const struct json *v = NULL;

    snprintf(wanted, sizeof wanted, "an array of at most %zu", max_count);
    if (pick_type(object, where, name, must, JSON_ARRAY, wanted, &v, err) < 0)
        return -1;
    if (v && json_count(v) > max_count)
        return err_set(err, ERR_INVALID, "%s has %zu items, want %s", path_of(where, name, path),
                       json_count(v), wanted);
    if (v)
        *out = v;
    return 0;
}

int json_want_array(const struct json *object, const char *where, const char *name,
                    size_t max_count, const struct json **out, struct err *err)
{
    return pick_array(object, where, name, true, max_count, out, err);
}

int json_may_array(const struct json *object, const char *where, const char *name, size_t max_count,
                   const struct json **out, struct err *err)
{
    return pick_array(object, where, name, false, max_count, out, err);
}
