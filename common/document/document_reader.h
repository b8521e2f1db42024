/* document_reader.h - one reading under way: what document_read.c and document_lenient.c share. */
#ifndef COMMON_DOCUMENT_DOCUMENT_READER_H
#define COMMON_DOCUMENT_DOCUMENT_READER_H

#include "common/core/err.h"
#include "common/document/document_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;
struct json;
struct record_type;

struct notes {
    char **texts;
    size_t count;
};

struct reading {
    struct notes *notes; /* NULL: refuse what is not right */
    struct err err;      /* why the value at hand is not taken */
};

/* ---- document_lenient.c: what each row takes beyond the strict; -1 with err when nothing helps
 * ---- */

/* Note "PATH: ..." of a lenient reading; past DOCUMENT_NOTES_MAX only that there were more. -1 when
 * memory is out. */
int reader_note(struct notes *notes, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The row whose name differs by case and separators only; NULL. */
const struct field *lenient_field(const struct record_type *type, const char *name);
int lenient_number(struct reading *r, const struct json *v, const char *path, double *out);
int lenient_bool(struct reading *r, const struct json *v, const char *path, int *out);
int lenient_enum(struct reading *r, const struct field *f, const char *word, const char *path,
                 int *out);
int lenient_text(struct reading *r, const struct json *v, const char *path, char **out);

#endif
