/* decisions.c - notes, and the decisions they become. */
#include "coordinator/planner/decisions.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/model/enums.h"
#include "common/model/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void decision_notes_clear(struct notes *n)
{
    mem_free(n->items);
    memset(n, 0, sizeof *n);
}

static bool notes_grow(struct notes *n)
{
    size_t cap = n->cap ? n->cap * 2 : 64;
    struct note *items;

    if (n->count < n->cap)
        return true;
    if (!(items = mem_realloc_array(n->items, cap + 1, sizeof *items))) {
        n->failed = true;
        return false;
    }
    n->items = items;
    n->cap = cap;
    return true;
}

struct note *decision_note(struct notes *n, const struct field_map *field, const char *subject,
                           size_t index)
{
    struct note *note = &n->spare;

    if (n->count >= DECISIONS_MAX)
        n->cut = true;
    else if (notes_grow(n))
        note = &n->items[n->count++];
    memset(note, 0, sizeof *note);
    note->field = field;
    note->index = index;
    if (subject)
        text_clean(note->subject, sizeof note->subject, subject);
    return note;
}

void note_proposed(struct note *n, const char *fmt, ...)
{
    char raw[NOTE_VALUE_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_clean(n->proposed, sizeof n->proposed, raw);
}

void note_used(struct note *n, const char *fmt, ...)
{
    char raw[NOTE_VALUE_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_clean(n->used, sizeof n->used, raw);
}

void note_outcome(struct note *n, int outcome, int constraint, const char *fmt, ...)
{
    char raw[NOTE_REASON_MAX];
    va_list args;

    n->outcome = outcome;
    n->constraint = constraint;
    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_clean(n->reason, sizeof n->reason, raw);
}

void notes_reject(struct notes *n, const char *reason)
{
    for (size_t i = 0; i < n->count; i++) {
        struct note *note = &n->items[i];

        if (note->outcome == OUTCOME_USED || note->outcome == OUTCOME_REPAIRED)
            note_outcome(note, OUTCOME_REJECTED, CONSTRAINT_OBJECTIVE, "%s", reason);
    }
}

static int decision_write(const struct note *n, int engine, struct decision *d, struct err *err)
{
    bool theirs = n->outcome == OUTCOME_USED || n->outcome == OUTCOME_REPAIRED;

    d->engine = theirs ? engine : ENGINE_KIND_ANALYTIC;
    d->outcome = n->outcome;
    d->constraint = n->constraint ? n->constraint : CONSTRAINT_NONE;
    if ((n->subject[0] && text_set(&d->subject, n->subject, err) < 0) ||
        text_set(&d->field, n->field->proposal_field, err) < 0 ||
        text_set(&d->plan_field, n->field->plan_field, err) < 0 ||
        (n->proposed[0] && text_set(&d->proposed, n->proposed, err) < 0) ||
        (n->used[0] && text_set(&d->used, n->used, err) < 0) ||
        (n->reason[0] && text_set(&d->reason, n->reason, err) < 0))
        return -1;
    return 0;
}

int notes_write(const struct notes *n, int engine, struct plan *plan, struct err *err)
{
    if (n->failed)
        return err_set(err, ERR_NOMEM, "decisions of a plan");
    for (size_t i = 0; i < n->count; i++) {
        struct decision *d;

        d = records_add(&decision_type, &plan->decisions, &plan->decisions_count, err);
        if (!d || decision_write(&n->items[i], engine, d, err) < 0)
            return -1;
    }
    if (n->cut)
        return texts_add(&plan->warnings, &plan->warnings_count,
                         "too many proposed values: the decisions list is cut at 90000", err);
    return 0;
}

int decision_notes_say(const struct notes *n, int engine, const char *replaced, struct plan *plan,
                       struct err *err)
{
    size_t by[OUTCOME_MISSING + 1] = {0};

    for (size_t i = 0; i < n->count; i++)
        by[n->items[i].outcome]++;
    return text_setf(&plan->engine_text, err,
                     "%s gave %zu values: %zu used, %zu moved to the nearest that fits, %zu not "
                     "usable; %zu are the planner's own%s%s",
                     enum_name(&engine_kind_names, engine),
                     by[OUTCOME_USED] + by[OUTCOME_REPAIRED] + by[OUTCOME_REJECTED],
                     by[OUTCOME_USED], by[OUTCOME_REPAIRED], by[OUTCOME_REJECTED],
                     by[OUTCOME_MISSING], replaced[0] ? "; replaced: " : "", replaced);
}
