/* fleet_input.c - see fleet_input.h. */
#include "coordinator/cli/fleet_input.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/snapshot.h"
#include "common/model/tool_message.h"
#include "common/recording/recording.h"
#include "coordinator/cli/cli.h"
#include "coordinator/fleet/fleet.h"
#include "coordinator/planner/synthetic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOW_MS 1000 /* of a fleet that was heard a moment ago */
#define FILES_MAX 100000

static struct fleet *fleet_make(struct err *err)
{
    struct fleet_settings settings = {
        .max_devices = FLEET_INPUT_MAX, .late_ms = 30000, .offline_ms = 120000};

    return fleet_new(&settings, err);
}

/* Profile and state move in; what is not taken is freed. */
static int add(struct fleet *f, const char *id, struct profile *profile, struct state *state,
               struct err *err)
{
    int rc = fleet_enrol(f, id, NULL, err);

    if (rc == 0 && profile)
        rc = fleet_profile(f, id, &profile, NULL, NOW_MS, err) < 0 ? -1 : 0;
    if (rc == 0 && state)
        rc = fleet_state(f, id, &state, NOW_MS, err) < 0 ? -1 : 0;
    profile_free(profile);
    state_free(state);
    return rc;
}

/* ---- machine files ---- */

/* The file's name without .json is the device's id, and its name where the file has none. */
static int add_file(struct fleet *f, const char *dir, const char *name, bool *made_up,
                    struct err *err)
{
    size_t stem = strlen(name) - strlen(".json"), len;
    char *path = file_path(err, "%s/%s", dir, name), *text = NULL, id[65];
    struct profile *profile = NULL;
    struct state *state = NULL;
    int rc = -1;

    snprintf(id, sizeof id, "%.*s", (int)stem, name);
    if (path && file_read(path, RECORDING_TEXT_MAX, &text, &len, err) == 0 &&
        recording_read(text, len, &profile, &state, err) == 0) {
        *made_up = *made_up || profile->origin == DEVICE_ORIGIN_COMPOSED ||
                   (state && state->synthetic == TRI_TRUE);
        if (!profile->name)
            text_set(&profile->name, id, NULL);
        rc = add(f, id, profile, state, err);
    }
    mem_free(text);
    if (rc < 0 && path)
        err_prefix(err, "%s", path);
    mem_free(path);
    return rc;
}

static int add_folder(struct fleet *f, const char *dir, struct fleet_input *out, struct err *err)
{
    char **names = NULL;
    size_t count = 0, machines = 0;
    int rc = file_list(dir, FILES_MAX, &names, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t len = strlen(names[i]);

        if (len <= strlen(".json") || strcmp(names[i] + len - strlen(".json"), ".json") != 0)
            continue;
        rc = add_file(f, dir, names[i], &out->made_up, err);
        machines++;
    }
    file_list_free(names, count);
    if (rc == 0 && machines == 0)
        rc = err_set(err, ERR_INVALID, "--fleet: %.100s holds no machine files (*.json)", dir);
    snprintf(out->text, sizeof out->text, "%zu machine files of %.120s%s", machines, dir,
             out->made_up ? ", composed or with made-up states" : "");
    return rc;
}

/* ---- made-up Macs ---- */

static int add_synthetic(struct fleet *f, int64_t count, uint64_t seed, struct fleet_input *out,
                         struct err *err)
{
    struct synthetic *s = synthetic_new(err);
    int rc = s ? 0 : -1;

    for (int64_t i = 0; rc == 0 && i < count; i++) {
        struct profile *profile = NULL;
        struct state *state = NULL;
        char id[32];

        snprintf(id, sizeof id, "syn-%07" PRId64, i + 1);
        rc = synthetic_mac(s, seed, (uint64_t)i, &profile, &state, err);
        if (rc == 0)
            rc = add(f, id, profile, state, err);
    }
    synthetic_free(s);
    out->made_up = true;
    snprintf(out->text, sizeof out->text,
             "%" PRId64 " synthetic Macs drawn from the table of chips, seed %" PRIu64, count,
             seed);
    return rc;
}

/* ---- the coordinator's ---- */

