/* agent_settings.c - the rows of the agent's settings; see agent_settings.h. */
#include "agent/agent_settings.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log_file.h"
#include "common/core/mem.h"
#include "common/net/keys.h"
#include "common/settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000.0
#define DAY_MS (24 * HOUR_MS)
#define KEY_FILE_MAX 1024 /* a key, or a pair with its labels, and a comment */

static const char *const log_levels[] = {"err", "warn", "info", "debug", NULL}; /* enum log_level */

#define ROW(m, ...) SETTING_ROW(agent_settings, m, __VA_ARGS__)
#define ROW_AS(m, n, ...) SETTING_ROW_AS(agent_settings, m, n, __VA_ARGS__)
#define ROW_MS(m, ...) ROW_AS(m##_ms, #m, .type = SETTING_DURATION, __VA_ARGS__)

static const struct setting rows[] = {
    ROW(coordinator, .type = SETTING_TEXT, .group = "Coordinator", .max = 255, .word = "ENDPOINT",
        .help = "where the coordinator listens for agents: tcp://HOST:7420"),
    ROW(server_key, .type = SETTING_TEXT, .word = "KEY|FILE",
        .help = "the coordinator's public key, or a file with it"),
    ROW_MS(state_interval, .standard = "5s", .min = 100, .max = HOUR_MS,
           .help = "report the state this often, or sooner where the coordinator asks for it"),
    ROW_MS(profile_interval, .standard = "60s", .min = 1000, .max = DAY_MS,
           .help = "look this often whether the profile has changed"),

    ROW(data_dir, .type = SETTING_PATH, .group = "This device",
        .standard_help = "the platform's state folder",
        .help = "the agent's own folder: its key, its plans"),
    ROW(name, .type = SETTING_TEXT, .max = 128, .standard_help = "none",
        .help = "name of this device, for people"),
    ROW(up_bps, .type = SETTING_F64, .standard = "0", .min = 0, .max = 1e13, .word = "BPS",
        .help = "bits a second towards the coordinator; 0 is unknown"),
    ROW(down_bps, .type = SETTING_F64, .standard = "0", .min = 0, .max = 1e13, .word = "BPS",
        .help = "bits a second from the coordinator; 0 is unknown"),
    ROW(bench, .type = SETTING_BOOL, .standard = "yes",
        .help = "time matrix products and memory for 2 s, once after joining"),
    ROW(replay, .type = SETTING_PATH, .standard_help = "the machine it runs on",
        .help = "report this recorded or composed machine instead"),
    ROW(state, .type = SETTING_PATH, .standard_help = "those in the replayed file",
        .help = "live values for the replayed machine"),

    ROW(model_dir, .type = SETTING_PATH, .group = "Plans", .standard_help = "what the job names",
        .help = "a model, or a folder of models: wins over what the job names"),
    ROW(data, .type = SETTING_PATH, .standard_help = "what the job names, in data of data_dir",
        .help = "training data (with train.jsonl), or a folder of such: wins over the job"),
    ROW_AS(memory_limit_bytes, "memory_limit", .type = SETTING_BYTES, .standard = "0", .min = 0,
           .max = 0x1p50, .help = "refuse plans that may use more memory; 0 is no limit"),
    ROW(on_plan, .type = SETTING_WORDS, .word = "COMMAND", .standard_help = "plans are only stored",
        .help = "run this, without a shell, in the folder of each plan that is applied"),
    ROW(on_plan_user, .type = SETTING_TEXT, .max = 63, .word = "USER",
        .standard_help = "the agent's own", .help = "run it as this user"),
    ROW(allow_root, .type = SETTING_BOOL, .standard = "no", .help = "let it run as root"),
    ROW_MS(on_plan_time_limit, .standard = "24h", .min = 0, .max = 365 * DAY_MS,
           .help = "stop it after; 0 is never"),
    ROW_MS(on_plan_grace, .standard = "10s", .min = 0, .max = HOUR_MS,
           .help = "time it has to end by itself when it is stopped"),
    ROW_AS(on_plan_output_bytes, "on_plan_output", .type = SETTING_BYTES, .standard = "4MiB",
           .min = 4096, .max = 0x1p32, .help = "keep this much of what it printed last"),
    ROW(on_plan_nice, .type = SETTING_INT, .standard = "5", .min = 0, .max = 19,
        .help = "how far it steps back for other programs"),
    ROW(rerun_interrupted, .type = SETTING_BOOL, .standard = "no",
        .help = "run it again where a restart of the agent or the device interrupted it"),

    ROW(log_level, .type = SETTING_CHOICE, .group = "Running", .standard = "info",
        .choices = log_levels, .word = "LEVEL", .help = "least urgent lines to log"),
    ROW(log_file, .type = SETTING_PATH, .standard_help = "stderr",
        .help = "log to this file; one that is full is set aside as FILE.1, FILE.2, ..."),
    ROW_AS(log_file_bytes, "log_file_size", .type = SETTING_BYTES, .standard = "10MB",
           .min = LOG_FILE_MIN_BYTES, .max = 0x1p40, .help = "size of a full one"),
    ROW(log_files, .type = SETTING_INT, .standard = "5", .min = 0, .max = LOG_FILES_MAX,
        .help = "older ones to keep"),
    ROW(json, .type = SETTING_BOOL, .standard = "no", .flags = SETTING_NO_FILE,
        .help = "probe, check and bench: print JSON"),
};

