/* fact_put.h - numbers of a system into the fields of a profile or state.
 *
 * A system may say anything: what is outside the row of the model (device.c) becomes an unknown
 * fact that quotes it, so that one odd number never costs the rest of a report. All return 0, or -1
 * without memory. `from` is the key it was read from, for the note beside the value; NULL: none. */
#ifndef AGENT_PROBE_FACT_PUT_H
#define AGENT_PROBE_FACT_PUT_H

#include <stdint.h>

struct err;
struct profile;
struct record_type;
struct state;

/* FIELD_I64 */
int profile_put_i64(struct profile *p, struct err *err, const char *field, int64_t value,
                    const char *from);
int state_put_i64(struct state *s, struct err *err, const char *field, int64_t value,
                  const char *from);

/* FIELD_F64 */
int state_put_f64(struct state *s, struct err *err, const char *field, double value,
                  const char *from);

/* FIELD_TEXT, cleaned for terminals and cut to what the row allows; empty is unknown. */
int profile_put_text(struct profile *p, struct err *err, const char *field, const char *value,
                     const char *from);

/* The same for records inside (a CPU level, Metal's), which have no list of their own: 0 when it
 * was set, 1 when it is out of range and was left unknown, -1 without memory. */
int record_put_i64(const struct record_type *type, void *record, const char *field, int64_t value);
int record_put_text(const struct record_type *type, void *record, const char *field,
                    const char *value, struct err *err);

#endif
