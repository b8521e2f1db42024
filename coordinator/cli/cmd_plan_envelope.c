/* cmd_plan_envelope.c - what each class of a fleet can do for a job: what fits, and what does not.
 */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/cli/fleet_input.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/job_input.h"
#include "coordinator/cli/table.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/envelope_list.h"
#include "coordinator/planner/policy.h"

#include <inttypes.h>
#include <string.h>

static void class_row(struct table *t, const struct listed_class *c)
{
    const struct class_summary *s = c->summary;
    char memory[FORMAT_MAX], rate[FORMAT_MAX];

    table_cell(t, STYLE_PLAIN, "%s", s->client_class);
    table_cell(t, STYLE_PLAIN, "%" PRId64, s->devices);
    table_cell(t, STYLE_PLAIN, "%s", s->chip ? s->chip : "?");
    table_cell(t, STYLE_PLAIN, "%s",
               known_i64(c->room_bytes) ? num_format_bytes(c->room_bytes, memory) : "?");
    table_cell(t, STYLE_PLAIN, "%" PRId64, s->configurations);
    table_cell(t, STYLE_PLAIN, "%" PRId64, s->max_batch_size);
    table_cell(t, STYLE_PLAIN, "%s", format_amount(s->best_tokens_per_second, rate));
    table_span(t, s->constraint > CONSTRAINT_NONE ? STYLE_WARN : STYLE_FAINT, "%s",
               s->text ? s->text : "");
    table_row(t);
}

static void show_classes(struct page *p, const struct envelope_list *list)
{
    static const struct column columns[] = {{.title = "class"},
                                            {.title = "Macs", .right = true},
                                            {.title = "chip", .keep = 3},
                                            {.title = "may fill", .right = true, .keep = 4},
                                            {.title = "fit", .right = true},
                                            {.title = "batch", .right = true, .keep = 1},
                                            {.title = "tok/s", .right = true, .keep = 2},
                                            {.title = "why"}};
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

    page_line(p, STYLE_STRONG, "What each class can do, of %s", list->fleet);
    for (size_t i = 0; i < list->classes_count; i++)
        class_row(t, &list->classes[i]);
    table_print(t, p);
    table_free(t);
    page_blank(p);
    page_wrap(
        p, 0, STYLE_FAINT,
        "fit: configurations of the grid; batch: the largest at the wanted length and layers; "
        "tok/s: of the fastest. --device ID lists a class's configurations, those that do not "
        "fit too.");
}

static void configuration_row(struct table *t, const struct listed_class *c,
                              const struct listed_configuration *f)
{
    bool fits = f->fits == TRI_TRUE;
    enum style style = fits ? STYLE_PLAIN : STYLE_FAINT;
    char memory[FORMAT_MAX], step[FORMAT_MAX], rate[FORMAT_MAX], more[FORMAT_MAX];

    table_cell(t, style, "%s", enum_name(&model_format_names, f->model_format));
    table_cell(t, style, "%s", f->grad_checkpoint == TRI_TRUE ? "yes" : "no");
    table_cell(t, style, "%" PRId64, f->layers);
    table_cell(t, style, "%" PRId64, f->sequence_length);
    table_cell(t, style, "%" PRId64 " x %" PRId64, f->batch_size, f->grad_accumulation);
    table_cell(t, style, "%s", num_format_bytes(f->memory_bytes, memory));
    if (fits) {
        table_cell(t, style, "%s", format_seconds(f->step_seconds, step));
        table_cell(t, style, "%s", format_amount(f->tokens_per_second, rate));
    } else if (f->constraint == CONSTRAINT_MEMORY && known_i64(c->room_bytes)) {
        table_span(t, style, "memory: %s more",
                   num_format_bytes(f->memory_bytes - c->room_bytes, more));
    } else {
        table_span(t, style, "%s", enum_name(&constraint_names, f->constraint));
    }
    table_row(t);
}

