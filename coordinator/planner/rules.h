/* rules.h - who may take part: the job's rules against one class's facts, and against one client.
 *
 * A rule that the job states about a fact that is unknown excludes ("thermal state unknown"),
 * unless the job says unknown: allow. Rules that hold without being stated (nothing hotter than
 * fair, no critical memory pressure) apply to known facts only. Critical heat excludes always. */
#ifndef COORDINATOR_PLANNER_RULES_H
#define COORDINATOR_PLANNER_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct client;
struct device_class;
struct err;
struct rule_spec;
struct rules;

#define VERDICT_TEXT_MAX 200

struct verdict {
    int constraint;              /* enum constraint: NONE where it may take part */
    char text[VERDICT_TEXT_MAX]; /* why not, and what would let it in */
};

/* Borrows the spec, which may be NULL: no rules stated. */
struct rules *rules_new(const struct rule_spec *spec, struct err *err);
void rules_free(struct rules *r); /* NULL is fine */

/* True where the rules allow it; else the first rule that does not is in the verdict. */
bool rules_allow_class(const struct rules *r, const struct device_class *c, struct verdict *out);
bool rules_allow_client(const struct rules *r, const struct client *c, struct verdict *out);

/* -1, 0, 1 as dotted numbers compare: 26.1 < 26.10; a missing part is 0. */
int rules_version_compare(const char *a, const char *b);

#endif
