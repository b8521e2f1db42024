/* lm_retry.h - whether to ask again, and when. Thread: none, pure functions.
 *
 * Asked again is what another try may not meet: 429, 408, 5xx but for 501 and 505, a connection
 * that broke, an answer without a byte, no connection in time. Not: what the request, the key or
 * the account is to blame for; a limit that passed while the model worked, since it would begin
 * anew and the first try may still be running; a name or a certificate that is no good. */
#ifndef COORDINATOR_LM_LM_RETRY_H
#define COORDINATOR_LM_LM_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct lm_reply;

#define LM_RETRY_LONGEST_MS 16000 /* doubling ends here */

bool lm_retry_helps(const struct lm_reply *r);

/* The pause before retry `nth` (from 1): base_ms doubled each time, or what the endpoint asked for
 * (asked_ms; negative: nothing); and on top up to a quarter of base_ms by `random`, so that callers
 * that failed together come back apart. */
int64_t lm_retry_pause_ms(int64_t base_ms, int64_t nth, int64_t asked_ms, uint32_t random);

#endif
