/* record.h - what every struct of the model has in common: a table of its fields.
 *
 * A struct that passes between rooms is described once, by a row per field: name, type, limits,
 * unit, help. From that table come its checking, copying and freeing here, its protobuf in
 * common/wire and its JSON in common/document, so that a new field is a member, a row and a line in
 * the .proto; a test compares the three. Thread: none, pure functions. Ownership: a record owns all
 * that it points to.
 *
 * Unknown is UNKNOWN_I64, NaN, TRI_UNKNOWN, 0 for an enum, NULL for text and records, 0 items. */
#ifndef COMMON_MODEL_RECORD_H
#define COMMON_MODEL_RECORD_H

#include "common/core/unknown.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct record_type;

enum field_type {
    FIELD_I64,
    FIELD_F64,
    FIELD_BOOL,    /* int holding enum tristate */
    FIELD_TEXT,    /* char *: one line, no control characters */
    FIELD_PROSE,   /* char *: may hold line breaks and tabs */
    FIELD_ENUM,    /* int; 0 is unset */
    FIELD_RECORD,  /* struct x * */
    FIELD_RECORDS, /* struct x * and size_t x_count: one block */
    FIELD_TEXTS,   /* char ** and size_t x_count */
    FIELD_I64S,    /* int64_t * and size_t x_count */
};

enum field_flags {
    FIELD_REQUIRED = 1,     /* a record without it is refused */
    FIELD_ONE_OF = 2,       /* at most one of the record's fields with this flag is present */
    FIELD_ONE_REQUIRED = 4, /* exactly one of the record's fields with this flag is present */
};

struct enum_value {
    int value;
    const char *name;
    const char *help;
};

struct enum_names {
    const char *name; /* as in the .proto: Thermal */
    const struct enum_value *values;
    size_t count;
};

struct field {
    const char *name; /* as in the .proto and in JSON */
    enum field_type type;
    unsigned flags;
    size_t offset;
    size_t count_offset; /* of x_count, for the repeated types */
    double min, max;     /* of numbers; max is the bytes of texts */
    size_t items_max;    /* of the repeated types */
    const struct record_type *record;
    const struct enum_names *names;
    const char *unit;
    const char *help;
};

struct record_type {
    const char *name; /* as in the .proto: CpuLevel */
    size_t size;
    const struct field *fields;
    size_t count;
};

/* Every field unknown. */
void record_init(const struct record_type *type, void *record);
void *record_new(const struct record_type *type, struct err *err);
void record_clear(const struct record_type *type,
                  void *record); /* frees what it owns, then as record_init */
void record_free(const struct record_type *type, void *record); /* NULL is fine */
void *record_dup(const struct record_type *type, const void *record, struct err *err);

/* Same known fields with the same values; NaN equals NaN. */
bool record_equal(const struct record_type *type, const void *a, const void *b);

/* Ranges, lengths, UTF-8, counts, finite numbers, known enum values, required and one-of fields, in
 * all depth. The error names the path: "round.rounds: 0, wanted an integer from 1 to 1000000". */
int record_check(const struct record_type *type, const void *record, struct err *err);

/* One field's value against its row; `path` goes before the colon. For readers that check as they
 * go. */
int field_check(const struct field *f, const void *record, const char *path, struct err *err);

const struct field *record_field(const struct record_type *type,
                                 const char *name); /* NULL: no such field */

/* Where a field's value stands. The repeated types: where the pointer stands. */
static inline void *field_at(const struct field *f, const void *record)
{
    return (char *)(uintptr_t)record + f->offset;
}

static inline size_t field_count(const struct field *f, const void *record)
{
    return *(const size_t *)((const char *)record + f->count_offset);
}

/* Here, and not in record.c, because it is asked of every field of every message. */
static inline bool field_is_known(const struct field *f, const void *record)
{
    const void *at = field_at(f, record);

    switch (f->type) {
    case FIELD_I64:
        return *(const int64_t *)at != UNKNOWN_I64;
    case FIELD_F64:
        return known_f64(*(const double *)at);
    case FIELD_BOOL:
        return *(const int *)at != TRI_UNKNOWN;
    case FIELD_ENUM:
        return *(const int *)at != 0;
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        return field_count(f, record) > 0;
    case FIELD_TEXT:
    case FIELD_PROSE:
    case FIELD_RECORD:
        break;
    }
    return *(void *const *)at != NULL;
}

/* Items that a block of `count` has room for: the next power of two, so that adding needs no
 * capacity beside the count. */
static inline size_t record_room(size_t count)
{
    size_t room = 1;

    while (room < count)
        room *= 2;
    return room;
}

