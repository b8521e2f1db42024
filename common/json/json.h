/* json.h - the one reader and writer of JSON.
 *
 * The reader is strict: RFC 8259 and no more. It refuses repeated keys, text after the value, 007,
 * numbers that do not fit (integers beyond 2^53, 1e999), bad UTF-8, NUL, lone surrogates, nesting
 * beyond JSON_DEPTH_MAX. So what it returns means one thing, to us and to any other program.
 *
 * A `struct json` is a value with all that is in it. Values are found by walking: json_first and
 * json_next give the items of an array or the members of an object. Functions that read take NULL
 * (and values of another type) and answer "nothing", so look-ups chain:
 *     json_text(json_member(json_member(job, "model"), "name"))
 * Trees have no lock: one thread at a time. */
#ifndef COMMON_JSON_JSON_H
#define COMMON_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct json;

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Read one value of at most JSON_TEXT_MAX bytes. The error begins with line:column (both from 1,
 * columns count characters). Yours to json_free. */
struct json *json_parse(const char *text, size_t len, struct err *err);

/* json_parse of a file; the error names it. */
struct json *json_read_file(const char *path, struct err *err);

void json_free(struct json *v);              /* NULL is fine; not for a part of a tree */
struct json *json_dup(const struct json *v); /* NULL when memory is out, or v is NULL */

/* ---- reading ---- */

enum json_type json_type_of(const struct json *v); /* NULL is JSON_NULL */
const char *json_type_name(enum json_type type);   /* "null", "boolean", "number", ... */

const struct json *json_first(const struct json *v);   /* first item or member, or NULL */
const struct json *json_next(const struct json *item); /* the one after, or NULL */
const char *json_name(const struct json *member);      /* NULL when not a member of an object */
size_t json_count(const struct json *v);               /* items or members; walks them */

const struct json *json_member(const struct json *object, const char *name); /* walks */
const struct json *json_item(const struct json *array, size_t i);            /* walks */

const char *json_text(const struct json *v); /* NULL when not a string */
double json_number(const struct json *v);    /* UNKNOWN_F64 when not a number */
bool json_is_integer(const struct json *v);  /* a number without fraction, within 2^53 */
int64_t json_integer(const struct json *v);  /* UNKNOWN_I64 when not an integer */
bool json_bool_value(const struct json *v);  /* false when not true */

/* ---- building ----
 * Constructors return NULL when memory is out, and for what JSON cannot hold: text that is NULL or
 * not UTF-8, integers beyond 2^53, numbers that are not finite. */

struct json *json_object(void);
struct json *json_array(void);
struct json *json_new_text(const char *text);
struct json *json_new_text_n(const char *text, size_t len);
struct json *json_new_i64(int64_t value);
struct json *json_new_f64(double value);
struct json *json_new_bool(bool value);
struct json *json_new_null(void);

/* Put *moved in, as the member `name` (replacing one of that name) or as the last item. *moved is
 * taken even when that fails, and NULL afterwards; NULL in *moved is a failure, so a constructor
 * may stand in the call before and need no check of its own. After -1 the tree is as it was. */
int json_set(struct json *object, const char *name, struct json **moved);
int json_append(struct json *array, struct json **moved);

/* Take a member out, to keep or to json_free; NULL when there is none. */
struct json *json_remove(struct json *object, const char *name);

int json_set_text(struct json *object, const char *name, const char *value);
int json_set_i64(struct json *object, const char *name, int64_t value);
int json_set_f64(struct json *object, const char *name, double value);
int json_set_bool(struct json *object, const char *name, bool value);
int json_append_text(struct json *array, const char *value);

/* Make an empty object or array, put it in, and lend it out until the tree goes, or NULL. */
struct json *json_set_object(struct json *object, const char *name);
struct json *json_set_array(struct json *object, const char *name);
struct json *json_append_object(struct json *array);

/* ---- writing ---- */

/* Text that json_parse reads back to the same tree, yours to mem_free. Pretty: two spaces an
 * indent, arrays and objects without containers inside stay on one line while they fit in 100
 * columns, and a newline ends the text. Integers are written as integers, other numbers as short as
 * they read back. NULL is refused. */
char *json_print(const struct json *v, bool pretty, struct err *err);

#endif
