/* recording_unknown.c - why what is not known is not known. */
#include "common/recording/recording_source.h"

#include "common/model/device.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void recording_reason(struct recording *r, const char *field, const char *fmt, ...)
{
    struct reason *reason = &r->reasons[r->reasons_count];
    va_list args;

    if (r->reasons_count == REASONS_MAX)
        return;
    reason->field = field;
    va_start(args, fmt);
    vsnprintf(reason->text, sizeof reason->text, fmt, args);
    va_end(args);
    r->reasons_count++;
}

/* The last reason given: a later one knows more. */
static const char *reason_for(const struct recording *r, const char *field, const char *usual)
{
    for (size_t i = r->reasons_count; i > 0; i--)
        if (strcmp(r->reasons[i - 1].field, field) == 0)
            return r->reasons[i - 1].text;
    return usual;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static int list_unknown(const struct recording *r, const struct record_type *type,
                        const void *record, const char *prefix, const char *const *passed_over,
                        const char *usual, struct unknown_fact **list, size_t *count)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];
        struct unknown_fact *unknown;

        if (field_is_known(f, record) || is_one_of(f->name, passed_over))
            continue;
        unknown = records_add(&unknown_fact_type, list, count, r->err);
        if (!unknown || text_setf(&unknown->field, r->err, "%s%s", prefix, f->name) < 0 ||
            text_set(&unknown->reason, reason_for(r, f->name, usual), r->err) < 0)
            return -1;
    }
    return 0;
}

int recording_unknown(struct recording *r, const char *reason)
{
    /* Not facts of the Mac: its owner and its agent have these. */
    static const char *const not_of_profile[] = {"origin", "recording_id", "name", "agent_version",
                                                 "facts",  "unknown",      NULL};
    static const char *const not_of_state[] = {"synthetic", "plan_memory_bytes", "facts", "unknown",
                                               NULL};
    static const char *const none[] = {NULL};
    struct profile *p = r->profile;
    struct state *s = r->state;

    if (p && list_unknown(r, &profile_type, p, "", not_of_profile, reason, &p->unknown,
                          &p->unknown_count) < 0)
        return -1;
    if (p && p->metal &&
        list_unknown(r, &metal_type, p->metal, "metal.", none, reason, &p->unknown,
                     &p->unknown_count) < 0)
        return -1;
    return s ? list_unknown(r, &state_type, s, "", not_of_state, reason, &s->unknown,
                            &s->unknown_count)
             : 0;
}
