/* desk_run.c - see desk_run.h. */
#include "coordinator/cycle/desk_run.h"

#include "common/core/clock.h"
#include "common/core/mem.h"
#include "common/model/signature_message.h"
#include "common/model/tool_message.h"
#include "coordinator/cycle/ask.h"
#include "coordinator/cycle/desk.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/module.h"

#define CALL_MIN_MS 1000 /* an answer of a few tokens takes as long */

struct desk_question {
    struct inquiry_question asked;
    struct module *module;
    int64_t until_ms; /* no call is begun that could not end before */
};

static void question_free(struct desk_question *q)
{
    if (!q)
        return;
    module_free(q->module);
    inquiry_question_clear(&q->asked);
    mem_free(q);
}

void desk_run_clear(struct desk_run *r)
{
    question_free(r->question);
    *r = (struct desk_run){0};
}

struct desk_run *desk_run_for(struct desk_run *runs, size_t count, uint64_t turn)
{
    for (size_t i = 0; i < count; i++)
        if (runs[i].turn == turn)
            return &runs[i];
    return NULL;
}

/* 1: a request went out. 0: there is none, the module is over. -1: it could not be asked. */
static int ask(struct desk_run *r, const struct desk_lm *lm, struct err *err)
{
    struct desk_question *q = r->question;
    int64_t left_ms = q->until_ms - clock_mono_ms();
    const struct ask how = {r->turn, lm->max_tokens, left_ms};
    size_t calls;
    int rc;

    module_calls(q->module, &calls);
    if (calls > 0 && left_ms < CALL_MIN_MS && !module_answer(q->module))
        module_stop(q->module);
    if ((rc = ask_next(lm->lm, q->module, &how, err)) < 0)
        return err_prefix(err, "signature_run: the model could not be asked");
    return rc;
}

static struct response *answer(const struct desk_run *r, const struct desk_lm *lm, struct err *err)
{
    struct response *response = response_new(err);

    if (!response)
        return NULL;
    response->code = RESPONSE_CODE_OK;
    if (inquiry_report(&r->question->asked, r->question->module, lm->model,
                       &response->signature_run, err) == 0)
        return response;
    response_free(response);
    return NULL;
}

/* What ask() said, and the end where there is one. */
static int went_on(struct desk_run *r, const struct desk_lm *lm, int rc, struct desk_done *done)
{
    if (rc > 0)
        return 1;
    if (rc == 0)
        done->response = answer(r, lm, &done->err);
    desk_run_clear(r);
    return 0;
}

int desk_run_begin(struct desk_run *r, const struct desk *desk, const struct desk_lm *lm,
                   uint64_t turn, const struct signature_run_request *asked, struct desk_done *done)
{
    struct desk_question *q = mem_zalloc(sizeof *q);

    *done = (struct desk_done){0};
    if (!q) {
        err_set(&done->err, ERR_NOMEM, "signature_run");
        return 0;
    }
    if (inquiry_question_make(desk->catalog, desk->framing, asked->question, &q->asked,
                              &done->err) < 0 ||
        !(q->module = inquiry_module(&q->asked, asked, &done->err))) {
        question_free(q);
        return 0;
    }
    q->until_ms = clock_mono_ms() + lm->total_ms;
    *r = (struct desk_run){turn, q};
    return went_on(r, lm, ask(r, lm, &done->err), done);
}

int desk_run_take(struct desk_run *r, const struct desk_lm *lm, const struct lm_reply *reply,
                  struct desk_done *done)
{
    int rc;

    *done = (struct desk_done){0};
    rc = ask_take(r->question->module, reply, &done->err);
    return went_on(r, lm, rc < 0 ? -1 : ask(r, lm, &done->err), done);
}
