/* envelope_list.c - walking the grid of a class, and writing down what is there. */
#include "coordinator/planner/envelope_list.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/enums.h"
#include "common/model/plan.h"
#include "coordinator/planner/envelope.h"

#include <math.h>

#define LISTED_MAX 100000 /* of a class: 16 formats, 2 x 5 x 3 rows, 13 batches are 6,240 */

static const struct field listed_configuration_fields[] = {
    ROW_BOOL(listed_configuration, fits, FIELD_REQUIRED, "within the room of its class"),
    ROW_ENUM(listed_configuration, model_format, model_format, FIELD_REQUIRED, "base format"),
    ROW_BOOL(listed_configuration, grad_checkpoint, FIELD_REQUIRED, "recompute activations"),
    ROW_ENUM(listed_configuration, constraint, constraint, 0,
             "what binds it where it does not fit"),
    ROW_I64(listed_configuration, layers, 1, 4096, "layers", FIELD_REQUIRED,
            "blocks trained, from the top"),
    ROW_I64(listed_configuration, sequence_length, 1, 0x1p20, "tokens", FIELD_REQUIRED,
            "tokens per sequence"),
    ROW_I64(listed_configuration, batch_size, 1, 4096, "sequences", FIELD_REQUIRED, "micro-batch"),
    ROW_I64(listed_configuration, grad_accumulation, 1, 65536, "micro-steps", FIELD_REQUIRED,
            "micro-batches per optimizer update"),
    ROW_I64(listed_configuration, memory_bytes, 0, 0x1p60, "bytes", FIELD_REQUIRED,
            "predicted peak"),
    ROW_F64(listed_configuration, step_seconds, 0, 1e+12, "s", 0, "one optimizer update"),
    ROW_F64(listed_configuration, tokens_per_second, 0, 1e+12, "tokens/s", 0, "while stepping"),
};
RECORD_DEFINE(listed_configuration, "ListedConfiguration");

static const struct field listed_class_fields[] = {
    ROW_RECORD(listed_class, summary, class_summary, FIELD_REQUIRED, "the class"),
    ROW_I64(listed_class, room_bytes, 0, 0x1p60, "bytes", 0,
            "what a plan may fill of its memory limit"),
    ROW_RECORDS(listed_class, configurations, listed_configuration, LISTED_MAX, 0,
                "those that fit, then the first that do not"),
};
RECORD_DEFINE(listed_class, "ListedClass");

static const struct field envelope_list_fields[] = {
    ROW_TEXT(envelope_list, fleet, 512, 0, "where it comes from, for people"),
    ROW_RECORDS(envelope_list, classes, listed_class, 1000000, 0, "by falling number of devices"),
};
RECORD_DEFINE(envelope_list, "EnvelopeList");

static int add(struct listed_class *c, const struct configuration *f, bool fits, int constraint,
               struct err *err)
{
    struct listed_configuration *out =
        records_add(&listed_configuration_type, &c->configurations, &c->configurations_count, err);

    if (!out)
        return -1;
    out->fits = fits ? TRI_TRUE : TRI_FALSE;
    out->model_format = f->model_format;
    out->grad_checkpoint = f->grad_checkpoint ? TRI_TRUE : TRI_FALSE;
    out->constraint = constraint;
    out->layers = f->layers;
    out->sequence_length = f->sequence_length;
    out->batch_size = f->batch_size;
    out->grad_accumulation = f->grad_accumulation;
    out->memory_bytes = f->memory_bytes;
    out->step_seconds = f->step_seconds;
    out->tokens_per_second = f->tokens_per_second;
    return 0;
}

static int list_class(const struct envelope *e, size_t k, bool whole, struct listed_class *c,
                      struct err *err)
{
    const struct class_summary *s = envelope_summary(e, k);
    int binding = s->constraint > CONSTRAINT_NONE ? s->constraint : CONSTRAINT_MEMORY;
    struct configuration f;
    size_t cursor = 0;

    if (!(c->summary = class_summary_dup(s, err)))
        return -1;
    if (known_i64(s->memory_limit_bytes))
        c->room_bytes = (int64_t)((double)s->memory_limit_bytes * envelope_policy(e)->memory_share);
    while (whole && envelope_next(e, k, &cursor, &f))
        if (add(c, &f, true, CONSTRAINT_NONE, err) < 0)
            return -1;
    cursor = 0;
    while (whole && envelope_next_over(e, k, &cursor, &f))
        if (add(c, &f, false, binding, err) < 0)
            return -1;
    return 0;
}

struct envelope_list *envelope_list_make(const struct envelope *e, size_t class_index, bool whole,
                                         struct err *err)
{
    struct envelope_list *list = envelope_list_new(err);

    for (size_t k = 0; list && k < envelope_classes(e); k++) {
        struct listed_class *c;

        if (class_index != SIZE_MAX && class_index != k)
            continue;
        c = records_add(&listed_class_type, &list->classes, &list->classes_count, err);
        if (!c || list_class(e, k, whole, c, err) < 0) {
            envelope_list_free(list);
            return NULL;
        }
    }
    return list;
}
