/* inquiry_check.c - a saved program held against a signature. */
#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/signature_message.h"
#include "coordinator/signature/inquiry.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/signature.h"

#include <string.h>

static int add_notes(char ***to, size_t *count, const struct notes *from, struct err *err)
{
    for (size_t i = 0; i < from->count; i++)
        if (texts_add(to, count, from->items[i], err) < 0)
            return -1;
    return 0;
}

static int add_changes(const struct state_application *a, struct signature_check_reply *reply,
                       struct err *err)
{
    for (size_t i = 0; i < a->changes_count; i++) {
        struct state_difference *d =
            records_add(&state_difference_type, &reply->changes, &reply->changes_count, err);

        if (!d || text_set(&d->what, a->changes[i].what, err) < 0 ||
            text_set(&d->was, a->changes[i].was, err) < 0 ||
            text_set(&d->becomes, a->changes[i].becomes, err) < 0)
            return -1;
    }
    return 0;
}

static struct signature_check_reply *describe(const struct program_state *state,
                                              const struct state_predictor *p,
                                              const struct state_application *a, struct err *err)
{
    struct signature_check_reply *reply = signature_check_reply_new(err);

    if (!reply)
        return NULL;
    reply->demos = (int64_t)a->demos_count;
    if (text_set(&reply->state_path, p->path, err) < 0 ||
        text_set(&reply->dspy, state->dspy, err) < 0 || add_changes(a, reply, err) < 0 ||
        add_notes(&reply->notes, &reply->notes_count, &state->notes, err) < 0 ||
        add_notes(&reply->notes, &reply->notes_count, &a->notes, err) < 0) {
        signature_check_reply_free(reply);
        return NULL;
    }
    return reply;
}

const struct state_predictor *inquiry_predictor(const struct program_state *state, const char *path,
                                                struct err *err)
{
    const struct state_predictor *p;

    if (!path)
        return program_state_only(state, err);
    if (!(p = program_state_find(state, path)))
        err_set(err, ERR_NOT_FOUND, "state_path: the program has no predictor \"%.80s\"", path);
    return p;
}

int inquiry_check(const struct catalog *c, const struct signature_check_request *asked,
                  struct signature_check_reply **out, struct err *err)
{
    struct signature *sig = inquiry_choose(c, asked->signature, err);
    struct program_state *state = NULL;
    struct state_application a = {0};
    const struct state_predictor *p;
    struct signature_check_reply *reply = NULL;

    if (sig && (state = program_state_read("state", asked->state, strlen(asked->state), err)) &&
        (p = inquiry_predictor(state, asked->state_path, err)) &&
        program_state_apply(p, sig, asked->as_text == TRI_TRUE, &a, err) == 0)
        reply = describe(state, p, &a, err);
    state_application_clear(&a);
    program_state_free(state);
    signature_free(sig);
    if (!reply)
        return -1;
    *out = reply;
    return 0;
}
