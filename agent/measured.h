/* measured.h - the rates that this machine was once timed at: kept in a file, measured when there
 * is none.
 *
 * A measurement is of one chip: a folder that moved to another machine is measured anew. It runs on
 * a thread of its own while the loop goes on, at most once in an agent's life, and only for the
 * machine it runs on: a replayed one has what its file says. */
#ifndef AGENT_MEASURED_H
#define AGENT_MEASURED_H

#include <stdbool.h>

struct bench_result;
struct err;
struct measured;
struct net;
struct net_poller;
struct state;

/* Reads bench.json of the folder; one that is damaged, or of another chip, is said and not used.
 * `chip` may be NULL. */
struct measured *measured_new(const char *dir, const char *chip, struct err *err);
void measured_free(struct measured *m); /* NULL is fine; a measurement under way is stopped */

const struct bench_result *measured_result(const struct measured *m); /* NULL: none yet */

/* There is no result, and none was tried for in this life. */
bool measured_is_wanted(const struct measured *m);

/* Begin where one is wanted and `state` says that the machine is quiet: with others at work it
 * would be measured at less than it is. The thread is put into the
 * poller, which is borrowed until measured_free, under this id. */
void measured_start(struct measured *m, struct net *net, struct net_poller *poller, int id,
                    const struct state *state);

/* Look whether it has ended: true once, when there is a result that is new. It is kept by then. */
bool measured_finish(struct measured *m);

/* Everything at once, for `espalier-agent bench`: measures, whatever there was, and keeps it.
 * Borrowed until the next call. */
const struct bench_result *measured_now(struct measured *m, const struct state *state,
                                        struct err *err);

#endif
