/* cli.h - the program `espalier`: its commands, what they share, and its exit codes.
 *
 * A row of the table in commands.c is a command: words, form, options, help, function. Dispatch and
 * help come from it. A command fills requests, asks (cli_ask), and prints the answer in one of two
 * forms: for people through a page, or with --json as the coordinator sent it. About the
 * fleet it speaks the public protocol (proto/PROTOCOL.md) and nothing else; commands that are given
 * a fleet of files, or a made-up one, plan by themselves. One thread. */
#ifndef COORDINATOR_CLI_CLI_H
#define COORDINATOR_CLI_CLI_H

#include "coordinator/cli/args.h"
#include "coordinator/cli/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct client;
struct device;
struct devices_reply;
struct err;
struct record_type;
struct request;
struct response;

enum cli_exit {
    CLI_OK = 0,
    CLI_REFUSED = 1,     /* the coordinator refused: no such plan, no plan is feasible, not allowed;
                            the linter found an error, a model gave no usable answer */
    CLI_USAGE = 2,       /* the command line, or a file that it names */
    CLI_UNREACHED = 3,   /* no coordinator, no answer in time, or one that cannot be read */
    CLI_UNDELIVERED = 4, /* an assignment was refused, failed, expired or ended otherwise */
    CLI_UNFINISHED = 5,  /* the time was up before every assignment was delivered */
    CLI_BROKEN = 6,      /* this program: memory, or what it prints to */
    CLI_REPAIRED = 7,    /* plan check: some of the proposal does not fit */
    CLI_REPLACED = 8,    /* plan check: feasible at most, but clearly worse than the own plan */
};
#define CLI_EXIT_COUNT 9
extern const char *const cli_exit_help[CLI_EXIT_COUNT];

#define CLI_LOOK_MS 10000 /* a look-up takes milliseconds; a fleet at its limit some seconds */
/* A planning turn waits 5 minutes at most for its model (lm_total_timeout of coordinator/config),
 * and may ask twice for a snapshot. */
#define CLI_PLAN_MS 600000

struct cli {
    struct args args;
    char *const *env;
    FILE *out, *err;
    bool err_live; /* stderr is a terminal: a line of progress may be rewritten */
    bool color;
    bool json;
    size_t width;
    int64_t now_ms;        /* wall clock, for ages */
    struct client *client; /* once something was asked */
    bool progress_shown;   /* a line of progress stands on the terminal */
};

struct command {
    const char *words;         /* "plan federated" */
    const char *form;          /* what follows: "JOB.json" */
    const char *summary;       /* one line */
    const char *text;          /* more, for help; NULL: nothing */
    unsigned __int128 options; /* beside --help */
    size_t least, most;        /* words after the command's own */
    int (*run)(struct cli *c, const char *const *words, size_t count); /* an exit code */
};

extern const struct command commands[];
extern const size_t commands_count;

/* The command whose words these begin with, the longest; NULL: none. *used: how many are its own.
 */
const struct command *command_find(const char *const *words, size_t count, size_t *used);

/* The whole program. env is NAME=value, NULL at the end. */
int cli_run(int argc, char *const *argv, char *const *env, FILE *out, FILE *err);

/* ---- for commands ---- */

/* A line on stderr, "espalier: ...", cleaned. */
void cli_say(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit code of a local failure, said on stderr. */
int cli_fail(struct cli *c, const struct err *err);

/* The same for what was done here, without a coordinator: a fault of the command line, or of a file
 * that it names. */
int cli_refuse(struct cli *c, const struct err *err);

/* Ask and wait: --timeout, else timeout_ms. CLI_OK: *out is an OK response with the body at `body`
 * (offset in struct response) and is yours to response_free; else it was said why: a refusal is
 * printed as a Response with --json. The request is yours to clear. */
int cli_ask(struct cli *c, struct request *request, size_t body, int64_t timeout_ms,
            struct response **out);

/* The same without a word on stderr: a refusal is CLI_REFUSED with the response in *out, no answer
 * CLI_UNREACHED with the reason in err. */
int cli_try(struct cli *c, struct request *request, int64_t timeout_ms, struct response **out,
            struct err *err);

/* A line of progress on a terminal, rewritten by the next and wiped by cli_quiet. Nothing
 * elsewhere. */
void cli_progress(struct cli *c, const char *text);
void cli_quiet(struct cli *c);

void cli_page(const struct cli *c, struct page *p); /* page_init */

/* Print the page, and clear it. CLI_OK or CLI_BROKEN. */
int cli_show(struct cli *c, struct page *p);

/* Print a record as JSON. */
int cli_json(struct cli *c, const struct record_type *type, const void *record);

/* The one device that a word of the user means: an id, the start of an id, or a name. CLI_OK: *id
 * is its id, yours to mem_free; it is the word itself where no enrolled device has it (a plan may
 * know it yet). CLI_REFUSED when it means several. */
int cli_device(struct cli *c, const char *word, char **id);

/* The device of an answer that the word means: the only one, or the only one whose whole id or name
 * it is; NULL for none or several. */
const struct device *cli_meant(const struct devices_reply *reply, const char *word);

/* The commands. */
int cmd_status(struct cli *c, const char *const *words, size_t count);
int cmd_devices(struct cli *c, const char *const *words, size_t count);
int cmd_devices_allow(struct cli *c, const char *const *words, size_t count);
int cmd_devices_forget(struct cli *c, const char *const *words, size_t count);
int cmd_devices_keys(struct cli *c, const char *const *words, size_t count);
int cmd_plan_federated(struct cli *c, const char *const *words, size_t count);
int cmd_plan_pipeline(struct cli *c, const char *const *words, size_t count);
int cmd_plan_lora(struct cli *c, const char *const *words, size_t count);
int cmd_plan_diffusion(struct cli *c, const char *const *words, size_t count);
int cmd_plans(struct cli *c, const char *const *words, size_t count);
int cmd_plan_show(struct cli *c, const char *const *words, size_t count);
int cmd_plan_why(struct cli *c, const char *const *words, size_t count);
int cmd_plan_cancel(struct cli *c, const char *const *words, size_t count);
int cmd_plan_check(struct cli *c, const char *const *words, size_t count);
int cmd_plan_diff(struct cli *c, const char *const *words, size_t count);
int cmd_plan_envelope(struct cli *c, const char *const *words, size_t count);
int cmd_plan_simulate(struct cli *c, const char *const *words, size_t count);
int cmd_plan_watch(struct cli *c, const char *const *words, size_t count);
int cmd_signature_list(struct cli *c, const char *const *words, size_t count);
int cmd_signature_show(struct cli *c, const char *const *words, size_t count);
int cmd_signature_create(struct cli *c, const char *const *words, size_t count);
int cmd_signature_lint(struct cli *c, const char *const *words, size_t count);
int cmd_signature_check(struct cli *c, const char *const *words, size_t count);
int cmd_signature_render(struct cli *c, const char *const *words, size_t count);
int cmd_signature_export(struct cli *c, const char *const *words, size_t count);
int cmd_signature_run(struct cli *c, const char *const *words, size_t count);
int cmd_key(struct cli *c, const char *const *words, size_t count);
int cmd_help(struct cli *c, const char *const *words, size_t count);
int cmd_calibration(struct cli *c, const char *const *words, size_t count);
int cmd_calibration_import(struct cli *c, const char *const *words, size_t count);
int cmd_predict(struct cli *c, const char *const *words, size_t count);
int cmd_version(struct cli *c, const char *const *words, size_t count);

/* Help of one command on a page (help.c). */
void help_command(struct page *p, const struct command *command);
void help_overview(struct page *p);

#endif
