/* check_device.c - see check_device.h. */
#include "agent/check_device.h"
#include "agent/agent_settings.h"
#include "agent/check/finding.h"
#include "agent/check/greeting.h"
#include "agent/check/reach.h"
#include "agent/probe/probe.h"
#include "agent/report/report.h"
#include "common/core/clock.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/net/keys.h"
#include "common/net/net.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is found out on the way and wanted further on. */
struct device_check {
    struct findings *findings;
    const struct agent_settings *settings;
    const char *version;
    char server_key[AGENT_KEY_TEXT_MAX];
    struct net_keys keys;
    bool addressed; /* coordinator and server_key are set, and usable */
    bool has_keys;
    bool runs; /* an agent has the folder */
    char digest[32];
};

static void check_settings(struct device_check *c, const char *file)
{
    const struct agent_settings *s = c->settings;
    struct finding *item;
    struct err err;

    if (!s->coordinator) {
        item = finding_add(c->findings, "settings", FINDING_FAIL, "coordinator is not set%s%s",
                           file ? " in " : "", file ? file : "");
        finding_todo(item, "coordinator = tcp://HOST:7420, with the name or address of the machine "
                           "that coordinates, in the settings file, or --coordinator");
        return;
    }
    if (agent_server_key(s, c->server_key, &err) < 0) {
        item = finding_add(c->findings, "settings", FINDING_FAIL, "%s", err.text);
        finding_todo(item, "espalier-coordinator key, on the machine that coordinates, prints it");
        return;
    }
    c->addressed = true;
    finding_add(c->findings, "settings", FINDING_OK, "%s%s%s", s->coordinator,
                file ? ", from " : "", file ? file : "");
}

static void check_folder(struct device_check *c, const char *dir)
{
    char *path = file_path(NULL, "%s/agent.key", dir);
    struct finding *item;
    struct err err;

    if (access(dir, W_OK | X_OK) < 0) {
        item = finding_add(c->findings, "folder", FINDING_FAIL, "%s cannot be written to", dir);
        finding_todo(item,
                     "run this as the user that the agent runs as, or give that user the "
                     "folder: chown -R USER '%s'",
                     dir);
    } else if (!path || net_keys_load_or_make(path, &c->keys, &err) < 0) {
        finding_add(c->findings, "folder", FINDING_FAIL, "%s", path ? err.text : "no memory");
    } else {
        c->has_keys = true;
        finding_add(c->findings, "folder", FINDING_OK, "%s; key %s", dir, c->keys.public_key);
    }
    mem_free(path);
}

static void check_instance(struct device_check *c, const char *dir)
{
    char *path = file_path(NULL, "%s/agent.lock", dir);
    struct finding *item;
    struct err err;
    int lock = -1;

    if (path && file_lock(path, &lock, &err) == 0) {
        item = finding_add(c->findings, "agent", FINDING_WARN, "no agent runs with this folder");
        finding_todo(item, "espalier-agent starts one; deploy/service install agent makes a daemon "
                           "of it");
    } else if (path && err.code == ERR_BUSY) {
        c->runs = true;
        finding_add(c->findings, "agent", FINDING_OK, "one runs: %s", err.text);
    } else {
        finding_add(c->findings, "agent", FINDING_FAIL, "%s", path ? err.text : "no memory");
    }
    file_unlock(lock);
    mem_free(path);
}

static void describe_machine(struct device_check *c, const struct profile *p, bool replayed)
{
    struct finding *item;

    if (replayed) {
        item = finding_add(c->findings, "machine", FINDING_WARN,
                           "%s is replayed: it is not this machine", p->chip ? p->chip : "a file");
        finding_todo(item, "take replay out of the settings to report the machine itself");
    } else if (!p->metal) {
        item = finding_add(c->findings, "machine", FINDING_WARN, "%s: no Metal device",
                           p->chip ? p->chip : "unknown chip");
        finding_todo(item,
                     p->origin == DEVICE_ORIGIN_MAC
                         ? "a virtual machine without a GPU, or a session that may not use it? "
                           "It is listed, and plans leave it out unless the job allows CPUs"
                         : "this is no Mac: it is listed, and plans leave it out unless the "
                           "job allows CPUs");
    } else {
        finding_add(c->findings, "machine", FINDING_OK, "%s, Metal device %s",
                    p->chip ? p->chip : "unknown chip", p->metal->name ? p->metal->name : "found");
    }
}

static void check_machine(struct device_check *c, const char *dir)
{
    const struct agent_settings *s = c->settings;
    struct probe_options options = {
        .replay_path = s->replay, .state_path = s->state, .volume_path = dir};
    struct report_settings settings = {s->name, c->version, UNKNOWN_F64, UNKNOWN_F64};
    struct report *report = NULL;
    struct probe *probe;
    struct err err;

    if ((probe = probe_open(&options, &err)) &&
        (report = report_new(probe, &settings, clock_mono_ms(), &err))) {
        snprintf(c->digest, sizeof c->digest, "%s", report_digest(report));
        describe_machine(c, report_profile(report), probe_is_replay(probe));
    } else {
        finding_add(c->findings, "machine", FINDING_FAIL, "%s", err.text);
    }
    report_free(report);
    probe_free(probe);
}

static void check_way(struct device_check *c)
{
    struct greeting_options options = {.endpoint = c->settings->coordinator,
                                       .server_key = c->server_key,
                                       .keys = &c->keys,
                                       .agent_version = c->version,
                                       .profile_digest = c->digest,
                                       .hello = !c->runs && c->digest[0],
                                       .patience_ms = GREETING_PATIENCE_MS};
    struct net *net;
    struct err err;

    if (!c->addressed || !c->has_keys) {
        finding_add(c->findings, "network", FINDING_SKIP, "not looked at: see above");
        return;
    }
    if (!reach_check(c->findings, c->settings->coordinator, REACH_PATIENCE_MS))
        return;
    if (!(net = net_new(1, &err))) {
        finding_add(c->findings, "keys", FINDING_FAIL, "%s", err.text);
        return;
    }
    greeting_check(c->findings, net, &options);
    net_free(net);
    if (c->runs)
        finding_add(c->findings, "session", FINDING_SKIP,
                    "the agent that runs has it, and one device has one: its log tells how it is");
}

void check_device(struct findings *f, const struct agent_settings *s, const char *file,
                  const char *dir, const char *version)
{
    struct device_check c = {.findings = f, .settings = s, .version = version};

    check_settings(&c, file);
    check_folder(&c, dir);
    check_instance(&c, dir);
    check_machine(&c, dir);
    check_way(&c);
    net_keys_wipe(&c.keys);
}
