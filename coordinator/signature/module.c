/* module.c - which call comes next. */
#include "coordinator/signature/module.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/core/unknown.h"
#include "common/model/record.h"
#include "coordinator/signature/answer.h"
#include "coordinator/signature/cast.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/schema.h"
#include "coordinator/signature/signature.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define ASK_AGAIN                                                                          \
    "That reply cannot be used: %s. Answer again, in the form described, with all fields." \
    " Write nothing else."

/* What a candidate answer carries until a better one comes. */
struct candidate {
    bool there;
    struct answer answer;
    struct notes notes;
    char *text;
    double score;
};

struct module {
    struct module_settings settings;
    struct signature *sig; /* as asked: owned */
    struct prompt_value *values;
    size_t count;
    struct prompt prompt; /* of the request that is out */
    char *schema;         /* made when first needed */

    /* where it stands */
    enum module_layout layout;
    enum module_format format;
    bool out;     /* a request is out */
    bool started; /* this attempt has had a call */
    bool failed;  /* its last call could not be used */
    bool ended;   /* and asking again would not help */
    bool retried;
    bool over;
    size_t attempt;
    long failures_left; /* DSPy's fail_count */

    struct module_call *calls;
    size_t calls_count;
    struct candidate best;
    char *last; /* the last reply */
    char *failure;
};

struct module_settings module_defaults(const struct signature *sig, const struct framing *framing)
{
    return (struct module_settings){.sig = sig,
                                    .chain_of_thought = true,
                                    .framing = framing,
                                    .layout = MODULE_CHAT,
                                    .fallback = true,
                                    .retry = true};
}

static void candidate_clear(struct candidate *c)
{
    answer_clear(&c->answer);
    notes_clear(&c->notes);
    mem_free(c->text);
    memset(c, 0, sizeof *c);
}

void module_free(struct module *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count && m->values; i++) {
        mem_free((char *)(uintptr_t)m->values[i].name);
        mem_free((char *)(uintptr_t)m->values[i].text);
        mem_free((char *)(uintptr_t)m->values[i].json);
    }
    mem_free(m->values);
    for (size_t i = 0; i < m->calls_count; i++)
        mem_free(m->calls[i].why);
    mem_free(m->calls);
    prompt_clear(&m->prompt);
    candidate_clear(&m->best);
    signature_free(m->sig);
    mem_free(m->schema);
    mem_free(m->last);
    mem_free(m->failure);
    mem_free(m);
}

static int copy_text(const char **out, const char *text)
{
    *out = text ? mem_strdup(text) : NULL;
    return text && !*out ? -1 : 0;
}

static int copy_values(struct module *m, const struct prompt_value *values, size_t count)
{
    if (!(m->values = mem_calloc(count ? count : 1, sizeof *m->values)))
        return -1;
    for (size_t i = 0; i < count; i++, m->count++) {
        struct prompt_value *v = &m->values[i];

        if (copy_text(&v->name, values[i].name) + copy_text(&v->text, values[i].text) +
                copy_text(&v->json, values[i].json) <
            0) {
            m->count++;
            return -1;
        }
    }
    return 0;
}

struct module *module_new(const struct module_settings *settings, const struct prompt_value *values,
                          size_t count, struct err *err)
{
    struct module *m;
    bool think = settings->chain_of_thought && !signature_field(settings->sig, "reasoning");

    if (settings->reward && (settings->attempts < 1 || settings->attempts > MODULE_ATTEMPTS_MAX)) {
        err_set(err, ERR_INVALID, "attempts: %zu, want 1 to %d", settings->attempts,
                MODULE_ATTEMPTS_MAX);
        return NULL;
    }
    if (!(m = mem_zalloc(sizeof *m)) || copy_values(m, values, count) < 0) {
        err_set(err, ERR_NOMEM, "module");
        goto fail;
    }
    m->settings = *settings;
    if (!settings->reward)
        m->settings.attempts = 1;
    m->failures_left = (long)m->settings.attempts;
    m->sig = signature_derive(settings->sig, think ? SIGNATURE_CHAIN_OF_THOUGHT : 0, err);
    if (!m->sig)
        goto fail;
    return m;
fail:
    module_free(m);
    return NULL;
}

/* ---- which call ---- */

static enum module_format first_json(const struct module *m, unsigned takes)
{
    bool object = takes & (1u << MODULE_OBJECT), schema = takes & (1u << MODULE_SCHEMA);

    if (schema && !schema_is_open(m->sig))
        return MODULE_SCHEMA;
    return object ? MODULE_OBJECT : MODULE_FREE;
}

