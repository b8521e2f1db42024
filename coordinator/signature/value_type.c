/* value_type.c - types of run-time fields: what they are called, admit and look like as a schema.
 * value_type_read.c reads them. */
#include "coordinator/signature/value_type.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PATH_SHOWN_MAX 160 /* of a path in an error; a longer one is cut */

void value_type_free(struct value_type *t)
{
    while (t) {
        struct value_type *item = t->item;

        json_free(t->words);
        mem_free(t);
        t = item;
    }
}

struct value_type *value_type_dup(const struct value_type *t, struct err *err)
{
    struct value_type *head = NULL, **end = &head;

    for (; t; t = t->item, end = &(*end)->item) {
        if (!(*end = mem_zalloc(sizeof **end)))
            goto fail;
        (*end)->kind = t->kind;
        if (t->words && !((*end)->words = json_dup(t->words)))
            goto fail;
    }
    return head;
fail:
    value_type_free(head);
    err_set(err, ERR_NOMEM, "type");
    return NULL;
}

static bool word_equal(const struct json *a, const struct json *b)
{
    if (json_type_of(a) != json_type_of(b))
        return false;
    switch (json_type_of(a)) {
    case JSON_STRING:
        return strcmp(json_text(a), json_text(b)) == 0;
    case JSON_NUMBER:
        return json_number(a) == json_number(b);
    case JSON_BOOL:
        return json_bool_value(a) == json_bool_value(b);
    case JSON_NULL:
        return true;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return false;
}

static bool words_equal(const struct json *a, const struct json *b)
{
    const struct json *x = json_first(a), *y = json_first(b);

    while (x && y && word_equal(x, y)) {
        x = json_next(x);
        y = json_next(y);
    }
    return !x && !y;
}

bool value_type_is_text(const struct value_type *t)
{
    return !t || t->kind == VALUE_STR;
}

bool value_type_equal(const struct value_type *a, const struct value_type *b)
{
    if (value_type_is_text(a) || value_type_is_text(b))
        return value_type_is_text(a) && value_type_is_text(b);
    for (; a && b; a = a->item, b = b->item)
        if (a->kind != b->kind || !words_equal(a->words, b->words))
            return false;
    return !a && !b;
}

bool value_type_takes_null(const struct value_type *t)
{
    if (!t)
        return false;
    if (t->kind == VALUE_LITERAL)
        for (const struct json *w = json_first(t->words); w; w = json_next(w))
            if (json_type_of(w) == JSON_NULL)
                return true;
    return t->kind == VALUE_OPTIONAL || t->kind == VALUE_ANY;
}

/* Python's repr of a text, which holds no control character: ' around it, " where it holds ' and
 * no ". */
static void add_quoted(struct buf *b, const char *text)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

    buf_addc(b, quote);
    for (const char *p = text; *p; p++) {
        if (*p == '\\' || *p == quote)
            buf_addf(b, "\\%c", *p);
        else
            buf_addc(b, *p);
    }
    buf_addc(b, quote);
}

static void add_words(struct buf *b, const struct json *words)
{
    const char *between = "";

    buf_adds(b, "Literal[");
    for (const struct json *w = json_first(words); w; w = json_next(w), between = ", ") {
        buf_adds(b, between);
        if (json_type_of(w) == JSON_STRING)
            add_quoted(b, json_text(w));
        else if (json_type_of(w) == JSON_NUMBER)
            buf_addf(b, "%" PRId64, json_integer(w));
        else if (json_type_of(w) == JSON_BOOL)
            buf_adds(b, json_bool_value(w) ? "True" : "False");
        else
            buf_adds(b, "None");
    }
    buf_addc(b, ']');
}

/* The two spellings differ in one: what may be null. */
static void add_spelling(struct buf *b, const struct value_type *t, bool source)
{
    static const char *const plain[] = {
        [VALUE_STR] = "str",   [VALUE_INT] = "int",         [VALUE_FLOAT] = "float",
        [VALUE_BOOL] = "bool", [VALUE_ANY] = "Any",         [VALUE_LIST] = "list",
        [VALUE_DICT] = "dict", [VALUE_HISTORY] = "History",
    };

    if (!t) {
        buf_adds(b, "str");
        return;
    }
    switch (t->kind) {
    case VALUE_LITERAL:
        add_words(b, t->words);
        return;
    case VALUE_OPTIONAL:
        buf_adds(b, source ? "Optional[" : "Union[");
        add_spelling(b, t->item, source);
        buf_adds(b, source ? "]" : ", NoneType]");
        return;
    case VALUE_LIST:
    case VALUE_DICT:
        buf_adds(b, plain[t->kind]);
        if (!t->item)
            return;
        buf_adds(b, t->kind == VALUE_DICT ? "[str, " : "[");
        add_spelling(b, t->item, source);
        buf_addc(b, ']');
        return;
    case VALUE_STR:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BOOL:
    case VALUE_ANY:
    case VALUE_HISTORY:
        buf_adds(b, source && t->kind == VALUE_HISTORY ? "dspy." : "");
        buf_adds(b, plain[t->kind]);
    }
}

void value_type_add_name(struct buf *b, const struct value_type *t)
{
    add_spelling(b, t, false);
}

