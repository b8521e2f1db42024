/* command_spawn.c - see command_spawn.h.
 *
 * The child may call only what is safe after the fork of a process with threads (libzmq's):
 * everything is prepared before. It waits on a pipe until its group is on disk; if we die before
 * that, the pipe ends and it never runs. A second pipe, closed by a successful exec, brings back
 * why exec failed. */
#include "agent/apply/command_spawn.h"
#include "agent/apply/command.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define FIRST_FREE_FD 4 /* after stdin, stdout, stderr and the lock */
#define OWN_FD 200      /* and above: the two pipes; launchd allows 256 */
#define LAST_FD 1024    /* ours are far fewer; all are close-on-exec anyway */
#define ENV_MAX 1024    /* variables handed on */

char *command_find_program(const char *name, struct err *err)
{
    const char *path = getenv("PATH"), *end;
    char *full = NULL;

    if (strchr(name, '/')) {
        if (access(name, X_OK) < 0) {
            err_set_errno(err, errno, "command %s", name);
            return NULL;
        }
        if (!(full = realpath(name, NULL))) { /* malloc's, not ours: copied */
            err_set_errno(err, errno, "command %s", name);
            return NULL;
        }
        char *copy = mem_strdup(full);

        free(full);
        if (!copy)
            err_set(err, ERR_NOMEM, "command %s", name);
        return copy;
    }
    for (path = path ? path : "/usr/bin:/bin"; path; path = *end ? end + 1 : NULL) {
        struct stat st;

        end = path + strcspn(path, ":");
        if (end == path || path[0] != '/') /* never the current folder */
            continue;
        if (!(full = file_path(err, "%.*s/%s", (int)(end - path), path, name)))
            return NULL;
        if (access(full, X_OK) == 0 && stat(full, &st) == 0 && S_ISREG(st.st_mode))
            return full;
        mem_free(full);
    }
    err_set(err, ERR_NOT_FOUND, "command %s: not found in PATH", name);
    return NULL;
}

int command_find_user(const char *name, struct command_user *out, struct err *err)
{
    struct passwd entry, *found = NULL;
    char text[4096];
    int rc = getpwnam_r(name, &entry, text, sizeof text, &found);

    if (rc != 0)
        return err_set_errno(err, rc, "user %s", name);
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "user %s: there is none of that name", name);
    out->uid = entry.pw_uid;
    out->gid = entry.pw_gid;
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->home, sizeof out->home, "%s", entry.pw_dir ? entry.pw_dir : "/");
    out->groups_count = COMMAND_GROUPS_MAX;
#ifdef __APPLE__
    int groups[COMMAND_GROUPS_MAX];

    getgrouplist(name, (int)entry.pw_gid, groups, &out->groups_count);
    for (int i = 0; i < out->groups_count && i < COMMAND_GROUPS_MAX; i++)
        out->groups[i] = (gid_t)groups[i];
#else
    getgrouplist(name, entry.pw_gid, out->groups, &out->groups_count);
#endif
    if (out->groups_count > COMMAND_GROUPS_MAX)
        out->groups_count = COMMAND_GROUPS_MAX;
    return 0;
}

/* All that the child needs, made before the fork. */
struct child {
    char *program;
    char *const *argv;
    const char **env;
    char home[600], user[80], logname[80];
    const char *folder;
    bool has_user;
    struct command_user user_ids;
    int nice;
    int lock;      /* open and locked: the child keeps it */
    int output[2]; /* pipes: [0] is ours */
    int go[2];     /* [1] is ours */
    int failure[2];
};

static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");

    return strncmp(a, b, len + 1) == 0 && a[len] == '=';
}

/* Ours without what configures the agent, then what the run adds. */
static int make_env(struct child *c, const struct command_run *run, struct err *err)
{
    size_t n = 0;

    if (!(c->env = mem_calloc(ENV_MAX + 1, sizeof *c->env)))
        return err_set(err, ERR_NOMEM, "environment of the command");
    for (char **e = environ; *e && n < ENV_MAX / 2; e++) {
        if (strncmp(*e, "ESPALIER_", 9) == 0 ||
            (c->has_user &&
             (same_name("HOME=", *e) || same_name("USER=", *e) || same_name("LOGNAME=", *e))))
            continue;
        c->env[n++] = *e;
    }
    for (const char *const *e = run->env; *e && n < ENV_MAX - 3; e++)
        c->env[n++] = *e;
    if (c->has_user) {
        snprintf(c->home, sizeof c->home, "HOME=%s", c->user_ids.home);
        snprintf(c->user, sizeof c->user, "USER=%s", c->user_ids.name);
        snprintf(c->logname, sizeof c->logname, "LOGNAME=%s", c->user_ids.name);
        c->env[n++] = c->home;
        c->env[n++] = c->user;
        c->env[n++] = c->logname;
    }
    return 0;
}

