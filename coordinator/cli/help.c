/* help.c - help, made from the tables of commands and options, and the references of job files. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/document/document.h"
#include "common/model/job.h"

#include <string.h>

#define FORM_MAX 24 /* columns of a command with its form */
/* of the first column of the lists, indent included, so that all lists of a page are in line */
#define LIST_COLUMN (FORM_MAX + 6)

static const struct {
    const char *name;
    const struct record_type *type;
    const char *intro;
} topics[] = {
    {"job", &job_type,
     "A job is one JSON file: an object of these fields. Unknown keys are refused by name. "
     "Beside config_json, a model takes \"config\": the path of its Hugging Face config.json, "
     "from the job file's own folder."},
    {"federated", &federated_job_type,
     "The member \"federated\" of a job (`espalier help job` has what is around it). Beside "
     "config_json, a model takes \"config\": the path of its Hugging Face config.json, from the "
     "job file's own folder."},
    {"pipeline", &pipeline_job_type,
     "The member \"pipeline\" of a job (`espalier help job` has what is around it)."},
    {"lora", &lora_job_type,
     "The member \"lora\" of a job (`espalier help job` has what is around it). Beside "
     "config_json, a model takes \"config\": the path of its Hugging Face config.json, from the "
     "job file's own folder."},
    {"diffusion", &diffusion_job_type,
     "The member \"diffusion\" of a job (`espalier help job` has what is around it)."},
};

/* "  left      right", the right side wrapped. */
static void list_line(struct page *p, const char *left, const char *right)
{
    size_t len = strlen(left);

    buf_addf(&p->text, "  %s", left);
    page_spaces(p, len + 4 < LIST_COLUMN ? LIST_COLUMN - 2 - len : 2);
    page_flow(p, len + 4 < LIST_COLUMN ? LIST_COLUMN : len + 4, right);
}

static void list_options(struct page *p, unsigned __int128 bits)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct args_option *o = &args_options[id];
        char left[80], right[320];

        if (!(bits & OPTION_BIT(id)))
            continue;
        snprintf(left, sizeof left, "%s%s%s", o->name, o->word ? " " : "", o->word ? o->word : "");
        snprintf(right, sizeof right, "%s%s%s%s", o->help, o->env ? " (or " : "",
                 o->env ? o->env : "", o->env ? ")" : "");
        list_line(p, left, right);
    }
}

void help_overview(struct page *p)
{
    char text[80];

    page_line(p, STYLE_PLAIN, "usage: espalier COMMAND [OPTION...]");
    page_blank(p);
    page_line(p, STYLE_STRONG, "Commands");
    for (size_t i = 0; i < commands_count; i++) {
        snprintf(text, sizeof text, "%s %s", commands[i].words, commands[i].form);
        text[strlen(text) - (text[strlen(text) - 1] == ' ')] = '\0';
        list_line(p, text, commands[i].summary);
    }
    page_blank(p);
    page_line(p, STYLE_STRONG, "Options of every command that asks a coordinator");
    list_options(p, commands[0].options);
    page_wrap(
        p, 2, STYLE_PLAIN,
        "Without any of them it is the coordinator of this user on this machine, over its local "
        "socket.");
    page_blank(p);
    page_line(p, STYLE_STRONG, "Exit codes");
    for (int code = 0; code < CLI_EXIT_COUNT; code++) {
        snprintf(text, sizeof text, "%d", code);
        list_line(p, text, cli_exit_help[code]);
    }
    page_blank(p);
    page_wrap(p, 0, STYLE_PLAIN,
              "`espalier help COMMAND` shows one command with its own options; `espalier help "
              "job` every field of a job file.");
}

void help_command(struct page *p, const struct command *command)
{
    const char *text = command->text;

    page_line(p, STYLE_PLAIN, "usage: espalier %s%s%s [OPTION...]", command->words,
              *command->form ? " " : "", command->form);
    page_wrap(p, 2, STYLE_PLAIN, "%s", command->summary);
    page_blank(p);
    if (text) {
        page_prose(p, 0, text);
        page_blank(p);
    }
    page_line(p, STYLE_STRONG, "Options");
    list_options(p, command->options);
}

/* Commands that begin with these words: "plan" has several. */
static size_t help_group(struct page *p, const char *word)
{
    size_t len = strlen(word), found = 0;

    for (size_t i = 0; i < commands_count; i++) {
        const struct command *c = &commands[i];
        char text[80];

        if (strncmp(c->words, word, len) != 0 || (c->words[len] && c->words[len] != ' '))
            continue;
        if (found++ == 0)
            page_line(p, STYLE_STRONG, "Commands");
        snprintf(text, sizeof text, "%s %s", c->words, c->form);
        list_line(p, text, c->summary);
    }
    if (found > 0) {
        page_blank(p);
        page_wrap(p, 0, STYLE_PLAIN, "`espalier help %s ...` shows one of them with its options.",
                  word);
    }
    return found;
}

static int help_topic(struct cli *c, struct page *p, size_t topic)
{
    struct err err = {0};
    char *text = document_describe(topics[topic].type, &err);

    if (!text)
        return cli_fail(c, &err);
    page_wrap(p, 0, STYLE_PLAIN, "%s", topics[topic].intro);
    page_blank(p);
    buf_adds(&p->text, text); /* our own, from the tables of the model */
    mem_free(text);
    return cli_show(c, p);
}

int cmd_help(struct cli *c, const char *const *words, size_t count)
{
    const struct command *command;
    struct page p;
    size_t used;

    cli_page(c, &p);
    if (count == 0) {
        help_overview(&p);
        return cli_show(c, &p);
    }
    for (size_t i = 0; count == 1 && i < sizeof topics / sizeof topics[0]; i++)
        if (strcmp(words[0], topics[i].name) == 0)
            return help_topic(c, &p, i);
    command = command_find(words, count, &used);
    if (command && used == count)
        help_command(&p, command);
    if (count == 1 && (!command || strcmp(command->words, "devices") == 0)) {
        page_blank(&p);
        if (help_group(&p, words[0]) > 0)
            return cli_show(c, &p);
    }
    if (command && used == count)
        return cli_show(c, &p);
    page_clear(&p);
    cli_say(c, "%s%s%s: no such command or topic", words[0], count > 1 ? " " : "",
            count > 1 ? words[1] : "");
    return CLI_USAGE;
}
