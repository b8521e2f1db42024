/* args.c - see args.h. */
#include "coordinator/cli/args.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/net/keys.h"

#include <string.h>

static const char *const engines[] = {"analytic", "lm", "mlx", "llama.cpp", NULL};
static const char *const methods[] = {"lora", "dora", "full", NULL};
static const char *const targets[] = {"all", "qv", NULL};
static const char *const availabilities[] = {"drawn", "always", NULL};
static const char *const roles[] = {"viewer", "operator", NULL};
static const char *const adapters[] = {"chat", "json", NULL};
static const char *const categories[] = {"optimization", "training", "inference", "evaluation",
                                         NULL};
static const char *const modules[] = {"predict", "chain_of_thought", NULL};

const struct args_option args_options[OPTION_COUNT] = {
    [OPTION_HELP] = {.name = "--help", .help = "show help, of the command where one is given"},
    [OPTION_VERSION] = {.name = "--version", .help = "show the version"},
    [OPTION_JSON] = {.name = "--json",
                     .help = "print the coordinator's answer as JSON, with the member names of the "
                             ".proto files; what is unknown is left out"},
    [OPTION_SOCKET] = {.name = "--socket",
                       .word = "PATH",
                       .env = "ESPALIER_SOCKET",
                       .help = "socket of the coordinator on this machine"},
    [OPTION_DATA_DIR] = {.name = "--data-dir",
                         .word = "DIR",
                         .env = "ESPALIER_DATA_DIR",
                         .help = "data folder of the coordinator on this machine, where its socket "
                                 "is looked for"},
    [OPTION_COORDINATOR] = {.name = "--coordinator",
                            .word = "HOST:PORT",
                            .env = "ESPALIER_TOOL_COORDINATOR",
                            .help =
                                "a coordinator elsewhere, over TCP; the port is 7421 unless given"},
    [OPTION_SERVER_KEY] = {.name = "--server-key",
                           .word = "KEY|FILE",
                           .env = "ESPALIER_TOOL_SERVER_KEY",
                           .help = "public key of that coordinator, as `espalier status` shows it, "
                                   "or a file with it"},
    [OPTION_KEY] = {.name = "--key",
                    .word = "FILE",
                    .env = "ESPALIER_TOOL_KEY",
                    .help = "this tool's own key pair, made when it is not there"},
    [OPTION_TIMEOUT] = {.name = "--timeout",
                        .word = "TIME",
                        .duration = true,
                        .env = "ESPALIER_TOOL_TIMEOUT",
                        .help = "wait no longer than this in all: 500ms, 30s, 10m"},
    [OPTION_ENGINE] = {.name = "--engine",
                       .word = "analytic|lm|mlx|llama.cpp",
                       .choices = engines,
                       .help = "plan: who is asked, analytic or lm (default: lm where the "
                               "coordinator has a model); predict: what runs the model, mlx "
                               "(default) or llama.cpp"},
    [OPTION_DRY_RUN] = {.name = "--dry-run",
                        .help =
                            "show the plan; store and deliver nothing, spend no privacy budget"},
    [OPTION_WAIT] = {.name = "--wait",
                     .help = "show the deliveries until every client has its assignment"},
    [OPTION_CLIENT] = {.name = "--client",
                       .word = "DEVICE",
                       .help =
                           "everything of one client: its id, the start of its id, or its name"},
    [OPTION_PROPOSAL] = {.name = "--proposal",
                         .help =
                             "what the engine proposed, field by field, what became of it, what "
                             "it cost, and its answer as it came"},
    [OPTION_REASON] = {.name = "--reason", .word = "TEXT", .help = "why, for people and agents"},
    [OPTION_TOOL] = {.name = "--tool",
                     .word = "viewer|operator",
                     .choices = roles,
                     .help =
                         "the key is a tool's, which may look, or do everything; else an agent's"},
    [OPTION_NAME] = {.name = "--name",
                     .word = "TEXT",
                     .help = "name of the key's owner, for people"},
    [OPTION_FLEET] = {.name = "--fleet",
                      .word = "DIR",
                      .help = "plan for the recorded or composed machines of this folder (*.json), "
                              "not for the coordinator's fleet; asks no coordinator"},
    [OPTION_SYNTHETIC] = {.name = "--synthetic",
                          .word = "N",
                          .help = "plan for N made-up Macs, drawn from the table of chips; asks no "
                                  "coordinator"},
    [OPTION_SEED] = {.name = "--seed",
                     .word = "NUMBER",
                     .help = "what is drawn is drawn from this: the same seed, the same result; "
                             "default 1"},
    [OPTION_ROUNDS] = {.name = "--rounds",
                       .word = "N",
                       .help = "rounds, or runs of a pipeline, that are played; default 100"},
    [OPTION_JITTER] = {.name = "--jitter",
                       .word = "SIGMA",
                       .help = "how much a device's speed and link vary from round to round "
                               "(deviation of a log-normal factor); default 0.2"},
    [OPTION_AVAILABILITY] = {.name = "--availability",
                             .word = "drawn|always",
                             .choices = availabilities,
                             .help = "drawn: some Macs are away in office hours, some with the lid "
                                     "closed (the default); always: every Mac is there"},
    [OPTION_PLOT] = {.name = "--plot",
                     .word = "FILE.svg",
                     .help = "write a picture of the rounds there"},
    [OPTION_MODEL] = {.name = "--model",
                      .word = "CONFIG.json",
                      .help = "the model's Hugging Face config.json"},
    [OPTION_FORMAT] = {.name = "--format",
                       .word = "FORMAT",
                       .help = "how its weights are stored: bf16, q4g64, ... with mlx, f16, q8_0, "
                               "q4_k_m, ... with llama.cpp"},
    [OPTION_METHOD] = {.name = "--method",
                       .word = "lora|dora|full",
                       .choices = methods,
                       .help = "how it is fine-tuned; default lora"},
    [OPTION_TARGETS] = {.name = "--targets",
                        .word = "all|qv",
                        .choices = targets,
                        .help = "layers that get adapters: all seven, or query and value; "
                                "default all"},
    [OPTION_RANK] = {.name = "--rank", .word = "N", .most = 1024, .help = "LoRA rank; default 8"},
    [OPTION_LAYERS] = {.name = "--layers",
                       .word = "N",
                       .most = 4096,
                       .help = "blocks trained, counted from the top; default 16, at most all"},
    [OPTION_BATCH] = {.name = "--batch",
                      .word = "N",
                      .most = 4096,
                      .help = "sequences in a micro-batch; default 1"},
    [OPTION_SEQ] = {.name = "--seq",
                    .word = "TOKENS",
                    .most = 1048576,
                    .help = "tokens of a sequence in training; default 1024"},
    [OPTION_CHECKPOINT] = {.name = "--checkpoint",
                           .help = "with gradient checkpointing: less memory, one more forward"},
    [OPTION_PROMPT] = {.name = "--prompt",
                       .word = "TOKENS",
                       .most = 1048576,
                       .help = "length of the prompt; default --seq, else 512"},
    [OPTION_CONTEXT] = {.name = "--context",
                        .word = "TOKENS",
                        .most = 1048576,
                        .help = "tokens in the cache while generating; default --prompt or --seq, "
                                "else 128"},
    [OPTION_DEVICE] = {.name = "--device",
                       .word = "DEVICE",
                       .help = "a device of the fleet: its id, the start of its id, or its name"},
    [OPTION_MACHINE] = {.name = "--machine",
                        .word = "FILE.json",
                        .help = "a machine file instead of a device: no coordinator is asked"},
    [OPTION_ADAPTER] = {.name = "--adapter",
                        .word = "chat|json",
                        .choices = adapters,
                        .help = "fields under markers, which is the default, or one JSON object"},
    [OPTION_ADD_INSTRUCTIONS] = {.name = "--add-instructions",
                                 .word = "TEXT",
                                 .help = "more instructions, after those of the base"},
    [OPTION_APPEND] = {.name = "--append",
                       .word = "input|output:FIELD",
                       .many = true,
                       .help = "a field after the last of its section"},
    [OPTION_AS_TEXT] = {.name = "--as-text",
                        .help = "take the program's examples as they are, whatever the types say"},
    [OPTION_BASE] = {.name = "--base",
                     .word = "NAME",
                     .many = true,
                     .help = "signature to begin with; several give their fields one after the "
                             "other"},
    [OPTION_CATEGORY] = {.name = "--category",
                         .word = "optimization|training|inference|evaluation",
                         .choices = categories,
                         .help = "only signatures of this category"},
    [OPTION_DEFINITION] = {.name = "--definition",
                           .help = "as a data file, for a folder of signatures"},
    [OPTION_DOMAIN] = {.name = "--domain",
                       .word = "DOMAIN",
                       .help = "make a signature for this domain: computer_vision, nlp, ..."},
    [OPTION_FIELD] = {.name = "--field",
                      .word = "FIELD",
                      .many = true,
                      .help = "with --domain: an output of your own"},
    [OPTION_FOLDER] = {.name = "--folder",
                       .word = "DIR",
                       .env = "ESPALIER_SIGNATURES",
                       .help = "folder with your own signatures, NAME.json each"},
    [OPTION_FRAMING] = {.name = "--framing",
                        .word = "FILE",
                        .help = "the words around fields and markers, instead of our own"},
    [OPTION_FROM] = {.name = "--from",
                     .word = "FILE",
                     .help = "a program that DSPy saved, whose words and examples are taken over"},
    [OPTION_HARDWARE] = {.name = "--hardware",
                         .word = "KEY=VALUE",
                         .many = true,
                         .help = "with --domain: a fact, which becomes the default of "
                                 "hardware_constraints"},
    [OPTION_INPUTS] = {.name = "--inputs",
                       .word = "FILE",
                       .help = "JSON object with a value for each input; - is standard input"},
    [OPTION_INSERT] = {.name = "--insert",
                       .word = "INDEX:input|output:FIELD",
                       .many = true,
                       .help = "a field at that place of its section: 0 is first, -1 after the "
                               "last"},
    [OPTION_INSTRUCTIONS] = {.name = "--instructions",
                             .word = "TEXT",
                             .help = "what the model is to do"},
    [OPTION_MODULE] = {.name = "--module",
                       .word = "predict|chain_of_thought",
                       .choices = modules,
                       .help = "ask for the outputs at once, which is the default, or for the "
                               "reasoning first"},
    [OPTION_NO_CONTEXT] = {.name = "--no-context",
                           .word = "WHY",
                           .help = "why the signature asks for no hardware or performance "
                                   "context"},
    [OPTION_NO_FALLBACK] = {.name = "--no-fallback",
                            .help = "do not ask again for JSON where a chat answer cannot be "
                                    "read"},
    [OPTION_NO_RETRY] = {.name = "--no-retry",
                         .help = "do not show the model what was wrong with its answer"},
    [OPTION_PREDICTOR] = {.name = "--predictor",
                          .word = "PATH",
                          .help = "which predictor of the program; needed where it has several"},
    [OPTION_PREPEND] = {.name = "--prepend",
                        .word = "input|output:FIELD",
                        .many = true,
                        .help = "a field before the first of its section"},
    [OPTION_PYTHON] = {.name = "--python", .help = "as the Python class that DSPy would have"},
    [OPTION_RENAME] = {.name = "--as", .word = "NAME", .help = "name of the new signature"},
    [OPTION_SAVE] = {.name = "--save",
                     .word = "DIR",
                     .help = "write the signature as DIR/NAME.json, for --folder"},
    [OPTION_SIGNATURE] = {.name = "--signature",
                          .word = "NAME",
                          .help = "signature that the program's predictor has"},
    [OPTION_STATE] = {.name = "--state",
                      .word = "FILE",
                      .help = "a program's JSON file, as DSPy saves and loads it"},
    [OPTION_TYPED] = {.name = "--typed",
                      .help = "the typed form: outputs are records and lists, as plans use them"},
    [OPTION_WITHOUT] = {.name = "--without",
                        .word = "NAME",
                        .many = true,
                        .help = "leave this field of the base out"},
    [OPTION_CHIP] = {.name = "--chip",
                     .word = "NAME",
                     .help = "chip that the runs were measured on, where the file has no such "
                             "column: \"Apple M4 Max\""},
};

