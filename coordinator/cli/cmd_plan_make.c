/* cmd_plan_make.c - from a job file to a plan: read it, have it planned, show it, wait for
 * deliveries. */
#include "coordinator/cli/cli.h"

#include "common/core/clock.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/deliveries.h"
#include "coordinator/cli/job_input.h"
#include "coordinator/cli/show.h"

#include <string.h>

/* ---- the job file ---- */

static int kind_of(const struct job *job)
{
    return job->pipeline    ? PLAN_KIND_PIPELINE
           : job->lora      ? PLAN_KIND_LORA
           : job->diffusion ? PLAN_KIND_DIFFUSION
                            : PLAN_KIND_FEDERATED;
}

static int job_of_kind(struct cli *c, const char *path, int kind, struct job **out)
{
    struct job *job = NULL;
    int is, rc = job_input_read(c, path, &job);

    if (rc != CLI_OK)
        return rc;
    is = kind_of(job);
    if (is != kind) {
        cli_say(c, "%s: job %s is a %s job; use espalier plan %s", path, job->job_id,
                enum_name(&plan_kind_names, is), enum_name(&plan_kind_names, is));
        job_free(job);
        return CLI_USAGE;
    }
    *out = job;
    return CLI_OK;
}

/* The device of a job for one device: that of --device, else the job's own word, either of which
 * may be a name or the start of an id. */
static int find_device(struct cli *c, struct job *job)
{
    const char *option = c->args.value[OPTION_DEVICE];
    char **field = job->lora        ? &job->lora->device_id
                   : job->diffusion ? &job->diffusion->device_id
                                    : NULL;
    char *id = NULL;
    int rc;

    if (!field)
        return CLI_OK;
    if (!option && !*field) {
        cli_say(c, "job %s is for one device: name it with --device, or as device_id in the job",
                job->job_id);
        return CLI_USAGE;
    }
    rc = cli_device(c, option ? option : *field, &id);
    if (rc != CLI_OK)
        return rc;
    mem_free(*field);
    *field = id;
    return CLI_OK;
}

/* ---- planning ---- */

static int ask_plan(struct cli *c, struct job *job, struct response **out)
{
    const char *engine = c->args.value[OPTION_ENGINE];
    struct plan_request asked;
    struct request request;
    int rc;

    if (engine && strcmp(engine, "lm") != 0 && strcmp(engine, "analytic") != 0) {
        cli_say(c, "--engine: \"%s\", wanted analytic or lm", engine);
        return CLI_USAGE;
    }
    record_init(&plan_request_type, &asked);
    record_init(&request_type, &request);
    asked.job = job;
    if (engine)
        asked.engine = strcmp(engine, "lm") == 0 ? ENGINE_KIND_LM : ENGINE_KIND_ANALYTIC;
    if (args_has(&c->args, OPTION_DRY_RUN))
        asked.dry_run = TRI_TRUE;
    request.plan = &asked;
    cli_progress(c, "asking for a plan");
    rc = cli_ask(c, &request, offsetof(struct response, plan), CLI_PLAN_MS, out);
    text_set(&request.request_id, NULL, NULL);
    return rc;
}

/* The deliveries become part of the plan's answer, which had none when it was made. */
static void join_deliveries(struct plan_reply *reply, struct deliveries_reply *deliveries)
{
    if (!deliveries || reply->deliveries_count > 0)
        return;
    mem_free(reply->deliveries);
    reply->deliveries = deliveries->deliveries;
    reply->deliveries_count = deliveries->deliveries_count;
    deliveries->deliveries = NULL;
    deliveries->deliveries_count = 0;
}

static int show(struct cli *c, const struct plan_reply *reply, bool waiting)
{
    struct page p;

    if (c->json)
        return waiting ? CLI_OK : cli_json(c, &plan_reply_type, reply);
    cli_page(c, &p);
    show_plan(&p, reply, waiting);
    return cli_show(c, &p);
}

/* With --wait: the plan first, then the deliveries as they go, then how they ended. */
static int show_and_wait(struct cli *c, struct plan_reply *reply, int64_t limit_ms)
{
    struct deliveries_reply *deliveries = NULL;
    struct page p;
    int rc = show(c, reply, true), end;

    if (rc != CLI_OK)
        return rc;
    end = deliveries_watch(c, reply->plan->plan_id, false, limit_ms, &deliveries);
    if (c->json) {
        join_deliveries(reply, deliveries);
        rc = cli_json(c, &plan_reply_type, reply);
    } else if (deliveries) {
        cli_page(c, &p);
        buf_addc(&p.text, '\n');
        show_deliveries(&p, deliveries);
        rc = cli_show(c, &p);
    }
    deliveries_reply_free(deliveries);
    return rc != CLI_OK ? rc : end;
}

/* Without --wait: the plan, with the deliveries as they are a moment after it was made. */
static int show_at_once(struct cli *c, struct plan_reply *reply)
{
    struct deliveries_reply *deliveries = NULL;
    int rc;

    /* The plan is made: that its deliveries cannot be seen now is no failure of it. */
    if (reply->plan->plan_id && reply->plan->state != PLAN_STATE_DRY_RUN &&
        deliveries_ask(c, reply->plan->plan_id, &deliveries) == CLI_OK)
        join_deliveries(reply, deliveries);
    rc = show(c, reply, false);
    deliveries_reply_free(deliveries);
    return rc;
}

static int make(struct cli *c, const char *path, int kind)
{
    bool wait = args_has(&c->args, OPTION_WAIT);
    int64_t started = clock_mono_ms(), limit;
    struct response *r = NULL;
    struct job *job = NULL;
    int rc;

    if (wait && args_has(&c->args, OPTION_DRY_RUN)) {
        cli_say(c, "--wait and --dry-run: a dry run delivers nothing");
        return CLI_USAGE;
    }
    rc = job_of_kind(c, path, kind, &job);
    if (rc != CLI_OK)
        return rc;
    rc = find_device(c, job);
    if (rc == CLI_OK)
        rc = ask_plan(c, job, &r);
    job_free(job);
    if (rc != CLI_OK)
        return rc;
    limit = (known_i64(c->args.timeout_ms) ? c->args.timeout_ms : CLI_PLAN_MS) -
            (clock_mono_ms() - started);
    rc = wait ? show_and_wait(c, r->plan, limit > 0 ? limit : 0) : show_at_once(c, r->plan);
    response_free(r);
    return rc;
}

int cmd_plan_federated(struct cli *c, const char *const *words, size_t count)
{
    (void)count;
    return make(c, words[0], PLAN_KIND_FEDERATED);
}

int cmd_plan_pipeline(struct cli *c, const char *const *words, size_t count)
{
    (void)count;
    return make(c, words[0], PLAN_KIND_PIPELINE);
}

int cmd_plan_lora(struct cli *c, const char *const *words, size_t count)
{
    (void)count;
    return make(c, words[0], PLAN_KIND_LORA);
}

int cmd_plan_diffusion(struct cli *c, const char *const *words, size_t count)
{
    (void)count;
    return make(c, words[0], PLAN_KIND_DIFFUSION);
}
