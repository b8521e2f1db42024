/* federated_settle.c - common values that would cost clients, and notes against what became of
 * them. */
#include "coordinator/planner/federated_merge.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/decisions.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_solve.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/roster.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- common values ---- */

static struct note *plan_note(struct notes *notes, enum federated_field id)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i].field == &federated_field_map[id] && notes->items[i].index == SIZE_MAX)
            return &notes->items[i];
    return &notes->spare;
}

/* The largest value in low..*value that keeps `wanted` clients; fewer layers or ranks lose nobody.
 */
static int lower(const struct roster *r, struct federated_settings *s, int64_t *value, int64_t low,
                 size_t wanted, struct err *err)
{
    int64_t high = *value;

    while (low < high) {
        int64_t mid = low + (high - low + 1) / 2;
        size_t n;

        *value = mid;
        if ((n = federated_count(r, s)) == SIZE_MAX)
            return err_set(err, ERR_NOMEM, "repair of a proposal");
        if (n >= wanted)
            low = mid;
        else
            high = mid - 1;
    }
    *value = low;
    return 0;
}

static void say_moved(struct notes *notes, enum federated_field id, int constraint, size_t lost)
{
    note_outcome(plan_note(notes, id), OUTCOME_REPAIRED, constraint,
                 "as proposed it would cost %zu of the clients that can take part", lost);
}

int federated_repair_common(const struct roster *r, const struct federated_settings *own,
                            struct federated_settings *s, struct notes *notes, struct err *err)
{
    struct federated_settings *try = federated_settings_dup(s, err);
    size_t wanted, have = 0;

    if (!try)
        return -1;
    try->memory_share = own->memory_share;
    try->layers = own->layers;
    try->rank = own->rank;
    try->upload_format = own->upload_format;
    wanted = federated_count(r, try);
    federated_settings_free(try);
    if (wanted == SIZE_MAX || (have = federated_count(r, s)) == SIZE_MAX)
        goto nomem;
    if (have < wanted && s->memory_share < own->memory_share) {
        s->memory_share = own->memory_share;
        say_moved(notes, FF_MEMORY_SHARE, CONSTRAINT_MEMORY, wanted - have);
        if ((have = federated_count(r, s)) == SIZE_MAX)
            goto nomem;
    }
    if (have < wanted && s->layers > own->layers) {
        if (lower(r, s, &s->layers, own->layers, wanted, err) < 0)
            return -1;
        say_moved(notes, FF_LAYERS, CONSTRAINT_MEMORY, wanted - have);
        if ((have = federated_count(r, s)) == SIZE_MAX)
            goto nomem;
    }
    if (have < wanted && s->rank > own->rank) {
        if (lower(r, s, &s->rank, own->rank, wanted, err) < 0)
            return -1;
        say_moved(notes, FF_RANK, CONSTRAINT_LINK, wanted - have);
        if ((have = federated_count(r, s)) == SIZE_MAX)
            goto nomem;
    }
    if (have < wanted && s->upload_format != own->upload_format) {
        s->upload_format = own->upload_format;
        say_moved(notes, FF_UPLOAD_FORMAT, CONSTRAINT_LINK, wanted - have);
    }
    return 0;
nomem:
    return err_set(err, ERR_NOMEM, "repair of a proposal");
}

/* ---- what each class got ---- */

/* The per-class fields, in the order of `values`. */
static const enum federated_field class_fields[] = {FF_PARTICIPATE,  FF_FORMAT,   FF_BATCH,
                                                    FF_ACCUMULATION, FF_SEQUENCE, FF_CHECKPOINT,
                                                    FF_LOCAL_STEPS};

#define CLASS_FIELDS (sizeof class_fields / sizeof class_fields[0])

struct class_used {
    size_t in;           /* members that take part */
    enum client_out out; /* why another does not */
    int64_t low[CLASS_FIELDS], high[CLASS_FIELDS];
    int why[CLASS_FIELDS];
};

static void part_values(const struct client_part *p, int64_t values[CLASS_FIELDS],
                        int why[CLASS_FIELDS])
{
    const struct cost_setup *s = &p->fit.setup;
    const int64_t v[CLASS_FIELDS] = {TRI_TRUE,
                                     s->format,
                                     s->batch_size,
                                     s->grad_accumulation,
                                     s->sequence_length,
                                     s->grad_checkpoint ? TRI_TRUE : TRI_FALSE,
                                     p->steps};
    const int w[CLASS_FIELDS] = {
        CONSTRAINT_NONE,     p->fit.why_format,     p->fit.why_batch, p->fit.why_accumulation,
        p->fit.why_sequence, p->fit.why_checkpoint, p->why_steps};

    memcpy(values, v, sizeof v);
    memcpy(why, w, sizeof w);
}

