#include "coordinator/lm/lm_flight.h"

#include "common/core/clock.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_recording.h"

#include <stdio.h>
#include <string.h>

struct lm_flights {
    struct lm_flight flights[LM_REQUESTS_MAX];
    struct lm_reply *ready[LM_REQUESTS_MAX]; /* lm.c admits no more askers than that */
    size_t first, count;                     /* a ring */
};

void lm_flight_key(const struct lm_request *r, const char *where, const char *model,
                   double temperature, char out[SHA256_HEX_SIZE])
{
    struct sha256 h;
    char numbers[160];

    if (known_f64(r->temperature))
        temperature = r->temperature;
    snprintf(numbers, sizeof numbers, "%lld %lld %lld %d %.17g %zu", (long long)r->max_tokens,
             (long long)r->seed, (long long)r->rollout, (int)r->format,
             known_f64(temperature) ? temperature : -1.0, r->count);
    sha256_init(&h);
    sha256_add_text(&h, "lm request 1"); /* of this layout */
    sha256_add_text(&h, where);
    sha256_add_text(&h, model);
    sha256_add_text(&h, numbers);
    sha256_add_text(&h, r->schema_name);
    sha256_add_text(&h, r->schema);
    for (size_t i = 0; i < r->count; i++) {
        sha256_add_text(&h, r->messages[i].role);
        sha256_add_text(&h, r->messages[i].content);
    }
    sha256_hex(&h, out);
}

struct lm_flights *lm_flights_new(struct err *err)
{
    struct lm_flights *fs = mem_zalloc(sizeof *fs);

    if (!fs)
        err_set(err, ERR_NOMEM, "lm");
    return fs;
}

void lm_flights_drop(struct lm_flight *f)
{
    for (size_t i = 0; i < f->count; i++)
        lm_reply_free(f->others[i]);
    lm_request_free(f->held);
    mem_free(f->label);
    memset(f, 0, sizeof *f);
}

void lm_flights_free(struct lm_flights *fs)
{
    struct lm_reply *r;

    if (!fs)
        return;
    for (size_t i = 0; i < LM_REQUESTS_MAX; i++)
        lm_flights_drop(&fs->flights[i]);
    while ((r = lm_flights_next(fs)))
        lm_reply_free(r);
    mem_free(fs);
}

struct lm_flight *lm_flights_at(struct lm_flights *fs, size_t place)
{
    return place < LM_REQUESTS_MAX && fs->flights[place].key[0] ? &fs->flights[place] : NULL;
}

static struct lm_flight *free_place(struct lm_flights *fs)
{
    for (size_t i = 0; i < LM_REQUESTS_MAX; i++)
        if (!fs->flights[i].key[0])
            return &fs->flights[i];
    return NULL;
}

struct lm_flight *lm_flights_held(struct lm_flights *fs, const char *key)
{
    for (size_t i = 0; i < LM_REQUESTS_MAX; i++)
        if (fs->flights[i].held && strcmp(fs->flights[i].key, key) == 0)
            return &fs->flights[i];
    return NULL;
}

struct lm_flight *lm_flights_add(struct lm_flights *fs, const char *key, struct lm_request *r,
                                 struct err *err)
{
    struct lm_flight *f = free_place(fs);

    if (!f || !(f->label = mem_strdup(r->label))) {
        err_set(err, ERR_NOMEM, "request to a model");
        return NULL;
    }
    snprintf(f->key, sizeof f->key, "%s", key);
    lm_recording_digest(r, f->digest);
    f->deadline_ms = r->submitted_ms + r->total_ms;
    r->place = (size_t)(f - fs->flights);
    return f;
}

int lm_flights_join(struct lm_flights *fs, const char *key, struct lm_request **moved)
{
    struct lm_request *r = *moved;
    struct lm_flight *f = NULL;

    for (size_t i = 0; i < LM_REQUESTS_MAX && !f; i++)
        if (strcmp(fs->flights[i].key, key) == 0 && fs->flights[i].count < LM_REQUESTS_MAX &&
            fs->flights[i].deadline_ms <= r->submitted_ms + r->total_ms)
            f = &fs->flights[i];
    if (!f)
        return 0;
    f->others[f->count] = lm_reply_take(r);
    f->submitted_ms[f->count++] = r->submitted_ms;
    lm_request_free(r);
    *moved = NULL;
    return 1;
}

/* ---- the end ---- */

static void make_ready(struct lm_flights *fs, struct lm_reply *r)
{
    fs->ready[(fs->first + fs->count++) % LM_REQUESTS_MAX] = r;
}

struct lm_reply *lm_flights_next(struct lm_flights *fs)
{
    struct lm_reply *r = fs->count ? fs->ready[fs->first] : NULL;

    if (!r)
        return NULL;
    fs->first = (fs->first + 1) % LM_REQUESTS_MAX;
    fs->count--;
    return r;
}

static bool copy_text(char **out, const char *text)
{
    if (text)
        *out = mem_strdup(text);
    return !text || *out;
}

/* The same answer, which cost this one nothing. */
static void share(const struct lm_reply *from, struct lm_reply *to)
{
    to->shared = true;
    to->cached = from->cached;
    to->status = from->status;
    to->format = from->format;
    to->refused = from->refused;
    to->prompt_tokens = to->completion_tokens = to->cached_tokens = 0;
    to->failure = from->failure;
    to->err = from->err;
    if (copy_text(&to->content, from->content) && copy_text(&to->reasoning, from->reasoning) &&
        copy_text(&to->finish, from->finish))
        return;
    to->failure = LM_FAILURE_NONE;
    lm_reply_fail(to, LM_FAILURE_INTERNAL, ERR_NOMEM, "no memory for a shared answer");
}

void lm_flights_land(struct lm_flights *fs, struct lm_flight *f, struct lm_reply *reply)
{
    int64_t now = clock_mono_ms();

    make_ready(fs, reply);
    for (size_t i = 0; i < f->count; i++) {
        share(reply, f->others[i]);
        f->others[i]->seconds = (double)(now - f->submitted_ms[i]) / 1000;
        make_ready(fs, f->others[i]);
    }
    f->count = 0;
    lm_flights_drop(f);
}
