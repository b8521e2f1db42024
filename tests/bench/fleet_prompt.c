/* fleet_prompt.c - fleet_prompt JOB.json DEVICES KINDS [TOKENS]: the question about a federated job
 * on so many Macs of so many kinds, as one JSON object on stdout.
 *
 *   inputs    the signature's inputs, by name
 *   system, user   the messages in the chat layout, typed, reasoning first
 *   table     the fleet's table alone, and estimate: its tokens as token_estimate.h counts them
 *   devices   the same facts of every device, one object each
 *
 * For tests/interop/test_prompt_tokens.py, which counts with real tokenizers. Kinds are public
 * Macs; their state is made up. */
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/document/job_file.h"
#include "common/json/json.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/cycle/prompt_inputs.h"
#include "coordinator/cycle/token_estimate.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB 1073741824.0

static const struct {
    const char *chip;
    int64_t cores;
    double gib;
} kinds[] = {{"Apple M1", 8, 8},          {"Apple M2", 10, 16},       {"Apple M3 Pro", 18, 18},
             {"Apple M4", 10, 24},        {"Apple M1 Max", 32, 32},   {"Apple M4 Max", 40, 64},
             {"Apple M2 Ultra", 76, 192}, {"Apple M3 Ultra", 80, 256}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static _Noreturn void die(const char *what, const struct err *err)
{
    fprintf(stderr, "fleet_prompt: %s: %s\n", what, err ? err->text : "");
    exit(1);
}

/* A kind past the public ones is one of them with a little less memory to be had. */
static void make_class(struct device_class *c, size_t k)
{
    size_t round = k / KINDS;
    double gib = kinds[k % KINDS].gib, used = 0.2 + 0.01 * (double)round;

    snprintf(c->id, sizeof c->id, "c%zu", k + 1);
    c->profile = profile_new(NULL);
    c->state = state_new(NULL);
    if (!c->profile || !c->state || text_set(&c->profile->chip, kinds[k % KINDS].chip, NULL) < 0 ||
        !(c->profile->metal = metal_new(NULL)))
        die("no memory", NULL);
    c->profile->origin = DEVICE_ORIGIN_COMPOSED;
    c->profile->gpu_cores = kinds[k % KINDS].cores;
    c->profile->memory_bytes = (int64_t)(gib * GIB);
    c->profile->metal->working_set_bytes = (int64_t)(gib * GIB * 0.75);
    c->state->memory_available_bytes = (int64_t)(gib * GIB * (1 - used));
    c->state->thermal = THERMAL_NOMINAL;
    c->state->power_source = POWER_SOURCE_AC;
    c->state->battery_percent = 100;
    c->state->disk_free_bytes = 200000000000;
}

static struct snapshot *make_fleet(size_t devices, size_t count)
{
    struct snapshot *s = snapshot_new(count, devices, NULL);
    char id[24];

    if (!s)
        die("no memory", NULL);
    for (size_t k = 0; k < count; k++)
        make_class(&s->classes[k], k);
    for (size_t i = 0; i < devices; i++) {
        struct client *c = &s->clients[i];

        snprintf(id, sizeof id, "d%07zu", i);
        c->device_id = mem_strdup(id);
        c->class_index = i % count;
        c->liveness = LIVENESS_ONLINE;
        c->state_age_ms = 1000;
        c->up_bps = 50e6;
        c->down_bps = 100e6;
        s->classes[c->class_index].devices++;
    }
    return s;
}

static int read_beside(void *arg, const char *path, size_t max, char **data, size_t *len,
                       struct err *err)
{
    const char *job = arg, *slash = strrchr(job, '/');
    char *full = file_path(err, "%.*s/%s", slash ? (int)(slash - job) : 1, slash ? job : ".", path);
    int rc = full ? file_read(full, max, data, len, err) : -1;

    mem_free(full);
    return rc;
}

static struct job *read_job(char *path)
{
    struct job *job = NULL;
    struct err err = {0};
    char *text = NULL;
    size_t len;

    if (file_read(path, 1 << 20, &text, &len, &err) < 0 ||
        job_file_read(text, len, read_beside, path, &job, &err) < 0 ||
        job_fill_shape(job, &err) < 0)
        die(path, &err);
    mem_free(text);
    return job;
}

/* What a person would hand over for each device: the same facts as a row has. */
static void add_device(struct json *list, size_t i, const struct class_summary *c)
{
    struct json *d = json_append_object(list);
    int64_t memory = c->memory_bytes / 10000000, usable = c->memory_limit_bytes / 10000000;
    char name[24];

    snprintf(name, sizeof name, "device-%zu", i + 1);
    if (!d || json_set_text(d, "device", name) < 0 || json_set_text(d, "chip", c->chip) < 0 ||
        json_set_f64(d, "memory_gb", (double)memory / 100) < 0 ||
        json_set_f64(d, "usable_gb", (double)usable / 100) < 0 ||
        json_set_i64(d, "gpu_cores", c->gpu_cores) < 0 ||
        json_set_f64(d, "tflops", (double)(int64_t)(c->gpu_flops / 1e10) / 100) < 0 ||
        json_set_i64(d, "bandwidth_gb_per_s", (int64_t)(c->memory_bandwidth_bytes_per_s / 1e9)) <
            0 ||
        json_set_i64(d, "largest_batch", c->max_batch_size) < 0 ||
        json_set_i64(d, "best_tokens_per_s", (int64_t)c->best_tokens_per_second) < 0)
        die("no memory", NULL);
}

static void add_inputs(struct json *out, const struct prompt_inputs *in)
{
    struct json *inputs = json_set_object(out, "inputs");

    for (size_t i = 0; i < in->count; i++) {
        const char *text = in->items[i].text;

        if (!inputs || json_set_text(inputs, in->items[i].name, text) < 0)
            die("no memory", NULL);
        if (strcmp(in->items[i].name, "client_capabilities") == 0 &&
            (json_set_text(out, "table", text) < 0 ||
             json_set_i64(out, "estimate", (int64_t)token_estimate(text, strlen(text))) < 0))
            die("no memory", NULL);
    }
}

static void add_messages(struct json *out, const struct prompt_inputs *in)
{
    struct catalog *catalog = catalog_new(NULL);
    struct framing *framing = framing_builtin(NULL);
    struct signature *sig = signature_derive(catalog_find(catalog, "FederatedLearning"),
                                             SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT, NULL);
    struct prompt_value values[PROMPT_INPUTS_MAX];
    struct prompt_content content = {.values = values, .count = prompt_inputs_values(in, values)};
    struct prompt p = {0};
    struct err err = {0};

    if (!sig || chat_render(sig, framing, &content, &p, &err) < 0)
        die("render", &err);
    for (size_t i = 0; i < p.count; i++)
        if (json_set_text(out, p.messages[i].role, p.messages[i].text) < 0)
            die("no memory", NULL);
    prompt_clear(&p);
    signature_free(sig);
    framing_free(framing);
    catalog_free(catalog);
}

static void describe(struct json *out, const struct snapshot *s, const struct job *job,
                     size_t tokens)
{
    struct policy policy = policy_default();
    struct err err = {0};
    struct envelope *e = envelope_build(s, job, &policy, &err);
    struct class_summary *classes = mem_calloc(s->classes_count + 1, sizeof *classes);
    struct json *devices = json_set_array(out, "devices");
    struct prompt_inputs in;
    int aggregation;
    char why[256];

    if (!e || !classes || !devices)
        die("plan", &err);
    for (size_t i = 0; i < s->classes_count; i++)
        classes[i] = *envelope_summary(e, i);
    if (federated_aggregation(s, job, e, &aggregation, why, sizeof why, &err) < 0 ||
        prompt_inputs_federated(job->federated, classes, s->classes_count,
                                (enum aggregation)aggregation, tokens, &in, &err) < 0)
        die("inputs", &err);
    add_inputs(out, &in);
    add_messages(out, &in);
    for (size_t i = 0; i < s->clients_count; i++)
        add_device(devices, i, &classes[s->clients[i].class_index]);
    prompt_inputs_clear(&in);
    mem_free(classes);
    envelope_free(e);
}

int main(int argc, char **argv)
{
    size_t devices = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    size_t count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    struct snapshot *s;
    struct job *job;
    struct json *out;
    char *text;

    if (argc < 4 || devices < 1 || count < 1 || count > devices) {
        fprintf(stderr, "usage: fleet_prompt JOB.json DEVICES KINDS [TOKENS]\n");
        return 2;
    }
    s = make_fleet(devices, count);
    job = read_job(argv[1]);
    out = json_object();
    describe(out, s, job, argc > 4 ? strtoul(argv[4], NULL, 10) : 0);
    if (!(text = json_print(out, false, NULL)))
        die("no memory", NULL);
    puts(text);
    mem_free(text);
    json_free(out);
    job_free(job);
    snapshot_unref(s);
    return 0;
}
