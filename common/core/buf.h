/* buf.h - text or bytes that grow, up to a maximum.
 *
 * A failure (the maximum passed, or no memory) sticks: later additions do nothing, and buf_take
 * reports it. So a writer adds all it has and checks once.
 *
 *     struct buf b;
 *     buf_init(&b, NAME_TEXT_MAX);
 *     buf_adds(&b, "mac-");
 *     buf_addf(&b, "%03d", 7);
 *     char *name = buf_take(&b, NULL, err);    NULL when any of it failed
 */
#ifndef COMMON_CORE_BUF_H
#define COMMON_CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

struct buf {
    char *data;     /* NULL while nothing was added, else NUL-terminated */
    size_t len;     /* bytes added */
    size_t cap;     /* bytes allocated */
    size_t max;     /* len never passes this */
    bool failed;    /* something was not added: the content is a part */
    bool no_memory; /* it failed for memory, not for max */
};

void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* frees, and is as after buf_init; a zeroed struct is fine */

void buf_add(struct buf *b, const void *p, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* What was added, NUL-terminated, yours to mem_free; its length into *len unless NULL. NULL with
 * ERR_TOO_BIG or ERR_NOMEM when something was not added. Either way the buf is empty afterwards. */
char *buf_take(struct buf *b, size_t *len, struct err *err);

#endif