_Static_assert(OPTION_COUNT <= 128, "a command's options are the bits of 128");

const char *args_env(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; env && *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=' && (*env)[len + 1])
            return *env + len + 1;
    return NULL;
}

static enum option_id option_find(const char *name, size_t len)
{
    int id;

    for (id = 0; id < OPTION_COUNT; id++)
        if (strlen(args_options[id].name) == len && memcmp(args_options[id].name, name, len) == 0)
            break;
    return (enum option_id)id;
}

static int check_value(struct args *a, enum option_id id, const char *value, const char *where,
                       struct err *err)
{
    const struct args_option *o = &args_options[id];
    size_t i;

    if (!text_utf8_valid(value, strlen(value)))
        return err_set(err, ERR_INVALID, "%s: the value is not UTF-8", where);
    if (o->duration)
        return num_parse_duration_ms(value, strlen(value), 1, ARGS_TIMEOUT_MAX_MS, &a->timeout_ms,
                                     where, err);
    for (i = 0; o->choices && o->choices[i]; i++)
        if (strcmp(o->choices[i], value) == 0)
            break;
    if (o->choices && !o->choices[i])
        return err_set(err, ERR_INVALID, "%s: \"%.40s\", wanted %s", where, value, o->word);
    if (o->most > 0) {
        int64_t number;

        return num_parse_i64(value, strlen(value), 1, o->most, &number, where, err);
    }
    if (o->word && !*value)
        return err_set(err, ERR_INVALID, "%s: the value is empty, wanted %s", where, o->word);
    return 0;
}