/* After a call that could not be used: true with the next one, false: the attempt has failed. */
static bool choose_again(struct module *m, unsigned takes)
{
    if (m->ended)
        return false;
    if (!m->retried && m->layout == MODULE_CHAT && m->settings.fallback) {
        m->layout = MODULE_JSON;
        m->format = first_json(m, takes);
        return true;
    }
    if (!m->retried && m->layout == MODULE_JSON && m->format == MODULE_SCHEMA) {
        m->format = takes & (1u << MODULE_OBJECT) ? MODULE_OBJECT : MODULE_FREE;
        return true;
    }
    if (!m->settings.retry || m->retried)
        return false;
    m->retried = true;
    return true;
}

static void start_attempt(struct module *m, unsigned takes)
{
    m->started = true;
    m->failed = m->ended = m->retried = false;
    m->layout = m->settings.layout;
    m->format = m->layout == MODULE_JSON ? first_json(m, takes) : MODULE_FREE;
}

static void end_attempt(struct module *m, bool failed)
{
    m->started = false;
    if (failed && (long)m->attempt > m->failures_left)
        m->over = true; /* as many failures as DSPy would bear */
    m->failures_left -= failed;
    if (++m->attempt >= m->settings.attempts)
        m->over = true;
}

/* False: nothing is left to ask. */
static bool choose(struct module *m, unsigned takes)
{
    while (!m->over) {
        if (!m->started) {
            start_attempt(m, takes);
            return true;
        }
        if (m->failed && choose_again(m, takes))
            return true;
        end_attempt(m, m->failed);
    }
    return false;
}

/* ---- what is sent ---- */

/* Its reply, as far as it is shown, and what was wrong with it. */
static int show_reply(struct module *m, struct err *err)
{
    const char *why = m->calls[m->calls_count - 1].why;
    size_t len = m->last ? strlen(m->last) : 0;
    struct buf b;
    char *text;

    if (len > MODULE_SHOWN_MAX)
        len = text_utf8_fit(m->last, len, MODULE_SHOWN_MAX);
    if (len > 0) {
        if (!(text = mem_strndup(m->last, len)))
            return err_set(err, ERR_NOMEM, "module");
        if (prompt_add(&m->prompt, "assistant", &text, err) < 0)
            return -1;
    }
    buf_init(&b, TEXT_MAX);
    buf_addf(&b, ASK_AGAIN, why ? why : "it is empty");
    if (!(text = buf_take(&b, NULL, err)))
        return -1;
    return prompt_add(&m->prompt, "user", &text, err);
}

static int render(struct module *m, struct err *err)
{
    struct prompt_content content = {.values = m->values,
                                     .count = m->count,
                                     .demos = m->settings.demos,
                                     .demos_count = m->settings.demos_count};
    int rc;

    prompt_clear(&m->prompt);
    rc = m->layout == MODULE_CHAT
             ? chat_render(m->sig, m->settings.framing, &content, &m->prompt, err)
             : json_layout_render(m->sig, m->settings.framing, &content, &m->prompt, err);
    if (rc < 0)
        return -1;
    if (m->retried && show_reply(m, err) < 0)
        return -1;
    if (m->format == MODULE_SCHEMA && !m->schema && !(m->schema = schema_answer_text(m->sig, err)))
        return -1;
    return 0;
}

int module_next(struct module *m, unsigned takes, struct module_request *out, struct err *err)
{
    bool several = m->settings.reward != NULL;

    if (!m->out && !choose(m, takes))
        return 0;
    m->out = true; /* whoever fails to send it may ask for it again */
    if (render(m, err) < 0)
        return -1;
    *out = (struct module_request){
        .prompt = &m->prompt,
        .layout = m->layout,
        .format = m->format,
        .schema = m->format == MODULE_SCHEMA ? m->schema : NULL,
        .temperature = several ? 1.0 : NAN,
        .rollout = several ? m->settings.rollout + (int64_t)m->attempt : UNKNOWN_I64,
    };
    return 1;
}

/* ---- what came back ---- */

/* why NULL: it was used. */
static int add_call(struct module *m, bool came, const char *why, const struct module_usage *usage,
                    struct err *err)
{
    struct module_call *grown = mem_realloc_array(m->calls, m->calls_count + 1, sizeof *grown),
                       *call;
    char *copy = why ? mem_strdup(why) : NULL;

