/* config.h - the coordinator's settings.
 *
 * Plain members, filled from flags, ESPALIER_... variables, a file and defaults by common/settings;
 * the rows are in config.c. Names in the file have no unit (state_interval = 5s), members have it.
 */
#ifndef COORDINATOR_CONFIG_CONFIG_H
#define COORDINATOR_CONFIG_CONFIG_H

#include "common/core/log.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct settings;
struct settings_input;

enum config_adapter { CONFIG_ADAPTER_CHAT, CONFIG_ADAPTER_JSON };

struct config {
    /* where */
    char *data_dir; /* database, keys, run folder; 0700; made by config_load's caller */
    char *ipc_path; /* socket of the local CLI; never NULL after config_load, under 104 bytes */
    char *agents_endpoint; /* tcp://... */
    char *tools_endpoint;
    char *events_endpoint;
    /* fleet */
    int64_t state_interval_ms; /* agents report this often */
    int64_t late_ms;
    int64_t offline_ms;
    int64_t max_devices;
    /* plans */
    int64_t reserve_bytes;      /* memory left to the Mac's owner */
    int64_t delivery_expire_ms; /* an assignment that nobody fetched */
    int64_t request_keep_ms;    /* answers to repeated requests */
    /* language model */
    char *lm_url; /* NULL: none */
    char *lm_model;
    char *lm_key_file;
    char *lm_key; /* secret: from the environment, or read from lm_key_file by config_load; NULL:
                     none */
    int64_t lm_connect_timeout_ms;
    int64_t lm_first_byte_timeout_ms;
    int64_t lm_total_timeout_ms;
    int64_t lm_retries;
    int64_t lm_max_tokens;
    int64_t lm_fleet_tokens;
    double lm_temperature;
    int64_t lm_cache_age_ms; /* 0: no answer is kept */
    char *lm_ca_file;        /* NULL: the system's */
    char *lm_record;         /* NULL: nothing is recorded */
    char *lm_replay;         /* wins over lm_url; NULL: none */
    int lm_adapter;          /* enum config_adapter */
    bool lm_correction;
    char *lm_framing;           /* NULL: the built-in one */
    char *lm_federated_program; /* NULL: none */
    char *lm_pipeline_program;
    char *signature_dir; /* NULL: only the built-in signatures */
    /* running */
    int log_level;  /* enum log_level */
    char *log_file; /* NULL: stderr */
    int64_t log_file_bytes;
    int64_t log_files;
    int64_t io_threads;
};

/* The loaded configuration: `c` reads the values. */
struct config_loaded {
    struct config config;      /* borrowed texts of `settings`, except those config_load made */
    struct settings *settings; /* help and version wanted, words, show */
    char *made_data_dir, *made_ipc_path, *made_key; /* owned */
};

/* env: NAME=value list. The file read without --config is DATA/coordinator.conf if it exists, where
 * DATA is the data folder of the flags, the environment or the platform. On --help or --version
 * only `settings` is filled. */
int config_load(int argc, char *const *argv, char *const *env, struct config_loaded *out,
                struct err *err);
void config_clear(struct config_loaded *c); /* a zeroed one is fine */

/* For SIGHUP: the same input read afresh; only reloadable rows may differ. *c is replaced on
 * success and as it was on failure. */
int config_reload(struct config_loaded *c, int argc, char *const *argv, char *const *env,
                  struct err *err);

/* Texts of --help, `config sample`, `config show`; yours to mem_free. */
char *config_help(struct err *err);
char *config_sample(struct err *err);
char *config_show(const struct config_loaded *c, struct err *err);

/* The platform's data folder: $XDG_STATE_HOME/espalier or ~/.local/state/espalier; on macOS
 * ~/Library/Application Support/Espalier. Yours to mem_free; NULL when the environment has no HOME.
 */
char *config_data_dir(char *const *env, struct err *err);

/* Where the CLI finds the coordinator's socket when told nothing: data_dir/run/coordinator.sock, or
 * when that is too long for a socket (104 bytes on macOS) a name under the temporary folder made
 * from a hash of it. */
char *config_ipc_path(const char *data_dir, char *const *env, struct err *err);

#define CONFIG_SOCKET_PATH_MAX 103 /* sun_path of macOS is 104 bytes with its NUL */

#endif
