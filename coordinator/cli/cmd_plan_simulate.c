/* cmd_plan_simulate.c - a job's rounds played, as a table, as JSON, as a picture. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "coordinator/cli/fleet_input.h"
#include "coordinator/cli/job_input.h"
#include "coordinator/cli/plot.h"
#include "coordinator/cli/show.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/simulate.h"

#include <string.h>

/* Options that say how to play; a wrong one was said. */
static int read_settings(struct cli *c, struct simulate_settings *out)
{
    const char *rounds = c->args.value[OPTION_ROUNDS], *jitter = c->args.value[OPTION_JITTER];
    const char *availability = c->args.value[OPTION_AVAILABILITY];
    struct err err = {0};

    *out = (struct simulate_settings){.rounds = 100, .jitter = 0.2};
    out->always_on = availability && strcmp(availability, "always") == 0;
    if ((rounds && num_parse_i64(rounds, strlen(rounds), 1, SIMULATE_ROUNDS_MAX, &out->rounds,
                                 "--rounds", &err) < 0) ||
        (jitter && num_parse_f64(jitter, strlen(jitter), 0, SIMULATE_JITTER_MAX, &out->jitter,
                                 "--jitter", &err) < 0)) {
        cli_say(c, "%s", err.text);
        return CLI_USAGE;
    }
    return fleet_input_seed(c, &out->seed);
}

static int plot(struct cli *c, const struct simulation *s)
{
    const char *path = c->args.value[OPTION_PLOT];
    struct err err = {0};
    size_t len = 0;
    char *text;
    int rc;

    if (!path)
        return CLI_OK;
    text = plot_simulation(s, &len, &err);
    rc = text ? file_write_atomic(path, 0644, text, len, &err) : -1;
    mem_free(text);
    if (rc == 0)
        return CLI_OK;
    cli_say(c, "--plot: %s", err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

static int show(struct cli *c, const struct simulation *s)
{
    struct page p;
    int rc = plot(c, s);

    if (rc != CLI_OK || c->json)
        return rc != CLI_OK ? rc : cli_json(c, &simulation_type, s);
    cli_page(c, &p);
    show_simulation(&p, s);
    if (c->args.value[OPTION_PLOT])
        page_line(&p, STYLE_FAINT, "The picture is in %s.", c->args.value[OPTION_PLOT]);
    return cli_show(c, &p);
}

static int play(struct cli *c, const struct job *job, const struct simulate_settings *settings)
{
    struct policy policy = policy_default();
    struct simulation *s = NULL;
    struct fleet_input fleet;
    struct err err = {0};
    int rc = fleet_input_read(c, &fleet);

    if (rc == CLI_OK && (simulate(fleet.snapshot, job, &policy, settings, &s, &err) < 0 ||
                         text_set(&s->fleet, fleet.text, &err) < 0)) {
        cli_say(c, "%s", err.text);
        rc = err.code == ERR_INFEASIBLE ? CLI_REFUSED
             : err.code == ERR_NOMEM    ? CLI_BROKEN
                                        : CLI_USAGE;
    }
    if (rc == CLI_OK)
        rc = show(c, s);
    simulation_free(s);
    fleet_input_clear(&fleet);
    return rc;
}

int cmd_plan_simulate(struct cli *c, const char *const *words, size_t count)
{
    struct simulate_settings settings;
    struct job *job = NULL;
    int rc = read_settings(c, &settings);

    (void)count;
    if (rc == CLI_OK)
        rc = job_input_plan(c, words[0], &job);
    if (rc == CLI_OK)
        rc = play(c, job, &settings);
    job_free(job);
    return rc;
}
