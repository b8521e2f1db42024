/* document_words.h - how errors about values in JSON read: the path, the value, what was wanted.
 *
 * One form for all who read records: "round.rounds: \"many\", wanted an integer from 1 to 1000000".
 */
#ifndef COMMON_DOCUMENT_DOCUMENT_WORDS_H
#define COMMON_DOCUMENT_DOCUMENT_WORDS_H

struct err;
struct field;
struct json;
struct record_type;

#define DOCUMENT_PATH_MAX 160   /* a longer path is cut: it only serves an error */
#define DOCUMENT_VALUE_MAX 48   /* of a value in an error, with the NUL */
#define DOCUMENT_WANTED_MAX 120 /* of what was wanted, with the NUL */

/* "round" and "rounds" -> "round.rounds". */
const char *document_path(const char *where, const char *name, char out[DOCUMENT_PATH_MAX]);
/* A value for an error: scalars as they are, cut; containers by kind. */
const char *document_shown(const struct json *v, char out[DOCUMENT_VALUE_MAX]);
/* What a row takes: "an integer from 1 to 1000000 rounds". */
const char *document_wanted(const struct field *f, char out[DOCUMENT_WANTED_MAX]);
/* "PATH: VALUE, wanted WANTED". -1. */
int document_refuse(const struct json *v, const struct field *f, const char *path, struct err *err);
/* "PATH: no such key (did you mean rounds?); keys here: ...". -1. */
int document_refuse_key(const struct record_type *type, const char *name, const char *path,
                        struct err *err);

#endif
