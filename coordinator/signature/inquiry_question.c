/* inquiry_question.c - from what a tool asks to the messages of a prompt. */
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/datum_json.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/schema.h"
#include "coordinator/signature/signature.h"

#include <string.h>

void inquiry_question_clear(struct inquiry_question *q)
{
    for (size_t i = 0; i < q->values_count; i++) {
        mem_free((char *)(uintptr_t)q->values[i].name);
        mem_free((char *)(uintptr_t)q->values[i].json);
    }
    mem_free(q->values);
    state_application_clear(&q->program);
    framing_free(q->own);
    signature_free(q->sig);
    notes_clear(&q->notes);
    *q = (struct inquiry_question){0};
}

/* Their values as JSON text, each under its name. */
static int take_inputs(const struct signature_question *asked, struct inquiry_question *q,
                       struct err *err)
{
    if (!(q->values = mem_calloc(asked->inputs_count + 1, sizeof *q->values)))
        return err_set(err, ERR_NOMEM, "inputs");
    for (size_t i = 0; i < asked->inputs_count; i++) {
        struct prompt_value *v = &q->values[q->values_count];

        v->name = mem_strdup(asked->inputs[i].name);
        v->json = v->name ? datum_print(asked->inputs[i].name, asked->inputs[i].value, err) : NULL;
        q->values_count++;
        if (!v->name)
            return err_set(err, ERR_NOMEM, "inputs");
        if (!v->json)
            return err_prefix(err, "inputs");
    }
    return 0;
}

static int copy_notes(struct notes *to, const struct notes *from, struct err *err)
{
    for (size_t i = 0; i < from->count; i++)
        note_add(to, "%s", from->items[i]);
    return notes_ok(to, err);
}

/* The words and examples of a saved program take the place of the signature's own. */
static int take_program(const struct signature_question *asked, struct inquiry_question *q,
                        struct err *err)
{
    struct program_state *state =
        program_state_read("state", asked->state, strlen(asked->state), err);
    const struct state_predictor *p =
        state ? inquiry_predictor(state, asked->state_path, err) : NULL;
    int rc = -1;

    if (p && program_state_apply(p, q->sig, asked->as_text == TRI_TRUE, &q->program, err) == 0 &&
        copy_notes(&q->notes, &state->notes, err) == 0 &&
        copy_notes(&q->notes, &q->program.notes, err) == 0) {
        signature_free(q->sig);
        q->sig = q->program.sig;
        q->program.sig = NULL;
        rc = 0;
    }
    program_state_free(state);
    return rc;
}

static int make(const struct catalog *c, const struct framing *builtin,
                const struct signature_question *asked, struct inquiry_question *q, struct err *err)
{
    q->adapter = asked->adapter ? asked->adapter : SIGNATURE_ADAPTER_CHAT;
    q->framing = builtin;
    if (!(q->sig = inquiry_choose(c, asked->signature, err)))
        return -1;
    if (asked->state && take_program(asked, q, err) < 0)
        return -1;
    if (asked->framing &&
        !(q->own = framing_read("framing", asked->framing, strlen(asked->framing), err)))
        return -1;
    if (q->own)
        q->framing = q->own;
    return take_inputs(asked, q, err);
}

int inquiry_question_make(const struct catalog *c, const struct framing *builtin,
                          const struct signature_question *asked, struct inquiry_question *out,
                          struct err *err)
{
    struct inquiry_question q = {0};

    if (make(c, builtin, asked, &q, err) < 0) {
        inquiry_question_clear(&q);
        return -1;
    }
    *out = q;
    return 0;
}

int inquiry_question_render(const struct inquiry_question *q, int adapter, struct prompt *out,
                            struct err *err)
{
    const struct prompt_content content = {.values = q->values,
                                           .count = q->values_count,
                                           .demos = q->program.demos,
                                           .demos_count = q->program.demos_count};

    return adapter == SIGNATURE_ADAPTER_JSON
               ? json_layout_render(q->sig, q->framing, &content, out, err)
               : chat_render(q->sig, q->framing, &content, out, err);
}

/* As an endpoint that takes schemas is sent it. */
static char *response_format(const struct signature *sig, struct err *err)
{
    struct buf b;
    char *schema;

    if (schema_is_open(sig))
        return mem_strdup("{\"type\":\"json_object\"}");
    if (!(schema = schema_answer_text(sig, err)))
        return NULL;
    buf_init(&b, PROMPT_TEXT_MAX);
    buf_addf(&b,
             "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"%s\",\"strict\":true,"
             "\"schema\":%s}}",
             SCHEMA_NAME, schema);
    mem_free(schema);
    return buf_take(&b, NULL, err);
}

static int add_notes(struct prompt_reply *reply, const struct notes *notes, struct err *err)
{
    for (size_t i = 0; i < notes->count; i++)
        if (texts_add(&reply->notes, &reply->notes_count, notes->items[i], err) < 0)
            return -1;
    return 0;
}

static int fill_reply(const struct inquiry_question *q, const struct prompt *prompt,
                      struct prompt_reply *reply, struct err *err)
{
    for (size_t i = 0; i < prompt->count; i++) {
        struct rendered_message *m =
            records_add(&rendered_message_type, &reply->messages, &reply->messages_count, err);

        if (!m || text_set(&m->role, prompt->messages[i].role, err) < 0 ||
            text_set(&m->content, prompt->messages[i].text, err) < 0)
            return -1;
    }
    if (q->adapter == SIGNATURE_ADAPTER_JSON &&
        !(reply->response_format = response_format(q->sig, err)))
        return -1;
    return add_notes(reply, &q->notes, err) < 0 ? -1 : add_notes(reply, &prompt->notes, err);
}

int inquiry_render(const struct catalog *c, const struct framing *builtin,
                   const struct signature_render_request *asked, struct prompt_reply **out,
                   struct err *err)
{
    struct inquiry_question q = {0};
    struct prompt prompt = {0};
    struct prompt_reply *reply = NULL;
    int rc = -1;

    if (inquiry_question_make(c, builtin, asked->question, &q, err) == 0 &&
        inquiry_question_render(&q, q.adapter, &prompt, err) == 0 &&
        (reply = prompt_reply_new(err)))
        rc = fill_reply(&q, &prompt, reply, err);
    prompt_clear(&prompt);
    inquiry_question_clear(&q);
    if (rc < 0) {
        prompt_reply_free(reply);
        return -1;
    }
    *out = reply;
    return 0;
}
