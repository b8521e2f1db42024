/* probe_print.c - see probe_print.h. The table is made from the rows of the model, so that a new
 * fact is in it by itself. */
#include "agent/probe_print.h"
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TABLE_MAX (256 * 1024) /* both records with every text at its limit are below */
#define NAME_WIDTH 39          /* profile.metal.threadgroup_memory_bytes */
#define VALUE_WIDTH 34
#define PATH_MAX_BYTES 160

char *probe_print_json(const struct profile *p, const struct state *s, struct err *err)
{
    struct json *doc = json_object(), *profile = NULL, *state = NULL;
    char *text = NULL;

    if (!doc)
        err_set(err, ERR_NOMEM, "probe");
    else if ((profile = document_write(&profile_type, p, err)) &&
             (state = document_write(&state_type, s, err))) {
        if (json_set(doc, "profile", &profile) < 0 || json_set(doc, "state", &state) < 0)
            err_set(err, ERR_NOMEM, "probe");
        else
            text = json_print(doc, true, err);
    }
    json_free(profile);
    json_free(state);
    json_free(doc);
    return text;
}

/* What the rows under one report share. */
struct table {
    struct buf *b;
    const char *report;   /* profile or state */
    const char *standard; /* how a fact without a note was learnt */
    const struct fact_note *notes;
    size_t notes_count;
    const struct unknown_fact *unknown;
    size_t unknown_count;
};

static const struct fact_note *find_note(const struct table *t, const char *field)
{
    for (size_t i = 0; i < t->notes_count; i++) {
        if (strcmp(t->notes[i].field, field) == 0)
            return &t->notes[i];
    }
    return NULL;
}

static const char *find_reason(const struct table *t, const char *field)
{
    for (size_t i = 0; i < t->unknown_count; i++) {
        if (strcmp(t->unknown[i].field, field) == 0)
            return t->unknown[i].reason;
    }
    return NULL;
}

static void row(const struct table *t, const char *field, const char *value, const char *how)
{
    buf_addf(t->b, "  %s.%-*s %-*s%s%s\n", t->report, NAME_WIDTH - (int)strlen(t->report) - 1,
             field, how[0] ? VALUE_WIDTH : 0, value, how[0] ? "  " : "", how);
}

static void add_number(struct buf *b, const struct field *f, const void *at)
{
    char bytes[NUM_BYTES_TEXT_MAX];

    if (f->type == FIELD_F64) {
        buf_addf(b, "%.6g %s", *(const double *)at, f->unit);
        return;
    }
    buf_addf(b, "%" PRId64, *(const int64_t *)at);
    if (strcmp(f->unit, "bytes") == 0)
        buf_addf(b, " (%s)", num_format_bytes(*(const int64_t *)at, bytes));
}

/* "FEAT_FP16, FEAT_BF16", "1007, 1008": a list of plain values. */
static void add_list(struct buf *b, const struct field *f, const void *record)
{
    const void *items = *(void *const *)field_at(f, record);

    for (size_t i = 0; i < field_count(f, record); i++) {
        if (f->type == FIELD_TEXTS)
            buf_addf(b, "%s%s", i ? ", " : "", ((char *const *)items)[i]);
        else
            buf_addf(b, "%s%" PRId64, i ? ", " : "", ((const int64_t *)items)[i]);
    }
}

static void add_value(struct buf *b, const struct field *f, const void *record)
{
    const void *at = field_at(f, record);

    switch (f->type) {
    case FIELD_I64:
    case FIELD_F64:
        add_number(b, f, at);
        break;
    case FIELD_BOOL:
        buf_adds(b, *(const int *)at == TRI_TRUE ? "yes" : "no");
        break;
    case FIELD_ENUM:
        buf_adds(b, enum_name(f->names, *(const int *)at));
        break;
    case FIELD_TEXT:
    case FIELD_PROSE:
        buf_adds(b, *(char *const *)at);
        break;
    case FIELD_TEXTS:
    case FIELD_I64S:
        add_list(b, f, record);
        break;
    default:
        break;
    }
}

/* "name Performance, cores 8": an item of a list on one line. */
static void add_item(struct buf *b, const struct record_type *type, const void *item)
{
    const char *between = "";

    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];

        if (!field_is_known(f, item))
            continue;
        buf_addf(b, "%s%s ", between, f->name);
        add_value(b, f, item);
        between = ", ";
    }
}

