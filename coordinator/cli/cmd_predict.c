/* cmd_predict.c - will a model fit on a Mac, and how fast: read, ask the planner's model, print. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/document/model_shape.h"
#include "common/json/json.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "common/recording/recording.h"
#include "coordinator/cli/predict.h"
#include "coordinator/planner/chip_rates.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/estimate.h"

#include <string.h>

#define CONFIG_MAX (1024 * 1024)
#define PROMPT_DEFAULT 512 /* what benchmarks of llama.cpp measure */
#define CONTEXT_DEFAULT 128
#define RANK_DEFAULT 8
#define LAYERS_DEFAULT 16 /* mlx-lm's num_layers */
#define SEQUENCE_DEFAULT 1024

/* The machine that is asked about. */
struct where {
    struct profile *profile;
    struct state *state; /* NULL: unknown */
};

static void where_clear(struct where *w)
{
    profile_free(w->profile);
    state_free(w->state);
}

static int read_machine(struct cli *c, const char *path, struct where *w)
{
    struct err err = {0};
    char *text = NULL;
    size_t len;
    int rc = file_read(path, RECORDING_TEXT_MAX, &text, &len, &err);

    if (rc == 0 && (rc = predict_machine_read(text, len, &w->profile, &w->state, &err)) < 0)
        err_prefix(&err, "%s", path);
    mem_free(text);
    if (rc == 0)
        return CLI_OK;
    cli_say(c, "%s", err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

static int ask_device(struct cli *c, const char *word, struct where *w)
{
    struct devices_request asked;
    struct request request;
    struct response *r = NULL;
    struct device *d;
    int rc;

    record_init(&devices_request_type, &asked);
    record_init(&request_type, &request);
    asked.device_id = (char *)(uintptr_t)word; /* borrowed */
    request.devices = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, devices), CLI_LOOK_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    if (rc != CLI_OK)
        return rc;
    d = (struct device *)(uintptr_t)cli_meant(r->devices, word); /* ours: the answer is */
    if (!d || !d->profile) {
        cli_say(c,
                d ? "device %s has not reported its profile yet"
                  : "--device: \"%.64s\" means no device, or several",
                word);
        rc = CLI_REFUSED;
    } else {
        w->profile = d->profile;
        w->state = d->state;
        d->profile = NULL;
        d->state = NULL;
    }
    response_free(r);
    return rc;
}

/* ---- the question ---- */

static int64_t number(const struct cli *c, enum option_id id, int64_t standard)
{
    const char *v = c->args.value[id];
    int64_t n = standard;

    if (v) /* its range was checked when it was read */
        num_parse_i64(v, strlen(v), 1, INT64_MAX, &n, args_options[id].name, NULL);
    return n;
}

static int word_of(const struct enum_names *names, const char *word, int standard)
{
    for (size_t i = 0; word && i < names->count; i++)
        if (strcmp(names->values[i].name, word) == 0)
            return names->values[i].value;
    return standard;
}

static bool asks_training(const struct cli *c)
{
    static const enum option_id of_training[] = {OPTION_METHOD, OPTION_TARGETS, OPTION_RANK,
                                                 OPTION_LAYERS, OPTION_BATCH,   OPTION_CHECKPOINT};

    for (size_t i = 0; i < sizeof of_training / sizeof of_training[0]; i++)
        if (args_has(&c->args, of_training[i]))
            return true;
    return false;
}

static int fill_ask(struct cli *c, struct estimate_ask *a, struct err *err)
{
    const struct args *g = &c->args;
    const char *engine = g->value[OPTION_ENGINE];
    int64_t all = a->shape->layers, layers = number(c, OPTION_LAYERS, LAYERS_DEFAULT);
    int64_t prompt =
        number(c, OPTION_PROMPT, number(c, OPTION_SEQ, PROMPT_DEFAULT)); /* the same unless said */
    bool length = args_has(g, OPTION_PROMPT) || args_has(g, OPTION_SEQ);

    if (engine && strcmp(engine, "mlx") != 0 && strcmp(engine, "llama.cpp") != 0)
        return err_set(err, ERR_INVALID, "--engine: \"%s\", wanted mlx or llama.cpp", engine);
    if (args_has(g, OPTION_LAYERS) && layers > all)
        return err_set(err, ERR_INVALID, "--layers: %lld, wanted at most the model's %lld",
                       (long long)layers, (long long)all);
    a->engine = engine && strcmp(engine, "llama.cpp") == 0 ? INFERENCE_LLAMA_CPP : INFERENCE_MLX;
    a->training = asks_training(c);
    a->prompt_tokens = (double)prompt;
    a->context_tokens = (double)number(c, OPTION_CONTEXT, length ? prompt : CONTEXT_DEFAULT);
    a->activation_factor = a->step_factor = 1;
    a->setup = (struct cost_setup){
        .method = word_of(&fine_tune_method_names, g->value[OPTION_METHOD], FINE_TUNE_METHOD_LORA),
        .targets = word_of(&lora_targets_names, g->value[OPTION_TARGETS], LORA_TARGETS_ALL),
        .optimizer = OPTIMIZER_ADAMW,
        .rank = number(c, OPTION_RANK, RANK_DEFAULT),
        .layers = layers < all ? layers : all,
        .batch_size = number(c, OPTION_BATCH, 1),
        .grad_accumulation = 1,
        .sequence_length = number(c, OPTION_SEQ, SEQUENCE_DEFAULT),
        .grad_checkpoint = args_has(g, OPTION_CHECKPOINT)};
    return weight_format_find(a->engine, g->value[OPTION_FORMAT], &a->format, err) < 0
               ? err_prefix(err, "--format")
               : 0;
}

static int read_shape(const char *path, struct model_shape **out, struct err *err)
{
    char *text = NULL;
    size_t len;

    if (file_read(path, CONFIG_MAX, &text, &len, err) < 0)
        return -1;
    if (model_shape_read(text, len, out, err) < 0) {
        mem_free(text);
        return err_prefix(err, "%s", path);
    }
    mem_free(text);
    return 0;
}

/* ---- the answer ---- */

static int print(struct cli *c, const struct estimate_ask *a, const struct profile *profile,
                 const struct estimate *q)
{
    struct page p;
    struct json *v;
    char *text;

    cli_page(c, &p);
    if (!c->json) {
        show_predict(&p, a, profile, q);
        return cli_show(c, &p);
    }
    v = predict_json(a, profile, q);
    text = v ? json_print(v, true, NULL) : NULL;
    json_free(v);
    if (!text) {
        cli_say(c, "no memory");
        return CLI_BROKEN;
    }
    buf_adds(&p.text, text);
    buf_addc(&p.text, '\n');
    mem_free(text);
    return cli_show(c, &p);
}

static int predict(struct cli *c, const struct where *w, struct estimate_ask *a)
{
    struct device_class class = {.profile = w->profile, .state = w->state, .devices = 1};
    struct policy policy = policy_default();
    struct err err = {0};
    struct chip_table *chips = chip_table_new(&err);
    struct inference_table *rates = chips ? inference_table_new(&err) : NULL;
    struct estimate *q = rates ? mem_zalloc(sizeof *q) : NULL;
    struct machine machine;
    int rc;

    if (q) {
        machine_of(&class, chips, &policy, &machine);
        estimate_make(a, &class, &machine, rates, q);
        rc = print(c, a, w->profile, q);
    } else {
        rc = cli_fail(c, &err);
    }
    mem_free(q);
    inference_table_free(rates);
    chip_table_free(chips);
    return rc;
}

/* What must be there; the first that is not is named. */
static const char *missing(const struct args *a)
{
    if (!args_has(a, OPTION_MODEL))
        return "--model CONFIG.json is missing: the model's Hugging Face config.json";
    if (!args_has(a, OPTION_FORMAT))
        return "--format is missing: bf16, q4g64, ... with mlx, f16, q8_0, q4_k_m, ... with "
               "llama.cpp";
    if (args_has(a, OPTION_DEVICE) == args_has(a, OPTION_MACHINE))
        return "one of --device DEVICE and --machine FILE.json is wanted";
    return NULL;
}

int cmd_predict(struct cli *c, const char *const *words, size_t count)
{
    const struct args *g = &c->args;
    struct estimate_ask a = {0};
    struct model_shape *shape = NULL;
    struct where w = {NULL, NULL};
    struct err err = {0};
    int rc;

    (void)words;
    (void)count;
    if (missing(g)) {
        cli_say(c, "%s", missing(g));
        return CLI_USAGE;
    }
    if (read_shape(g->value[OPTION_MODEL], &shape, &err) < 0 ||
        (a.shape = shape, fill_ask(c, &a, &err) < 0)) {
        cli_say(c, "%s", err.text);
        model_shape_free(shape);
        return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
    }
    rc = args_has(g, OPTION_MACHINE) ? read_machine(c, g->value[OPTION_MACHINE], &w)
                                     : ask_device(c, g->value[OPTION_DEVICE], &w);
    if (rc == CLI_OK)
        rc = predict(c, &w, &a);
    where_clear(&w);
    model_shape_free(shape);
    return rc;
}
