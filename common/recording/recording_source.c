/* recording_source.c - see recording_source.h. */
#include "common/recording/recording_source.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/document/document_words.h"
#include "common/json/json.h"
#include "common/model/device.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_TEXT_MAX 40 /* longer than any number that is one */

const struct json *recording_value(const struct recording *r, const char *group, const char *key)
{
    const struct json *v = json_member(json_member(r->root, group), key);
    const char *text = json_text(v);

    return json_type_of(v) == JSON_NULL || (text && !*text) ? NULL : v;
}

static int refuse(struct recording *r, const struct source *s, const struct json *v,
                  const char *wanted)
{
    char shown[DOCUMENT_VALUE_MAX];

    return err_set(r->err, ERR_INVALID, "%s.%s: %s, wanted %s", s->group, s->key,
                   document_shown(v, shown), wanted);
}

/* "5726.63", "5726,63", "19": the first len bytes of a text. */
static int parse_number(const char *text, size_t len, double *out)
{
    char copy[NUMBER_TEXT_MAX];
    char *comma;

    if (len >= sizeof copy)
        return -1;
    memcpy(copy, text, len);
    copy[len] = '\0';
    comma = strchr(copy, ',');
    if (comma && !strchr(copy, '.'))
        *comma = '.';
    return num_parse_f64(copy, len, -DBL_MAX, DBL_MAX, out, "", NULL);
}

static int number_of(const struct json *v, double *out)
{
    const char *text = json_text(v);

    if (text)
        return parse_number(text, strlen(text), out);
    *out = json_number(v);
    return json_type_of(v) == JSON_NUMBER ? 0 : -1;
}

static int size_of(const struct json *v, double *out)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"GB", 0x1p30}, {"TB", 0x1p40}, {"MB", 0x1p20}};
    const char *text = json_text(v);
    size_t len = text ? strcspn(text, " ") : 0;

    if (!text || parse_number(text, len, out) < 0)
        return -1;
    text += len + strspn(text + len, " ");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strncmp(text, units[i].unit, 2) == 0 && (text[2] == '\0' || text[2] == ' ')) {
            *out *= units[i].factor;
            return 0;
        }
    }
    return -1;
}

static int first_of(const struct json *v, double *out)
{
    const char *text = json_text(v);

    if (!text)
        return number_of(v, out);
    if (strncmp(text, "proc ", 5) == 0)
        text += 5;
    return parse_number(text, strspn(text, "0123456789"), out);
}

static int flag_of(const struct json *v, double *out)
{
    if (json_type_of(v) == JSON_BOOL)
        *out = json_bool_value(v) ? 1 : 0;
    else if (number_of(v, out) < 0 || (*out != 0 && *out != 1))
        return -1;
    return 0;
}

/* The number that the source gives, unscaled kinds scaled; what was wanted in *wanted when it gives
 * none. */
static int numeric(struct recording *r, const struct source *s, const struct json *v, double *out)
{
    double divisor = 0;

    switch (s->kind) {
    case SOURCE_SIZE:
        return size_of(v, out) == 0 ? 0 : refuse(r, s, v, "a size such as \"16 GB\"");
    case SOURCE_FIRST:
        return first_of(v, out) == 0 ? 0 : refuse(r, s, v, "a text with a number first");
    case SOURCE_FLAG:
        return flag_of(v, out) == 0 ? 0 : refuse(r, s, v, "true or false");
    case SOURCE_PRINTED:
        if (number_of(recording_value(r, s->group, "printed_divisor"), &divisor) < 0 || divisor < 1)
            return err_set(r->err, ERR_INVALID,
                           "%s.printed_divisor: missing or no number, wanted bytes for each unit "
                           "of %s",
                           s->group, s->key);
        break;
    default:
        divisor = s->factor;
    }
    if (number_of(v, out) < 0)
        return refuse(r, s, v, "a number");
    if (s->kind == SOURCE_U32 && *out < 0 && *out >= -0x1p31)
        *out += 0x1p32; /* printed with a sign that it has not */
    *out *= divisor;
    return 0;
}

/* Scaled numbers come from rounded prints, so a part of a byte is rounded; others must be whole. */
static int store_number(struct recording *r, const struct source *s, const struct json *v,
                        const struct field *f, void *record, double number)
{
    char wanted[DOCUMENT_WANTED_MAX], path[DETAIL_MAX];

    if (f->type == FIELD_BOOL) {
        *(int *)field_at(f, record) = number == 1 ? TRI_TRUE : TRI_FALSE;
        return 1;
    }
    snprintf(path, sizeof path, "%s.%s", s->group, s->key);
    if (f->type == FIELD_F64) {
        *(double *)field_at(f, record) = number;
    } else {
        bool scaled = s->kind == SOURCE_SIZE || s->kind == SOURCE_PRINTED || s->factor > 1;

        if ((!scaled && number != floor(number)) || !(fabs(number) <= 0x1p53))
            return refuse(r, s, v, document_wanted(f, wanted));
        *(int64_t *)field_at(f, record) = (int64_t)llround(number);
    }
    if (field_check(f, record, path, r->err) == 0)
        return 1;
    if (f->type == FIELD_F64)
        *(double *)field_at(f, record) = UNKNOWN_F64;
    else
        *(int64_t *)field_at(f, record) = UNKNOWN_I64;
    return -1;
}

