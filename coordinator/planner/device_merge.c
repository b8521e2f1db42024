/* device_merge.c - see device_merge.h. */
#include "coordinator/planner/device_merge.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAME_SHARE 0.01 /* a prediction within this of ours says the same */

static void note_value(struct note *n, const struct field *f, const void *record)
{
    const void *at = field_at(f, record);
    char text[NUM_F64_TEXT_MAX];

    if (f->type == FIELD_I64)
        note_proposed(n, "%" PRId64, *(const int64_t *)at);
    else if (f->type == FIELD_F64)
        note_proposed(n, "%s", num_format_f64(*(const double *)at, text));
    else if (f->type == FIELD_ENUM && enum_name(f->names, *(const int *)at))
        note_proposed(n, "%s", enum_name(f->names, *(const int *)at));
    else if (f->type == FIELD_BOOL)
        note_proposed(n, "%s", *(const int *)at == TRI_TRUE ? "true" : "false");
    else
        note_proposed(n, "%d", *(const int *)at);
}

/* The member's row where it holds a value that its row allows; else NULL, and the note says why. */
static const struct field *read_member(struct device_merge *m, int id, struct note **note)
{
    const struct field_map *map = &m->map[id];
    const struct field *f = record_field(m->type, map->member);
    struct note *n = *note = decision_note(m->notes, map, NULL, SIZE_MAX);
    struct err err = {0};

    if (!m->record || !field_is_known(f, m->record)) {
        note_outcome(n, OUTCOME_MISSING, CONSTRAINT_NONE, "not proposed");
        return NULL;
    }
    note_value(n, f, m->record);
    if (field_check(f, m->record, map->member, &err) == 0) {
        note_outcome(n, OUTCOME_USED, CONSTRAINT_NONE, "within what the job allows");
        return f;
    }
    note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s", err.text);
    return NULL;
}

bool merge_i64(struct device_merge *m, int id, int64_t low, int64_t high, int64_t *out)
{
    struct note *n;
    const struct field *f = read_member(m, id, &n);
    int64_t v;

    if (!f)
        return false;
    v = *(const int64_t *)field_at(f, m->record);
    *out = v < low ? low : v > high ? high : v;
    if (*out != v)
        note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_RULE, "the job allows %" PRId64 " to %" PRId64,
                     low, high);
    return true;
}

bool merge_f64(struct device_merge *m, int id, double low, double high, double *out)
{
    struct note *n;
    const struct field *f = read_member(m, id, &n);
    double v;

    if (!f)
        return false;
    v = *(const double *)field_at(f, m->record);
    *out = fmin(fmax(v, low), high);
    if (*out < v || *out > v)
        note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_RULE, "the job allows %g to %g", low, high);
    return true;
}

bool merge_int(struct device_merge *m, int id, int *out)
{
    struct note *n;
    const struct field *f = read_member(m, id, &n);

    if (!f)
        return false;
    *out = *(const int *)field_at(f, m->record);
    return true;
}

void merge_stated(struct device_merge *m, int id, const char *fmt, ...)
{
    char stated[NOTE_VALUE_MAX];
    struct note *n;
    va_list args;

    va_start(args, fmt);
    vsnprintf(stated, sizeof stated, fmt, args);
    va_end(args);
    if (!read_member(m, id, &n))
        return;
    if (strcmp(n->proposed, stated) != 0)
        note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_RULE, "the job states %s", stated);
}

struct note *merge_note(struct notes *notes, const struct field_map *field)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i].field == field)
            return &notes->items[i];
    return &notes->spare;
}

void merge_moved(struct notes *notes, const struct field_map *field, int constraint,
                 const char *fmt, ...)
{
    struct note *n = merge_note(notes, field);
    char text[NOTE_REASON_MAX];
    va_list args;

    if (n->outcome != OUTCOME_USED && n->outcome != OUTCOME_REPAIRED)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    note_outcome(n, OUTCOME_REPAIRED, constraint, "%s", text);
}

void merge_predicted(struct device_merge *m, int id, double own)
{
    struct note *n;
    const struct field *f = read_member(m, id, &n);
    double v, off;

    note_used(n, "%.6g", own);
    if (!f)
        return;
    v = f->type == FIELD_I64 ? (double)*(const int64_t *)field_at(f, m->record)
                             : *(const double *)field_at(f, m->record);
    note_proposed(n, "%.6g", v);
    off = own > 0 ? v / own - 1 : 1;
    if (fabs(off) <= SAME_SHARE)
        note_outcome(n, OUTCOME_USED, CONSTRAINT_NONE, "the planner's prediction is the same");
    else
        note_outcome(n, OUTCOME_REJECTED, CONSTRAINT_VALUE,
                     "a prediction is the planner's own; this one is %+.0f %% of it off",
                     fmin(off, 1e6) * 100);
}
