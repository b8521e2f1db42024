/* agent.c - see agent.h. */
#include "agent/agent.h"
#include "agent/agent_limits.h"
#include "agent/agent_settings.h"
#include "agent/apply/apply.h"
#include "agent/bench/bench.h"
#include "agent/link/sleep_watch.h"
#include "agent/link/uplink.h"
#include "agent/measured.h"
#include "agent/probe/probe.h"
#include "agent/probe/process.h"
#include "agent/report/report.h"
#include "agent/signals.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/model/agent_message.h"
#include "common/net/keys.h"
#include "common/net/net.h"
#include "common/net/poll.h"

#include <stdio.h>
#include <string.h>

#define POLL_LINK 0
#define POLL_SIGNAL 1
#define POLL_MEASURED 2
#define POLL_OUTPUT 3
#define POLL_MAX (3 + APPLY_RUNNING_MAX)
#define LOOK_MS 5000        /* a wait at most: some polls do not count sleep, and go on after it */
#define QUIET_LOOK_MS 30000 /* between looks whether the machine may be measured */
#define LAST_WORDS_MS 1500  /* for receipts of the last statuses, before Goodbye */

struct agent {
    const struct agent_settings *settings; /* borrowed */
    const char *version;
    char boot_id[40];
    struct net_keys keys;
    struct net *net;
    struct net_poller *poller;
    struct probe *probe;
    struct report *report;
    struct measured *measured;
    struct apply *apply;
    struct uplink *uplink;
    struct sleep_watch sleep;
    int64_t heartbeat_ms; /* the coordinator's wish; 0: none yet */
    int64_t state_due_ms;
    int64_t profile_due_ms;
    int64_t measure_due_ms;     /* look whether the machine is quiet enough */
    bool welcomed;              /* there is a session */
    bool state_full;            /* the next state has its notes: the first of a session */
    bool profile_wanted;        /* not yet handed to the socket */
    int fds[APPLY_RUNNING_MAX]; /* outputs in the poller */
    size_t fds_count;
};

/* What a plan may use now. What a replayed machine has free does not change with what runs here. */
static void limits(void *arg, const int64_t *groups, size_t count, struct plan_limits *out)
{
    struct agent *a = arg;

    agent_limits(a->probe, report_profile(a->report), a->settings->memory_limit_bytes, groups,
                 count, clock_mono_ms(), out);
}

/* ---- what the link tells ---- */

static int fill_hello(void *arg, struct hello *hello, struct err *err)
{
    struct agent *a = arg;

    hello->highest_generation = apply_highest_generation(a->apply);
    if (text_set(&hello->agent_version, a->version, err) < 0 ||
        text_set(&hello->boot_id, a->boot_id, err) < 0 ||
        text_set(&hello->profile_digest, report_digest(a->report), err) < 0)
        return -1;
    return 0;
}

static void on_welcome(void *arg, const struct welcome *w)
{
    struct agent *a = arg;
    struct err err;

    if (!a->welcomed) /* else it was asked whether it is still there */
        log_info(a->settings->coordinator, "welcome as %s, coordinator %s%s%s", w->device_id,
                 w->coordinator_id, w->coordinator_version ? " version " : "",
                 w->coordinator_version ? w->coordinator_version : "");
    a->welcomed = true;
    if (apply_identity(a->apply, w->coordinator_id, w->device_id, &err) < 0)
        log_err(w->coordinator_id, "%s", err.text);
    a->heartbeat_ms = w->heartbeat_ms;
    a->profile_wanted = w->want_profile == TRI_TRUE;
    a->state_full = true;
    a->state_due_ms = 0;
}

static void on_lost(void *arg)
{
    struct agent *a = arg;

    a->welcomed = false;
}

static struct apply_clock read_clock(void)
{
    return (struct apply_clock){clock_mono_ms(), clock_wall_ms()};
}

static void on_assignment(void *arg, struct assignment **moved)
{
    struct agent *a = arg;

    log_info((*moved)->job_id, "assignment of plan %s, generation %lld",
             (*moved)->plan_id ? (*moved)->plan_id : "?", (long long)(*moved)->generation);
    apply_assignment(a->apply, *moved, read_clock());
}