/* Setters for the owned kinds: the old value is freed; on failure the record is as it was. */
int text_set(char **field, const char *value, struct err *err); /* NULL unsets */
int text_setf(char **field, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int texts_add(char ***field, size_t *count, const char *value, struct err *err);
/* One more item, every field unknown, at the end of a FIELD_RECORDS; NULL without memory. Earlier
 * pointers into the block are void afterwards. Growth is by doubling at powers of two: whoever
 * makes the block of a repeated field himself makes it for record_room(count) items. */
void *records_add(const struct record_type *type, void *field, size_t *count, struct err *err);

const char *enum_name(const struct enum_names *names,
                      int value); /* "unset" for 0, NULL if not a value */
int enum_parse(const struct enum_names *names, const char *word, int *out, const char *path,
               struct err *err); /* the error lists the words */

#define RECORD_DECLARE(s)                     \
    extern const struct record_type s##_type; \
    struct s *s##_new(struct err *err);       \
    void s##_free(struct s *record);          \
    struct s *s##_dup(const struct s *record, struct err *err)

#define RECORD_FUNCTIONS(s)                                    \
    struct s *s##_new(struct err *err)                         \
    {                                                          \
        return record_new(&s##_type, err);                     \
    }                                                          \
    void s##_free(struct s *record)                            \
    {                                                          \
        record_free(&s##_type, record);                        \
    }                                                          \
    struct s *s##_dup(const struct s *record, struct err *err) \
    {                                                          \
        return record_dup(&s##_type, record, err);             \
    }                                                          \
    extern const struct record_type s##_type

#define RECORD_DEFINE(s, type_name)                                                 \
    const struct record_type s##_type = {type_name, sizeof(struct s), s##_fields,   \
                                         sizeof s##_fields / sizeof s##_fields[0]}; \
    RECORD_FUNCTIONS(s)

#define RECORD_DEFINE_EMPTY(s, type_name)                                       \
    const struct record_type s##_type = {type_name, sizeof(struct s), NULL, 0}; \
    RECORD_FUNCTIONS(s)

#define ROW_AT(s, m) .name = #m, .offset = offsetof(struct s, m)
#define ROW_COUNTED(s, m) ROW_AT(s, m), .count_offset = offsetof(struct s, m##_count)
#define ROW_I64(s, m, lo, hi, u, fl, h)                                                        \
    {                                                                                          \
        ROW_AT(s, m), .type = FIELD_I64, .min = (lo), .max = (hi), .unit = (u), .flags = (fl), \
                      .help = (h)                                                              \
    }
#define ROW_F64(s, m, lo, hi, u, fl, h)                                                        \
    {                                                                                          \
        ROW_AT(s, m), .type = FIELD_F64, .min = (lo), .max = (hi), .unit = (u), .flags = (fl), \
                      .help = (h)                                                              \
    }
#define ROW_BOOL(s, m, fl, h)                                        \
    {                                                                \
        ROW_AT(s, m), .type = FIELD_BOOL, .flags = (fl), .help = (h) \
    }
#define ROW_TEXT(s, m, hi, fl, h)                                                 \
    {                                                                             \
        ROW_AT(s, m), .type = FIELD_TEXT, .max = (hi), .flags = (fl), .help = (h) \
    }
#define ROW_PROSE(s, m, hi, fl, h)                                                 \
    {                                                                              \
        ROW_AT(s, m), .type = FIELD_PROSE, .max = (hi), .flags = (fl), .help = (h) \
    }
#define ROW_ENUM(s, m, e, fl, h)                                                          \
    {                                                                                     \
        ROW_AT(s, m), .type = FIELD_ENUM, .names = &e##_names, .flags = (fl), .help = (h) \
    }
#define ROW_RECORD(s, m, r, fl, h)                                                          \
    {                                                                                       \
        ROW_AT(s, m), .type = FIELD_RECORD, .record = &r##_type, .flags = (fl), .help = (h) \
    }
#define ROW_RECORDS(s, m, r, n, fl, h)                                                   \
    {                                                                                    \
        ROW_COUNTED(s, m), .type = FIELD_RECORDS, .record = &r##_type, .items_max = (n), \
                           .flags = (fl), .help = (h)                                    \
    }
#define ROW_TEXTS(s, m, n, hi, fl, h)                                                         \
    {                                                                                         \
        ROW_COUNTED(s, m), .type = FIELD_TEXTS, .items_max = (n), .max = (hi), .flags = (fl), \
                           .help = (h)                                                        \
    }
#define ROW_I64S(s, m, n, lo, hi, u, fl, h)                                                \
    {                                                                                      \
        ROW_COUNTED(s, m), .type = FIELD_I64S, .items_max = (n), .min = (lo), .max = (hi), \
                           .unit = (u), .flags = (fl), .help = (h)                         \
    }

#endif
