/* agent.h - the application object: carries values between probe, report, link and apply.
 *
 *     probe -> report -> link -> (coordinator) -> link -> apply -> link
 *
 * It owns the loop, which reads the clock once a turn, serves the link, then the commands, then
 * what is due. Nothing in it waits but the poll, and fsync of a plan's few small files. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

struct agent;
struct agent_settings;
struct err;

/* Opens everything in data_dir (which is locked by then): keys, probe, plans. Settings are
 * borrowed. */
struct agent *agent_new(const struct agent_settings *settings, const char *data_dir,
                        const char *version, struct err *err);
void agent_free(struct agent *a); /* NULL is fine */

/* Until SIGTERM or SIGINT: then commands are asked to end, the coordinator hears what became of
 * them and Goodbye. A second signal ends them at once. */
int agent_run(struct agent *a, struct err *err);

#endif
