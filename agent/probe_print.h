/* probe_print.h - a profile and a state for people, and as JSON. */
#ifndef AGENT_PROBE_PRINT_H
#define AGENT_PROBE_PRINT_H

struct err;
struct profile;
struct state;

/* {"profile": {...}, "state": {...}}, pretty; what is unknown is in the lists of unknown facts
 * alone. Yours to mem_free. */
char *probe_print_json(const struct profile *p, const struct state *s, struct err *err);

/* A table: each field with its value and how it was learnt, or why it is unknown. Yours to
 * mem_free. */
char *probe_print_table(const struct profile *p, const struct state *s, struct err *err);

#endif
