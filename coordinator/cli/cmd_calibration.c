/* cmd_calibration.c - what measurements have taught: shown, and added to from a file. */
#include "coordinator/cli/cli.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/tool_message.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/measured_runs.h"
#include "coordinator/cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A factor and how many readings stand behind it; "-" where there is none. */
static void factor_cell(struct table *t, double factor, int64_t samples)
{
    if (known_i64(samples) && samples > 0)
        table_cell(t, STYLE_PLAIN, "x %.3f (%" PRId64 ")", factor, samples);
    else
        table_cell(t, STYLE_FAINT, "-");
}

static void show_list(struct page *p, const struct calibration_reply *reply)
{
    static const struct column columns[] = {
        {.title = "backend/chip/model/method", .least = 40},
        {.title = "activations", .right = true},
        {.title = "steps", .right = true},
        {.title = "outliers", .right = true, .keep = 2},
        {.title = "changed", .keep = 1},
    };
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
    char when[FORMAT_MAX];

    for (size_t i = 0; i < reply->calibrations_count; i++) {
        const struct calibration *c = &reply->calibrations[i];

        table_cell(t, STYLE_PLAIN, "%s", c->key);
        factor_cell(t, c->activation_factor, c->memory_samples);
        factor_cell(t, c->step_factor, c->step_samples);
        table_cell(t, STYLE_PLAIN, "%" PRId64, known_i64(c->outliers) ? c->outliers : 0);
        table_cell(t, STYLE_FAINT, "%s", format_when(c->updated_ms, when));
        table_row(t);
    }
    table_print(t, p);
    table_free(t);
}

static int show(struct cli *c, const struct calibration_reply *reply, const char *none)
{
    struct page p;

    if (c->json)
        return cli_json(c, &calibration_reply_type, reply);
    cli_page(c, &p);
    if (reply->calibrations_count == 0)
        page_wrap(&p, 0, STYLE_PLAIN, "%s", none);
    else
        show_list(&p, reply);
    if (known_i64(reply->learnt))
        page_line(&p, STYLE_PLAIN, "%" PRId64 " runs learnt from, %" PRId64 " without a reading",
                  reply->learnt, known_i64(reply->skipped) ? reply->skipped : 0);
    return cli_show(c, &p);
}

int cmd_calibration(struct cli *c, const char *const *words, size_t count)
{
    struct calibration_request asked;
    struct request request;
    struct response *r = NULL;
    int rc;

    (void)words;
    (void)count;
    record_init(&calibration_request_type, &asked);
    record_init(&request_type, &request);
    request.calibration = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, calibration), CLI_LOOK_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    if (rc != CLI_OK)
        return rc;
    rc = show(c, r->calibration,
              "Nothing was measured yet: plans are predicted by the planner's own model. Agents "
              "report what their runs took; `espalier calibration import` takes other runs.");
    response_free(r);
    return rc;
}

static int read_file(struct cli *c, const char *path, struct calibration_import_request **out)
{
    struct err err = {0};
    char *text = NULL;
    size_t len;
    int rc = file_read(path, MEASURED_RUNS_TEXT_MAX, &text, &len, &err);

    if (rc == 0 && (rc = measured_runs_read(text, len, c->args.value[OPTION_CHIP], out, &err)) < 0)
        err_prefix(&err, "%s", path);
    mem_free(text);
    if (rc == 0)
        return CLI_OK;
    cli_say(c, "%s", err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

int cmd_calibration_import(struct cli *c, const char *const *words, size_t count)
{
    struct calibration_import_request *runs = NULL;
    struct request request;
    struct response *r = NULL;
    int rc = read_file(c, words[0], &runs);

    (void)count;
    if (rc != CLI_OK)
        return rc;
    record_init(&request_type, &request);
    request.calibration_import = runs;
    rc = cli_ask(c, &request, offsetof(struct response, calibration), CLI_LOOK_MS, &r);
    text_set(&request.request_id, NULL, NULL);
    calibration_import_request_free(runs);
    if (rc != CLI_OK)
        return rc;
    rc = show(c, r->calibration, "No run had a reading that could teach anything.");
    response_free(r);
    return rc;
}
