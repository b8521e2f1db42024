/* inquiry_run.c - a question handed to a module, and what came of it as a reply of the protocol. */
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/proposal.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/answer.h"
#include "coordinator/signature/cast.h"
#include "coordinator/signature/datum_json.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/module.h"
#include "coordinator/signature/signature.h"

#include <string.h>

#define STEP_TEXT_MAX 512            /* bytes: the row of steps */
#define REPLY_KEPT_MAX (1024 * 1024) /* the row of reply */

struct module *inquiry_module(const struct inquiry_question *q,
                              const struct signature_run_request *asked, struct err *err)
{
    const struct module_settings settings = {
        .sig = q->sig,
        .framing = q->framing,
        .demos = q->program.demos,
        .demos_count = q->program.demos_count,
        .layout = q->adapter == SIGNATURE_ADAPTER_JSON ? MODULE_JSON : MODULE_CHAT,
        .fallback = asked->fallback != TRI_FALSE,
        .retry = asked->retry != TRI_FALSE,
    };

    return module_new(&settings, q->values, q->values_count, err);
}

/* ---- values ---- */

/* A model's text may hold what no text of the protocol may. */
static int clean(struct datum *d, struct err *err)
{
    if (d->text) {
        char *prose = answer_prose(d->text, strlen(d->text), REPLY_KEPT_MAX, err);

        if (!prose)
            return -1;
        mem_free(d->text);
        d->text = prose;
    }
    for (size_t i = 0; i < d->items_count; i++)
        if (clean(&d->items[i], err) < 0)
            return -1;
    for (size_t i = 0; i < d->members_count; i++) {
        char *name =
            answer_prose(d->members[i].name, strlen(d->members[i].name), NAME_TEXT_MAX, err);

        if (!name)
            return -1;
        mem_free(d->members[i].name);
        d->members[i].name = name;
        if (clean(d->members[i].value, err) < 0)
            return -1;
    }
    return 0;
}

static int add_output(struct signature_run_reply *reply, const char *name, const char *json,
                      struct err *err)
{
    struct named_datum *d =
        records_add(&named_datum_type, &reply->outputs, &reply->outputs_count, err);

    if (!d || text_set(&d->name, name, err) < 0 || !(d->value = datum_new(err)) ||
        datum_read(json, strlen(json), d->value, err) < 0)
        return -1;
    return clean(d->value, err);
}

static int add_text_output(struct signature_run_reply *reply, const char *name, const char *text,
                           struct err *err)
{
    struct json *v = json_new_text(text);
    char *json = v ? json_print(v, false, err) : NULL;
    int rc = json ? add_output(reply, name, json, err) : -1;

    json_free(v);
    mem_free(json);
    return rc < 0 ? err_set(err, ERR_NOMEM, "%s", name) : 0;
}

/* What the record holds of each output; an output that it lacks (the reasoning) is text. */
static int add_typed(struct signature_run_reply *reply, const struct signature *sig,
                     const struct answer *a, struct notes *notes, struct err *err)
{
    struct json *doc = NULL;
    void *record = NULL;
    int rc;

    if ((rc = answer_read(sig, a, &record, notes, err)) == 0 &&
        !(doc = document_write(sig->typed, record, err)))
        rc = -1;
    for (size_t i = 0; rc == 0 && i < sig->outputs; i++) {
        const char *name = signature_outputs(sig)[i].name;
        const struct json *v = json_member(doc, name);
        char *json = v ? json_print(v, false, err) : NULL;

        if (json)
            rc = add_output(reply, name, json, err);
        else if (!record_field(sig->typed, name) && a->sections[i])
            rc = add_text_output(reply, name, a->sections[i], err);
        mem_free(json);
    }
    json_free(doc);
    if (record)
        record_free(sig->typed, record);
    return rc;
}

