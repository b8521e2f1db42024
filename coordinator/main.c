/* main.c - espalier-coordinator: options, signals, exit codes.
 *
 *     espalier-coordinator [run] [OPTION...]      serve until SIGTERM or SIGINT
 *     espalier-coordinator config show|sample     the settings as they are, or a file to start from
 *     espalier-coordinator key                    its public key, made at first use
 * SIGHUP reads the settings again. Exit codes: 0 asked to stop, 1 could not go on, 2 wrong usage.
 */
#include "coordinator/coordinator.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/log_file.h"
#include "common/core/mem.h"
#include "common/net/keys.h"
#include "common/settings/settings.h"
#include "coordinator/config/config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

extern char **environ;

static volatile sig_atomic_t stop_wanted;
static volatile sig_atomic_t reload_wanted;

static void on_signal(int number)
{
    if (number == SIGHUP)
        reload_wanted = 1;
    else
        stop_wanted = 1;
}

static void catch_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

/* A connection is a descriptor: take what the system allows, so that thousands of agents fit. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
#ifdef OPEN_MAX
        if (limit.rlim_cur > OPEN_MAX) /* macOS refuses more */
            limit.rlim_cur = OPEN_MAX;
#endif
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

struct program {
    int argc;
    char **argv;
    struct config_loaded loaded;
};

static void reload(void *arg, struct coordinator *c)
{
    struct program *p = arg;
    struct err err = {0};

    if (config_reload(&p->loaded, p->argc, p->argv, environ, &err) < 0 ||
        coordinator_reconfigure(c, &p->loaded.config, &err) < 0) {
        log_warn("settings", "not read again, the old ones stay: %s", err.text);
        return;
    }
    log_set_level((enum log_level)p->loaded.config.log_level);
    log_info("settings", "read again");
}

static int serve(struct program *p)
{
    const struct config *config = &p->loaded.config;
    struct coordinator *c;
    struct err err = {0};
    int rc;

    log_set_level((enum log_level)config->log_level);
    if (config->log_file &&
        log_file_open(config->log_file, config->log_file_bytes, (int)config->log_files, &err) < 0) {
        log_err(NULL, "cannot start: %s", err.text);
        return EXIT_USAGE;
    }
    catch_signals();
    raise_descriptors();
    if (!(c = coordinator_new(&p->loaded.config, &err))) {
        log_err(NULL, "cannot start: %s", err.text);
        return EXIT_FAILED;
    }
    log_info(NULL, "espalier-coordinator %s, agents at %s, tools at %s, events at %s",
             ESPALIER_VERSION, coordinator_agents_endpoint(c), coordinator_tools_endpoint(c),
             coordinator_events_endpoint(c));
    log_info(NULL, "public key %s", coordinator_public_key(c));
    rc = coordinator_run(c, &stop_wanted, &reload_wanted, reload, p, &err);
    if (rc < 0)
        log_err(NULL, "stopped: %s", err.text);
    coordinator_free(c);
    log_info(NULL, "stopped");
    return rc < 0 ? EXIT_FAILED : EXIT_STOPPED;
}

static int print_text(char *text, const struct err *err)
{
    if (!text) {
        fprintf(stderr, "espalier-coordinator: %s\n", err->text);
        return EXIT_FAILED;
    }
    fputs(text, stdout);
    mem_free(text);
    return fflush(stdout) == 0 ? EXIT_STOPPED : EXIT_FAILED;
}

static int print_key(const struct config *config)
{
    struct err err = {0};
    struct net_keys keys;
    char *path = file_path(&err, "%s/coordinator.keys", config->data_dir);
    int rc = EXIT_FAILED;

    if (path && net_keys_load_or_make(path, &keys, &err) == 0) {
        printf("%s\n", keys.public_key);
        net_keys_wipe(&keys);
        rc = EXIT_STOPPED;
    } else {
        fprintf(stderr, "espalier-coordinator: %s\n", err.text);
    }
    mem_free(path);
    return rc;
}

static int run_words(struct program *p, char *const *words, size_t count)
{
    struct err err = {0};

    if (count == 0 || (count == 1 && strcmp(words[0], "run") == 0))
        return serve(p);
    if (count == 1 && strcmp(words[0], "key") == 0)
        return print_key(&p->loaded.config);
    if (count == 1 && strcmp(words[0], "version") == 0)
        return printf("espalier-coordinator %s\n", ESPALIER_VERSION) < 0 ? EXIT_FAILED
                                                                         : EXIT_STOPPED;
    if (count == 2 && strcmp(words[0], "config") == 0) {
        if (strcmp(words[1], "show") == 0)
            return print_text(config_show(&p->loaded, &err), &err);
        if (strcmp(words[1], "sample") == 0)
            return print_text(config_sample(&err), &err);
    }
    fprintf(
        stderr,
        "espalier-coordinator: \"%s\": wanted run, key, version, config show or config sample\n",
        words[0]);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct program p = {.argc = argc, .argv = argv};
    struct err err = {0};
    char *const *words;
    size_t count;
    int rc;

    if (config_load(argc, argv, environ, &p.loaded, &err) < 0) {
        fprintf(stderr, "espalier-coordinator: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (settings_wants_help(p.loaded.settings)) {
        rc = print_text(config_help(&err), &err);
    } else if (settings_wants_version(p.loaded.settings)) {
        printf("espalier-coordinator %s\n", ESPALIER_VERSION);
        rc = EXIT_STOPPED;
    } else {
        words = settings_args(p.loaded.settings, &count);
        rc = run_words(&p, words, count);
    }
    config_clear(&p.loaded);
    return rc;
}