/* Digits and dots, as "26.5.1"; NULL when the text has no such thing. */
static const char *version_in(const char *text, char out[NUMBER_TEXT_MAX])
{
    size_t len;

    text += strcspn(text, "0123456789");
    len = strspn(text, "0123456789.");
    while (len > 0 && text[len - 1] == '.')
        len--;
    if (len == 0 || len >= NUMBER_TEXT_MAX)
        return NULL;
    memcpy(out, text, len);
    out[len] = '\0';
    return out;
}

static int store_text(struct recording *r, const struct source *s, const struct json *v,
                      const struct field *f, void *record)
{
    const char *text = json_text(v);
    char version[NUMBER_TEXT_MAX], path[DETAIL_MAX], wanted[DOCUMENT_WANTED_MAX];
    char **at = field_at(f, record);

    if (!text)
        return refuse(r, s, v, document_wanted(f, wanted));
    if (s->kind == SOURCE_VERSION && !(text = version_in(text, version)))
        return refuse(r, s, v, "a version such as \"26.5\"");
    if (text_set(at, text, r->err) < 0)
        return -1;
    snprintf(path, sizeof path, "%s.%s", s->group, s->key);
    if (field_check(f, record, path, r->err) == 0)
        return 1;
    text_set(at, NULL, NULL);
    return -1;
}

static int try_source(struct recording *r, const struct record_type *type, void *record,
                      const char *field, const struct source *s)
{
    const struct json *v = recording_value(r, s->group, s->key);
    const struct field *f = record_field(type, field);
    double number;

    if (!v)
        return 0;
    if (f->type == FIELD_TEXT)
        return store_text(r, s, v, f, record);
    if (numeric(r, s, v, &number) < 0)
        return -1;
    if (number == 0 && s->zero_is_unknown) {
        recording_reason(r, field, "%s.%s is 0", s->group, s->key);
        return 0;
    }
    return store_number(r, s, v, f, record, number);
}

/* Where it was found, with the sum where the value is not as it stands. */
static void describe(const struct recording *r, const struct source *s, char detail[DETAIL_MAX])
{
    char shown[DOCUMENT_VALUE_MAX], divisor[DOCUMENT_VALUE_MAX];
    const struct json *v = recording_value(r, s->group, s->key);

    document_shown(v, shown);
    if (s->kind == SOURCE_PRINTED)
        snprintf(detail, DETAIL_MAX, "%s.%s: %s x %s", s->group, s->key, shown,
                 document_shown(recording_value(r, s->group, "printed_divisor"), divisor));
    else if (s->kind == SOURCE_NUMBER && s->factor != 1)
        snprintf(detail, DETAIL_MAX, "%s.%s: %s x %.0f", s->group, s->key, shown, s->factor);
    else if (s->kind == SOURCE_SIZE || s->kind == SOURCE_FIRST || s->kind == SOURCE_VERSION)
        snprintf(detail, DETAIL_MAX, "%s.%s: %s", s->group, s->key, shown);
    else
        snprintf(detail, DETAIL_MAX, "%s.%s", s->group, s->key);
}

int recording_resolve(struct recording *r, const struct record_type *type, void *record,
                      const char *field, const struct source *sources, size_t count,
                      char detail[DETAIL_MAX], int *how)
{
    for (size_t i = 0; i < count; i++) {
        int rc = try_source(r, type, record, field, &sources[i]);

        if (rc < 0)
            return -1;
        if (rc == 0)
            continue;
        describe(r, &sources[i], detail);
        *how = sources[i].how;
        return 1;
    }
    return 0;
}

int recording_note(struct fact_note **facts, size_t *count, const char *prefix, const char *field,
                   int how, const char *detail, struct err *err)
{
    struct fact_note *note = records_add(&fact_note_type, facts, count, err);

    if (!note || text_setf(&note->field, err, "%s%s", prefix, field) < 0)
        return -1;
    note->source = how;
    return text_set(&note->detail, detail, err);
}

int recording_fact(struct recording *r, const struct record_type *type, void *record,
                   const char *prefix, const char *field, const struct source *sources,
                   size_t count, struct fact_note **facts, size_t *facts_count)
{
    char detail[DETAIL_MAX];
    int how, rc;

    rc = recording_resolve(r, type, record, field, sources, count, detail, &how);
    if (rc == 1 && recording_note(facts, facts_count, prefix, field, how, detail, r->err) < 0)
        return -1;
    return rc;
}

int recording_integer(struct recording *r, const char *group, const char *key, int min, int max,
                      int *out)
{
    const struct source s = {group, key, SOURCE_NUMBER, 1, 0, false};
    const struct json *v = recording_value(r, group, key);
    char wanted[64];
    double number;

    if (!v)
        return 0;
    snprintf(wanted, sizeof wanted, "an integer from %d to %d", min, max);
    if (number_of(v, &number) < 0 || number != floor(number) || number < min || number > max)
        return refuse(r, &s, v, wanted);
    *out = (int)number;
    return 1;
}
