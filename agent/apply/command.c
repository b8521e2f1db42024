/* command.c - see command.h. The fork itself is in command_spawn.c. */
#include "agent/apply/command.h"
#include "agent/apply/command_spawn.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BATCH (64 * 1024) /* taken in one call: what a pipe holds */

struct command {
    pid_t pid;          /* and process group; 0: reaped */
    int output;         /* -1: closed */
    int file;           /* `output`; -1: could not be opened, what is printed is lost */
    int64_t file_bytes; /* in it */
    int64_t file_max;   /* then it becomes output.1 */
    char *path, *path_old;
    int64_t grace_ms;
    int64_t deadline_ms; /* time limit; INT64_MAX: none */
    int64_t kill_ms;     /* SIGKILL is due; INT64_MAX: not stopping */
    enum command_why why;
};

int command_check(const struct command_settings *settings, bool allow_root, struct err *err)
{
    struct command_user user;
    char *program;
    size_t words = 0;

    while (settings->argv[words])
        words++;
    if (words == 0 || words > COMMAND_WORDS_MAX)
        return err_set(err, ERR_INVALID, "on_plan has %zu words, wanted 1 to %d", words,
                       COMMAND_WORDS_MAX);
    user.uid = geteuid();
    if (settings->user && command_find_user(settings->user, &user, err) < 0)
        return -1;
    if (settings->user && user.uid != geteuid() && geteuid() != 0)
        return err_set(err, ERR_DENIED, "on_plan_user is %s, and only root can become another user",
                       settings->user);
    if (user.uid == 0 && !allow_root)
        return err_set(err, ERR_DENIED,
                       "on_plan would run as root: set on_plan_user, or "
                       "allow_root if you mean it");
    if (!(program = command_find_program(settings->argv[0], err)))
        return -1;
    mem_free(program);
    return 0;
}

static void open_output(struct command *c)
{
    struct stat st;

    c->file = open(c->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    c->file_bytes = c->file >= 0 && fstat(c->file, &st) == 0 ? st.st_size : 0;
    if (c->file < 0)
        log_warn(c->path, "%s: what the command prints is lost", strerror(errno));
}

struct command *command_start(const struct command_settings *settings,
                              const struct command_run *run, struct err *err)
{
    struct command_process process;
    struct command *c = mem_zalloc(sizeof *c);

    if (!c) {
        err_set(err, ERR_NOMEM, "command");
        return NULL;
    }
    c->output = c->file = -1;
    c->grace_ms = settings->grace_ms;
    c->kill_ms = INT64_MAX;
    c->deadline_ms =
        settings->time_limit_ms > 0 ? run->now_ms + settings->time_limit_ms : INT64_MAX;
    c->file_max = settings->output_max_bytes / 2;
    if (!(c->path = file_path(err, "%s/output", run->folder)) ||
        !(c->path_old = file_path(err, "%s/output.1", run->folder)) ||
        command_spawn(settings, run, &process, err) < 0) {
        command_free(c);
        return NULL;
    }
    c->pid = process.pid;
    c->output = process.output;
    open_output(c);
    return c;
}

void command_free(struct command *c)
{
    if (!c)
        return;
    if (c->pid > 0)
        command_stop_now(c);
    if (c->output >= 0)
        close(c->output);
    if (c->file >= 0)
        close(c->file);
    mem_free(c->path);
    mem_free(c->path_old);
    mem_free(c);
}

int64_t command_group(const struct command *c)
{
    return c->pid;
}

int command_fd(const struct command *c)
{
    return c->output;
}

/* ---- output ---- */

/* A full file becomes the one before. */
static void turn_over(struct command *c)
{
    close(c->file);
    if (rename(c->path, c->path_old) < 0)
        log_warn(c->path, "%s", strerror(errno));
    open_output(c);
}

static void keep_output(struct command *c, const char *bytes, size_t len)
{
    while (len > 0 && c->file >= 0) {
        size_t part = len;

        if (c->file_bytes >= c->file_max) {
            turn_over(c);
            if (c->file_bytes >= c->file_max) /* it could not: no more is kept */
                return;
            continue;
        }
        if ((int64_t)part > c->file_max - c->file_bytes)
            part = (size_t)(c->file_max - c->file_bytes);
        if (write(c->file, bytes, part) != (ssize_t)part) { /* a full disk: the run may go on */
            log_warn(c->path, "%s: what the command prints is lost", strerror(errno));
            close(c->file);
            c->file = -1;
            return;
        }
        c->file_bytes += (int64_t)part;
        bytes += part;
        len -= part;
    }
}

static void read_output(struct command *c)
{
    char bytes[8192];
    size_t taken = 0;
    ssize_t n = 0;

    while (c->output >= 0 && taken < OUTPUT_BATCH &&
           (n = read(c->output, bytes, sizeof bytes)) > 0) {
        keep_output(c, bytes, (size_t)n);
        taken += (size_t)n;
    }
    if (c->output >= 0 && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))) {
        close(c->output);
        c->output = -1;
    }
}

