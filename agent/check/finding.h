/* finding.h - what a check of this device found, for a person who wonders why it does not work.
 *
 * A finding says what was looked at, how it stands, what was seen, and, unless all is well, what to
 * do about it. Findings come in the order in which one thing rests on another; what could not be
 * looked at because of an earlier one is skipped, and says so. */
#ifndef AGENT_CHECK_FINDING_H
#define AGENT_CHECK_FINDING_H

#include <stddef.h>

struct err;

enum finding_grade {
    FINDING_OK = 1,
    FINDING_WARN, /* it works, and something is worth knowing */
    FINDING_FAIL, /* it cannot work until somebody does something */
    FINDING_SKIP  /* not looked at */
};

struct finding {
    const char *what; /* one or two words, a literal */
    enum finding_grade grade;
    char seen[320];
    char todo[480]; /* "": nothing to do */
};

#define FINDINGS_MAX 16

struct findings {
    struct finding items[FINDINGS_MAX];
    size_t count;
};

/* The next finding, its seen text formatted; `todo` is added by finding_todo. Past FINDINGS_MAX the
 * last one is replaced: our own bug, asserted. */
struct finding *finding_add(struct findings *f, const char *what, enum finding_grade grade,
                            const char *seen, ...) __attribute__((format(printf, 4, 5)));
void finding_todo(struct finding *f, const char *todo, ...) __attribute__((format(printf, 2, 3)));

/* The worst grade: FAIL, else WARN, else OK. */
enum finding_grade findings_worst(const struct findings *f);

/* "ok", "warning", "wrong", "skipped". */
const char *finding_grade_name(enum finding_grade grade);

/* For people: a line each, what to do below it, wrapped at `width` columns. Yours to mem_free. */
char *findings_print(const struct findings *f, size_t width, struct err *err);

/* {"findings": [{"what", "grade", "seen", "todo"}], "worst": "..."}; a todo that is empty is left
 * out. Yours to mem_free. */
char *findings_json(const struct findings *f, struct err *err);

#endif