static int add_cast(struct signature_run_reply *reply, const struct signature *sig,
                    const struct answer *a, struct notes *notes, struct err *err)
{
    struct cast_values values = {0};
    int rc = cast_answer(sig, a, &values, notes, err);

    for (size_t i = 0; rc == 0 && i < values.count; i++)
        rc = add_output(reply, signature_outputs(sig)[i].name, values.json[i], err);
    cast_values_clear(&values);
    return rc;
}

/* ---- the report ---- */

static int add_notes(struct signature_run_reply *reply, const struct notes *notes, struct err *err)
{
    for (size_t i = 0; notes && i < notes->count; i++)
        if (texts_add(&reply->notes, &reply->notes_count, notes->items[i], err) < 0)
            return -1;
    return notes ? notes_ok(notes, err) : 0;
}

/* One line each, as long as its row allows. */
static int add_steps(struct signature_run_reply *reply, const struct module *m, struct err *err)
{
    size_t count;

    module_calls(m, &count);
    for (size_t i = 0; i < count; i++) {
        struct buf b;
        char *raw, *line;
        int rc;

        buf_init(&b, TEXT_MAX);
        module_add_call(&b, m, i);
        raw = buf_take(&b, NULL, err);
        line = raw ? answer_prose(raw, strlen(raw), STEP_TEXT_MAX, err) : NULL;
        for (char *c = line; c && *c; c++)
            if (*c == '\n' || *c == '\t')
                *c = ' ';
        rc = line ? texts_add(&reply->steps, &reply->steps_count, line, err) : -1;
        mem_free(raw);
        mem_free(line);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int add_usage(struct signature_run_reply *reply, const struct module *m, const char *model,
                     struct err *err)
{
    struct module_usage total = module_total(m);

    if (!(reply->usage = usage_new(err)))
        return -1;
    reply->usage->calls = total.calls;
    reply->usage->prompt_tokens = total.prompt_tokens;
    reply->usage->completion_tokens = total.completion_tokens;
    reply->usage->seconds = total.seconds;
    return text_set(&reply->usage->model, model, err);
}

/* Whose answer was used. */
static int adapter_used(const struct module *m)
{
    size_t count;
    const struct module_call *calls = module_calls(m, &count);

    for (size_t i = count; i > 0; i--)
        if (calls[i - 1].used)
            return calls[i - 1].layout == MODULE_JSON ? SIGNATURE_ADAPTER_JSON
                                                      : SIGNATURE_ADAPTER_CHAT;
    return SIGNATURE_ADAPTER_UNSET;
}

static int add_answer(struct signature_run_reply *reply, const struct module *m, struct err *err)
{
    const struct signature *sig = module_signature(m);
    const struct answer *a = module_answer(m);
    struct notes notes = {0}; /* the module made the same when it checked the answer */
    int rc;

    if (!a)
        return text_set(&reply->failure, module_failure(m), err);
    reply->adapter = adapter_used(m);
    rc = sig->is_typed ? add_typed(reply, sig, a, &notes, err)
                       : add_cast(reply, sig, a, &notes, err);
    notes_clear(&notes);
    if (rc < 0 || add_notes(reply, &a->notes, err) < 0)
        return -1;
    return add_notes(reply, module_notes(m), err);
}

static int fill(struct signature_run_reply *reply, const struct inquiry_question *q,
                const struct module *m, const char *model, struct err *err)
{
    const char *text = module_text(m);

    if (text && !(reply->reply = answer_prose(text, strlen(text), REPLY_KEPT_MAX, err)))
        return -1;
    if (add_notes(reply, &q->notes, err) < 0 || add_answer(reply, m, err) < 0 ||
        add_steps(reply, m, err) < 0)
        return -1;
    return add_usage(reply, m, model, err);
}

int inquiry_report(const struct inquiry_question *q, const struct module *m, const char *model,
                   struct signature_run_reply **out, struct err *err)
{
    struct signature_run_reply *reply = signature_run_reply_new(err);

    if (!reply)
        return -1;
    if (fill(reply, q, m, model, err) < 0) {
        signature_run_reply_free(reply);
        return -1;
    }
    *out = reply;
    return 0;
}
