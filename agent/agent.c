/* agent.c - see agent.h. */
#include "agent/agent.h"
#include "agent/agent_settings.h"
#include "agent/apply/apply.h"
#include "agent/link/sleep_watch.h"
#include "agent/link/uplink.h"
#include "agent/probe/probe.h"
#include "agent/probe/process.h"
#include "agent/report/report.h"
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

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POLL_LINK 0
#define POLL_SIGNAL 1
#define POLL_OUTPUT 2
#define POLL_MAX (2 + APPLY_RUNNING_MAX)
#define LOOK_MS 5000       /* a wait at most: some polls do not count sleep, and go on after it */
#define LAST_WORDS_MS 1500 /* for receipts of the last statuses, before Goodbye */

struct agent {
    const struct agent_settings *settings; /* borrowed */
    const char *version;
    char boot_id[40];
    struct net_keys keys;
    struct net *net;
    struct net_poller *poller;
    struct probe *probe;
    struct report *report;
    struct apply *apply;
    struct uplink *uplink;
    struct sleep_watch sleep;
    int64_t heartbeat_ms; /* the coordinator's wish; 0: none yet */
    int64_t state_due_ms;
    int64_t profile_due_ms;
    bool welcomed;              /* there is a session */
    bool state_full;            /* the next state has its notes: the first of a session */
    bool profile_wanted;        /* not yet handed to the socket */
    int fds[APPLY_RUNNING_MAX]; /* outputs in the poller */
    size_t fds_count;
};

/* ---- signals: a byte in a pipe ---- */

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t stop_signals;

static void on_signal(int number)
{
    int saved = errno;

    if (number != SIGCHLD)
        stop_signals++;
    if (write(signal_pipe[1], "s", 1) < 0) /* full: the loop is awake anyway */
        errno = 0;
    errno = saved;
}

static int catch_signals(struct err *err)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGCHLD};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP};

    if (pipe(signal_pipe) < 0)
        return err_set_errno(err, errno, "pipe");
    for (size_t i = 0; i < 2; i++) {
        fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

static void drain_signals(void)
{
    char bytes[64];

    while (read(signal_pipe[0], bytes, sizeof bytes) > 0)
        ;
}

/* ---- what a plan may use now ---- */

static void take_limit(struct plan_limits *out, int64_t bytes, const char *source)
{
    if (!known_i64(bytes) || (known_i64(out->memory_bytes) && out->memory_bytes <= bytes))
        return;
    out->memory_bytes = bytes;
    snprintf(out->memory_source, sizeof out->memory_source, "%s", source);
}

/* The smallest of what is known. The reserve that plans leave free is the coordinator's: it is
 * already taken off in the plan, and is our slack for what has changed since. */
static void limits(void *arg, const int64_t *groups, size_t count, struct plan_limits *out)
{
    struct agent *a = arg;
    const struct profile *p = report_profile(a->report);
    struct state *s = NULL;
    int64_t own = 0;

    *out = (struct plan_limits){.memory_bytes = UNKNOWN_I64, .disk_free_bytes = UNKNOWN_I64};
    if (a->settings->memory_limit_bytes > 0)
        take_limit(out, a->settings->memory_limit_bytes, "the owner's memory_limit");
    if (p->metal)
        take_limit(out, p->metal->working_set_bytes, "Metal's working set");
    take_limit(out, p->memory_bytes, "physical memory");
    if (probe_state(a->probe, &s, NULL) < 0)
        return;
    /* what a replayed machine has free does not change with what runs here */
    if (!probe_is_replay(a->probe) && process_groups_memory(groups, count, &own, NULL) < 0)
        own = 0;
    if (known_i64(s->memory_available_bytes))
        take_limit(out, s->memory_available_bytes + own, "memory available now");
    out->disk_free_bytes = s->disk_free_bytes;
    state_free(s);
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
        net_poller_add_fd(a->poller, signal_pipe[0], POLL_SIGNAL, err) < 0 ||
        net_random_id(a->boot_id, sizeof a->boot_id, "b") < 0 ||
        !(a->uplink = uplink_new(a->net, &link, &handlers, clock_mono_ms(), err)))
        return -1;
    uplink_watch(a->uplink, a->poller, POLL_LINK);
    return 0;
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
    if (catch_signals(err) < 0 || net_keys_load_or_make(key_path, &a->keys, err) < 0 ||
        !(a->probe = probe_open(&probe, err)) ||
        !(a->report = report_new(a->probe, &report, err)) || open_apply(a, data_dir, err) < 0 ||
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
    if (report_refresh(a->report, &changed, &err) < 0)
        log_warn(NULL, "the last profile stands: %s", err.text);
    else if (changed) {
        log_info(NULL, "the profile has changed");
        a->profile_wanted = true;
    }
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
    if (report_state(a->report, own, a->state_full, &s, &err) < 0)
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
    drain_signals();
    now = read_clock();
    look_for_sleep(a, now.mono_ms);
    uplink_serve(a->uplink, now.mono_ms);
    apply_tick(a->apply, now);
    refresh_profile(a, now.mono_ms);
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
    while (!apply_is_idle(a->apply) && stop_signals < 2) {
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
    while (stop_signals == 0) {
        if (turn(a, next_due(a, clock_mono_ms()), err) < 0)
            return -1;
    }
    return wind_down(a, err);
}
