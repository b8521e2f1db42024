/* event_line.c - see event_line.h. */
#include "agent/apply/event_line.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "common/model/agent_message.h"

#include <stdio.h>
#include <string.h>

/* Python's words for numbers that JSON has not, and what has their place and length. */
static const struct {
    const char *word, *instead;
} not_numbers[] = {{"-Infinity", "null     "}, {"Infinity", "null    "}, {"NaN", "\"\" "}};

/* Replace such a word at p; the bytes to pass over after its first one. */
static size_t replace_word(char *p, size_t left)
{
    for (size_t k = 0; k < sizeof not_numbers / sizeof not_numbers[0]; k++) {
        size_t len = strlen(not_numbers[k].word);

        if (len <= left && memcmp(p, not_numbers[k].word, len) == 0) {
            memcpy(p, not_numbers[k].instead, len);
            return len - 1;
        }
    }
    return 0;
}

/* A copy in which those words, outside texts, are no numbers to JSON either. */
static char *without_not_numbers(const char *line, size_t len)
{
    char *copy = mem_dup(line, len);
    bool in_text = false;

    for (size_t i = 0; copy && i < len; i++) {
        if (copy[i] == '"')
            in_text = !in_text;
        else if (in_text && copy[i] == '\\')
            i++;
        else if (!in_text)
            i += replace_word(copy + i, len - i);
    }
    return copy;
}

static void take_f64(const struct json *object, const char *name, double *field)
{
    double value = json_number(json_member(object, name));

    if (known_f64(value))
        *field = value;
}

static void take_i64(const struct json *object, const char *name, int64_t *field)
{
    int64_t value = json_integer(json_member(object, name));

    if (known_i64(value))
        *field = value;
}

/* A number in some unit as a whole one of ours: value * scale, rounded. */
static void take_scaled(const struct json *object, const char *name, double scale, int64_t *field)
{
    double value = json_number(json_member(object, name)) * scale;

    if (value >= 0 && value < 0x1p53)
        *field = (int64_t)(value + 0.5);
}

static int take_text(char **field, const char *text, size_t max, struct err *err)
{
    char clean[513]; /* the longest text of a measurement */

    if (!text || !text[0])
        return 0;
    text_clean(clean, max < sizeof clean ? max + 1 : sizeof clean, text);
    return text_set(field, clean, err);
}

static void take_numbers(const struct json *object, struct measurement *m)
{
    double rate = UNKNOWN_F64;

    take_i64(object, "step", &m->iteration);
    take_i64(object, "iteration", &m->iteration);
    take_f64(object, "val_loss", &m->loss);
    take_f64(object, "train_loss", &m->loss);
    take_f64(object, "loss", &m->loss);
    take_f64(object, "iterations_per_second", &rate);
    if (rate > 0)
        m->step_seconds = 1 / rate;
    take_f64(object, "step_seconds", &m->step_seconds);
    take_f64(object, "tokens_per_second", &m->tokens_per_second);
    take_scaled(object, "trained_tokens", 1, &m->tokens);
    take_scaled(object, "tokens", 1, &m->tokens);
    take_scaled(object, "peak_memory", 1e9, &m->peak_bytes);
    take_scaled(object, "peak", 1, &m->peak_bytes);
    take_scaled(object, "peak_bytes", 1, &m->peak_bytes);
    take_scaled(object, "t", 1000, &m->at_ms);
}

static int take_texts(const struct json *object, struct measurement *m, struct err *err)
{
    const char *error = json_text(json_member(object, "error"));
    const char *message = json_text(json_member(object, "message"));
    char both[513];

    snprintf(both, sizeof both, "%s%s%s", error ? error : "", error && message ? ": " : "",
             message ? message : "");
    if (take_text(&m->event, json_text(json_member(object, "event")), 64, err) < 0 ||
        take_text(&m->text, both, 512, err) < 0)
        return -1;
    return take_text(&m->text, json_text(json_member(object, "text")), 512, err);
}

/* Forget what no record may hold. */
static void drop_bad(struct measurement *m)
{
    for (size_t i = 0; i < measurement_type.count; i++) {
        const struct field *f = &measurement_type.fields[i];

        if (!field_is_known(f, m) || field_check(f, m, f->name, NULL) == 0)
            continue;
        if (f->type == FIELD_I64)
            *(int64_t *)field_at(f, m) = UNKNOWN_I64;
        else if (f->type == FIELD_F64)
            *(double *)field_at(f, m) = UNKNOWN_F64;
        else
            text_set(field_at(f, m), NULL, NULL);
    }
}

int event_line_read(const char *line, size_t len, struct measurement *out, struct err *err)
{
    struct measurement *m = NULL;
    struct json *object = NULL;
    char *copy = NULL;
    int rc = -1;

    if (len > EVENT_LINE_MAX)
        return err_set(err, ERR_TOO_BIG, "event of %zu bytes, limit %d", len, EVENT_LINE_MAX);
    if (!(copy = without_not_numbers(line, len)) || !(m = measurement_dup(out, err))) {
        err_set(err, ERR_NOMEM, "event");
        goto out;
    }
    if (!(object = json_parse(copy, len, err)))
        goto out;
    if (json_type_of(object) != JSON_OBJECT) {
        err_set(err, ERR_MALFORMED, "event is %s, wanted an object",
                json_type_name(json_type_of(object)));
        goto out;
    }
    take_numbers(object, m);
    if (take_texts(object, m, err) < 0)
        goto out;
    drop_bad(m);
    record_clear(&measurement_type, out);
    *out = *m;
    mem_free(m); /* the block alone: what it owned is out's now */
    m = NULL;
    rc = 0;
out:
    measurement_free(m);
    json_free(object);
    mem_free(copy);
    return rc;
}
