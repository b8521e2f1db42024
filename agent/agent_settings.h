/* agent_settings.h - the agent's settings, and what follows from them. */
#ifndef AGENT_AGENT_SETTINGS_H
#define AGENT_AGENT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct settings;
struct settings_spec;

struct agent_settings {
    char *data_dir;
    char *name;
    char *coordinator;
    char *server_key;
    int64_t state_interval_ms;
    int64_t profile_interval_ms;
    double up_bps, down_bps; /* 0: unknown */
    bool bench;
    char *replay;
    char *state;
    char *model_dir;
    char *data;
    int64_t memory_limit_bytes; /* 0: none */
    char **on_plan;
    char *on_plan_user;
    bool allow_root;
    int64_t on_plan_time_limit_ms;
    int64_t on_plan_grace_ms;
    int64_t on_plan_output_bytes;
    int64_t on_plan_nice;
    bool rerun_interrupted;
    int log_level;
    char *log_file; /* NULL: stderr */
    int64_t log_file_bytes;
    int64_t log_files;
    bool json;
};

extern const struct settings_spec agent_settings_spec;

/* The file that is read where nothing names another; yours to mem_free. NULL: there is no home. */
char *agent_settings_file(void);

/* The agent's folder: the setting, or the standard one. Yours to mem_free. */
char *agent_data_dir(const struct agent_settings *s, struct err *err);

/* --server-key: the key itself, or a file that holds it, alone or as espalier-public-key. */
#define AGENT_KEY_TEXT_MAX 41
int agent_server_key(const struct agent_settings *s, char out[AGENT_KEY_TEXT_MAX], struct err *err);

#endif
