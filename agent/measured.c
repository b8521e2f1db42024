/* measured.c - see measured.h. */
#include "agent/measured.h"
#include "agent/bench/bench.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/net/actor.h"
#include "common/net/poll.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Others at work: runnable processes for each core, and the busy share of the GPU. What is unknown
 * counts as quiet. */
#define QUIET_LOAD 0.5
#define QUIET_GPU 0.2

/* A part of what is free, so that the measurement itself pushes nothing out. */
#define BUFFERS_OF_FREE 16

struct measured {
    char *path;
    char *chip; /* "" unknown */
    struct bench_result result;
    bool known;
    bool tried; /* begun in this life */
    struct bench_options options;
    char conditions[BENCH_TEXT_MAX];
    struct actor *actor;       /* under way */
    struct net_poller *poller; /* that it is in; borrowed */
};

static void load(struct measured *m)
{
    struct err err;

    if (bench_load(m->path, &m->result, &err) < 0) {
        if (err.code != ERR_NOT_FOUND)
            log_warn(NULL, "measured anew: %s", err.text);
    } else if (strcmp(m->result.chip, m->chip) != 0) {
        log_info(NULL, "measured anew: %s is of \"%s\"", m->path, m->result.chip);
    } else {
        m->known = true;
    }
}

struct measured *measured_new(const char *dir, const char *chip, struct err *err)
{
    struct measured *m = mem_zalloc(sizeof *m);

    if (!m || !(m->path = file_path(err, "%s/bench.json", dir)) ||
        !(m->chip = mem_strndup(chip ? chip : "", BENCH_TEXT_MAX - 1))) {
        err_set(err, ERR_NOMEM, "measured");
        measured_free(m);
        return NULL;
    }
    load(m);
    return m;
}

static void end_actor(struct measured *m)
{
    if (m->actor && m->poller)
        net_poller_remove_actor(m->poller, m->actor);
    actor_stop(m->actor);
    m->actor = NULL;
}

void measured_free(struct measured *m)
{
    if (!m)
        return;
    end_actor(m);
    mem_free(m->path);
    mem_free(m->chip);
    mem_free(m);
}

const struct bench_result *measured_result(const struct measured *m)
{
    return m->known ? &m->result : NULL;
}

bool measured_is_wanted(const struct measured *m)
{
    return !m->known && !m->tried;
}

static void add_condition(char *text, const char *name, const char *value)
{
    size_t len = strlen(text);

    snprintf(text + len, BENCH_TEXT_MAX - len, "%s%s %s", len ? ", " : "", name, value);
}

/* What is known of how the machine is now, and matters to how fast it is. */
static void describe_conditions(const struct state *s, char text[BENCH_TEXT_MAX])
{
    char load_text[16];

    text[0] = '\0';
    if (s->thermal)
        add_condition(text, "thermal", enum_name(&thermal_names, s->thermal));
    if (s->power_source)
        add_condition(text, "power", enum_name(&power_source_names, s->power_source));
    if (s->low_power_mode == TRI_TRUE)
        add_condition(text, "low-power mode", "on");
    if (known_f64(s->load_average)) {
        snprintf(load_text, sizeof load_text, "%.1f", s->load_average);
        add_condition(text, "load", load_text);
    }
}

static bool is_quiet(const struct state *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return !(known_f64(s->load_average) && s->load_average > QUIET_LOAD * (double)cores) &&
           !(known_f64(s->gpu_load) && s->gpu_load > QUIET_GPU);
}

static void prepare(struct measured *m, const struct state *state)
{
    m->tried = true;
    m->options = (struct bench_options){.seconds = BENCH_SECONDS};
    if (known_i64(state->memory_available_bytes) &&
        state->memory_available_bytes / BUFFERS_OF_FREE < BENCH_BUFFER_BYTES)
        m->options.buffer_bytes = (size_t)(state->memory_available_bytes / BUFFERS_OF_FREE) + 1;
    describe_conditions(state, m->conditions);
}

/* The result is this machine's from now on. */
static void keep(struct measured *m, const struct bench_result *r)
{
    struct err err;

    m->result = *r;
    m->result.at_ms = clock_wall_ms();
    snprintf(m->result.conditions, sizeof m->result.conditions, "%s", m->conditions);
    snprintf(m->result.chip, sizeof m->result.chip, "%s", m->chip);
    m->known = true;
    log_info(NULL, "measured: %.3g FLOP/s, %.3g bytes/s (%s)", r->flops, r->bandwidth, r->how);
    if (bench_save(m->path, &m->result, &err) < 0)
        log_warn(NULL, "measured again after the next start: %s", err.text);
}

/* ---- on a thread ---- */

static bool is_stopping(void *arg)
{
    return pipe_is_stopping(arg);
}

static void measure(struct actor_pipe *pipe, void *arg)
{
    const struct measured *m = arg;
    struct bench_options options = m->options;
    struct bench_result *r = mem_zalloc(sizeof *r);
    struct err err;

    options.stop = is_stopping;
    options.stop_arg = pipe;
    actor_ready(pipe);
    if (r && bench_run(&options, r, &err) == 0)
        pipe_send(pipe, r);
    else
        mem_free(r);
}

static const struct actor_type measuring = {"measure", measure, mem_free, mem_free};

void measured_start(struct measured *m, struct net *net, struct net_poller *poller, int id,
                    const struct state *state)
{
    struct err err;

    if (!measured_is_wanted(m) || !is_quiet(state))
        return;
    prepare(m, state);
    m->poller = poller;
    if (!(m->actor = actor_start(net, &measuring, m, &err)) ||
        net_poller_add_actor(poller, m->actor, id, &err) < 0)
        log_warn(NULL, "not measured: %s", err.text);
}

bool measured_finish(struct measured *m)
{
    struct bench_result *r;

    if (!m->actor || (!(r = actor_receive(m->actor)) && !actor_has_ended(m->actor)))
        return false;
    if (r)
        keep(m, r);
    else
        log_warn(NULL, "not measured: it could not be run to its end");
    end_actor(m);
    mem_free(r);
    return m->known;
}

const struct bench_result *measured_now(struct measured *m, const struct state *state,
                                        struct err *err)
{
    struct bench_result r;

    prepare(m, state);
    if (bench_run(&m->options, &r, err) < 0)
        return NULL;
    keep(m, &r);
    return &m->result;
}
