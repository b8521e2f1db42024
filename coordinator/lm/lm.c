/* lm.c - the owner's side: settings, requests, replies, and the actor around a backend. */
#include "coordinator/lm/lm.h"

#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/net/actor.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_flight.h"
#include "coordinator/lm/lm_recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lm {
    const struct lm_backend_ops *ops;
    void *self; /* the backend's; NULL: not open */
    struct actor *actor;
    size_t outstanding; /* submitted and not yet received */
    unsigned refused;   /* formats, as in a reply */
    struct lm_flights *flights;
    struct lm_cache cache;
    int record_fd;  /* -1: nothing is recorded */
    bool is_asking; /* an endpoint, where equal questions have one answer */
    char *model;
    double temperature;
    int64_t total_ms;
};

void lm_settings_init(struct lm_settings *s)
{
    *s = (struct lm_settings){.backend = LM_BACKEND_NONE,
                              .connect_ms = LM_CONNECT_MS,
                              .first_byte_ms = LM_FIRST_BYTE_MS,
                              .total_ms = LM_TOTAL_MS,
                              .response_max = LM_RESPONSE_MAX,
                              .parallel = LM_PARALLEL,
                              .retries = LM_RETRIES,
                              .retry_ms = LM_RETRY_MS,
                              .temperature = UNKNOWN_F64};
}

/* ---- the key ---- */

/* Its first line without blanks around it; refused where a header could not carry it. */
static int key_check(const char *from, char *text, struct err *err)
{
    size_t start = strspn(text, " \t\r\n"), len = strcspn(text + start, "\r\n");

    memmove(text, text + start, len);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    text[len] = '\0';
    if (len == 0)
        return err_set(err, ERR_INVALID, "%s: holds no key", from);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return err_set(err, ERR_INVALID,
                           "%s: the key has a blank or a character that is not ASCII at place %zu",
                           from, i + 1);
    return 0;
}

static void key_free(char *key)
{
    if (key)
        mem_wipe(key, strlen(key));
    mem_free(key);
}

int lm_key_read(const char *file, const char *env_name, char **out, struct err *err)
{
    const char *value = env_name ? getenv(env_name) : NULL, *from = env_name;
    char *key = NULL;

    if (file) {
        from = file;
        if (file_read(file, LM_KEY_MAX, &key, NULL, err) < 0)
            return -1;
    } else if (value && strlen(value) > LM_KEY_MAX) {
        return err_set(err, ERR_TOO_BIG, "%s: a key of %zu bytes, limit %d", from, strlen(value),
                       LM_KEY_MAX);
    } else if (value && *value && !(key = mem_strdup(value))) {
        return err_set(err, ERR_NOMEM, "%s", from);
    }
    if (key && key_check(from, key, err) < 0) {
        key_free(key);
        return -1;
    }
    *out = key;
    return 0;
}

/* ---- the actor ---- */

static void run(struct actor_pipe *pipe, void *arg)
{
    struct lm *lm = arg;

    actor_ready(pipe);
    lm->ops->run(lm->self, pipe);
}

static void free_request(void *msg)
{
    lm_request_free(msg);
}

static void free_reply(void *msg)
{
    lm_reply_free(msg);
}

static int check_settings(const struct lm_settings *s, struct err *err)
{
    const struct {
        const char *name;
        int64_t value, min, max;
    } limits[] = {{"connect_ms", s->connect_ms, 1, 3600000},
                  {"first_byte_ms", s->first_byte_ms, 1, 86400000},
                  {"total_ms", s->total_ms, 1, 86400000},
                  {"response_max", (int64_t)s->response_max, 1, LM_RESPONSE_MAX},
                  {"parallel", (int64_t)s->parallel, 1, LM_REQUESTS_MAX},
                  {"retries", s->retries, 0, 10},
                  {"retry_ms", s->retry_ms, 1, LM_RETRY_AFTER_MS}};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limits[i].value < limits[i].min || limits[i].value > limits[i].max)
            return err_set(err, ERR_INVALID, "%s: %lld, wanted %lld to %lld", limits[i].name,
                           (long long)limits[i].value, (long long)limits[i].min,
                           (long long)limits[i].max);
    if (known_f64(s->temperature) && !(s->temperature >= 0 && s->temperature <= 2))
        return err_set(err, ERR_INVALID, "temperature: %g, wanted 0 to 2", s->temperature);
    return 0;
}

