/* probe.c - chooses the backend; see probe.h. */
#include "agent/probe/probe.h"
#include "agent/probe/backend.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"

struct probe {
    const struct probe_backend *backend;
    void *source; /* the backend's own */
};

struct probe *probe_open(const struct probe_options *options, struct err *err)
{
    struct probe *p = mem_zalloc(sizeof *p);

    if (!p) {
        err_set(err, ERR_NOMEM, "probe");
        return NULL;
    }
    p->backend = options->replay_path || options->state_path ? &replay_backend : &linux_backend;
    if (p->backend->open(options, &p->source, err) < 0) {
        mem_free(p);
        return NULL;
    }
    return p;
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    p->backend->close(p->source);
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

int probe_profile(struct probe *p, struct profile **out, struct err *err)
{
    struct profile *profile = profile_new(err);

    if (!profile || p->backend->profile(p->source, profile, err) < 0 ||
        record_check(&profile_type, profile, err) < 0) {
        profile_free(profile);
        return err_prefix(err, "%s profile", p->backend->name);
    }
    *out = profile;
    return 0;
}

int probe_state(struct probe *p, struct state **out, struct err *err)
{
    struct state *state = state_new(err);

    if (!state || p->backend->state(p->source, state, err) < 0 ||
        record_check(&state_type, state, err) < 0) {
        state_free(state);
        return err_prefix(err, "%s state", p->backend->name);
    }
    *out = state;
    return 0;
}
