/* cmd_plan_check.c - a person's proposal against a fleet; and two plans side by side. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/proposal.h"
#include "coordinator/cli/fleet_input.h"
#include "coordinator/cli/job_input.h"
#include "coordinator/cli/plan_input.h"
#include "coordinator/cli/show.h"
#include "coordinator/planner/plan_check.h"
#include "coordinator/planner/plan_diff.h"
#include "coordinator/planner/policy.h"

#include <string.h>

/* ---- the proposal ---- */

struct reading {
    struct proposal *proposal;
    char **notes; /* of the lenient reader */
    size_t notes_count;
    size_t unknown; /* devices of a plan that the fleet does not have */
};

static void reading_clear(struct reading *r)
{
    proposal_free(r->proposal);
    document_notes_free(r->notes, r->notes_count);
    memset(r, 0, sizeof *r);
}

static int exit_code(const struct err *err)
{
    return err->code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

/* A proposal as an engine gives it: the record of the job's kind, by itself or in a member of that
 * name. A field that cannot be used is dropped and noted, not the whole. */
static int read_typed(struct cli *c, const char *path, const struct json *value,
                      const struct job *job, struct reading *r)
{
    const char *kind = job->pipeline ? "pipeline" : "federated";
    const struct json *body = json_member(value, kind);
    struct err err = {0};
    void *record = NULL;

    if (!body && json_member(value, job->pipeline ? "federated" : "pipeline")) {
        cli_say(c, "%s: the job is a %s job, the proposal is for the other kind", path, kind);
        return CLI_USAGE;
    }
    if (document_read_lenient(job->pipeline ? &pipeline_proposal_type : &federated_proposal_type,
                              body ? body : value, &record, &r->notes, &r->notes_count, &err) < 0) {
        cli_say(c, "%s: %s", path, err.text);
        return exit_code(&err);
    }
    if (!(r->proposal = proposal_new(&err))) {
        record_free(job->pipeline ? &pipeline_proposal_type : &federated_proposal_type, record);
        return cli_fail(c, &err);
    }
    r->proposal->engine = ENGINE_KIND_PERSON;
    if (job->pipeline)
        r->proposal->pipeline = record;
    else
        r->proposal->federated = record;
    return CLI_OK;
}

static int read_plan(struct cli *c, const char *path, const struct json *value,
                     const struct job *job, const struct snapshot *s, struct reading *r)
{
    struct plan *plan = NULL;
    struct err err = {0};
    int rc = plan_input_plan(c, path, value, &plan);

    if (rc == CLI_OK && !plan->pipeline != !job->pipeline) {
        cli_say(c, "%s: the plan is a %s plan, the job is not", path,
                enum_name(&plan_kind_names, plan->kind));
        rc = CLI_USAGE;
    }
    if (rc == CLI_OK && plan_to_proposal(s, plan, &r->proposal, &r->unknown, &err) < 0) {
        cli_say(c, "%s: %s", path, err.text);
        rc = exit_code(&err);
    }
    plan_free(plan);
    return rc;
}

static int read_proposal(struct cli *c, const char *path, const struct job *job,
                         const struct snapshot *s, struct reading *r)
{
    const struct json *plan;
    struct json *value;
    int rc = plan_input_json(c, path, &value);

    if (rc != CLI_OK)
        return rc;
    plan = plan_input_within(value);
    rc = plan ? read_plan(c, path, plan, job, s, r) : read_typed(c, path, value, job, r);
    json_free(value);
    return rc;
}

/* ---- the check ---- */

static int keep_notes(struct plan_check *check, const struct reading *r, struct err *err)
{
    for (size_t i = 0; i < r->notes_count && i < 990; i++) {
        char note[512];

        memset(note, 0, sizeof note);
        strncpy(note, r->notes[i], sizeof note - 1);
        if (texts_add(&check->notes, &check->notes_count, note, err) < 0)
            return -1;
    }
    if (r->unknown > 0) {
        char note[128];

        snprintf(note, sizeof note,
                 "%zu devices or stages of the plan are on devices that this "
                 "fleet does not have: left to the planner",
                 r->unknown);
        return texts_add(&check->notes, &check->notes_count, note, err);
    }
    return 0;
}

static int verdict_code(const struct plan_check *check)
{
    return strcmp(check->verdict, "fits") == 0       ? CLI_OK
           : strcmp(check->verdict, "repaired") == 0 ? CLI_REPAIRED
                                                     : CLI_REPLACED;
}

static int show_result(struct cli *c, const struct plan_check *check, const char *fleet)
{
    struct page p;
    int rc;

    if (c->json) {
        rc = cli_json(c, &plan_check_type, check);
    } else {
        cli_page(c, &p);
        show_plan_check(&p, check, fleet);
        rc = cli_show(c, &p);
    }
    return rc == CLI_OK ? verdict_code(check) : rc;
}

static int check_on(struct cli *c, const struct job *job, const char *path,
                    const struct fleet_input *fleet)
{
    struct policy policy = policy_default();
    struct plan_check *check = NULL;
    struct reading r = {0};
    struct err err = {0};
    int rc = read_proposal(c, path, job, fleet->snapshot, &r);

    if (rc == CLI_OK && (plan_check(fleet->snapshot, job, &policy, r.proposal, &check, &err) < 0 ||
                         keep_notes(check, &r, &err) < 0)) {
        cli_say(c, "%s", err.text);
        rc = err.code == ERR_INFEASIBLE ? CLI_REFUSED : exit_code(&err);
    }
    if (rc == CLI_OK)
        rc = show_result(c, check, fleet->text);
    plan_check_free(check);
    reading_clear(&r);
    return rc;
}

int cmd_plan_check(struct cli *c, const char *const *words, size_t count)
{
    struct fleet_input fleet = {0};
    struct job *job = NULL;
    int rc = job_input_plan(c, words[0], &job);

    (void)count;
    if (rc == CLI_OK)
        rc = fleet_input_read(c, &fleet);
    if (rc == CLI_OK)
        rc = check_on(c, job, words[1], &fleet);
    fleet_input_clear(&fleet);
    job_free(job);
    return rc;
}

/* ---- two plans ---- */

int cmd_plan_diff(struct cli *c, const char *const *words, size_t count)
{
    struct plan *before = NULL, *after = NULL;
    struct plan_diff *diff = NULL;
    struct err err = {0};
    struct page p;
    int rc = plan_input_read(c, words[0], &before);

    (void)count;
    if (rc == CLI_OK)
        rc = plan_input_read(c, words[1], &after);
    if (rc == CLI_OK && (plan_diff(before, after, &diff, &err) < 0 ||
                         (!diff->before && text_set(&diff->before, words[0], &err) < 0) ||
                         (!diff->after && text_set(&diff->after, words[1], &err) < 0))) {
        cli_say(c, "%s", err.text);
        rc = exit_code(&err);
    }
    if (rc == CLI_OK && c->json) {
        rc = cli_json(c, &plan_diff_type, diff);
    } else if (rc == CLI_OK) {
        cli_page(c, &p);
        show_plan_diff(&p, diff);
        rc = cli_show(c, &p);
    }
    plan_diff_free(diff);
    plan_free(before);
    plan_free(after);
    return rc;
}
