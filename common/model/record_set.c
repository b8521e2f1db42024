/* record_set.c - filling records: owned texts, growing lists, the words of enums. */
#include "common/model/record.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_FORMATTED_MAX 4096 /* more than any TEXT row of the model allows */

int text_set(char **field, const char *value, struct err *err)
{
    char *copy = NULL;

    if (value && !(copy = mem_strdup(value)))
        return err_set(err, ERR_NOMEM, "text of %zu bytes", strlen(value));
    mem_free(*field);
    *field = copy;
    return 0;
}

int text_setf(char **field, struct err *err, const char *fmt, ...)
{
    char text[TEXT_FORMATTED_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return text_set(field, text, err);
}

/* Blocks grow at powers of two, so the count alone says when one is full. */
static bool block_is_full(size_t count)
{
    return (count & (count - 1)) == 0; /* 0, 1, 2, 4, 8, ... */
}

static int block_grow(void **block, size_t count, size_t size, struct err *err)
{
    void *bigger;

    if (!block_is_full(count))
        return 0;
    bigger = mem_realloc_array(*block, count == 0 ? 1 : count * 2, size);
    if (!bigger)
        return err_set(err, ERR_NOMEM, "list of %zu items", count + 1);
    *block = bigger;
    return 0;
}

int texts_add(char ***field, size_t *count, const char *value, struct err *err)
{
    char *copy = mem_strdup(value);
    void *block = *field;

    if (!copy || block_grow(&block, *count, sizeof(char *), err) < 0) {
        mem_free(copy);
        return err_set(err, ERR_NOMEM, "list of %zu texts", *count + 1);
    }
    *field = block;
    (*field)[(*count)++] = copy;
    return 0;
}

void *records_add(const struct record_type *type, void *field, size_t *count, struct err *err)
{
    void **block = field;
    void *item;

    if (block_grow(block, *count, type->size, err) < 0)
        return NULL;
    item = (char *)*block + *count * type->size;
    record_init(type, item);
    (*count)++;
    return item;
}

const char *enum_name(const struct enum_names *names, int value)
{
    if (value == 0)
        return "unset";
    for (size_t i = 0; i < names->count; i++)
        if (names->values[i].value == value)
            return names->values[i].name;
    return NULL;
}

int enum_parse(const struct enum_names *names, const char *word, int *out, const char *path,
               struct err *err)
{
    struct buf list;
    char *words;

    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->values[i].name, word) == 0) {
            *out = names->values[i].value;
            return 0;
        }
    }
    buf_init(&list, TEXT_FORMATTED_MAX);
    for (size_t i = 0; i < names->count; i++)
        buf_addf(&list, "%s%s", i ? ", " : "", names->values[i].name);
    words = buf_take(&list, NULL, NULL);
    err_set(err, ERR_INVALID, "%s: \"%.40s\", wanted one of %s", path, word,
            words ? words : names->name);
    mem_free(words);
    return -1;
}
