/* show_record.c - any record of the model, by its rows: a line per field that is known. */
#include "coordinator/cli/show.h"

#include "common/core/mem.h"
#include "common/model/device.h"
#include "common/model/record.h"
#include "coordinator/cli/format.h"

#include <inttypes.h>
#include <string.h>

#define NAME_COLUMNS 28 /* most names of the model are shorter */

static bool skipped(const char *name, const char *const *skip)
{
    for (; skip && *skip; skip++)
        if (strcmp(*skip, name) == 0)
            return true;
    return false;
}

static void line(struct page *p, size_t indent, const char *name, const char *value,
                 const struct fact_note *fact);

void show_value(struct page *p, size_t indent, const char *name, const char *value)
{
    line(p, indent, name, value, NULL);
}

/* Facts are named by their path ("metal.name"), or by the field alone. */
static const struct fact_note *fact_of(const char *within, const char *name,
                                       const struct fact_note *facts, size_t count)
{
    size_t len = within ? strlen(within) : 0;

    for (size_t i = 0; i < count; i++) {
        const char *field = facts[i].field;

        if (strcmp(field, name) == 0 || (len > 0 && strncmp(field, within, len) == 0 &&
                                         field[len] == '.' && strcmp(field + len + 1, name) == 0))
            return &facts[i];
    }
    return NULL;
}

/* "  name    value    [how it was learnt]" */
static void line(struct page *p, size_t indent, const char *name, const char *value,
                 const struct fact_note *fact)
{
    struct buf b;
    char *text;

    page_spaces(p, indent);
    page_cell(p, STYLE_FAINT, name, NAME_COLUMNS, false);
    page_spaces(p, 1);
    buf_init(&b, PAGE_TEXT_MAX);
    buf_adds(&b, value);
    if (fact)
        buf_addf(&b, "  [%s%s%s]", enum_name(&fact_source_names, fact->source),
                 fact->detail ? ": " : "", fact->detail ? fact->detail : "");
    text = buf_take(&b, NULL, NULL);
    if (text)
        page_flow(p, indent + NAME_COLUMNS + 1, text);
    else
        page_lost(p);
    mem_free(text);
}

static void list_line(struct page *p, size_t indent, const struct field *f, const void *record,
                      const struct fact_note *fact)
{
    size_t count = field_count(f, record);
    struct buf b;
    char *text;

    buf_init(&b, PAGE_TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        if (f->type == FIELD_TEXTS)
            buf_addf(&b, "%s%s", i ? ", " : "", (*(char **const *)field_at(f, record))[i]);
        else
            buf_addf(&b, "%s%" PRId64, i ? ", " : "", (*(int64_t *const *)field_at(f, record))[i]);
    }
    text = buf_take(&b, NULL, NULL);
    if (text)
        line(p, indent, f->name, text, fact);
    else
        page_lost(p);
    mem_free(text);
}

/* Small records of a list on a line each: "name Performance, cores 4, ..." */
static void items(struct page *p, size_t indent, const struct field *f, const void *record,
                  const struct fact_note *fact)
{
    const char *at = *(const char *const *)field_at(f, record);
    size_t count = field_count(f, record);

    for (size_t i = 0; i < count; i++, at += f->record->size) {
        struct buf b;
        char value[FORMAT_MAX], *text;

        buf_init(&b, PAGE_TEXT_MAX);
        for (size_t k = 0; k < f->record->count; k++) {
            const struct field *m = &f->record->fields[k];

            if (!field_is_known(m, at))
                continue;
            if (m->type == FIELD_TEXT)
                buf_addf(&b, "%s%s", b.len ? ", " : "", *(char *const *)field_at(m, at));
            else if (m->type != FIELD_RECORD && m->type != FIELD_RECORDS)
                buf_addf(&b, "%s%s %s", b.len ? ", " : "", m->name, format_field(m, at, value));
        }
        buf_adds(&b, "");
        text = buf_take(&b, NULL, NULL);
        if (text)
            line(p, indent, i == 0 ? f->name : "", text, i == 0 ? fact : NULL);
        else
            page_lost(p);
        mem_free(text);
    }
}

/* What is shown, and what is known of where it came from. */
struct source {
    const char *within; /* the record's own field; NULL at the top */
    const struct fact_note *facts;
    size_t count;
};

static void show_fields(struct page *p, size_t indent, const struct record_type *type,
                        const void *record, const char *const *skip, const struct source *from);

static void show_field(struct page *p, size_t indent, const struct field *f, const void *record,
                       const struct source *from)
{
    const struct fact_note *fact = fact_of(from->within, f->name, from->facts, from->count);
    struct source inside = {f->name, from->facts, from->count};
    char value[FORMAT_MAX];

    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_PROSE:
        line(p, indent, f->name, *(char *const *)field_at(f, record), fact);
        break;
    case FIELD_RECORD:
        line(p, indent, f->name, "", fact);
        show_fields(p, indent + 2, f->record, *(void *const *)field_at(f, record), NULL, &inside);
        break;
    case FIELD_RECORDS:
        items(p, indent, f, record, fact);
        break;
    case FIELD_TEXTS:
    case FIELD_I64S:
        list_line(p, indent, f, record, fact);
        break;
    default:
        line(p, indent, f->name, format_field(f, record, value), fact);
        break;
    }
}

static void show_fields(struct page *p, size_t indent, const struct record_type *type,
                        const void *record, const char *const *skip, const struct source *from)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];

        if (field_is_known(f, record) && !skipped(f->name, skip))
            show_field(p, indent, f, record, from);
    }
}

void show_record(struct page *p, size_t indent, const struct record_type *type, const void *record,
                 const char *const *skip, const struct fact_note *facts, size_t facts_count)
{
    struct source from = {NULL, facts, facts_count};

    show_fields(p, indent, type, record, skip, &from);
}
