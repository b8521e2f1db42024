/* lm.c - the owner's side: settings, requests, replies, and the actor around a backend. */
#include "coordinator/lm/lm.h"

#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/net/actor.h"
#include "coordinator/lm/lm_backend.h"

#include <stdlib.h>
#include <string.h>

struct lm {
    const struct lm_backend_ops *ops;
    void *self; /* the backend's; NULL: not open */
    struct actor *actor;
    size_t outstanding; /* submitted and not yet received */
    unsigned refused;   /* formats, as in a reply */
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
                  {"first_byte_ms", s->first_byte_ms, 1, 3600000},
                  {"total_ms", s->total_ms, 1, 3600000},
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
    lm->total_ms = settings->total_ms;
    if (!(lm->self = lm->ops->open(settings, err)) ||
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
    mem_free(lm);
}

int lm_submit(struct lm *lm, struct lm_request **moved, struct err *err)
{
    struct lm_request *r = *moved;

    if (lm->outstanding == LM_REQUESTS_MAX)
        return err_set(err, ERR_BUSY, "%d requests wait for the model already", LM_REQUESTS_MAX);
    if (r->count == 0)
        return err_set(err, ERR_INVALID, "a request without messages");
    if (r->max_tokens < 1)
        return err_set(err, ERR_INVALID, "max_tokens: %lld, wanted 1 or more",
                       (long long)r->max_tokens);
    if (known_f64(r->temperature) && !(r->temperature >= 0 && r->temperature <= 2))
        return err_set(err, ERR_INVALID, "temperature: %g, wanted 0 to 2", r->temperature);
    r->submitted_ms = clock_mono_ms();
    if (r->total_ms <= 0)
        r->total_ms = lm->total_ms;
    if (actor_send(lm->actor, r) < 0)
        return err_set(err, ERR_INTERNAL, "the model's thread has ended");
    *moved = NULL;
    lm->outstanding++;
    if (lm->ops->wake)
        lm->ops->wake(lm->self);
    return 0;
}

struct lm_reply *lm_receive(struct lm *lm)
{
    struct lm_reply *r = actor_receive(lm->actor);

    if (r && lm->outstanding > 0)
        lm->outstanding--;
    if (r)
        lm->refused |= r->refused;
    return r;
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
