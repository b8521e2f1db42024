/* command.h - the owner's command, once for one plan.
 *
 * An argv, never a shell, and never a word of it from the wire. It runs in a process group of its
 * own, in the plan's folder, as the user the owner chose, with a time limit; what it prints goes
 * through us into a file of limited size. Before it is let go its group is on disk, so that the
 * next agent knows what an earlier one left; and it holds a lock on `running` for as long as a
 * process of it lives, so that nobody else's group is ever taken for it.
 *
 * No call waits, but command_stop_now and command_end_orphan. One thread; no signal handler is
 * needed, SIGCHLD is only a hint to call command_poll. */
#ifndef AGENT_APPLY_COMMAND_H
#define AGENT_APPLY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command;
struct err;

#define COMMAND_WORDS_MAX 256
#define COMMAND_KILL_WAIT_MS 2000 /* how long we wait for what SIGKILL ends at once */

struct command_settings {
    char *const *argv;        /* NULL at the end; argv[0] is looked up in PATH */
    const char *user;         /* NULL: as we run */
    int nice;                 /* 0 to 19, added to ours */
    int64_t time_limit_ms;    /* 0: none */
    int64_t grace_ms;         /* between SIGTERM and SIGKILL */
    int64_t output_max_bytes; /* kept in `output` and `output.1` together */
};

struct command_run {
    const char *folder; /* the plan's: working folder, output, running */
    const char *const
        *env; /* NAME=value for it, NULL at the end; in place of ours of those names */
    const char *const *owned; /* files and folders handed to the user, NULL at the end */
    int64_t now_ms;
    /* Put the group on disk; -1 and it never runs. */
    int (*started)(void *arg, int64_t group, struct err *err);
    void *arg;
};

enum command_why { COMMAND_EXITED, COMMAND_TIME_LIMIT, COMMAND_STOPPED };

struct command_end {
    enum command_why why; /* COMMAND_EXITED also where a signal of somebody else's ended it */
    int exit_code;        /* -1: a signal ended it */
    int signal;           /* 0: none */
};

/* May these settings run at all: a command that is there, a user that exists, not root unless
 * allowed. For the start of the agent, so that a mistake shows before a plan comes. */
int command_check(const struct command_settings *settings, bool allow_root, struct err *err);

/* Start it. Errors of exec itself are reported here. */
struct command *command_start(const struct command_settings *settings,
                              const struct command_run *run, struct err *err);

/* Kills it at once if it still runs. NULL is fine. */
void command_free(struct command *c);

int64_t command_group(const struct command *c);
int command_fd(const struct command *c); /* its output, to poll; -1 when closed */

/* Take what it printed, and look whether it ended or must. True: it ended, *end says how, all its
 * processes are gone. */
bool command_poll(struct command *c, int64_t now_ms, struct command_end *end);

/* Ask it to end: SIGTERM now, SIGKILL after the grace. Repeating changes nothing. */
void command_stop(struct command *c, int64_t now_ms);

/* SIGKILL, and wait for it: at most COMMAND_KILL_WAIT_MS. */
void command_stop_now(struct command *c);

/* When command_poll has something to do although nothing happened; INT64_MAX: never. */
int64_t command_due(const struct command *c);

/* End what an earlier agent left running in this folder, if it is still there: TERM, then KILL, at
 * most COMMAND_KILL_WAIT_MS each. True: there was something. */
bool command_end_orphan(const char *folder, int64_t group);

#endif