/* The option at argv[*i], which starts with two dashes; its value may be the next one. */
static int take_option(int argc, char *const *argv, int *i, struct args *a, struct err *err)
{
    const char *text = argv[*i], *value = strchr(text, '=');
    size_t len = value ? (size_t)(value - text) : strlen(text);
    enum option_id id = option_find(text, len);

    if (id == OPTION_COUNT)
        return err_set(err, ERR_INVALID, "%.*s: no such option", (int)(len < 40 ? len : 40), text);
    if (!args_options[id].word) {
        if (value)
            return err_set(err, ERR_INVALID, "%s takes no value", args_options[id].name);
        a->value[id] = "";
        return 0;
    }
    if (value)
        value++;
    else if (*i + 1 < argc)
        value = argv[++*i];
    else
        return err_set(err, ERR_INVALID, "%s: the value is missing, wanted %s",
                       args_options[id].name, args_options[id].word);
    if (check_value(a, id, value, args_options[id].name, err) < 0)
        return -1;
    a->value[id] = value;
    if (!args_options[id].many)
        return 0;
    if (a->many_count == ARGS_MANY_MAX)
        return err_set(err, ERR_INVALID, "%s: more than %d such options", args_options[id].name,
                       ARGS_MANY_MAX);
    a->many[a->many_count].id = id;
    a->many[a->many_count++].value = value;
    return 0;
}

