/* config.c - the rows of the coordinator's settings, and the checks that need two of them. */
#include "coordinator/config/config.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/log_file.h"
#include "common/core/mem.h"
#include "common/settings/settings.h"

#include <string.h>
#include <sys/stat.h>

#define HOUR_MS 3600000.0
#define DAY_MS (24 * HOUR_MS)
#define KEY_FILE_MAX 8192 /* bytes; tokens of the known services have some 200 */

static const char *const adapters[] = {"chat", "json", NULL}; /* enum config_adapter */
static const char *const log_levels[] = {"err", "warn", "info", "debug", NULL}; /* enum log_level */

#define ROW(m, ...) SETTING_ROW(config, m, __VA_ARGS__)
#define ROW_MS(m, ...) SETTING_ROW_AS(config, m##_ms, #m, .type = SETTING_DURATION, __VA_ARGS__)

static const struct setting rows[] = {
    ROW(data_dir, .type = SETTING_PATH, .group = "Where",
        .standard_help = "the platform's state folder",
        .help = "folder of the database, the keys and the local socket"),
    ROW(ipc_path, .type = SETTING_PATH, .max = CONFIG_SOCKET_PATH_MAX,
        .standard_help = "run/coordinator.sock in data_dir",
        .help = "socket of the local command line tool; whoever can open it is an operator"),
    ROW(agents_endpoint, .type = SETTING_TEXT, .standard = "tcp://*:7420", .max = 255,
        .word = "ENDPOINT", .help = "where agents connect"),
    ROW(tools_endpoint, .type = SETTING_TEXT, .standard = "tcp://*:7421", .max = 255,
        .word = "ENDPOINT", .help = "where tools connect"),
    ROW(events_endpoint, .type = SETTING_TEXT, .standard = "tcp://*:7422", .max = 255,
        .word = "ENDPOINT", .help = "where events are published"),

    ROW_MS(state_interval, .group = "Fleet", .standard = "5s", .min = 100, .max = HOUR_MS,
           .flags = SETTING_RELOADABLE, .help = "agents report their state this often"),
    ROW_MS(late, .standard = "15s", .min = 200, .max = DAY_MS, .flags = SETTING_RELOADABLE,
           .help = "a device that was silent for longer is late"),
    ROW_MS(offline, .standard = "60s", .min = 300, .max = 7 * DAY_MS, .flags = SETTING_RELOADABLE,
           .help = "a device that was silent for longer is offline"),
    ROW(max_devices, .type = SETTING_INT, .standard = "100000", .min = 1, .max = DEVICES_MAX,
        .help = "devices that may be enrolled"),

    SETTING_ROW_AS(config, reserve_bytes, "reserve", .type = SETTING_BYTES, .group = "Plans",
                   .standard = "1GiB", .min = 0, .max = 0x1p40, .flags = SETTING_RELOADABLE,
                   .help = "memory of each device that no plan may use"),
    ROW_MS(delivery_expire, .standard = "7d", .min = 1000, .max = 365 * DAY_MS,
           .flags = SETTING_RELOADABLE,
           .help = "an assignment that nobody fetched for so long expires"),
    ROW_MS(request_keep, .standard = "1d", .min = 60000, .max = 30 * DAY_MS,
           .help = "a repeated request gets its first answer for so long"),

    ROW(lm_url, .type = SETTING_TEXT, .group = "Language model", .max = 1024, .word = "URL",
        .standard_help = "none: plans are analytic",
        .help = "OpenAI-compatible endpoint, up to and including /v1"),
    ROW(lm_model, .type = SETTING_TEXT, .max = 256, .word = "NAME",
        .help = "model to ask for; wanted with lm_url"),
    ROW(lm_key_file, .type = SETTING_PATH,
        .help = "file with the endpoint's key; others must not be able to read it"),
    ROW(lm_key, .type = SETTING_TEXT, .max = 4096,
        .flags = SETTING_SECRET | SETTING_NO_FLAG | SETTING_NO_FILE,
        .help = "the endpoint's key; wins over lm_key_file"),
    ROW_MS(lm_connect_timeout, .standard = "5s", .min = 100, .max = 300000,
           .help = "give up connecting to the endpoint after"),
    ROW_MS(lm_first_byte_timeout, .standard = "120s", .min = 100, .max = HOUR_MS,
           .help = "give up when the endpoint has sent nothing after"),
    ROW_MS(lm_total_timeout, .standard = "300s", .min = 100, .max = DAY_MS,
           .help = "give up on the answers for one plan after"),
    ROW(lm_retries, .type = SETTING_INT, .standard = "2", .min = 0, .max = 10,
        .help = "tries after the first, where another may help; all within lm_total_timeout"),
    ROW(lm_max_tokens, .type = SETTING_INT, .standard = "2048", .min = 1, .max = 1048576,
        .help = "tokens of an answer at most"),
    ROW(lm_fleet_tokens, .type = SETTING_INT, .standard = "2000", .min = 100, .max = 1048576,
        .help = "tokens, as estimated, that the table of the fleet may cost in a prompt; above it "
                "classes are joined, the nearest first"),
    ROW(lm_temperature, .type = SETTING_F64, .standard = "0", .min = 0, .max = 2,
        .help = "0: the likeliest answer, the same each time"),
    ROW_MS(lm_cache_age, .standard = "1d", .min = 0, .max = 365 * DAY_MS,
           .help = "the same question gets its earlier answer for so long; 0: it is asked anew"),
    ROW(lm_ca_file, .type = SETTING_PATH, .standard_help = "the system's",
        .help = "certificates to trust for an https endpoint"),
    ROW(lm_record, .type = SETTING_PATH, .standard_help = "none",
        .help = "append every answer of the model to this file"),
    ROW(lm_replay, .type = SETTING_PATH, .standard_help = "none",
        .help = "answer from such a file, and ask no endpoint"),
    ROW(signature_dir, .type = SETTING_PATH,
        .help = "folder with signatures of your own, NAME.json each; one that has a built-in one's "
                "name may change its words"),

    ROW(lm_adapter, .type = SETTING_CHOICE, .standard = "chat", .choices = adapters,
        .word = "LAYOUT",
        .help = "ask for fields under markers, and for JSON where that fails, or for JSON at once"),
    ROW(lm_correction, .type = SETTING_BOOL, .standard = "yes",
        .help = "an answer that cannot be used is shown to the model once, with what was wrong"),
    ROW(lm_framing, .type = SETTING_PATH, .standard_help = "built in",
        .help = "words around the fields of a prompt; deploy/dspy/export_framing.py writes DSPy's"),
    ROW(lm_federated_program, .type = SETTING_PATH, .standard_help = "none",
        .help = "program of FederatedLearningSignature that DSPy saved as JSON"),
    ROW(lm_pipeline_program, .type = SETTING_PATH, .standard_help = "none",
        .help = "program of MLPipelineOptimizationSignature that DSPy saved as JSON"),

    ROW(log_level, .type = SETTING_CHOICE, .group = "Running", .standard = "info",
        .choices = log_levels, .word = "LEVEL", .flags = SETTING_RELOADABLE,
        .help = "least urgent lines to log"),
    ROW(log_file, .type = SETTING_PATH, .standard_help = "stderr",
        .help = "log to this file; one that is full is set aside as FILE.1, FILE.2, ..."),
    SETTING_ROW_AS(config, log_file_bytes, "log_file_size", .type = SETTING_BYTES,
                   .standard = "10MB", .min = LOG_FILE_MIN_BYTES, .max = 0x1p40,
                   .help = "size of a full one"),
    ROW(log_files, .type = SETTING_INT, .standard = "5", .min = 0, .max = LOG_FILES_MAX,
        .help = "older ones to keep"),
    ROW(io_threads, .type = SETTING_INT, .standard = "1", .min = 1, .max = 16,
        .help = "threads that encrypt and carry bytes; 1 serves some thousands of agents"),
};

