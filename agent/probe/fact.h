/* fact.h - notes beside the values of a profile or state: where one was read, why one is unknown.
 *
 * One note and one reason for a field; a second replaces the first. All return 0, or -1 without
 * memory. The text is cut to what the field of the record holds. */
#ifndef AGENT_PROBE_FACT_H
#define AGENT_PROBE_FACT_H

struct err;
struct profile;
struct state;

int profile_unknown(struct profile *p, struct err *err, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int state_unknown(struct state *s, struct err *err, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* `source` is an enum fact_source. */
int profile_note(struct profile *p, struct err *err, const char *field, int source,
                 const char *detail);
int state_note(struct state *s, struct err *err, const char *field, int source, const char *detail);

/* The note or reason of a field; NULL when there is none. Borrowed. */
const struct fact_note *profile_find_note(const struct profile *p, const char *field);
const struct fact_note *state_find_note(const struct state *s, const char *field);
const char *profile_find_unknown(const struct profile *p, const char *field);
const char *state_find_unknown(const struct state *s, const char *field);

/* A reason for every field that is unknown and has none yet: `reason`. Fields that may just be
 * absent (see probe.h) are left alone. */
int profile_explain_rest(struct profile *p, const char *reason, struct err *err);
int state_explain_rest(struct state *s, const char *reason, struct err *err);

#endif
