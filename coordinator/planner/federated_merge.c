/* federated_merge.c - reading a proposal: unknown classes, repeats, wrong ranges, the job's own
 * words. */
#include "coordinator/planner/federated_merge.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/decisions.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_solve.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/roster.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct merge {
    const struct roster *roster;
    const struct federated_want *want;
    struct federated_settings *settings;
    struct notes *notes;
    struct note *last; /* of the member just read; until the next one */
};

/* One member of one record of the proposal. */
struct member {
    enum federated_field id;
    const struct record_type *type;
    const void *record; /* NULL: the engine left the whole record out */
    const char *subject;
    size_t index;
};

/* The member's row where it holds a value that its row allows; else NULL, and the note says why. */
static const struct field *member_read(struct merge *m, const struct member *at)
{
    const struct field_map *map = &federated_field_map[at->id];
    const struct field *f = record_field(at->type, map->member);
    struct note *note = m->last = decision_note(m->notes, map, at->subject, at->index);
    struct err err = {0};

    if (!at->record || !field_is_known(f, at->record)) {
        note_outcome(note, OUTCOME_MISSING, CONSTRAINT_NONE, "not proposed");
        return NULL;
    }
    if (field_check(f, at->record, map->member, &err) == 0)
        return f;
    if (f->type == FIELD_I64)
        note_proposed(note, "%" PRId64, *(const int64_t *)field_at(f, at->record));
    if (f->type == FIELD_F64)
        note_proposed(note, "%g", *(const double *)field_at(f, at->record));
    note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s", err.text);
    return NULL;
}

/* Takes the value into *out, moved into low..high. */
static bool take_i64(struct merge *m, struct member at, int64_t low, int64_t high, int64_t *out)
{
    const struct field *f = member_read(m, &at);
    struct note *note = m->last;
    int64_t v;

    if (!f)
        return false;
    v = *(const int64_t *)field_at(f, at.record);
    note_proposed(note, "%" PRId64, v);
    *out = v < low ? low : v > high ? high : v;
    if (*out == v)
        note_outcome(note, OUTCOME_USED, CONSTRAINT_NONE, "within what the job allows");
    else
        note_outcome(note, OUTCOME_REPAIRED, CONSTRAINT_RULE,
                     "the job allows %" PRId64 " to %" PRId64, low, high);
    return true;
}

static bool take_f64(struct merge *m, struct member at, double *out)
{
    const struct field *f = member_read(m, &at);
    struct note *note = m->last;
    char text[NUM_F64_TEXT_MAX];

    if (!f)
        return false;
    *out = *(const double *)field_at(f, at.record);
    note_proposed(note, "%s", num_format_f64(*out, text));
    note_outcome(note, OUTCOME_USED, CONSTRAINT_NONE, "within its range");
    return true;
}

/* An enum or a boolean. */
static bool take_int(struct merge *m, struct member at, int *out)
{
    const struct field *f = member_read(m, &at);
    struct note *note = m->last;

    if (!f)
        return false;
    *out = *(const int *)field_at(f, at.record);
    note_proposed(note, "%s",
                  f->type == FIELD_ENUM ? enum_name(f->names, *out)
                  : *out == TRI_TRUE    ? "true"
                                        : "false");
    note_outcome(note, OUTCOME_USED, CONSTRAINT_NONE, "within what the job allows");
    return true;
}

static void take_format(struct merge *m, struct member at, int *out)
{
    int v;

    if (!take_int(m, at, &v))
        return;
    if (federated_want_format(m->want, v) < 0)
        note_outcome(m->last, OUTCOME_REJECTED, CONSTRAINT_VALUE,
                     "not one of the job's variants that %s training can use",
                     enum_name(&fine_tune_method_names, m->want->method));
    else
        *out = v;
}