static int check_endpoint(const char *name, const char *value, struct err *err)
{
    if (value && (strncmp(value, "tcp://", 6) == 0 || strncmp(value, "ipc://", 6) == 0))
        return 0;
    return err_set(err, ERR_INVALID, "%s: \"%.100s\", wanted tcp://ADDRESS:PORT", name,
                   value ? value : "");
}

static int check_times(const struct config *c, struct err *err)
{
    if (c->late_ms <= c->state_interval_ms)
        return err_set(err, ERR_INVALID, "late: %lld ms, wanted more than state_interval (%lld ms)",
                       (long long)c->late_ms, (long long)c->state_interval_ms);
    if (c->offline_ms <= c->late_ms)
        return err_set(err, ERR_INVALID, "offline: %lld ms, wanted more than late (%lld ms)",
                       (long long)c->offline_ms, (long long)c->late_ms);
    return 0;
}

static int check_lm(const struct config *c, struct err *err)
{
    if (!c->lm_url && c->lm_record)
        return err_set(err, ERR_INVALID, "lm_record: there is nothing to record without lm_url");
    if (!c->lm_url)
        return 0;
    if (strncmp(c->lm_url, "http://", 7) != 0 && strncmp(c->lm_url, "https://", 8) != 0)
        return err_set(err, ERR_INVALID, "lm_url: \"%.100s\", wanted http:// or https://",
                       c->lm_url);
    if (!c->lm_model)
        return err_set(err, ERR_INVALID, "lm_model: not set, wanted with lm_url");
    return 0;
}

static int check(const void *values, struct err *err)
{
    const struct config *c = values;

    if (check_endpoint("agents_endpoint", c->agents_endpoint, err) < 0 ||
        check_endpoint("tools_endpoint", c->tools_endpoint, err) < 0 ||
        check_endpoint("events_endpoint", c->events_endpoint, err) < 0 || check_times(c, err) < 0 ||
        check_lm(c, err) < 0)
        return -1;
    return 0;
}

