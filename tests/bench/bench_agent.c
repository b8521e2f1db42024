/* bench_agent.c - what an agent costs the machine that it runs on: bench_agent AGENT SECONDS
 *
 * Plays the coordinator, starts the agent several times, and prints how long each start takes to
 * its first report, beside a start of the same binary that only says its version; then lets one run
 * and prints its memory, its share of a core at the default interval, and its reports. Asserts
 * nothing. Linux: it reads /proc. */
#include "tests/unit/agent/link/fake_coordinator.h"

#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTS 15
#define HEARTBEAT_MS 5000 /* the coordinator's default, and the agent's */
#define PATIENCE_MS 20000
#define AIM_START_MS 100.0
#define AIM_MEMORY_MB 8.0
#define AIM_CPU_PERCENT 0.1

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static void give_up(const char *what)
{
    fprintf(stderr, "bench_agent: %s\n", what);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* The program with these words after its name; its output goes nowhere. */
static pid_t start(const char *program, char *const *argv)
{
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 1);
        dup2(null, 2);
        execv(program, argv);
        _exit(127);
    }
    if (pid < 0)
        give_up("fork fails");
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

/* How many states have come. */
static size_t states(const struct fake_coordinator *f)
{
    size_t count = 0;

    for (size_t i = 0; i < f->count; i++)
        count += f->kept[i]->state != NULL;
    return count;
}

static void forget(struct fake_coordinator *f)
{
    for (size_t i = 0; i < f->count; i++)
        agent_message_free(f->kept[i]);
    f->count = 0;
}

static pid_t start_agent(const struct fake_coordinator *f, const char *agent, const char *dir)
{
    char key[128], endpoint[128], folder[512];
    char *argv[] = {
        (char *)(uintptr_t) "espalier-agent", folder, key, endpoint, "--bench=no", NULL};

    snprintf(folder, sizeof folder, "--data-dir=%s", dir);
    snprintf(key, sizeof key, "--server-key=%s", f->keys.public_key);
    snprintf(endpoint, sizeof endpoint, "--coordinator=%s", f->endpoint);
    return start(agent, argv);
}

/* From fork to the first State at the coordinator; the agent goes on running. */
static double first_report(struct fake_coordinator *f, const char *agent, const char *dir,
                           pid_t *pid)
{
    double began = now_ms();

    forget(f);
    *pid = start_agent(f, agent, dir);
    while (states(f) == 0) {
        if (now_ms() - began > PATIENCE_MS)
            give_up("no report comes");
        fake_serve(f);
        usleep(100);
    }
    return now_ms() - began;
}

static double version(const char *agent)
{
    char *argv[] = {(char *)(uintptr_t) "espalier-agent", (char *)(uintptr_t) "version", NULL};
    double began = now_ms();

    waitpid(start(agent, argv), NULL, 0);
    return now_ms() - began;
}

/* Nanoseconds on a CPU so far, of all its threads. */
static double cpu_ns(pid_t pid)
{
    char path[300];
    double sum = 0;
    const struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    if (!(dir = opendir(path)))
        give_up("the agent has ended");
    while ((entry = readdir(dir))) {
        unsigned long long ns = 0;
        FILE *file;

        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
        if (entry->d_name[0] == '.' || !(file = fopen(path, "r")))
            continue;
        if (fscanf(file, "%llu", &ns) == 1)
            sum += (double)ns;
        fclose(file);
    }
    closedir(dir);
    return sum;
}

/* A line of /proc/PID/status in MB; 0 when it is not there. */
static double status_mb(pid_t pid, const char *key)
{
    char path[64], line[256];
    unsigned long kb = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (!(file = fopen(path, "r")))
        return 0;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            kb = strtoul(line + strlen(key) + 1, NULL, 10);
    }
    fclose(file);
    return (double)kb / 1000;
}

static void row(const char *what, double value, const char *unit, double aim)
{
    printf("%-36s %9.3f %s", what, value, unit);
    if (aim > 0)
        printf("  (%.2f of the aim, %g %s)", value / aim, aim, unit);
    putchar('\n');
}

static void measure_running(struct fake_coordinator *f, pid_t pid, int seconds)
{
    double until, before, began, mb;

    pause_ms(2000); /* what starting costs is over */
    fake_serve(f);
    forget(f);
    before = cpu_ns(pid);
    began = now_ms();
    until = began + seconds * 1e3;
    while (now_ms() < until) {
        fake_serve(f);
        pause_ms(20);
    }
    row("share of a core, default interval", (cpu_ns(pid) - before) / 1e4 / (now_ms() - began), "%",
        AIM_CPU_PERCENT);
    printf("%-36s %5zu in %d s\n", "reports in that time", states(f), seconds);
    mb = status_mb(pid, "VmRSS");
    row("resident memory", mb, "MB", AIM_MEMORY_MB);
    row("  of it its own (anonymous)", status_mb(pid, "RssAnon"), "MB", 0);
    row("  of it files: its code, libraries", status_mb(pid, "RssFile"), "MB", 0);
}

/* Its key, made at its first start. */
static void read_key(const char *agent, const char *dir, char key[64])
{
    char command[1024];
    FILE *pipe;

    snprintf(command, sizeof command, "'%s' key --data-dir '%s'", agent, dir);
    if (!(pipe = popen(command, "r")) || !fgets(key, 64, pipe)) /* NOLINT(cert-env33-c): our own */
        give_up("the agent has no key");
    pclose(pipe);
    key[strcspn(key, "\n")] = '\0';
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/espalier-bench-XXXXXX", key[64];
    double reports[STARTS], versions[STARTS], first, alone;
    int seconds = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
    struct fake_coordinator f;
    pid_t pid = 0;

    if (seconds < 1) {
        fputs("usage: bench_agent AGENT SECONDS\n", stderr);
        return 2;
    }
    if (!mkdtemp(dir))
        give_up("no folder for it");
    read_key(argv[1], dir, key);
    fake_start(&f, key);
    f.heartbeat_ms = HEARTBEAT_MS;
    for (size_t i = 0; i < STARTS; i++) {
        versions[i] = version(argv[1]);
        if (i > 0)
            stop(pid);
        reports[i] = first_report(&f, argv[1], dir, &pid);
    }
    first = median(reports, STARTS);
    alone = median(versions, STARTS);
    row("start to first report, median", first, "ms", AIM_START_MS);
    row("  least", reports[0], "ms", 0);
    row("  most", reports[STARTS - 1], "ms", 0);
    printf("%-36s %9.3f ms, of which the report takes %.1f times as long\n",
           "the same binary, saying its version", alone, first / alone);
    measure_running(&f, pid, seconds);
    stop(pid);
    fake_stop(&f);
    file_remove_tree(dir, NULL);
    return 0;
}
