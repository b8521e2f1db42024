/* document_describe.c - the reference of a document: its records in the order in which they are
 * met, each once, a field a paragraph. */
#include "common/document/document.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/record.h"

#include <stdio.h>
#include <string.h>

#define TYPES_MAX 64                  /* a job has 20 record types */
#define DESCRIBE_TEXT_MAX (64 * 1024) /* the reference of a job is 12 KB */
#define INDENT 20                     /* column of a field's text */
#define WIDTH 96                      /* of the page */

/* The record types met so far; those before `done` are written. */
struct pages {
    const struct record_type *types[TYPES_MAX];
    size_t count;
};

static void meet(struct pages *p, const struct record_type *type)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->types[i] == type)
            return;
    if (p->count < TYPES_MAX)
        p->types[p->count++] = type;
}

/* Words from column `indent` on, the first line being there already. */
static void add_wrapped(struct buf *b, const char *text, size_t indent)
{
    size_t column = indent;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (column > indent && column + 1 + len > WIDTH) {
            buf_addf(b, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            buf_addc(b, ' ');
            column++;
        }
        buf_add(b, text, len);
        column += len;
        text += len + strspn(text + len, " ");
    }
}

static void add_words(struct buf *b, const struct enum_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        buf_addf(b, "%s%s", i ? ", " : "", names->values[i].name);
}

static void add_kind(struct buf *b, const struct field *f)
{
    bool unit = f->unit && f->unit[0];

    switch (f->type) {
    case FIELD_I64:
        buf_addf(b, "integer from %.0f to %.0f", f->min, f->max);
        break;
    case FIELD_I64S:
        buf_addf(b, "list of at most %zu integers from %.0f to %.0f", f->items_max, f->min, f->max);
        break;
    case FIELD_F64:
        buf_addf(b, "number from %g to %g", f->min, f->max);
        break;
    case FIELD_BOOL:
        buf_adds(b, "true or false");
        break;
    case FIELD_TEXT:
        buf_addf(b, "text of one line, at most %.0f bytes", f->max);
        break;
    case FIELD_PROSE:
        buf_addf(b, "text, at most %.0f bytes", f->max);
        break;
    case FIELD_ENUM:
        buf_adds(b, "one of ");
        add_words(b, f->names);
        break;
    case FIELD_RECORD:
        buf_addf(b, "%s", f->record->name);
        break;
    case FIELD_RECORDS:
        buf_addf(b, "list of at most %zu %s", f->items_max, f->record->name);
        break;
    case FIELD_TEXTS:
        buf_addf(b, "list of at most %zu texts of at most %.0f bytes", f->items_max, f->max);
        break;
    }
    if (unit)
        buf_addf(b, ", %s", f->unit);
    if (f->flags & FIELD_REQUIRED)
        buf_adds(b, "; required");
    if (f->help && f->help[0])
        buf_addf(b, "; %s", f->help);
}

static void add_field(struct buf *b, const struct field *f)
{
    struct buf line;
    char *text;

    buf_addf(b, "  %-*s", INDENT - 2, f->name);
    if (strlen(f->name) > INDENT - 3)
        buf_addf(b, "\n%*s", INDENT, "");
    buf_init(&line, DESCRIBE_TEXT_MAX);
    add_kind(&line, f);
    text = buf_take(&line, NULL, NULL);
    if (text)
        add_wrapped(b, text, INDENT);
    else
        b->failed = b->no_memory = true;
    mem_free(text);
    buf_addc(b, '\n');
}

char *document_describe(const struct record_type *type, struct err *err)
{
    struct pages pages = {{type}, 1};
    struct buf b;

    buf_init(&b, DESCRIBE_TEXT_MAX);
    for (size_t done = 0; done < pages.count; done++) {
        const struct record_type *t = pages.types[done];

        buf_addf(&b, "%s%s\n", done ? "\n" : "", t->name);
        for (size_t i = 0; i < t->count; i++) {
            add_field(&b, &t->fields[i]);
            if (t->fields[i].record)
                meet(&pages, t->fields[i].record);
        }
    }
    return buf_take(&b, NULL, err);
}