static int copy_settings(struct lm *lm, const struct lm_settings *s, struct err *err)
{
    lm->total_ms = s->total_ms;
    lm->temperature = s->temperature;
    lm->is_asking = s->backend == LM_BACKEND_HTTP;
    if (s->model && !(lm->model = mem_strdup(s->model)))
        return err_set(err, ERR_NOMEM, "lm");
    if (!(lm->flights = lm_flights_new(err)))
        return -1;
    if (!lm->is_asking)
        return 0;
    lm->cache = s->cache;
    if (!s->record_file)
        return 0;
    lm->record_fd = open(s->record_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return lm->record_fd < 0 ? err_set_errno(err, errno, "%s", s->record_file) : 0;
}

struct lm *lm_start(struct net *net, const struct lm_settings *settings, struct err *err)
{
    static const struct actor_type type = {"lm", run, free_request, free_reply};
    static const struct lm_backend_ops *const backends[] = {
        [LM_BACKEND_NONE] = &lm_none_ops,
        [LM_BACKEND_HTTP] = &lm_http_ops,
        [LM_BACKEND_REPLAY] = &lm_replay_ops,
    };
    struct lm *lm;

    if (check_settings(settings, err) < 0)
        return NULL;
    if (!(lm = mem_zalloc(sizeof *lm))) {
        err_set(err, ERR_NOMEM, "lm");
        return NULL;
    }
    lm->ops = backends[settings->backend];
    lm->record_fd = -1;
    if (copy_settings(lm, settings, err) < 0 || !(lm->self = lm->ops->open(settings, err)) ||
        !(lm->actor = actor_start(net, &type, lm, err))) {
        lm_stop(lm);
        return NULL;
    }
    return lm;
}

void lm_stop(struct lm *lm)
{
    if (!lm)
        return;
    if (lm->actor && lm->ops->stopping)
        lm->ops->stopping(lm->self);
    actor_stop(lm->actor);
    if (lm->self)
        lm->ops->close(lm->self);
    lm_flights_free(lm->flights);
    if (lm->record_fd >= 0)
        close(lm->record_fd);
    mem_free(lm->model);
    mem_free(lm);
}

/* ---- the recorder ---- */

static void record_reply(const struct lm *lm, const struct lm_flight *f,
                         const struct lm_reply *reply)
{
    char *line = NULL;
    size_t len;

    if (lm->record_fd < 0)
        return;
    line = lm_recording_line(f->label, f->digest, reply, NULL);
    len = line ? strlen(line) : 0;
    if (!line || write(lm->record_fd, line, len) != (ssize_t)len)
        log_warn("lm", "an answer could not be recorded, going on without it");
    mem_free(line);
}

/* ---- requests ---- */

static int check_request(const struct lm_request *r, struct err *err)
{
    if (r->count == 0)
        return err_set(err, ERR_INVALID, "a request without messages");
    if (r->max_tokens < 1)
        return err_set(err, ERR_INVALID, "max_tokens: %lld, wanted 1 or more",
                       (long long)r->max_tokens);
    if (known_f64(r->temperature) && !(r->temperature >= 0 && r->temperature <= 2))
        return err_set(err, ERR_INVALID, "temperature: %g, wanted 0 to 2", r->temperature);
    return 0;
}

/* Off to the backend. */
static int depart(struct lm *lm, struct lm_request *r, struct err *err)
{
    if (actor_send(lm->actor, r) < 0)
        return err_set(err, ERR_INTERNAL, "the model's thread has ended");
    if (lm->ops->wake)
        lm->ops->wake(lm->self);
    return 0;
}

int lm_submit(struct lm *lm, struct lm_request **moved, struct err *err)
{
    struct lm_request *r = *moved;
    char key[SHA256_HEX_SIZE];
    struct lm_flight *f;

    if (lm->outstanding == LM_REQUESTS_MAX)
        return err_set(err, ERR_BUSY, "%d requests wait for the model already", LM_REQUESTS_MAX);
    if (check_request(r, err) < 0)
        return -1;
    r->submitted_ms = clock_mono_ms();
    if (r->total_ms <= 0)
        r->total_ms = lm->total_ms;
    lm_flight_key(r, lm_describe(lm), lm->model, lm->temperature, key);
    if (!r->reply && !(r->reply = lm_reply_new(r)))
        return err_set(err, ERR_NOMEM, "request to a model");
    if (lm->is_asking && lm_flights_join(lm->flights, key, moved)) {
        lm->outstanding++;
        return 0;
    }
    if (!(f = lm_flights_add(lm->flights, key, r, err)))
        return -1;
    if (!lm->cache.find && depart(lm, r, err) < 0) {
        lm_flights_drop(f);
        return -1;
    }
    *moved = NULL;
    lm->outstanding++;
    if (lm->cache.find) {
        f->held = r;
        lm->cache.find(lm->cache.arg, key);
    }
    return 0;
}

void lm_found(struct lm *lm, const char *key, const char *record)
{
    struct lm_flight *f = lm_flights_held(lm->flights, key);
    struct lm_request *r = f ? f->held : NULL;
    struct lm_reply *reply;
    struct err err = {0};

    if (!r)
        return;
    reply = record ? lm_recording_recall(r, record) : NULL;
    if (!reply && depart(lm, r, &err) == 0) {
        f->held = NULL;
        return;
    }
    if (!reply) {
        reply = lm_reply_take(r);
        lm_reply_fail(reply, LM_FAILURE_INTERNAL, err.code, "%s", err.text);
    }
    reply->seconds = (double)(clock_mono_ms() - r->submitted_ms) / 1000;
    record_reply(lm, f, reply);
    lm_flights_land(lm->flights, f, reply);
}

/* ---- replies ---- */

/* An answer from the endpoint, for all who asked it. */
static void land(struct lm *lm, struct lm_reply *reply)
{
    struct lm_flight *f = lm_flights_at(lm->flights, reply->place);

    if (!f) {
        lm_reply_free(reply);
        return;
    }
    record_reply(lm, f, reply);
    if (lm->cache.keep && reply->failure == LM_FAILURE_NONE) {
        char *line = lm_recording_line(f->label, f->digest, reply, NULL);

        if (line)
            lm->cache.keep(lm->cache.arg, f->key, line);
        mem_free(line);
    }
    lm_flights_land(lm->flights, f, reply);
}

static struct lm_reply *deliver(struct lm *lm)
{
    struct lm_reply *r = lm_flights_next(lm->flights);

    if (!r)
        return NULL;
    lm->outstanding--;
    lm->refused |= r->refused;
    return r;
}

struct lm_reply *lm_receive(struct lm *lm)
{
    struct lm_reply *r;

    while (!(r = deliver(lm)) && (r = actor_receive(lm->actor)))
        land(lm, r);
    return r;
}

struct lm_reply *lm_receive_wait(struct lm *lm, int64_t timeout_ms)
{
    struct lm_reply *r = lm_receive(lm);

    if (r || !(r = actor_receive_wait(lm->actor, timeout_ms)))
        return r;
    land(lm, r);
    return deliver(lm);
}

bool lm_takes(const struct lm *lm, enum lm_format format)
{
    return !(lm->refused & 1U << format);
}

struct actor *lm_actor(struct lm *lm)
{
    return lm->actor;
}

const char *lm_describe(const struct lm *lm)
{
    return lm->ops->describe(lm->self);
}
