/* deliveries.h - where a plan's assignments stand, counted and watched.
 *
 * Watching asks with the revision that was seen last; the coordinator answers at the next change,
 * or after a while with none. An answer that does not come is asked for again until the time is up:
 * a coordinator that restarts goes on where it was. */
#ifndef COORDINATOR_CLI_DELIVERIES_H
#define COORDINATOR_CLI_DELIVERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli;
struct deliveries_reply;
struct page;

#define DELIVERY_STATES 12 /* of enum delivery_state, with unset */
#define TALLY_TEXT_MAX 256

struct tally {
    size_t by_state[DELIVERY_STATES];
    size_t total;
    size_t open;    /* on their way: pending, sent, received */
    size_t running; /* their own command runs */
    size_t lost;    /* failed, refused, expired, superseded, cancelled */
};

void tally_count(const struct deliveries_reply *reply, struct tally *out);

/* "10 clients: 4 applied, 3 received, 3 sent". Returns out. */
char *tally_text(const struct tally *t, char out[TALLY_TEXT_MAX]);

/* Ask for the deliveries of a plan, at once. CLI_OK: *out is the caller's. */
int deliveries_ask(struct cli *c, const char *plan_id, struct deliveries_reply **out);

/* Wait until none is open (nor running, with `to_the_end`), or limit_ms from now is up
 * (UNKNOWN_I64: no limit), saying how it goes on stderr. *out is the last answer, the caller's,
 * NULL where there was none. CLI_OK, CLI_UNDELIVERED, CLI_UNFINISHED, or why it could not be asked.
 */
int deliveries_watch(struct cli *c, const char *plan_id, bool to_the_end, int64_t limit_ms,
                     struct deliveries_reply **out);

/* The end of a watch: the counts, and each client that has not got its assignment, with the reason.
 */
void show_deliveries(struct page *p, const struct deliveries_reply *reply);

#endif