static void show_class(struct page *p, const struct envelope_list *list)
{
    static const struct column columns[] = {{.title = "format"},
                                            {.title = "ckpt", .keep = 1},
                                            {.title = "layers", .right = true},
                                            {.title = "tokens", .right = true},
                                            {.title = "batch", .right = true},
                                            {.title = "peak", .right = true},
                                            {.title = "step", .right = true},
                                            {.title = "tok/s", .right = true}};
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
    const struct listed_class *c = &list->classes[0];
    const struct class_summary *s = c->summary;
    char room[FORMAT_MAX];

    page_line(p, STYLE_STRONG, "Class %s of %s: %" PRId64 " of %s", s->client_class, list->fleet,
              s->devices, s->chip ? s->chip : "an unknown chip");
    page_pair(p, "may fill", "%s: %s",
              known_i64(c->room_bytes) ? num_format_bytes(c->room_bytes, room) : "?",
              s->memory_limit_source ? s->memory_limit_source : "");
    page_pair(p, "rates", "%s", s->rate_source ? s->rate_source : "?");
    page_pair(p, "in short", "%s", s->text ? s->text : "");
    page_blank(p);
    for (size_t i = 0; i < c->configurations_count; i++)
        configuration_row(t, c, &c->configurations[i]);
    table_print(t, p);
    table_free(t);
}

/* The class of the device that is meant, SIZE_MAX where none is asked for. */
static int class_of(struct cli *c, const struct snapshot *s, size_t *out)
{
    const char *word = c->args.value[OPTION_DEVICE];
    size_t found = 0;

    *out = SIZE_MAX;
    if (!word)
        return CLI_OK;
    for (size_t i = 0; i < s->clients_count; i++) {
        const struct client *k = &s->clients[i];
        bool whole = strcmp(k->device_id, word) == 0 || (k->name && strcmp(k->name, word) == 0);

        if (!whole && strncmp(k->device_id, word, strlen(word)) != 0)
            continue;
        *out = k->class_index;
        if (whole)
            return CLI_OK;
        found++;
    }
    if (found == 1)
        return CLI_OK;
    cli_say(c, "--device: \"%.64s\" means no device, or several", word);
    return CLI_REFUSED;
}

static int list_fleet(struct cli *c, const struct fleet_input *fleet, const struct job *job,
                      struct envelope_list **out)
{
    struct policy policy = policy_default();
    struct err err = {0};
    struct envelope *e;
    size_t k;
    int rc = class_of(c, fleet->snapshot, &k);

    if (rc != CLI_OK)
        return rc;
    e = envelope_build(fleet->snapshot, job, &policy, &err);
    if (e && (*out = envelope_list_make(e, k, k != SIZE_MAX || c->json, &err)) &&
        text_set(&(*out)->fleet, fleet->text, &err) == 0) {
        envelope_free(e);
        return CLI_OK;
    }
    envelope_free(e);
    cli_say(c, "%s", err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

static int print(struct cli *c, const struct envelope_list *list)
{
    struct page p;

    if (c->json)
        return cli_json(c, &envelope_list_type, list);
    cli_page(c, &p);
    if (c->args.value[OPTION_DEVICE])
        show_class(&p, list);
    else
        show_classes(&p, list);
    return cli_show(c, &p);
}

int cmd_plan_envelope(struct cli *c, const char *const *words, size_t count)
{
    struct envelope_list *list = NULL;
    struct fleet_input fleet = {0};
    struct job *job = NULL;
    int rc = job_input_plan(c, words[0], &job);

    (void)count;
    if (rc == CLI_OK && !job->federated) {
        cli_say(c, "%s: a job without \"federated\": only federated jobs have an envelope",
                words[0]);
        rc = CLI_USAGE;
    }
    if (rc == CLI_OK)
        rc = fleet_input_read(c, &fleet);
    if (rc == CLI_OK)
        rc = list_fleet(c, &fleet, job, &list);
    if (rc == CLI_OK)
        rc = print(c, list);
    envelope_list_free(list);
    fleet_input_clear(&fleet);
    job_free(job);
    return rc;
}