/* ---- its end ---- */

void command_stop(struct command *c, int64_t now_ms)
{
    if (c->pid == 0 || c->kill_ms != INT64_MAX)
        return;
    c->why = COMMAND_STOPPED;
    c->kill_ms = now_ms + c->grace_ms;
    kill(-c->pid, SIGTERM);
}

/* The leader has ended: whatever it left in its group goes too. The leader is reaped last, since
 * until then nobody else's group can have its number. */
static bool reap(struct command *c, struct command_end *end)
{
    siginfo_t info = {0};
    int status;

    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == EINTR)
        return false;
    if (info.si_pid != c->pid)
        return false;
    kill(-c->pid, SIGKILL);
    read_output(c);
    if (waitpid(c->pid, &status, 0) != c->pid)
        status = 0x7f00; /* taken by somebody else's wait: 127, as a command that is not there */
    end->why = c->why;
    end->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    c->pid = 0;
    return true;
}

bool command_poll(struct command *c, int64_t now_ms, struct command_end *end)
{
    read_output(c);
    if (c->pid == 0)
        return false;
    if (now_ms >= c->deadline_ms && c->kill_ms == INT64_MAX) {
        command_stop(c, now_ms);
        c->why = COMMAND_TIME_LIMIT;
    }
    if (now_ms >= c->kill_ms) {
        kill(-c->pid, SIGKILL);
        c->kill_ms = now_ms + COMMAND_KILL_WAIT_MS; /* stuck in the kernel: look again then */
    }
    return reap(c, end);
}

int64_t command_due(const struct command *c)
{
    return c->kill_ms < c->deadline_ms ? c->kill_ms : c->deadline_ms;
}

static void nap(void)
{
    nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
}

void command_stop_now(struct command *c)
{
    int64_t until = clock_mono_ms() + COMMAND_KILL_WAIT_MS;
    struct command_end end;

    if (c->pid == 0)
        return;
    kill(-c->pid, SIGKILL);
    while (!reap(c, &end) && clock_mono_ms() < until)
        nap();
}

/* Somebody holds the lock: a process of the group that this folder's `started` names. */
static bool orphan_lives(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool lives;

    if (fd < 0)
        return false;
    lives = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return lives;
}

bool command_end_orphan(const char *folder, int64_t group)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    char *path = file_path(NULL, "%s/running", folder);
    bool found = path && orphan_lives(path);

    for (size_t i = 0; i < 2 && found && group > 1 && orphan_lives(path); i++) {
        int64_t until = clock_mono_ms() + COMMAND_KILL_WAIT_MS;

        kill((pid_t)-group, signals[i]);
        while (orphan_lives(path) && clock_mono_ms() < until)
            nap();
    }
    if (found && orphan_lives(path))
        log_warn(path, "a process of the earlier run is still there, and not in its group");
    mem_free(path);
    return found;
}