static int make_pipe(int fds[2], struct err *err)
{
    if (pipe(fds) < 0) {
        fds[0] = fds[1] = -1;
        return err_set_errno(err, errno, "pipe");
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

static int take_lock(struct child *c, struct err *err)
{
    char *path = file_path(err, "%s/running", c->folder);

    if (!path)
        return -1;
    if ((c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        err_set_errno(err, errno, "%s", path);
    else if (flock(c->lock, LOCK_EX | LOCK_NB) < 0)
        err_set(err, ERR_BUSY, "%s: a process of an earlier run is still there", path);
    else {
        mem_free(path);
        return 0;
    }
    mem_free(path);
    return -1;
}

static int give_files(const struct child *c, const struct command_run *run, struct err *err)
{
    for (const char *const *path = run->owned; c->has_user && *path; path++) {
        if (lchown(*path, c->user_ids.uid, c->user_ids.gid) < 0)
            return err_set_errno(err, errno, "hand %s to %s", *path, c->user_ids.name);
    }
    return 0;
}

static void child_clear(struct child *c)
{
    int *const fds[] = {&c->lock,  &c->output[0],  &c->output[1], &c->go[0],
                        &c->go[1], &c->failure[0], &c->failure[1]};

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
    mem_free(c->program);
    mem_free(c->env);
}

static int child_prepare(struct child *c, const struct command_settings *settings,
                         const struct command_run *run, struct err *err)
{
    *c = (struct child){.argv = settings->argv,
                        .folder = run->folder,
                        .nice = settings->nice,
                        .lock = -1,
                        .output = {-1, -1},
                        .go = {-1, -1},
                        .failure = {-1, -1}};
    if (settings->user) {
        if (command_find_user(settings->user, &c->user_ids, err) < 0)
            return -1;
        c->has_user = c->user_ids.uid != geteuid();
    }
    if (!(c->program = command_find_program(settings->argv[0], err)) || make_env(c, run, err) < 0 ||
        take_lock(c, err) < 0 || give_files(c, run, err) < 0 || make_pipe(c->output, err) < 0 ||
        make_pipe(c->go, err) < 0 || make_pipe(c->failure, err) < 0)
        return -1;
    return 0;
}

/* ---- in the child: only what is safe after fork ---- */

static void child_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        sigaction(s, &standard, NULL); /* fails for KILL and STOP, as it should */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_fds(const struct child *c)
{
    int null = open("/dev/null", O_RDONLY), lock = c->lock;

    /* dup2 clears close-on-exec; the lock goes to 3, where nothing else of ours is needed */
    if (null >= 0)
        dup2(null, 0);
    dup2(c->output[1], 1);
    dup2(c->output[1], 2);
    if (lock != 3)
        dup2(lock, 3);
    else
        fcntl(3, F_SETFD, 0);
}

static int child_identity(const struct child *c)
{
    if (!c->has_user)
        return 0;
    if (setgroups((size_t)c->user_ids.groups_count, c->user_ids.groups) < 0 ||
        setgid(c->user_ids.gid) < 0 || setuid(c->user_ids.uid) < 0)
        return -1;
    return setuid(0) == 0 && c->user_ids.uid != 0 ? -1 : 0; /* there must be no way back */
}

static void child_run(const struct child *c)
{
    int failure = fcntl(c->failure[1], F_DUPFD_CLOEXEC, OWN_FD);
    int go = fcntl(c->go[0], F_DUPFD_CLOEXEC, OWN_FD), number = 0;
    char word;

    setpgid(0, 0);
    child_signals();
    child_fds(c);
    for (int fd = FIRST_FREE_FD; fd < LAST_FD; fd++) {
        if (fd != failure && fd != go)
            close(fd);
    }
    errno = 0;
    while (read(go, &word, 1) != 1) {
        if (errno != EINTR)
            _exit(126); /* nobody lets us go: the agent is gone, or could not write the group */
        errno = 0;
    }
    close(go);
    errno = 0;
    if (c->nice > 0 && nice(c->nice) == -1 && errno != 0)
        errno = 0; /* a scheduler without nice: it runs all the same */
    if (child_identity(c) == 0 && chdir(c->folder) == 0)
        execve(c->program, c->argv, (char *const *)c->env);
    number = errno;
    if (write(failure, &number, sizeof number) < 0)
        _exit(126);
    _exit(127);
}

/* ---- in the parent ---- */

/* The group is on disk, or the child never runs; then wait for exec or its error. */
static int let_go(const struct child *c, const struct command_run *run, pid_t pid, struct err *err)
{
    int number = 0;
    ssize_t n;

    if (run->started(run->arg, pid, err) < 0)
        return -1;
    if (write(c->go[1], "g", 1) != 1)
        return err_set_errno(err, errno, "command %s", c->program);
    do
        n = read(c->failure[0], &number, sizeof number);
    while (n < 0 && errno == EINTR);
    return n > 0 ? err_set_errno(err, number, "command %s", c->program) : 0;
}

static void close_end(int *fd)
{
    close(*fd);
    *fd = -1;
}

int command_spawn(const struct command_settings *settings, const struct command_run *run,
                  struct command_process *out, struct err *err)
{
    struct child c;
    pid_t pid;

    if (child_prepare(&c, settings, run, err) < 0) {
        child_clear(&c);
        return -1;
    }
    if ((pid = fork()) < 0) {
        err_set_errno(err, errno, "fork");
        child_clear(&c);
        return -1;
    }
    if (pid == 0)
        child_run(&c);
    setpgid(pid, pid); /* both sides do it: whoever is first */
    close_end(&c.output[1]);
    close_end(&c.go[0]);
    close_end(&c.failure[1]);
    close_end(&c.lock); /* the child alone holds it now */
    if (let_go(&c, run, pid, err) < 0) {
        kill(-pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        child_clear(&c);
        return -1;
    }
    fcntl(c.output[0], F_SETFL, O_NONBLOCK);
    *out = (struct command_process){pid, c.output[0]};
    c.output[0] = -1;
    child_clear(&c);
    return 0;
}
