/* command_spawn.h - the fork and exec of a command: between them only what is safe there. */
#ifndef AGENT_APPLY_COMMAND_SPAWN_H
#define AGENT_APPLY_COMMAND_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

struct command_run;
struct command_settings;
struct err;

struct command_process {
    pid_t pid;  /* and process group */
    int output; /* the reading end of its stdout and stderr, not blocking */
};

int command_spawn(const struct command_settings *settings, const struct command_run *run,
                  struct command_process *out, struct err *err);

/* The full path of a program, as exec would find it; yours to mem_free. */
char *command_find_program(const char *name, struct err *err);

/* The ids of a user, and the groups it is in. */
#define COMMAND_GROUPS_MAX 64 /* more than that are left off */
struct command_user {
    uid_t uid;
    gid_t gid;
    gid_t groups[COMMAND_GROUPS_MAX];
    int groups_count;
    char name[64];
    char home[512];
};
int command_find_user(const char *name, struct command_user *out, struct err *err);

#endif
