#include "coordinator/lm/lm_retry.h"

#include "coordinator/lm/lm.h"

bool lm_retry_helps(const struct lm_reply *r)
{
    switch (r->failure) {
    case LM_FAILURE_TRANSPORT:
    case LM_FAILURE_RATE_LIMIT:
        return true;
    case LM_FAILURE_SERVER: /* 501 and 505 say "never" */
        return r->status != 501 && r->status != 505;
    case LM_FAILURE_CONNECT: /* nobody said no */
        return r->err.code == ERR_TIMEOUT;
    case LM_FAILURE_TIMEOUT: /* the server's own */
        return r->status == 408;
    default:
        return false;
    }
}

int64_t lm_retry_pause_ms(int64_t base_ms, int64_t nth, int64_t asked_ms, uint32_t random)
{
    int64_t pause = base_ms, jitter = (int64_t)((double)base_ms / 4 * random / UINT32_MAX);

    for (int64_t i = 1; i < nth && pause < LM_RETRY_LONGEST_MS; i++)
        pause *= 2;
    if (pause > LM_RETRY_LONGEST_MS)
        pause = LM_RETRY_LONGEST_MS;
    return (asked_ms >= 0 ? asked_ms : pause) + jitter;
}