static void take_checkpoint(struct merge *m, struct member at, int *out)
{
    int v;

    if (!take_int(m, at, &v))
        return;
    if (m->want->grad_checkpoint != TRI_UNKNOWN && v != m->want->grad_checkpoint)
        note_outcome(m->last, OUTCOME_REPAIRED, CONSTRAINT_RULE,
                     "the job states grad_checkpoint %s",
                     m->want->grad_checkpoint == TRI_TRUE ? "true" : "false");
    else
        *out = v;
}

static void take_batch(struct merge *m, struct member at, int64_t *out)
{
    int64_t stated = m->want->batch_size, v = UNKNOWN_I64;
    int64_t high = m->want->effective_stated ? m->want->effective_batch : 4096;

    if (!take_i64(m, at, 1, high < 4096 ? high : 4096, &v))
        return;
    if (known_i64(stated) && v != stated)
        note_outcome(m->last, OUTCOME_REPAIRED, CONSTRAINT_RULE,
                     "the job states batch_size %" PRId64, stated);
    else
        *out = v;
}

static void merge_class(struct merge *m, const struct client_optimization *c, size_t k)
{
    const struct federated_want *w = m->want;
    struct class_settings *out = &m->settings->classes[k];
    struct member at = {.type = &client_optimization_type,
                        .record = c,
                        .subject = m->roster->snapshot->classes[k].id,
                        .index = k};
    int yes;

#define AT(field) ((at.id = (field)), at)
    if (take_int(m, AT(FF_PARTICIPATE), &yes))
        out->participate = yes == TRI_TRUE;
    take_format(m, AT(FF_FORMAT), &out->ask.format);
    take_batch(m, AT(FF_BATCH), &out->ask.batch_size);
    take_i64(m, AT(FF_ACCUMULATION), 1, 4096, &out->ask.grad_accumulation);
    take_i64(m, AT(FF_SEQUENCE), w->sequence_min, w->sequence, &out->ask.sequence_length);
    take_checkpoint(m, AT(FF_CHECKPOINT), &out->ask.checkpoint);
    take_i64(m, AT(FF_LOCAL_STEPS), w->steps_min, m->settings->steps_max, &out->local_steps);
}

/* The first entry of each class; unknown and repeated ones are noted and dropped. */
static int merge_classes(struct merge *m, const struct federated_proposal *p, struct err *err)
{
    const struct snapshot *s = m->roster->snapshot;
    size_t *of = mem_calloc(s->classes_count + 1, sizeof *of); /* entry + 1 of each class */
    struct map *ids = map_new(s->classes_count + 1);
    bool ok = of && ids;

    for (size_t k = 0; ok && k < s->classes_count; k++)
        ok = map_put(ids, s->classes[k].id, &s->classes[k], NULL) == 0;
    for (size_t i = 0; ok && p && i < p->client_optimization_count; i++) {
        const struct client_optimization *c = &p->client_optimization[i];
        const struct device_class *dc = c->client_class ? map_get(ids, c->client_class) : NULL;
        struct note *note;

        if (dc && !of[dc - s->classes]) {
            of[dc - s->classes] = i + 1;
            continue;
        }
        note = decision_note(m->notes, &federated_field_map[FF_CLIENT_CLASS], c->client_class,
                             SIZE_MAX);
        note_proposed(note, "%s", c->client_class ? c->client_class : "");
        note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s",
                     dc ? "given before: the first one counts" : "no such class in this fleet");
    }
    for (size_t k = 0; ok && k < s->classes_count; k++)
        merge_class(m, p && of[k] ? &p->client_optimization[of[k] - 1] : NULL, k);
    map_free(ids, NULL);
    mem_free(of);
    return ok ? 0 : err_set(err, ERR_NOMEM, "classes of a proposal");
}

/* What stands for every class whose own entry leaves it open. */
static void merge_strategy(struct merge *m, const struct optimization_strategy *o)
{
    struct member at = {.type = &optimization_strategy_type, .record = o, .index = SIZE_MAX};
    struct fit_ask ask = fit_ask_open();

    take_format(m, AT(FF_STRATEGY_FORMAT), &ask.format);
    take_checkpoint(m, AT(FF_STRATEGY_CHECKPOINT), &ask.checkpoint);
    take_i64(m, AT(FF_STRATEGY_SEQUENCE), m->want->sequence_min, m->want->sequence,
             &ask.sequence_length);
    for (size_t k = 0; k < m->settings->classes_count; k++)
        m->settings->classes[k].ask = ask;
}

