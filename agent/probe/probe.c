/* probe.c - chooses the backend, and spares it; see probe.h. */
#include "agent/probe/probe.h"
#include "agent/probe/backend.h"
#include "agent/probe/darwin_calls.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"

#ifdef __APPLE__
#define NATIVE_BACKEND (&darwin_backend)
#define NATIVE_CALLS() darwin_system_calls()
#else
#define NATIVE_BACKEND (&linux_backend)
#define NATIVE_CALLS() NULL
#endif

struct probe {
    const struct probe_backend *backend;
    void *source;            /* the backend's own */
    struct profile *profile; /* the last one; NULL: none yet */
    int64_t profile_at_ms;
    struct state *state; /* the last one; NULL: none yet */
    int64_t state_at_ms;
};

struct probe *probe_open_backend(const struct probe_backend *backend,
                                 const struct probe_options *options, struct err *err)
{
    struct probe *p = mem_zalloc(sizeof *p);

    if (!p) {
        err_set(err, ERR_NOMEM, "probe");
        return NULL;
    }
    p->backend = backend;
    if (backend->open(options, &p->source, err) < 0) {
        mem_free(p);
        return NULL;
    }
    return p;
}

struct probe *probe_open(const struct probe_options *options, struct err *err)
{
    struct probe_options native = *options;

    if (options->replay_path || options->state_path)
        return probe_open_backend(&replay_backend, options, err);
    if (!native.darwin_calls)
        native.darwin_calls = NATIVE_CALLS();
    return probe_open_backend(NATIVE_BACKEND, &native, err);
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    p->backend->close(p->source);
    profile_free(p->profile);
    state_free(p->state);
    mem_free(p);
}

const char *probe_backend_name(const struct probe *p)
{
    return p->backend->name;
}

bool probe_is_replay(const struct probe *p)
{
    return p->backend == &replay_backend;
}

/* Whether a report of that time still does. A clock that went back has been another one. */
static bool is_fresh(const struct probe *p, int64_t at_ms, int64_t now_ms)
{
    return now_ms >= at_ms && now_ms - at_ms < p->backend->pause_ms;
}

int probe_profile(struct probe *p, int64_t now_ms, struct profile **out, struct err *err)
{
    struct profile *profile, *copy;

    if (!p->profile || !is_fresh(p, p->profile_at_ms, now_ms)) {
        profile = profile_new(err);
        if (!profile || p->backend->profile(p->source, profile, err) < 0 ||
            record_check(&profile_type, profile, err) < 0) {
            profile_free(profile);
            return err_prefix(err, "%s profile", p->backend->name);
        }
        profile_free(p->profile);
        p->profile = profile;
        p->profile_at_ms = now_ms;
    }
    if (!(copy = profile_dup(p->profile, err)))
        return -1;
    *out = copy;
    return 0;
}

int probe_state(struct probe *p, int64_t now_ms, struct state **out, struct err *err)
{
    struct state *state, *copy;

    if (!p->state || !is_fresh(p, p->state_at_ms, now_ms)) {
        state = state_new(err);
        if (!state || p->backend->state(p->source, state, err) < 0 ||
            record_check(&state_type, state, err) < 0) {
            state_free(state);
            return err_prefix(err, "%s state", p->backend->name);
        }
        state_free(p->state);
        p->state = state;
        p->state_at_ms = now_ms;
    }
    if (!(copy = state_dup(p->state, err)))
        return -1;
    *out = copy;
    return 0;
}
