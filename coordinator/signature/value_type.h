/* value_type.h - the type of a field that was declared at run time.
 *
 * A signature from a string, a file or the factory says its types as Python does: str, int, float,
 * bool, Any, list, list[T], dict, dict[str, T], Literal[...], Optional[T] and T | None, and History
 * for an input that holds the turns of a conversation so far. They are
 * values, not C types: the name a prompt shows, the JSON schema that is sent and the check of an
 * answer all come from this one tree. The signatures that plans use have records of the model
 * instead (signature_field.row). Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_VALUE_TYPE_H
#define COORDINATOR_SIGNATURE_VALUE_TYPE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct json;

enum value_kind {
    VALUE_STR = 1,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_BOOL,
    VALUE_ANY,
    VALUE_LIST,     /* item: of its items; NULL: anything */
    VALUE_DICT,     /* item: of its values, whose keys are text; NULL: anything */
    VALUE_LITERAL,  /* one of words */
    VALUE_OPTIONAL, /* item, or null */
    VALUE_HISTORY,  /* {"messages": [{field: value, ...}, ...]}: a layout makes turns of it */
};

/* How deep types nest: list[dict[str, list[int]]] is 4 deep, and a small model fails long before
 * this. */
#define VALUE_TYPE_DEPTH_MAX 8
#define VALUE_TYPE_TEXT_MAX 4096 /* bytes of one type as written */
#define VALUE_TYPE_WORDS_MAX 200 /* of one Literal */

struct value_type {
    enum value_kind kind;
    struct value_type *item;
    struct json *words; /* an array of texts, integers, truth values, nulls */
};

/* From its spelling in Python, blanks and line breaks anywhere. What Python knows and we do not
 * (tuple, set, other unions) is ERR_UNSUPPORTED by name, what nobody knows ERR_INVALID. */
struct value_type *value_type_read(const char *text, size_t len, struct err *err);
struct value_type *value_type_dup(const struct value_type *t, struct err *err);
void value_type_free(struct value_type *t); /* NULL is fine */

/* NULL is str. */
bool value_type_equal(const struct value_type *a, const struct value_type *b);
bool value_type_is_text(const struct value_type *t); /* str */
bool value_type_takes_null(const struct value_type *t);

/* As a prompt names it, which is as DSPy does: list[str], Literal['a', 'b'], Union[str, NoneType].
 * NULL is str. */
void value_type_add_name(struct buf *b, const struct value_type *t);

/* As Python source, which value_type_read reads back: Optional[str]. */
void value_type_add_source(struct buf *b, const struct value_type *t);

/* The JSON schema of its values, yours to json_free; NULL: no memory. */
struct json *value_type_schema(const struct value_type *t);

/* Whether a JSON value is one of the type as it stands: no casting but a whole number for a float.
 * `path` goes before the error. For str any value is text once it is printed. */
int value_type_check(const struct value_type *t, const struct json *v, const char *path,
                     struct err *err);

#endif
