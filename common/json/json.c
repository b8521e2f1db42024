/* json.c - the tree; see json.h. The only C that sees cJSON.
 *
 * A `struct json` is a cJSON by another name: never defined, so nobody else can look inside. cJSON
 * is used for what it does well (building and holding the tree); json_scan has checked the text
 * before cJSON reads it, json_print writes. Its allocations go through mem.h, so strings made with
 * mem_strdup can be handed to it. */
#include "common/json/json.h"
#include "common/json/json_scan.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/core/unknown.h"

#include <assert.h>
#include <cJSON.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t hooked = PTHREAD_ONCE_INIT;

static void set_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = mem_alloc, .free_fn = mem_free};

    cJSON_InitHooks(&hooks);
}

static cJSON *tree(const struct json *v)
{
    return (cJSON *)v;
}

static struct json *json_of(cJSON *item)
{
    return (struct json *)item;
}

/* A new value of a kind of cJSON's. */
static cJSON *item_new(int type)
{
    cJSON *item;

    pthread_once(&hooked, set_hooks);
    if ((item = cJSON_CreateNull()))
        item->type = type;
    return item;
}

struct json *json_parse(const char *text, size_t len, struct err *err)
{
    cJSON *item;

    pthread_once(&hooked, set_hooks);
    if (json_scan(text, len, err) < 0)
        return NULL;
    if (!(item = cJSON_ParseWithLengthOpts(text, len, NULL, 0)))
        err_set(err, ERR_NOMEM, "JSON of %zu bytes", len); /* the text itself is in order */
    return json_of(item);
}

struct json *json_read_file(const char *path, struct err *err)
{
    struct json *v;
    char *text;
    size_t len;

    if (file_read(path, JSON_TEXT_MAX, &text, &len, err) < 0)
        return NULL;
    if (!(v = json_parse(text, len, err)))
        err_prefix(err, "%s", path);
    mem_free(text);
    return v;
}

void json_free(struct json *v)
{
    cJSON_Delete(tree(v));
}

struct json *json_dup(const struct json *v)
{
    return v ? json_of(cJSON_Duplicate(tree(v), 1)) : NULL;
}

/* ---- reading ---- */

enum json_type json_type_of(const struct json *v)
{
    switch (v ? tree(v)->type & 0xFF : cJSON_NULL) {
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};

    return (unsigned)type <= JSON_OBJECT ? names[type] : "null";
}

static bool is_container(const struct json *v)
{
    return json_type_of(v) == JSON_ARRAY || json_type_of(v) == JSON_OBJECT;
}

const struct json *json_first(const struct json *v)
{
    return is_container(v) ? json_of(tree(v)->child) : NULL;
}

const struct json *json_next(const struct json *item)
{
    return item ? json_of(tree(item)->next) : NULL;
}

const char *json_name(const struct json *member)
{
    return member ? tree(member)->string : NULL;
}

size_t json_count(const struct json *v)
{
    size_t n = 0;

    for (const struct json *item = json_first(v); item; item = json_next(item))
        n++;
    return n;
}

const struct json *json_member(const struct json *object, const char *name)
{
    if (json_type_of(object) != JSON_OBJECT)
        return NULL;
    for (const struct json *m = json_first(object); m; m = json_next(m))
        if (strcmp(json_name(m), name) == 0)
            return m;
    return NULL;
}

const struct json *json_item(const struct json *array, size_t i)
{
    const struct json *item = json_type_of(array) == JSON_ARRAY ? json_first(array) : NULL;

    while (item && i-- > 0)
        item = json_next(item);
    return item;
}

const char *json_text(const struct json *v)
{
    return json_type_of(v) == JSON_STRING ? tree(v)->valuestring : NULL;
}

double json_number(const struct json *v)
{
    return json_type_of(v) == JSON_NUMBER ? tree(v)->valuedouble : UNKNOWN_F64;
}

bool json_is_integer(const struct json *v)
{
    double value = json_number(v); /* NaN when no number: both comparisons are then false */

    return fabs(value) <= (double)JSON_INTEGER_MAX && trunc(value) == value;
}

int64_t json_integer(const struct json *v)
{
    return json_is_integer(v) ? (int64_t)json_number(v) : UNKNOWN_I64;
}

bool json_bool_value(const struct json *v)
{
    return v && (tree(v)->type & 0xFF) == cJSON_True;
}

