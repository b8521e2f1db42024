/* record_fill.c - see record_fill.h. */
#include "tests/support/record_fill.h"

#include "common/core/mem.h"

#include <math.h>
#include <string.h>

#define FILL_DEPTH_MAX 64 /* a record that holds itself ends long before */
#define FILL_INSIDE_MAX 2 /* how often it stands in itself */

struct filler {
    uint64_t seed;
    size_t items;
    size_t text;
    bool sparse;
    const struct record_type *around[FILL_DEPTH_MAX]; /* being filled, outermost first */
    size_t depth;
};

/* splitmix64: its constants are Steele, Lea and Flood's (2014). */
uint64_t fill_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* From 0 to 1, both possible. */
static double share(struct filler *f)
{
    return (double)(fill_random(&f->seed) >> 11) / (double)((1ULL << 53) - 1);
}

/* Ends of the range often, the rest spread over its orders of magnitude. */
static double number(struct filler *f, const struct field *row)
{
    double width = row->max - row->min;

    switch (fill_random(&f->seed) % 8) {
    case 0:
        return row->min;
    case 1:
        return row->max;
    case 2:
        return row->min + width * share(f);
    default:
        return row->min + expm1(log1p(width) * share(f));
    }
}

static int64_t integer(struct filler *f, const struct field *row)
{
    double v = floor(number(f, row));

    return (int64_t)(v < row->min ? row->min : v > row->max ? row->max : v);
}

static double fraction(struct filler *f, const struct field *row)
{
    double v = number(f, row);

    return v < row->min ? row->min : v > row->max ? row->max : v;
}

/* Words with what breaks careless code: quotes, backslashes, two, three and four byte characters.
 */
static char *text(struct filler *f, const struct field *row)
{
    static const char *const words[] = {
        "mac",
        "M4 Max",
        "a\"b",
        "c\\d",
        "gr\xc3\xb6\xc3\x9f", /* two bytes a letter */
        "\xe7\x8c\xab",       /* three */
        "\xf0\x9f\x8d\x8e",   /* four */
        "16 GB",
        "{x}",
        "%s",
        "<&>",
        "'q'",
    };
    size_t most = (size_t)row->max;
    size_t wanted = f->text ? f->text : 4 + fill_random(&f->seed) % 24;
    size_t len = 0;
    char *out;

    if (wanted > most)
        wanted = most;
    out = mem_alloc(wanted + 1);
    while (out && len < wanted) {
        const char *word = words[fill_random(&f->seed) % (sizeof words / sizeof words[0])];

        if (len + strlen(word) > wanted)
            word = "z";
        memcpy(out + len, word, strlen(word));
        len += strlen(word);
        if (len < wanted) {
            out[len] = row->type == FIELD_PROSE && len % 5 == 0 ? '\n' : ' ';
            len++;
        }
    }
    if (out)
        out[len] = '\0';
    return out;
}

static int fill_into(struct filler *f, const struct record_type *type, void *record,
                     const char *body);

static size_t times_around(const struct filler *f, const struct record_type *type)
{
    size_t times = 0;

    for (size_t i = 0; i < f->depth; i++)
        times += f->around[i] == type;
    return times;
}

static size_t items_wanted(struct filler *f, const struct field *row)
{
    size_t n = f->items ? f->items : 1 + fill_random(&f->seed) % 3;

    if (row->type == FIELD_RECORDS && times_around(f, row->record) >= FILL_INSIDE_MAX)
        return 0;

    return n > row->items_max ? row->items_max : n;
}

static int fill_items(struct filler *f, const struct field *row, void *record)
{
    size_t wanted = items_wanted(f, row);
    size_t *count = (size_t *)(void *)((char *)record + row->count_offset);
    size_t size = row->type == FIELD_RECORDS ? row->record->size : sizeof(int64_t);
    char *block = mem_calloc(record_room(wanted), size);

    *(void **)field_at(row, record) = block;
    if (!block)
        return -1;
    for (size_t i = 0; i < wanted; i++) {
        void *item = block + i * size;

        if (row->type == FIELD_RECORDS) {
            record_init(row->record, item);
            *count = i + 1;
            if (fill_into(f, row->record, item, NULL) < 0)
                return -1;
        } else if (row->type == FIELD_TEXTS) {
            if (!(*(char **)item = text(f, row)))
                return -1;
        } else {
            *(int64_t *)item = integer(f, row);
        }
        *count = i + 1;
    }
    return 0;
}

static int fill_field(struct filler *f, const struct field *row, void *record, const char *body)
{
    void *at = field_at(row, record);

    switch (row->type) {
    case FIELD_I64:
        *(int64_t *)at = integer(f, row);
        return 0;
    case FIELD_F64:
        *(double *)at = fraction(f, row);
        return 0;
    case FIELD_BOOL:
        *(int *)at = fill_random(&f->seed) % 2 ? TRI_TRUE : TRI_FALSE;
        return 0;
    case FIELD_ENUM:
        *(int *)at = row->names->values[fill_random(&f->seed) % row->names->count].value;
        return 0;
    case FIELD_TEXT:
    case FIELD_PROSE:
        *(char **)at = text(f, row);
        return *(char **)at ? 0 : -1;
    case FIELD_RECORD:
        if (!(*(void **)at = record_new(row->record, NULL)))
            return -1;
        return fill_into(f, row->record, *(void **)at, body);
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        break;
    }
    return fill_items(f, row, record);
}

/* The one field of the one-of that is filled: the named one, or one by seed. NULL: it has no
 * one-of. */
static const struct field *body_chosen(struct filler *f, const struct record_type *type,
                                       const char *body)
{
    const struct field *chosen = NULL;
    size_t seen = 0;

    for (size_t i = 0; i < type->count; i++) {
        const struct field *row = &type->fields[i];
        size_t len = strlen(row->name);

        if (!(row->flags & (FIELD_ONE_OF | FIELD_ONE_REQUIRED)))
            continue;
        if (body && strncmp(body, row->name, len) == 0 && (body[len] == '\0' || body[len] == '.'))
            return row;
        if (fill_random(&f->seed) % ++seen == 0)
            chosen = row;
    }
    return chosen;
}

static int fill_into(struct filler *f, const struct record_type *type, void *record,
                     const char *body)
{
    const struct field *chosen = body_chosen(f, type, body);
    int rc = 0;

    if (f->depth == FILL_DEPTH_MAX)
        return -1;
    f->around[f->depth++] = type;
    for (size_t i = 0; i < type->count; i++) {
        const struct field *row = &type->fields[i];
        const char *rest = row == chosen && body ? strchr(body, '.') : NULL;

        if (row->flags & (FIELD_ONE_OF | FIELD_ONE_REQUIRED)) {
            if (row != chosen)
                continue;
        } else if (f->sparse && !(row->flags & FIELD_REQUIRED) && fill_random(&f->seed) % 2) {
            continue;
        }
        if ((rc = fill_field(f, row, record, rest ? rest + 1 : NULL)) < 0)
            break;
    }
    f->depth--;
    return rc;
}

void *record_fill(const struct record_type *type, const struct fill *how)
{
    struct filler f = {how->seed, how->items, how->text, how->sparse, {NULL}, 0};
    void *record = record_new(type, NULL);

    if (record && fill_into(&f, type, record, how->body) < 0) {
        record_free(type, record);
        record = NULL;
    }
    return record;
}