void value_type_add_source(struct buf *b, const struct value_type *t)
{
    add_spelling(b, t, true);
}

/* ---- schema ---- */

static const char *word_schema_type(const struct json *w)
{
    switch (json_type_of(w)) {
    case JSON_STRING:
        return "string";
    case JSON_NUMBER:
        return "integer";
    case JSON_BOOL:
        return "boolean";
    default:
        return "null";
    }
}

/* One word is a const, several an enum; a type only where all share it. */
static int words_schema(struct json *schema, const struct json *words)
{
    const struct json *first = json_first(words);
    struct json *copy = json_next(first) ? json_dup(words) : json_dup(first);
    bool mixed = false;

    for (const struct json *w = first; w; w = json_next(w))
        mixed |= strcmp(word_schema_type(w), word_schema_type(first)) != 0;
    if (json_set(schema, json_next(first) ? "enum" : "const", &copy) < 0)
        return -1;
    return mixed ? 0 : json_set_text(schema, "type", word_schema_type(first));
}

static int optional_schema(struct json *schema, const struct value_type *item)
{
    struct json *any = json_set_array(schema, "anyOf"), *inner, *null;

    if (!any)
        return -1;
    inner = value_type_schema(item);
    if (json_append(any, &inner) < 0 || !(null = json_append_object(any)))
        return -1;
    return json_set_text(null, "type", "null");
}

static int container_schema(struct json *schema, const struct value_type *t)
{
    bool list = t->kind == VALUE_LIST;
    struct json *inner;

    if (t->item)
        inner = value_type_schema(t->item);
    else
        inner = list ? json_object() : json_new_bool(true);
    if (json_set(schema, list ? "items" : "additionalProperties", &inner) < 0)
        return -1;
    return json_set_text(schema, "type", list ? "array" : "object");
}

struct json *value_type_schema(const struct value_type *t)
{
    static const char *const plain[] = {
        [VALUE_STR] = "string",
        [VALUE_INT] = "integer",
        [VALUE_FLOAT] = "number",
        [VALUE_BOOL] = "boolean",
    };
    enum value_kind kind = t ? t->kind : VALUE_STR;
    struct json *schema = json_object();
    int rc = 0;

    if (!schema)
        return NULL;
    if (kind == VALUE_LITERAL)
        rc = words_schema(schema, t->words);
    else if (kind == VALUE_OPTIONAL)
        rc = optional_schema(schema, t->item);
    else if (kind == VALUE_LIST || kind == VALUE_DICT)
        rc = container_schema(schema, t);
    else if (kind != VALUE_ANY)
        rc = json_set_text(schema, "type", plain[kind]);
    if (rc < 0) {
        json_free(schema);
        return NULL;
    }
    return schema;
}

/* ---- check ---- */

static int refuse(const struct value_type *t, const struct json *v, const char *path,
                  struct err *err)
{
    struct buf name;

    buf_init(&name, VALUE_TYPE_TEXT_MAX);
    value_type_add_name(&name, t);
    if (json_type_of(v) == JSON_STRING)
        err_set(err, ERR_INVALID, "%s: \"%.60s\", wanted %.80s", path, json_text(v),
                name.data ? name.data : "another type");
    else
        err_set(err, ERR_INVALID, "%s: %s, wanted %.80s", path, json_type_name(json_type_of(v)),
                name.data ? name.data : "another type");
    buf_clear(&name);
    return -1;
}

static int check_items(const struct value_type *item, const struct json *v, const char *path,
                       struct err *err)
{
    char where[PATH_SHOWN_MAX];
    size_t i = 0;

    for (const struct json *x = json_first(v); x; x = json_next(x), i++) {
        if (json_name(x))
            snprintf(where, sizeof where, "%s.%s", path, json_name(x));
        else
            snprintf(where, sizeof where, "%s[%zu]", path, i);
        if (value_type_check(item, x, where, err) < 0)
            return -1;
    }
    return 0;
}

int value_type_check(const struct value_type *t, const struct json *v, const char *path,
                     struct err *err)
{
    enum json_type is = json_type_of(v);
    bool fits = false;

    switch (t ? t->kind : VALUE_STR) {
    case VALUE_STR:
    case VALUE_ANY:
        return 0;
    case VALUE_INT:
        fits = json_is_integer(v);
        break;
    case VALUE_FLOAT:
        fits = is == JSON_NUMBER;
        break;
    case VALUE_BOOL:
        fits = is == JSON_BOOL;
        break;
    case VALUE_LITERAL:
        for (const struct json *w = json_first(t->words); w && !fits; w = json_next(w))
            fits = word_equal(w, v);
        break;
    case VALUE_OPTIONAL:
        return is == JSON_NULL ? 0 : value_type_check(t->item, v, path, err);
    case VALUE_LIST:
    case VALUE_DICT:
        if (is == (t->kind == VALUE_LIST ? JSON_ARRAY : JSON_OBJECT))
            return t->item ? check_items(t->item, v, path, err) : 0;
        break;
    case VALUE_HISTORY:
        fits = json_type_of(json_member(v, "messages")) == JSON_ARRAY;
        break;
    }
    return fits ? 0 : refuse(t, v, path, err);
}
