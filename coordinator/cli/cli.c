/* cli.c - what every command shares: asking, failing, printing. */
#include "coordinator/cli/cli.h"

#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/place.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SAY_MAX 1024 /* bytes: a refusal of 512 with what we put around it */

const char *const cli_exit_help[CLI_EXIT_COUNT] = {
    [CLI_OK] = "done",
    [CLI_REFUSED] =
        "refused: no such plan or device, not feasible, not allowed; no usable answer; lint errors",
    [CLI_USAGE] = "the command line is wrong, or a file that it names",
    [CLI_UNREACHED] = "no coordinator there, no answer in time, or one that cannot be read",
    [CLI_UNDELIVERED] = "an assignment was refused by its device, failed, expired or was cancelled",
    [CLI_UNFINISHED] = "the time was up before every assignment was delivered",
    [CLI_BROKEN] = "this program could not go on: out of memory, or its output cannot be written",
    [CLI_REPAIRED] = "plan check: some values of the proposal do not fit and were repaired",
    [CLI_REPLACED] =
        "plan check: the proposal is replaced by the planner's own, clearly better plan",
};

/* ---- stderr ---- */

void cli_quiet(struct cli *c)
{
    if (c->progress_shown)
        fputs("\r\033[K", c->err);
    fflush(c->err);
    c->progress_shown = false;
}

void cli_say(struct cli *c, const char *fmt, ...)
{
    char raw[SAY_MAX], clean[SAY_MAX];
    va_list args;

    cli_quiet(c);
    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_clean(clean, sizeof clean, raw);
    fprintf(c->err, "espalier: %s\n", clean);
}

void cli_progress(struct cli *c, const char *text)
{
    char clean[SAY_MAX];

    if (!c->err_live)
        return;
    cli_quiet(c);
    text_clean(clean, sizeof clean, text);
    clean[format_fit(clean, c->width > 1 ? c->width - 1 : 1)] = '\0';
    fputs(clean, c->err);
    fflush(c->err);
    c->progress_shown = true;
}

static int exit_of(enum err_code code)
{
    switch (code) {
    case ERR_INVALID:
    case ERR_TOO_BIG:
    case ERR_EXISTS:
    case ERR_UNSUPPORTED:
        return CLI_USAGE;
    case ERR_NOMEM:
    case ERR_INTERNAL:
        return CLI_BROKEN;
    default:
        return CLI_UNREACHED;
    }
}

int cli_fail(struct cli *c, const struct err *err)
{
    cli_say(c, "%s", err->text);
    return exit_of(err->code);
}

int cli_refuse(struct cli *c, const struct err *err)
{
    cli_say(c, "%s", err->text);
    return err->code == ERR_NOMEM || err->code == ERR_INTERNAL ? CLI_BROKEN : CLI_USAGE;
}

/* ---- asking ---- */

static void on_progress(void *arg, const char *text)
{
    cli_progress(arg, text);
}

int cli_try(struct cli *c, struct request *request, int64_t timeout_ms, struct response **out,
            struct err *err)
{
    struct client_call call = {.timeout_ms = timeout_ms, .arg = c};
    struct place place = {0};

    if (!c->client) {
        int rc = place_find(&c->args, c->env, &place, err);

        if (rc < 0)
            return exit_of(err->code) == CLI_BROKEN ? CLI_BROKEN : CLI_USAGE;
        c->client = client_new(&place, err);
        place_clear(&place);
        if (!c->client)
            return exit_of(err->code);
    }
    if (c->err_live)
        call.progress = on_progress;
    if (client_ask(c->client, request, &call, out, err) < 0)
        return exit_of(err->code);
    return (*out)->code == RESPONSE_CODE_OK ? CLI_OK : CLI_REFUSED;
}