/* Said by the agent of itself, not learnt of the machine. */
static bool is_ours(const char *field)
{
    return strcmp(field, "origin") == 0 || strcmp(field, "recording_id") == 0 ||
           strcmp(field, "name") == 0 || strcmp(field, "agent_version") == 0 ||
           strcmp(field, "synthetic") == 0 || strcmp(field, "plan_memory_bytes") == 0;
}

static void describe_source(const struct table *t, const char *field, char *out, size_t size)
{
    const struct fact_note *note = find_note(t, field);
    const char *source = t->standard;

    if (note)
        source = enum_name(&fact_source_names, note->source);
    else if (is_ours(field))
        source = "";
    snprintf(out, size, "%s%s%s", source, note && note->detail ? ": " : "",
             note && note->detail ? note->detail : "");
}

static void add_items(const struct table *t, const struct field *f, const void *record,
                      const char *how)
{
    const char *items = *(char *const *)field_at(f, record);
    char path[PATH_MAX_BYTES];
    struct buf value;

    for (size_t i = 0; i < field_count(f, record); i++) {
        buf_init(&value, 1024);
        add_item(&value, f->record, items + i * f->record->size);
        snprintf(path, sizeof path, "%s[%zu]", f->name, i);
        row(t, path, value.data ? value.data : "", i == 0 ? how : "");
        buf_clear(&value);
    }
}

static void add_fields(const struct table *t, const struct record_type *type, const void *record,
                       const char *prefix)
{
    char path[PATH_MAX_BYTES], how[640];
    struct buf value;

    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];
        const char *reason;

        if (strcmp(f->name, "facts") == 0 || strcmp(f->name, "unknown") == 0)
            continue;
        snprintf(path, sizeof path, "%s%s", prefix, f->name);
        if (!field_is_known(f, record)) {
            if ((reason = find_reason(t, path)))
                row(t, path, "unknown", reason);
            continue;
        }
        describe_source(t, path, how, sizeof how);
        if (f->type == FIELD_RECORD) {
            snprintf(path, sizeof path, "%s%s.", prefix, f->name);
            add_fields(t, f->record, *(void *const *)field_at(f, record), path);
        } else if (f->type == FIELD_RECORDS) {
            add_items(t, f, record, how);
        } else {
            buf_init(&value, 1024);
            add_value(&value, f, record);
            row(t, path, value.data ? value.data : "", how);
            buf_clear(&value);
        }
    }
}

static const char *origin_text(const struct profile *p, const struct state *s)
{
    switch (p->origin) {
    case DEVICE_ORIGIN_MAC:
        return "this Mac";
    case DEVICE_ORIGIN_LINUX:
        return "this machine: Linux, not a Mac";
    case DEVICE_ORIGIN_RECORDED:
        return s->synthetic == TRI_TRUE ? "RECORDED machine, SYNTHETIC state" : "RECORDED machine";
    case DEVICE_ORIGIN_COMPOSED:
        return s->synthetic == TRI_TRUE ? "COMPOSED from published tables, SYNTHETIC state"
                                        : "COMPOSED from published tables";
    default:
        return "origin unknown";
    }
}

char *probe_print_table(const struct profile *p, const struct state *s, struct err *err)
{
    struct table profile = {.report = "profile",
                            .standard = "read",
                            .notes = p->facts,
                            .notes_count = p->facts_count,
                            .unknown = p->unknown,
                            .unknown_count = p->unknown_count};
    struct table state = {.report = "state",
                          .standard = s->synthetic == TRI_TRUE ? "synthetic" : "read",
                          .notes = s->facts,
                          .notes_count = s->facts_count,
                          .unknown = s->unknown,
                          .unknown_count = s->unknown_count};
    struct buf b;

    buf_init(&b, TABLE_MAX);
    profile.b = state.b = &b;
    buf_addf(&b, "%s\n\n  %-*s %-*s  %s\n", origin_text(p, s), NAME_WIDTH, "FIELD", VALUE_WIDTH,
             "VALUE", "HOW, OR WHY NOT");
    add_fields(&profile, &profile_type, p, "");
    buf_addc(&b, '\n');
    add_fields(&state, &state_type, s, "");
    return buf_take(&b, NULL, err);
}
