/* lint.h - what is likely to go wrong with a signature before any model has seen it.
 *
 * One rule for each principle and each pitfall of the design that the signatures come from. A
 * finding is an error where the signature breaks a promise (context, names), and advice where a
 * person may know better. Every finding says which field, why it matters, and what to do. */
#ifndef COORDINATOR_SIGNATURE_LINT_H
#define COORDINATOR_SIGNATURE_LINT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct catalog;
struct err;
struct signature;

enum lint_level { LINT_ADVICE = 1, LINT_ERROR };

struct lint_rule {
    const char *name; /* hardware-context */
    const char *help; /* what it looks for */
};

extern const struct lint_rule lint_rules[];
extern const size_t lint_rules_count;

struct lint_finding {
    const struct lint_rule *rule;
    enum lint_level level;
    char *field; /* NULL: the whole signature */
    char *why;
    char *what; /* to do */
};

struct lint_report {
    struct lint_finding *findings;
    size_t count;
    bool errors; /* at least one is more than advice */
};

/* `catalog` are the related signatures, whose names must mean the same; NULL: none. On success *out
 * is filled, and lint_clear frees it. */
int lint_signature(const struct signature *sig, const struct catalog *catalog,
                   struct lint_report *out, struct err *err);
void lint_clear(struct lint_report *r); /* a zeroed one is fine */

/* A line for each finding: "error hardware-context FIELD: why; what". */
void lint_print(struct buf *b, const struct lint_report *r);

/* The promise that every signature makes: an input with hardware, one with performance, or the
 * reason why not. -1 with ERR_INVALID naming what is missing. */
int lint_context(const struct signature *sig, struct err *err);

#endif
