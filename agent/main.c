/* main.c - espalier-agent: options, commands, exit codes. */
#include "agent/agent.h"
#include "agent/agent_settings.h"
#include "agent/bench/bench.h"
#include "agent/check/finding.h"
#include "agent/check_device.h"
#include "agent/measured.h"
#include "agent/probe/probe.h"
#include "agent/probe_print.h"
#include "agent/report/report.h"
#include "common/core/buf.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/log_file.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/net/keys.h"
#include "common/settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

extern char **environ;

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LOCKED = 3 };

#define CHECK_WIDTH 100      /* columns, where nobody says otherwise */
#define TWO_READINGS_MS 1050 /* a CPU load needs two, and a machine is read once a second */

static int fail(const struct err *err, int code)
{
    fprintf(stderr, "espalier-agent: %s\n", err->text);
    return code;
}

/* Prints and frees; NULL is a failure that err tells of. */
static int print_text(char *text, const struct err *err)
{
    int rc;

    if (!text)
        return fail(err, EXIT_FAILED);
    rc = fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
    mem_free(text);
    return rc;
}

/* The folder, made when absent. Others may pass through it to the plans only where a command of
 * another user has to; the key has a mode of its own. */
static char *open_data_dir(const struct agent_settings *s, struct err *err)
{
    char *dir = agent_data_dir(s, err);
    struct stat st;

    if (!dir)
        return NULL;
    if (file_make_dirs(dir, s->on_plan_user ? 0711 : 0700, err) < 0) {
        mem_free(dir);
        return NULL;
    }
    if (s->on_plan_user && stat(dir, &st) == 0 && !(st.st_mode & S_IXOTH))
        log_warn(dir, "%s cannot pass through it: chmod o+x", s->on_plan_user);
    return dir;
}

/* What the agent was told to use is not there, or not usable: trying again will not help. */
static bool is_setting(enum err_code code)
{
    return code == ERR_INVALID || code == ERR_DENIED || code == ERR_NOT_FOUND ||
           code == ERR_MALFORMED;
}

static int run(const struct agent_settings *s)
{
    struct err err = {0};
    char *dir = open_data_dir(s, &err), *lock_path = NULL;
    struct agent *agent = NULL;
    int lock = -1, rc = EXIT_FAILED;

    if (!dir || !(lock_path = file_path(&err, "%s/agent.lock", dir)) ||
        file_lock(lock_path, &lock, &err) < 0) {
        rc = fail(&err, err.code == ERR_BUSY ? EXIT_LOCKED : EXIT_FAILED);
    } else if (s->log_file &&
               log_file_open(s->log_file, s->log_file_bytes, (int)s->log_files, &err) < 0) {
        rc = fail(&err, EXIT_USAGE);
    } else if (!(agent = agent_new(s, dir, ESPALIER_VERSION, &err))) {
        rc = fail(&err, is_setting(err.code) ? EXIT_USAGE : EXIT_FAILED);
    } else {
        rc = agent_run(agent, &err) < 0 ? fail(&err, EXIT_FAILED) : EXIT_DONE;
    }
    agent_free(agent);
    file_unlock(lock);
    mem_free(lock_path);
    mem_free(dir);
    return rc;
}

static int probe(const struct agent_settings *s)
{
    struct report_settings settings = {.name = s->name,
                                       .agent_version = ESPALIER_VERSION,
                                       .up_bps = s->up_bps > 0 ? s->up_bps : UNKNOWN_F64,
                                       .down_bps = s->down_bps > 0 ? s->down_bps : UNKNOWN_F64};
    struct probe_options options = {.replay_path = s->replay, .state_path = s->state};
    struct report *report = NULL;
    struct state *state = NULL;
    struct probe *p = NULL;
    struct err err = {0};
    char *dir = agent_data_dir(s, NULL), *text = NULL;

    options.volume_path = dir && file_exists(dir) ? dir : ".";
    if ((p = probe_open(&options, &err)) &&
        (report = report_new(p, &settings, clock_mono_ms(), &err)) &&
        report_state(report, UNKNOWN_I64, true, clock_mono_ms(), &state, &err) == 0) {
        if (!probe_is_replay(p)) {
            state_free(state);
            state = NULL;
            nanosleep(&(struct timespec){TWO_READINGS_MS / 1000, TWO_READINGS_MS % 1000 * 1000000L},
                      NULL);
        }
        if (state || report_state(report, 0, true, clock_mono_ms(), &state, &err) == 0)
            text = s->json ? probe_print_json(report_profile(report), state, &err)
                           : probe_print_table(report_profile(report), state, &err);
    }
    state_free(state);
    report_free(report);
    probe_free(p);
    mem_free(dir);
    return print_text(text, &err);
}

static int print_key(const struct agent_settings *s)
{
    struct err err = {0};
    char *dir = open_data_dir(s, &err), *path = dir ? file_path(&err, "%s/agent.key", dir) : NULL;
    struct net_keys keys;
    int rc = EXIT_FAILED;

    if (!path || net_keys_load_or_make(path, &keys, &err) < 0) {
        fail(&err, EXIT_FAILED);
    } else {
        rc = printf("%s\n", keys.public_key) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
        net_keys_wipe(&keys);
    }
    mem_free(path);
    mem_free(dir);
    return rc;
}