static const struct settings_spec spec = {
    .program = "espalier-coordinator",
    .usage = "[OPTION...] [run | key | config show | config sample | version]",
    .summary = "Learns what every device of a fleet is, plans for it, hands each device its plan.",
    .rows = rows,
    .count = sizeof rows / sizeof *rows,
    .size = sizeof(struct config),
    .check = check,
};

/* The key in lm_key_file, without the line's end. */
static int read_key(const char *path, char **out, struct err *err)
{
    struct stat st;
    char *key;
    size_t len;

    if (stat(path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH)))
        return err_set(err, ERR_DENIED, "lm_key_file: %s can be read by others, wanted mode 0600",
                       path);
    if (file_read(path, KEY_FILE_MAX, &key, NULL, err) < 0)
        return err_prefix(err, "lm_key_file");
    len = strcspn(key, "\r\n");
    if (!len || key[len + strspn(key + len, "\r\n \t")]) {
        mem_wipe(key, strlen(key));
        mem_free(key);
        return err_set(err, ERR_INVALID, "lm_key_file: %s, wanted a key on one line", path);
    }
    key[len] = '\0';
    *out = key;
    return 0;
}

/* What defaults cannot say as text: paths of the platform, the key's file. */
static int complete(struct config_loaded *c, char *const *env, struct err *err)
{
    c->config = *(const struct config *)settings_values(c->settings);
    if (!c->config.data_dir) {
        if (!(c->made_data_dir = config_data_dir(env, err)))
            return -1;
        c->config.data_dir = c->made_data_dir;
    }
    if (!c->config.ipc_path) {
        if (!(c->made_ipc_path = config_ipc_path(c->config.data_dir, env, err)))
            return -1;
        c->config.ipc_path = c->made_ipc_path;
    }
    if (!c->config.lm_key && c->config.lm_key_file) {
        if (read_key(c->config.lm_key_file, &c->made_key, err) < 0)
            return -1;
        c->config.lm_key = c->made_key;
    }
    return 0;
}

/* DATA/coordinator.conf into *out, NULL without a data folder, which is no error yet: a file may be
 * named. */
static int standard_file(const struct settings *s, char *const *env, char **out, struct err *err)
{
    const struct config *c = settings_values(s);
    struct err why = {ERR_NONE, ""};
    char *dir = NULL;

    *out = NULL;
    if (settings_file(s))
        return 0;
    if (!c->data_dir && !(dir = config_data_dir(env, &why)))
        return why.code == ERR_NOMEM ? err_set(err, ERR_NOMEM, "%s", why.text) : 0;
    *out = file_path(err, "%s/coordinator.conf", c->data_dir ? c->data_dir : dir);
    mem_free(dir);
    return *out ? 0 : -1;
}

/* Twice: the first reading, without the checks between settings, says where the data folder is, and
 * so the file. */
static struct settings *load_or_reload(const struct settings *old, int argc, char *const *argv,
                                       char *const *env, struct err *err)
{
    struct settings_input in = {argc, argv, env, NULL};
    struct settings_spec first = spec;
    struct settings *s;
    char *file;
    int rc;

    first.check = NULL;
    if (!(s = settings_load(&first, &in, err)))
        return NULL;
    if (settings_wants_help(s) || settings_wants_version(s)) {
        settings_free(s);
        return settings_load(&spec, &in, err);
    }
    rc = standard_file(s, env, &file, err);
    settings_free(s);
    if (rc < 0)
        return NULL;
    in.file = file;
    s = old ? settings_reload(old, &in, NULL, err) : settings_load(&spec, &in, err);
    mem_free(file);
    return s;
}

static int load(const struct settings *old, int argc, char *const *argv, char *const *env,
                struct config_loaded *out, struct err *err)
{
    struct config_loaded c = {0};

    if (!(c.settings = load_or_reload(old, argc, argv, env, err)))
        return -1;
    if (!settings_wants_help(c.settings) && !settings_wants_version(c.settings) &&
        complete(&c, env, err) < 0) {
        config_clear(&c);
        return -1;
    }
    *out = c;
    return 0;
}

int config_load(int argc, char *const *argv, char *const *env, struct config_loaded *out,
                struct err *err)
{
    return load(NULL, argc, argv, env, out, err);
}

int config_reload(struct config_loaded *c, int argc, char *const *argv, char *const *env,
                  struct err *err)
{
    struct config_loaded fresh;

    if (load(c->settings, argc, argv, env, &fresh, err) < 0)
        return -1;
    config_clear(c);
    *c = fresh;
    return 0;
}

void config_clear(struct config_loaded *c)
{
    settings_free(c->settings);
    mem_free(c->made_data_dir);
    mem_free(c->made_ipc_path);
    if (c->made_key)
        mem_wipe(c->made_key, strlen(c->made_key));
    mem_free(c->made_key);
    memset(c, 0, sizeof *c);
}

char *config_help(struct err *err)
{
    return settings_help(&spec, err);
}

char *config_sample(struct err *err)
{
    return settings_sample(&spec, err);
}

char *config_show(const struct config_loaded *c, struct err *err)
{
    return settings_show(c->settings, err);
}