/* ---- building ---- */

struct json *json_object(void)
{
    return json_of(item_new(cJSON_Object));
}

struct json *json_array(void)
{
    return json_of(item_new(cJSON_Array));
}

struct json *json_new_text(const char *text)
{
    return text ? json_new_text_n(text, strlen(text)) : NULL;
}

struct json *json_new_text_n(const char *text, size_t len)
{
    cJSON *item;

    if (!text || !text_utf8_valid(text, len) || !(item = item_new(cJSON_String)))
        return NULL;
    if (!(item->valuestring = mem_strndup(text, len))) {
        cJSON_Delete(item);
        return NULL;
    }
    return json_of(item);
}

struct json *json_new_i64(int64_t value)
{
    if (value > JSON_INTEGER_MAX || value < -JSON_INTEGER_MAX)
        return NULL;
    return json_new_f64((double)value);
}

struct json *json_new_f64(double value)
{
    cJSON *item;

    if (!isfinite(value) || !(item = item_new(cJSON_Number)))
        return NULL;
    cJSON_SetNumberHelper(item, value);
    return json_of(item);
}

struct json *json_new_bool(bool value)
{
    return json_of(item_new(value ? cJSON_True : cJSON_False));
}

struct json *json_new_null(void)
{
    return json_of(item_new(cJSON_NULL));
}

/* The value out of *moved, which is NULL afterwards. */
static cJSON *take(struct json **moved)
{
    cJSON *item = tree(*moved);

    *moved = NULL;
    return item;
}

static void item_rename(cJSON *item, char *name)
{
    if (item->string && !(item->type & cJSON_StringIsConst))
        mem_free(item->string);
    item->type &= ~cJSON_StringIsConst;
    item->string = name;
}

/* The key is copied here, before anything changes: cJSON's own replacement by name would go on with
 * a member that has none when memory is out. */
int json_set(struct json *object, const char *name, struct json **moved)
{
    cJSON *item = take(moved), *old;
    char *key = NULL;

    assert(json_of(item) != object || !item);
    if (!item || json_type_of(object) != JSON_OBJECT || !name ||
        !text_utf8_valid(name, strlen(name)) || !(key = mem_strdup(name))) {
        cJSON_Delete(item);
        return -1;
    }
    item_rename(item, key);
    if ((old = tree(json_member(object, name))))
        cJSON_ReplaceItemViaPointer(tree(object), old, item);
    else
        cJSON_AddItemToArray(tree(object), item); /* an object is a list too */
    return 0;
}

int json_append(struct json *array, struct json **moved)
{
    cJSON *item = take(moved);

    assert(json_of(item) != array || !item);
    if (!item || json_type_of(array) != JSON_ARRAY) {
        cJSON_Delete(item);
        return -1;
    }
    item_rename(item, NULL); /* it may have been a member */
    cJSON_AddItemToArray(tree(array), item);
    return 0;
}

struct json *json_remove(struct json *object, const char *name)
{
    cJSON *item = tree(json_member(object, name));

    return item ? json_of(cJSON_DetachItemViaPointer(tree(object), item)) : NULL;
}

int json_set_text(struct json *object, const char *name, const char *value)
{
    struct json *v = json_new_text(value);

    return json_set(object, name, &v);
}

int json_set_i64(struct json *object, const char *name, int64_t value)
{
    struct json *v = json_new_i64(value);

    return json_set(object, name, &v);
}

int json_set_f64(struct json *object, const char *name, double value)
{
    struct json *v = json_new_f64(value);

    return json_set(object, name, &v);
}

int json_set_bool(struct json *object, const char *name, bool value)
{
    struct json *v = json_new_bool(value);

    return json_set(object, name, &v);
}

int json_append_text(struct json *array, const char *value)
{
    struct json *v = json_new_text(value);

    return json_append(array, &v);
}

struct json *json_set_object(struct json *object, const char *name)
{
    struct json *made = json_object(), *lent = made;

    return json_set(object, name, &made) < 0 ? NULL : lent;
}

struct json *json_set_array(struct json *object, const char *name)
{
    struct json *made = json_array(), *lent = made;

    return json_set(object, name, &made) < 0 ? NULL : lent;
}

struct json *json_append_object(struct json *array)
{
    struct json *made = json_object(), *lent = made;

    return json_append(array, &made) < 0 ? NULL : lent;
}