static void merge_allocation(struct merge *m, const struct resource_allocation *a)
{
    const struct federated_want *w = m->want;
    struct member at = {.type = &resource_allocation_type, .record = a, .index = SIZE_MAX};

    take_i64(m, AT(FF_RANK), w->rank_min, w->rank_max, &m->settings->rank);
    take_i64(m, AT(FF_LAYERS), w->layers_min, w->layers, &m->settings->layers);
    take_f64(m, AT(FF_MEMORY_SHARE), &m->settings->memory_share);
}

static void merge_protocol(struct merge *m, const struct communication_protocol *c)
{
    struct member at = {.type = &communication_protocol_type, .record = c, .index = SIZE_MAX};
    int v;

    if (!take_int(m, AT(FF_UPLOAD_FORMAT), &v))
        return;
    if (m->want->secure_aggregation && v != UPLOAD_FORMAT_F32)
        note_outcome(m->last, OUTCOME_REPAIRED, CONSTRAINT_PRIVACY,
                     "masked updates are dense fixed-point numbers of 32 bits: f32");
    else
        m->settings->upload_format = v;
}

static void merge_convergence(struct merge *m, int aggregation,
                              const struct convergence_strategy *c)
{
    const struct federated_want *w = m->want;
    struct federated_settings *s = m->settings;
    struct member at = {.type = &convergence_strategy_type, .record = c, .index = SIZE_MAX};
    double rate = s->learning_rate, mu = s->proximal_mu;
    char text[NUM_F64_TEXT_MAX];
    int schedule;

    if (take_f64(m, AT(FF_LEARNING_RATE), &rate)) {
        if (w->learning_rate_stated && rate != w->learning_rate)
            note_outcome(m->last, OUTCOME_REPAIRED, CONSTRAINT_RULE,
                         "the job states learning_rate %s", num_format_f64(w->learning_rate, text));
        else
            s->learning_rate = rate;
    }
    if (take_int(m, AT(FF_LR_SCHEDULE), &schedule))
        s->lr_schedule = schedule;
    take_i64(m, AT(FF_WARMUP_STEPS), 0, 100000, &s->warmup_steps);
    take_i64(m, AT(FF_STEPS_MAX), w->steps_min, w->steps_max, &s->steps_max);
    take_f64(m, AT(FF_SERVER_LEARNING_RATE), &s->server_learning_rate);
    if (take_f64(m, AT(FF_PROXIMAL_MU), &mu)) {
        if (aggregation != AGGREGATION_FEDPROX)
            note_outcome(m->last, OUTCOME_REJECTED, CONSTRAINT_SHAPE,
                         "the aggregation is %s: it has no proximal term",
                         enum_name(&aggregation_names, aggregation));
        else
            s->proximal_mu = mu;
    }
#undef AT
}

struct federated_settings *federated_merge(const struct roster *r,
                                           const struct federated_settings *own, int aggregation,
                                           const struct federated_proposal *p, struct notes *notes,
                                           struct err *err)
{
    struct merge m = {.roster = r, .want = envelope_want(r->envelope), .notes = notes};

    if (!(m.settings = federated_settings_dup(own, err)))
        return NULL;
    merge_strategy(&m, p ? p->optimization_strategy : NULL);
    merge_allocation(&m, p ? p->resource_allocation : NULL);
    merge_protocol(&m, p ? p->communication_protocol : NULL);
    merge_convergence(&m, aggregation, p ? p->convergence_strategy : NULL);
    if (merge_classes(&m, p, err) < 0) {
        federated_settings_free(m.settings);
        return NULL;
    }
    return m.settings;
}