static int add_device(struct fleet *f, struct device *d, bool *made_up, struct err *err)
{
    struct profile *profile = d->profile;
    struct state *state = d->state;

    *made_up = *made_up || (profile && profile->origin == DEVICE_ORIGIN_COMPOSED) ||
               (state && state->synthetic == TRI_TRUE);
    d->profile = NULL;
    d->state = NULL;
    if (add(f, d->device_id, profile, state, err) < 0)
        return -1;
    if (d->liveness == LIVENESS_OFFLINE)
        fleet_goodbye(f, d->device_id, NOW_MS);
    return 0;
}

static int ask_page(struct cli *c, const char *after, struct response **out)
{
    struct devices_request asked;
    struct request request;
    int rc;

    record_init(&devices_request_type, &asked);
    record_init(&request_type, &request);
    asked.after = (char *)(uintptr_t)after; /* borrowed */
    request.devices = &asked;
    rc = cli_ask(c, &request, offsetof(struct response, devices), CLI_LOOK_MS, out);
    text_set(&request.request_id, NULL, NULL);
    return rc;
}

static int add_live(struct cli *c, struct fleet *f, struct fleet_input *out)
{
    char *after = NULL;
    size_t count = 0;
    int rc;

    do {
        struct response *r = NULL;
        struct err err = {0};

        rc = ask_page(c, after, &r);
        for (size_t i = 0; rc == CLI_OK && i < r->devices->devices_count; i++, count++)
            if (add_device(f, &r->devices->devices[i], &out->made_up, &err) < 0)
                rc = cli_fail(c, &err);
        mem_free(after);
        after = NULL;
        if (rc == CLI_OK && r->devices->next && !(after = mem_strdup(r->devices->next)))
            rc = CLI_BROKEN;
        response_free(r);
    } while (rc == CLI_OK && after);
    mem_free(after);
    snprintf(out->text, sizeof out->text, "%zu devices of the coordinator%s", count,
             out->made_up ? ", some of them composed or with made-up states" : "");
    return rc;
}

/* ---- which of them ---- */

bool fleet_input_given(const struct cli *c)
{
    return args_has(&c->args, OPTION_FLEET) || args_has(&c->args, OPTION_SYNTHETIC);
}

static int number(struct cli *c, enum option_id id, int64_t least, int64_t most, int64_t otherwise,
                  int64_t *out)
{
    const char *text = c->args.value[id];
    struct err err = {0};

    *out = otherwise;
    if (!text ||
        num_parse_i64(text, strlen(text), least, most, out, args_options[id].name, &err) == 0)
        return CLI_OK;
    cli_say(c, "%s", err.text);
    return CLI_USAGE;
}

int fleet_input_seed(struct cli *c, uint64_t *seed)
{
    int64_t n;
    int rc = number(c, OPTION_SEED, 0, (INT64_C(1) << 53) - 1, 1, &n);

    *seed = (uint64_t)n;
    return rc;
}

static int fill(struct cli *c, struct fleet *f, struct fleet_input *out)
{
    const char *dir = c->args.value[OPTION_FLEET];
    struct err err = {0};
    uint64_t seed;
    int64_t count;
    int rc;

    if (dir && args_has(&c->args, OPTION_SYNTHETIC)) {
        cli_say(c, "--fleet and --synthetic: one of them");
        return CLI_USAGE;
    }
    if (!fleet_input_given(c))
        return add_live(c, f, out);
    if ((rc = number(c, OPTION_SYNTHETIC, 1, FLEET_INPUT_MAX, 0, &count)) != CLI_OK ||
        (rc = fleet_input_seed(c, &seed)) != CLI_OK)
        return rc;
    if ((dir ? add_folder(f, dir, out, &err) : add_synthetic(f, count, seed, out, &err)) == 0)
        return CLI_OK;
    cli_say(c, "%s", err.text);
    return err.code == ERR_NOMEM ? CLI_BROKEN : CLI_USAGE;
}

int fleet_input_read(struct cli *c, struct fleet_input *out)
{
    struct err err = {0};
    struct fleet *f = fleet_make(&err);
    int rc;

    memset(out, 0, sizeof *out);
    if (!f)
        return cli_fail(c, &err);
    rc = fill(c, f, out);
    if (rc == CLI_OK && !(out->snapshot = fleet_snapshot(f, NOW_MS, c->now_ms, &err)))
        rc = cli_fail(c, &err);
    fleet_free(f); /* the snapshot has its own copies */
    return rc;
}

void fleet_input_clear(struct fleet_input *in)
{
    snapshot_unref(in->snapshot);
    in->snapshot = NULL;
}
