/* pipeline_merge.c - an engine's architecture and schedule, checked against the graph and the
 * devices. */
#include "coordinator/planner/pipeline_turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void pipeline_ask_clear(struct pipeline_ask *a)
{
    mem_free(a->class_of);
    mem_free(a->priority);
    mem_free(a->priority_given);
    mem_free(a->group);
    memset(a, 0, sizeof *a);
}

static struct note *note_for(struct pipeline_turn *t, enum pipeline_field id, size_t stage)
{
    const char *subject = stage == SIZE_MAX ? NULL : t->pipeline->stages[stage].name;

    return decision_note(&t->notes, &pipeline_field_map[id], subject, stage);
}

/* The planner's own: where each stage went, and the order in which they were placed. */
static void ask_from_own(const struct pipeline_turn *t, struct pipeline_ask *a)
{
    size_t n = t->pipeline->stages_count;

    for (size_t i = 0; i < n; i++) {
        a->class_of[i] = SIZE_MAX;
        a->group[i] = HEFT_NO_GROUP;
        a->priority[t->own->order[i]] = (int64_t)(n - i);
    }
}

static void ask_devices(struct pipeline_turn *t, const struct pipeline_architecture *p,
                        struct pipeline_ask *a)
{
    struct note *note = note_for(t, PF_MAX_DEVICES, SIZE_MAX);
    const struct pipeline_cost *c = t->pipeline->cost;
    const struct field *f = record_field(&pipeline_architecture_type, "max_devices");
    struct err err = {0};
    int64_t v = p ? p->max_devices : UNKNOWN_I64;

    if (!known_i64(v)) {
        note_outcome(note, OUTCOME_MISSING, CONSTRAINT_NONE, "not proposed");
        return;
    }
    note_proposed(note, "%" PRId64, v);
    if (field_check(f, p, "max_devices", &err) < 0) {
        note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s", err.text);
        return;
    }
    if (c && known_i64(c->max_devices) && v > c->max_devices) {
        note_outcome(note, OUTCOME_REPAIRED, CONSTRAINT_RULE, "the job allows %" PRId64,
                     c->max_devices);
        v = c->max_devices;
    } else {
        note_outcome(note, OUTCOME_USED, CONSTRAINT_NONE, "within what the job allows");
    }
    a->max_devices = (size_t)v;
}

/* Is there one device that every stage of the ask's group may run on, in the class asked of each?
 */
static bool group_has_device(const struct pipeline_turn *t, const struct pipeline_ask *a, size_t g)
{
    for (size_t d = 0; d < t->sites_count; d++) {
        bool all = true;

        for (size_t i = 0; i < t->pipeline->stages_count && all; i++)
            if (a->group[i] == g)
                all = !isinf(t->seconds[i * t->sites_count + d]) &&
                      (a->class_of[i] == SIZE_MAX || a->class_of[i] == t->sites[d].class_index);
        if (all)
            return true;
    }
    return false;
}

/* Joins the group's stages and whatever groups they were in; undone where no device could hold it.
 */
static bool join(const struct pipeline_turn *t, struct pipeline_ask *a, const size_t *members,
                 size_t count, size_t *scratch)
{
    size_t n = t->pipeline->stages_count, g = a->groups;

    memcpy(scratch, a->group, n * sizeof *scratch);
    for (size_t k = 0; k < count; k++) {
        size_t old = a->group[members[k]];

        a->group[members[k]] = g;
        for (size_t i = 0; i < n && old != HEFT_NO_GROUP && old != g; i++)
            if (a->group[i] == old)
                a->group[i] = g;
    }
    if (!group_has_device(t, a, g)) {
        memcpy(a->group, scratch, n * sizeof *scratch);
        return false;
    }
    a->groups++;
    return true;
}

static void group_text(const struct stage_group *g, struct note *note)
{
    char text[NOTE_VALUE_MAX];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < g->stages_count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.64s", i ? ", " : "",
                                 g->stages[i] ? g->stages[i] : "");
    note_proposed(note, "%s", text);
}

static int ask_groups(struct pipeline_turn *t, const struct pipeline_architecture *p,
                      struct pipeline_ask *a, struct err *err)
{
    size_t n = t->pipeline->stages_count;
    size_t *members = mem_calloc(n + 1, sizeof *members),
           *scratch = mem_calloc(n + 1, sizeof *scratch);

    if (!members || !scratch) {
        mem_free(members);
        mem_free(scratch);
        return err_set(err, ERR_NOMEM, "groups of %zu stages", n);
    }
    if (!p || p->colocate_count == 0)
        note_outcome(note_for(t, PF_COLOCATE, SIZE_MAX), OUTCOME_MISSING, CONSTRAINT_NONE,
                     "not proposed");
    for (size_t i = 0; p && i < p->colocate_count; i++) {
        const struct stage_group *g = &p->colocate[i];
        struct note *note = note_for(t, PF_COLOCATE, SIZE_MAX);
        size_t count = 0, unknown = SIZE_MAX;

        group_text(g, note);
        for (size_t k = 0; k < g->stages_count; k++) {
            size_t s = pipeline_stage(t, g->stages[k]);

            if (s == SIZE_MAX)
                unknown = k;
            else if (count < n)
                members[count++] = s;
        }
        if (unknown != SIZE_MAX)
            note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "\"%.64s\" is no stage",
                         g->stages[unknown] ? g->stages[unknown] : "");
        else if (count < 2)
            note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "a group needs two stages");
        else if (join(t, a, members, count, scratch))
            note_outcome(note, OUTCOME_USED, CONSTRAINT_NONE, "one device can run them all");
        else
            note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_MEMORY,
                         "no single device can run all of them");
    }
    mem_free(members);
    mem_free(scratch);
    return 0;
}

