/* plan_diff.c - records compared by their rows. */
#include "coordinator/planner/plan_diff.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 120
#define PATH_MAX_TEXT 128
#define CHANGES_MAX 1000000
#define SAME_SHARE 1e-9 /* doubles that differ by less are the same */

static const struct field plan_change_fields[] = {
    ROW_TEXT(plan_change, subject, 64, 0, "device or stage; absent: the plan"),
    ROW_TEXT(plan_change, name, 128, 0, "of the device, for people"),
    ROW_I64(plan_change, others, 0, 1e9, "clients", 0, "that changed in just the same way"),
    ROW_TEXT(plan_change, field, 128, FIELD_REQUIRED, "path in the plan"),
    ROW_TEXT(plan_change, before, 512, 0, "absent: was not there"),
    ROW_TEXT(plan_change, after, 512, 0, "absent: is not there any more"),
    ROW_TEXT(plan_change, reason, 512, 0, "why it is so in the second plan"),
};
RECORD_DEFINE(plan_change, "PlanChange");

static const struct field plan_diff_fields[] = {
    ROW_TEXT(plan_diff, before, 512, 0, "the first plan"),
    ROW_TEXT(plan_diff, after, 512, 0, "the second plan"),
    ROW_TEXT(plan_diff, job_before, 64, 0, "its job"),
    ROW_TEXT(plan_diff, job_after, 64, 0, "its job"),
    ROW_RECORDS(plan_diff, changes, plan_change, CHANGES_MAX, 0, "field by field"),
};
RECORD_DEFINE(plan_diff, "PlanDiff");

/* ---- values ---- */

