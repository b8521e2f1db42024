/* buf.c - see buf.h. Capacity doubles, so n additions copy at most 2n bytes. */
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CAP_FIRST 64   /* bytes; most names and messages fit */
#define CAP_SMALL 1024 /* below it capacity grows fourfold: what outgrows a name is a text */

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4};
}

void buf_clear(struct buf *b)
{
    mem_free(b->data);
    buf_init(b, b->max);
}

/* Make room for `more` bytes and a NUL; false, and failed for good, when that cannot be. */
static bool buf_reserve(struct buf *b, size_t more)
{
    size_t need, cap;
    char *data;

    if (b->failed)
        return false;
    if (more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    for (cap = b->cap ? b->cap : CAP_FIRST; cap < need; cap *= cap < CAP_SMALL ? 4 : 2)
        ;
    if (!(data = mem_realloc_array(b->data, cap, 1))) {
        b->failed = b->no_memory = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len)
        memcpy(b->data + b->len, p, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_addc(struct buf *b, char c)
{
    if (!b->failed && b->len < b->max && b->len + 1 < b->cap) {
        b->data[b->len++] = c;
        b->data[b->len] = '\0';
        return;
    }
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    buf_addv(b, fmt, args);
    va_end(args);
}

void buf_addv(struct buf *b, const char *fmt, va_list args)
{
    size_t room = b->failed ? 0 : b->cap - b->len; /* written at once where it fits */
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, args);
    if (n < 0) {
        b->failed = true; /* a character that no encoding of the C library has, or past INT_MAX */
    } else if ((size_t)n < room && (size_t)n <= b->max - b->len) {
        b->len += (size_t)n;
    } else if (buf_reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    if (room)
        b->data[b->len] = '\0'; /* also where it did not fit */
    va_end(again);
}

char *buf_take(struct buf *b, size_t *len, struct err *err)
{
    char *data;

    buf_reserve(b, 0); /* so that an empty buf gives "" */
    if (b->failed) {
        if (b->no_memory)
            err_set(err, ERR_NOMEM, "text of %zu bytes", b->len);
        else
            err_set(err, ERR_TOO_BIG, "text is longer than %zu bytes", b->max);
        buf_clear(b);
        return NULL;
    }
    data = b->data;
    data[b->len] = '\0';
    if (len)
        *len = b->len;
    buf_init(b, b->max);
    return data;
}
