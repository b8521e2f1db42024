/* fact_put.c - see fact_put.h. */
#include "agent/probe/fact_put.h"
#include "agent/probe/fact.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/text.h"
#include "common/model/device.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

int record_put_i64(const struct record_type *type, void *record, const char *field, int64_t value)
{
    const struct field *row = record_field(type, field);

    assert(row && row->type == FIELD_I64);
    if ((double)value < row->min || (double)value > row->max)
        return 1;
    *(int64_t *)field_at(row, record) = value;
    return 0;
}

int record_put_text(const struct record_type *type, void *record, const char *field,
                    const char *value, struct err *err)
{
    const struct field *row = record_field(type, field);
    char clean[NAME_TEXT_MAX + 1];
    size_t size;

    assert(row && row->type == FIELD_TEXT);
    size = row->max < NAME_TEXT_MAX ? (size_t)row->max + 1 : sizeof clean;
    if (text_clean(clean, size, value) == 0)
        return 1;
    return text_set(field_at(row, record), clean, err);
}

int profile_put_i64(struct profile *p, struct err *err, const char *field, int64_t value,
                    const char *from)
{
    if (record_put_i64(&profile_type, p, field, value) != 0)
        return profile_unknown(p, err, field, "%s is %" PRId64 ", which makes no sense",
                               from ? from : "it", value);
    return from ? profile_note(p, err, field, FACT_SOURCE_READ, from) : 0;
}

int state_put_i64(struct state *s, struct err *err, const char *field, int64_t value,
                  const char *from)
{
    if (record_put_i64(&state_type, s, field, value) != 0)
        return state_unknown(s, err, field, "%s is %" PRId64 ", which makes no sense",
                             from ? from : "it", value);
    return from ? state_note(s, err, field, FACT_SOURCE_READ, from) : 0;
}

int state_put_f64(struct state *s, struct err *err, const char *field, double value,
                  const char *from)
{
    const struct field *row = record_field(&state_type, field);

    assert(row && row->type == FIELD_F64);
    if (!(value >= row->min && value <= row->max))
        return state_unknown(s, err, field, "%s is %g, which makes no sense", from ? from : "it",
                             value);
    *(double *)field_at(row, s) = value;
    return from ? state_note(s, err, field, FACT_SOURCE_READ, from) : 0;
}

int profile_put_text(struct profile *p, struct err *err, const char *field, const char *value,
                     const char *from)
{
    int rc = record_put_text(&profile_type, p, field, value, err);

    if (rc < 0)
        return -1;
    if (rc > 0)
        return profile_unknown(p, err, field, "%s is empty", from ? from : "it");
    return from ? profile_note(p, err, field, FACT_SOURCE_READ, from) : 0;
}
