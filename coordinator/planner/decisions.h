/* decisions.h - what became of each proposed value, gathered while a proposal is checked.
 *
 * Room-internal. A note is made when a value is read, corrected when the plan is known, and becomes
 * a decision of the plan at the end. Strangers' text in it is cleaned. */
#ifndef COORDINATOR_PLANNER_DECISIONS_H
#define COORDINATOR_PLANNER_DECISIONS_H

#include "coordinator/planner/fields.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct plan;

#define DECISIONS_MAX 90000 /* a plan carries 100,000 */
#define NOTE_VALUE_MAX 96
#define NOTE_REASON_MAX 240

struct note {
    const struct field_map *field;
    char subject[65]; /* "": the whole plan */
    size_t index;     /* of the class or stage; SIZE_MAX: none */
    int outcome;      /* enum outcome */
    int constraint;   /* enum constraint */
    char proposed[NOTE_VALUE_MAX], used[NOTE_VALUE_MAX], reason[NOTE_REASON_MAX];
};

struct notes {
    struct note *items;
    size_t count, cap;
    bool failed;       /* memory ran out */
    bool cut;          /* there were more than DECISIONS_MAX */
    struct note spare; /* written where there is no room, never read */
};

void decision_notes_clear(struct notes *n);

/* A new note, everything else empty; never NULL: a spare one where there is no room. */
struct note *decision_note(struct notes *n, const struct field_map *field, const char *subject,
                           size_t index);

void note_proposed(struct note *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void note_used(struct note *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Outcome, what bound it, and why. */
void note_outcome(struct note *n, int outcome, int constraint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Every note that took part is rejected: the plan made from them was worse. */
void notes_reject(struct notes *n, const char *reason);

/* Into plan->decisions. `engine` gave the values that were used or repaired. */
int notes_write(const struct notes *n, int engine, struct plan *plan, struct err *err);

/* The same in one sentence, into plan->engine_text. `replaced` says why the proposal as a whole was
 * not used; "" where it was. */
int decision_notes_say(const struct notes *n, int engine, const char *replaced, struct plan *plan,
                       struct err *err);

#endif
