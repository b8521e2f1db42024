/* replay.c - a recorded or composed machine in place of the real one.
 *
 * The machine's file is read when the probe opens, by common/recording, which resolves every field
 * and says where it came from; so this backend needs no table of facts: each report is a copy.
 * Nothing of the machine that it really runs on gets into a report. Live values come from the
 * file's `state` or from a file of their own, which is read again when it changes; most recordings
 * have none, and each is then unknown. */
#include "agent/probe/backend.h"
#include "agent/probe/fact.h"
#include "agent/probe/probe.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/recording/recording.h"

#include <string.h>
#include <sys/stat.h>

struct replay_source {
    struct profile *profile;
    struct state *state; /* NULL: no live values */
    char *state_path;    /* NULL: they are in the machine's file */
    time_t state_mtime;  /* of the file when it was read */
    off_t state_size;
};

static void replay_close(void *source)
{
    struct replay_source *r = source;

    if (!r)
        return;
    profile_free(r->profile);
    state_free(r->state);
    mem_free(r->state_path);
    mem_free(r);
}

static int read_state(struct replay_source *r, struct err *err)
{
    struct state *state = NULL;
    struct stat st;
    char *text = NULL;
    size_t len = 0;
    int rc = -1;

    if (stat(r->state_path, &st) == 0) { /* before reading: a change in between is seen next time */
        r->state_mtime = st.st_mtime;
        r->state_size = st.st_size;
    }
    if (file_read(r->state_path, RECORDING_TEXT_MAX, &text, &len, err) == 0 &&
        (rc = recording_state_read(text, len, &state, err)) < 0)
        err_prefix(err, "%s", r->state_path);
    mem_free(text);
    if (rc < 0)
        return -1;
    state_free(r->state);
    r->state = state;
    return 0;
}

static int read_machine(struct replay_source *r, const char *path, struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = -1;

    if (file_read(path, RECORDING_TEXT_MAX, &text, &len, err) == 0 &&
        (rc = recording_read(text, len, &r->profile, &r->state, err)) < 0)
        err_prefix(err, "%s", path);
    mem_free(text);
    return rc;
}

static int replay_open(const struct probe_options *options, void **source, struct err *err)
{
    struct replay_source *r;

    if (!options->replay_path)
        return err_set(err, ERR_INVALID,
                       "a file of live values goes with a replayed machine, and there is none");
    if (!(r = mem_zalloc(sizeof *r)))
        return err_set(err, ERR_NOMEM, "replay");
    if (read_machine(r, options->replay_path, err) < 0 ||
        (options->state_path &&
         (!(r->state_path = mem_strdup(options->state_path)) || read_state(r, err) < 0))) {
        replay_close(r);
        return -1;
    }
    *source = r;
    return 0;
}

/* Move a copy of `from` into the empty record `to`. */
static int copy_into(const struct record_type *type, const void *from, void *to, struct err *err)
{
    void *copy = record_dup(type, from, err);

    if (!copy)
        return -1;
    memcpy(to, copy, type->size);
    mem_free(copy); /* the block alone: what it owned is `to`'s now */
    return 0;
}

static int replay_profile(void *source, struct profile *out, struct err *err)
{
    const struct replay_source *r = source;

    if (copy_into(&profile_type, r->profile, out, err) < 0)
        return -1;
    return profile_explain_rest(out, "not in the recording", err);
}

static int replay_state(void *source, struct state *out, struct err *err)
{
    struct replay_source *r = source;
    struct stat st;

    /* A file that is half written does not parse: the last good values stand until it does. */
    if (r->state_path && stat(r->state_path, &st) == 0 &&
        (st.st_mtime != r->state_mtime || st.st_size != r->state_size))
        read_state(r, NULL);
    if (!r->state)
        return state_explain_rest(out, "the recording holds no live values", err);
    if (copy_into(&state_type, r->state, out, err) < 0)
        return -1;
    return state_explain_rest(out, "not in the replayed state", err);
}

/* No pause: nothing is read but a file that has changed. */
const struct probe_backend replay_backend = {"replay",       0,           replay_open, replay_close,
                                             replay_profile, replay_state};