    if (grown)
        m->calls = grown;
    if (!grown || (why && !copy)) {
        mem_free(copy);
        return err_set(err, ERR_NOMEM, "module");
    }
    call = &m->calls[m->calls_count++];
    *call = (struct module_call){.attempt = m->attempt,
                                 .layout = m->layout,
                                 .format = m->format,
                                 .retry = m->retried,
                                 .came = came,
                                 .used = !why,
                                 .why = copy,
                                 .usage = *usage};
    m->out = false;
    m->failed = why != NULL;
    return 0;
}

static int set_failure(struct module *m, const char *why, struct err *err)
{
    char *copy = mem_strdup(why);

    if (!copy)
        return err_set(err, ERR_NOMEM, "module");
    mem_free(m->failure);
    m->failure = copy;
    return 0;
}

static int check_plain(const struct signature *sig, const struct answer *a, struct notes *notes,
                       struct err *err)
{
    struct cast_values values;

    if (cast_answer(sig, a, &values, notes, err) < 0)
        return -1;
    cast_values_clear(&values);
    return 0;
}

static int check(struct module *m, const struct answer *a, struct notes *notes, struct err *err)
{
    void *record = NULL;

    if (m->settings.check)
        return m->settings.check(m->settings.arg, a, notes, err);
    if (!m->sig->is_typed)
        return check_plain(m->sig, a, notes, err);
    if (answer_read(m->sig, a, &record, notes, err) < 0)
        return -1;
    record_free(m->sig->typed, record);
    return 0;
}

static int read_candidate(struct module *m, const char *text, size_t len, struct candidate *c,
                          struct err *err)
{
    int rc = m->layout == MODULE_CHAT ? chat_parse(m->sig, text, len, &c->answer, err)
                                      : json_layout_parse(m->sig, text, len, &c->answer, err);

    if (rc < 0 || check(m, &c->answer, &c->notes, err) < 0)
        return -1;
    if (!(c->text = mem_strndup(text, len)))
        return err_set(err, ERR_NOMEM, "module");
    c->there = true;
    c->score = m->settings.reward ? m->settings.reward(m->settings.arg, &c->answer) : NAN;
    return 0;
}

/* The better one stays; the first of equals. */
static void keep_better(struct module *m, struct candidate *c)
{
    bool better = !m->best.there || c->score > m->best.score;
    struct candidate worse = better ? m->best : *c;

    if (better)
        m->best = *c;
    candidate_clear(&worse);
    m->over = !m->settings.reward || m->best.score >= m->settings.threshold;
}

int module_reply(struct module *m, const char *text, size_t len, enum module_end end,
                 const struct module_usage *usage, struct err *err)
{
    struct candidate c = {0};
    struct err why = {0};
    char *copy = mem_strndup(text ? text : "", text ? len : 0);

    if (!copy)
        return err_set(err, ERR_NOMEM, "module");
    mem_free(m->last);
    m->last = copy;
    if (read_candidate(m, copy, strlen(copy), &c, &why) == 0) {
        if (end == MODULE_CUT)
            note_add(&c.notes, "the answer was cut at the token limit: only whole fields are used");
        if (add_call(m, true, NULL, usage, err) < 0) {
            candidate_clear(&c);
            return -1;
        }
        keep_better(m, &c);
        return 0;
    }
    candidate_clear(&c);
    if (why.code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "module");
    if (end == MODULE_CUT)
        err_prefix(&why, "cut at the token limit");
    if (set_failure(m, why.text, err) < 0 || add_call(m, true, why.text, usage, err) < 0)
        return -1;
    m->ended = end == MODULE_CUT;
    return 0;
}

int module_failed(struct module *m, const char *why, const struct module_usage *usage,
                  struct err *err)
{
    if (set_failure(m, why, err) < 0 || add_call(m, false, why, usage, err) < 0)
        return -1;
    m->ended = true;
    return 0;
}

void module_lowered(struct module *m, enum module_format format)
{
    m->format = format;
}

void module_stop(struct module *m)
{
    m->out = false;
    m->over = true;
}

/* ---- how it went ---- */

const struct signature *module_signature(const struct module *m)
{
    return m->sig;
}

const struct answer *module_answer(const struct module *m)
{
    return m->best.there ? &m->best.answer : NULL;
}

const struct notes *module_notes(const struct module *m)
{
    return &m->best.notes;
}

const char *module_text(const struct module *m)
{
    return m->best.there ? m->best.text : m->last;
}

const char *module_failure(const struct module *m)
{
    return m->best.there ? NULL : m->failure;
}

double module_score(const struct module *m)
{
    return m->best.there ? m->best.score : NAN;
}

const struct module_call *module_calls(const struct module *m, size_t *count)
{
    *count = m->calls_count;
    return m->calls;
}
