/* lm_replay.c - the backend that answers from a recording. */
#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/net/actor.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_recording.h"

#include <stddef.h>

struct lm_replay {
    char *file;
    struct lm_recording *recording;
};

static void replay_close(void *self)
{
    struct lm_replay *r = self;

    mem_free(r->file);
    lm_recording_free(r->recording);
    mem_free(r);
}

static void *replay_open(const struct lm_settings *settings, struct err *err)
{
    struct lm_replay *r;
    char *text = NULL;
    size_t len = 0;

    if (!settings->replay_file) {
        err_set(err, ERR_INVALID, "replay: no file is set");
        return NULL;
    }
    if (!(r = mem_zalloc(sizeof *r)) || !(r->file = mem_strdup(settings->replay_file))) {
        err_set(err, ERR_NOMEM, "replay");
        goto fail;
    }
    if (file_read(r->file, JSON_TEXT_MAX, &text, &len, err) < 0 ||
        !(r->recording = lm_recording_parse(r->file, text, len, err)))
        goto fail;
    mem_free(text);
    return r;
fail:
    mem_free(text);
    if (r)
        replay_close(r);
    return NULL;
}

static void replay_run(void *self, struct actor_pipe *pipe)
{
    struct lm_replay *r = self;
    void *msg;

    for (int got; (got = pipe_receive(pipe, -1, &msg)) >= 0;) {
        struct lm_request *request = got ? msg : NULL;
        struct lm_reply *reply = request ? lm_reply_take(request) : NULL;

        if (!request)
            continue;
        lm_recording_answer(r->recording, request, reply);
        reply->seconds = (double)(clock_mono_ms() - request->submitted_ms) / 1000;
        lm_request_free(request);
        pipe_send(pipe, reply);
    }
}

static const char *replay_describe(const void *self)
{
    const struct lm_replay *r = self;

    return r->file;
}

const struct lm_backend_ops lm_replay_ops = {
    .open = replay_open, .run = replay_run, .describe = replay_describe, .close = replay_close};