static void say_refusal(struct cli *c, const struct response *r)
{
    const char *code = enum_name(&response_code_names, r->code);
    const char *message = r->message ? r->message : "the coordinator gives no reason";

    if (r->field && strncmp(message, r->field, strlen(r->field)) != 0)
        cli_say(c, "%s: %s: %s", code ? code : "refused", r->field, message);
    else
        cli_say(c, "%s: %s", code ? code : "refused", message);
}

int cli_ask(struct cli *c, struct request *request, size_t body, int64_t timeout_ms,
            struct response **out)
{
    struct response *r = NULL;
    struct err err = {0};
    int rc;

    if (known_i64(c->args.timeout_ms))
        timeout_ms = c->args.timeout_ms;
    rc = cli_try(c, request, timeout_ms, &r, &err);
    cli_quiet(c);
    if (rc == CLI_OK && !*(void *const *)((const char *)r + body)) {
        cli_say(c, "the coordinator's answer holds nothing that was asked for");
        rc = CLI_UNREACHED;
    } else if (rc == CLI_REFUSED) {
        if (c->json && cli_json(c, &response_type, r) != CLI_OK)
            rc = CLI_BROKEN;
        say_refusal(c, r);
    } else if (rc != CLI_OK) {
        cli_say(c, "%s", err.text);
    }
    if (rc == CLI_OK)
        *out = r;
    else
        response_free(r);
    return rc;
}

static bool means(const struct device *d, const char *word)
{
    return strcmp(d->device_id, word) == 0 ||
           (d->profile && d->profile->name && strcmp(d->profile->name, word) == 0);
}

const struct device *cli_meant(const struct devices_reply *reply, const char *word)
{
    const struct device *found = NULL;

    if (reply->devices_count == 1 && !reply->next)
        return &reply->devices[0];
    for (size_t i = 0; i < reply->devices_count; i++) {
        if (means(&reply->devices[i], word)) {
            if (found)
                return NULL;
            found = &reply->devices[i];
        }
    }
    return found;
}

int cli_device(struct cli *c, const char *word, char **id)
{
    struct devices_request asked;
    struct request request;
    struct response *r = NULL;
    const struct device *found;
    struct err err = {0};
    int rc;

    record_init(&devices_request_type, &asked);
    record_init(&request_type, &request);
    asked.device_id = (char *)(uintptr_t)word; /* borrowed */
    request.devices = &asked;
    rc = cli_try(c, &request, known_i64(c->args.timeout_ms) ? c->args.timeout_ms : CLI_LOOK_MS, &r,
                 &err);
    mem_free(request.request_id);
    if (rc == CLI_OK && r->devices && (found = cli_meant(r->devices, word))) {
        *id = mem_strdup(found->device_id);
    } else if (rc == CLI_OK && r->devices && r->devices->devices_count > 1) {
        cli_say(c, "\"%s\" means %zu devices or more, such as %s and %s; give the id", word,
                r->devices->devices_count, r->devices->devices[0].device_id,
                r->devices->devices[1].device_id);
        response_free(r);
        return CLI_REFUSED;
    } else if (rc == CLI_OK || (rc == CLI_REFUSED && r->code == RESPONSE_CODE_NOT_FOUND)) {
        *id = mem_strdup(word);
    } else if (rc == CLI_REFUSED) {
        say_refusal(c, r);
        response_free(r);
        return rc;
    } else {
        cli_say(c, "%s", err.text);
        return rc;
    }
    response_free(r);
    if (*id)
        return CLI_OK;
    cli_say(c, "no memory");
    return CLI_BROKEN;
}

/* ---- stdout ---- */

void cli_page(const struct cli *c, struct page *p)
{
    page_init(p, c->width, c->color);
}

int cli_show(struct cli *c, struct page *p)
{
    struct err err = {0};
    int rc;

    cli_quiet(c);
    rc = page_write(p, c->out, &err);
    if (rc < 0)
        cli_say(c, "%s", err.text);
    return rc < 0 ? CLI_BROKEN : CLI_OK;
}