static char *print_rates(const struct bench_result *r, struct err *err)
{
    char how[3 * BENCH_TEXT_MAX];
    struct buf b;

    bench_describe(r, how, sizeof how);
    buf_init(&b, 4096);
    buf_addf(&b, "matrix products  %.4g GFLOP/s\nmemory           %.4g GB/s\n%s\n", r->flops / 1e9,
             r->bandwidth / 1e9, how);
    return buf_take(&b, NULL, err);
}

static int bench(const struct agent_settings *s)
{
    struct err err = {0};
    char *dir = s->replay ? NULL : open_data_dir(s, &err), *text = NULL;
    struct probe_options options = {.volume_path = dir};
    struct measured *measured = NULL;
    const struct bench_result *r;
    struct profile *profile = NULL;
    struct state *state = NULL;
    struct probe *p = NULL;

    log_set_level(LOGL_WARN);
    if (s->replay)
        err_set(&err, ERR_INVALID, "bench: times the machine it runs on, and replay is set");
    else if (dir && (p = probe_open(&options, &err)) &&
             probe_profile(p, clock_mono_ms(), &profile, &err) == 0 &&
             probe_state(p, clock_mono_ms(), &state, &err) == 0 &&
             (measured = measured_new(dir, profile->chip, &err)) &&
             (r = measured_now(measured, state, &err)))
        text = s->json ? bench_print(r, &err) : print_rates(r, &err);
    measured_free(measured);
    state_free(state);
    profile_free(profile);
    probe_free(p);
    mem_free(dir);
    return print_text(text, &err);
}

static int check(const struct agent_settings *s, const char *file)
{
    struct findings *found = mem_zalloc(sizeof *found);
    struct err err = {0};
    char *dir = open_data_dir(s, &err);
    const char *columns = getenv("COLUMNS");
    int rc = EXIT_FAILED, printed;

    log_set_level(LOGL_ERR); /* what is found is what is printed */
    if (!found || !dir) {
        fail(&err, EXIT_FAILED);
    } else {
        check_device(found, s, file, dir, ESPALIER_VERSION);
        printed = print_text(
            s->json
                ? findings_json(found, &err)
                : findings_print(found, columns ? strtoul(columns, NULL, 10) : CHECK_WIDTH, &err),
            &err);
        rc =
            printed != EXIT_DONE || findings_worst(found) == FINDING_FAIL ? EXIT_FAILED : EXIT_DONE;
    }
    mem_free(dir);
    mem_free(found);
    return rc;
}

static int run_words(struct settings *loaded, char *const *words, size_t count)
{
    const struct agent_settings *s = settings_values(loaded);
    struct err err = {0};

    if (count == 0 || (count == 1 && strcmp(words[0], "run") == 0))
        return run(s);
    if (count == 1 && strcmp(words[0], "probe") == 0)
        return probe(s);
    if (count == 1 && strcmp(words[0], "bench") == 0)
        return bench(s);
    if (count == 1 && strcmp(words[0], "check") == 0)
        return check(s, settings_file(loaded));
    if (count == 1 && strcmp(words[0], "key") == 0)
        return print_key(s);
    if (count == 1 && strcmp(words[0], "version") == 0)
        return printf("espalier-agent %s\n", ESPALIER_VERSION) < 0 ? EXIT_FAILED : EXIT_DONE;
    if (count == 2 && strcmp(words[0], "config") == 0 && strcmp(words[1], "show") == 0)
        return print_text(settings_show(loaded, &err), &err);
    if (count == 2 && strcmp(words[0], "config") == 0 && strcmp(words[1], "sample") == 0)
        return print_text(settings_sample(&agent_settings_spec, &err), &err);
    fprintf(
        stderr,
        "espalier-agent: \"%s\": wanted run, probe, check, bench, key, version, config show or config sample\n",
        words[0]);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    char *file = agent_settings_file();
    struct settings_input in = {argc, argv, environ, file};
    struct err err = {0};
    struct settings *loaded;
    size_t count;
    int rc;

    umask(022); /* plans can be read by the user their command runs as; the key is 0600 whatever
                   this is */
    if (!(loaded = settings_load(&agent_settings_spec, &in, &err))) {
        rc = fail(&err, EXIT_USAGE);
    } else if (settings_wants_help(loaded)) {
        rc = print_text(settings_help(&agent_settings_spec, &err), &err);
    } else if (settings_wants_version(loaded)) {
        rc = printf("espalier-agent %s\n", ESPALIER_VERSION) < 0 ? EXIT_FAILED : EXIT_DONE;
    } else {
        char *const *words = settings_args(loaded, &count);

        log_set_level(
            (enum log_level)((const struct agent_settings *)settings_values(loaded))->log_level);
        rc = run_words(loaded, words, count);
    }
    settings_free(loaded);
    mem_free(file);
    return rc;
}