static int take_word(struct args *a, const char *word, struct err *err)
{
    if (a->count == ARGS_WORDS_MAX)
        return err_set(err, ERR_INVALID, "\"%.40s\": no command takes that many words", word);
    if (!text_utf8_valid(word, strlen(word)))
        return err_set(err, ERR_INVALID, "word %zu is not UTF-8", a->count + 1);
    a->words[a->count++] = word;
    return 0;
}

/* A key may begin with a dash; no option looks like one. */
static bool is_key(const char *text)
{
    return strlen(text) == NET_KEY_CHARS && !strchr(text, '=') && net_key_check(text, NULL) == 0;
}

static int take_environment(char *const *env, struct args *a, struct err *err)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const char *value = args_options[id].env ? args_env(env, args_options[id].env) : NULL;

        if (!value || a->value[id])
            continue;
        if (check_value(a, (enum option_id)id, value, args_options[id].env, err) < 0)
            return -1;
        a->value[id] = value;
        a->from_env[id] = true;
    }
    return 0;
}

int args_parse(int argc, char *const *argv, char *const *env, struct args *out, struct err *err)
{
    struct args a = {.timeout_ms = UNKNOWN_I64};
    bool only_words = false;

    for (int i = 1; i < argc; i++) {
        int rc = 0;

        if (only_words || argv[i][0] != '-' || !argv[i][1] || is_key(argv[i]))
            rc = take_word(&a, argv[i], err);
        else if (strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (strcmp(argv[i], "-h") == 0)
            a.value[OPTION_HELP] = "";
        else if (argv[i][1] == '-')
            rc = take_option(argc, argv, &i, &a, err);
        else
            rc = err_set(err, ERR_INVALID, "%.40s: no such option; long ones only", argv[i]);
        if (rc < 0)
            return -1;
    }
    if (take_environment(env, &a, err) < 0)
        return -1;
    *out = a;
    return 0;
}

int args_allow(const struct args *a, unsigned __int128 allowed, const char *command,
               struct err *err)
{
    for (int id = 0; id < OPTION_COUNT; id++)
        if (a->value[id] && !a->from_env[id] && !(allowed & OPTION_BIT(id)))
            return err_set(err, ERR_INVALID, "espalier %s takes no %s", command,
                           args_options[id].name);
    return 0;
}