static int check(const void *values, struct err *err)
{
    const struct agent_settings *s = values;

    if (s->state && !s->replay)
        return err_set(err, ERR_INVALID, "state: goes with replay, which is not set");
    if (s->on_plan_user && !s->on_plan)
        return err_set(err, ERR_INVALID, "on_plan_user: goes with on_plan, which is not set");
    return 0;
}

const struct settings_spec agent_settings_spec = {
    .program = "espalier-agent",
    .usage =
        "[OPTION...] [run | probe | check | bench | key | config show | config sample | version]",
    .summary =
        "Reports what this Mac is and how it is, and keeps and runs its part of each plan.\n"
        "\n"
        "  run            stay connected to the coordinator (this is the default)\n"
        "  probe          print what would be reported, and why the rest is unknown;\n"
        "                 needs no coordinator\n"
        "  check          look at all that the agent rests on, up to the coordinator's\n"
        "                 answer, and say what is wrong and what to do about it\n"
        "  bench          time matrix products and memory, print the rates, and keep them for\n"
        "                 the next reports\n"
        "  key            print this device's public key; it is made when there is none\n"
        "  config show    print every setting and where its value comes from\n"
        "  config sample  print a file of all settings\n"
        "\n"
        "Exit: 0 done, or stopped by SIGTERM or SIGINT; 1 something failed, or check found\n"
        "something wrong; 2 wrong usage or settings; 3 another agent has the folder.",
    .env_prefix = "ESPALIER_AGENT_",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .size = sizeof(struct agent_settings),
    .check = check,
};

char *agent_settings_file(void)
{
    const char *home = getenv("HOME");

    return home && *home ? file_path(NULL, "%s/.config/espalier/agent.conf", home) : NULL;
}

char *agent_data_dir(const struct agent_settings *s, struct err *err)
{
    const char *home = getenv("HOME");

    if (s->data_dir && s->data_dir[0] != '/') { /* paths in plans are absolute, and so is this */
        char *here = realpath(".", NULL),
             *path = here ? file_path(err, "%s/%s", here, s->data_dir) : NULL;

        if (!here)
            err_set(err, ERR_IO, "data_dir: %s is relative, and there is no current folder",
                    s->data_dir);
        free(here); /* realpath's, not ours */
        return path;
    }
    if (s->data_dir)
        return file_path(err, "%s", s->data_dir);
#ifdef __APPLE__
    if (home && *home)
        return file_path(err, "%s/Library/Application Support/Espalier/agent", home);
#else
    const char *state = getenv("XDG_STATE_HOME");

    if (state && *state == '/')
        return file_path(err, "%s/espalier-agent", state);
    if (home && *home)
        return file_path(err, "%s/.local/state/espalier-agent", home);
#endif
    err_set(err, ERR_INVALID, "data_dir: not set, and HOME is not set either");
    return NULL;
}

/* The first word that is a key, so that a key file with its labels will do. The secret half of a
 * pair never is the first. */
static int key_in(char *text, char out[AGENT_KEY_TEXT_MAX])
{
    char *rest = NULL;

    for (char *word = strtok_r(text, " \t\r\n", &rest); word;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (net_key_check(word, NULL) == 0) {
            snprintf(out, AGENT_KEY_TEXT_MAX, "%s", word);
            return 0;
        }
    }
    return -1;
}

int agent_server_key(const struct agent_settings *s, char out[AGENT_KEY_TEXT_MAX], struct err *err)
{
    char *text = NULL;
    size_t len;
    int rc;

    if (!s->server_key)
        return err_set(err, ERR_INVALID,
                       "server_key: not set; `espalier-coordinator key` prints it");
    if (net_key_check(s->server_key, NULL) == 0) {
        snprintf(out, AGENT_KEY_TEXT_MAX, "%s", s->server_key);
        return 0;
    }
    if (file_read(s->server_key, KEY_FILE_MAX, &text, &len, err) < 0)
        return err_prefix(err, "server_key: no key of 40 characters, and no file with one");
    rc = key_in(text, out);
    mem_wipe(text, len);
    mem_free(text);
    return rc < 0 ? err_set(err, ERR_MALFORMED, "server_key: %s holds no key", s->server_key) : 0;
}