static void class_add(struct class_used *u, const struct client_part *p)
{
    int64_t v[CLASS_FIELDS];
    int why[CLASS_FIELDS];

    if (p->out != CLIENT_IN) {
        u->out = p->out;
        return;
    }
    part_values(p, v, why);
    for (size_t i = 0; i < CLASS_FIELDS; i++) {
        if (u->in == 0)
            u->low[i] = u->high[i] = v[i];
        u->low[i] = v[i] < u->low[i] ? v[i] : u->low[i];
        u->high[i] = v[i] > u->high[i] ? v[i] : u->high[i];
        if (why[i] != CONSTRAINT_NONE)
            u->why[i] = why[i];
    }
    u->in++;
}

static const char *value_text(enum federated_field id, int64_t v, char out[32])
{
    if (id == FF_FORMAT)
        return enum_name(&model_format_names, (int)v);
    if (id == FF_CHECKPOINT || id == FF_PARTICIPATE)
        return v == TRI_TRUE ? "true" : "false";
    snprintf(out, 32, "%" PRId64, v);
    return out;
}

static const char *why_text(int constraint)
{
    switch (constraint) {
    case CONSTRAINT_MEMORY:
        return "the proposed set-up does not fit in memory";
    case CONSTRAINT_DATA:
        return "clients have too few examples for more";
    case CONSTRAINT_DEADLINE:
        return "the round ends before more could be done";
    case CONSTRAINT_RULE:
        return "the job's own words";
    default:
        return "it follows from the other values";
    }
}

static const char *out_text(enum client_out out)
{
    switch (out) {
    case OUT_ENGINE:
        return "the proposal leaves the class out";
    case OUT_MEMORY:
        return "nothing fits in its memory";
    case OUT_DATA:
        return "its clients have too few examples";
    case OUT_LINK:
        return "its uploads take too much of the round";
    case OUT_DEADLINE:
        return "its clients cannot do the fewest steps before the deadline";
    case OUT_SELECTION:
        return "enough faster clients were selected";
    default:
        return "a rule of the job or an unknown fact leaves it out";
    }
}

static int out_constraint(enum client_out out)
{
    static const int of[] = {
        [CLIENT_IN] = CONSTRAINT_NONE,        [OUT_RULE] = CONSTRAINT_RULE,
        [OUT_ENGINE] = CONSTRAINT_NONE,       [OUT_MEMORY] = CONSTRAINT_MEMORY,
        [OUT_DATA] = CONSTRAINT_DATA,         [OUT_LINK] = CONSTRAINT_LINK,
        [OUT_DEADLINE] = CONSTRAINT_DEADLINE, [OUT_SELECTION] = CONSTRAINT_OBJECTIVE};
    return of[out];
}

static void settle_absent(struct note *n, const struct class_used *u)
{
    bool proposed = n->outcome == OUTCOME_USED || n->outcome == OUTCOME_REPAIRED;

    if (n->field == &federated_field_map[FF_PARTICIPATE]) {
        note_used(n, "false");
        if (proposed && strcmp(n->proposed, "true") == 0)
            note_outcome(n, OUTCOME_REJECTED, out_constraint(u->out), "%s", out_text(u->out));
        return;
    }
    if (proposed && u->out != OUT_ENGINE)
        note_outcome(n, OUTCOME_REJECTED, out_constraint(u->out), "%s", out_text(u->out));
}

static void settle_class(const struct federated_want *w, struct note *n, const struct class_used *u)
{
    char low[32], high[32];
    size_t i = 0;

    while (i < CLASS_FIELDS && &federated_field_map[class_fields[i]] != n->field)
        i++;
    if (i == CLASS_FIELDS)
        return;
    if (u->in == 0) {
        settle_absent(n, u);
        return;
    }
    if (u->low[i] == u->high[i])
        note_used(n, "%s", value_text(class_fields[i], u->low[i], low));
    else
        note_used(n, "%s %s %s", value_text(class_fields[i], u->low[i], low),
                  class_fields[i] == FF_FORMAT ? "and" : "to",
                  value_text(class_fields[i], u->high[i], high));
    if (n->outcome != OUTCOME_USED || strcmp(n->used, n->proposed) == 0)
        return;
    if (class_fields[i] == FF_ACCUMULATION && w->effective_stated)
        note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_RULE,
                     "the job states effective_batch %" PRId64, w->effective_batch);
    else
        note_outcome(n, OUTCOME_REPAIRED, u->why[i] ? u->why[i] : CONSTRAINT_SHAPE, "%s",
                     why_text(u->why[i]));
}

