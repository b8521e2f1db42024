/* signals.h - signals as something to poll: a byte in a pipe.
 *
 * SIGTERM and SIGINT ask to stop, SIGCHLD says that a command ended, SIGPIPE is not wanted.
 * Process-wide: there is one agent in a process. */
#ifndef AGENT_SIGNALS_H
#define AGENT_SIGNALS_H

struct err;

int signals_catch(struct err *err);
int signals_fd(void);     /* readable after a signal */
void signals_drain(void); /* before looking at what they mean */
int signals_stops(void);  /* how often a stop was asked for */

#endif
