/* mac_lab.h - an invented Mac, probed by the real code for Macs. */
#ifndef TESTS_UNIT_AGENT_PROBE_MAC_LAB_H
#define TESTS_UNIT_AGENT_PROBE_MAC_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/probe/backend.h"
#include "agent/probe/fact.h"
#include "agent/probe/probe.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/device.h"
#include "tests/support/darwin_double.h"

#include <stdio.h>
#include <string.h>

#define WHOLE ESPALIER_TEST_DATA "/darwin/whole.json"

struct mac {
    struct probe *probe;
    struct profile *p;
    struct state *s;
};

/* Read again, at another time. */
static inline void mac_read(struct mac *m, int64_t now_ms)
{
    struct err err = {0};

    profile_free(m->p);
    state_free(m->s);
    m->p = NULL;
    m->s = NULL;
    darwin_double_clock(now_ms);
    if (probe_profile(m->probe, now_ms, &m->p, &err) < 0 ||
        probe_state(m->probe, now_ms, &m->s, &err) < 0)
        fail_msg("%s", err.text);
}

/* The machine of `path`, less or more `changes` (NULL: none), read once at time 0. */
static inline struct mac mac_open_file(const char *path, const char *changes)
{
    struct probe_options options = {.volume_path = "/", .darwin_calls = NULL};
    struct mac m = {0};
    struct err err = {0};

    options.darwin_calls = darwin_double_open(path, changes);
    if (!(m.probe = probe_open_backend(&darwin_backend, &options, &err)))
        fail_msg("%s", err.text);
    mac_read(&m, 0);
    return m;
}

static inline struct mac mac_open(const char *changes)
{
    return mac_open_file(WHOLE, changes);
}

static inline void mac_close(struct mac *m)
{
    profile_free(m->p);
    state_free(m->s);
    probe_free(m->probe);
    darwin_double_close();
}

/* The field is listed as unknown, with these words in the reason. */
static inline void want_profile_unknown(const struct mac *m, const char *field, const char *words)
{
    const char *reason = profile_find_unknown(m->p, field);

    if (!reason || !strstr(reason, words))
        fail_msg("%s is %s%s, wanted unknown because of \"%s\"", field,
                 reason ? "unknown: " : "known", reason ? reason : "", words);
}

static inline void want_state_unknown(const struct mac *m, const char *field, const char *words)
{
    const char *reason = state_find_unknown(m->s, field);

    if (!reason || !strstr(reason, words))
        fail_msg("%s is %s%s, wanted unknown because of \"%s\"", field,
                 reason ? "unknown: " : "known", reason ? reason : "", words);
}

#endif
