#include "tests/unit/coordinator/lm/fake_server.h"

#include "common/core/clock.h"
#include "common/net/poll.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void run_child(const struct fake_server *s, bool tls, const int in[2], const int out[2])
{
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[1]);
    close(out[0]);
    execl(ESPALIER_PYTHON, ESPALIER_PYTHON, ESPALIER_FAKE_LM, "--stdin", "--log", s->log,
          tls ? "--tls" : (char *)NULL, (char *)NULL);
    _exit(127);
}

int fake_server_start(struct fake_server *s, bool tls)
{
    char line[300] = "";
    int in[2], out[2], log, got = 0;
    FILE *answer;

    memset(s, 0, sizeof *s);
    strcpy(s->log, "/tmp/fake-lm-log-XXXXXX");
    log = mkstemp(s->log);
    if (log < 0 || pipe(in) < 0 || pipe(out) < 0)
        return -1;
    close(log);
    s->pid = fork();
    if (s->pid == 0)
        run_child(s, tls, in, out);
    close(in[0]);
    close(out[1]);
    s->input = in[1];
    answer = fdopen(out[0], "r");
    if (s->pid > 0 && answer && fgets(line, sizeof line, answer))
        got = sscanf(line, "ready %d %255s", &s->port, s->cert);
    if (answer)
        fclose(answer);
    if (got < 1 + tls) {
        fake_server_stop(s);
        return -1;
    }
    return 0;
}

void fake_server_stop(struct fake_server *s)
{
    if (s->pid <= 0)
        return;
    close(s->input);
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    unlink(s->log);
    s->pid = 0;
}

void fake_server_settings(const struct fake_server *s, const char *behaviour, char url[256],
                          struct lm_settings *out)
{
    lm_settings_init(out);
    snprintf(url, 256, "http://127.0.0.1:%d/%s/v1", s->port, behaviour);
    out->backend = LM_BACKEND_HTTP;
    out->url = url;
    out->model = "tiny";
    out->total_ms = FAKE_WAIT_MS;
}

int fake_server_requests(const struct fake_server *s, const char *behaviour, char *line,
                         size_t size)
{
    char wanted[128], *next = NULL;
    FILE *log = fopen(s->log, "r");
    size_t room = 0;
    int count = 0;

    snprintf(wanted, sizeof wanted, "\"path\": \"/%s/", behaviour);
    while (log && getline(&next, &room, log) > 0) {
        if (!strstr(next, wanted))
            continue;
        count++;
        if (line)
            snprintf(line, size, "%s", next);
    }
    free(next);
    if (log)
        fclose(log);
    return count;
}

void fake_ask(struct lm *lm, uint64_t tag, int64_t total_ms)
{
    struct lm_request *r = lm_request_new(tag, "Test", NULL);
    struct err err = {0};

    assert_non_null(r);
    assert_int_equal(lm_request_add(r, "system", "Be \"brief\".", NULL), 0);
    assert_int_equal(lm_request_add(r, "user", "Which Mac?\n", NULL), 0);
    r->total_ms = total_ms;
    if (lm_submit(lm, &r, &err) < 0)
        fail_msg("%s", err.text);
    assert_null(r);
}

struct lm_reply *fake_wait(struct lm *lm)
{
    struct net_poller *p = net_poller_new(1, NULL);
    int64_t end = clock_mono_ms() + FAKE_WAIT_MS + 5000;
    struct lm_reply *r = NULL;
    int id;

    assert_int_equal(net_poller_add_actor(p, lm_actor(lm), 1, NULL), 0);
    while (!(r = lm_receive(lm)) && clock_mono_ms() < end)
        net_poller_wait(p, 1000, &id, 1);
    net_poller_free(p);
    assert_non_null(r);
    return r;
}