int cli_json(struct cli *c, const struct record_type *type, const void *record)
{
    struct err err = {0};
    char *text = document_print(type, record, true, &err);

    cli_quiet(c);
    if (!text) {
        cli_say(c, "%s", err.text);
        return CLI_BROKEN;
    }
    if (fputs(text, c->out) < 0 || fflush(c->out) != 0) {
        cli_say(c, "output: cannot be written");
        mem_free(text);
        return CLI_BROKEN;
    }
    mem_free(text);
    return CLI_OK;
}

/* ---- the program ---- */

static size_t width_of(FILE *out, char *const *env)
{
    const char *columns = args_env(env, "COLUMNS");
    struct winsize size;
    int fd = fileno(out);
    int64_t n;

    if (columns && num_parse_i64(columns, strlen(columns), PAGE_WIDTH_MIN, PAGE_WIDTH_MAX, &n,
                                 "COLUMNS", NULL) == 0)
        return (size_t)n;
    if (fd >= 0 && isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return PAGE_WIDTH;
}

static bool is_terminal(FILE *f)
{
    int fd = fileno(f);

    return fd >= 0 && isatty(fd);
}

static void cli_init(struct cli *c, char *const *env, FILE *out, FILE *err)
{
    const char *term = args_env(env, "TERM");
    bool dumb = !term || strcmp(term, "dumb") == 0;

    memset(c, 0, sizeof *c);
    c->env = env;
    c->out = out;
    c->err = err;
    c->err_live = is_terminal(err) && !dumb;
    c->color = is_terminal(out) && !dumb && !args_env(env, "NO_COLOR");
    c->width = width_of(out, env);
    c->now_ms = clock_wall_ms();
}

static int usage(struct cli *c, const struct err *err, const char *command)
{
    cli_say(c, "%s", err->text);
    cli_say(c, "`espalier help%s%s` shows what is there", command ? " " : "",
            command ? command : "");
    return CLI_USAGE;
}

static int unknown_command(struct cli *c)
{
    struct err err = {0};

    err_set(&err, ERR_INVALID, "%s%s%s: no such command", c->args.words[0],
            c->args.count > 1 ? " " : "", c->args.count > 1 ? c->args.words[1] : "");
    return usage(c, &err, NULL);
}

static int run_command(struct cli *c, const struct command *command, size_t used)
{
    size_t count = c->args.count - used;
    struct page p;
    struct err err = {0};

    if (args_has(&c->args, OPTION_HELP)) {
        cli_page(c, &p);
        help_command(&p, command);
        return cli_show(c, &p);
    }
    if (args_allow(&c->args, command->options, command->words, &err) < 0)
        return usage(c, &err, command->words);
    if (count < command->least || count > command->most) {
        err_set(&err, ERR_INVALID, "%s: wanted espalier %s %s",
                count < command->least ? "something is missing" : "too many words", command->words,
                command->form);
        return usage(c, &err, command->words);
    }
    c->json = args_has(&c->args, OPTION_JSON);
    return command->run(c, c->args.words + used, count);
}

int cli_run(int argc, char *const *argv, char *const *env, FILE *out, FILE *err_file)
{
    const struct command *command;
    struct cli c;
    struct err err = {0};
    size_t used = 0;
    int rc;

    cli_init(&c, env, out, err_file);
    if (args_parse(argc, argv, env, &c.args, &err) < 0)
        return usage(&c, &err, NULL);
    command = command_find(c.args.words, c.args.count, &used);
    if (args_has(&c.args, OPTION_VERSION)) {
        rc = cmd_version(&c, NULL, 0);
    } else if (c.args.count == 0 && args_has(&c.args, OPTION_HELP)) {
        rc = cmd_help(&c, NULL, 0);
    } else if (c.args.count == 0) {
        cmd_help(&c, NULL, 0);
        rc = CLI_USAGE;
    } else {
        rc = command ? run_command(&c, command, used) : unknown_command(&c);
    }
    cli_quiet(&c);
    client_free(c.client);
    return rc;
}