static size_t class_number(const struct pipeline_turn *t, const char *id)
{
    for (size_t k = 0; k < t->snapshot->classes_count; k++)
        if (strcmp(t->snapshot->classes[k].id, id) == 0)
            return k;
    return SIZE_MAX;
}

static void ask_class(struct pipeline_turn *t, const char *id, size_t stage, struct pipeline_ask *a)
{
    struct note *note = note_for(t, PF_CLIENT_CLASS, stage);
    size_t k = id ? class_number(t, id) : SIZE_MAX;

    if (!id) {
        note_outcome(note, OUTCOME_MISSING, CONSTRAINT_NONE, "not proposed");
        return;
    }
    note_proposed(note, "%s", id);
    if (k == SIZE_MAX) {
        note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "no such class in this fleet");
        return;
    }
    for (size_t d = 0; d < t->sites_count; d++) {
        if (t->sites[d].class_index != k || isinf(t->seconds[stage * t->sites_count + d]))
            continue;
        a->class_of[stage] = k;
        note_outcome(note, OUTCOME_USED, CONSTRAINT_NONE, "a member can run the stage");
        return;
    }
    note_outcome(note, OUTCOME_REPAIRED, CONSTRAINT_MEMORY,
                 "no member may run it: memory, Metal, the job's rules or its own device_id");
}

static void ask_priority(struct pipeline_turn *t, const struct stage_schedule *s, size_t stage,
                         struct pipeline_ask *a)
{
    struct note *note = note_for(t, PF_PRIORITY, stage);
    const struct field *f = record_field(&stage_schedule_type, "priority");
    struct err err = {0};

    if (!s || !known_i64(s->priority)) {
        note_outcome(note, OUTCOME_MISSING, CONSTRAINT_NONE, "not proposed");
        return;
    }
    note_proposed(note, "%" PRId64, s->priority);
    if (field_check(f, s, "priority", &err) < 0) {
        note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s", err.text);
        return;
    }
    a->priority[stage] = s->priority;
    a->priority_given[stage] = true;
    note_outcome(note, OUTCOME_USED, CONSTRAINT_NONE, "among the stages whose inputs are ready");
}

static int ask_schedule(struct pipeline_turn *t, const struct pipeline_proposal *p,
                        struct pipeline_ask *a, struct err *err)
{
    size_t n = t->pipeline->stages_count;
    size_t *of = mem_calloc(n + 1, sizeof *of); /* entry + 1 of each stage */

    if (!of)
        return err_set(err, ERR_NOMEM, "schedule of %zu stages", n);
    for (size_t i = 0; p && i < p->resource_scheduling_count; i++) {
        const struct stage_schedule *s = &p->resource_scheduling[i];
        size_t stage = pipeline_stage(t, s->stage);
        struct note *note;

        if (stage != SIZE_MAX && !of[stage]) {
            of[stage] = i + 1;
            continue;
        }
        note = decision_note(&t->notes, &pipeline_field_map[PF_STAGE], s->stage, SIZE_MAX);
        note_proposed(note, "%s", s->stage ? s->stage : "");
        note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_VALUE, "%s",
                     stage == SIZE_MAX ? "no such stage in this job"
                                       : "given before: the first one counts");
    }
    for (size_t i = 0; i < n; i++) {
        const struct stage_schedule *r = p && of[i] ? &p->resource_scheduling[of[i] - 1] : NULL;

        ask_class(t, r ? r->client_class : NULL, i, a);
        ask_priority(t, r, i, a);
    }
    mem_free(of);
    return 0;
}

int pipeline_ask_make(struct pipeline_turn *t, const struct pipeline_proposal *p,
                      struct pipeline_ask *out, struct err *err)
{
    size_t n = t->pipeline->stages_count;

    memset(out, 0, sizeof *out);
    out->class_of = mem_calloc(n + 1, sizeof *out->class_of);
    out->priority = mem_calloc(n + 1, sizeof *out->priority);
    out->priority_given = mem_calloc(n + 1, sizeof *out->priority_given);
    out->group = mem_calloc(n + 1, sizeof *out->group);
    if (!out->class_of || !out->priority || !out->priority_given || !out->group) {
        pipeline_ask_clear(out);
        return err_set(err, ERR_NOMEM, "schedule of %zu stages", n);
    }
    ask_from_own(t, out);
    ask_devices(t, p ? p->pipeline_architecture : NULL, out);
    if (ask_schedule(t, p, out, err) < 0 ||
        ask_groups(t, p ? p->pipeline_architecture : NULL, out, err) < 0) {
        pipeline_ask_clear(out);
        return -1;
    }
    return 0;
}

void pipeline_settle(struct pipeline_turn *t, const struct pipeline_ask *a)
{
    const struct heft_schedule *s = pipeline_schedule(t);

    for (size_t i = 0; i < t->notes.count; i++) {
        struct note *n = &t->notes.items[i];

        if (n->field == &pipeline_field_map[PF_MAX_DEVICES])
            note_used(n, "%zu", s->devices_used);
        else if (n->field == &pipeline_field_map[PF_CLIENT_CLASS] && n->index != SIZE_MAX)
            note_used(n, "%s", t->snapshot->classes[t->sites[s->device[n->index]].class_index].id);
        else if (n->field == &pipeline_field_map[PF_PRIORITY] && n->index != SIZE_MAX)
            note_used(n, "%" PRId64, a->priority[n->index]);
    }
}
