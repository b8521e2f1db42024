/* notes.h - what was forgiven, dropped or changed on the way between us and a model.
 *
 * A list of one-line sentences that ends up with the plan (proposal.notes). A stranger's text
 * inside a note is cleaned and cut, and the list is bounded: whatever comes after NOTES_MAX is
 * counted only. Running out of memory sticks and is reported once, by notes_ok. */
#ifndef COORDINATOR_SIGNATURE_NOTES_H
#define COORDINATOR_SIGNATURE_NOTES_H

#include <stdbool.h>
#include <stddef.h>

struct err;

#define NOTES_MAX 200     /* a person reads no more; a fifth of what a proposal may carry */
#define NOTE_TEXT_MAX 400 /* bytes: under REASON_TEXT_MAX, as a proposal's notes must be */
#define NOTE_QUOTE_MAX 60 /* bytes of a stranger's text that a note repeats */

struct notes {
    char **items;
    size_t count;
    size_t left_off; /* notes beyond NOTES_MAX */
    bool no_memory;  /* a note is missing for want of memory */
};

/* A zeroed struct is an empty list. `n` may be NULL: nobody wants to know. */
void note_add(struct notes *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int notes_ok(const struct notes *n, struct err *err); /* -1, ERR_NOMEM, when memory ran out */
void notes_clear(struct notes *n);

/* The first of a stranger's text, cleaned, for a note: at most NOTE_QUOTE_MAX bytes and "...".
 * Returns out. */
char *note_quote(char out[NOTE_QUOTE_MAX + 4], const char *text, size_t len);

#endif