static void on_cancel(void *arg, const struct cancel *cancel)
{
    struct agent *a = arg;

    apply_cancel(a->apply, cancel, read_clock());
}

static void on_settled(void *arg, uint64_t tag, const struct refusal *refusal)
{
    struct agent *a = arg;

    (void)refusal; /* logged by the link; what is refused for good is not sent again */
    apply_settled(a->apply, tag);
}

/* ---- a life ---- */

static int open_link(struct agent *a, struct err *err)
{
    struct uplink_handlers handlers = {a,         fill_hello, on_welcome, on_lost, on_assignment,
                                       on_cancel, on_settled};
    struct uplink_settings link = {.endpoint = a->settings->coordinator, .keys = &a->keys};
    char server_key[AGENT_KEY_TEXT_MAX];

    if (!a->settings->coordinator)
        return err_set(err, ERR_INVALID, "coordinator: not set, wanted tcp://HOST:7420");
    if (agent_server_key(a->settings, server_key, err) < 0)
        return -1;
    link.server_key = server_key;
    if (!(a->net = net_new(1, err)) || !(a->poller = net_poller_new(POLL_MAX, err)) ||
        net_poller_add_fd(a->poller, signals_fd(), POLL_SIGNAL, err) < 0 ||
        net_random_id(a->boot_id, sizeof a->boot_id, "b") < 0 ||
        !(a->uplink = uplink_new(a->net, &link, &handlers, clock_mono_ms(), err)))
        return -1;
    uplink_watch(a->uplink, a->poller, POLL_LINK);
    return 0;
}

/* What was measured goes into the profile; the digest then differs, and the coordinator asks. */
static int use_measured(struct agent *a, bool *changed, struct err *err)
{
    const struct bench_result *r = measured_result(a->measured);
    char text[3 * BENCH_TEXT_MAX];

    *changed = false;
    if (!r)
        return 0;
    bench_describe(r, text, sizeof text);
    if (report_measured(a->report, r->flops, r->bandwidth, text, err) < 0)
        return -1;
    return report_refresh(a->report, clock_mono_ms(), changed, err);
}

static int open_measured(struct agent *a, const char *data_dir, struct err *err)
{
    bool changed;

    if (probe_is_replay(a->probe))
        return 0;
    if (!(a->measured = measured_new(data_dir, report_profile(a->report)->chip, err)))
        return -1;
    return use_measured(a, &changed, err);
}

static int open_apply(struct agent *a, const char *data_dir, struct err *err)
{
    const struct agent_settings *s = a->settings;
    struct apply_settings settings = {
        .folder = data_dir,
        .command = {.argv = s->on_plan,
                    .user = s->on_plan_user,
                    .nice = (int)s->on_plan_nice,
                    .time_limit_ms = s->on_plan_time_limit_ms,
                    .grace_ms = s->on_plan_grace_ms,
                    .output_max_bytes = s->on_plan_output_bytes},
        .rerun_interrupted = s->rerun_interrupted,
        .model_dir = s->model_dir,
        .data_dir = s->data,
    };
    struct apply_handlers handlers = {a, limits};

    if (s->on_plan && command_check(&settings.command, s->allow_root, err) < 0)
        return -1;
    return (a->apply = apply_open(&settings, &handlers, read_clock(), err)) ? 0 : -1;
}

