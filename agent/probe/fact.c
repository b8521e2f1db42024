/* fact.c - see fact.h. */
#include "agent/probe/fact.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/text.h"
#include "common/model/device.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct fact_note *note_find(const struct fact_note *notes, size_t count,
                                         const char *field)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(notes[i].field, field) == 0)
            return &notes[i];
    }
    return NULL;
}

static const struct unknown_fact *unknown_find(const struct unknown_fact *list, size_t count,
                                               const char *field)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].field, field) == 0)
            return &list[i];
    }
    return NULL;
}

static int unknown_put(struct unknown_fact **list, size_t *count, const char *field,
                       const char *reason, struct err *err)
{
    const struct unknown_fact *old = unknown_find(*list, *count, field);
    struct unknown_fact *u = old ? *list + (old - *list) : NULL;

    if (!u && !(u = records_add(&unknown_fact_type, list, count, err)))
        return -1;
    if ((u->field || text_set(&u->field, field, err) == 0) &&
        text_set(&u->reason, reason, err) == 0)
        return 0;
    if (!old)
        record_clear(&unknown_fact_type, &(*list)[--*count]);
    return -1;
}

static int unknown_putv(struct unknown_fact **list, size_t *count, const char *field,
                        const char *fmt, va_list args, struct err *err)
{
    char text[REASON_TEXT_MAX + 1], clean[REASON_TEXT_MAX + 1];

    vsnprintf(text, sizeof text, fmt, args);
    text_clean(clean, sizeof clean, text);
    return unknown_put(list, count, field, clean, err);
}

int profile_unknown(struct profile *p, struct err *err, const char *field, const char *fmt, ...)
{
    va_list args;
    int rc;

    va_start(args, fmt);
    rc = unknown_putv(&p->unknown, &p->unknown_count, field, fmt, args, err);
    va_end(args);
    return rc;
}

int state_unknown(struct state *s, struct err *err, const char *field, const char *fmt, ...)
{
    va_list args;
    int rc;

    va_start(args, fmt);
    rc = unknown_putv(&s->unknown, &s->unknown_count, field, fmt, args, err);
    va_end(args);
    return rc;
}

static int note_put(struct fact_note **notes, size_t *count, const char *field, int source,
                    const char *detail, struct err *err)
{
    const struct fact_note *old = note_find(*notes, *count, field);
    struct fact_note *n = old ? *notes + (old - *notes) : NULL;

    if (!n && !(n = records_add(&fact_note_type, notes, count, err)))
        return -1;
    if ((n->field || text_set(&n->field, field, err) == 0) &&
        text_set(&n->detail, detail, err) == 0) {
        n->source = source;
        return 0;
    }
    if (!old)
        record_clear(&fact_note_type, &(*notes)[--*count]);
    return -1;
}

int profile_note(struct profile *p, struct err *err, const char *field, int source,
                 const char *detail)
{
    return note_put(&p->facts, &p->facts_count, field, source, detail, err);
}

int state_note(struct state *s, struct err *err, const char *field, int source, const char *detail)
{
    return note_put(&s->facts, &s->facts_count, field, source, detail, err);
}

const struct fact_note *profile_find_note(const struct profile *p, const char *field)
{
    return note_find(p->facts, p->facts_count, field);
}

const struct fact_note *state_find_note(const struct state *s, const char *field)
{
    return note_find(s->facts, s->facts_count, field);
}

const char *profile_find_unknown(const struct profile *p, const char *field)
{
    const struct unknown_fact *u = unknown_find(p->unknown, p->unknown_count, field);

    return u ? u->reason : NULL;
}

const char *state_find_unknown(const struct state *s, const char *field)
{
    const struct unknown_fact *u = unknown_find(s->unknown, s->unknown_count, field);

    return u ? u->reason : NULL;
}

/* Fields whose absence says all there is to say. */
static int may_be_absent(const char *field)
{
    static const char *const fields[] = {"recording_id",      "name",  "agent_version",
                                         "wired_limit_bytes", "facts", "unknown",
                                         "synthetic"};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i], field) == 0)
            return 1;
    }
    return 0;
}

static int explain_rest(const struct record_type *type, const void *record,
                        struct unknown_fact **list, size_t *count, const char *reason,
                        struct err *err)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];

        if (!field_is_known(f, record) && !may_be_absent(f->name) &&
            !unknown_find(*list, *count, f->name) &&
            unknown_put(list, count, f->name, reason, err) < 0)
            return -1;
    }
    return 0;
}

int profile_explain_rest(struct profile *p, const char *reason, struct err *err)
{
    return explain_rest(&profile_type, p, &p->unknown, &p->unknown_count, reason, err);
}

int state_explain_rest(struct state *s, const char *reason, struct err *err)
{
    return explain_rest(&state_type, s, &s->unknown, &s->unknown_count, reason, err);
}
