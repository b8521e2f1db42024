/* bench_signature.c - one question rendered and its answer parsed, again and again.
 *
 *     bench_signature STATE INPUTS REPLY FRAMING SECONDS
 *
 * ChainOfThought(FederatedLearningSignature) with the examples of a saved program, the words of a
 * framing file, inputs as a JSON object and the reply of a canned model as text: what a coordinator
 * does around one call of a model. Prints "CALLS MICROSECONDS PEAK_BYTES DIGEST": calls in those
 * seconds, the time of one, the most memory that this process had, and a digest of the messages, by
 * which bench_signature.py knows that DSPy made the same. */
#include "common/core/buf.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/datum_json.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/module.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (16 * 1024 * 1024)
#define INPUTS_MAX 16

struct bench {
    struct module_settings settings;
    struct prompt_value values[INPUTS_MAX];
    size_t count;
    const char *reply;
    uint64_t digest;
};

static void die(const char *what, const struct err *err)
{
    fprintf(stderr, "bench_signature: %s: %s\n", what, err->text);
    exit(1);
}

static char *read_text(const char *path)
{
    struct err err = {0};
    char *text;

    if (file_read(path, FILE_MAX_BYTES, &text, NULL, &err) < 0)
        die(path, &err);
    return text;
}

/* FNV-1a over roles and texts, each ended by a zero byte: Python computes the same. */
static uint64_t digest(const struct prompt *p)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < p->count; i++) {
        const char *parts[] = {p->messages[i].role, p->messages[i].text};

        for (int k = 0; k < 2; k++)
            for (const char *c = parts[k];; c++) {
                h = (h ^ (unsigned char)*c) * 0x100000001b3;
                if (!*c)
                    break;
            }
    }
    return h;
}

static void ask_once(struct bench *b, bool first)
{
    static const struct module_usage usage = {.calls = 1};
    struct err err = {0};
    struct module *m = module_new(&b->settings, b->values, b->count, &err);
    struct module_request request;

    if (!m || module_next(m, 1u << MODULE_FREE, &request, &err) != 1)
        die("the question", &err);
    if (first)
        b->digest = digest(request.prompt);
    if (module_reply(m, b->reply, strlen(b->reply), MODULE_WHOLE, &usage, &err) < 0)
        die("the reply", &err);
    if (module_next(m, 1u << MODULE_FREE, &request, &err) != 0 || !module_answer(m)) {
        err_set(&err, ERR_MALFORMED, "%s", module_failure(m));
        die("the answer", &err);
    }
    module_free(m);
}

static void take_inputs(struct bench *b, const char *path)
{
    char *text = read_text(path);
    struct named_datum *data = NULL;
    size_t count = 0;
    struct err err = {0};

    if (named_data_read(path, text, strlen(text), &data, &count, &err) < 0 || count > INPUTS_MAX)
        die(path, &err);
    for (size_t i = 0; i < count; i++)
        b->values[b->count++] = (struct prompt_value){
            .name = data[i].name, .json = datum_print("x", data[i].value, NULL)};
    mem_free(text); /* the values live as long as the program */
}

/* Of this process alone: what getrusage says counts what its parent had when it forked. 0 where
 * there is no /proc. */
static long peak_bytes(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return 1024 * kib;
}

static void measure(struct bench *b, double seconds)
{
    int64_t start, now;
    long calls = 0;

    ask_once(b, true);
    start = now = clock_mono_ms();
    while (now - start < (int64_t)(seconds * 1000)) {
        for (int i = 0; i < 50; i++, calls++)
            ask_once(b, false);
        now = clock_mono_ms();
    }
    printf("%ld %.3f %ld %016" PRIx64 "\n", calls, 1000.0 * (double)(now - start) / (double)calls,
           peak_bytes(), b->digest);
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct state_application program = {0};
    struct err err = {0};
    struct catalog *catalog = catalog_new(&err);
    struct program_state *state = argc == 6 ? program_state_load(argv[1], &err) : NULL;
    const struct state_predictor *p = state ? program_state_only(state, &err) : NULL;
    struct signature *sig = catalog ? signature_derive(catalog_find(catalog, "FederatedLearning"),
                                                       SIGNATURE_CHAIN_OF_THOUGHT, &err)
                                    : NULL;
    char *framing_text;

    if (argc != 6 || !p || !sig || program_state_apply(p, sig, true, &program, &err) < 0)
        die("wanted STATE INPUTS REPLY FRAMING SECONDS", &err);
    framing_text = read_text(argv[4]);
    b.settings = module_defaults(program.sig,
                                 framing_read(argv[4], framing_text, strlen(framing_text), &err));
    if (!b.settings.framing)
        die(argv[4], &err);
    b.settings.chain_of_thought = false; /* the signature has it */
    b.settings.demos = program.demos;
    b.settings.demos_count = program.demos_count;
    b.reply = read_text(argv[3]);
    take_inputs(&b, argv[2]);
    measure(&b, strtod(argv[5], NULL));
    return 0;
}