struct agent *agent_new(const struct agent_settings *settings, const char *data_dir,
                        const char *version, struct err *err)
{
    struct probe_options probe = {
        .replay_path = settings->replay, .state_path = settings->state, .volume_path = data_dir};
    struct report_settings report = {
        .name = settings->name,
        .agent_version = version,
        .up_bps = settings->up_bps > 0 ? settings->up_bps : UNKNOWN_F64,
        .down_bps = settings->down_bps > 0 ? settings->down_bps : UNKNOWN_F64};
    char *key_path = file_path(err, "%s/agent.key", data_dir);
    struct agent *a = mem_zalloc(sizeof *a);

    if (!a)
        err_set(err, ERR_NOMEM, "agent");
    if (!a || !key_path)
        goto fail;
    a->settings = settings;
    a->version = version;
    if (signals_catch(err) < 0 || net_keys_load_or_make(key_path, &a->keys, err) < 0 ||
        !(a->probe = probe_open(&probe, err)) ||
        !(a->report = report_new(a->probe, &report, clock_mono_ms(), err)) ||
        open_measured(a, data_dir, err) < 0 || open_apply(a, data_dir, err) < 0 ||
        open_link(a, err) < 0)
        goto fail;
    sleep_watch_init(&a->sleep, clock_mono_ms(), clock_awake_ms());
    a->profile_due_ms = clock_mono_ms() + settings->profile_interval_ms;
    mem_free(key_path);
    return a;
fail:
    mem_free(key_path);
    agent_free(a);
    return NULL;
}

void agent_free(struct agent *a)
{
    if (!a)
        return;
    measured_free(a->measured);
    uplink_free(a->uplink);
    apply_free(a->apply);
    report_free(a->report);
    probe_free(a->probe);
    net_poller_free(a->poller);
    net_free(a->net);
    net_keys_wipe(&a->keys);
    mem_free(a);
}

/* ---- the loop ---- */

/* Statuses and measurements: from the disk to the link, as many as it keeps. */
static void forward_reports(struct agent *a, struct apply_clock now)
{
    struct agent_message *message;
    uint64_t tag;
    struct err err;

    while (uplink_room(a->uplink) > 0 && (message = apply_next_report(a->apply, now, &tag))) {
        if (uplink_keep(a->uplink, tag, &message, &err) < 0) {
            log_err(a->settings->coordinator, "%s", err.text);
            agent_message_free(message);
        }
    }
}

static void send_profile(struct agent *a)
{
    if (a->profile_wanted && uplink_send_profile(a->uplink, report_profile(a->report)) == 0)
        a->profile_wanted = false;
}

static void refresh_profile(struct agent *a, int64_t now_ms)
{
    struct err err;
    bool changed;

    if (now_ms < a->profile_due_ms)
        return;
    a->profile_due_ms = now_ms + a->settings->profile_interval_ms;
    if (report_refresh(a->report, now_ms, &changed, &err) < 0)
        log_warn(NULL, "the last profile stands: %s", err.text);
    else if (changed) {
        log_info(NULL, "the profile has changed");
        a->profile_wanted = true;
    }
}

/* Once after joining, while no command of a plan would suffer. */
static void measure(struct agent *a, int64_t now_ms)
{
    struct state *s = NULL;
    struct err err;
    bool changed;

    if (!a->measured || !a->settings->bench)
        return;
    if (measured_finish(a->measured)) {
        if (use_measured(a, &changed, &err) < 0)
            log_warn(NULL, "the last profile stands: %s", err.text);
        else
            a->profile_wanted |= changed;
    }
    if (!a->welcomed || now_ms < a->measure_due_ms || !measured_is_wanted(a->measured) ||
        !apply_is_idle(a->apply) || probe_state(a->probe, clock_mono_ms(), &s, NULL) < 0)
        return;
    a->measure_due_ms = now_ms + QUIET_LOOK_MS;
    measured_start(a->measured, a->net, a->poller, POLL_MEASURED, s);
    state_free(s);
}

static int64_t state_interval(const struct agent *a)
{
    int64_t own = a->settings->state_interval_ms;

    return a->heartbeat_ms > 0 && a->heartbeat_ms < own ? a->heartbeat_ms : own;
}

