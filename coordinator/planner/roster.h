/* roster.h - every client of a snapshot as one job sees it: allowed or not, its limit, link and
 * data.
 *
 * Room-internal. Made once per planning turn; what depends on a proposal is not here. Borrows
 * snapshot and envelope. */
#ifndef COORDINATOR_PLANNER_ROSTER_H
#define COORDINATOR_PLANNER_ROSTER_H

#include <stddef.h>
#include <stdint.h>

struct envelope;
struct err;
struct snapshot;
struct verdict;

struct roster_client {
    int constraint;      /* enum constraint: NONE where rules and facts let it take part */
    int64_t limit_bytes; /* less what other jobs hold; UNKNOWN_I64 */
    int64_t examples;    /* UNKNOWN_I64: the job does not say */
    double up_bps, down_bps;
};

struct roster {
    const struct snapshot *snapshot;
    const struct envelope *envelope;
    struct roster_client *clients; /* as the snapshot's */
    size_t allowed;
};

struct roster *roster_new(const struct snapshot *s, const struct envelope *e, struct err *err);
void roster_free(struct roster *r); /* NULL is fine */

/* Why a client is not allowed, in words. */
void roster_why(const struct roster *r, size_t client, struct verdict *out);

#endif
