/* event_line.h - a line of $ESPALIER_EVENTS as a Measurement.
 *
 * A line is one JSON object. Known keys, of ours and of mlx-lm's reporters:
 *     event                                   text
 *     iteration, step                         micro-step
 *     loss, train_loss, val_loss
 *     step_seconds, iterations_per_second     the second is turned over
 *     tokens_per_second
 *     tokens, trained_tokens
 *     peak_bytes, peak                        bytes
 *     peak_memory                             GB of 10^9 bytes
 *     t                                       seconds since 1970
 *     text; error and message
 * Others are passed over, as are values of the wrong kind or out of range. NaN and Infinity, which
 * Python writes although JSON has no such thing, are unknown. Pure. */
#ifndef AGENT_APPLY_EVENT_LINE_H
#define AGENT_APPLY_EVENT_LINE_H

#include <stddef.h>

struct err;
struct measurement;

#define EVENT_LINE_MAX 16384 /* bytes: a reporter's line has 400 */

/* Fill what the line says; what it does not say is left as it is (who, which plan, which line,
 * when). -1: no JSON object, or longer than EVENT_LINE_MAX; the measurement is then as it was. */
int event_line_read(const char *line, size_t len, struct measurement *out, struct err *err);

#endif