/* A value that stands for all classes: used where every class without its own got it. */
static void settle_strategy(struct note *n, const struct class_used *used,
                            const struct federated_settings *s)
{
    static const struct {
        enum federated_field plan;
        size_t value; /* in class_fields */
    } map[] = {{FF_STRATEGY_FORMAT, 1}, {FF_STRATEGY_SEQUENCE, 4}, {FF_STRATEGY_CHECKPOINT, 5}};
    size_t differ = 0, same = 0;
    int why = CONSTRAINT_NONE;

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (n->field != &federated_field_map[map[i].plan])
            continue;
        if (n->outcome != OUTCOME_USED && n->outcome != OUTCOME_REPAIRED)
            return;
        for (size_t k = 0; k < s->classes_count; k++) {
            char text[32];

            if (used[k].in == 0)
                continue;
            if (strcmp(value_text(class_fields[map[i].value], used[k].low[map[i].value], text),
                       n->proposed) == 0) {
                same++;
                continue;
            }
            differ++;
            why = used[k].why[map[i].value];
        }
        note_used(n, "%s in %zu classes, another in %zu", n->proposed, same, differ);
        if (differ > 0 && same == 0)
            note_outcome(n, OUTCOME_REPAIRED, why ? why : CONSTRAINT_SHAPE, "%s", why_text(why));
    }
}

/* Common values that no client's link allows. */
static void settle_link(struct note *n)
{
    if (n->outcome == OUTCOME_USED && strcmp(n->used, n->proposed) != 0)
        note_outcome(n, OUTCOME_REPAIRED, CONSTRAINT_LINK,
                     "no client's link allows more within its share of the round");
}

static void settle_plan(struct note *n, const struct federated_settings *s,
                        const struct federated_solution *solution)
{
    char text[NUM_F64_TEXT_MAX];

    if (n->field == &federated_field_map[FF_RANK])
        note_used(n, "%" PRId64, solution->rank_most);
    else if (n->field == &federated_field_map[FF_LAYERS])
        note_used(n, "%" PRId64, s->layers);
    else if (n->field == &federated_field_map[FF_MEMORY_SHARE])
        note_used(n, "%s", num_format_f64(s->memory_share, text));
    else if (n->field == &federated_field_map[FF_UPLOAD_FORMAT])
        note_used(n, "%s", enum_name(&upload_format_names, solution->best_link.format));
    else if (n->field == &federated_field_map[FF_LEARNING_RATE])
        note_used(n, "%s", num_format_f64(s->learning_rate, text));
    else if (n->field == &federated_field_map[FF_LR_SCHEDULE])
        note_used(n, "%s", enum_name(&lr_schedule_names, s->lr_schedule));
    else if (n->field == &federated_field_map[FF_WARMUP_STEPS])
        note_used(n, "%" PRId64, s->warmup_steps);
    else if (n->field == &federated_field_map[FF_STEPS_MAX])
        note_used(n, "%" PRId64, s->steps_max);
    else if (n->field == &federated_field_map[FF_SERVER_LEARNING_RATE])
        note_used(n, "%s", num_format_f64(s->server_learning_rate, text));
    else if (n->field == &federated_field_map[FF_PROXIMAL_MU])
        note_used(n, "%s", num_format_f64(s->proximal_mu, text));
}

int federated_settle(const struct roster *r, const struct federated_settings *s,
                     const struct federated_solution *solution, struct notes *notes,
                     struct err *err)
{
    const struct snapshot *snap = r->snapshot;
    struct class_used *used = mem_calloc(snap->classes_count + 1, sizeof *used);

    if (!used)
        return err_set(err, ERR_NOMEM, "decisions of %zu classes", snap->classes_count);
    for (size_t i = 0; i < snap->clients_count; i++)
        class_add(&used[snap->clients[i].class_index], &solution->parts[i]);
    for (size_t i = 0; i < notes->count; i++) {
        struct note *n = &notes->items[i];

        if (n->index < snap->classes_count) {
            settle_class(envelope_want(r->envelope), n, &used[n->index]);
            continue;
        }
        settle_strategy(n, used, s);
        settle_plan(n, s, solution);
        if (n->field == &federated_field_map[FF_RANK] ||
            n->field == &federated_field_map[FF_UPLOAD_FORMAT])
            settle_link(n);
    }
    mem_free(used);
    return 0;
}
