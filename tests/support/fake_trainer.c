/* fake_trainer.c - stands in for mlx_lm.lora: reads lora.yaml, prints what it would, in either of
 * its two dialects, writes adapters, and one JSON line per event to $ESPALIER_EVENTS.
 *
 *     fake_trainer -c lora.yaml [--dialect a|b] [--step-ms N] [--exit N] [--signal N] [--hang]
 *                  [--ignore-term] [--garbage] [--child] [--print BYTES] [--no-newline] [--count
 * FILE]
 *
 *     -c            settings; it reads iters, steps_per_report, adapter_path, and refuses a file
 * that lacks one of those, or model, data, train: true
 *     --dialect     a: mlx-lm up to 0.31, b: 0.32 with its colours (the default)
 *     --hang        after the first report: sleep until a signal
 *     --ignore-term SIGTERM does nothing
 *     --garbage     events among lines that are none
 *     --child       leave a process behind in the group
 *     --print       so many bytes more on stdout
 *     --no-newline  the last event ends without one
 *     --count       append the name of its folder to FILE at the start, a line each time it runs */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *yaml, *count;
    char dialect;
    int step_ms, exit_code, signal;
    long print;
    bool hang, ignore_term, garbage, child, no_newline;
};

struct lora {
    long iters, report;
    char adapters[4096];
    bool model, data, train;
};

static void nap_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static bool read_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.dialect = 'b'};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "-c") == 0)
            o->yaml = argv[++i];
        else if (strcmp(argv[i], "--dialect") == 0)
            o->dialect = value[0], i++;
        else if (strcmp(argv[i], "--step-ms") == 0)
            o->step_ms = (int)strtol(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--exit") == 0)
            o->exit_code = (int)strtol(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--signal") == 0)
            o->signal = (int)strtol(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--print") == 0)
            o->print = strtol(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--count") == 0)
            o->count = argv[++i];
        else if (strcmp(argv[i], "--hang") == 0)
            o->hang = true;
        else if (strcmp(argv[i], "--ignore-term") == 0)
            o->ignore_term = true;
        else if (strcmp(argv[i], "--garbage") == 0)
            o->garbage = true;
        else if (strcmp(argv[i], "--child") == 0)
            o->child = true;
        else if (strcmp(argv[i], "--no-newline") == 0)
            o->no_newline = true;
        else
            return false;
    }
    return o->yaml != NULL;
}

/* Top-level keys of the file that an agent writes; not a YAML reader. */
static bool read_yaml(const char *path, struct lora *l)
{
    FILE *f = fopen(path, "r");
    char line[8192];

    *l = (struct lora){0};
    if (!f)
        return false;
    while (fgets(line, sizeof line, f)) {
        l->model |= strncmp(line, "model: \"", 8) == 0;
        l->data |= strncmp(line, "data: \"", 7) == 0;
        l->train |= strcmp(line, "train: true\n") == 0;
        if (strncmp(line, "iters: ", 7) == 0)
            l->iters = strtol(line + 7, NULL, 10);
        if (strncmp(line, "steps_per_report: ", 18) == 0)
            l->report = strtol(line + 18, NULL, 10);
        if (strncmp(line, "adapter_path: \"", 15) == 0)
            snprintf(l->adapters, sizeof l->adapters, "%.*s", (int)strcspn(line + 15, "\""),
                     line + 15);
    }
    fclose(f);
    return l->model && l->data && l->train && l->iters > 0 && l->report > 0 && l->adapters[0];
}

static void print_head(const struct options *o, const struct lora *l)
{
    printf("Loading configuration file %s\nLoading pretrained model\nLoading datasets\nTraining\n"
           "Trainable parameters: 0.071%% (0.098M/138.000M)\n",
           o->yaml);
    if (o->dialect == 'a')
        printf("Starting training..., iters: %ld\n"
               "Iter 1: Val loss 2.811, Val took 12.350s\n",
               l->iters);
    else
        printf("\x1b[1m  iter   train_loss     tok/s     tokens\x1b[0m\n"
               "     1    \x1b[36mval 2.811\x1b[0m    12.35s\n");
}

static void print_step(const struct options *o, long step)
{
    if (o->dialect == 'a')
        printf("Iter %ld: Train loss %.3f, Learning Rate 1.000e-05, It/sec 2.500, "
               "Tokens/sec 1235.000, Trained Tokens %ld, Peak mem 3.210 GB\n",
               step, 2.5 / (double)step, step * 494);
    else
        printf("%6ld    %.3f \x1b[32m\xe2\x96\xbc\x1b[0m    1,235    %.1fk\n", step,
               2.5 / (double)step, (double)(step * 494) / 1000);
    fflush(stdout);
}

static void write_event(FILE *events, const struct options *o, long step, bool last)
{
    if (!events)
        return;
    if (o->garbage)
        fprintf(events, "Traceback (most recent call last)\n[1, 2]\n\n{\"event\": \n");
    fprintf(
        events,
        "{\"event\": \"train\", \"t\": 1790000000.125, \"rank\": 0, \"active\": 1, "
        "\"peak\": 3210000000, "
        "\"iteration\": %ld, \"train_loss\": %.4f, \"learning_rate\": 1e-05, "
        "\"iterations_per_second\": 2.5, \"tokens_per_second\": 1235.0, \"trained_tokens\": %ld, "
        "\"peak_memory\": 3.21}%s",
        step, 2.5 / (double)step, step * 494, last && o->no_newline ? "" : "\n");
    fflush(events);
}

static void write_adapters(const struct lora *l)
{
    char path[4200];
    FILE *f;

    mkdir(l->adapters, 0755);
    snprintf(path, sizeof path, "%s/adapters.safetensors", l->adapters);
    if ((f = fopen(path, "wb"))) {
        fwrite("\x02\0\0\0\0\0\0\0{}", 1, 10, f);
        fclose(f);
    }
}

static void leave_child(void)
{
    if (fork() == 0) {
        for (int i = 0; i < 3000; i++) /* five minutes at most, should nobody end it */
            nap_ms(100);
        _exit(0);
    }
}

/* Of the folder it was started in: an agent's is named after the plan's generation. */
static const char *folder_name(void)
{
    static char path[4096];
    const char *slash = getcwd(path, sizeof path) ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : "?";
}

int main(int argc, char **argv)
{
    const char *path = getenv("ESPALIER_EVENTS");
    struct options o;
    struct lora l;
    FILE *events, *count;

    if (!read_options(argc, argv, &o) || !read_yaml(o.yaml, &l)) {
        fprintf(stderr, "fake_trainer: wrong options, or a yaml without model, data, iters, ...\n");
        return 2;
    }
    if (o.count && (count = fopen(o.count, "a"))) {
        fprintf(count, "%s\n", folder_name());
        fclose(count);
    }
    if (o.ignore_term)
        signal(SIGTERM, SIG_IGN);
    if (o.child)
        leave_child();
    events = path ? fopen(path, "a") : NULL;
    print_head(&o, &l);
    for (long step = l.report; step <= l.iters; step += l.report) {
        nap_ms(o.step_ms);
        print_step(&o, step);
        write_event(events, &o, step, step + l.report > l.iters);
        for (int i = 0; o.hang && i < 3000; i++)
            nap_ms(100);
    }
    for (long i = 0; i < o.print; i++)
        putchar(i % 64 == 63 ? '\n' : '.');
    write_adapters(&l);
    if (o.dialect == 'a')
        printf("Saved final weights to %s/adapters.safetensors.\n", l.adapters);
    if (events)
        fclose(events);
    fflush(stdout);
    if (o.signal)
        raise(o.signal);
    return o.exit_code;
}
