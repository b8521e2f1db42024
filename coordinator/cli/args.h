/* args.h - the command line: words and options, from one table.
 *
 * An option is --name, or --name VALUE, or --name=VALUE, before or after the words; after "--" all
 * are words. An option that is given twice counts as its last, unless its row
 * says that each counts. Some have a variable of the
 * environment, which the command line wins over. What an option may hold is checked here, so that a
 * typing error is found before anything is asked of a coordinator. */
#ifndef COORDINATOR_CLI_ARGS_H
#define COORDINATOR_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum option_id {
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_DATA_DIR,
    OPTION_COORDINATOR,
    OPTION_SERVER_KEY,
    OPTION_KEY,
    OPTION_TIMEOUT,
    OPTION_ENGINE,
    OPTION_DRY_RUN,
    OPTION_WAIT,
    OPTION_CLIENT,
    OPTION_PROPOSAL,
    OPTION_REASON,
    OPTION_TOOL,
    OPTION_NAME,
    OPTION_FLEET,
    OPTION_SYNTHETIC,
    OPTION_SEED,
    OPTION_ROUNDS,
    OPTION_JITTER,
    OPTION_AVAILABILITY,
    OPTION_PLOT,
    OPTION_MODEL,
    OPTION_FORMAT,
    OPTION_METHOD,
    OPTION_TARGETS,
    OPTION_RANK,
    OPTION_LAYERS,
    OPTION_BATCH,
    OPTION_SEQ,
    OPTION_CHECKPOINT,
    OPTION_PROMPT,
    OPTION_CONTEXT,
    OPTION_DEVICE,
    OPTION_MACHINE,
    OPTION_ADAPTER,
    OPTION_ADD_INSTRUCTIONS,
    OPTION_APPEND,
    OPTION_AS_TEXT,
    OPTION_BASE,
    OPTION_CATEGORY,
    OPTION_DEFINITION,
    OPTION_DOMAIN,
    OPTION_FIELD,
    OPTION_FOLDER,
    OPTION_FRAMING,
    OPTION_FROM,
    OPTION_HARDWARE,
    OPTION_INPUTS,
    OPTION_INSERT,
    OPTION_INSTRUCTIONS,
    OPTION_MODULE,
    OPTION_NO_CONTEXT,
    OPTION_NO_FALLBACK,
    OPTION_NO_RETRY,
    OPTION_PREDICTOR,
    OPTION_PREPEND,
    OPTION_PYTHON,
    OPTION_RENAME,
    OPTION_SAVE,
    OPTION_SIGNATURE,
    OPTION_STATE,
    OPTION_TYPED,
    OPTION_WITHOUT,
    OPTION_CHIP,
    OPTION_COUNT
};

#define OPTION_BIT(id) \
    ((unsigned __int128)1 << (id)) /* gcc and clang have it on every 64-bit machine */

struct args_option {
    const char *name;           /* with its dashes */
    const char *word;           /* stands for the value in help; NULL: a flag */
    const char *const *choices; /* NULL at the end; NULL: any text */
    const char *env;            /* NULL: none */
    const char *help;           /* what it does, for help */
    int64_t most;               /* an integer from 1 to this; 0: no integer */
    bool duration;              /* milliseconds, as num_parse_duration_ms reads them */
    bool many;                  /* each time it is given counts */
};

extern const struct args_option args_options[OPTION_COUNT];

#define ARGS_WORDS_MAX 8
#define ARGS_MANY_MAX 160 /* twice the fields that a signature may have, and some bases */
#define ARGS_TIMEOUT_MAX_MS (7 * 86400000LL) /* a week: long enough for any --wait */

struct args {
    const char *value[OPTION_COUNT]; /* borrowed; "" for a flag; NULL: not given */
    bool from_env[OPTION_COUNT];
    int64_t timeout_ms; /* of --timeout; UNKNOWN_I64: not given */
    const char *words[ARGS_WORDS_MAX];
    size_t count;
    struct {
        enum option_id id;
        const char *value;
    } many[ARGS_MANY_MAX]; /* of options that may stand several times, in their order */
    size_t many_count;
};

/* env: NAME=value, NULL at the end; may be NULL. An unknown option, one too many words, a missing
 * or a wrong value are ERR_INVALID. */
int args_parse(int argc, char *const *argv, char *const *env, struct args *out, struct err *err);

/* Refuse an option of the command line that is not in the set of bits. */
int args_allow(const struct args *a, unsigned __int128 allowed, const char *command,
               struct err *err);

/* The value of a variable, NULL when it is not there or empty. */
const char *args_env(char *const *env, const char *name);

static inline bool args_has(const struct args *a, enum option_id id)
{
    return a->value[id] != NULL;
}

#endif