/* Texts that say in words what other fields say in numbers, and what is counted anew each time. */
static bool left_alone(const char *name)
{
    static const char *const names[] = {"text",
                                        "reason",
                                        "reasons",
                                        "memory_limit_source",
                                        "aggregation_reason",
                                        "device_id",
                                        "device_name",
                                        "plan_id",
                                        "coordinator_id",
                                        "generation",
                                        "job_id",
                                        "stage",
                                        "client_class",
                                        "kind",
                                        NULL};

    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool same_number(double a, double b)
{
    return a == b || fabs(a - b) <= SAME_SHARE * fmax(fabs(a), fabs(b));
}

static bool same_value(const struct field *f, const void *a, const void *b)
{
    const void *x = field_at(f, a), *y = field_at(f, b);

    switch (f->type) {
    case FIELD_I64:
        return *(const int64_t *)x == *(const int64_t *)y;
    case FIELD_F64:
        return same_number(*(const double *)x, *(const double *)y);
    case FIELD_BOOL:
    case FIELD_ENUM:
        return *(const int *)x == *(const int *)y;
    default:
        return strcmp(*(char *const *)x, *(char *const *)y) == 0;
    }
}

static void value_text(const struct field *f, const void *record, char out[VALUE_MAX])
{
    const void *at = field_at(f, record);
    char number[NUM_F64_TEXT_MAX];

    switch (f->type) {
    case FIELD_I64:
        if (f->unit && strcmp(f->unit, "bytes") == 0)
            num_format_bytes(*(const int64_t *)at, out);
        else
            snprintf(out, VALUE_MAX, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_F64:
        snprintf(number, sizeof number, "%.4g", *(const double *)at);
        snprintf(out, VALUE_MAX, "%s%s%s", number, f->unit && *f->unit ? " " : "",
                 f->unit ? f->unit : "");
        break;
    case FIELD_BOOL:
        snprintf(out, VALUE_MAX, "%s", *(const int *)at == TRI_TRUE ? "true" : "false");
        break;
    case FIELD_ENUM:
        snprintf(out, VALUE_MAX, "%s", enum_name(f->names, *(const int *)at));
        break;
    default:
        snprintf(out, VALUE_MAX, "%s", *(char *const *)at);
        break;
    }
}

static bool is_scalar(const struct field *f)
{
    return f->type != FIELD_RECORD && f->type != FIELD_RECORDS && f->type != FIELD_TEXTS &&
           f->type != FIELD_I64S;
}

/* ---- one subject ---- */

struct subject {
    const char *id, *name;
    const struct reason *reasons; /* of the second plan */
    size_t reasons_count;
};

static const char *reason_of(const struct subject *s, const char *path)
{
    const char *dot = strrchr(path, '.'), *field = dot ? dot + 1 : path;

    for (size_t i = 0; i < s->reasons_count; i++) {
        const char *of = s->reasons[i].field, *last = strrchr(of, '.');

        if (strcmp(of, path) == 0 || strcmp(last ? last + 1 : of, field) == 0)
            return s->reasons[i].text;
    }
    return NULL;
}

static int change_add(struct plan_diff *d, const struct subject *s, const char *path,
                      const char *before, const char *after, struct err *err)
{
    struct plan_change *c = records_add(&plan_change_type, &d->changes, &d->changes_count, err);

    if (!c || text_set(&c->subject, s->id, err) < 0 || text_set(&c->name, s->name, err) < 0 ||
        text_set(&c->field, path, err) < 0 || text_set(&c->before, before, err) < 0 ||
        text_set(&c->after, after, err) < 0 || text_set(&c->reason, reason_of(s, path), err) < 0)
        return -1;
    c->others = 0;
    return 0;
}

/* Scalars of two records of one type, and of those within; either may be NULL. */
static int compare(struct plan_diff *d, const struct subject *s, const char *path,
                   const struct record_type *type, const void *a, const void *b, struct err *err)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];
        bool in_a = a && field_is_known(f, a), in_b = b && field_is_known(f, b);
        char where[PATH_MAX_TEXT], before[VALUE_MAX], after[VALUE_MAX];

        if (left_alone(f->name) || (!in_a && !in_b))
            continue;
        snprintf(where, sizeof where, "%s%s%s", path, *path ? "." : "", f->name);
        if (f->type == FIELD_RECORD) {
            if (compare(d, s, where, f->record, in_a ? *(void *const *)field_at(f, a) : NULL,
                        in_b ? *(void *const *)field_at(f, b) : NULL, err) < 0)
                return -1;
            continue;
        }
        if (!is_scalar(f) || (in_a && in_b && same_value(f, a, b)))
            continue;
        if (in_a)
            value_text(f, a, before);
        if (in_b)
            value_text(f, b, after);
        if (change_add(d, s, where, in_a ? before : NULL, in_b ? after : NULL, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- stages ---- */

static const struct stage_part *stage_find(const struct pipeline_plan *p, const char *name)
{
    for (size_t i = 0; p && i < p->stages_count; i++)
        if (strcmp(p->stages[i].stage, name) == 0)
            return &p->stages[i];
    return NULL;
}

/* The device is left alone elsewhere; for a stage it is what matters most. */
static int stage_compare(struct plan_diff *d, const struct plan *after, const struct stage_part *a,
                         const struct stage_part *b, struct err *err)
{
    struct subject s = {.id = b ? b->stage : a->stage};
    const char *from = a ? a->device_id : NULL, *to = b ? b->device_id : NULL;

    for (size_t i = 0; to && i < after->assignments_count; i++) /* its reasons name the stage */
        if (strcmp(after->assignments[i].device_id, to) == 0)
            for (size_t k = 0; k < after->assignments[i].reasons_count; k++)
                if (after->assignments[i].reasons[k].value &&
                    strcmp(after->assignments[i].reasons[k].value, s.id) == 0) {
                    s.reasons = &after->assignments[i].reasons[k];
                    s.reasons_count = 1;
                }
    if (!from || !to || strcmp(from, to) != 0) {
        if (change_add(d, &s, "device_id", from, to, err) < 0)
            return -1;
        if (s.reasons_count > 0 &&
            text_set(&d->changes[d->changes_count - 1].reason, s.reasons[0].text, err) < 0)
            return -1;
    }
    return compare(d, &s, "", &stage_part_type, a, b, err);
}

static int stages_compare(struct plan_diff *d, const struct plan *before, const struct plan *after,
                          struct err *err)
{
    const struct pipeline_plan *a = before->pipeline, *b = after->pipeline;

    for (size_t i = 0; b && i < b->stages_count; i++)
        if (stage_compare(d, after, stage_find(a, b->stages[i].stage), &b->stages[i], err) < 0)
            return -1;
    for (size_t i = 0; a && i < a->stages_count; i++)
        if (!stage_find(b, a->stages[i].stage) &&
            stage_compare(d, after, &a->stages[i], NULL, err) < 0)
            return -1;
    return 0;
}

/* ---- clients ---- */

static int assignment_compare(struct plan_diff *d, const struct assignment *a,
                              const struct assignment *b, struct err *err)
{
    const struct assignment *one = b ? b : a;
    struct subject s = {.reasons = b ? b->reasons : NULL,
                        .reasons_count = b ? b->reasons_count : 0};
    size_t before = d->changes_count;

    if (!one)
        return 0;
    s.id = one->device_id;
    s.name = one->device_name;
    if (compare(d, &s, "", &assignment_type, a, b, err) < 0)
        return -1;
    for (size_t i = before; b && b->reason && i < d->changes_count; i++)
        if (strcmp(d->changes[i].field, "participate") == 0)
            return text_set(&d->changes[i].reason, b->reason, err);
    return 0;
}

/* Both lists are by rising device id. */
static int assignments_compare(struct plan_diff *d, const struct plan *before,
                               const struct plan *after, struct err *err)
{
    size_t i = 0, k = 0;

    while (i < before->assignments_count || k < after->assignments_count) {
        const struct assignment *a = i < before->assignments_count ? &before->assignments[i] : NULL;
        const struct assignment *b = k < after->assignments_count ? &after->assignments[k] : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a->device_id, b->device_id);

        if (assignment_compare(d, order <= 0 ? a : NULL, order >= 0 ? b : NULL, err) < 0)
            return -1;
        i += order <= 0;
        k += order >= 0;
    }
    return 0;
}

/* ---- changes that are alike ---- */

static int text_compare(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

/* Of what changed alike the reasons may differ in numbers; why somebody is in or out is said in
 * full. */
static int reason_compare(const struct plan_change *a, const struct plan_change *b)
{
    return strcmp(a->field, "participate") == 0 ? text_compare(a->reason, b->reason) : 0;
}

/* By what changed; then in the order found, which is by device id. */
static int alike_compare(const void *a, const void *b)
{
    const struct plan_change *const *x = a, *const *y = b;
    int order = strcmp((*x)->field, (*y)->field);

    if (order == 0)
        order = text_compare((*x)->before, (*y)->before);
    if (order == 0)
        order = text_compare((*x)->after, (*y)->after);
    if (order == 0)
        order = reason_compare(*x, *y);
    if (order == 0)
        order = *x < *y ? -1 : *x > *y;
    return order;
}

static bool alike(const struct plan_change *a, const struct plan_change *b)
{
    return strcmp(a->field, b->field) == 0 && text_compare(a->before, b->before) == 0 &&
           text_compare(a->after, b->after) == 0 && reason_compare(a, b) == 0;
}

/* Of clients that changed alike only the first stays. `from`: where the clients' changes start. */
static int fold(struct plan_diff *d, size_t from, struct err *err)
{
    size_t n = d->changes_count - from, kept = from;
    struct plan_change **order = mem_calloc(n + 1, sizeof(struct plan_change *)), *first = NULL;

    if (!order)
        return err_set(err, ERR_NOMEM, "%zu changes", n);
    for (size_t i = 0; i < n; i++)
        order[i] = &d->changes[from + i];
    if (n > 1)
        qsort(order, n, sizeof(struct plan_change *), alike_compare);
    for (size_t i = 0; i < n; i++) {
        if (first && alike(first, order[i])) {
            first->others++;
            order[i]->others = -1; /* goes */
        } else {
            first = order[i];
        }
    }
    mem_free(order);
    for (size_t i = from; i < d->changes_count; i++) {
        struct plan_change *c = &d->changes[i];

        if (c->others < 0) {
            record_clear(&plan_change_type, c);
            continue;
        }
        if (kept != i) {
            d->changes[kept] = *c;
            record_init(&plan_change_type, c);
        }
        kept++;
    }
    d->changes_count = kept;
    return 0;
}

static int plan_compare(struct plan_diff *d, const struct plan *a, const struct plan *b,
                        struct err *err)
{
    struct subject whole = {0};
    size_t clients;

    if (compare(d, &whole, "forecast", &forecast_type, a->forecast, b->forecast, err) < 0 ||
        compare(d, &whole, "federated", &federated_plan_type, a->federated, b->federated, err) <
            0 ||
        compare(d, &whole, "pipeline", &pipeline_plan_type, a->pipeline, b->pipeline, err) < 0 ||
        stages_compare(d, a, b, err) < 0)
        return -1;
    clients = d->changes_count;
    return assignments_compare(d, a, b, err) < 0 ? -1 : fold(d, clients, err);
}

int plan_diff(const struct plan *before, const struct plan *after, struct plan_diff **out,
              struct err *err)
{
    struct plan_diff *d;

    if (before->kind != after->kind)
        return err_set(err, ERR_INVALID, "a %s plan and a %s plan have nothing to compare",
                       enum_name(&plan_kind_names, before->kind),
                       enum_name(&plan_kind_names, after->kind));
    if (!(d = plan_diff_new(err)))
        return -1;
    if (text_set(&d->before, before->plan_id, err) < 0 ||
        text_set(&d->after, after->plan_id, err) < 0 ||
        text_set(&d->job_before, before->job_id, err) < 0 ||
        text_set(&d->job_after, after->job_id, err) < 0 ||
        plan_compare(d, before, after, err) < 0) {
        plan_diff_free(d);
        return -1;
    }
    *out = d;
    return 0;
}
