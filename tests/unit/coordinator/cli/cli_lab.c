/* cli_lab.c - see cli_lab.h. */
#include "cli_lab.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 24
#define PAGE_ITEMS 2 /* devices in a page of the fake */

/* A page of the sample, as the protocol pages. */
static void answer_devices(struct lab *lab, const struct devices_request *asked,
                           struct response *out)
{
    const struct devices_reply *all = lab->samples.devices;

    out->devices = devices_reply_new(NULL);
    out->devices->total = (int64_t)all->devices_count;
    for (size_t i = 0; i < all->devices_count; i++) {
        const struct device *d = &all->devices[i];
        bool wanted = !asked->device_id ||
                      strncmp(d->device_id, asked->device_id, strlen(asked->device_id)) == 0 ||
                      (d->profile->name &&
                       strncmp(d->profile->name, asked->device_id, strlen(asked->device_id)) == 0);
        struct device *copy;

        if (!wanted || (asked->after && strcmp(d->device_id, asked->after) <= 0))
            continue;
        if (out->devices->devices_count == PAGE_ITEMS) {
            text_set(&out->devices->next, out->devices->devices[PAGE_ITEMS - 1].device_id, NULL);
            break;
        }
        copy = device_dup(d, NULL);
        *(struct device *)records_add(&device_type, &out->devices->devices,
                                      &out->devices->devices_count, NULL) = *copy;
        mem_free(copy);
    }
    if (out->devices->devices_count == 0) {
        devices_reply_free(out->devices);
        out->devices = NULL;
        out->code = RESPONSE_CODE_NOT_FOUND;
        text_set(&out->message, "devices.device_id: nothing starts with that", NULL);
    }
}

static void answer_deliveries(struct lab *lab, struct response *out)
{
    struct plan_reply *copy = plan_reply_dup(lab->samples.federated, NULL);

    out->deliveries = deliveries_reply_new(NULL);
    out->deliveries->revision = (int64_t)++lab->watches;
    out->deliveries->deliveries = copy->deliveries;
    out->deliveries->deliveries_count = copy->deliveries_count;
    copy->deliveries = NULL;
    copy->deliveries_count = 0;
    plan_reply_free(copy);
    out->deliveries->deliveries[1].state =
        lab->watches <= lab->open ? DELIVERY_STATE_SENT : DELIVERY_STATE_APPLIED;
    if (!lab->lost)
        out->deliveries->deliveries[2].state = DELIVERY_STATE_DONE;
}

static void answer_plan(struct lab *lab, const struct plan_request *asked, struct response *out)
{
    out->plan =
        plan_reply_dup(asked->job->pipeline ? lab->samples.pipeline : lab->samples.federated, NULL);
    for (size_t i = 0; i < out->plan->deliveries_count; i++)
        record_clear(&delivery_type, &out->plan->deliveries[i]);
    out->plan->deliveries_count = 0;
    if (asked->dry_run == TRI_TRUE) {
        text_set(&out->plan->plan->plan_id, NULL, NULL);
        out->plan->plan->state = PLAN_STATE_DRY_RUN;
    }
}

static void answer(void *arg, const struct request *r, struct response *out)
{
    struct lab *lab = arg;

    if (r->status)
        out->status = status_reply_dup(lab->samples.status, NULL);
    else if (r->devices)
        answer_devices(lab, r->devices, out);
    else if (r->plan)
        answer_plan(lab, r->plan, out);
    else if (r->plan_get)
        out->plan = plan_reply_dup(lab->samples.federated, NULL);
    else if (r->plans)
        out->plans = plans_reply_dup(lab->samples.plans, NULL);
    else if (r->deliveries)
        answer_deliveries(lab, out);
    else if (r->keys)
        out->keys = keys_reply_dup(lab->samples.keys, NULL);
    else
        out->done = done_reply_new(NULL);
    if (out->done) {
        text_set(&out->done->id, r->plan_cancel ? r->plan_cancel->plan_id : "d1", NULL);
        text_set(&out->done->text, r->plan_cancel ? "cancelled" : "let in", NULL);
    }
}

void lab_make(struct lab *lab)
{
    memset(lab, 0, sizeof *lab);
    snprintf(lab->dir, sizeof lab->dir, "/tmp/espalier-cli-XXXXXX");
    assert_non_null(mkdtemp(lab->dir));
    snprintf(lab->endpoint, sizeof lab->endpoint, "ipc://%s/run/s", lab->dir);
    snprintf(lab->socket_env, sizeof lab->socket_env, "ESPALIER_SOCKET=%s/run/s", lab->dir);
    snprintf(lab->home_env, sizeof lab->home_env, "HOME=%s", lab->dir);
    lab->env[0] = lab->socket_env;
    lab->env[1] = lab->home_env;
    lab->samples.devices = fake_record(&devices_reply_type, "devices.json");
    lab->samples.status = fake_record(&status_reply_type, "status.json");
    lab->samples.federated = fake_record(&plan_reply_type, "plan-federated.json");
    lab->samples.pipeline = fake_record(&plan_reply_type, "plan-pipeline.json");
    lab->samples.plans = fake_record(&plans_reply_type, "plans.json");
    lab->samples.keys = fake_record(&keys_reply_type, "keys.json");
}

void lab_answer(struct lab *lab, enum fake_manner manner)
{
    fake_clear(&lab->fake);
    lab->watches = 0;
    lab->fake =
        (struct fake){.manner = manner, .answer = answer, .arg = lab, .endpoint = lab->endpoint};
    fake_start(&lab->fake);
}

static void forget_run(struct lab *lab)
{
    free(lab->out); /* of open_memstream */
    free(lab->err);
    lab->out = lab->err = NULL;
}

void lab_clear(struct lab *lab)
{
    struct err err = {0};

    fake_clear(&lab->fake);
    forget_run(lab);
    devices_reply_free(lab->samples.devices);
    status_reply_free(lab->samples.status);
    plan_reply_free(lab->samples.federated);
    plan_reply_free(lab->samples.pipeline);
    plans_reply_free(lab->samples.plans);
    keys_reply_free(lab->samples.keys);
    assert_int_equal(file_remove_tree(lab->dir, &err), 0);
}

int lab_run(struct lab *lab, ...)
{
    char *argv[WORDS_MAX + 1] = {"espalier"};
    size_t out_size, err_size;
    FILE *out, *err;
    va_list words;
    int argc = 1;

    forget_run(lab);
    va_start(words, lab);
    while (argc < WORDS_MAX && (argv[argc] = va_arg(words, char *)))
        argc++;
    va_end(words);
    out = open_memstream(&lab->out, &out_size);
    err = open_memstream(&lab->err, &err_size);
    assert_true(out && err);
    lab->rc = cli_run(argc, argv, lab->env, out, err);
    fclose(out);
    fclose(err);
    return lab->rc;
}

const char *lab_file(struct lab *lab, const char *name, const char *text)
{
    static char path[160];
    struct err err = {0};

    snprintf(path, sizeof path, "%s/%s", lab->dir, name);
    assert_int_equal(file_write_atomic(path, 0600, text, strlen(text), &err), 0);
    return path;
}