static void send_state(struct agent *a, int64_t now_ms)
{
    int64_t groups[APPLY_RUNNING_MAX], own = UNKNOWN_I64;
    struct state *s = NULL;
    struct err err;

    if (!uplink_is_open(a->uplink) || now_ms < a->state_due_ms)
        return;
    a->state_due_ms = now_ms + state_interval(a);
    if (!probe_is_replay(a->probe) &&
        process_groups_memory(groups, apply_groups(a->apply, groups, APPLY_RUNNING_MAX), &own,
                              NULL) < 0)
        own = UNKNOWN_I64;
    if (report_state(a->report, own, a->state_full, now_ms, &s, &err) < 0)
        log_warn(NULL, "no state: %s", err.text);
    else if (uplink_send_state(a->uplink, s) == 0)
        a->state_full = false;
    state_free(s);
}

/* Outputs leave the poller before anything may close them, and come back afterwards. */
static void unwatch_outputs(struct agent *a)
{
    for (size_t i = 0; i < a->fds_count; i++)
        net_poller_remove_fd(a->poller, a->fds[i]);
    a->fds_count = 0;
}

static void watch_outputs(struct agent *a)
{
    size_t count = apply_fds(a->apply, a->fds, APPLY_RUNNING_MAX);

    for (size_t i = 0; i < count; i++) {
        if (net_poller_add_fd(a->poller, a->fds[i], POLL_OUTPUT + (int)i, NULL) == 0)
            a->fds[a->fds_count++] = a->fds[i];
    }
}

/* Before anything is done with the connection: what it was told may never have left. */
static void look_for_sleep(struct agent *a, int64_t now_ms)
{
    int64_t slept = sleep_watch_look(&a->sleep, now_ms, clock_awake_ms());

    if (slept == 0)
        return;
    log_info(a->settings->coordinator, "slept %lld s: connecting anew", (long long)slept / 1000);
    uplink_wake(a->uplink, now_ms);
}

static int64_t next_due(const struct agent *a, int64_t now_ms)
{
    int64_t due = uplink_due(a->uplink, now_ms), apply = apply_due(a->apply);

    if (apply < due)
        due = apply;
    if (a->profile_due_ms < due)
        due = a->profile_due_ms;
    if (uplink_is_open(a->uplink) && a->state_due_ms < due)
        due = a->state_due_ms;
    if (due - now_ms > LOOK_MS)
        return LOOK_MS;
    return due > now_ms ? due - now_ms : 0;
}

static int turn(struct agent *a, int64_t wait_ms, struct err *err)
{
    int ids[POLL_MAX];
    struct apply_clock now;

    watch_outputs(a);
    if (net_poller_wait(a->poller, wait_ms, ids, POLL_MAX) < 0)
        return err_set(err, ERR_INTERNAL, "the network is shutting down");
    unwatch_outputs(a);
    signals_drain();
    now = read_clock();
    look_for_sleep(a, now.mono_ms);
    uplink_serve(a->uplink, now.mono_ms);
    apply_tick(a->apply, now);
    refresh_profile(a, now.mono_ms);
    measure(a, now.mono_ms);
    send_profile(a);
    send_state(a, now.mono_ms);
    forward_reports(a, now);
    if (uplink_kept(a->uplink) > 0)
        uplink_serve(a->uplink, now.mono_ms);
    return 0;
}

/* Commands end by themselves or by SIGKILL after their grace; then what became of them is told. */
static int wind_down(struct agent *a, struct err *err)
{
    int64_t until;

    log_info(NULL, "stopping");
    apply_stop(a->apply, read_clock());
    while (!apply_is_idle(a->apply) && signals_stops() < 2) {
        if (turn(a, 100, err) < 0)
            return -1;
    }
    until = clock_mono_ms() + LAST_WORDS_MS;
    do {
        if (turn(a, 20, err) < 0)
            return -1;
    } while (uplink_is_open(a->uplink) && uplink_kept(a->uplink) > 0 && clock_mono_ms() < until);
    uplink_send_goodbye(a->uplink, "stopped");
    return 0;
}

int agent_run(struct agent *a, struct err *err)
{
    log_info(a->settings->coordinator, "espalier-agent %s, key %s, probing %s", a->version,
             a->keys.public_key, probe_backend_name(a->probe));
    while (signals_stops() == 0) {
        if (turn(a, next_due(a, clock_mono_ms()), err) < 0)
            return -1;
    }
    return wind_down(a, err);
}
